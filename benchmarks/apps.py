"""The handler that is measured, once, and how each framework serves it, bare and with sessions.

Bare is the framework with everything but sessions: what a library costs is what it adds to its own framework, so that
nobody's numbers hold the price of a router.
"""

import itertools
import json
import warnings
from collections.abc import Callable, MutableMapping
from functools import partial
from typing import Any

from benchmarks.harness import SCENARIOS, App, Data, Environ

ROUTES = (*SCENARIOS, "dump", "login", "listed", "nested")

SECRET = "benchmark-secret-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789"  # long enough for SHA-512's block


class Handler:
    """One method a scenario, the same for all; only how one gets at the session differs.

    Args:
        data: What the first visit puts in.
        session_of: Takes the framework's request to its session.
        save: For libraries that want to be told; called where something was changed, and only there.
        mark: For those that want to be told only where something was changed inside a value.
    """

    def __init__(
        self,
        data: Data,
        session_of: Callable[[Any], MutableMapping[str, Any]],
        save: Callable[[Any], None] = lambda session: None,
        mark: Callable[[Any], None] = lambda session: None,
    ) -> None:
        self._data = data
        self._session_of = session_of
        self._save = save
        self._mark = mark
        self._values = itertools.count(1001)  # each write is a change

    def untouched(self, request: Any) -> str:
        return "ok"

    def read(self, request: Any) -> str:
        return str(self._session_of(request)["visits"])

    def write(self, request: Any) -> str:
        session = self._session_of(request)
        value = next(self._values)
        session["visits"] = value
        self._save(session)
        return str(value)

    def first(self, request: Any) -> str:
        session = self._session_of(request)
        for key, value in self._data.items():
            session[key] = value
        self._save(session)
        return "ok"

    def dump(self, request: Any) -> str:
        session = self._session_of(request)
        return json.dumps({key: session[key] for key in self._data})

    def login(self, request: Any) -> str:
        """Log somebody in, in this library's sessions: in all others an owner is one more key."""
        session: Any = self._session_of(request)
        session.login(f"user-{next(self._values) % 100:02}")  # one alone would reach max_sessions_per_owner
        return self.first(request)

    def listed(self, request: Any) -> str:
        return str(len(self._session_of(request)["cart"]))

    def nested(self, request: Any) -> str:
        session = self._session_of(request)
        session["lines"][100]["n"] = value = next(self._values)
        self._mark(session)
        self._save(session)
        return str(value)


class BareHandler(Handler):
    """Answers every route as `untouched` does."""

    def __init__(self) -> None:
        super().__init__({}, lambda request: {})
        for route in ROUTES[1:]:
            setattr(self, route, self.untouched)


def plain_app(handler: Handler) -> App:
    """Serve `handler` by nothing but WSGI; its requests are environs."""
    routes = {f"/{route}": getattr(handler, route) for route in ROUTES}

    def app(environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        body = routes[environ["PATH_INFO"]](environ).encode()
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    return app


# What all plain contestants are compared with.
BARE_WSGI = plain_app(BareHandler())


def flask_app(handler: Handler | None = None, **settings: Any) -> Any:
    """Serve `handler` by Flask, or without one a bare app, whose session interface does nothing."""
    from flask import Flask
    from flask.sessions import NullSession, SessionInterface

    class NoSessions(SessionInterface):
        null = NullSession()

        def open_session(self, app: Any, request: Any) -> NullSession:
            return self.null  # Flask does not save a NullSession, so nothing follows

    app = Flask("benchmark")
    app.config.update(
        SECRET_KEY=SECRET, SESSION_COOKIE_SECURE=True, SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax"
    )
    app.config.update(settings)
    if handler is None:
        handler = BareHandler()
        app.session_interface = NoSessions()
    for route in ROUTES:
        app.add_url_rule(f"/{route}", route, _with_no_argument(getattr(handler, route)))
    return app


def flask_handler(data: Data, kind: type[Handler] = Handler) -> Handler:
    """Return the handler for Flask, whose request is found by itself."""
    from flask import session

    return kind(data, lambda request: session, mark=mark_modified)


def mark_modified(session: Any) -> None:
    """Say what Flask and Django want to hear where something was changed inside a value."""
    session.modified = True


def _with_no_argument(view: Callable[[Any], str]) -> Callable[[], str]:
    return lambda: view(None)


def django_app(handler: Handler | None = None, **settings: Any) -> App:
    """Serve `handler` by Django's WSGIHandler with its session middleware alone, or without a handler a bare app.

    Django has one set of settings a process: the first call's `settings` hold for all, and a test of a benchmark should
    run it in a process of its own.
    """
    import django
    from django.conf import settings as django_settings
    from django.core.handlers.wsgi import WSGIHandler
    from django.http import HttpResponse
    from django.test.utils import override_settings
    from django.urls import path

    if not django_settings.configured:
        django_settings.configure(
            SECRET_KEY=SECRET,
            ALLOWED_HOSTS=["shop.example"],
            DEBUG=False,
            LOGGING_CONFIG=None,
            ROOT_URLCONF=(),  # each app brings its own routes
            USE_I18N=False,
            SESSION_COOKIE_SECURE=True,
            SESSION_COOKIE_HTTPONLY=True,
            SESSION_COOKIE_SAMESITE="Lax",
            SESSION_EXPIRE_AT_BROWSER_CLOSE=True,  # as all others here do, and it spares the date in the cookie
            SESSION_SAVE_EVERY_REQUEST=False,
            COOKIESESS_STORE=None,  # where the engine is ours, sessions are in the cookie
            **settings,
        )
        django.setup(set_prefix=False)

    def view_of(answer: Callable[[Any], str]) -> Callable[[Any], HttpResponse]:
        return lambda request: HttpResponse(answer(request), content_type="text/plain")

    served = handler or BareHandler()
    routes = tuple(path(route, view_of(getattr(served, route))) for route in ROUTES)
    middleware = ["django.contrib.sessions.middleware.SessionMiddleware"] if handler else []
    with override_settings(MIDDLEWARE=middleware):
        wsgi_handler = WSGIHandler()

    return _django_routed(wsgi_handler, routes)


def _django_routed(wsgi_handler: Any, routes: tuple[Any, ...]) -> App:
    """Give each Django app its own routes, by `request.urlconf`, which Django asks for before its settings."""
    original = wsgi_handler.request_class

    class RoutedRequest(original):  # type: ignore[misc, valid-type]
        urlconf = routes

    wsgi_handler.request_class = RoutedRequest
    return wsgi_handler


def pyramid_app(handler: Handler | None = None, *, session_factory: Any = None) -> App:
    """Serve `handler` by Pyramid, with `session_factory`, or a bare app."""
    from pyramid.config import Configurator
    from pyramid.response import Response

    def view_of(answer: Callable[[Any], str]) -> Callable[[Any, Any], Any]:
        return lambda context, request: Response(answer(request), content_type="text/plain")

    served = handler or BareHandler()
    with Configurator(session_factory=session_factory) as config:
        for route in ROUTES:
            config.add_route(route, f"/{route}")
            config.add_view(view_of(getattr(served, route)), route_name=route)
    return config.make_wsgi_app()


def named(build: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    """Return what calls `build` with `arguments`, under its name, by which `available` tells who is left out."""
    bound = partial(build, *arguments)
    bound.__name__ = build.__name__  # type: ignore[attr-defined]
    return bound


def available(*builders: Callable[[], Any]) -> tuple[list[Any], list[str]]:
    """Call `builders`; those whose library is not installed are left out and named."""
    built, missing = [], []
    with warnings.catch_warnings(action="ignore"):  # what a peer imports is not ours to answer for
        for build in builders:
            try:
                built.append(build())
            except ImportError as error:
                missing.append(f"{build.__name__}: {error}")
    return built, missing
