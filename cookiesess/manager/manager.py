"""The pure engine's front: cookies and the time in, a session out; a session in, Set-Cookie lines out. No WSGI here."""

from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar, Unpack, overload

from cookiesess.backends.owners import Owners, SessionInfo
from cookiesess.errors import ConfigurationError
from cookiesess.http.cookies import SetCookie
from cookiesess.http.jar import Cookies, https
from cookiesess.http.policy import Transport
from cookiesess.manager.assembly import assemble
from cookiesess.manager.settings import Configuration, Settings, check_names
from cookiesess.session.context import Stage
from cookiesess.session.session import Session
from cookiesess.tokens.keys import Key, Keyring

S = TypeVar("S", bound=Session)


class Commit(NamedTuple):
    """What a response needs.

    Attributes:
        cookies: The Set-Cookie lines, the session's and the jar's.
        vary: The response depends on the request's cookies and must say ``Vary: Cookie``.
        private: The response sets cookies and must be kept out of shared caches.
    """

    cookies: tuple[SetCookie, ...]
    vary: bool

    @property
    def private(self) -> bool:
        """True where there are cookies."""
        return bool(self.cookies)


UNTOUCHED: Final = Commit((), vary=False)
"""Nobody looked at the session or the cookies: the response needs nothing."""


class SessionManager:
    """Opens and commits sessions, for any framework. Thread-safe; one for each app.

    Args:
        keys: A `Keyring`; bytes (one key, verbatim); or text, which is parsed as `Keyring.parse` does.
        store: Keeps the sessions on the server, behind an ID in the cookie. None (the default): they travel in the
            cookie itself.
        overflow: Keeps those client-side sessions that outgrow their cookie; they stay there until they end or log in.
            None by default: `CookieTooLarge` instead.
        revocations: Remembers the client-side sessions that have been ended, until no copy of their cookies would open
            any more: `Session.invalidate`, `Session.login`, `Session.renew` and `end_all` then end the copies too. One
            read for each request that touches its session. A store that evicts is refused, and a `lifetime` without an
            absolute timeout. None by default: a copy of a cookie works until it times out.
        revocation_cache_seconds: For how long a process may hold on to what it has read there: 0 (the default) is
            exact; with 5, an ended session may go on for five seconds in other processes, and most requests cost no
            I/O.
        accept: Readers of other libraries' cookies (`cookiesess.readers`), asked in order where no session of ours
            came; what they open is written in our format at the next change or refresh. None of them by default.
            Nothing ends a copy of such a cookie before its time.
        cookie: The session cookie's name and attributes, and how large it may become; by default ``CookiePolicy()``.
        lifetime: The timeouts; by default ``Lifetime()``, 14 days idle and 30 days absolute.
        on_store_error: When a store is down at the first touch: ``"raise"`` `StoreUnavailable` (the default); or
            ``"anonymous"``: an empty session that cannot be written, for requests that can do without. Never an
            authenticated one.
        max_sessions_per_owner: The most sessions that `Session.login` leaves an owner, from 1; None (the default): any
            number. It may be exceeded for a moment. Server-side only.
        on_owner_limit: What a login beyond that does: ``"end_oldest"`` (the default), or ``"refuse"``
            (`TooManySessions`), with which whoever holds that many sessions of a user, a thief too, locks the user out
            until they end.
        encrypt: True (the default): sealed, nobody but the server can read the session. False: signed only, and whoever
            holds the cookie can read it.
        compress: Whether client-side sessions are compressed where that makes the cookie shorter; False by default.
            Dangerous where secrets and text that others choose are in one session: its length tells of both (CRIME).
        types: Types of the app's own that sessions may carry; none by default.
        on_event: Called with each event, or None (the default); what it raises is logged and goes no further.
        clock: Returns Unix seconds, by default `time.time`; another one is for tests.
        random_bytes: Returns that many bytes that nobody can guess, by default `os.urandom`; another one is for tests.
            Predictable ones make sessions guessable.

    Raises:
        ConfigurationError: A setting that is wrong or contradicts another, said when the manager is built.
    """

    def __init__(self, keys: Keyring | Key | bytes | str, **settings: Unpack[Settings]) -> None:
        check_names("SessionManager(keys", settings)
        configuration = Configuration(**settings)
        self._engine, self._jars, self._owners, self._revoking, self.emit = assemble(Keyring.of(keys), configuration)
        self.cookie = configuration.cookie
        stores = (configuration.store, configuration.overflow, configuration.revocations)
        # A store is in this process's memory, and nobody has been warned yet that the server runs several.
        self._unshared = any(store is not None and store.serves_one_process for store in stores)

    def __repr__(self) -> str:
        return f"<SessionManager, cookie {self.cookie.name!r}>"

    # The owners' sessions

    def sessions_of(self, owner: str) -> list[SessionInfo]:
        """Return the live sessions of `owner`, the one seen last first: for a page that lists devices.

        Raises:
            ConfigurationError: Sessions are client-side, or the store does not index owners.
            StoreUnavailable: The store did not answer.
        """
        return self._index().sessions_of(owner, now=self._engine.now())

    def handle_of(self, session: Session) -> str | None:
        """Return the handle by which `sessions_of` lists `session`, or None where it is not stored (yet)."""
        key = self._engine.key_of(session._draft or session._load())
        return None if key is None else key.hex()

    def end(self, owner: str, handle: str) -> bool:
        """End one session of `owner`, whatever it is doing at the moment.

        Args:
            owner: As given to `Session.login`. A handle of somebody else's session ends nothing.
            handle: As `sessions_of` gave it.

        Returns:
            True where a session was ended; False where it was gone, or has been renewed: list again.

        Raises:
            As `sessions_of`.
        """
        return self._index().end(owner, handle, now=self._engine.now())

    def end_all(self, owner: str, *, keep: Session | None = None) -> int | None:
        """End all sessions of `owner`, but `keep`; one that is being renewed at the moment does not slip through.

        For that, `keep` itself is ended with them in one case: another request is halfway through renewing it.
        Client-side (with ``revocations=``) `keep` is issued anew by its own response, and ended if that never arrives.

        Returns:
            How many were ended; None client-side, where nobody counts them.

        Raises:
            SessionConflict: New ones appeared again and again.
            SessionCommitted: Client-side, after the headers of `keep`'s response have gone out.
            As `sessions_of`.
        """
        draft = None if keep is None else keep._draft or keep._load()
        if self._revoking is not None:
            self._revoking.end_all(owner, keep=draft, now=self._engine.now())
            return None
        return self._index().end_all(
            owner, keep=lambda: None if draft is None else self._engine.key_of(draft), now=self._engine.now()
        )

    def _index(self) -> Owners:
        if self._owners is None or not self._owners.indexed:
            raise ConfigurationError(
                "an owner's sessions can be listed and ended where they are kept in a store that indexes owners; give"
                " one as store= (client-side, revocations= lets end_all() end them)"
            )
        return self._owners

    # Requests

    @overload
    def open(self, cookie_header: str) -> Session: ...
    @overload
    def open(self, cookie_header: str, session_class: type[S]) -> S: ...
    def open(self, cookie_header: str, session_class: type[Session] = Session) -> Session:
        """Return the session of a request whose Cookie header is `cookie_header` (``""`` if it has none).

        Nothing is read before the session is first touched. An adapter gives its framework's own `session_class`.
        """
        return session_class(self._engine, cookie_header)

    def jar(self, cookie_header: str, *, transport: Callable[[], Transport] = https) -> Cookies:
        """Return the jar of the same request."""
        return Cookies(self._jars, cookie_header, transport=transport)

    def commit(
        self, session: Session, cookies: Cookies | None = None, *, transport: Callable[[], Transport] = https
    ) -> Commit:
        """Decide what becomes of the session, do it, and return what the response needs.

        Changes after this are refused, unless `settle` is called.

        Raises:
            CookieTooLarge: The session does not fit; nothing was sent, so an error page still can be.
            NotSerializable: A nested value cannot be stored.
            StoreUnavailable: The store did not answer, and something had changed. It may have been written or not.
            SessionConflict: Other requests changed the same session again and again.
        """
        draft = session._draft
        session._stage = Stage.OVER
        if draft is None and (cookies is None or cookies.untouched):
            if cookies is not None:
                cookies.commit()
            return UNTOUCHED
        lines = () if draft is None else self._engine.commit(draft, transport)
        vary = draft is not None
        if cookies is not None:
            lines += cookies.commit()
            vary = vary or cookies.touched
        return Commit(lines, vary)

    def settle(self, session: Session) -> None:
        """After `commit`, where the app goes on: let what follows be saved by `close`, or be refused."""
        session._stage = Stage.STREAMING
        if session._draft is not None:
            self._engine.settle(session._draft)

    def abandon(self, session: Session, cookies: Cookies | None = None) -> None:
        """Instead of `commit`, where the app failed: save nothing."""
        session._stage = Stage.ABANDONED
        if cookies is not None:
            cookies.commit()

    def close(self, session: Session) -> None:
        """After the body: save what was changed since `settle`; after `abandon` nothing.

        Raises:
            SessionCommitted: A nested value was changed that only a cookie could have carried.
            NotSerializable, StoreUnavailable, SessionConflict: As `commit`.
        """
        if session._stage is Stage.ABANDONED:
            return
        session._stage = Stage.OVER
        if session._draft is not None:
            self._engine.close(session._draft)
