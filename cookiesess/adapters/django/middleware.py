"""Django's session middleware, and what sessions that are bound to devices need besides.

An engine is handed the session's cookie alone, and no response. This middleware hands it the bound cookie as well, has
the response ask for a key, and answers what browsers ask by themselves.
"""

import time
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.contrib.sessions import middleware
from django.http import HttpResponse
from django.utils.http import http_date

from cookiesess.adapters.django.shared import session_manager
from cookiesess.errors import ConfigurationError
from cookiesess.http.arrival import HTTPS_ARRIVAL
from cookiesess.http.binding import BoundCookies
from cookiesess.wsgi.binding import answered
from cookiesess.wsgi.transport import Arrived

if TYPE_CHECKING:
    from django.http import HttpRequest

_ENGINE: Final = "cookiesess.adapters.django"


class SessionMiddleware(middleware.SessionMiddleware):  # type: ignore[misc]  # Django ships no types
    """Django's own, for sessions that are bound to devices; it stands in its place in ``MIDDLEWARE``.

    Without ``binding`` in ``COOKIESESS_OPTIONS`` it does what Django's own does.

    Args:
        get_response: What comes after it, as Django hands it in.

    Raises:
        ConfigurationError: ``SESSION_ENGINE`` is another one.
    """

    answers_browsers = True

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        if settings.SESSION_ENGINE != _ENGINE:
            raise ConfigurationError(
                f"in Django's settings, SESSION_ENGINE is {settings.SESSION_ENGINE!r}, of whose sessions"
                f" {__name__}.SessionMiddleware knows nothing; set it to {_ENGINE!r}, or write"
                ' "django.contrib.sessions.middleware.SessionMiddleware" in MIDDLEWARE'
            )

    def process_request(self, request: "HttpRequest") -> HttpResponse | None:
        """Answer a browser that binds its session; else give the request its session."""
        cookies = _bound_cookies()
        if cookies is not None and request.META["PATH_INFO"] in cookies.binding.paths:
            return self._answer(request)
        super().process_request(request)
        if cookies is not None:
            header = request.META.get("HTTP_COOKIE", "")
            request.session.arrive(_Arrival(request.META), shown=cookies.in_header(header))
        return None

    def process_response(self, request: "HttpRequest", response: HttpResponse) -> HttpResponse:
        """Have the response carry the session, and what belongs to its binding."""
        response = super().process_response(request, response)
        cookies = _bound_cookies()
        if cookies is not None and hasattr(request, "session"):
            if request.session.registers:
                response.headers["Secure-Session-Registration"] = request.session.registers
            morsel = response.cookies.get(settings.SESSION_COOKIE_NAME)
            if morsel is not None and not morsel.value:
                for cookie in cookies.expiry(request.META.get("HTTP_COOKIE", ""), HTTPS_ARRIVAL):
                    response.cookies.load(cookie.line)
        return response

    def _answer(self, request: "HttpRequest") -> HttpResponse:
        """Return the answer to what browsers ask by themselves."""
        status, headers, body = answered(session_manager(), request.META)
        response = HttpResponse(body, status=int(status[:3]))
        for name, value in headers:
            if name == "Set-Cookie":
                response.cookies.load(value)
            else:
                response.headers[name] = value
        self._have_it_last(response)
        return response

    def _have_it_last(self, response: HttpResponse) -> None:
        """Give a session's own cookie the life that Django gives it."""
        morsel = response.cookies.get(settings.SESSION_COOKIE_NAME)
        if morsel is None:
            return
        session = self.SessionStore(morsel.value)
        if not session.get_expire_at_browser_close():
            seconds = session.get_expiry_age()
            morsel["max-age"], morsel["expires"] = seconds, http_date(time.time() + seconds)


class _Arrival(Arrived):
    """How a request came, as far as its binding goes; of the cookies' attributes Django's settings alone decide."""

    __slots__ = ()

    def __init__(self, environ: dict[str, Any]) -> None:
        self._environ = environ

    # As everywhere in this adapter; Django sets the session's cookie, whoever sent the form.
    transport = staticmethod(HTTPS_ARRIVAL.transport)
    https = staticmethod(HTTPS_ARRIVAL.https)
    cross_site_post = staticmethod(HTTPS_ARRIVAL.cross_site_post)


def _bound_cookies() -> BoundCookies | None:
    bound = session_manager().operations.parts.bound
    return None if bound is None else bound.cookies
