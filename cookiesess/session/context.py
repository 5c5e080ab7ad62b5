"""The functions of the manager that a session calls. A test can give a session its own."""

from collections.abc import Callable
from typing import Protocol

from cookiesess.session.gate import Stage
from cookiesess.session.lifetime import Lifetime
from cookiesess.session.working_copy import WorkingCopy
from cookiesess.tokens.values import ValueCodec


class Load(Protocol):
    """Opens what a Cookie header carries."""

    def __call__(self, header: str, /, *, now: int) -> WorkingCopy:
        """Return the working copy of a request; never raises for what a browser can send."""


class SessionContext(Protocol):
    """What is behind the verbs of a `cookiesess.Session`."""

    @property
    def lifetime(self) -> Lifetime:
        """The timeouts."""

    @property
    def codec(self) -> ValueCodec:
        """Encodes values."""

    @property
    def clock(self) -> Callable[[], float]:
        """Returns the time in Unix seconds."""

    @property
    def random_bytes(self) -> Callable[[int], bytes]:
        """Returns bytes that nobody can guess."""

    @property
    def load(self) -> Load:
        """Opens what a Cookie header carries."""

    def save(self, working: WorkingCopy) -> None:
        """Check that a session can be stored and, server-side, store it."""

    def end(self, working: WorkingCopy) -> None:
        """End what was loaded."""

    def lost(self, working: WorkingCopy) -> None:
        """Hear that what a request wrote before a login is lost, because its session had ended when it came."""

    def logged_in(self, working: WorkingCopy) -> None:
        """Hear of a login, as it is asked for."""

    def admit(self, owner: str, working: WorkingCopy) -> None:
        """Raise where an owner may not log in."""

    def touched_late(self, stage: Stage) -> None:
        """Hear of a session that was first touched after the headers went out."""
