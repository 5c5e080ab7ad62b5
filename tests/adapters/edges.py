"""The same small shop on every edge: the middleware, Beaker's habits, Flask, Pyramid and Django.

Each is a WSGI app with the same paths. How it logs in is what people write there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from secrets import token_hex
from typing import TYPE_CHECKING, Any, ClassVar

import flask
from django.contrib.auth import login as django_login
from django.contrib.auth import logout as django_logout
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path as django_path
from pyramid.config import Configurator
from pyramid.response import Response as PyramidResponse
from webob import Request

from adapters.django_project import project
from cookiesess import CookiePolicy, Lifetime, SessionManager, SessionMiddleware
from cookiesess.adapters.django import session_manager
from cookiesess.adapters.flask import Cookiesess
from cookiesess.adapters.pyramid import session_factory
from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import ManualClock
from cookiesess.wsgi.attachment import SESSION_KEY
from kit.constants import KEY, PLAIN
from kit.probe import Probe
from kit.wsgi import WebBrowser

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

POLICY = CookiePolicy("session")

SIDES: dict[str, Callable[[], dict[str, Any]]] = {
    "client-side": dict,
    "store": lambda: {"store": MemoryStore()},
    "overflow": lambda: {"overflow": MemoryStore()},
    "revocations": lambda: {"revocations": Probe(MemoryStore()), "lifetime": Lifetime()},
}


class Edge(ABC):
    """A shop on one edge.

    Attributes:
        settings: Of its manager.
        clock: Stands still.
        events: The names of what was emitted.
        meanwhile: What happens in the middle of the next request that logs in or writes, once its session is loaded.
        app: Answers ``/visit``, ``/form``, ``/login``, ``/write``, ``/who``, ``/logout`` and
            ``/goodbye``, which logs out and leaves a message (not on Django's).
        keeps_tokens: A CSRF token from before a login that replaced the session is good for another one.
        makes_tokens: So is one of a form that is made under the old ID, where there had been none.
        keeps_old_ids: A login closes the old ID, and does not delete the session behind it.
        owns: Its logins give the session an owner.
        overflows: It knows more cookies than one.
    """

    keeps_tokens: ClassVar[bool] = True
    makes_tokens: ClassVar[bool] = True
    keeps_old_ids: ClassVar[bool] = True
    owns: ClassVar[bool] = True
    overflows: ClassVar[bool] = True
    app: WSGIApplication

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.clock = ManualClock()
        self.events: list[str] = []
        self.meanwhile: Callable[[], object] | None = None
        self.settings = {"clock": self.clock, "on_event": lambda event: self.events.append(event.name), **settings}

    @contextmanager
    def running(self) -> Iterator[Edge]:
        """Have the app be there."""
        self.app = self.make_app()
        yield self

    @abstractmethod
    def make_app(self) -> WSGIApplication:
        """Return the app."""

    @abstractmethod
    def manager(self) -> SessionManager:
        """Return the app's manager."""

    def browser(self, cookies: Mapping[str, str] | None = None) -> WebBrowser:
        """A browser with these cookies."""
        browser = WebBrowser(self.app)
        browser.cookies = dict(cookies or {})
        return browser

    # What the app does, whatever its edge

    def act(self, name: str, session: Any, query: Mapping[str, str], request: Any = None) -> str:
        """Do what a path stands for, and return the page."""
        page = getattr(self, f"on_{name}")(session, query, request)
        return "" if page is None else str(page)

    def on_visit(self, session: Any, query: Mapping[str, str], request: Any) -> None:
        session["cart"] = "tea"

    def on_form(self, session: Any, query: Mapping[str, str], request: Any) -> str:
        return self.token(session)

    def on_login(self, session: Any, query: Mapping[str, str], request: Any) -> str:
        self.interrupt(session)
        if "token" in query and not self.good(session, query["token"]):
            return "refused"
        self.log_in(session, request)
        return "welcome"

    def on_write(self, session: Any, query: Mapping[str, str], request: Any) -> None:
        self.interrupt(session)
        session["late"] = True

    def on_who(self, session: Any, query: Mapping[str, str], request: Any) -> str:
        return f"{self.who(session)}, {session.get('cart')}, {session.get('late')}"

    def on_logout(self, session: Any, query: Mapping[str, str], request: Any) -> None:
        self.log_out(session, request)

    def on_goodbye(self, session: Any, query: Mapping[str, str], request: Any) -> None:
        self.log_out(session, request)
        session.flash("goodbye")

    def interrupt(self, session: Any) -> None:
        """Have the session loaded, and then happen what happens meanwhile."""
        session.get("cart")
        action, self.meanwhile = self.meanwhile, None
        if action is not None:
            action()

    # As people write it on that edge

    def log_in(self, session: Any, request: Any) -> None:
        session.login("ann")

    def log_out(self, session: Any, request: Any) -> None:
        session.invalidate()

    def who(self, session: Any) -> str | None:
        owner: str | None = session.owner
        return owner

    def token(self, session: Any) -> str:
        text: str = session.csrf_token()
        return text

    def good(self, session: Any, token: str) -> bool:
        return bool(session.check_csrf(token))


class Middleware(Edge):
    """Plain WSGI."""

    environ_key: ClassVar[str] = SESSION_KEY

    def make_app(self) -> WSGIApplication:
        self.middleware = SessionMiddleware(
            self.serve, KEY, environ_key=self.environ_key, **{"cookie": POLICY, **self.settings}
        )
        return self.middleware

    def serve(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        page = self.act(request.path_info.strip("/"), environ[self.environ_key], request.GET)
        start_response("200 OK", [*PLAIN])
        return [page.encode()]

    def manager(self) -> SessionManager:
        return self.middleware.manager


class Beaker(Middleware):
    """An app that was written for Beaker."""

    environ_key = "beaker.session"
    owns = False

    def log_in(self, session: Any, request: Any) -> None:
        session.regenerate_id()
        session["user"] = "ann"
        session.save()

    def log_out(self, session: Any, request: Any) -> None:
        session.delete()

    def who(self, session: Any) -> str | None:
        user: str | None = session.get("user")
        return user


class BeakerLast(Beaker):
    """The same, the other way round."""

    def log_in(self, session: Any, request: Any) -> None:
        session["user"] = "ann"
        session.regenerate_id()
        session.save()


class Flask(Edge):
    """Flask, with the verb of this library."""

    def make_app(self) -> WSGIApplication:
        self.flask = flask.Flask("shop")
        self.extension = Cookiesess(self.flask, KEY, **{"cookie": POLICY, **self.settings})
        self.flask.add_url_rule("/<name>", "page", self.serve, methods=["GET", "POST"])
        return self.flask

    def serve(self, name: str) -> str:
        return self.act(name, flask.session, flask.request.args)

    def manager(self) -> SessionManager:
        return self.extension.interface.manager_of(self.flask)


class FlaskClearing(Flask):
    """Flask, as its own documentation logs in."""

    keeps_tokens = keeps_old_ids = owns = False  # what clear() has ended is gone

    def log_in(self, session: Any, request: Any) -> None:
        session.clear()
        session["user"] = "ann"

    def log_out(self, session: Any, request: Any) -> None:
        session.clear()

    def who(self, session: Any) -> str | None:
        user: str | None = session.get("user")
        return user


class FlaskForms(Flask):
    """Flask, with an extension that keeps the secret of its forms in the session, as Flask-WTF does."""

    makes_tokens = False

    def token(self, session: Any) -> str:
        secret: str = session.setdefault("csrf_token", token_hex(20))
        return secret

    def good(self, session: Any, token: str) -> bool:
        return bool(session.get("csrf_token") == token)


class Pyramid(Edge):
    """Pyramid, with the CSRF token that its own check compares."""

    def make_app(self) -> WSGIApplication:
        self.factory = session_factory(KEY, **{"cookie": POLICY, **self.settings})
        with Configurator(session_factory=self.factory) as config:
            config.add_route("page", "/{name}")
            config.add_view(self.serve, route_name="page")
            app: WSGIApplication = config.make_wsgi_app()
        return app

    def serve(self, request: Any) -> PyramidResponse:
        return PyramidResponse(self.act(request.matchdict["name"], request.session, request.GET))

    def manager(self) -> SessionManager:
        return self.factory.manager

    def token(self, session: Any) -> str:
        text: str = session.get_csrf_token()
        return text

    def good(self, session: Any, token: str) -> bool:
        return bool(session.get_csrf_token() == token)


class Django(Edge):
    """Django with its own logins. (Its CSRF token travels in a cookie of its own.)"""

    keeps_tokens = overflows = False

    @contextmanager
    def running(self) -> Iterator[Edge]:
        options = {"COOKIESESS_STORE": self.settings.pop("store", None), "COOKIESESS_OPTIONS": self.settings}
        self.urlpatterns = [django_path("<name>", self.serve)]
        with project(), override_settings(ROOT_URLCONF=self, ALLOWED_HOSTS=["shop.example"], **options):
            self.app = self.make_app()
            yield self

    def make_app(self) -> WSGIApplication:
        from django.contrib.auth.models import User

        self.user = User.objects.get(username="ann")
        app: WSGIApplication = WSGIHandler()
        return app

    def serve(self, request: Any, name: str) -> HttpResponse:
        return HttpResponse(self.act(name, request.session, request.GET, request))

    def manager(self) -> SessionManager:
        return session_manager()

    def log_in(self, session: Any, request: Any) -> None:
        django_login(request, self.user)

    def log_out(self, session: Any, request: Any) -> None:
        django_logout(request)

    def who(self, session: Any) -> str | None:
        return "ann" if session.get("_auth_user_id") == str(self.user.pk) else None


EDGES: list[type[Edge]] = [Middleware, Beaker, BeakerLast, Flask, FlaskClearing, FlaskForms, Pyramid, Django]
