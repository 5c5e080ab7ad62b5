"""``PERMANENT_SESSION_LIFETIME``, ``session.permanent`` and ``SESSION_REFRESH_EACH_REQUEST``."""

import re
from datetime import UTC, datetime, timedelta
from time import time

import flask
import pytest
from flask import session
from werkzeug.http import parse_date

from cookiesess import ConfigurationError, CookiePolicy, Lifetime
from cookiesess.adapters.flask import Cookiesess
from cookiesess.readers.flask import FlaskCookie
from cookiesess.stores.memory import MemoryStore
from kit.constants import DAY, KEY
from kit.flask_site import Site, Visit, lines, make_app, nothing, put, show, vary

PUT = {"put": put(a=1), "show": show, "nothing": nothing}


# Lifetimes


def permanent():
    session.permanent = True
    session["a"] = 1
    return "permanent"


VIEWS = {**PUT, "permanent": permanent, "kind": lambda: str(session.permanent)}


def test_a_session_ends_with_the_browser_window_by_default():
    site = Site(VIEWS)
    assert "Max-Age" not in lines(site.get("/put"))[0]
    assert site.get("/kind").text == "False"


def test_a_permanent_session_outlives_the_window_for_31_days():
    site = Site(VIEWS)
    assert f"; Max-Age={31 * DAY};" in lines(site.get("/permanent"))[0]
    assert site.get("/kind").text == "True"


def test_the_expires_of_a_permanent_session_is_what_flasks_own_suite_asks_for():
    """As ``test_session_expiration`` of Flask's tests/test_basic.py does it."""
    app, permanent = make_app(), True
    Cookiesess(app)

    @app.route("/")
    def index():
        session["test"] = 42
        session.permanent = permanent
        return ""

    @app.route("/test")
    def test():
        return str(session.permanent)

    client = app.test_client()
    match = re.search(r"(?i)\bexpires=([^;]+)", client.get("/").headers["set-cookie"])
    expires, expected = parse_date(match[1]), datetime.now(UTC) + app.permanent_session_lifetime
    assert abs(expires - expected) < timedelta(minutes=1)
    assert client.get("/test").data == b"True"
    permanent = False
    assert re.search(r"(?i)\bexpires=([^;]+)", client.get("/").headers["set-cookie"]) is None


@pytest.mark.parametrize("lifetime", [timedelta(hours=1), 3600])
def test_permanent_session_lifetime_is_a_duration_or_seconds(lifetime):
    site = Site(VIEWS, PERMANENT_SESSION_LIFETIME=lifetime)
    assert "; Max-Age=3600;" in lines(site.get("/permanent"))[0]


@pytest.mark.parametrize("store", [None, MemoryStore], ids=["client-side", "server-side"])
@pytest.mark.parametrize("path", ["/put", "/permanent"])
def test_a_session_that_nobody_uses_ends_after_permanent_session_lifetime(path, store):
    site = Site(VIEWS, PERMANENT_SESSION_LIFETIME=3600, store=store and store())
    site.get(path)
    site.clock.advance(3599)
    assert site.get("/show").text == "{'a': 1}"
    site.clock.advance(3600)
    assert site.get("/show").text == "{}"


def test_a_session_that_is_used_lives_on():
    site = Site(VIEWS)
    site.get("/put")
    for _ in range(40):
        site.clock.advance(30 * DAY)
        assert site.get("/show").text == "{'a': 1}"


def test_a_lifetime_of_ones_own_outranks_the_config():
    lifetime = Lifetime(idle=timedelta(hours=1), absolute=timedelta(hours=2))
    site = Site(VIEWS, lifetime=lifetime, PERMANENT_SESSION_LIFETIME=0)
    assert "; Max-Age=3600;" in lines(site.get("/permanent"))[0]
    for _ in range(3):
        site.clock.advance(2400)
        response = site.get("/show")
    assert response.text == "{}"


def test_a_lifetime_of_nothing_is_an_error_that_names_the_config():
    site = Site(VIEWS, PERMANENT_SESSION_LIFETIME=0, TESTING=True)
    with pytest.raises(ConfigurationError, match="PERMANENT_SESSION_LIFETIME"):
        site.get("/put")


def test_setting_permanent_again_writes_nothing():
    site = Site(VIEWS, SESSION_REFRESH_EACH_REQUEST=False)
    site.get("/permanent")
    assert lines(site.get("/permanent")) == []


def test_a_permanent_session_can_be_made_a_windows_again():
    site = Site(VIEWS)
    visit = Visit(site)
    site.get("/permanent")
    visit(lambda: setattr(session, "permanent", False))
    (line,) = lines(visit.response)
    assert "Max-Age" not in line


def test_setting_permanent_to_what_it_is_changes_nothing():
    site = Site(VIEWS)
    visit = Visit(site)
    site.get("/put")
    visit(lambda: setattr(session, "permanent", False))
    assert lines(visit.response) == []


def test_permanent_alone_makes_no_session():
    site = Site()
    visit = Visit(site)
    visit(lambda: setattr(session, "permanent", True))
    assert lines(visit.response) == []


def test_a_policy_may_make_all_sessions_permanent():
    site = Site(VIEWS, cookie=CookiePolicy("session", secure=False, persistent=True))
    assert "Max-Age" in lines(site.get("/put"))[0]
    assert site.get("/kind").text == "True"


def test_a_visitor_without_a_session_gets_none_where_all_are_permanent():
    site = Site(VIEWS, cookie=CookiePolicy("session", secure=False, persistent=True))
    response = site.get("/nothing")
    assert lines(response) == []
    assert vary(response.headers) == []


# Sessions that Flask itself has written


def switched(path, **settings):
    """A site whose visitor comes with the cookie that Flask's own sessions gave at `path`."""
    reader = FlaskCookie(KEY, until=datetime.now(UTC) + timedelta(days=1))
    site = Site({**VIEWS, "late": late}, accept=[reader], **settings)
    site.clock.advance(time() - site.clock())  # Flask's cookie says when it was signed
    flasks = make_app(VIEWS).test_client()
    flasks.get(path)
    site.client.set_cookie("session", flasks.get_cookie("session").value)
    return site


def late():
    @flask.stream_with_context
    def body():
        yield repr(dict(session))

    return flask.Response(body())


@pytest.mark.parametrize("store", [None, MemoryStore], ids=["client-side", "server-side"])
@pytest.mark.parametrize("path", ["/show", "/nothing"])
def test_a_permanent_session_of_flasks_stays_permanent(path, store):
    site = switched("/permanent", store=store and store())
    assert "; Max-Age=" in lines(site.get(path))[0]
    assert site.get("/kind").text == "True"
    assert site.get("/show").text == "{'a': 1}"


def test_a_session_of_flasks_that_is_not_permanent_stays_so():
    site = switched("/put")
    assert site.get("/show").text == "{'a': 1}"
    assert site.get("/kind").text == "False"


def test_a_permanent_session_of_flasks_that_is_first_read_in_a_stream_is_left_as_it_is():
    site = switched("/permanent", SESSION_REFRESH_EACH_REQUEST=False)
    assert site.get("/late").text == "{'_permanent': True, 'a': 1}"
    assert site.get("/show").text == "{'a': 1}"


# SESSION_REFRESH_EACH_REQUEST


@pytest.mark.parametrize("store", [None, MemoryStore], ids=["client-side", "server-side"])
@pytest.mark.parametrize("path", ["/show", "/nothing", "/missing"])
def test_a_permanent_sessions_cookie_comes_with_every_response(path, store):
    site = Site(VIEWS, store=store and store())
    site.get("/permanent")
    site.clock.advance(60)
    response = site.get(path)
    assert f"; Max-Age={31 * DAY};" in lines(response)[0]
    assert vary(response.headers) == ["Cookie"]


def test_a_permanent_session_is_kept_alive_by_requests_that_do_not_look_at_it():
    site = Site(VIEWS, PERMANENT_SESSION_LIFETIME=100)
    site.get("/permanent")
    for _ in range(3):
        site.clock.advance(99)
        site.get("/nothing")
    assert site.get("/show").text == "{'a': 1}"


def ask():
    session.passive()
    return str(dict(session))


def ask_unseen():
    flask.request.environ["cookiesess.passive"] = True
    return "asked"


@pytest.mark.parametrize("store", [None, MemoryStore], ids=["client-side", "server-side"])
@pytest.mark.parametrize("view", [ask, ask_unseen])
def test_a_request_that_only_asks_does_not_keep_a_permanent_session_alive(view, store):
    site = Site({**VIEWS, "ask": view}, PERMANENT_SESSION_LIFETIME=100, store=store and store())
    site.get("/permanent")
    for _ in range(3):
        site.clock.advance(33)
        assert lines(site.get("/ask")) == []
    site.clock.advance(1)
    assert site.get("/show").text == "{}"


@pytest.mark.parametrize("path", ["/show", "/nothing"])
def test_without_refreshing_the_cookie_comes_when_a_refresh_is_due(path):
    site = Site(VIEWS, SESSION_REFRESH_EACH_REQUEST=False)
    site.get("/permanent")
    site.clock.advance(60)
    assert lines(site.get(path)) == []


@pytest.mark.parametrize("path", ["/show", "/nothing"])
def test_a_session_that_is_not_permanent_is_not_sent_with_every_response(path):
    site = Site(VIEWS)
    site.get("/put")
    site.clock.advance(60)
    assert lines(site.get(path)) == []


@pytest.mark.parametrize("begin", ["/nothing", "/put"])
def test_a_response_that_does_not_depend_on_the_session_says_so(begin):
    site = Site(VIEWS)
    site.get(begin)
    assert vary(site.get("/nothing").headers) == []


@pytest.mark.parametrize("caching", ["public, max-age=60", "s-maxage=60"])
def test_what_is_declared_to_be_shared_carries_no_permanent_session(caching):
    site = Site({**VIEWS, "shared": lambda: flask.Response("logo", headers={"Cache-Control": caching})})
    site.get("/permanent")
    response = site.get("/shared")
    assert lines(response) == []
    assert response.headers["Cache-Control"] == caching


def test_a_view_that_looked_at_the_session_sends_a_permanent_one_whatever_it_declares():
    def view():
        return flask.Response(str(session["a"]), headers={"Cache-Control": "public"})

    site = Site({**VIEWS, "shared": view})
    site.get("/permanent")
    response = site.get("/shared")
    assert "Max-Age" in lines(response)[0]
    assert response.headers["Cache-Control"] == "private"
