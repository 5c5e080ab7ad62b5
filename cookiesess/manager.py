"""The pure engine's front: cookies and the time in, a session out; a session in, Set-Cookie lines out. No WSGI here."""

import os
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, TypedDict

from cookiesess.backends.base import Backend, Drafts, Tokens
from cookiesess.backends.cookie import CookieBackend
from cookiesess.cookies import SetCookie
from cookiesess.engine import Engine
from cookiesess.errors import ConfigurationError
from cookiesess.events import Emitter, Event
from cookiesess.jar import Cookies, JarContext, Protection
from cookiesess.keys import Key, Keyring
from cookiesess.lifetime import Lifetime
from cookiesess.policy import CookiePolicy, Transport
from cookiesess.sealing import Sealer
from cookiesess.session import Session
from cookiesess.signing import Signer
from cookiesess.values import ValueCodec, ValueType


class Settings(TypedDict, total=False):
    """The keyword arguments of `SessionManager`, which the middleware and the adapters take too."""

    cookie: CookiePolicy
    lifetime: Lifetime
    encrypt: bool
    types: Iterable[ValueType[Any]]
    on_event: Callable[[Event], object] | None
    clock: Callable[[], float]
    random_bytes: Callable[[int], bytes]


def _https() -> Transport:
    return Transport.HTTPS


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
        cookie: The session cookie's name and attributes.
        lifetime: The timeouts.
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
        cookie: CookiePolicy = CookiePolicy(),  # noqa: B008 (frozen)
        lifetime: Lifetime = Lifetime(),  # noqa: B008 (frozen)
        encrypt: bool = True,
        types: Iterable[ValueType[Any]] = (),
        on_event: Callable[[Event], object] | None = None,
        clock: Callable[[], float] = time.time,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        _check_type("cookie", cookie, CookiePolicy)
        _check_type("lifetime", lifetime, Lifetime)
        keyring, codec, emit = Keyring.of(keys), ValueCodec(types), Emitter(on_event)
        sealer, signer = Sealer(keyring), Signer(keyring)
        write, read = (sealer.seal, sealer.unseal) if encrypt else (signer.sign, signer.unsign)
        tokens = Tokens(cookie.name, write=write, read=read)
        drafts = Drafts(codec=codec, lifetime=lifetime, emit=emit)
        backend: Backend = CookieBackend(tokens, drafts)
        self.emit = emit
        self.cookie = cookie
        self._engine = Engine(
            backend=backend,
            policy=cookie,
            lifetime=lifetime,
            codec=codec,
            emit=emit,
            clock=clock,
            random_bytes=random_bytes,
        )
        self._jars = JarContext(
            policy=cookie,
            codec=codec,
            signed=Protection("signed-cookie", signer.sign, signer.unsign),
            sealed=Protection("cookie", sealer.seal, sealer.unseal),
            now=self._engine.now,
        )

    def __repr__(self) -> str:
        return f"<SessionManager, cookie {self.cookie.name!r}>"

    def open(self, cookie_header: str) -> Session:
        """Return the session of a request whose Cookie header is `cookie_header` (``""`` if it has none).

        Nothing is read before the session is first touched.
        """
        return Session(self._engine, cookie_header)

    def jar(self, cookie_header: str, *, transport: Callable[[], Transport] = _https) -> Cookies:
        """Return the jar of the same request."""
        return Cookies(self._jars, cookie_header, transport=transport)

    def commit(
        self, session: Session, cookies: Cookies | None = None, *, transport: Callable[[], Transport] = _https
    ) -> Commit:
        """Decide what becomes of the session, do it, and return what the response needs.

        Changes after this are refused where they would need a cookie.

        Raises:
            CookieTooLarge: The session does not fit; nothing was sent, so an error page still can be.
            NotSerializable: A nested value cannot be stored.
        """
        draft = session._draft
        session._closed = True
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
        if session._draft is not None:
            self._engine.settle(session._draft)

    def abandon(self, session: Session, cookies: Cookies | None = None) -> None:
        """Instead of `commit`, where the app failed: save nothing."""
        session._closed = True
        if cookies is not None:
            cookies.commit()

    def close(self, session: Session) -> None:
        """After the body: save what was changed since `settle`.

        Raises:
            SessionCommitted: A nested value was changed that only a cookie could have carried.
        """
        if session._draft is not None:
            self._engine.close(session._draft)


def _check_type(name: str, value: object, cls: type) -> None:
    if not isinstance(value, cls):
        raise ConfigurationError(
            f"{name} is a {cls.__name__}, not {type(value).__name__}; write {name}={cls.__name__}(…)"
        )
