"""A session cookie that does not cover the page which sets it: browsers drop it, and an event says so."""

import logging

import flask
import pytest
from webob import Request

from cookiesess import CookiePolicy, SessionManager
from cookiesess.adapters.flask import Cookiesess
from cookiesess.events import CookieOutOfReach
from kit.constants import KEY
from kit.views import fill
from kit.wsgi import Server, answering, environ_of, wrap

PATH, DOMAIN = CookieOutOfReach("Path"), CookieOutOfReach("Domain")


def said(events):
    return [event for event in events if isinstance(event, CookieOutOfReach)]


def visit(policy, url="/", *, view=fill, **environ):
    """Return what is said of one request."""
    events = []
    app = wrap(answering(view), cookie=policy, on_event=events.append)
    Server().run(app, Request.blank(url, base_url="https://shop.example", environ=environ).environ)
    return said(events)


@pytest.mark.parametrize("url", ["/", "/login", "/apple", "/ap", "/App", "/x/app"])
def test_a_page_that_is_not_below_the_path_is_told(url):
    assert visit(CookiePolicy("session", path="/app"), url) == [PATH]


@pytest.mark.parametrize("url", ["/app", "/app/", "/app/login", "/app?x=1"])
def test_a_page_below_the_path_is_covered(url):
    assert visit(CookiePolicy("session", path="/app"), url) == []


def test_a_path_with_a_slash_at_its_end_does_not_cover_the_page_without_it():
    assert visit(CookiePolicy("session", path="/app/"), "/app") == [PATH]
    assert visit(CookiePolicy("session", path="/app/"), "/app/") == []


@pytest.mark.parametrize(
    ("mounted", "url", "expected"), [("/app", "", []), ("/app", "/login", []), ("/api", "/app", [PATH])]
)
def test_where_the_app_is_mounted_counts(mounted, url, expected):
    assert visit(CookiePolicy("session", path="/app"), url, SCRIPT_NAME=mounted) == expected


@pytest.mark.parametrize("path", ["/my café", "/my%20caf%C3%A9"])
def test_a_path_beyond_ascii_covers_its_page(path):
    assert visit(CookiePolicy("session", path=path), "/my%20caf%C3%A9/menu") == []
    assert visit(CookiePolicy("session", path=path), "/my%20cafe/menu") == [PATH]


def test_behind_a_proxy_that_takes_a_prefix_off_nobody_can_tell():
    assert visit(CookiePolicy("session", path="/app"), "/login", HTTP_X_FORWARDED_PREFIX="/app") == []


@pytest.mark.parametrize("host", ["localhost", "other.example", "myshop.example", "example", "127.0.0.1", "[::1]:80"])
def test_a_host_outside_of_the_domain_is_told(host):
    assert visit(CookiePolicy("session", domain="shop.example"), HTTP_HOST=host) == [DOMAIN]


@pytest.mark.parametrize("host", ["shop.example", "SHOP.example:8080", "www.shop.example", "a.b.shop.example", ""])
def test_a_host_within_the_domain_is_covered(host):
    assert visit(CookiePolicy("session", domain="Shop.example"), HTTP_HOST=host) == []


def test_an_address_is_within_no_domain_but_itself():
    assert visit(CookiePolicy("session", domain="0.0.1"), HTTP_HOST="127.0.0.1") == [DOMAIN]
    assert visit(CookiePolicy("session", domain="127.0.0.1"), HTTP_HOST="127.0.0.1") == []


def test_the_usual_cookie_covers_every_page():
    assert visit(CookiePolicy(), "/any/page", HTTP_HOST="other.example") == []


@pytest.mark.parametrize("view", [len, lambda session: session.invalidate()], ids=["only read", "ended"])
def test_where_no_cookie_is_set_nothing_is_said(view):
    assert visit(CookiePolicy("session", path="/app"), view=view) == []


def test_it_is_said_once(events):
    app = wrap(answering(fill), cookie=CookiePolicy("session", path="/app"), on_event=events.append)
    for path in ("/app", "/", "/"):
        Server().run(app, environ_of(path))
    assert said(events) == [PATH]


def test_without_a_request_nobody_can_tell(events):
    policy = CookiePolicy("session", path="/app", domain="shop.example")
    manager = SessionManager(KEY, cookie=policy, on_event=events.append)
    session = manager.open("")
    fill(session)
    manager.commit(session)
    assert said(events) == []


def test_it_is_a_warning_with_the_remedy(caplog):
    with caplog.at_level(logging.WARNING, logger="cookiesess"):
        Server().run(wrap(answering(fill), cookie=CookiePolicy("session", path="/app")), environ_of())
    assert caplog.messages == [str(PATH)]
    assert "cookie.out_of_reach attribute=Path: the page that set the session's cookie" in caplog.text


def test_a_flask_app_below_another_root_than_it_is_served_at_is_told(events):
    app = flask.Flask("shop")
    app.config.update(SECRET_KEY=KEY, APPLICATION_ROOT="/app")
    Cookiesess(app, on_event=events.append)
    app.add_url_rule("/login", "login", lambda: flask.session.update(user="ann") or "in")
    app.test_client().get("/login", base_url="https://shop.example")
    assert said(events) == [PATH]
