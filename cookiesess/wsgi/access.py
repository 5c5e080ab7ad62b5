"""How an app reaches its session from whatever its framework hands it."""

from typing import Any

from cookiesess.errors import SessionError
from cookiesess.http.jar import Cookies
from cookiesess.manager.manager import SessionManager
from cookiesess.session.session import Session
from cookiesess.wsgi.middleware import COOKIES_KEY, MANAGER_KEY, SESSION_KEY


def get_session(request: Any, key: str = SESSION_KEY) -> Session:
    """Return the session of a request.

    Args:
        request: A WSGI environ, or an object with ``.environ`` (webob, Flask, Bottle, Pyramid, Django) or ``.env``
            (Falcon).
        key: The middleware's ``environ_key``, by default ``"cookiesess.session"``.

    Raises:
        SessionError: The app is not wrapped in `SessionMiddleware`.
    """
    session: Session = _find(request, key)
    return session


def get_cookies(request: Any) -> Cookies:
    """Return the cookie jar of a request; all middlewares of one stack share it.

    Args:
        request: As `get_session` takes it.

    Raises:
        SessionError: As `get_session`.
    """
    cookies: Cookies = _find(request, COOKIES_KEY)
    return cookies


def get_manager(request: Any, key: str = MANAGER_KEY) -> SessionManager:
    """Return the manager behind a request's session.

    Args:
        request: As `get_session` takes it.
        key: Where it stands in the environ. Beside a session of another ``environ_key`` than the default that is
            ``"<environ_key>.manager"``, such as ``"beaker.session.manager"``.

    Raises:
        SessionError: As `get_session`.
    """
    manager: SessionManager = _find(request, key)
    return manager


def _find(request: Any, key: str) -> Any:
    environ = request
    if type(request) is not dict:  # what PEP 3333 says an environ is
        environ = getattr(request, "environ", None) or getattr(request, "env", None)
    if not isinstance(environ, dict):
        raise SessionError(
            f"{type(request).__name__} is no WSGI environ and has none as .environ or .env; pass the environ"
        )
    try:
        return environ[key]
    except KeyError:
        raise SessionError(
            f"the environ has no {key!r}; wrap the app: app = SessionMiddleware(app, keys), outside of everything that"
            " uses the session; or set up the framework's adapter (for Flask, its SECRET_KEY too)"
        ) from None
