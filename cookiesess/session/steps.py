"""The three values of a working copy: what was loaded, what the request asked for, and what was done about it."""

from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from cookiesess.session.closing import Closed, How
from cookiesess.session.decision import Action
from cookiesess.session.located import Located
from cookiesess.session.state import Origin

if TYPE_CHECKING:
    from cookiesess.session.working_copy import WorkingCopy


class Loaded(NamedTuple):
    """What a backend found for a request.

    Attributes:
        origin: Where it came from.
        owner: Whose it was.
        located: Its record, or None where it has none (yet).
        stale_key: A key that is accepted, but no longer current, opened it.
        header: The Cookie header, where it may have brought several of the session's cookies.
        base: The plaintext it was opened from, where it came in the cookie itself and may move to a store.
        sid: Its own ID, by which it is revoked, or None.
        until_at: Its absolute deadline, for which a revocation is kept, in Unix seconds; None where it has no `sid`.
        continued: It is an earlier request's, and this one has not ended it.
        closed: How its ID was closed, where another one has taken its place.
        twins: What else the request's cookies of the session's name hold.
        dropped: It was said already that this request's writes are lost.
    """

    origin: Origin
    owner: str | None = None
    located: Located | None = None
    stale_key: bool = False
    header: str = ""
    base: bytes = b""
    sid: bytes | None = None
    until_at: int | None = None
    continued: bool = False
    closed: Closed | None = None
    twins: "tuple[WorkingCopy, ...]" = ()
    dropped: bool = False


class Asked(NamedTuple):
    """What the request asked for.

    Attributes:
        how: Why it is to get a new ID; None where it keeps the one it has.
        login: By ``login()``.
        refresh: The idle timeout is to count from now, whether that is due or not.
    """

    how: How | None = None
    login: bool = False
    refresh: bool = False

    @property
    def authenticates(self) -> bool:
        """Whether it must succeed, whatever became of the session that the request came with."""
        return self.how is not None and self.how >= How.REAUTHENTICATION


class Line(Enum):
    """What the session's cookie needs of a response. Each outranks those above it, and of the last two the later."""

    NOTHING = "no line at all"
    EXTEND = "a new Max-Age, where it has one"
    ISSUE = "a new value"
    EXPIRE = "to be forgotten"

    __hash__ = object.__hash__  # as in Origin


class Done(NamedTuple):
    """What came of an action; a backend's ``apply`` returns it.

    Attributes:
        action: What was done, which may be less than what was decided.
        line: What the cookie needs.
        plaintext: What the cookie is to hold, where it needs a value.
        located: The session's record from now on, or None.
        reason: Why the writes were dropped, as `cookiesess.events.WriteDropped` has it.
    """

    action: Action
    line: Line
    plaintext: bytes = b""
    located: Located | None = None
    reason: str = ""

    def after(self, earlier: "Done") -> "Done":
        """Return what a response needs after both; what ``save()`` has written, the cookie does not know yet."""
        if self.action is Action.DROP or self.line in _LAST_COUNTS or earlier.line is Line.NOTHING:
            return self
        return Done(self.action, earlier.line, self.plaintext or earlier.plaintext, self.located, self.reason)


NOTHING_ASKED: Final = Asked()
NOTHING_DONE: Final = Done(Action.NOTHING, Line.NOTHING)
EXPIRED: Final = Done(Action.EXPIRE, Line.EXPIRE)

_LAST_COUNTS: Final = (Line.ISSUE, Line.EXPIRE)
HAS_CONTENT: Final = frozenset({Action.CREATE, Action.UPDATE, Action.MOVE, Action.TOUCH, Action.RESEAL})
"""The actions after which there is a session."""
