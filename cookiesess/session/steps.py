"""The three values of a working copy: what was loaded, what the request asked for, and what was done about it."""

from typing import Final, NamedTuple, Protocol

from cookiesess.events import Event, SessionCreated, SessionEnded, SessionRefreshed, SessionRenewed, WriteDropped
from cookiesess.session.binding import Binding
from cookiesess.session.closing import Closed, How
from cookiesess.session.csrf import Secrets
from cookiesess.session.decision import Action
from cookiesess.session.located import Located
from cookiesess.session.member import Member
from cookiesess.session.state import Origin


class Loaded(NamedTuple):
    """What a backend found for a request.

    Attributes:
        origin: Where it came from.
        owner: Whose it was.
        located: Its record, or None where it has none (yet).
        stale_key: A key that is accepted, but no longer current, opened it.
        header: The Cookie header, out of which the answer sees which of the session's cookies the browser has.
        base: The plaintext that its cookie held, from which the ID of its record derives if it moves to a store.
        sid: Its own ID, by which it is revoked, or None.
        until_at: The latest end that any copy of it was given, in Unix seconds, or None. A revocation is remembered
            until then.
        continued: An earlier request began this session, and this request has not ended it.
        opened: The names of our cookies in which something opened, so that the browser may forget them when this answer
            takes their place; None: somebody has logged out, and it may forget all of ours.
        closed: How its ID was closed, where another ID has taken its place.
        twins: The sessions in the other cookies of the same name that the request brought.
        dropped: An event has said already that this request's writes are lost.
        settled: A login of this request has settled which of several cookies of the name counts.
        key: The store's key of the ID that the request came with, where it opens no session and the owner's sessions
            are limited, or where this request has given the session another one; else empty.
        binding: That of the session, where the request has shown its bound cookie, or where it is unbound for want of
            it; else None.
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
    opened: tuple[str, ...] | None = ()
    closed: Closed | None = None
    twins: "tuple[Twin, ...]" = ()
    dropped: bool = False
    settled: bool = False
    key: bytes = b""
    binding: Binding | None = None

    def __repr__(self) -> str:
        return f"<Loaded, {self.origin.name}>"  # never the cookies or the owner: a repr ends up in error reports

    @property
    def bound(self) -> bytes:
        """The ID of its binding, where that is in effect and was proved; else empty."""
        return b"" if self.binding is None or not self.binding.at else self.binding.binding_id

    def record_keys(self) -> list[bytes]:
        """Return the store's keys of the sessions that the request came with, or would have."""
        own = [self.key, b"" if self.located is None else self.located.key]
        if self.closed is not None and self.closed.successor_key is not None:
            own.append(self.closed.successor_key)
        return [key for key in own if key] + [key for twin in self.twins for key in twin.loaded.record_keys()]


class Twin(Protocol):
    """What a login closes and a logout ends beside the session that counts; a `WorkingCopy` is one."""

    @property
    def loaded(self) -> Loaded:
        """What a backend found in that cookie."""

    @property
    def loaded_secrets(self) -> Secrets:
        """What its forms are made of."""


class Asked(NamedTuple):
    """What the request asked for.

    Attributes:
        how: Why the session is to get a new ID, or None if it keeps its own.
        login: ``login()`` was called.
        refresh: The idle timeout is to count from now, whether that is due or not.
        passive: The request is not its user's doing, so the idle timeout counts from when it did.
        registers: The answer is to ask the browser for a key to bind the session to.
    """

    how: How | None = None
    login: bool = False
    refresh: bool = False
    passive: bool = False
    registers: bool = False

    @property
    def authenticates(self) -> bool:
        """Whether it must succeed, whatever became of the session that the request came with."""
        return self.how is not None and self.how >= How.REAUTHENTICATION


class Line(Member):
    """What a response must do about the cookie; of several needs the lowest here counts, of the last two the later."""

    NOTHING = "no line at all"
    EXTEND = "a new Max-Age, where it has one"
    ISSUE = "a new value"
    EXPIRE = "to be forgotten"


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

    def __repr__(self) -> str:
        return f"<Done, {self.action.name}, {self.line.name}>"  # never the plaintext, as in `Loaded`

    def after(self, earlier: "Done") -> "Done":
        """Return what the response needs after both: a cookie for what ``save()`` has written is still to be sent."""
        if self.action is Action.DROP or self.line in _LAST_COUNTS or earlier.line is Line.NOTHING:
            return self
        return Done(self.action, earlier.line, self.plaintext or earlier.plaintext, self.located, self.reason)

    def event(self, *, login: bool) -> Event | None:
        """Return the event that says what was done; None where nobody need hear of it."""
        match self.action:
            case Action.DROP:
                return WriteDropped(self.reason or "replaced")
            case Action.MOVE:
                return SessionRenewed(login=login)
            case Action.CREATE:
                return SessionCreated(login=login)
            case Action.DELETE:
                return SessionEnded(emptied=True)
            case Action.TOUCH | Action.RESEAL:
                return SessionRefreshed()
        return None


NOTHING_ASKED: Final = Asked()
NOTHING_DONE: Final = Done(Action.NOTHING, Line.NOTHING)
EXPIRED: Final = Done(Action.EXPIRE, Line.EXPIRE)


def dropped(reason: str) -> Done:
    """Return that nothing was written, and why."""
    return Done(Action.DROP, Line.NOTHING, reason=reason)


_LAST_COUNTS: Final = (Line.ISSUE, Line.EXPIRE)
HAS_CONTENT: Final = frozenset({Action.CREATE, Action.UPDATE, Action.MOVE, Action.TOUCH, Action.RESEAL})
"""The actions after which there is a session."""
