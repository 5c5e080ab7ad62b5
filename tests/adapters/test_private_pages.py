"""Pages made from a session are for its visitor alone, and a logout clears what the policy names: on every edge."""

import pytest

from adapters.edges import Beaker, Flask, FlaskClearing, Middleware, Pyramid
from cookiesess import CookiePolicy
from cookiesess.stores.memory import MemoryStore

# (Under Django its own middleware makes the headers; the security page says what to write there.)
SIDES = {"client-side": dict, "store": lambda: {"store": MemoryStore()}}
POLICY = CookiePolicy("session", clear_on_logout=("cache",))


@pytest.fixture(params=SIDES)
def settings(request):
    return {"cookie": POLICY, **SIDES[request.param]()}


@pytest.fixture(params=[Middleware, Beaker, Flask, FlaskClearing, Pyramid], ids=lambda kind: kind.__name__)
def browser(request, settings):
    """A browser that is logged in."""
    with request.param(settings).running() as edge:
        browser = edge.browser()
        browser.first = browser.get("/login")
        yield browser


def cleared(response):
    return response.headers.getall("Clear-Site-Data")


def test_a_page_that_was_made_from_a_session_is_private(browser):
    response = browser.get("/who")
    assert response.text.startswith("ann")
    assert response.headers.getall("Cache-Control") == ["private"]


@pytest.mark.parametrize("path", ["/logout", "/goodbye"])
def test_a_logout_clears_what_the_policy_names_whether_it_leaves_a_message_or_not(browser, path):
    assert cleared(browser.get(path)) == ['"cache"']
    assert (browser.cookies == {}) is (path == "/logout")


def test_a_login_clears_nothing_nor_does_another_one(browser):
    assert cleared(browser.first) == cleared(browser.get("/login")) == cleared(browser.get("/write")) == []
