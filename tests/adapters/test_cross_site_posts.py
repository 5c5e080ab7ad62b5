"""A POST from another site's page logs nobody out, on every edge that sees the request."""

import pytest

from adapters.edges import Beaker, Flask, FlaskClearing, Middleware, Pyramid
from cookiesess.stores.memory import MemoryStore

# (Django keeps such posts away by its own CSRF check, and its engine sees no request.)
FOREIGN = {"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_SEC_FETCH_MODE": "navigate", "REQUEST_METHOD": "POST"}
SIDES = {"client-side": dict, "store": lambda: {"store": MemoryStore()}}


@pytest.fixture(params=SIDES)
def settings(request):
    return SIDES[request.param]()


@pytest.fixture(params=[Middleware, Beaker, Flask, FlaskClearing, Pyramid], ids=lambda kind: kind.__name__)
def edge(request, settings):
    with request.param(settings).running() as edge:
        yield edge


def post(edge, path, **change):
    """Return the answer to a POST that comes without the cookie."""
    return edge.browser().get(path, **{**FOREIGN, **change})


def test_an_anonymous_session_is_not_issued_and_no_cache_keeps_the_answer(edge):
    response = post(edge, "/visit")
    assert response.headers.getall("Set-Cookie") == []
    assert response.headers["Cache-Control"] == "private, no-store"
    # Flask's and Django's settings know no absolute timeout.
    assert [name for name in edge.events if name != "session.no_absolute_end"] == ["session.withheld"]


def test_a_login_of_this_library_is_issued(edge):
    if edge.owns:
        assert post(edge, "/login").headers.getall("Set-Cookie") != []


@pytest.mark.parametrize(
    "change",
    [
        {"REQUEST_METHOD": "GET"},
        {"HTTP_SEC_FETCH_SITE": "same-site"},
        {"HTTP_SEC_FETCH_MODE": "cors"},
        {"HTTP_SEC_FETCH_SITE": "", "HTTP_SEC_FETCH_MODE": ""},
    ],
    ids=["a link", "the site's own page", "embedded", "a browser that does not say"],
)
def test_everything_else_is_issued_as_before(edge, change):
    response = post(edge, "/visit", **change)
    assert len(response.headers.getall("Set-Cookie")) == 1
    assert "session.withheld" not in edge.events


def test_a_visitor_with_a_login_keeps_it(edge):
    browser = edge.browser()
    browser.get("/login")
    kept = dict(browser.cookies)
    browser.cookies = {}  # SameSite=Lax: the browser sends the POST without it, and takes what comes
    browser.get("/visit", **FOREIGN)
    browser.cookies = kept | browser.cookies
    assert browser.get("/who").text.startswith("ann, ")
