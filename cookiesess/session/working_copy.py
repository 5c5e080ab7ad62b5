"""A session in the hands of one request: what was loaded, what the request asked for, and what was done about it.

These are three values, and there is no flag beside them. Each is replaced as a whole, by the methods here alone:

- `Loaded` is what a backend found: frozen, since everything else is compared with it. `WorkingCopy.rebase` and
  `restart` put another one in its place when the request goes on after a write, or after ``invalidate()``.
- `Asked` is what no comparison could tell: a login, a new ID, a new idle deadline.
- `Done` is what a backend's ``apply`` returned, until the response has been given its lines.

The content itself is a `State`, and two `Tracked` dicts that know what has changed in it. They are made when something
is first written or handed out, which a request that reads text and numbers never does.
"""

from enum import Enum
from typing import Any, Final, NamedTuple

from cookiesess.session import flash
from cookiesess.session.changes import ABSENT, Tracked, replay
from cookiesess.session.decision import Action
from cookiesess.session.lifetime import Lifetime
from cookiesess.session.located import Located
from cookiesess.session.state import CSRF, FLASHES, Origin, State
from cookiesess.tokens.values import ValueCodec


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
    dropped: bool = False


class Asked(NamedTuple):
    """What the request asked for.

    Attributes:
        new_id: ``login()`` or ``renew()`` was called.
        login: It was ``login()``.
        refresh: The idle timeout is to count from now, whether that is due or not.
    """

    new_id: bool = False
    login: bool = False
    refresh: bool = False


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
_CONTINUED: Final = (Origin.LOADED, Origin.FOREIGN)
_LOADED, _DROP = Origin.LOADED, Action.DROP
HAS_CONTENT: Final = frozenset({Action.CREATE, Action.UPDATE, Action.MOVE, Action.TOUCH, Action.RESEAL})
"""The actions after which there is a session."""


class WorkingCopy:
    """The working copy between `SessionManager.open` and `commit`.

    Attributes:
        loaded: What a backend found.
        asked: What the request asked for.
        done: What was done, as long as the response does not have it yet, or the request may go on from it.
        state: The content; changed through `data` and `extras`.
        tracked_extras: `extras`, where somebody has looked at it; else None.
    """

    # Defaults of the class, not slots filled one by one: each request makes one of these, and few need them all.
    asked: Asked = NOTHING_ASKED
    done: Done = NOTHING_DONE
    _data: Tracked | None = None
    tracked_extras: Tracked | None = None

    def __init__(self, loaded: Loaded, state: State, *, codec: ValueCodec) -> None:
        self.loaded = loaded
        self.state = state
        self._codec = codec

    # What changed

    @property
    def data(self) -> Tracked:
        """The app's values, tracked."""
        if self._data is None:
            self._data = Tracked(self.state.data, self._codec)
        return self._data

    @property
    def extras(self) -> Tracked:
        """Flashes, CSRF secret and settings, tracked."""
        if self.tracked_extras is None:
            self.tracked_extras = Tracked(self.state.extras, self._codec)
        return self.tracked_extras

    @property
    def modified(self) -> bool:
        """Whether anything differs from what was loaded."""
        if self.asked.login or (self._data is not None and self._data.modified):
            return True
        return self.tracked_extras is not None and self.tracked_extras.modified

    @property
    def needs_cookie(self) -> bool:
        """Whether a write could be kept with the help of a Set-Cookie line alone.

        It could without one where there is a record; and where a session was replaced, since nothing of it is written.
        """
        return self.loaded.located is None and self.loaded.origin is not Origin.REPLACED

    # What the request asks for

    def login(self, owner: str, *, now: int, lifetime: Lifetime) -> None:
        """Make it `owner`'s. What belonged to another owner must not be shown to this one, so it is dropped."""
        state = self.state
        if state.owner not in {None, owner}:
            for tracked in (self.data, self.extras):
                for key in list(tracked.data):
                    tracked.remove(key)
        elif CSRF in state.extras:
            # A token from before the login was seen by whoever could see the page then.
            self.extras.remove(CSRF)
        state.owner = owner
        state.authenticated_at = now
        state.ends_at = lifetime.ends_at(now)
        self.asked = self.asked._replace(new_id=True, login=True)

    def renew(self) -> None:
        """Ask for a new ID."""
        self.asked = self.asked._replace(new_id=True)

    def keep_id(self) -> None:
        """Take the wish for a new ID back: the present one was made in this very request."""
        self.asked = self.asked._replace(new_id=False)

    def refresh(self) -> None:
        """Ask for a new idle deadline, whether it is due or not."""
        self.asked = self.asked._replace(refresh=True)

    def revert(self) -> None:
        """Make the app's values what was loaded."""
        self.state.data = self.data.original()
        self._data = None

    # What is done about it

    def identify(self, sid: bytes) -> None:
        """Give the session an ID of its own, by which it can be revoked."""
        self.state.sid = sid

    def merged_into(self, theirs: State) -> State | None:
        """Return `theirs` with this request's changes made again on it; None where it is another owner's now."""
        before, mine = self.loaded.owner, self.state
        if theirs.owner != before:
            return None
        if mine.owner == before or before is None:
            replay(self.data.log(), theirs.data, self._codec)
            self._merge_extras(theirs.extras)
        else:
            # Logged in over another owner: nothing of that one's is taken along, not even what came in meanwhile.
            theirs.data, theirs.extras = mine.data, mine.extras
        theirs.owner = mine.owner
        if self.asked.new_id:
            theirs.sid = mine.sid  # else theirs stands: it may have been renewed, and mine be ended
        if self.asked.login:
            theirs.authenticated_at, theirs.ends_at = mine.authenticated_at, mine.ends_at
        return theirs

    def _merge_extras(self, theirs: dict[str, Any]) -> None:
        for key, value in self.extras.changes().items():
            if key == FLASHES:
                base, mine = self.extras.before(key) or [], [] if value is ABSENT else value
                theirs[key] = flash.merge(base, mine, theirs.get(key, []), encode=self._codec.pack)
            elif value is ABSENT:
                theirs.pop(key, None)
            elif key != CSRF or key not in theirs:
                # An existing CSRF secret wins: forms that hold tokens of it have been sent already.
                theirs[key] = value

    def adopt(self, merged: State) -> None:
        """Go on from `merged`, which `merged_into` made and which has been written."""
        if merged is self.state:
            return
        if self._data is not None:
            self._data.adopt(merged.data)
        self.state, self.tracked_extras = merged, None

    def record(self, done: Done) -> None:
        """Remember what was done; its line is owed to the response."""
        self.done = done if self.done is NOTHING_DONE else done.after(self.done)

    def rebase(self, *, now: int, lifetime: Lifetime, keep_line: bool = False) -> None:
        """Take what was done as what was loaded, because the request goes on.

        Args:
            now: Unix seconds.
            lifetime: Of the session that begins where this one has ended.
            keep_line: The response does not have its line yet.
        """
        done, loaded = self.done, self.loaded
        if done.action is Action.DELETE:
            self.restart(ended=done.line is Line.EXPIRE, now=now, lifetime=lifetime)
        else:
            for tracked in (self._data, self.tracked_extras):
                if tracked is not None:
                    tracked.rebase()
            if done.action in HAS_CONTENT:
                self.asked, state = NOTHING_ASKED, self.state
                self.loaded = loaded._replace(
                    origin=_LOADED,
                    owner=state.owner,
                    located=done.located,
                    stale_key=False,
                    sid=state.sid,
                    until_at=None if state.sid is None else lifetime.absolute_deadline(state),
                )
        self.done = NOTHING_DONE._replace(line=done.line, plaintext=done.plaintext) if keep_line else NOTHING_DONE

    def drop(self) -> bool:
        """Have nothing of it be written any more; return whether that is new."""
        is_new = not self.loaded.dropped
        self.loaded = self.loaded._replace(origin=Origin.REPLACED, located=None, dropped=True)
        return is_new

    def restart(self, *, ended: bool, now: int, lifetime: Lifetime) -> None:
        """Become an empty session, as after ``invalidate()``; remember that a loaded one was `ended`, or was gone."""
        origin, dropped = self.loaded.origin, self.loaded.dropped
        if origin in _CONTINUED:
            # Gone: the browser may have another session's cookie by now, which nothing here must touch.
            origin = Origin.ENDED if ended else Origin.REPLACED
        self.loaded = Loaded(origin, header=self.loaded.header, dropped=dropped)
        self.state = fresh(now=now, lifetime=lifetime)
        self.asked, self._data, self.tracked_extras = NOTHING_ASKED, None, None


def fresh(*, now: int, lifetime: Lifetime) -> State:
    """Return the empty state of a session that begins now."""
    return State(created_at=now, refreshed_at=now, ends_at=lifetime.ends_at(now))
