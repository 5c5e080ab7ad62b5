"""The manager: cookies and the time in, a session out; a session in, Set-Cookie lines out. No WSGI here."""

from collections.abc import Callable
from typing import Final, TypeVar, Unpack, overload

from cookiesess.errors import RecordTooLarge, without_locals
from cookiesess.events import (
    Event,
    SessionEnded,
    SessionWithheld,
    TouchedLate,
    WeakKey,
    WriteDropped,
)
from cookiesess.events.base import Emitter
from cookiesess.http.arrival import HTTPS_ARRIVAL, Arrival
from cookiesess.http.headers import READ, UNTOUCHED, Commit, SetCookie
from cookiesess.http.jar import Cookies, JarContext, https
from cookiesess.http.policy import CookiePolicy, Transport
from cookiesess.manager.assembly import assemble
from cookiesess.manager.names import check_names
from cookiesess.manager.opened import OpenedStores
from cookiesess.manager.owned import OwnedSessions
from cookiesess.manager.settings import Settings
from cookiesess.session.context import SessionContext
from cookiesess.session.decision import Action, decide
from cookiesess.session.gate import Stage, refusal
from cookiesess.session.session import Session
from cookiesess.session.state import Origin, largest_keys
from cookiesess.session.steps import HAS_CONTENT, NOTHING_DONE, Line
from cookiesess.session.working_copy import WorkingCopy
from cookiesess.tokens.keys import Key, Keyring

S = TypeVar("S", bound=Session)


class SessionManager(OwnedSessions):
    """Opens and commits sessions, for any framework. Thread-safe; one for each app.

    Args:
        keys: A `Keyring`; bytes (one key, verbatim); or text, which is parsed as `Keyring.parse` does.
        store: Keeps the sessions on the server, behind an ID in the cookie: a `Store`, or its URL as `open_store` takes
            it. None (the default): they travel in the cookie itself. What was opened by URL, here and in the next two,
            is closed with the manager; equal URLs are one store.
        overflow: Takes the client-side sessions that outgrow their cookie. A session stays there until logout or the
            next login, and the app's code does not change. None by default: `CookieTooLarge` instead.
        revocations: Remembers the client-side sessions that have been ended, until no copy of their cookies would open
            any more: `Session.invalidate`, `Session.login`, `Session.renew` and `end_all` then end the copies too. One
            read for each request that touches its session, and one more for each that writes it. A store that evicts is
            refused, and a `lifetime` without an absolute timeout. None by default: a copy of a cookie works until it
            times out.
        revocation_cache_seconds: For how long a process remembers what it has read there, instead of asking again.
            With 5, most requests cost no I/O, and an ended session may go on for five seconds in other processes. 0
            (the default): each request asks.
        on_lost_revocations: What becomes of sessions from before the store of revocations was emptied, or replaced by
            another one: ``"log_out"`` (the default): they are gone, with an event; or ``"go_on"``: they go on, with
            the event, and sessions that had ended go on with them. After a backup was restored, run ``python -m
            cookiesess revocations renew-epoch``, since such a store looks as if it had lost nothing.
        accept: Readers of other libraries' cookies (`cookiesess.readers`), asked in order where no session of ours
            came; what they open is written in our format at the next change or refresh. None of them by default.
            Nothing ends a copy of such a cookie before its time.
        cookie: The session cookie's name and attributes, and how large it may become; by default ``CookiePolicy()``.
        lifetime: The timeouts; by default ``Lifetime()``, 14 days idle and 30 days absolute.
        on_store_error: When a store is down at the first touch: ``"raise"`` `StoreUnavailable` (the default); or
            ``"anonymous"``: an empty session that cannot be written, for requests that can do without. Never an
            authenticated one.
        max_record_bytes: How large a session in a store may be, in bytes as it is encoded; beyond it a write raises
            `RecordTooLarge`, which names the largest keys. 1,048,576 by default (1 MiB), since every request reads
            all of it.
        max_sessions_per_owner: The most sessions that `Session.login` leaves an owner, from 1; 500 by default, where
            the store can count them (Memcached cannot); None: any number. It may be exceeded for a moment. Server-side
            only.
        on_owner_limit: What a login beyond that does. ``"end_oldest"`` (the default) ends the one that has been idle
            for longest. ``"refuse"``, with a limit of your own, raises `TooManySessions`: somebody who holds that many
            sessions of a user, a thief too, then locks the user out until they end.
        encrypt: True (the default): sealed, nobody but the server can read the session. False: signed only, and whoever
            holds the cookie can read it.
        compress: Whether client-side sessions are compressed where that makes the cookie shorter; False by default.
            Dangerous where secrets and text that others choose are in one session: its length tells of both (CRIME).
        types: Types of the app's own that sessions may carry; none by default.
        on_event: Called with each event, or None (the default); what it raises is logged and goes no further.
        clock: Returns Unix seconds, by default `time.time`; another one is for tests.
        random_bytes: Returns that many bytes that nobody can guess, by default `os.urandom`; another one is for tests.
            Predictable ones make sessions guessable.
        sleep: Waits for so many seconds, by default `time.sleep`: milliseconds, where more than two other requests in a
            row were faster in changing the same session. Another one is for tests.

    Attributes:
        cookie: The session cookie's policy.
        context: The functions that its sessions call; for adapters.
        jars: What its jars of plain cookies share; for adapters.
        emit: Hands an event to the logger and to ``on_event``.
        unshared: A store is in this process's memory, and nobody has been warned yet that the server runs several.

    Raises:
        ConfigurationError: A setting that is wrong or contradicts another, said when the manager is built.
    """

    @without_locals
    def __init__(self, keys: Keyring | Key | bytes | str, **settings: Unpack[Settings]) -> None:
        check_names("SessionManager(keys", settings)
        self._opened = OpenedStores(settings)
        configuration = self._opened.configuration
        keyring = Keyring.of(keys)
        parts = assemble(keyring, configuration)
        self._backend, self._envelope = parts.backend, parts.envelope
        self.jars: JarContext = parts.jars
        self.emit: Emitter = parts.emit
        super().__init__(parts.backend, owners=parts.owners, revoking=parts.revoking, now=self._now)
        self.cookie: CookiePolicy = configuration.cookie
        self._withholding = configuration.cookie.withholds
        self._lifetime = configuration.lifetime
        self._clock = configuration.clock
        stores = (configuration.store, configuration.overflow, configuration.revocations)
        self.unshared: bool = any(store is not None and store.serves_one_process for store in stores)
        self.context: SessionContext = SessionContext(
            lifetime=configuration.lifetime,
            codec=parts.codec,
            clock=configuration.clock,
            random_bytes=configuration.random_bytes,
            load=parts.backend.load,
            save=self._save,
            end=self._end,
            lost=self._lost,
            admit=self._admit,
            touched_late=self._touched_late,
        )
        for key in keyring.keys:
            if key.weakness:
                self.emit(WeakKey(key.kid.hex(), key.weakness))

    def __repr__(self) -> str:
        return f"<SessionManager, cookie {self.cookie.name!r}>"

    def close_stores(self) -> None:
        """Close the stores that this manager has opened by URL; the end of the process does so too."""
        self._opened.close()

    # Requests

    @overload
    def open(self, cookie_header: str) -> Session: ...
    @overload
    def open(self, cookie_header: str, session_class: type[S]) -> S: ...
    def open(self, cookie_header: str, session_class: type[Session] = Session) -> Session:
        """Return the session of a request whose Cookie header is `cookie_header` (``""`` if it has none).

        Nothing is read before the session is first touched. An adapter gives its framework's own `session_class`.
        """
        return session_class(self.context, cookie_header)

    def jar(self, cookie_header: str, *, transport: Callable[[], Transport] = https) -> Cookies:
        """Return the jar of the same request."""
        return Cookies(self.jars, cookie_header, transport=transport)

    def commit(self, session: Session, cookies: Cookies | None = None, *, arrival: Arrival = HTTPS_ARRIVAL) -> Commit:
        """Decide what becomes of the session, do it, and return what the response needs.

        Changes after this are refused, unless `stream` or `reopen` is called.

        Raises:
            CookieTooLarge, RecordTooLarge: The session does not fit; nothing was sent, so an error page still can be.
            NotSerializable: A nested value cannot be stored.
            StoreUnavailable: The store did not answer, and something had changed. It may have been written or not.
            SessionConflict: Other requests changed the same session again and again.
        """
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
        if lines and self.cookie.clear_on_logout and session._logged_out:
            clears = self.cookie.clear_site_data(begun=done.line is not _EXPIRE)
        if cookies is not None:
            lines += cookies.commit()
        if origin is _LOADED and done is NOTHING_DONE and not lines:
            return READ  # what most requests come to, and no object is made for it
        return Commit(lines, True, done.action not in _NOT_WRITTEN, withheld, origin in _SOMEBODYS, clears)

    def stream(self, session: Session) -> None:
        """After `commit`, where the body is still being produced: what follows is saved by `close`, or refused."""
        self._go_on(session, _STREAMING)

    def reopen(self, session: Session) -> None:
        """After `commit`, where the response is not sent yet: the session is open again, and needs another commit."""
        self._go_on(session, _OPEN)

    def abandon(self, session: Session, cookies: Cookies | None = None) -> None:
        """Instead of `commit`, where the app failed: save nothing."""
        session._stage = _ABANDONED
        if cookies is not None:
            cookies.commit()

    def forget(self, session: Session) -> None:
        """Treat a session as untouched again, where only the adapter has looked at it, and not the app."""
        session._working = None

    def close(self, session: Session) -> None:
        """After the body: save what was changed since `stream`; after `abandon` nothing.

        Raises:
            SessionCommitted: A nested value was changed that only a cookie could have carried.
            NotSerializable, StoreUnavailable, SessionConflict: As `commit`.
        """
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
        return int(self._clock())

    def _save(self, working: WorkingCopy) -> None:
        """Check that the cookie would fit, and write what can be written now."""
        now = self._now()
        if self._backend.writes_now(working):
            event = self._carry_out(self._decide(working, now), working, now)
            working.rebase(now=now, lifetime=self._lifetime, keep_line=True)
            self._say(event)
        elif self._decide(working, now) in HAS_CONTENT:
            self._backend.check(working, now=now)

    def _end(self, working: WorkingCopy) -> None:
        """End the session at once, under every ID that leads on."""
        origin = working.loaded.origin
        ended = origin is _FOREIGN
        if origin in _CAN_END or working.loaded.twins:
            ended = self._backend.end(working, now=self._now()) or ended
        if ended:
            self.emit(SessionEnded(emptied=False))

    def _lost(self, working: WorkingCopy) -> None:
        self.emit(WriteDropped("replaced" if working.loaded.origin is _REPLACED else "ended"))

    def _admit(self, owner: str, working: WorkingCopy) -> None:
        self._backend.admit(owner, working, now=self._now())

    def _touched_late(self, stage: Stage) -> None:
        """Emit that the headers went out without ``Vary: Cookie``, so that a cache may mix up visitors."""
        if stage is not _ABANDONED:
            self.emit(TouchedLate())

    def _go_on(self, session: Session, stage: Stage) -> None:
        session._stage = stage
        if session._working is not None:
            session._working.rebase(now=self._now(), lifetime=self._lifetime)

    def _commit(self, working: WorkingCopy, arrival: Arrival) -> tuple[SetCookie, ...]:
        now = int(self._clock())
        if self._lifetime.renew_seconds is not None:
            working.renew_in_time(now, self._lifetime)
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
            self.emit(event)  # now that nothing can keep it from being sent
        return lines

    def _withholds(self, working: WorkingCopy, arrival: Arrival) -> bool:
        """Whether an anonymous session is not to be issued, because another site's page sent this POST."""
        if not (self._withholding and working.is_strangers and arrival.cross_site_post()):
            return False
        withheld = working.done.line is not _NO_LINE or self._decide(working, self._now()) is _CREATE
        if withheld:
            if working.loaded.located is not None:
                self._backend.end(working, now=self._now())  # save() has written it, and nobody gets its ID
            working.drop()  # what the body writes is part of it
            self.emit(SessionWithheld())
        return withheld

    def _decide(self, working: WorkingCopy, now: int) -> Action:
        asked, loaded, state = working.asked, working.loaded, working.state
        modified = working.modified
        refresh_due = (
            not modified and not asked.passive and (asked.refresh or self._lifetime.refresh_due(state, now=now))
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
        if action is _MOVE and self._lifetime.renew_seconds is not None:
            working.note_id(now)
        login = working.asked.login
        try:
            done = self._backend.apply(action, working, now=now)
        except RecordTooLarge as error:
            raise error.naming(largest_keys(working.state, self.context.codec)) from error.__cause__
        working.record(done)
        if done.action is _UPDATE:
            return None
        if done.action is _DROP and not working.drop():
            return None  # this request has said before that its writes are lost
        return done.event(login=login)

    def _say(self, event: Event | None) -> None:
        if event is not None:
            self.emit(event)


_OPEN, _STREAMING, _OVER, _ABANDONED = Stage.OPEN, Stage.STREAMING, Stage.OVER, Stage.ABANDONED
_LOADED, _FOREIGN, _REPLACED, _ENDED = Origin.LOADED, Origin.FOREIGN, Origin.REPLACED, Origin.ENDED
_NO_LINE, _EXPIRE = Line.NOTHING, Line.EXPIRE
_NOTHING, _CREATE, _UPDATE = Action.NOTHING, Action.CREATE, Action.UPDATE
_MOVE, _DROP = Action.MOVE, Action.DROP
# What was replaced may lead on to a session that a logout ends with it.
_CAN_END: Final = (Origin.LOADED, Origin.REPLACED)
# The response to a request that came with one of these may show something of it.
_SOMEBODYS: Final = (Origin.LOADED, Origin.FOREIGN, Origin.REPLACED, Origin.ENDED)
_NOT_WRITTEN: Final = (Action.NOTHING, Action.EXPIRE, Action.DROP)
