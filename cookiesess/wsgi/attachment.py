"""The attachment: one manager joined to one request, the same way for WSGI, Flask and Pyramid.

It puts session, jar and manager into the environ, where `get_session`, `get_cookies` and `get_manager` find them; gives
a response its headers at the commit; and lets the request go on while the body is produced. How a framework hands over
its request and its response is that framework's own file.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, overload

from cookiesess.errors import SessionError, drop_locals
from cookiesess.events import StoreNotShared
from cookiesess.http.headers import UNTOUCHED, Commit, Headers, with_ours
from cookiesess.http.jar import Cookies
from cookiesess.http.policy import Transport
from cookiesess.manager.manager import SessionManager
from cookiesess.session.decision import Action
from cookiesess.session.properties import LONGEST_LABEL
from cookiesess.session.session import Session
from cookiesess.wsgi.body import Body
from cookiesess.wsgi.session_classes import S, session_of_class
from cookiesess.wsgi.transport import Arrived, transport_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

SESSION_KEY: Final = "cookiesess.session"
COOKIES_KEY: Final = "cookiesess.cookies"
MANAGER_KEY: Final = "cookiesess.manager"
PASSIVE_KEY: Final = "cookiesess.passive"
"""Set to True by code that has no session in hand, as `Session.passive` does."""

T = TypeVar("T")
_HTTPS: Final = Transport.HTTPS
_CHANGES: Final = (Action.UPDATE, Action.CREATE, Action.DELETE)
_MOVE: Final = Action.MOVE


class Attachment(Arrived, Generic[S]):
    """What joins a manager to a request.

    Args:
        manager: Opens and commits the session.
        environ: The request's.
        session_class: What the app sees.
        environ_key: Where the session stands in the environ.
        whom: How the error calls the app, where the session of an outer middleware stands in the way.
        again: The app runs a second time with this environ, and what its first run has left there does not count.

    Attributes:
        manager: The same.
        session: The request's session.
        jar: The jar of plain cookies, if this attachment is the one to commit it; else None.
        cookies: The jar that the app sees, an outer middleware's perhaps.

    Raises:
        SessionError: Another one that is still open has its session in the same place, or under the same cookie name.
    """

    __slots__ = ("_needs", "_operations", "cookies", "jar", "manager", "session")
    jar: Cookies | None

    def __init__(
        self,
        manager: SessionManager,
        environ: "WSGIEnvironment",
        session_class: type[S],
        environ_key: str = SESSION_KEY,
        *,
        whom: str = "this one",
        again: bool = False,
    ) -> None:
        self.manager = manager
        self._environ = environ
        self._needs: Commit = UNTOUCHED
        if manager.unshared and environ.get("wsgi.multiprocess"):
            manager.unshared = False  # each process says it once
            manager.emit(StoreNotShared())
        header = environ.get("HTTP_COOKIE", "")
        if manager.watched is not None:
            manager.look_at_keys()
        self._operations = operations = manager.operations
        self.session = session = session_class(operations, header)
        if again or COOKIES_KEY not in environ or environ[COOKIES_KEY].closed:
            self.jar = self.cookies = environ[COOKIES_KEY] = Cookies(operations.parts.jars, header, self)
        else:
            self.jar, self.cookies = None, (outer := environ[COOKIES_KEY])
            self._join(outer, session, environ_key, whom)
        environ[environ_key] = session
        environ[MANAGER_KEY if environ_key is SESSION_KEY else manager_key(environ_key)] = manager

    def _join(self, outer: Cookies, session: S, environ_key: str, whom: str) -> None:
        """Share the jar of a middleware around this one, unless they would get into each other's way."""
        _refuse_clashes(self.manager, self._environ, environ_key=environ_key, whom=whom)
        for name in self.manager.cookie.family:
            outer.reserve(session, name)

    def transport(self) -> Transport:
        """How the request came; see `Transport`."""
        return _HTTPS if self.https() else transport_of(self._environ)

    def https(self) -> bool:
        """Whether it came over HTTPS, as far as the server knows."""
        return self._environ.get("wsgi.url_scheme") == "https"

    @property
    def passive(self) -> bool:
        """Whether the app has said that the request is not its user's doing, by `Session.passive` or in the environ."""
        return self.session._passive or bool(self._environ.get(PASSIVE_KEY))

    # The response

    def commit(self, headers: Headers) -> Headers:
        """Commit session and jar, and return what `with_ours` makes of an app's headers.

        Where that raises, nothing of the request is saved.
        """
        needs = None
        if self._environ.get(PASSIVE_KEY):
            self.session.passive()
        try:
            if self.manager.login_label is not None:
                self._label_login(self.manager.login_label)
            needs = self._operations.commit(self.session, self.jar, self)
        finally:
            if needs is None:
                self.abandon()
        self._needs = needs
        return headers if needs is UNTOUCHED else with_ours(headers, needs, emit=self.manager.emit)

    def _label_login(self, label_of: Callable[["WSGIEnvironment"], str | None]) -> None:
        """Give a login that has no label the one that the setting makes of the request."""
        working = self.session._working
        if working is None or not working.asked.login or self.session.label is not None:
            return
        label = label_of(self._environ)
        self.session.label = label[:LONGEST_LABEL] if isinstance(label, str) else label

    @property
    def changed(self) -> bool:
        """Whether `commit` has just written a change, and not a new deadline or a new ID alone."""
        working = self.session._working
        action = working and working.done.action
        return action in _CHANGES or (action is _MOVE and self.session.modified)

    def also_varies(self) -> None:
        """Have the response say that it depends on the request's cookies, though nobody looked at the session."""
        if not self._needs.vary:
            self._needs = self._needs._replace(vary=True)

    def with_ours(self, headers: Headers) -> Headers:
        """Return an app's headers and ours, in a new list: the app's may be shared by all its requests."""
        return headers if self._needs is UNTOUCHED else with_ours(headers, self._needs, emit=self.manager.emit)

    # While the body is produced

    def stream(self) -> None:
        """After `commit`, where code of the app still runs: let what it changes be saved by `close`, or be refused."""
        self._operations.stream(self.session)

    def is_file(self, body: object) -> bool:
        """Whether `body` is one that the server sends by itself, so that it needs this very object."""
        wrapper = self._environ.get("wsgi.file_wrapper")
        return isinstance(wrapper, type) and isinstance(body, wrapper)

    def watched(self, body: Iterable[T], *, closes: bool = True) -> Body[T]:
        """Return `body`, so that nothing is saved where it fails, and else, where it `closes`, what it changed."""
        return Body(body, failed=self.abandon, closed=self.close if closes else None)

    def close(self) -> None:
        """The body is done: save what was changed since `stream`."""
        self._operations.close(self.session)

    def abandon(self) -> None:
        """The app failed: nothing is saved, and the same environ may be used for another run."""
        self._operations.abandon(self.session, self.jar)


def manager_key(environ_key: str) -> str:
    """Return where the manager stands beside a session under `environ_key`."""
    return MANAGER_KEY if environ_key == SESSION_KEY else f"{environ_key}.manager"


def _refuse_clashes(manager: SessionManager, environ: "WSGIEnvironment", *, environ_key: str, whom: str) -> None:
    """Raise where a request that is still running has another session in the same place or under the same name."""
    for key, present in environ.items():
        is_open = isinstance(present, Session) and not present.closed
        other = environ.get(manager_key(key)) if is_open else None
        if other is not None and (key == environ_key or not manager.cookie.family.isdisjoint(other.cookie.family)):
            raise SessionError(
                f"environ[{key!r}] holds the open session of another SessionMiddleware around {whom}, with the cookie"
                f" {other.cookie.name!r}, and {whom} has environ_key {environ_key!r} and the cookie"
                f" {manager.cookie.name!r}; remove one, or give one of them its own environ_key= and cookie name"
            )


# How an app reaches its session from whatever its framework hands it


@overload
def get_session(request: object, key: str = SESSION_KEY) -> Session: ...
@overload
def get_session(request: object, key: type[S]) -> S: ...
def get_session(request: object, key: str | type[Session] = SESSION_KEY) -> Session:
    """Return the session of a request.

    Args:
        request: A WSGI environ, or an object with ``.environ`` (webob, Flask, Bottle, Pyramid, Django) or ``.env``
            (Falcon). In Pyramid give the request, not its environ: only the request can make the session.
        key: The middleware's ``environ_key``, by default ``"cookiesess.session"``; or its ``session_class``, so that
            type checkers know the result: ``get_session(environ, ShopSession).cart()``.

    Raises:
        SessionError: The app is not wrapped in `SessionMiddleware`, and no adapter is set up; or the app's sessions are
            not of that class.
    """
    if type(request) is dict and key in request:
        session: Session = request[key]  # what nearly every request does is no call deeper than it need be
        return session
    try:
        session = _find(request, key)
    except SessionError as error:
        del request  # the environ, perhaps: error collectors print local variables
        drop_locals(error)
        raise
    return session


def get_cookies(request: object) -> Cookies:
    """Return the cookie jar of a request. All middlewares of one stack share it.

    Args:
        request: As in `get_session`.

    Raises:
        SessionError: As in `get_session`.
    """
    try:
        cookies: Cookies = _find(request, COOKIES_KEY)
    except SessionError as error:
        del request
        drop_locals(error)
        raise
    return cookies


def get_manager(request: object, key: str = MANAGER_KEY) -> SessionManager:
    """Return the manager behind a request's session.

    Args:
        request: As in `get_session`.
        key: The key of the manager in the environ. If you have set another ``environ_key``, it is
            ``"<environ_key>.manager"``, such as ``"beaker.session.manager"``.

    Raises:
        SessionError: As in `get_session`.
    """
    try:
        manager: SessionManager = _find(request, key)
    except SessionError as error:
        del request
        drop_locals(error)
        raise
    return manager


def environ_of(request: object) -> "WSGIEnvironment":
    """Return the environ of whatever a framework hands an app.

    Raises:
        SessionError: It has none.
    """
    environ: object = request
    if type(request) is not dict:  # what PEP 3333 says an environ is
        environ = getattr(request, "environ", None) or getattr(request, "env", None)
    if not isinstance(environ, dict):
        raise SessionError(
            f"{type(request).__name__} is no WSGI environ, and has no .environ or .env; pass the environ"
        )
    return environ


def _find(request: object, key: str | type[Session]) -> Any:
    environ: Any = request if type(request) is dict else environ_of(request)
    if key not in environ:
        # Pyramid's request makes its session, and with it what we look for, where somebody asks for it first.
        getattr(request, "session", None)
    if isinstance(key, type):
        return session_of_class(key, environ)
    try:
        return environ[key]
    except KeyError:
        raise SessionError(
            f"the environ has no {key!r}; wrap the app: app = SessionMiddleware(app, keys), outside of everything that"
            " uses the session; or set up the framework's adapter (for Flask, its SECRET_KEY too). In Pyramid pass the"
            " request, not its environ; Django's engine has request.session and session_manager()"
        ) from None
