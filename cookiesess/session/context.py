"""The functions that a session calls, and that its manager hands in; a test can hand in its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cookiesess.session.gate import Stage
from cookiesess.session.lifetime import Lifetime
from cookiesess.session.working_copy import WorkingCopy
from cookiesess.tokens.values import ValueCodec


class Load(Protocol):
    """Opens what a Cookie header carries."""

    def __call__(self, header: str, /, *, now: int) -> WorkingCopy:
        """Return the working copy of a request; never raises for what a browser can send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionContext:
    """The functions behind the verbs of a `cookiesess.Session`.

    Attributes:
        lifetime: The timeouts.
        codec: Encodes values.
        clock: Returns the time in Unix seconds.
        random_bytes: Returns bytes that nobody can guess.
        load: Opens what a Cookie header carries.
        save: Checks that a session can be stored and, server-side, stores it.
        end: Ends what was loaded.
        lost: Is told that what a request wrote before a login is lost, because its session had ended when it came.
        admit: Raises where an owner may not log in.
        touched_late: Is told of a session that was first touched after the headers went out.
    """

    lifetime: Lifetime
    codec: ValueCodec
    clock: Callable[[], float]
    random_bytes: Callable[[int], bytes]
    load: Load
    save: Callable[[WorkingCopy], None]
    end: Callable[[WorkingCopy], None]
    lost: Callable[[WorkingCopy], None]
    admit: Callable[[str, WorkingCopy], None]
    touched_late: Callable[[Stage], None]
