"""A Pyramid app of some views, and a browser in front of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import webtest
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from cookiesess import CookiePolicy, SessionManager
from cookiesess.adapters.pyramid import session_factory
from kit.constants import KEY

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

POLICY = CookiePolicy("session", secure=False)


class Site:
    """A Pyramid app of some views, one URL for each, in front of a browser.

    Args:
        views: Each is served under its own name.
        keys: Keys, or a ready manager, which takes no settings.
        exception_view: What answers where a view raises.
        wrap: What is put around the app.
        settings: Of the manager.
    """

    def __init__(
        self,
        *views: Callable[[Request], Response],
        keys: Any = KEY,
        exception_view: Callable[..., Response] | None = None,
        wrap: Callable[[WSGIApplication], WSGIApplication] = lambda app: app,
        **settings: Any,
    ) -> None:
        settings = {} if isinstance(keys, SessionManager) else {"cookie": POLICY, **settings}
        self.factory = session_factory(keys, **settings)
        with Configurator(session_factory=self.factory) as config:
            for view in views:
                config.add_route(view.__name__, f"/{view.__name__}")
                config.add_view(view, route_name=view.__name__)
            if exception_view is not None:
                config.add_exception_view(exception_view, context=RuntimeError)
            self.configure(config)
            self.app: WSGIApplication = config.make_wsgi_app()
        self.browser = webtest.TestApp(wrap(self.app))

    def configure(self, config: Configurator) -> None:
        """What a subclass adds to the app."""

    def get(self, path: str, **options: Any) -> Any:
        """Make a request; a `webtest.TestResponse`."""
        return self.browser.get(f"/{path}", **options)


def put(request: Request) -> Response:
    """A view that stores something."""
    request.session["a"] = 1
    return Response("put")


def show(request: Request) -> Response:
    """A view that answers with the session's data."""
    return Response(repr(dict(request.session)))


def untouched(request: Request) -> Response:
    """A view that leaves the session alone."""
    return Response("untouched")


def invalidate(request: Request) -> Response:
    """A view that logs out."""
    request.session.invalidate()
    return Response("invalidated")


def fails(request: Request) -> Response:
    """A view that stores something, and raises."""
    request.session["late"] = True
    raise RuntimeError("the view failed")


def invalidates_and_fails(request: Request) -> Response:
    """A view that logs out, and raises."""
    request.session.invalidate()
    raise RuntimeError("the view failed")
