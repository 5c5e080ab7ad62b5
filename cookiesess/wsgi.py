"""The WSGI edge: a thin driver around `SessionManager`.

The commit comes as late as HTTP allows, so that a change after ``start_response`` and before the body still counts:
the app's ``start_response`` is held back until the first byte of the body, or the end of the call where the app
returned a list, a tuple or a file wrapper (which reach the server as they are: it needs ``len()`` for Content-Length,
and the wrapper for sendfile).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address
from types import TracebackType
from typing import TYPE_CHECKING, TypeAlias, Unpack

from cookiesess import headers
from cookiesess.errors import ConfigurationError, SessionError
from cookiesess.events import SharedCachingPrevented
from cookiesess.jar import Cookies
from cookiesess.keys import Key, Keyring
from cookiesess.manager import UNTOUCHED, Commit, SessionManager
from cookiesess.policy import Transport
from cookiesess.session import Session
from cookiesess.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None

SESSION_KEY, COOKIES_KEY, MANAGER_KEY = "cookiesess.session", "cookiesess.cookies", "cookiesess.manager"
# RFC 9110 section 7.2: a name or an address, an IPv6 one in brackets, and perhaps a port.
_HOST = re.compile(r"(?:\[(?P<six>[^\]]*)\]|(?P<name>[^:]*))(?::\d+)?")
# Any of these says that somebody stands between the browser and this server; so does anything HTTP_X_FORWARDED_….
_PROXY_KEYS = ("HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP")


class SessionMiddleware:
    """Gives a WSGI app ``environ["cookiesess.session"]`` and ``environ["cookiesess.cookies"]``.

    Args:
        app: Any WSGI app.
        keys: A `Keyring`; bytes (one key, verbatim); text (``"current,accepted,…"``); or a `SessionManager`, which then
            has all the settings.
        environ_key: Where the session stands in the environ. Two middlewares in one stack need two keys and two
            cookie names; they share one jar.
        **settings: As `SessionManager` takes them.

    Raises:
        ConfigurationError: A setting that is wrong or contradicts another.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        keys: Keyring | Key | bytes | str | SessionManager,
        *,
        environ_key: str = SESSION_KEY,
        **settings: Unpack[Settings],
    ) -> None:
        if not callable(app):
            raise ConfigurationError(
                f"app is {type(app).__name__}, which cannot be called; SessionMiddleware(app, keys)"
            )
        if isinstance(keys, SessionManager) and settings:
            raise ConfigurationError(f"a ready manager has its settings; give {', '.join(settings)} to SessionManager")
        if "." not in environ_key or environ_key in {COOKIES_KEY, MANAGER_KEY} or environ_key.startswith("wsgi."):
            raise ConfigurationError(
                f"environ_key {environ_key!r} is taken, or has no dot (PEP 3333); choose one such as 'myapp.session'"
            )
        self.app = app
        self.manager = keys if isinstance(keys, SessionManager) else SessionManager(keys, **settings)
        self._environ_key = environ_key
        self._manager_key = MANAGER_KEY if environ_key == SESSION_KEY else f"{environ_key}.manager"

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Run the app."""
        manager = self.manager
        cookie_header = environ.get("HTTP_COOKIE", "")
        exchange = _Exchange(manager, environ, start_response)
        session = exchange.session = manager.open(cookie_header)
        if environ.get(self._environ_key) is not None:
            self._refuse_nesting(environ[self._environ_key])
        environ[self._environ_key] = session
        environ[self._manager_key] = manager
        outer = environ.get(COOKIES_KEY)
        if outer is None or not outer.open:
            exchange.jar = environ[COOKIES_KEY] = manager.jar(cookie_header, transport=exchange.transport)
        else:
            outer.reserve(session, manager.cookie.name)
        try:
            result = self.app(environ, exchange.start_response)
        except BaseException:
            exchange.abandon()
            raise
        return exchange.finish(result)

    def _refuse_nesting(self, present: object) -> None:
        """Raise where `present` is the session of a request that is still running."""
        if isinstance(present, Session) and not present.closed:
            raise SessionError(
                f"environ[{self._environ_key!r}] holds the open session of another SessionMiddleware around this one"
                f" ({self.manager.cookie.name!r} would be the second); remove one, or give one of them its own"
                " environ_key= and cookie name"
            )


class _Exchange:
    """One request and its response: holds the app's ``start_response`` back until the commit."""

    __slots__ = ("_committed", "_environ", "_held", "_manager", "_ours", "_server_write", "_start", "jar", "session")

    session: Session
    _ours: Commit
    _server_write: Callable[[bytes], object]

    def __init__(self, manager: SessionManager, environ: "WSGIEnvironment", start_response: "StartResponse") -> None:
        self._manager = manager
        self._environ = environ
        self._start = start_response
        self._held: tuple[str, headers.Headers, ExcInfo] | None = None
        self._committed = False
        self.jar: Cookies | None = None

    def transport(self) -> Transport:
        """How the request came; see `Transport`."""
        environ = self._environ
        if environ.get("wsgi.url_scheme") == "https":
            return Transport.HTTPS
        if any(key in _PROXY_KEYS or key.startswith("HTTP_X_FORWARDED_") for key in environ):
            return Transport.PLAIN
        host = _HOST.fullmatch(environ.get("HTTP_HOST") or "")
        ends = (environ.get("REMOTE_ADDR") or "", (host["six"] or host["name"]) if host else "")
        return Transport.LOOPBACK if all(map(_is_loopback, ends)) else Transport.PLAIN

    def start_response(
        self, status: str, response_headers: headers.Headers, exc_info: ExcInfo = None
    ) -> Callable[[bytes], object]:
        """What the app calls. Held back, so that the session can still change."""
        if self._committed:
            # Only with exc_info is a second call legal (PEP 3333); without it the server says so.
            return self._start(status, self._with_ours(response_headers), exc_info)
        if self._held is not None and exc_info is None:
            raise SessionError("start_response was called a second time without exc_info, which PEP 3333 forbids")
        self._held = (status, response_headers, exc_info)
        return self._write

    def _write(self, data: bytes) -> None:
        if not self._committed:
            self.commit(last=False)
        self._server_write(data)

    def commit(self, *, last: bool) -> None:
        """Commit the session and send the headers on; `last` where no code of the app will run any more."""
        held = self._held
        if held is None:
            # The server meets an app that never called start_response, as it would without us.
            if last:
                self.abandon()
            return
        self._ours = self._manager.commit(self.session, self.jar, transport=self.transport)
        if not last:
            self._manager.settle(self.session)
        self._committed = True
        status, response_headers, exc_info = held
        self._held = None  # PEP 3333: a kept exc_info is a cycle through the traceback
        if self._ours is not UNTOUCHED:
            response_headers = self._with_ours(response_headers)
        if exc_info is None:
            self._server_write = self._start(status, response_headers)
        else:
            self._server_write = self._start(status, response_headers, exc_info)

    def _with_ours(self, response_headers: headers.Headers) -> headers.Headers:
        """The app's headers and ours, in a new list: the app's may be shared by all its requests."""
        cookies, vary = self._ours
        result, prevented = headers.with_ours(response_headers, cookies, vary=vary)
        if prevented:
            self._manager.emit(SharedCachingPrevented())
        return result

    def finish(self, result: Iterable[bytes]) -> Iterable[bytes]:
        """Return what the server gets: the same object where the body is complete, else an iterator around it."""
        try:
            if not (type(result) is list or type(result) is tuple or self._is_file(result)):
                return _Body(self, result)
            if self._committed:
                self._manager.close(self.session)
            else:
                self.commit(last=True)
        except BaseException:
            # The server never gets to see this body, so nobody else would close it.
            self.abandon()
            close = getattr(result, "close", None)
            if close is not None:
                close()
            raise
        return result

    def _is_file(self, result: Iterable[bytes]) -> bool:
        wrapper = self._environ.get("wsgi.file_wrapper")
        return isinstance(wrapper, type) and isinstance(result, wrapper)

    @property
    def committed(self) -> bool:
        """Whether the headers have gone out."""
        return self._committed

    def abandon(self) -> None:
        """The app raised: nothing is saved, and the same environ may be used for another run."""
        self._manager.abandon(self.session, self.jar)

    def close(self) -> None:
        """The body is done: save what streaming changed."""
        if self._committed:
            self._manager.close(self.session)
        else:
            self.abandon()


class _Body(Iterator[bytes]):
    """The app's body; commits at its first item. No ``len()``, since the server must not ask before the commit."""

    __slots__ = ("_app_close", "_exchange", "_failed", "_iterator")

    def __init__(self, exchange: _Exchange, body: Iterable[bytes]) -> None:
        self._exchange = exchange
        self._iterator = iter(body)
        self._app_close = getattr(body, "close", None)
        self._failed = False

    def __next__(self) -> bytes:
        try:
            item = next(self._iterator)
        except StopIteration:
            self._commit()
            raise
        except BaseException:
            self._failed = True
            raise
        self._commit()
        return item

    def _commit(self) -> None:
        if not self._exchange.committed:
            self._exchange.commit(last=False)

    def close(self) -> None:
        """The app's own close first, then what it and the body changed is saved, unless one of them raised."""
        try:
            if self._app_close is not None:
                self._app_close()
        except BaseException:
            self._failed = True
            raise
        finally:
            if self._failed:
                self._exchange.abandon()
        if not self._failed:
            self._exchange.close()


def _is_loopback(name: str) -> bool:
    # RFC 6761 section 6.3: these names mean this machine, whatever a DNS server says.
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)  # ::ffff:127.0.0.1, which not all Pythons call loopback
    return bool((mapped or address).is_loopback)
