"""Whole requests of Flask apps: headers, what a browser may send, contexts and threads."""

import sys
import threading
from importlib import import_module

import flask
import pytest
from flask import session
from flask.sessions import SecureCookieSessionInterface

from cookiesess import (
    CookiePolicy,
    Keyring,
    MissingDependency,
    SessionManager,
)
from cookiesess.adapters.flask import Cookiesess
from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore
from kit.constants import KEY
from kit.flask_site import Site, Visit, fails, lines, make_app, nothing, put, show, vary

VIEWS = {"put": put(a=1), "show": show, "nothing": nothing, "fails": fails}


def responding(body="page", **headers):
    """A view that reads the session and answers with `headers`."""

    def view():
        session.get("a")
        return flask.Response(body, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return view


# Headers


def test_a_response_that_looked_at_the_session_varies_by_cookie():
    assert vary(Site(VIEWS).get("/show").headers) == ["Cookie"]


def test_a_response_that_did_not_look_at_it_has_no_header_of_ours():
    response = Site(VIEWS).get("/nothing")
    assert "Vary" not in response.headers
    assert "Cache-Control" not in response.headers


@pytest.mark.parametrize(("before", "after"), [("cookie", ["cookie"]), ("*", ["*"]), ("Accept", ["Accept", "Cookie"])])
def test_vary_is_merged_and_never_doubled(before, after):
    assert vary(Site({"page": responding(Vary=before)}).get("/page").headers) == after


def test_asking_for_the_session_is_enough_to_vary():
    site = Site({"page": lambda: repr(session)})
    response = site.get("/page")
    assert response.text == "<Session, not touched yet>"
    assert vary(response.headers) == ["Cookie"]


def test_a_page_that_was_made_from_a_session_is_private_unless_the_view_says_how_it_may_be_cached():
    site = Site({**VIEWS, "public": responding(Cache_Control="public, max-age=60")})
    assert "Cache-Control" not in site.get("/show").headers  # nobody's
    site.get("/put")
    assert site.get("/show").headers["Cache-Control"] == "private"
    assert site.get("/public").headers["Cache-Control"] == "public, max-age=60"
    assert "Cache-Control" not in site.get("/nothing").headers


def test_a_session_cookie_is_kept_out_of_shared_caches():
    def view():
        session["a"] = 1
        response = flask.Response("page")
        response.cache_control.public = True
        response.cache_control.max_age = 60
        return response

    site = Site({"page": view})
    assert site.get("/page").headers["Cache-Control"] == "max-age=60, private"
    assert "response.shared_caching_prevented" in site.names()


def test_the_apps_own_cookies_and_headers_stay():
    def view():
        session["a"] = 1
        response = flask.Response("page")
        response.set_cookie("user_id", "settings cookie")
        response.headers["X-Own"] = "yes"
        return response

    response = Site({"page": view}).get("/page")
    assert [line.partition("=")[0] for line in lines(response)] == ["user_id", "session"]
    assert response.headers["X-Own"] == "yes"


def test_whoever_holds_the_headers_sees_the_cookie():
    site = Site(VIEWS)
    held = []
    site.app.after_request(lambda response: held.append(response.headers) or response)
    site.get("/put")
    assert held[0]["Set-Cookie"].startswith("session=")


def test_a_secure_cookie_over_plain_http_is_said_aloud():
    site = Site(VIEWS, SESSION_COOKIE_SECURE=True)
    site.get("/put")
    assert "cookie.secure_over_http" in site.names()


# What a browser may send


@pytest.mark.parametrize(
    "cookie",
    [
        "session=",
        "session=garbage",
        "session=AQIDBAUGBwgJ",
        "session=" + "A" * 4000,
        'session="\\377\\000"',
        "session=\xff\xfe",
        "session=eyJhIjoxfQ.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb",
        ";;;=;session",
        "session=a; session=b; session=c; session=d; session=e; session=f",
    ],
)
@pytest.mark.parametrize("store", [None, MemoryStore], ids=["client-side", "server-side"])
@pytest.mark.parametrize("path", ["/show", "/nothing", "/put"])
def test_no_cookie_breaks_a_request(cookie, store, path):
    site = Site(VIEWS, store=store and store())
    response = site.get(path, site.app.test_client(use_cookies=False), headers={"Cookie": cookie})
    assert response.status_code == 200
    assert response.text in {"{}", "nothing", "put"}


def test_a_cookie_that_does_not_open_is_left_alone_whether_somebody_looks_or_not():
    site = Site(VIEWS)
    site.client.set_cookie("session", "garbage")
    assert lines(site.get("/nothing")) == lines(site.get("/show")) == []
    assert set(site.names()) == {"session.rejected"}


def test_flasks_own_cookie_opens_nothing():
    site = Site(VIEWS)
    theirs = make_app(VIEWS).test_client()
    theirs.get("/put")
    site.client.set_cookie("session", theirs.get_cookie("session").value)
    assert site.get("/show").text == "{}"


# Contexts, blueprints, threads


def test_a_blueprint_shares_the_session():
    blueprint = flask.Blueprint("account", __name__, url_prefix="/account")
    blueprint.add_url_rule("/show", "show", show)
    site = Site(VIEWS)
    site.app.register_blueprint(blueprint)
    site.get("/put")
    assert site.get("/account/show").text == "{'a': 1}"


def test_a_nested_request_context_has_a_session_of_its_own():
    site = Site(VIEWS)

    def view():
        session["a"] = "outer"
        with site.app.test_request_context():
            session["a"] = "inner"
        return session["a"]

    assert Visit(site)(view) == "outer"
    assert site.get("/show").text == "{'a': 'outer'}"


def test_a_copied_request_context_shares_the_session():
    site = Site(VIEWS)

    def view():
        thread = threading.Thread(target=flask.copy_current_request_context(lambda: session.update(b=2)))
        thread.start()
        thread.join()
        return "page"

    Visit(site)(view)
    assert site.get("/show").text == "{'b': 2}"


def test_what_after_request_functions_change_is_saved():
    site = Site(VIEWS)
    site.app.after_request(lambda response: session.update(after=True) or response)
    site.get("/nothing")
    assert site.get("/show").text == "{'after': True}"


def test_parallel_requests_lose_nothing_server_side(tmp_path):
    store = SQLiteStore(tmp_path / "sessions.db")
    barrier = threading.Barrier(4)

    def count():
        barrier.wait(30)
        session.mutate(lambda data: data.update(n=data.get("n", 0) + 1))
        session[flask.request.args["key"]] = True
        return "counted"

    site = Site({**VIEWS, "count": count, "sum": lambda: f"{session['n']} {len(session)}"}, store=store)
    site.get("/put")
    cookie = f"session={site.client.get_cookie('session').value}"

    def work(number):
        client = site.app.test_client(use_cookies=False)
        for turn in range(10):
            site.get(f"/count?key={number}-{turn}", client, headers={"Cookie": cookie})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert site.get("/sum").text == "40 42"
    store.close()


def test_a_session_that_was_ended_does_not_come_back_from_a_slow_request():
    site = Site(VIEWS, store=MemoryStore())

    def slow():
        session["a"] = 2
        site.manager.end_all("user-1")
        return "slow"

    visit = Visit(site)
    visit(lambda: session.login("user-1"))
    visit(slow)
    assert visit(lambda: (session.owner, dict(session))) == (None, {})


# The library's own place in Flask


def test_another_interface_can_be_put_back():
    app = make_app(VIEWS)
    Cookiesess(app)
    app.session_interface = SecureCookieSessionInterface()
    client = app.test_client()
    client.get("/put")
    assert client.get("/show").text == "{'a': 1}"


def test_a_manager_outside_of_flask_opens_what_flask_wrote():
    site = Site(VIEWS)
    site.get("/put")
    manager = SessionManager(Keyring(KEY), cookie=CookiePolicy("session", secure=False), clock=site.clock)
    assert manager.open(f"session={site.client.get_cookie('session').value}")["a"] == 1


def test_without_flask_the_error_holds_the_pip_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "flask", None)
    for name in [name for name in sys.modules if name.startswith("cookiesess.adapters.flask")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingDependency, match=r'pip install "cookiesess\[flask\]"'):
        import_module("cookiesess.adapters.flask")
