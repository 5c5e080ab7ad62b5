"""A session in the hands of one request: what was loaded, what the request asked for, and what was done about it.

These are three values, and there is no flag beside them. Each is replaced as a whole, by the methods here alone:

- `Loaded` is what a backend found: frozen, since everything else is compared with it. `WorkingCopy.rebase` and
  `restart` put another one in its place when the request goes on after a write, or after ``invalidate()``.
- `Asked` is what no comparison could tell: a login, a new ID, a new idle deadline.
- `Done` is what a backend's ``apply`` returned, until the response has been given its lines.

The content itself is a `State`, and two `Tracked` dicts that know what has changed in it. They are made when something
is first written or handed out, which a request that reads text and numbers never does.
"""

from dataclasses import replace
from typing import Any, Final

from cookiesess.session import flash
from cookiesess.session.changes import ABSENT, Tracked, replay
from cookiesess.session.closing import How
from cookiesess.session.decision import Action
from cookiesess.session.lifetime import NAMED_AT, Lifetime
from cookiesess.session.state import CSRF, EPOCH, FLASHES, GENERATION, Origin, State
from cookiesess.session.steps import HAS_CONTENT, NOTHING_ASKED, NOTHING_DONE, Asked, Done, Loaded
from cookiesess.tokens.values import ValueCodec

# Of these the request read nothing, so what it writes before a login is not part of what the login begins.
_LOST: Final = (Origin.REPLACED, Origin.GONE)
_LOADED: Final = Origin.LOADED
# A session that ``save()`` has begun in this very request counts as loaded.
_NOTHING_OPENED: Final = (Origin.NONE, Origin.REJECTED, Origin.LOADED)


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

    @property
    def is_strangers(self) -> bool:
        """Whether it belongs to nobody and no session came with the request, so that it began here if at all."""
        return not self.loaded.continued and self.loaded.origin in _NOTHING_OPENED and self.state.owner is None

    # What the request asks for

    def login(self, owner: str, *, now: int, lifetime: Lifetime) -> bool:
        """Make it `owner`'s. What belonged to another owner must not be shown to this one, so it is dropped.

        Returns:
            True where something is lost: what the request had written before, into a session that had ended or was
            replaced when it came.
        """
        lost = self.loaded.origin in _LOST and self.modified
        if self.loaded.origin in _LOST:
            self._empty(now=now, lifetime=lifetime)
        state = self.state
        if state.owner not in {None, owner}:
            for tracked in (self.data, self.extras):
                for key in list(tracked.data):
                    tracked.remove(key)
        self._forget_csrf()
        state.owner = owner
        state.authenticated_at = now
        state.ends_at = lifetime.ends_at(now)
        again = self.loaded.owner == owner
        self.asked = self.asked._replace(how=How.REAUTHENTICATION if again else How.LOGIN, login=True)
        return lost

    def renew(self) -> None:
        """Ask for a new ID, and of a session that is nobody's for a new CSRF secret: a planter knows the old one."""
        if self.state.owner is None:
            self._forget_csrf()
        self._ask(How.RENEWAL)

    def cycle(self) -> None:
        """Ask for a new ID of which the old one knows nothing, as after a login."""
        self._forget_csrf()
        self._ask(How.LOGIN)

    def renew_in_time(self, now: int, lifetime: Lifetime) -> None:
        """Ask for a new ID where the present one is old, and nobody else is renewing it at this moment."""
        loaded = self.loaded
        named = loaded.sid is not None if loaded.located is None else not loaded.located.moved
        if loaded.origin is not _LOADED or loaded.closed is not None or self.asked.how is not None or not named:
            return
        if lifetime.renewal_due(self.state, now=now):
            self.extras.set(NAMED_AT, now)
            self._ask(How.PERIODIC)

    def _ask(self, how: How) -> None:
        self.asked = self.asked._replace(how=max(how, self.asked.how or how))

    def _forget_csrf(self) -> None:
        # A token from before was seen by whoever could see the page then.
        if CSRF in self.state.extras:
            self.extras.remove(CSRF)

    def keep_id(self) -> None:
        """Take the wish for a new ID back: the present one was made in this very request."""
        self.asked = self.asked._replace(how=None)

    @property
    def csrf(self) -> bytes | None:
        """The secret that its CSRF tokens are made of: its own, or that of the session that was replaced."""
        closed = self.loaded.closed
        if closed is not None and self.loaded.origin is Origin.REPLACED and not self.asked.login:
            return closed.csrf
        return self.state.extras.get(CSRF)

    @property
    def loaded_csrf(self) -> bytes | None:
        """The secret that was loaded."""
        tracked = self.tracked_extras
        if tracked is not None and CSRF in tracked.changes():
            before: bytes | None = tracked.before(CSRF)
            return before
        return self.state.extras.get(CSRF)

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
        if self.asked.how is not None:
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

    def own(self) -> State:
        """Return what this request has set itself, without what was loaded.

        Whose it is counts only where this request has logged them in: else a session that was ended would live on.
        """
        state, extras = self.state, {key: value for key, value in self.extras.changes().items() if value is not ABSENT}
        if FLASHES in extras:
            base = self.extras.before(FLASHES) or []
            extras[FLASHES] = flash.merge(base, extras[FLASHES], [], encode=self._codec.pack)
        # By what it can be ended. They are written at each login, also where they are what they were.
        extras |= {key: state.extras[key] for key in (GENERATION, EPOCH) if key in state.extras}
        own = replace(state, data=self.data.assigned(), extras=extras)
        if not self.asked.login:
            own.owner = own.authenticated_at = None
        return own

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
            self.restart(now=now, lifetime=lifetime)
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
                    until_at=lifetime.absolute_deadline(state),
                    closed=None,
                    twins=(),
                )
        self.done = NOTHING_DONE._replace(line=done.line, plaintext=done.plaintext) if keep_line else NOTHING_DONE

    def pair(self, twins: "tuple[WorkingCopy, ...]") -> None:
        """Note what else the request's cookies hold; a login closes them as well, a logout ends them."""
        self.loaded = self.loaded._replace(twins=twins)

    def drop(self) -> bool:
        """Have nothing of it be written any more; return whether that is new."""
        is_new = not self.loaded.dropped
        self.loaded = self.loaded._replace(origin=Origin.REPLACED, dropped=True)
        return is_new

    def restart(self, *, now: int, lifetime: Lifetime) -> None:
        """Become an empty session, as after ``invalidate()``; the browser's cookie goes, if it sent one."""
        origin = Origin.NONE if self.loaded.origin is Origin.NONE else Origin.ENDED
        self.loaded = Loaded(origin, header=self.loaded.header, dropped=self.loaded.dropped)
        self.asked, self.done = NOTHING_ASKED, NOTHING_DONE
        self._empty(now=now, lifetime=lifetime)

    def _empty(self, *, now: int, lifetime: Lifetime) -> None:
        self.state = fresh(now=now, lifetime=lifetime)
        self._data = self.tracked_extras = None


def fresh(*, now: int, lifetime: Lifetime) -> State:
    """Return the empty state of a session that begins now."""
    return State(created_at=now, refreshed_at=now, ends_at=lifetime.ends_at(now))
