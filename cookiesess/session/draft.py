"""A session in the hands of one request: what was loaded, what became of it, and where it came from."""

from collections.abc import Callable
from typing import Any

from cookiesess.session import flash
from cookiesess.session.changes import ABSENT, Tracked, replay
from cookiesess.session.lifetime import Lifetime
from cookiesess.session.state import CSRF, FLASHES, Origin, State
from cookiesess.tokens.values import ValueCodec

Refusal = Callable[[], Exception]


class Draft:
    """The working copy between `SessionManager.open` and `commit`.

    Attributes:
        origin: Where it came from.
        state: Its content; `state.data` and `state.extras` are changed through `data` and `extras`.
        data: The app's values, tracked.
        continued: An earlier request's session was loaded, and this one has not ended it.
        handle: What the backend needs to find again what it loaded; its own business.
        stale_key: True where it was opened by a key that is accepted but no longer current.
        refresh_wanted: The idle timeout is to count from now, whether that is due or not.
        renewed: A new ID is wanted, by `login` or ``renew()``.
        logged_in: By `login`.
        outcome: What the cookie still needs of what ``save()`` has written (`cookiesess.backends.base.Outcome`).
        dropped: It was said already that this request's writes are lost.
        drop_reason: Why; as `cookiesess.events.WriteDropped` has it.
        merges: How often other requests were faster.
        overwritten: How many keys both had assigned.
        written: What was last done about it (`cookiesess.session.decision.Action`), until it is settled.
        refusal: Makes the error of every write, where writing is not possible (any more).
        cookie_refusal: The same for what needs a new cookie: `login` and ``renew()``.
        token: What the cookie will hold, where the backend has made it already.
        header: The Cookie header that it was loaded from, where it may have brought several of the session's cookies.
        base: The plaintext that it was opened from, where it came in the cookie itself.
        ticket: What would have to be revoked to end the session as it was loaded, or issued since.
    """

    # Defaults of the class, as in `Tracked`.
    renewed = False
    refresh_wanted = False
    logged_in = False
    written: Any = None
    outcome: Any = None
    dropped = False
    drop_reason = "replaced"
    merges = overwritten = 0
    refusal: Refusal | None = None
    cookie_refusal: Refusal | None = None
    token: str | None = None
    header: str = ""
    base: bytes = b""
    ticket: Any = None
    _extras: Tracked | None = None

    def __init__(
        self, origin: Origin, state: State, *, codec: ValueCodec, handle: Any = None, stale_key: bool = False
    ) -> None:
        self._codec = codec
        self.origin = origin
        self.state = state
        self.data = Tracked(state.data, codec)
        self.handle = handle
        self.stale_key = stale_key
        self._owner_before = state.owner
        self.continued = origin is Origin.LOADED or origin is Origin.FOREIGN

    @property
    def extras(self) -> Tracked:
        """Flashes, CSRF secret and settings; tracked once they are looked at, which few requests do."""
        if self._extras is None:
            self._extras = Tracked(self.state.extras, self._codec)
        return self._extras

    def extra_changed(self, key: str) -> bool:
        """Whether the setting under `key` differs from what was loaded."""
        return self._extras is not None and key in self._extras.changes()

    @property
    def modified(self) -> bool:
        """Whether anything differs from what was loaded."""
        if self.logged_in or self.data.modified:
            return True
        return self._extras is not None and self._extras.modified

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
        self.renewed = self.logged_in = True

    def merged_into(self, theirs: State) -> State | None:
        """Return `theirs` with this request's changes made again on it; None where it is another owner's now."""
        if theirs.owner != self._owner_before:
            return None
        mine = self.state
        if mine.owner == self._owner_before or self._owner_before is None:
            replay(self.data.log(), theirs.data, self._codec)
            self._merge_extras(theirs.extras)
        else:
            # Logged in over another owner: nothing of that one's is taken along, not even what came in meanwhile.
            theirs.data, theirs.extras = mine.data, mine.extras
        theirs.owner = mine.owner
        if self.renewed:
            theirs.sid = mine.sid  # else theirs stands: it may have been renewed, and mine be ended
        if self.logged_in:
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
        self.data.adopt(merged.data)
        self.state = merged
        self._extras = None
        self._settle()

    def settle(self, *, written: bool) -> None:
        """Take the present content as what was loaded, because it has been `written` or will not be."""
        self.data.settle()
        if self._extras is not None:
            self._extras.settle()
        if written:
            self._settle()

    def _settle(self) -> None:
        self.origin = Origin.LOADED
        self._owner_before = self.state.owner
        self.stale_key = self.renewed = self.logged_in = self.refresh_wanted = False

    def restart(self, *, ended: bool, now: int, lifetime: Lifetime) -> None:
        """Become an empty session, as after ``invalidate()``; remember that a loaded one was `ended`, or was gone."""
        if self.origin is Origin.LOADED or self.origin is Origin.FOREIGN:
            # Gone: the browser may have another session's cookie by now, which nothing here must touch.
            self.origin = Origin.ENDED if ended else Origin.REPLACED
        self.state = fresh(now=now, lifetime=lifetime)
        self.data, self._extras = Tracked(self.state.data, self._codec), None
        self.handle = self._owner_before = None
        self.base = b""
        self.continued = self.stale_key = self.renewed = self.logged_in = False
        # What is written from here on is another session, which needs a cookie of its own.
        self.refusal = self.refusal or self.cookie_refusal


def fresh(*, now: int, lifetime: Lifetime) -> State:
    """Return the empty state of a session that begins now."""
    return State(created_at=now, refreshed_at=now, ends_at=lifetime.ends_at(now))
