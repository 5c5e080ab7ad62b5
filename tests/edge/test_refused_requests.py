"""A request that is refused as another site's does not prolong the session of the user whose cookie it brings."""

from datetime import timedelta

import flask
import pytest

from cookiesess import CrossOriginProtection, Lifetime, SessionMiddleware, check_csrf, get_session
from cookiesess.stores.memory import MemoryStore
from kit.flask_site import Site, nothing
from kit.world import World
from kit.wsgi import WebBrowser

LIFETIME = Lifetime.aal3()  # 15 minutes idle
TEN = timedelta(minutes=10)


def answer(environ, start_response):
    """Logs in at /login, shows a token at /token, and looks at the session everywhere."""
    session, path = get_session(environ), environ["PATH_INFO"]
    if path == "/login":
        session.login("ann")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [session.csrf_token().encode() if path == "/token" else str(session.owner).encode()]


def checking(environ, start_response):
    """The same, but for requests without a token where one is asked for: of a POST, and at /asks."""
    if environ["PATH_INFO"] == "/poll":
        get_session(environ).passive()
    asks = environ["REQUEST_METHOD"] == "POST" or environ["PATH_INFO"] == "/asks"
    if asks and not check_csrf(environ) and not check_csrf(environ, environ.get("elsewhere", "")):
        start_response("403 Forbidden", [("Content-Type", "text/plain")])
        return [str(get_session(environ).owner).encode()]
    return answer(environ, start_response)


@pytest.fixture(params=["client", "store"])
def world(request):
    return World(MemoryStore() if request.param == "store" else None, lifetime=LIFETIME)


class Page:
    """A page of ann's, ten minutes after she has loaded it."""

    def __init__(self, world, app):
        self.clock, self.browser = world.clock, WebBrowser(app)
        self.browser.get("/login")
        self.token = self.browser.get("/token").text
        self.clock.advance(TEN)

    def post(self, path="/", **environ):
        return self.browser.get(path, REQUEST_METHOD="POST", **environ).status_int

    def lives(self):
        """Whether ann is still logged in ten minutes later."""
        self.clock.advance(TEN)
        return self.browser.get("/").text == "ann"


@pytest.fixture
def page(world):
    return Page(world, SessionMiddleware(checking, world.manager))


@pytest.mark.parametrize("sent", [{}, {"HTTP_X_CSRF_TOKEN": "guessed"}], ids=["none", "guessed"])
def test_a_request_without_its_token_prolongs_nothing(page, sent):
    assert page.post(**sent) == 403
    assert not page.lives()


def test_a_request_with_its_token_prolongs_the_session(page):
    assert page.post(HTTP_X_CSRF_TOKEN=page.token) == 200
    assert page.lives()


def test_a_token_that_is_found_at_the_second_place_counts(page):
    assert page.post(elsewhere=page.token) == 200
    assert page.lives()


@pytest.mark.parametrize("where", ["HTTP_X_CSRF_TOKEN", "elsewhere"])
def test_what_a_page_sends_by_itself_stays_passive_with_a_token(page, where):
    assert page.post("/poll", **{where: page.token, "cookiesess.passive": True}) == 200
    assert not page.lives()


def test_a_page_that_is_only_looked_at_needs_no_token_to_prolong_the_session(page):
    assert page.browser.get("/asks").status_int == 403
    assert page.lives()


PROTECTED = {
    "inside": lambda manager: SessionMiddleware(CrossOriginProtection(answer, on_refuse=answer), manager),
    "outside": lambda manager: CrossOriginProtection(
        SessionMiddleware(answer, manager), on_refuse=SessionMiddleware(answer, manager)
    ),
}


@pytest.mark.parametrize("protect", PROTECTED.values(), ids=PROTECTED)
def test_what_another_site_sends_prolongs_nothing_whatever_answers_it(world, protect):
    page = Page(world, protect(world.manager))
    assert page.post(HTTP_SEC_FETCH_SITE="cross-site") == 200  # the app that answers what is refused
    assert not page.lives()


@pytest.mark.parametrize("protect", PROTECTED.values(), ids=PROTECTED)
def test_what_an_own_page_sends_prolongs_the_session(world, protect):
    page = Page(world, protect(world.manager))
    assert page.post(HTTP_SEC_FETCH_SITE="same-origin") == 200
    assert page.lives()


def test_a_permanent_session_of_flask_is_not_refreshed_by_a_request_without_its_token():
    def login():
        flask.session.permanent = True
        flask.session.login("ann")
        return ""

    site = Site({"login": login, "look": nothing})
    site.app.before_request(
        lambda: None if flask.request.method == "GET" or check_csrf(flask.request) else flask.abort(403)
    )
    site.get("/login")
    refused = site.client.post("/look")
    assert (refused.status_code, refused.headers.getlist("Set-Cookie")) == (403, [])
    assert site.get("/look").headers.getlist("Set-Cookie") != []
