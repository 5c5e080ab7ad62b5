"""Sessions for Pyramid apps: ``request.session``, kept by this library.

::

    import os

    from pyramid.config import Configurator

    from cookiesess.adapters.pyramid import session_factory

    keys = os.environ["COOKIESESS_KEYS"]
    with Configurator(session_factory=session_factory(keys)) as config:                             # client-side
        ...
    with Configurator(session_factory=session_factory(keys, store=SQLiteStore("sessions.db"))):     # server-side
        ...

No middleware is needed.
"""

from functools import partial
from typing import TYPE_CHECKING, Any, Final, Unpack

from cookiesess.errors import ConfigurationError, MissingDependency, SessionError
from cookiesess.events import SharedCachingPrevented
from cookiesess.http import headers
from cookiesess.http.jar import Cookies
from cookiesess.manager.manager import SessionManager
from cookiesess.manager.settings import Settings, check_names
from cookiesess.session.session import Session
from cookiesess.session.state import FLASHES
from cookiesess.tokens.keys import Key, Keyring
from cookiesess.wsgi.body import Body
from cookiesess.wsgi.exchange import warn_if_unshared
from cookiesess.wsgi.middleware import COOKIES_KEY, MANAGER_KEY, SESSION_KEY
from cookiesess.wsgi.transport import transport_of

try:
    from pyramid.interfaces import ISession, ISessionFactory
except ImportError as error:
    raise MissingDependency("pyramid", extra="pyramid") from error

from zope.interface import classImplements

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

__all__ = ["PyramidSession", "PyramidSessionFactory", "session_factory"]

# Where Pyramid's own sessions keep these, so that a session that was one of them goes on.
_CSRF: Final = "_csrft_"
_OLD_FLASHES: Final = "_f_"
_CSRF_BYTES: Final = 32


class PyramidSession(Session):
    """A `Session` with the methods of `pyramid.interfaces.ISession`; ``request.session``.

    All of `Session` is there too: ``request.session.login(owner)``, ``.renew()``, ``.mutate(…)``…

    Attributes:
        cookies: The jar of the same request, as `get_cookies` returns it.
    """

    __slots__ = ("cookies",)

    cookies: Cookies

    @property
    def created(self) -> int:
        """As `created_at`."""
        return self.created_at

    @property
    def new(self) -> bool:
        """As `is_new`."""
        return self.is_new

    def changed(self) -> None:
        """Nothing: what was changed inside a value is found without being told."""

    def login(self, owner: str) -> None:
        """As `Session.login`; the token of `get_csrf_token` is a new one afterwards."""
        super().login(owner)
        # Whoever could see a page before the login knows the token that was in it.
        self.pop(_CSRF, None)

    def flash(self, msg: Any, queue: str = "", allow_duplicate: bool = True) -> None:
        """Keep `msg` for the next page that calls `pop_flash` with this `queue`.

        Args:
            msg: Text, or anything that sessions carry.
            queue: `pop_flashes` has it as the category.
            allow_duplicate: False: do nothing where the queue has such a message already.
        """
        if allow_duplicate or msg not in self.peek_flash(queue):
            super().flash(msg, queue)

    def pop_flash(self, queue: str = "") -> list[Any]:
        """Return the messages of `queue`, oldest first, and forget them."""
        return [*self.pop(_OLD_FLASHES + queue, ()), *(each.message for each in self.pop_flashes(queue))]

    def peek_flash(self, queue: str = "") -> list[Any]:
        """Return the messages of `queue`, oldest first, and keep them."""
        waiting = (self._draft or self._load()).extras.data.get(FLASHES, ())
        return [*self.get(_OLD_FLASHES + queue, ()), *(message for message, kind in waiting if kind == queue)]

    def get_csrf_token(self) -> str:
        """Return the token that Pyramid's own check compares with: 64 characters, the same until the next login.

        It is not masked, as `csrf_token` is: Pyramid compares text with text. Where secrets in compressed pages could
        be read off their length (BREACH), send it in a header or leave compression off for pages with forms.
        """
        token: str | None = self.get(_CSRF)
        return self.new_csrf_token() if token is None else token

    def new_csrf_token(self) -> str:
        """Replace the token, and return the new one."""
        token = self[_CSRF] = self._context.random_bytes(_CSRF_BYTES).hex()
        return token


class PyramidSessionFactory:
    """Makes the sessions of one Pyramid app; what `session_factory` returns. Thread-safe.

    Attributes:
        manager: The `SessionManager` behind it. In a view, ``get_manager(request)`` leads to it once
            ``request.session`` was looked at.
    """

    def __init__(self, manager: SessionManager) -> None:
        self.manager = manager

    def __call__(self, request: Any) -> PyramidSession:
        """Return the session of `request`, and see to it that its response carries it.

        It also leaves session, jar and manager in the request's environ, where `get_session`, `get_cookies` and
        `get_manager` find them.

        Raises:
            SessionError: A `SessionMiddleware` around the app has its session in the same place.
        """
        environ = request.environ
        present, jar = environ.get(SESSION_KEY), environ.get(COOKIES_KEY)
        # A request that is tried again has the same environ; what its first run left there came to nothing.
        again = isinstance(present, PyramidSession)
        if isinstance(present, Session) and not again and not present.closed:
            raise _nested(self.manager)
        if self.manager._unshared:
            warn_if_unshared(self.manager, environ)
        cookie_header = environ.get("HTTP_COOKIE", "")
        session = self.manager.open(cookie_header, session_class=PyramidSession)
        exchange = _Callback(self.manager, session, environ)
        if again or jar is None or not jar.open:
            jar = exchange.jar = environ[COOKIES_KEY] = self.manager.jar(cookie_header, transport=exchange.transport)
        else:
            for name in self.manager.cookie.family:
                jar.reserve(session, name)
        session.cookies = jar
        environ[SESSION_KEY], environ[MANAGER_KEY] = session, self.manager
        request.add_response_callback(exchange)
        return session


classImplements(PyramidSession, ISession)
classImplements(PyramidSessionFactory, ISessionFactory)


def session_factory(
    keys: Keyring | Key | bytes | str | SessionManager, **settings: Unpack[Settings]
) -> PyramidSessionFactory:
    """Return a factory for ``Configurator(session_factory=…)`` or ``config.set_session_factory(…)``.

    Sessions are committed when the response is there, also where an exception view made it; a request that ends
    without a response saves nothing. Give each request a response object of its own: Pyramid adds the session's cookie
    to the very object that the view returned.

    Args:
        keys: A `Keyring`; bytes (one key, verbatim); text (``"current,accepted,…"``); or a `SessionManager`, which then
            has all the settings.
        **settings: As `SessionManager` takes them.

    Raises:
        ConfigurationError: A setting that is unknown, wrong or contradicts another.
    """
    check_names("session_factory(keys", settings)
    if isinstance(keys, SessionManager) and settings:
        raise ConfigurationError(f"a ready manager has its settings; give {', '.join(settings)} to SessionManager")
    return PyramidSessionFactory(keys if isinstance(keys, SessionManager) else SessionManager(keys, **settings))


class _Callback:
    """The response callback of one request: commits its session."""

    def __init__(self, manager: SessionManager, session: PyramidSession, environ: "WSGIEnvironment") -> None:
        self._manager = manager
        self._session = session
        self._environ = environ
        self._waited = False
        self.jar: Cookies | None = None
        self.transport = partial(transport_of, environ)

    def __call__(self, request: Any, response: Any) -> None:
        """Commit, and give `response` its headers."""
        if request.response_callbacks and not self._waited:
            # The app's own callbacks may still change the session. Once only: two that wait would wait for ever.
            self._waited = True
            request.add_response_callback(self)
            return
        needs = None
        try:
            needs = self._manager.commit(self._session, self.jar, transport=self.transport)
        finally:
            if needs is None:  # it raised
                self._manager.abandon(self._session, self.jar)
        cookies, vary = needs
        if vary or cookies:
            response.headerlist, prevented = headers.with_ours(response.headerlist, cookies, vary=vary)
            if prevented:
                self._manager.emit(SharedCachingPrevented())
        self._go_on(request, response)

    def _go_on(self, request: Any, response: Any) -> None:
        """Let what comes after the commit be saved where that needs no cookie, and be refused else."""
        body, wrapper = response.app_iter, self._environ.get("wsgi.file_wrapper")
        self._manager.settle(self._session)
        if isinstance(body, list | tuple) or (isinstance(wrapper, type) and isinstance(body, wrapper)):
            # No code of the app runs once the request is finished, and the server needs this very object.
            request.add_finished_callback(lambda _: self._manager.close(self._session))
            return
        length = response.content_length
        failed, closed = partial(self._manager.abandon, self._session), partial(self._manager.close, self._session)
        response.app_iter = Body(body, failed=failed, closed=closed)
        response.content_length = length  # which webob forgets with the body


def _nested(manager: SessionManager) -> SessionError:
    return SessionError(
        f"environ[{SESSION_KEY!r}] holds the open session of a SessionMiddleware around this Pyramid app, which has a"
        f" session factory of its own ({manager.cookie.name!r} would be the second cookie); remove one, or give the"
        " middleware its own environ_key= and cookie name"
    )
