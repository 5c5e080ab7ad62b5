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

from typing import TYPE_CHECKING, Any, Final, Generic, Unpack

from cookiesess.adapters import unset
from cookiesess.errors import ConfigurationError, MissingDependency, SessionError, without_locals
from cookiesess.http.jar import Cookies
from cookiesess.manager.manager import SessionManager
from cookiesess.manager.names import check_names
from cookiesess.manager.settings import Settings
from cookiesess.session import flash
from cookiesess.session.session import Session
from cookiesess.tokens.keys import Key, Keyring
from cookiesess.wsgi.attachment import SESSION_KEY, Attachment
from cookiesess.wsgi.binding import ANSWERED_KEY, BindingEndpoints
from cookiesess.wsgi.session_classes import check_session_class

try:
    from pyramid.i18n import TranslationString
    from pyramid.interfaces import IRequest, ISession, ISessionFactory
except ImportError as error:
    raise MissingDependency("pyramid", extra="pyramid") from error

from zope.interface import classImplements

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

__all__ = ["PyramidSession", "PyramidSessionFactory", "session_factory"]

# Where Pyramid's own sessions keep these, so that a session that was one of them goes on.
_CSRF: Final = "_csrft_"
_OLD_FLASHES: Final = "_f_"


class PyramidSession(Session):
    """The class of ``request.session``: a `Session` that also has the methods of `pyramid.interfaces.ISession`.

    All methods of `Session` work: ``request.session.login(owner)``, ``.renew()``, ``.mutate(…)``…

    Attributes:
        cookies: The cookie jar of the same request, as `get_cookies` returns it.
    """

    __slots__ = ("cookies",)

    cookies: Cookies

    @property
    def created(self) -> int:
        """The same as `created_at`."""
        return self.created_at

    @property
    def new(self) -> bool:
        """The same as `is_new`."""
        return self.is_new

    def changed(self) -> None:
        """Do nothing, because the library finds changes inside values by itself."""

    def login(self, owner: str, *, label: str | None = None) -> None:
        """As `Session.login`. Afterwards `get_csrf_token` returns a new token."""
        super().login(owner, label=label)
        # Whoever could see a page before the login knows the token that was in it.
        self.pop(_CSRF, None)

    def flash(self, msg: Any, queue: str = "", allow_duplicate: bool = True) -> None:
        """Keep `msg` for the next page that calls `pop_flash` with this `queue`.

        Args:
            msg: Text, or any other value that sessions carry. A TranslationString is kept as plain text: its message
                ID; or, if it has a ``mapping``, its default text with the mapping filled in.
            queue: The name of the queue; `pop_flashes` calls it the category.
            allow_duplicate: False: do nothing if the queue already has this message.
        """
        if allow_duplicate or flash.plain(msg, self._text_of) not in self.peek_flash(queue):
            super().flash(msg, queue)

    def _text_of(self, value: Any) -> str | None:
        """As `Session`'s. What a ``mapping`` fills in could not be filled in by the page that shows the text."""
        if isinstance(value, TranslationString) and value.mapping:
            return str(value.interpolate())
        return super()._text_of(value)

    def pop_flash(self, queue: str = "") -> list[Any]:
        """Return the messages of `queue`, oldest first, and forget them."""
        return [*self.pop(_OLD_FLASHES + queue, ()), *(each.message for each in self.pop_flashes(queue))]

    def peek_flash(self, queue: str = "") -> list[Any]:
        """Return the messages of `queue`, oldest first, and keep them."""
        waiting = self.peek_flashes(queue)
        return [*self.get(_OLD_FLASHES + queue, ()), *(each.message for each in waiting)]

    def get_csrf_token(self) -> str:
        """Return the CSRF token for Pyramid's own check: 64 characters, the same until the next login.

        Danger: it is the same in each page, unlike `csrf_token`, because Pyramid compares texts. If your pages are
        compressed, an attacker may read it off their length (BREACH): send it in a header, or do not compress pages
        with forms.
        """
        token: str | None = self.get(_CSRF)
        return self._csrf_secret().hex() if token is None else token

    def new_csrf_token(self) -> str:
        """Replace the CSRF token, and return the new one."""
        self.pop(_CSRF, None)
        return self._csrf_secret(anew=True).hex()


if TYPE_CHECKING:
    # As `cookiesess.wsgi.session_classes` has it.
    from typing_extensions import TypeVar

    PyramidT_co = TypeVar("PyramidT_co", bound=PyramidSession, covariant=True, default=PyramidSession)
else:
    from typing import TypeVar

    PyramidT_co = TypeVar("PyramidT_co", bound=PyramidSession, covariant=True)


class PyramidSessionFactory(Generic[PyramidT_co]):
    """Makes the sessions of one Pyramid app. `session_factory` returns it. Thread-safe.

    Attributes:
        manager: The `SessionManager`. In a view, ``get_manager(request)`` returns it.
        session_class: The class of ``request.session``.
    """

    def __init__(self, manager: SessionManager, session_class: type[PyramidT_co] | None = None) -> None:
        self.manager = manager
        self.session_class: type[PyramidT_co] = check_session_class(session_class, base=PyramidSession)

    def __call__(self, request: Any) -> PyramidT_co:
        """Return the session of `request`, and save it with the response.

        It also puts session, jar and manager into the request's environ, for `get_session`, `get_cookies` and
        `get_manager`. These three make the session if nobody has used ``request.session`` yet.

        Raises:
            SessionError: A `SessionMiddleware` around the app has its session in the same place; or sessions are bound
                to devices, and you have not wrapped the app with `answering`.
        """
        environ = request.environ
        if self.manager.binding is not None and "wsgi.input" in environ and ANSWERED_KEY not in environ:
            raise SessionError(
                "with binding= browsers call paths that the app does not know; serve"
                " factory.answering(config.make_wsgi_app()) instead of what config.make_wsgi_app() returns"
            )
        attachment = _PyramidAttachment(self.manager, environ, self.session_class)
        attachment.session.cookies = attachment.cookies
        request.add_response_callback(attachment)
        return attachment.session

    def answering(self, app: "WSGIApplication") -> "WSGIApplication":
        """Return the WSGI app to serve if sessions are bound to devices: it answers the browsers' requests for that.

        Args:
            app: The app that ``config.make_wsgi_app()`` returns. Without ``binding=`` it is returned as it is.
        """
        binding = self.manager.binding
        return app if binding is None else BindingEndpoints(app, self.manager, binding=binding)


classImplements(PyramidSession, ISession)
classImplements(PyramidSessionFactory, ISessionFactory)


class Unset(unset.Unset):
    """The default of `keys`."""

    KEYS = "COOKIESESS_KEYS or COOKIESESS_KEYS_FILE"


@without_locals
def session_factory(
    keys: Keyring | Key | bytes | str | SessionManager | Unset = Unset.KEYS,
    *,
    session_class: type[PyramidT_co] | None = None,
    **settings: Unpack[Settings],
) -> PyramidSessionFactory[PyramidT_co]:
    """Return a factory for ``Configurator(session_factory=…)`` or ``config.set_session_factory(…)``.

    A session is saved when there is a response, also one of an exception view. A request that ends without a response
    saves nothing. Danger: return a new response object for each request, because Pyramid adds the session's cookie to
    the object that the view returned.

    Args:
        keys: A `Keyring`; bytes (one key, verbatim); text (``"current,accepted,…"``); or a `SessionManager`, which
            brings all its settings. If you give no keys, they come from the environment variable ``COOKIESESS_KEYS``,
            or from the file that ``COOKIESESS_KEYS_FILE`` names.
        session_class: The class of ``request.session``: `PyramidSession` (the default), or a subclass with your own
            methods. Views get it by ``get_session(request, ShopSession)``, and type checkers know its type.
        **settings: The settings of `SessionManager`.

    Raises:
        ConfigurationError: A setting is unknown, is wrong or contradicts another one; there are no keys; or you gave
            Pyramid this function instead of its result.
    """
    check_names("session_factory(keys", settings)
    if IRequest.providedBy(keys):
        raise ConfigurationError(
            "Pyramid called session_factory with a request; write session_factory(keys), with its ()"
        )
    if isinstance(keys, SessionManager) and settings:
        raise ConfigurationError(f"a ready manager has its settings; give {', '.join(settings)} to SessionManager")
    if isinstance(keys, Unset):
        keys = Keyring.from_env()
    manager = keys if isinstance(keys, SessionManager) else SessionManager(keys, **settings)
    return PyramidSessionFactory(manager, session_class)


P = TypeVar("P", bound=PyramidSession)


class _PyramidAttachment(Attachment[P]):
    """One request of a Pyramid app; the response callback that commits its session."""

    __slots__ = ("_waited",)

    def __init__(self, manager: SessionManager, environ: "WSGIEnvironment", session_class: type[P]) -> None:
        # A request that is tried again has the same environ; what its first run left there came to nothing.
        again = isinstance(environ.get(SESSION_KEY), PyramidSession)
        self._waited = False
        super().__init__(manager, environ, session_class, whom="this Pyramid app with its session_factory", again=again)

    def __call__(self, request: Any, response: Any) -> None:
        """Commit, and give `response` its headers."""
        if request.response_callbacks and not self._waited:
            # The app's own callbacks may still change the session. Once only: two that wait would wait for ever.
            self._waited = True
            request.add_response_callback(self)
            return
        response.headerlist = self.commit(response.headerlist)
        self._go_on(request, response)

    def _go_on(self, request: Any, response: Any) -> None:
        """Let what comes after the commit be saved where that needs no cookie, and be refused else."""
        body = response.app_iter
        self.stream()
        if isinstance(body, list | tuple) or self.is_file(body):
            # No code of the app runs once the request is finished, and the server needs this very object.
            request.add_finished_callback(lambda _: self.close())
            return
        length = response.content_length
        response.app_iter = self.watched(body)
        response.content_length = length  # which webob forgets with the body
