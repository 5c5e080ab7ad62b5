"""How an app reaches its session, its cookies and its manager from what its framework hands it."""

import django.conf
import flask
import pytest
from django.core.handlers.wsgi import WSGIRequest
from webob import Request

from cookiesess import (
    Cookies,
    Session,
    SessionError,
    SessionManager,
    get_cookies,
    get_manager,
    get_session,
)
from kit.constants import PLAIN
from kit.wsgi import WebBrowser, environ_of, wrap

GETTERS = [(get_session, Session), (get_cookies, Cookies), (get_manager, SessionManager)]


class FalconLike:
    """Falcon calls it ``env``."""

    def __init__(self, environ):
        self.env = environ


class BottleLike:
    """Bottle, Pyramid, Django, webob and Flask call it ``environ``."""

    def __init__(self, environ):
        self.environ = environ


if not django.conf.settings.configured:
    django.conf.settings.configure()


@pytest.mark.parametrize(
    "make", [lambda environ: environ, Request, WSGIRequest, BottleLike, FalconLike], ids=lambda make: make.__name__
)
def test_everything_is_reachable_from(make):
    found = []

    def app(environ, start_response):
        request = make(environ)
        found.extend((getter(request), kind, getter(environ)) for getter, kind in GETTERS)
        start_response("200 OK", [*PLAIN])
        return []

    WebBrowser(wrap(app)).get()
    assert len(found) == 3
    assert all(isinstance(thing, kind) and thing is same for thing, kind, same in found)


def test_everything_is_reachable_from_a_flask_request():
    app = flask.Flask("shop")

    @app.get("/")
    def index():
        get_session(flask.request)["name"] = "萧兮"
        get_cookies(flask.request).set("language", "zh")
        return get_manager(flask.request).cookie.name

    @app.get("/name")
    def name():
        return get_session(flask.request)["name"]

    app.wsgi_app = wrap(app.wsgi_app)
    browser = WebBrowser(app)
    assert browser.get("/").text == "__Host-session"
    assert sorted(browser.cookies) == ["__Host-session", "language"]
    assert browser.get("/name").text == "萧兮"


@pytest.mark.parametrize("getter", [getter for getter, _ in GETTERS])
@pytest.mark.parametrize("request_of", [lambda environ: environ, Request, FalconLike], ids=["environ", "webob", "env"])
def test_outside_the_middleware_the_error_says_how_to_wrap_the_app(getter, request_of):
    with pytest.raises(SessionError, match=r"app = SessionMiddleware\(app, keys\)"):
        getter(request_of(environ_of()))


@pytest.mark.parametrize(
    "thing", [None, object(), "environ", 5, FalconLike(None)], ids=lambda thing: type(thing).__name__
)
def test_what_has_no_environ_is_an_error_that_says_so(thing):
    with pytest.raises(SessionError, match="no WSGI environ"):
        get_session(thing)


def test_another_environ_key_is_asked_for_by_name():
    found = []

    def app(environ, start_response):
        found.append(get_session(environ, "shop.session"))
        with pytest.raises(SessionError, match=r"'cookiesess\.session'"):
            get_session(environ)
        start_response("200 OK", [*PLAIN])
        return []

    WebBrowser(wrap(app, environ_key="shop.session")).get()
    assert isinstance(found[0], Session)
