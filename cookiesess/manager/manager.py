"""The manager: cookies and the time in, a session out; a session in, Set-Cookie lines out. No WSGI here."""

from typing import TypeVar, Unpack, overload

from cookiesess.errors import without_locals
from cookiesess.events import NoAbsoluteEnd, WeakKey
from cookiesess.events.base import Emitter
from cookiesess.http.arrival import HTTPS_ARRIVAL, Arrival
from cookiesess.http.headers import Commit
from cookiesess.http.jar import Cookies
from cookiesess.http.policy import CookiePolicy
from cookiesess.manager.assembly import assemble
from cookiesess.manager.beaker_names import options_in
from cookiesess.manager.names import check_names
from cookiesess.manager.opened import OpenedStores
from cookiesess.manager.operations import Operations, operations_of
from cookiesess.manager.owned import OwnedSessions
from cookiesess.manager.settings import Settings
from cookiesess.manager.watched_keys import WatchedKeys
from cookiesess.session.session import Session
from cookiesess.tokens.keys import Key, Keyring

S = TypeVar("S", bound=Session)


class SessionManager(OwnedSessions):
    """Opens and commits sessions, for any framework. Thread-safe; one for each app.

    Args:
        keys: A `Keyring`; bytes (one key, verbatim); or text, which is parsed as `Keyring.parse` does.
        store: Where sessions are kept on the server; the cookie then holds only an ID. A `Store`, or its URL as
            `open_store` takes it. None (the default): the whole session travels in the cookie. The manager closes the
            stores that it has opened by URL, here and in the next two settings; equal URLs are one store.
        overflow: Takes the client-side sessions that outgrow their cookie. A session stays there until logout or the
            next login, and the app's code does not change. None by default: `CookieTooLarge` instead.
        revocations: A store that remembers which client-side sessions have ended. With it, `Session.invalidate`,
            `Session.login`, `Session.renew` and `end_all` also end all copies of the cookie. It costs one read for each
            request that touches its session, and one more for each that writes it. It needs a store that drops nothing
            by itself, and a `lifetime` with an absolute timeout. None by default: a copy of a cookie works until it
            times out, even after a logout.
        revocation_cache_seconds: For how long a process remembers what it has read there, instead of asking again.
            With 5, most requests cost no I/O, and an ended session may go on for five seconds in other processes. 0
            (the default): each request asks.
        on_lost_revocations: What to do when the store of revocations was emptied or replaced, so that nobody knows any
            more which older sessions had ended. ``"log_out"`` (the default): all older sessions end, with an event.
            ``"go_on"``: all of them go on, with the event, even those whose users had logged out. After a backup was
            restored, run ``python -m cookiesess revocations renew-epoch``: a restored store does not know that it has
            lost anything.
        binding: Binds each login's session to the device that it was made on, where the browser can do that: a
            `DeviceBinding`, with ``store=`` or ``revocations=``. A copy of the cookies is then worth nothing after a
            few minutes. None by default: a copy works until it times out, or is ended.
        accept: Readers of other libraries' sessions (`cookiesess.readers`), for visitors who come with such a session
            and none of ours: they stay logged in. Readers are asked in their order, those of stores first. A session
            from a cookie is written in our format at its next change or refresh, and a copy of such a cookie cannot be
            ended before it times out. A session from a store moves at the first touch, and is deleted there. None of
            them by default.
        cookie: The session cookie's name and attributes, and how large it may become; by default ``CookiePolicy()``.
        lifetime: The timeouts; by default ``Lifetime()``, 14 days idle and 30 days absolute.
        on_store_error: What a request gets that needs its session while the store is down. ``"raise"`` (the default):
            `StoreUnavailable`. ``"anonymous"``: an empty session that cannot be written, for pages that can do without;
            nobody is logged in then.
        max_record_bytes: How large a session in a store may be, in bytes as it is encoded; beyond it a write raises
            `RecordTooLarge`, which names the largest keys. 1,048,576 by default (1 MiB), since every request reads
            all of it.
        max_sessions_per_owner: The most sessions that `Session.login` leaves an owner, from 1; 500 by default, where
            the store can count them (Memcached cannot); None: any number. It may be exceeded for a moment. Server-side
            only.
        on_owner_limit: What a login beyond that does. ``"end_oldest"`` (the default) ends the one that has been idle
            for longest. ``"refuse"``, with a limit of your own, raises `TooManySessions`: somebody who holds that many
            sessions of a user, a thief too, then locks the user out until they end.
        login_label: Names the device of a login that gives no label, for `sessions_of`. Called at the commit with the
            request's WSGI environ, it returns text, of which the first 200 characters count, or None:
            `cookiesess.adapters.devices.describe_client` does. For a login that the view itself has saved, by
            `Session.save`, that is too late: give `Session.login` the label. None by default: no label. Server-side
            only, and not for Django, whose session engine sees no request.
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
            row were faster in changing the same session, and now and then where `end_all` ends many. Another one is for
            tests.

    Attributes:
        cookie: The session cookie's policy.
        operations: What it does to sessions with its present keys; for adapters. It is replaced as a whole where keys
            change, so take it once for each request.
        watched: The file that holds the keys, where they come from one.
        emit: Hands an event to the logger and to ``on_event``.
        login_label: The setting, for what joins a manager to a request.
        binding: The setting.
        unshared: A store is in this process's memory, and nobody has been warned yet that the server runs several.

    Raises:
        ConfigurationError: A setting that is wrong or contradicts another, said when the manager is built.
    """

    @without_locals
    def __init__(self, keys: Keyring | Key | bytes | str, **settings: Unpack[Settings]) -> None:
        check_names("SessionManager(keys", [*options_in(keys), *settings])
        self._opened = OpenedStores(settings)
        configuration = self._opened.configuration
        self.emit: Emitter = Emitter(configuration.on_event, clock=configuration.clock)
        self.cookie: CookiePolicy = configuration.cookie
        self.login_label = configuration.login_label
        self.binding = configuration.binding
        stores = (configuration.store, configuration.overflow, configuration.revocations)
        self.unshared: bool = any(store is not None and store.serves_one_process for store in stores)
        keyring = Keyring.of(keys)
        self.operations: Operations = self._with(keyring)
        now = int(configuration.clock())
        self.watched: WatchedKeys | None = (
            None if keyring.path is None else WatchedKeys(keyring, keyring.path, emit=self.emit, now=now)
        )
        if configuration.lifetime.absolute is None:
            self.emit(NoAbsoluteEnd())
        for key in keyring.keys:
            if key.weakness:
                self.emit(WeakKey(key.kid.hex(), key.weakness))

    def _with(self, keyring: Keyring) -> Operations:
        """Return what there is to be done with a set of keys."""
        configuration = self._opened.configuration
        return Operations(assemble(keyring, configuration, emit=self.emit), configuration)

    def __repr__(self) -> str:
        return f"<SessionManager, cookie {self.cookie.name!r}>"

    def close_stores(self) -> None:
        """Close the stores that this manager has opened by URL; the end of the process does so too."""
        self._opened.close()

    def look_at_keys(self) -> None:
        """Look whether the file that holds the keys has changed, if it is time to; each request of an adapter asks.

        At most once a minute, and only for a ring of `Keyring.from_file`.
        """
        if self.watched is not None:
            keyring = self.watched.look(int(self.operations.clock()))
            if keyring is not None:
                self.operations = self._with(keyring)  # requests that are underway go on with theirs

    # Requests

    @overload
    def open(self, cookie_header: str) -> Session: ...
    @overload
    def open(self, cookie_header: str, session_class: type[S]) -> S: ...
    def open(self, cookie_header: str, session_class: type[Session] = Session) -> Session:
        """Return the session of a request whose Cookie header is `cookie_header` (``""`` if it has none).

        Nothing is read before the session is first touched. An adapter gives its framework's own `session_class`.
        """
        return session_class(self.operations, cookie_header)

    def jar(self, cookie_header: str, *, arrival: Arrival = HTTPS_ARRIVAL) -> Cookies:
        """Return the jar of the same request."""
        return Cookies(self.operations.parts.jars, cookie_header, arrival)

    def commit(self, session: Session, cookies: Cookies | None = None, *, arrival: Arrival = HTTPS_ARRIVAL) -> Commit:
        """Decide what becomes of the session, do it, and return what the response needs.

        Changes after this are refused, unless `stream` or `reopen` is called.

        Raises:
            CookieTooLarge, RecordTooLarge: The session does not fit; nothing was sent, so an error page still can be.
            NotSerializable: A nested value cannot be stored.
            StoreUnavailable: The store did not answer, and something had changed. It may have been written or not.
            SessionConflict: Other requests changed the same session again and again.
        """
        return operations_of(session).commit(session, cookies, arrival)

    def stream(self, session: Session) -> None:
        """After `commit`, where the body is still being produced: what follows is saved by `close`, or refused."""
        operations_of(session).stream(session)

    def reopen(self, session: Session) -> None:
        """After `commit`, where the response is not sent yet: the session is open again, and needs another commit."""
        operations_of(session).reopen(session)

    def abandon(self, session: Session, cookies: Cookies | None = None) -> None:
        """Instead of `commit`, where the app failed: save nothing."""
        operations_of(session).abandon(session, cookies)

    def forget(self, session: Session) -> None:
        """Treat a session as untouched again, where only the adapter has looked at it, and not the app."""
        session._working = None

    def close(self, session: Session) -> None:
        """After the body: save what was changed since `stream`; after `abandon` nothing.

        Raises:
            SessionCommitted: A nested value was changed that only a cookie could have carried.
            NotSerializable, StoreUnavailable, SessionConflict: As `commit`.
        """
        operations_of(session).close(session)
