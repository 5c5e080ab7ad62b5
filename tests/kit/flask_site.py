"""A Flask app that keeps to its views, and a browser in front of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers

from cookiesess import SessionManager
from cookiesess.adapters.flask import Cookiesess
from cookiesess.adapters.flask.interface import Unset
from cookiesess.events import Event, NoAbsoluteEnd
from cookiesess.testing import ManualClock
from kit.constants import KEY

View = Callable[[], Any]


def make_app(views: dict[str, View] | None = None, **config: Any) -> flask.Flask:
    """Return a Flask app with one URL for each view, without an extension."""
    app = flask.Flask("shop")
    app.config.update({"SECRET_KEY": KEY, **config})
    for name, view in (views or {}).items():
        app.add_url_rule(f"/{name}", name, view)
    return app


class Site:
    """A Flask app with this library's sessions, a clock that stands still, and a note of every event."""

    def __init__(self, views: dict[str, View] | None = None, *, keys: Any = Unset.KEYS, **settings: Any) -> None:
        self.clock = ManualClock()
        self.events: list[Event] = []
        config = {name: settings.pop(name) for name in list(settings) if name.isupper()}
        self.app = make_app(views, **config)
        self.extension = Cookiesess(self.app, keys, clock=self.clock, on_event=self.events.append, **settings)
        self.client = self.app.test_client()

    @property
    def manager(self) -> SessionManager:
        """The manager that serves the app."""
        return self.extension.interface.manager_of(self.app)

    def get(self, path: str, client: FlaskClient | None = None, **options: Any) -> Any:
        """Make a request, as another client where one is given."""
        return (client or self.client).get(path, buffered=True, **options)

    def names(self) -> list[str]:
        """The events by name, but for what Flask's settings have every site say: that its sessions have no end."""
        return [event.name for event in self.events if not isinstance(event, NoAbsoluteEnd)]


class Visit:
    """Lets a test run one view after the other for one visitor of a site."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.view: View = nothing
        self.result: Any = None
        site.app.add_url_rule("/visit", "visit", self._answer)
        site.app.testing = True

    def _answer(self) -> str:
        self.result = self.view()
        return "visited"

    def __call__(self, view: View) -> Any:
        """Run `view` in a request, and return what it returned."""
        self.view = view
        self.response = self.site.get("/visit")
        return self.result


def lines(response: Any) -> list[str]:
    """The Set-Cookie lines of a response."""
    return list(response.headers.getlist("Set-Cookie"))


def vary(headers: Headers) -> list[str]:
    """What a response varies by."""
    return [field.strip() for value in headers.getlist("Vary") for field in value.split(",")]


def put(**values: Any) -> View:
    """Return a view that stores `values`."""

    def view() -> str:
        flask.session.update(values)
        return "put"

    return view


def show() -> str:
    """A view that answers with the session's data."""
    return repr(dict(flask.session))


def nothing() -> str:
    """A view that leaves the session alone."""
    return "nothing"


def fails() -> str:
    """A view that stores something, and raises."""
    flask.session["seen"] = True
    raise RuntimeError("the view failed")
