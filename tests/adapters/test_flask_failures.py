"""What fails: values, views, the store, and another layer around the app."""

import flask
import pytest
from flask import session

from cookiesess import (
    CookiePolicy,
    CookieTooLarge,
    NotSerializable,
    SessionError,
    SessionMiddleware,
    StoreUnavailable,
    get_cookies,
    get_session,
)
from cookiesess.stores.memory import MemoryStore
from kit.constants import KEY
from kit.flask_site import Site, fails, lines, nothing, put, show, vary
from kit.probe import Probe

VIEWS = {"put": put(a=1), "show": show, "nothing": nothing, "fails": fails}


# What fails


@pytest.mark.parametrize("error", [CookieTooLarge, NotSerializable])
def test_what_cannot_be_saved_is_an_error_page_without_a_session(error, caplog):
    def view():
        session["small"] = []
        session["small"].append("x" * 5000 if error is CookieTooLarge else object())
        return "page"

    site = Site({"page": view})
    response = site.get("/page")
    assert response.status_code == 500
    assert lines(response) == []
    assert [type(record.exc_info[1]) for record in caplog.records if record.exc_info] == [error]


def test_an_error_page_that_reads_the_session_varies_by_cookie():
    site = Site({**VIEWS, "page": lambda: session.update(big="x" * 5000) or "page"})
    site.app.register_error_handler(500, lambda error: (str(session["a"]), 500))
    site.get("/put")
    response = site.get("/page")
    assert (response.status_code, response.text) == (500, "1")
    assert vary(response.headers) == ["Cookie"]
    assert lines(response) == []


def test_what_an_unhandled_error_left_in_the_session_is_saved_as_flask_does():
    site = Site(VIEWS)
    assert site.get("/fails").status_code == 500
    assert site.get("/show").text == "{'seen': True}"


def test_an_error_that_goes_to_the_server_saves_nothing():
    site = Site(VIEWS, PROPAGATE_EXCEPTIONS=True)
    with pytest.raises(RuntimeError):
        site.get("/fails")
    assert site.get("/show").text == "{}"


@pytest.fixture(params=[None, MemoryStore], ids=["client-side", "server-side"])
def failing_late(request):
    """A site whose requests to /put fail after the session has been saved."""
    site = Site(VIEWS, store=request.param and request.param())

    def fail(app, response):
        if flask.request.path == "/put" and response.status_code == 200:
            raise RuntimeError("a signal's receiver failed")

    with flask.request_finished.connected_to(fail, site.app):
        yield site


def test_an_error_after_the_commit_answers_with_the_same_cookie(failing_late):
    assert failing_late.get("/put").status_code == 500
    assert failing_late.get("/show").text == "{'a': 1}"


@pytest.mark.parametrize("failing_late", [MemoryStore], indirect=True)
def test_what_an_error_page_after_the_commit_changes_is_saved_server_side(failing_late):
    def page(error):
        session["b"] = 2
        return "page", 500

    failing_late.app.register_error_handler(500, page)
    failing_late.get("/put")
    assert failing_late.get("/show").text == "{'a': 1, 'b': 2}"


@pytest.fixture
def store():
    """A store that can be taken down."""
    return Probe(MemoryStore())


def known(store, **settings):
    """A site whose visitor has a session in `store`."""
    site = Site({**VIEWS, "permanent": permanent}, store=store, **settings)
    site.get("/put")
    return site


def permanent():
    session.permanent = True
    return "permanent"


def test_a_store_that_is_down_is_the_views_error(store):
    site = known(store, TESTING=True)
    store.down = set(Probe.VERBS)
    with pytest.raises(StoreUnavailable):
        site.get("/show")


def test_a_store_that_is_down_can_be_answered_by_an_error_handler(store):
    site = Site(VIEWS, store=store)
    site.app.register_error_handler(StoreUnavailable, lambda error: ("come back later", 503))
    site.get("/put")
    store.down = set(Probe.VERBS)
    response = site.get("/show")
    assert (response.status_code, response.text) == (503, "come back later")
    assert lines(response) == []


def test_a_page_that_does_not_need_the_session_works_while_the_store_is_down(store):
    site = known(store)
    site.get("/permanent")
    store.down = set(Probe.VERBS)
    response = site.get("/nothing")
    assert response.text == "nothing"
    assert lines(response) == []
    store.down = set()
    assert site.get("/show").text == "{'a': 1}"


def test_a_write_while_the_store_is_down_is_an_error_page(store):
    site = known(store)
    store.down = {"create"}
    response = site.get("/put", site.app.test_client())
    assert response.status_code == 500
    assert lines(response) == []
    assert store.calls.count("create") == 2  # one for each visitor: an error page does not try again


def test_anonymous_visitors_are_served_while_the_store_is_down(store):
    site = known(store, on_store_error="anonymous")
    store.down = set(Probe.VERBS)
    response = site.get("/show")
    assert response.text == "{}"
    assert lines(response) == []


# Another layer around the app


def test_a_middleware_around_the_app_is_an_error_that_names_both():
    site = Site(VIEWS, TESTING=True)
    site.app.wsgi_app = SessionMiddleware(site.app.wsgi_app, KEY)
    with pytest.raises(SessionError, match=r"SessionMiddleware .* CookiesessInterface"):
        site.get("/show")


def test_a_middleware_around_the_app_is_an_error_page_in_production(caplog):
    site = Site(VIEWS)
    site.app.wsgi_app = SessionMiddleware(site.app.wsgi_app, KEY)
    assert site.get("/show").status_code == 500
    assert [record.levelname for record in caplog.records if record.name != "cookiesess"] == ["ERROR"]


def test_a_middleware_with_its_own_key_and_cookie_goes_together_with_the_app():
    def view():
        get_session(flask.request, "outer.session")["b"] = 2
        get_cookies(flask.request).set("plain", "value")
        session["a"] = 1
        return "page"

    site = Site({"page": view})
    outer = CookiePolicy("outer", secure=False)
    site.app.wsgi_app = SessionMiddleware(site.app.wsgi_app, KEY, environ_key="outer.session", cookie=outer)
    assert sorted(line.partition("=")[0] for line in lines(site.get("/page"))) == ["outer", "plain", "session"]


def test_a_middleware_with_the_same_cookie_is_an_error():
    site = Site(VIEWS, TESTING=True)
    outer = CookiePolicy("session", secure=False)
    site.app.wsgi_app = SessionMiddleware(site.app.wsgi_app, KEY, environ_key="outer.session", cookie=outer)
    with pytest.raises(SessionError, match="'session'"):
        site.get("/show")
