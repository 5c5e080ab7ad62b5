"""What a manager does to sessions, with one set of keys: open, decide, commit, end."""

from collections.abc import Callable
from typing import Final, cast

from cookiesess.backends.base import Backend
from cookiesess.errors import RecordTooLarge
from cookiesess.events import (
    Event,
    SessionEnded,
    SessionWithheld,
    TouchedLate,
    WriteDropped,
)
from cookiesess.http.arrival import Arrival
from cookiesess.http.headers import READ, UNTOUCHED, Commit, SetCookie
from cookiesess.http.jar import Cookies
from cookiesess.manager.assembly import Assembly
from cookiesess.manager.settings import Configuration
from cookiesess.session.binding import BINDING_ID_BYTES
from cookiesess.session.context import Load
from cookiesess.session.decision import Action, decide
from cookiesess.session.effect import offer, take_effect
from cookiesess.session.gate import Stage, refusal
from cookiesess.session.lifetime import Lifetime
from cookiesess.session.session import Session
from cookiesess.session.state import Origin, largest_keys
from cookiesess.session.steps import HAS_CONTENT, NOTHING_DONE, Line
from cookiesess.session.working_copy import WorkingCopy
from cookiesess.tokens.values import ValueCodec


class Operations:
    """Opens, decides and commits, with one set of keys; it is the `SessionContext` of its sessions. Thread-safe.

    A manager whose keys change makes another one. A request goes on with the one that its session was opened with, so
    that it never meets two sets of keys.

    Args:
        parts: What it works with.
        settings: The manager's.

    Attributes:
        parts: The same.
        lifetime: The timeouts.
        codec: Encodes values.
        clock: Returns Unix seconds.
        random_bytes: Returns bytes that nobody can guess.
        load: Opens what a Cookie header carries.
    """

    def __init__(self, parts: Assembly, settings: Configuration) -> None:
        self.parts: Assembly = parts
        self._backend: Backend = parts.backend
        self._bound = parts.bound
        self._envelope = parts.envelope
        self._emit = parts.emit
        self._cookie = settings.cookie
        self._withholding = settings.cookie.withholds
        self.lifetime: Lifetime = settings.lifetime
        self.codec: ValueCodec = parts.codec
        self.clock: Callable[[], float] = settings.clock
        self.random_bytes: Callable[[int], bytes] = settings.random_bytes
        self.load: Load = parts.backend.load

    def commit(self, session: Session, cookies: Cookies | None, arrival: Arrival) -> Commit:
        """As `SessionManager.commit`."""
        working = session._working
        if working is None:
            session._stage = _OVER
            lines = () if cookies is None else cookies.commit()
            if not lines and (cookies is None or not cookies.touched):
                return UNTOUCHED
            return Commit(lines, vary=cookies is not None and cookies.touched)
        withheld = not working.loaded.continued and self._withholds(working, arrival)
        lines = () if withheld else self._commit(working, arrival)
        session._stage = _OVER
        done, origin, clears = working.done, working.loaded.origin, ""
        if lines and self._cookie.clear_on_logout and session._logged_out:
            clears = self._cookie.clear_site_data(begun=done.line is not _EXPIRE)
        registers = ""
        if self._bound is not None:
            more, registers = self._bound.answer(working, arrival, now=self._now())
            lines += more
        if cookies is not None:
            lines += cookies.commit()
        if origin is _LOADED and done is NOTHING_DONE and not lines:
            return READ  # what most requests come to, and no object is made for it
        return Commit(lines, True, done.action not in _NOT_WRITTEN, withheld, origin in _SOMEBODYS, clears, registers)

    def commit_loaded(self, working: WorkingCopy, *, arrival: Arrival) -> Commit:
        """As `commit`, for what a backend has loaded without a session."""
        session = Session(self, working.loaded.header)
        session._working = working
        return self.commit(session, None, arrival=arrival)

    def stream(self, session: Session) -> None:
        """As `SessionManager.stream`."""
        self._go_on(session, _STREAMING)

    def reopen(self, session: Session) -> None:
        """As `SessionManager.reopen`."""
        self._go_on(session, _OPEN)

    def abandon(self, session: Session, cookies: Cookies | None = None) -> None:
        """As `SessionManager.abandon`."""
        session._stage = _ABANDONED
        if cookies is not None:
            cookies.commit()

    def close(self, session: Session) -> None:
        """As `SessionManager.close`."""
        stage, working = session._stage, session._working
        if stage is _ABANDONED:
            return
        session._stage = _OVER
        if working is None:
            return
        refused = refusal(stage, working.loaded.origin, needs_cookie=working.needs_cookie)
        if refused is None:
            now = self._now()
            self._say(self._carry_out(self._decide(working, now), working, now))
        elif working.modified:
            raise refused()

    # Behind the session

    def _now(self) -> int:
        return int(self.clock())

    def save(self, working: WorkingCopy) -> None:
        """Check that the cookie would fit, and write what can be written now."""
        now = self._now()
        if self._backend.writes_now(working):
            event = self._carry_out(self._decide(working, now), working, now)
            working.rebase(now=now, lifetime=self.lifetime, keep_line=True)
            self._say(event)
        elif self._decide(working, now) in HAS_CONTENT:
            self._backend.check(working, now=now)

    def end(self, working: WorkingCopy) -> None:
        """End the session at once, under every ID that leads on."""
        origin = working.loaded.origin
        ended = origin is _FOREIGN
        if origin in _CAN_END or working.loaded.twins:
            ended = self._backend.end(working, now=self._now()) or ended
        if ended:
            self._emit(SessionEnded(emptied=False))

    def lost(self, working: WorkingCopy) -> None:
        """Emit that what a request wrote before a login is lost, because its session had ended when it came."""
        self._emit(WriteDropped(_LOST_BECAUSE.get(working.loaded.origin, "ended")))

    def logged_in(self, working: WorkingCopy) -> None:
        """Where sessions are bound to devices, have this one be bound, or stay so."""
        if self._bound is not None:
            offer(working, self.random_bytes(BINDING_ID_BYTES))

    def admit(self, owner: str, working: WorkingCopy) -> None:
        """Raise where an owner may not log in to one more session."""
        self._backend.admit(owner, working, now=self._now())

    def touched_late(self, stage: Stage) -> None:
        """Emit that the headers went out without ``Vary: Cookie``, so that a cache may mix up visitors."""
        if stage is not _ABANDONED:
            self._emit(TouchedLate())

    def _go_on(self, session: Session, stage: Stage) -> None:
        session._stage = stage
        if session._working is not None:
            session._working.rebase(now=self._now(), lifetime=self.lifetime)

    def _commit(self, working: WorkingCopy, arrival: Arrival) -> tuple[SetCookie, ...]:
        now = int(self.clock())
        if self._bound is not None:
            take_effect(working, now)
        if self.lifetime.renew_seconds is not None:
            working.renew_in_time(now, self.lifetime)
        action = self._decide(working, now)
        event = None if action is _NOTHING else self._carry_out(action, working, now)
        done = working.done
        lines: tuple[SetCookie, ...] = ()
        if done.line is not _NO_LINE:
            loaded = working.loaded
            lines = self._envelope.answer(
                done,
                working.state,
                now=now,
                arrival=arrival,
                header=loaded.header,
                opened=loaded.opened,
                everywhere=working.settles,
            )
        if event is not None:
            self._emit(event)  # now that nothing can keep it from being sent
        return lines

    def _withholds(self, working: WorkingCopy, arrival: Arrival) -> bool:
        """Whether an anonymous session is not to be issued, because another site's page sent this POST."""
        if not (self._withholding and arrival.cross_site_post() and working.is_strangers):
            return False
        withheld = working.done.line is not _NO_LINE or self._decide(working, self._now()) is _CREATE
        if withheld:
            if working.loaded.located is not None:
                self._backend.end(working, now=self._now())  # save() has written it, and nobody gets its ID
            working.drop()  # what the body writes is part of it
            self._emit(SessionWithheld())
        return withheld

    def _decide(self, working: WorkingCopy, now: int) -> Action:
        asked, loaded, state = working.asked, working.loaded, working.state
        modified = working.modified
        refresh_due = (
            not modified and not asked.passive and (asked.refresh or self.lifetime.refresh_due(state, now=now))
        )
        if loaded.origin is _LOADED and asked.how is None:
            # The table's rows for what most requests are; a test has both agree.
            if not (modified or refresh_due):
                return _NOTHING
            if modified and state.data:
                return _UPDATE
        empty = not state.data and state.empty
        return decide(
            loaded.origin,
            empty=empty,
            modified=modified,
            renewed=asked.how is not None,
            login=asked.how is not None and asked.authenticates and not empty,
            refresh_due=refresh_due,
            stale_key=loaded.stale_key,
        )

    def _carry_out(self, action: Action, working: WorkingCopy, now: int) -> Event | None:
        """Have done what was decided; return the event that says so."""
        if action is _NOTHING:
            return None
        if action is _MOVE and self.lifetime.renew_seconds is not None:
            working.note_id(now)
        login = working.asked.login
        try:
            done = self._backend.apply(action, working, now=now)
        except RecordTooLarge as error:
            raise error.naming(largest_keys(working.state, self.codec)) from error.__cause__
        working.record(done)
        if done.action is _UPDATE:
            return None
        if done.action is _DROP and not working.drop():
            return None  # this request has said before that its writes are lost
        return done.event(login=login)

    def _say(self, event: Event | None) -> None:
        if event is not None:
            self._emit(event)


def operations_of(session: Session) -> Operations:
    """Return what a session was opened with."""
    return cast("Operations", session._context)


_OPEN, _STREAMING, _OVER, _ABANDONED = Stage.OPEN, Stage.STREAMING, Stage.OVER, Stage.ABANDONED
_LOADED, _FOREIGN = Origin.LOADED, Origin.FOREIGN
_NO_LINE, _EXPIRE = Line.NOTHING, Line.EXPIRE
_NOTHING, _CREATE, _UPDATE = Action.NOTHING, Action.CREATE, Action.UPDATE
_MOVE, _DROP = Action.MOVE, Action.DROP
# What was replaced may lead on to a session that a logout ends with it; what another library wrote may be in its store.
_CAN_END: Final = (Origin.LOADED, Origin.REPLACED, Origin.FOREIGN)
_LOST_BECAUSE: Final = {Origin.REPLACED: "replaced", Origin.UNBOUND: "unbound"}
# The response to a request that came with one of these may show something of it.
_SOMEBODYS: Final = (Origin.LOADED, Origin.FOREIGN, Origin.REPLACED, Origin.ENDED, Origin.UNBOUND)
_NOT_WRITTEN: Final = (Action.NOTHING, Action.EXPIRE, Action.DROP)
