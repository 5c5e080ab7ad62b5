"""The clients of a JDK, with java.net.CookieManager, stay logged in."""

import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path

import flask
import pytest

from cookiesess import CookiePolicy, SessionMiddleware, get_cookies, get_session
from cookiesess.adapters.flask import Cookiesess
from cookiesess.stores.memory import MemoryStore
from kit.serving import serving

KEY = "the key of the sites that a Java client visits"
CLIENT = Path(__file__).with_name("Client.java")
PERSISTENT = CookiePolicy("session", secure=False, persistent=True)


def answer(owner, theme, environ):
    """What a page says: whom it knows, by which plain cookie, and whether a value came in quotes."""
    return f"{owner} {theme}" + (" in quotes" if '"' in environ.get("HTTP_COOKIE", "") else "")


def app(environ, start_response):
    session, jar = get_session(environ), get_cookies(environ)
    if environ["PATH_INFO"] == "/login":
        session.login("ann")
        jar.set("theme", "dark", max_age=3600)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [answer(session.owner, jar.get("theme"), environ).encode()]


def flask_app():
    site = flask.Flask("site")
    site.secret_key = KEY
    Cookiesess(site)

    @site.get("/login")
    def login():
        flask.session.permanent = True
        flask.session["user"] = "ann"
        return ""

    @site.get("/me")
    def me():
        return answer(flask.session.get("user"), "dark", flask.request.environ)

    return site


SITES = {
    "client-side": lambda: SessionMiddleware(app, KEY, cookie=PERSISTENT),
    "server-side": lambda: SessionMiddleware(app, KEY, cookie=PERSISTENT, store=MemoryStore()),
    "Flask": flask_app,
}


@pytest.fixture(scope="module")
def answers():
    """What each site has said to the two clients: HttpURLConnection and java.net.http."""
    java = shutil.which("java")
    if java is None or shutil.which("javac") is None:
        pytest.skip("a JDK is missing: apt-get install default-jdk-headless")
    with ExitStack() as stack:
        urls = [stack.enter_context(serving(make())) for make in SITES.values()]
        done = subprocess.run([java, CLIENT, *urls], capture_output=True, text=True, check=True, timeout=120)
    said = iter(done.stdout.splitlines())
    return {name: [next(said), next(said)] for name in SITES}


@pytest.mark.parametrize("site", SITES)
def test_a_java_client_stays_logged_in_and_puts_no_value_in_quotes(answers, site):
    assert answers[site] == ["ann dark"] * 2
