"""Bindings where no middleware of ours is around the app: Flask, Pyramid, and what Django says."""

import json

import flask
import pytest
from pyramid.config import Configurator

from binding.conftest import LATE, PAGES, KeptStore, Site, owner, page
from cookiesess import (
    ConfigurationError,
    CookiePolicy,
    DeviceBinding,
    Lifetime,
    SessionError,
    SessionManager,
    SessionMiddleware,
)
from cookiesess.adapters.flask import Cookiesess, CookiesessInterface
from cookiesess.adapters.pyramid import session_factory
from cookiesess.testing import BoundBrowser, ManualClock
from kit.constants import KEY, NAME


def flask_app(clock, **settings):
    app = flask.Flask(__name__)
    Cookiesess(app, KEY, cookie=CookiePolicy(), lifetime=Lifetime(), clock=clock, **settings)

    @app.get("/<name>")
    def answer(name):
        return flask.jsonify(PAGES[name](flask.session, flask.request.args))

    return app


def pyramid_app(clock, *, wrapped=True, **settings):
    factory = session_factory(KEY, clock=clock, **settings)

    def answer(request):
        return PAGES[request.matchdict["name"]](request.session, request.params)

    with Configurator(session_factory=factory) as config:
        config.add_route("page", "/{name}")
        config.add_view(answer, route_name="page", renderer="json")
    app = config.make_wsgi_app()
    return factory.answering(app) if wrapped else app


@pytest.mark.parametrize("make", [flask_app, pyramid_app])
@pytest.mark.parametrize("kind", ["store", "revocations"])
def test_the_owner_goes_on_and_a_thief_has_nothing(make, kind):
    clock = ManualClock()
    browser = BoundBrowser(make(clock, binding=DeviceBinding(), **{kind: KeptStore()}), clock=clock)
    page(browser, "login")
    assert page(browser, "read")["bound"]
    thief = browser.copied()
    clock.advance(LATE)
    assert owner(thief) is None
    assert page(browser, "read")["bound"]
    assert NAME in browser.cookies


def test_an_interface_without_the_extension_is_refused():
    with pytest.raises(ConfigurationError, match=r"write Cookiesess\(app"):
        CookiesessInterface(KEY, store=KeptStore(), binding=DeviceBinding())


def test_flask_takes_a_ready_manager():
    clock = ManualClock()
    manager = SessionManager(KEY, store=KeptStore(), binding=DeviceBinding(), clock=clock)
    app = flask.Flask(__name__)
    Cookiesess(app, manager)
    app.add_url_rule("/login", "login", lambda: flask.session.login("ann") or "in")
    app.add_url_rule("/read", "read", lambda: json.dumps({"bound": flask.session.bound}))
    browser = BoundBrowser(app, clock=clock)
    browser.get("/login")
    assert page(browser, "read")["bound"]


def test_pyramid_says_where_nobody_answers_for_it():
    clock = ManualClock()
    app = pyramid_app(clock, wrapped=False, store=KeptStore(), binding=DeviceBinding())
    with pytest.raises(SessionError, match=r"factory.answering\(config.make_wsgi_app\(\)\)"):
        BoundBrowser(app, clock=clock).get("/login")


def test_without_binding_nothing_is_wrapped():
    clock = ManualClock()
    app = object()
    assert session_factory(KEY, clock=clock).answering(app) is app
    assert not isinstance(flask_app(clock).wsgi_app, type(Site("server").middleware.app))


def test_a_middleware_around_a_bound_one_is_seen():
    with pytest.raises(ConfigurationError, match="wrapped already"):
        SessionMiddleware(Site("server").middleware, KEY)
    others = {"cookie": CookiePolicy("__Host-outer"), "store": KeptStore(), "binding": DeviceBinding()}
    outer = SessionMiddleware(Site("server").middleware, KEY, environ_key="outer.session", **others)
    with pytest.raises(ConfigurationError, match="wrapped already"):
        SessionMiddleware(outer, KEY)


def test_an_app_that_raises_raises_through():
    site = Site("server")
    with pytest.raises(KeyError):
        site.browser().get("/no-such-page")
