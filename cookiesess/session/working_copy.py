"""A session in the hands of one request: what was loaded, what the request asked for, and what was done about it.

These are three values, and there is no flag beside them. Each is replaced as a whole, by the methods here alone:

- `Loaded` is what a backend found: frozen, since everything else is compared with it. `WorkingCopy.rebase` and
  `restart` put another one in its place when the request goes on after a write, or after ``invalidate()``.
- `Asked` is what no comparison could tell: a login, a new ID, a new idle deadline.
- `Done` is what a backend's ``apply`` returned, until the response has been given its lines.

The content itself is a `State`, and two `Tracked` dicts that know what has changed in it. They are made when something
is first written or handed out, which a request that reads text and numbers never does.
"""

from typing import Any, Final

from cookiesess.session.changes import Tracked
from cookiesess.session.closing import How
from cookiesess.session.csrf import FORM_KEYS, Secrets, form_secrets
from cookiesess.session.decision import READ_AS_EMPTY, Action
from cookiesess.session.lifetime import ABSOLUTE, NAMED_AT, Lifetime
from cookiesess.session.state import CSRF, Origin, State, fresh
from cookiesess.session.steps import HAS_CONTENT, NOTHING_ASKED, NOTHING_DONE, Asked, Done, Line, Loaded, Twin
from cookiesess.tokens.values import ValueCodec

# With these the app sees an empty session. What it writes there before a login does not belong to the login's session.
_LOST: Final = (Origin.REPLACED, Origin.GONE, Origin.UNBOUND)
_LOADED: Final = Origin.LOADED
_NOT_ASKED_FOR: Final = (None, How.PERIODIC)
_LOGIN, _REAUTHENTICATION, _PERIODIC = How.LOGIN, How.REAUTHENTICATION, How.PERIODIC
# A session that ``save()`` has begun in this very request counts as loaded.
_NOTHING_OPENED: Final = (Origin.NONE, Origin.REJECTED, Origin.LOADED)


class WorkingCopy:
    """The working copy between `SessionManager.open` and `commit`.

    Attributes:
        loaded: What a backend found.
        asked: What the request asked for.
        done: What was done, as long as the response does not have it yet, or the request may go on from it.
        state: The content; changed through `data` and `extras`.
        tracked_data: `data`, where somebody has changed something, or was handed what can change; else None.
        tracked_extras: `extras`, where somebody has looked at it; else None.
        codec: Encodes values.
    """

    __slots__ = ("asked", "codec", "done", "loaded", "state", "tracked_data", "tracked_extras")

    # `codec` can be given without its name: to name it would double what it costs to make one of these.
    def __init__(self, loaded: Loaded, state: State, codec: ValueCodec) -> None:
        self.loaded: Loaded = loaded
        self.asked: Asked = NOTHING_ASKED
        self.done: Done = NOTHING_DONE
        self.state: State = state
        self.tracked_data: Tracked | None = None
        self.tracked_extras: Tracked | None = None
        self.codec: ValueCodec = codec

    # What changed

    @property
    def data(self) -> Tracked:
        """The app's values, tracked."""
        if self.tracked_data is None:
            self.tracked_data = Tracked(self.state.data, self.codec)
        return self.tracked_data

    @property
    def extras(self) -> Tracked:
        """Flashes, CSRF secret and settings, tracked."""
        if self.tracked_extras is None:
            self.tracked_extras = Tracked(self.state.extras, self.codec)
        return self.tracked_extras

    @property
    def modified(self) -> bool:
        """Whether anything differs from what was loaded."""
        data, extras = self.tracked_data, self.tracked_extras
        if self.asked.login or (data is not None and data.modified):
            return True
        return extras is not None and extras.modified

    @property
    def only_read(self) -> bool:
        """Whether the app has asked for nothing: neither for a change nor for a new ID."""
        return self.asked.how in _NOT_ASKED_FOR and not self.modified

    @property
    def needs_cookie(self) -> bool:
        """Whether only a Set-Cookie line can keep what the app writes.

        A session with a record needs none. Nor does one that was replaced or is unbound, as its writes are dropped.
        """
        return self.loaded.located is None and self.loaded.origin not in READ_AS_EMPTY

    @property
    def is_strangers(self) -> bool:
        """Whether nobody is logged in, and the request came without a session that opened."""
        return not self.loaded.continued and self.loaded.origin in _NOTHING_OPENED and self.state.owner is None

    @property
    def settles(self) -> bool:
        """Whether the browser is to forget other cookies of the name wherever they stand, since nobody knows where."""
        loaded = self.loaded
        return loaded.settled or loaded.opened is None or (bool(loaded.twins) and self.asked.authenticates)

    @property
    def logged_out(self) -> bool:
        """Whether somebody has logged out in this request, and nobody has logged in since."""
        return self.loaded.opened is None and self.state.owner is None

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
        state.cover_own_end()
        self.ask(_REAUTHENTICATION if self.loaded.owner == owner else _LOGIN, login=True)
        return lost

    def renew(self) -> None:
        """Ask for a new ID, and of a session that is nobody's for a new CSRF secret: a planter knows the old one."""
        if self.state.owner is None:
            self._forget_csrf()
        self.ask(How.RENEWAL)

    def cycle(self) -> None:
        """Ask for a new ID of which the old one knows nothing, as after a login."""
        self._forget_csrf()
        self.ask(_LOGIN)

    def renew_in_time(self, now: int, lifetime: Lifetime) -> None:
        """Ask for a new ID where the present one is old, and nobody else is renewing it at this moment."""
        loaded = self.loaded
        named = loaded.sid is not None if loaded.located is None else not loaded.located.moved
        if loaded.origin is not _LOADED or loaded.closed is not None or not named:
            return
        if self.asked.how is not None or self.asked.passive:
            return
        if lifetime.renewal_due(self.state, now=now):
            self.ask(How.PERIODIC)

    def note_id(self, now: int) -> None:
        """Note that the session gets an ID now. That is no change of the app's, so it is not tracked as one."""
        self.state.extras[NAMED_AT] = now

    def ask(self, how: How, *, login: bool = False, registers: bool = False) -> None:
        """Ask for a new ID, of several reasons for the weightiest; `registers`: also for a key to bind it to."""
        asked = self.asked
        passive, key_too = asked.passive and how is _PERIODIC, registers or asked.registers
        self.asked = Asked(max(how, asked.how or how), asked.login or login, asked.refresh, passive, key_too)

    def _forget_csrf(self) -> None:
        # A token from before was seen by whoever could see the page then.
        if CSRF in self.state.extras:
            self.extras.remove(CSRF)

    def keep_id(self) -> None:
        """Ask for no new ID any more: the session has got its present one in this very request."""
        self.asked = self.asked._replace(how=None)

    @property
    def csrf(self) -> bytes | None:
        """The secret of its CSRF tokens: its own, or that of the session that was replaced, or is unbound."""
        closed = self.loaded.closed
        if closed is not None and self.loaded.origin in READ_AS_EMPTY and not self.asked.authenticates:
            return closed.csrf
        return self.state.extras.get(CSRF)

    @property
    def loaded_secrets(self) -> Secrets:
        """What the forms of the session that was loaded are made of."""
        return Secrets(self.extras.loaded(CSRF)[CSRF], form_secrets(self.data.loaded(*FORM_KEYS)), self.loaded.bound)

    def refresh(self) -> None:
        """Ask for a new idle deadline, whether it is due or not."""
        self.asked = self.asked._replace(refresh=True, passive=False)

    def be_passive(self) -> None:
        """Leave the idle deadline where it is; a login or a new ID in the same request has moved it, or will."""
        if self.asked.how is None and not self.asked.login:
            self.asked = self.asked._replace(passive=True)

    def limit_to(self, seconds: int | None) -> None:
        """Give the session an absolute timeout of its own, or none."""
        state = self.state
        if seconds is not None:
            self.extras.set(ABSOLUTE, seconds)
            state.cover_own_end()
        elif ABSOLUTE in state.extras:
            self.extras.remove(ABSOLUTE)

    def revert(self) -> None:
        """Make the app's values what was loaded."""
        self.state.data = self.data.original()
        self.tracked_data = None

    # What is done about it

    def used_at(self, state: State, *, now: int, idle_seconds: int) -> int:
        """Return from when the idle timeout counts after a write of `state`; it ends no session that is being used."""
        return max(state.refreshed_at, now + 1 - idle_seconds) if self.asked.passive else now

    def identify(self, sid: bytes) -> None:
        """Give the session an ID of its own, by which it can be revoked."""
        self.state.sid = sid

    def adopt(self, merged: State) -> None:
        """Take what `cookiesess.session.merging` has returned, and the store has by now, as the session's content."""
        if merged is self.state:
            return
        self.data.adopt(merged.data)
        self.state, self.tracked_extras = merged, None

    def record(self, done: Done) -> None:
        """Remember what was done, until the response has the Set-Cookie line that belongs to it."""
        self.done = done if self.done is NOTHING_DONE else done.after(self.done)

    def rebase(self, *, now: int, lifetime: Lifetime, keep_line: bool = False) -> None:
        """Take what was done as what was loaded, since the request goes on; `keep_line`: its line is still owed."""
        done, loaded = self.done, self.loaded
        if done.action is Action.DELETE:
            self.restart(now=now, lifetime=lifetime, line=done.line)
            self.loaded = self.loaded._replace(opened=loaded.opened, settled=True)  # nobody has logged out
        else:
            for tracked in (self.tracked_data, self.tracked_extras):
                if tracked is not None:
                    tracked.rebase()
            if done.action in HAS_CONTENT:
                state, settled = self.state, keep_line and self.settles
                # `_replace`, spelled out, which takes twice as long; what is left out is as by default.
                self.loaded = Loaded(
                    _LOADED,
                    state.owner,
                    done.located,
                    header=loaded.header,
                    base=loaded.base,
                    sid=state.sid,
                    until_at=lifetime.remembered_until(state),
                    continued=loaded.continued,
                    twins=() if self.asked.authenticates else loaded.twins,
                    dropped=loaded.dropped,
                    opened=loaded.opened if keep_line else (),
                    settled=settled,
                    key=loaded.key or (b"" if loaded.located is None else loaded.located.key),
                    binding=None if loaded.origin is Origin.UNBOUND else loaded.binding,
                )
            if self.asked is not NOTHING_ASKED and (done.action in HAS_CONTENT or not keep_line):
                # Once the headers are out, nobody could be told of a new ID.
                self.asked = Asked(passive=self.asked.passive, registers=self.asked.registers)
        self.done = NOTHING_DONE._replace(line=done.line, plaintext=done.plaintext) if keep_line else NOTHING_DONE

    def pair(self, twins: tuple[Twin, ...]) -> None:
        """Note what else the request's cookies hold; a login closes them as well, a logout ends them."""
        self.loaded = self.loaded._replace(twins=twins)
        for twin in twins:
            self.also_opened(*twin.loaded.opened or ())

    def also_opened(self, *names: str) -> None:
        """Note further cookies in which something opened."""
        self.loaded = self.loaded._replace(opened=tuple({*(self.loaded.opened or ()), *names}))

    def note(self, **found: Any) -> None:
        """Note what has been learnt since of what was loaded, by the names of `Loaded`."""
        self.loaded = self.loaded._replace(**found)

    def drop(self) -> bool:
        """Have nothing of the session be written from now on; return False where that was so already."""
        is_new, origin = not self.loaded.dropped, self.loaded.origin
        self.loaded = self.loaded._replace(origin=origin if origin in READ_AS_EMPTY else Origin.REPLACED, dropped=True)
        return is_new

    def restart(self, *, now: int, lifetime: Lifetime, line: Line = Line.EXPIRE) -> None:
        """Become an empty session, as after ``invalidate()``; the browser's cookie goes, if `line` says so."""
        origin = Origin.NONE if self.loaded.origin is Origin.NONE or line is Line.NOTHING else Origin.ENDED
        opened = () if origin is Origin.NONE else None
        self.loaded = Loaded(origin, header=self.loaded.header, dropped=self.loaded.dropped, opened=opened)
        self.asked, self.done = NOTHING_ASKED, NOTHING_DONE
        self._empty(now=now, lifetime=lifetime)

    def _empty(self, *, now: int, lifetime: Lifetime) -> None:
        self.state = fresh(now=now, lifetime=lifetime)
        self.tracked_data = self.tracked_extras = None
