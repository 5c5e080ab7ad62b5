"""The WSGI edge: a thin driver around `SessionManager`.

The commit comes as late as HTTP allows, so that a change after ``start_response`` and before the body still counts:
the app's ``start_response`` is held back until the first byte of the body, or the end of the call where the app
returned a list, a tuple or a file wrapper (which reach the server as they are: it needs ``len()`` for Content-Length,
and the wrapper for sendfile).
"""

import os
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeAlias, Unpack, cast, overload

from cookiesess.errors import ConfigurationError, SessionError, drop_locals, without_locals
from cookiesess.http.headers import Headers
from cookiesess.manager.beaker_names import options_in
from cookiesess.manager.flat_settings import read_environment
from cookiesess.manager.manager import SessionManager
from cookiesess.manager.names import check_names
from cookiesess.manager.settings import Settings
from cookiesess.session.session import Session
from cookiesess.tokens.keys import Key, Keyring
from cookiesess.wsgi.attachment import COOKIES_KEY, MANAGER_KEY, SESSION_KEY, Attachment
from cookiesess.wsgi.binding import BindingEndpoints
from cookiesess.wsgi.body import Body
from cookiesess.wsgi.session_classes import S, SessionT_co, check_session_class

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None
Held: TypeAlias = tuple[str, Headers, ExcInfo]

BEAKER_KEY: Final = "beaker.session"
# Where WebTest looks for what it shows as attributes of its responses.
_TESTING_KEY: Final = "paste.testing_variables"


class SessionMiddleware(Generic[SessionT_co]):
    """Gives a WSGI app ``environ["cookiesess.session"]`` and ``environ["cookiesess.cookies"]``.

    In WebTest the session is ``response.session``. With an `environ_key` other than the default and Beaker's, it is the
    attribute of that name; replace the dots by underscores.

    Args:
        app: Any WSGI app.
        keys: A `Keyring`; bytes (one key, verbatim); text (``"current,accepted,…"``); or a `SessionManager`, which
            brings all its settings.
        environ_key: The key of the session in the environ. Two middlewares in one stack need two such keys and two
            cookie names; they share one jar.
        session_class: `Session` (the default), or a subclass with your own methods. Views get it by
            ``get_session(environ, ShopSession)``, and type checkers know its type. With the `environ_key`
            ``"beaker.session"`` the default is `cookiesess.adapters.beaker.BeakerSession`, which has the methods that
            apps written for Beaker call.
        **settings: The settings of `SessionManager`.

    Attributes:
        app: The app that you gave.
        manager: The `SessionManager` that opens and commits the sessions.
        session_class: The class of the sessions.

    Raises:
        ConfigurationError: A setting is unknown, is wrong or contradicts another one; or `app` is a SessionMiddleware
            already, with the same `environ_key` or an overlapping cookie name.
    """

    @without_locals
    def __init__(
        self,
        app: "WSGIApplication",
        keys: Keyring | Key | bytes | str | SessionManager,
        *,
        environ_key: str = SESSION_KEY,
        session_class: type[SessionT_co] | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        if not callable(app):
            raise ConfigurationError(
                f"app is {type(app).__name__}, which cannot be called; SessionMiddleware(app, keys)"
            )
        check_names(
            "SessionMiddleware(app, keys", [*options_in(keys), *settings], others=("environ_key", "session_class")
        )
        if isinstance(keys, SessionManager) and settings:
            raise ConfigurationError(f"a ready manager has its settings; give {', '.join(settings)} to SessionManager")
        if "." not in environ_key or environ_key in {COOKIES_KEY, MANAGER_KEY} or environ_key.startswith("wsgi."):
            raise ConfigurationError(
                f"environ_key {environ_key!r} is taken, or has no dot (PEP 3333); choose one such as 'myapp.session'"
            )
        self.manager: SessionManager = keys if isinstance(keys, SessionManager) else SessionManager(keys, **settings)
        binding = self.manager.binding
        self.app: WSGIApplication = app if binding is None else BindingEndpoints(app, self.manager, binding=binding)
        self._environ_key = environ_key
        self.session_class: type[SessionT_co] = check_session_class(
            session_class, base=Session, default=_beaker_class() if environ_key == BEAKER_KEY else None
        )
        self._names = self.manager.cookie.family
        self._refuse_second(app)
        named = environ_key not in {SESSION_KEY, BEAKER_KEY}
        self._testing_name = environ_key.replace(".", "_") if named else "session"

    # In two forms, since pyright takes the class's own parameter for its default here, whatever is given.
    @overload
    @classmethod
    def from_env(
        cls,
        app: "WSGIApplication",
        *,
        keys: Keyring | Key | bytes | str | None = None,
        environ: Mapping[str, str] | None = None,
        environ_key: str | None = None,
        session_class: None = None,
        **settings: Unpack[Settings],
    ) -> Self: ...
    @overload
    @classmethod
    def from_env(
        cls,
        app: "WSGIApplication",
        *,
        keys: Keyring | Key | bytes | str | None = None,
        environ: Mapping[str, str] | None = None,
        environ_key: str | None = None,
        session_class: type[S],
        **settings: Unpack[Settings],
    ) -> "SessionMiddleware[S]": ...
    @classmethod
    @without_locals
    def from_env(
        cls,
        app: "WSGIApplication",
        *,
        keys: Keyring | Key | bytes | str | None = None,
        environ: Mapping[str, str] | None = None,
        environ_key: str | None = None,
        session_class: type[Session] | None = None,
        **settings: Unpack[Settings],
    ) -> "SessionMiddleware[Session]":
        """Return a middleware whose settings come from the environment variables ``COOKIESESS_…``.

        ``COOKIESESS_KEYS`` or ``COOKIESESS_KEYS_FILE`` must be set; `cookiesess.manager.flat_settings` lists all
        variables. An argument replaces its variable: `cookie` replaces all ``COOKIESESS_COOKIE_…``, and `lifetime` all
        ``COOKIESESS_LIFETIME_…``.

        Args:
            app: Any WSGI app.
            keys: As in the constructor.
            environ: The variables; by default those of the process. Only ``COOKIESESS_…`` are read.
            environ_key: As in the constructor.
            session_class: As in the constructor.
            **settings: The settings of `SessionManager`.

        Raises:
            ConfigurationError: A variable ``COOKIESESS_…`` is unknown, empty or unreadable; there are no keys; or as in
                the constructor.
            MissingDependency: A store's URL needs a client that is not installed.
            StoreUnavailable: A store does not answer.
        """
        given: dict[str, Any] = {"keys": keys, "environ_key": environ_key}
        given = {**settings, **{name: value for name, value in given.items() if value is not None}}
        found = read_environment(os.environ if environ is None else environ, given=given)
        chosen = cast("type[SessionT_co] | None", session_class)
        return cls(app, session_class=chosen, **{**found, **given})

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Run the app."""
        try:
            exchange = _Exchange(self.manager, environ, self.session_class, self._environ_key)
        except SessionError as error:
            del environ
            drop_locals(error)
            raise
        exchange.server_start, exchange.held, exchange.committed = start_response, None, False
        if _TESTING_KEY in environ:
            environ[_TESTING_KEY][self._testing_name] = exchange.session
        # Error collectors print local variables, and the environ has the Cookie header.
        del environ
        result = None
        try:
            result = self.app(exchange._environ, exchange.start_response)
        finally:
            if result is None:  # it raised
                exchange.abandon()
        return exchange.finish(result)

    def _refuse_second(self, app: object) -> None:
        """Raise where `app` is a middleware that would get into this one's way at every request."""
        while isinstance(app, SessionMiddleware | BindingEndpoints):
            if isinstance(app, BindingEndpoints):
                app = app.app
                continue
            if self._environ_key == app._environ_key or not self._names.isdisjoint(app._names):
                raise ConfigurationError(
                    f"this app is wrapped already, by a SessionMiddleware with environ_key {app._environ_key!r} and the"
                    f" cookie {app.manager.cookie.name!r}; give both settings to one SessionMiddleware, or this one"
                    " its own environ_key= and cookie name"
                )
            app = app.app


def _beaker_class() -> type[Session]:
    # Imported here: adapters stand above this file on the ladder, and few apps need this one.
    return cast("type[Session]", import_module("cookiesess.adapters.beaker").BeakerSession)


class _Exchange(Attachment[Session]):
    """One WSGI request and its response: holds the app's ``start_response`` back until the commit."""

    __slots__ = ("_server_write", "committed", "held", "server_start")

    # What follows is set by whoever makes one; a constructor of its own would be one more call for each request.
    server_start: "StartResponse"
    held: Held | None
    committed: bool
    _server_write: Callable[[bytes], object]

    def start_response(
        self, status: str, response_headers: Headers, exc_info: ExcInfo = None
    ) -> Callable[[bytes], object]:
        """What the app calls. Held back, so that the session can still change."""
        if self.committed:
            # Only with exc_info is a second call legal (PEP 3333); without it the server says so.
            return self.server_start(status, self.with_ours(response_headers), exc_info)
        if self.held is not None and exc_info is None:
            raise SessionError("start_response was called a second time without exc_info, which PEP 3333 forbids")
        self.held = (status, response_headers, exc_info)
        return self._write

    def _write(self, data: bytes) -> None:
        self._begin()
        self._server_write(data)

    def _begin(self) -> None:
        """Commit at the first byte of a body that is still being produced."""
        if self.held is not None:
            self._send_headers(self.held)
            self.stream()

    def _send_headers(self, held: Held) -> None:
        """Commit the session and send the headers on."""
        status, response_headers, exc_info = held
        response_headers = self.commit(response_headers)
        self.committed = True
        self.held = None  # PEP 3333: a kept exc_info is a cycle through the traceback
        if exc_info is None:
            self._server_write = self.server_start(status, response_headers)
        else:
            self._server_write = self.server_start(status, response_headers, exc_info)

    def finish(self, result: Iterable[bytes]) -> Iterable[bytes]:
        """Return what the server gets: the same object where the body is complete, else an iterator around it."""
        answer: Iterable[bytes] | None = None
        try:
            if not (type(result) is list or type(result) is tuple or self.is_file(result)):
                body = Body(result, failed=self.abandon, begins=self._begin, closed=self.close)
                answer = body.begun() if self._server_is_early() else body
            else:
                if self.held is not None:
                    self._send_headers(self.held)
                else:
                    self.close()
                answer = result
        finally:
            if answer is None:
                self._give_up(result)
        return answer

    def _give_up(self, result: object) -> None:
        """The server never gets to see this body, so nobody else would close it."""
        self.abandon()
        close = getattr(result, "close", None)
        if close is not None:
            close()

    def _server_is_early(self) -> bool:
        # PEP 3333 allows start_response as late as with the first item. Granian 2 has read status and headers by then:
        # it would send 200, and none of ours.
        return str(self._environ.get("SERVER_SOFTWARE", "")).startswith("Granian")

    def close(self) -> None:
        """The body is done: save what streaming changed."""
        if self.committed:
            super().close()
        else:
            self.abandon()
