"""The manager: makes a session from cookies and the time, and Set-Cookie lines from a session. It knows no WSGI."""

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
    """Opens and commits sessions, for any framework. Thread-safe: make one for each app.

    Args:
        keys: A `Keyring`; bytes (one key, verbatim); or text, which `Keyring.parse` reads.
        store: Where sessions are kept on the server; the cookie then holds only an ID. A `Store`, or its URL as
            `open_store` takes it. None (the default): the whole session travels in the cookie. The manager opens a URL,
            here and in the next two settings, and closes the store with itself. Equal URLs are one store.
        overflow: A store for the client-side sessions that get too large for their cookie; a `Store` or a URL. Such a
            session stays in the store until logout or the next login, and your code does not change. None (the
            default): `CookieTooLarge` is raised.
        revocations: A store that remembers which client-side sessions have ended. With it, `Session.invalidate`,
            `Session.login`, `Session.renew` and `end_all` also end all copies of the cookie. A request that touches its
            session then reads the store once, and a request that writes it reads the store once more. The store must
            not drop records by itself, and `lifetime` needs an absolute timeout. None (the default): a copy of a cookie
            works until it times out, even after a logout.
        revocation_cache_seconds: How many seconds a process remembers what it has read from `revocations`, instead of
            asking again. With 5, most requests cost no I/O, but other processes may accept an ended session for five
            seconds more. 0 (the default): each request asks.
        on_lost_revocations: What happens to older sessions when the store of `revocations` was emptied or replaced.
            Nobody can tell then which of them had ended. ``"log_out"`` (the default): all older sessions end.
            ``"go_on"``: all of them go on, even those whose users had logged out. Both emit `RevocationsLost`. A store
            that was restored from a backup does not know that anything is missing: run ``python -m cookiesess
            revocations renew-epoch``.
        binding: A `DeviceBinding`, which needs ``store=`` or ``revocations=``. Each login's session is then bound to
            the user's device, if the browser can do that, and stolen cookies are worth nothing after a few minutes.
            None (the default): stolen cookies work until the session times out, or is ended.
        accept: Readers of other libraries' sessions (`cookiesess.readers`). A visitor who has such a session, and none
            of this library's, stays logged in. Readers of stores are asked first, then the others, in their order. A
            session from a cookie is written in this library's format at its next change or refresh; a copy of the old
            cookie cannot be ended before it times out. A session from another library's store moves when it is first
            touched, and is deleted there. No readers by default.
        cookie: The session cookie's name and attributes, and how large it may become; by default ``CookiePolicy()``.
        lifetime: The timeouts; by default ``Lifetime()``, 14 days idle and 30 days absolute.
        on_store_error: What happens to a request that needs its session while the store is down. ``"raise"`` (the
            default): it gets `StoreUnavailable`. ``"anonymous"``: it gets an empty session that cannot be written, and
            nobody is logged in; for pages that also work without a session.
        max_record_bytes: How large a session in a store may be, in encoded bytes. A larger one raises `RecordTooLarge`,
            which names the largest keys. 1,048,576 by default (1 MiB). Every request reads the whole session, so a
            large one makes all of them slow.
        max_sessions_per_owner: How many sessions a user may have after `Session.login`, from 1. None: any number. 500
            by default, if the store can count them (Memcached cannot). Parallel logins may exceed it for a moment.
            Server-side only.
        on_owner_limit: What a login beyond `max_sessions_per_owner` does. ``"end_oldest"`` (the default) ends the
            session that has been idle longest. ``"refuse"`` raises `TooManySessions`, and needs a limit that you have
            set. Danger of ``"refuse"``: a thief who holds that many sessions locks the user out until they end.
        login_label: A function that names the device of a login, for the list of `sessions_of`, such as
            `cookiesess.adapters.devices.describe_client`. It is called at the commit with the request's WSGI environ,
            if the login gave no label, and returns text (the first 200 characters count) or None. If your view calls
            `Session.save` after the login, the call comes too late: give `Session.login` the label. None (the
            default): no label. Server-side only. Not for Django, whose session engine sees no request.
        encrypt: True (the default): the cookie is sealed, and only the server can read it. False: the cookie is only
            signed, and whoever holds it can read the session.
        compress: Whether client-side sessions are compressed if that makes the cookie shorter. False by default.
            Danger: if one session holds both a secret and text that others choose, the cookie's length reveals the
            secret bit by bit (CRIME).
        types: A `ValueType` for each of your own types that sessions may carry. None of them by default.
        on_event: A function that is called with each event, or None (the default). An exception that it raises is
            logged, and the request goes on.
        clock: Returns Unix seconds; `time.time` by default. Give another one only in tests.
        random_bytes: Returns as many unguessable bytes as it is asked for; `os.urandom` by default. Give another one
            only in tests: predictable bytes make sessions guessable.
        sleep: Waits for so many seconds; `time.sleep` by default. It waits a few milliseconds when more than two other
            requests in a row were faster in changing the same session, and now and then while `end_all` ends many
            sessions. Give another one only in tests.

    Attributes:
        cookie: The session cookie's policy.
        operations: Opens and commits with the present keys; for adapters. The manager replaces it when the keys change,
            so take it once for each request.
        watched: The file that holds the keys, if they come from a file; else None.
        emit: Hands an event to the logger and to ``on_event``.
        login_label: The setting of that name, for adapters.
        binding: The setting of that name, for adapters.
        unshared: True if a store is in this process's memory, and nobody has been warned yet of a server with several
            processes.

    Raises:
        ConfigurationError: A setting is wrong or contradicts another one. Raised when the manager is built.
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
        """Close the stores that this manager has opened by URL. They are also closed when the process ends."""
        self._opened.close()

    def look_at_keys(self) -> None:
        """Look whether the file that holds the keys has changed. Adapters call this at each request.

        It looks at most once a minute, and only if the keys came from `Keyring.from_file`.
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

        Nothing is read until the app first touches the session. Adapters give the `session_class` of their framework.
        """
        return session_class(self.operations, cookie_header)

    def jar(self, cookie_header: str, *, arrival: Arrival = HTTPS_ARRIVAL) -> Cookies:
        """Return the jar of plain cookies of a request whose Cookie header is `cookie_header`."""
        return Cookies(self.operations.parts.jars, cookie_header, arrival)

    def commit(self, session: Session, cookies: Cookies | None = None, *, arrival: Arrival = HTTPS_ARRIVAL) -> Commit:
        """Save the session, if there is something to save, and return what the response needs.

        Later changes are refused, unless you call `stream` or `reopen`.

        Raises:
            CookieTooLarge, RecordTooLarge: The session does not fit. Nothing was sent, so you can still answer with an
                error page.
            NotSerializable: A nested value cannot be stored.
            StoreUnavailable: The store did not answer when a change was to be saved. Nobody knows whether it was saved.
            SessionConflict: Other requests changed the same session again and again.
        """
        return operations_of(session).commit(session, cookies, arrival)

    def stream(self, session: Session) -> None:
        """Allow changes after `commit`, while the body is produced: `close` saves those that need no cookie."""
        operations_of(session).stream(session)

    def reopen(self, session: Session) -> None:
        """Open the session again after `commit`, before the response is sent. Another `commit` must follow."""
        operations_of(session).reopen(session)

    def abandon(self, session: Session, cookies: Cookies | None = None) -> None:
        """Save nothing, because the app failed. Call it instead of `commit`."""
        operations_of(session).abandon(session, cookies)

    def forget(self, session: Session) -> None:
        """Treat a session as untouched again, because only the adapter has looked at it, and not the app."""
        session._working = None

    def close(self, session: Session) -> None:
        """Save what the app has changed since `stream`. Call it after the body; after `abandon` it saves nothing.

        Raises:
            SessionCommitted: A nested value was changed, and only a cookie could have carried the change.
            NotSerializable, StoreUnavailable, SessionConflict: As in `commit`.
        """
        operations_of(session).close(session)
