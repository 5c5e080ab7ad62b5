"""The pure engine's front: cookies and the time in, a session out; a session in, Set-Cookie lines out. No WSGI here."""

import os
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, Literal, NamedTuple, TypedDict

from cookiesess.backends.base import Backend, Drafts, Tokens
from cookiesess.backends.cookie import CookieBackend
from cookiesess.backends.keeper import RecordKeeper
from cookiesess.backends.owners import OnOwnerLimit, Owners, SessionInfo
from cookiesess.backends.records import RecordSealer
from cookiesess.backends.store import StoreBackend
from cookiesess.context import Stage
from cookiesess.cookies import SetCookie
from cookiesess.engine import Engine
from cookiesess.errors import ConfigurationError
from cookiesess.events import Emitter, Event, SessionsEvicted
from cookiesess.jar import Cookies, JarContext, Protection, https
from cookiesess.keys import Key, Keyring
from cookiesess.lifetime import Lifetime
from cookiesess.policy import CookiePolicy, Transport
from cookiesess.sealing import Sealer
from cookiesess.session import Session
from cookiesess.signing import Signer
from cookiesess.stores.base import Store
from cookiesess.values import ValueCodec, ValueType

OnStoreError = Literal["raise", "anonymous"]


class Settings(TypedDict, total=False):
    """The keyword arguments of `SessionManager`, which the middleware and the adapters take too."""

    store: Store | None
    cookie: CookiePolicy
    lifetime: Lifetime
    on_store_error: OnStoreError
    max_sessions_per_owner: int | None
    on_owner_limit: OnOwnerLimit
    encrypt: bool
    types: Iterable[ValueType[Any]]
    on_event: Callable[[Event], object] | None
    clock: Callable[[], float]
    random_bytes: Callable[[int], bytes]


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
        store: Keeps the sessions on the server, behind an ID in the cookie. None: they travel in the cookie itself.
        cookie: The session cookie's name and attributes.
        lifetime: The timeouts.
        on_store_error: When the store is down at the first touch: ``"raise"`` `StoreUnavailable`; or ``"anonymous"``:
            an empty session that cannot be written, for requests that can do without. Never an authenticated one.
        max_sessions_per_owner: The most sessions that `Session.login` leaves an owner; None: any number. It may be
            exceeded for a moment. Server-side only.
        on_owner_limit: What a login beyond that does: ``"end_oldest"``, or ``"refuse"`` (`TooManySessions`).
        encrypt: True: sealed, nobody but the server can read the session. False: signed only, and whoever holds the
            cookie can read it.
        types: Types of the app's own that sessions may carry.
        on_event: Called with each event; what it raises is logged and goes no further.
        clock: Returns Unix seconds; for tests.
        random_bytes: Returns that many bytes that nobody can guess; for tests.

    Raises:
        ConfigurationError: A setting that is wrong or contradicts another, said when the manager is built.
    """

    def __init__(
        self,
        keys: Keyring | Key | bytes | str,
        *,
        store: Store | None = None,
        cookie: CookiePolicy = CookiePolicy(),  # noqa: B008 (frozen)
        lifetime: Lifetime = Lifetime(),  # noqa: B008 (frozen)
        on_store_error: OnStoreError = "raise",
        max_sessions_per_owner: int | None = None,
        on_owner_limit: OnOwnerLimit = "end_oldest",
        encrypt: bool = True,
        types: Iterable[ValueType[Any]] = (),
        on_event: Callable[[Event], object] | None = None,
        clock: Callable[[], float] = time.time,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        _check_type("cookie", cookie, CookiePolicy)
        _check_type("lifetime", lifetime, Lifetime)
        _check_type("encrypt", encrypt, bool)
        _check_callable(on_event=on_event or str, clock=clock, random_bytes=random_bytes)
        _check_limit(max_sessions_per_owner, on_owner_limit)
        keyring, codec, emit = Keyring.of(keys), ValueCodec(types), Emitter(on_event)
        sealer, signer = Sealer(keyring), Signer(keyring)
        write, read = (sealer.seal, sealer.unseal) if encrypt else (signer.sign, signer.unsign)
        tokens = Tokens(cookie.name, write=write, read=read)
        drafts = Drafts(codec=codec, lifetime=lifetime, emit=emit)
        if store is None:
            _refuse_without_store(max_sessions_per_owner, on_store_error)
            self._owners: Owners | None = None
            backend: Backend = CookieBackend(tokens, drafts)
        else:
            _check_store(store, on_store_error, emit)
            records = RecordSealer(keyring, sealer=sealer, codec=codec, random_bytes=random_bytes)
            limit, on_limit = max_sessions_per_owner, on_owner_limit
            self._owners = Owners(store, records, drafts=drafts, limit=limit, on_limit=on_limit)
            keeper = RecordKeeper(store, records, drafts=drafts, random_bytes=random_bytes)
            anonymous = on_store_error == "anonymous"
            backend = StoreBackend(keeper, tokens=tokens, drafts=drafts, owners=self._owners, anonymous=anonymous)
        self.emit = emit
        self.cookie = cookie
        self._engine = Engine(backend=backend, policy=cookie, drafts=drafts, clock=clock, random_bytes=random_bytes)
        self._jars = JarContext(
            policy=cookie,
            codec=codec,
            signed=Protection("signed-cookie", signer.sign, signer.unsign),
            sealed=Protection("cookie", sealer.seal, sealer.unseal),
            now=self._engine.now,
            emit=emit,
        )

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

    def end_all(self, owner: str, *, keep: Session | None = None) -> int:
        """End all sessions of `owner`, but `keep`; one that is being renewed at the moment does not slip through.

        For that, `keep` itself is ended with them in one case: another request is halfway through renewing it.

        Returns:
            How many were ended.

        Raises:
            SessionConflict: New ones appeared again and again.
            As `sessions_of`.
        """
        draft = None if keep is None else keep._draft or keep._load()
        return self._index().end_all(
            owner, keep=lambda: None if draft is None else self._engine.key_of(draft), now=self._engine.now()
        )

    def _index(self) -> Owners:
        if self._owners is None or not self._owners.indexed:
            raise ConfigurationError(
                "an owner's sessions can be listed and ended where they are kept in a store that indexes owners; give"
                " one as store="
            )
        return self._owners

    # Requests

    def open(self, cookie_header: str) -> Session:
        """Return the session of a request whose Cookie header is `cookie_header` (``""`` if it has none).

        Nothing is read before the session is first touched.
        """
        return Session(self._engine, cookie_header)

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
        """After the body: save what was changed since `settle`.

        Raises:
            SessionCommitted: A nested value was changed that only a cookie could have carried.
        """
        session._stage = Stage.OVER
        if session._draft is not None:
            self._engine.close(session._draft)


def _check_type(name: str, value: object, cls: type) -> None:
    if not isinstance(value, cls):
        # Without the value: it may be a key that stands in the wrong place.
        remedy, came = "True or False" if cls is bool else f"{name}={cls.__name__}(…)", type(value).__name__
        raise ConfigurationError(f"{name} is a {cls.__name__}, and what came is of type {came}; write {remedy}")


def _check_callable(**settings: object) -> None:
    for name, value in settings.items():
        if not callable(value):
            raise ConfigurationError(f"{name} is a function, and what came is of type {type(value).__name__}")


def _check_limit(limit: int | None, on_limit: OnOwnerLimit) -> None:
    if limit is not None and (type(limit) is not int or limit < 1):
        raise ConfigurationError(f"max_sessions_per_owner is {limit!r}; it is a whole number from 1, or None: no limit")
    if on_limit not in ("end_oldest", "refuse"):
        raise ConfigurationError(f"on_owner_limit is {on_limit!r}; choose 'end_oldest' or 'refuse'")
    if on_limit == "refuse" and limit is None:
        raise ConfigurationError("on_owner_limit='refuse' needs a limit; give max_sessions_per_owner as well")


def _refuse_without_store(limit: int | None, on_store_error: str) -> None:
    if limit is not None or on_store_error != "raise":
        name = "on_store_error" if limit is None else "max_sessions_per_owner"
        raise ConfigurationError(f"{name} is for sessions on the server; give store= as well, or leave it out")


def _check_store(store: Store, on_store_error: str, emit: Emitter) -> None:
    if not isinstance(store, Store):
        raise ConfigurationError(
            f"store is a {type(store).__name__}; write store=SQLiteStore(path), or store=open_store(url)"
        )
    if on_store_error not in ("raise", "anonymous"):
        raise ConfigurationError(f"on_store_error is {on_store_error!r}; choose 'raise' or 'anonymous'")
    if store.evicts and store.on_evict is None:
        store.on_evict = lambda count: emit(SessionsEvicted(count))
