"""What the back button shows after a logout: a page that the browser has kept, or what the server says by then."""

import threading
from urllib.parse import unquote

import pytest

from browser.conftest import ARGUMENTS, CHROMIUM
from cookiesess import CookiePolicy, SessionMiddleware, get_session
from kit.constants import KEY, SECONDS

HTML = [("Content-Type", "text/html; charset=utf-8")]
KEPT = ("Cache-Control", "private, max-age=3600")
# A page tells the server when it is shown, and whether it comes out of the browser's memory. The logout's goes back
# then, and so does the page before it.
SCRIPT = """<script>
addEventListener("pageshow", async event => {
    const back = Number(sessionStorage.back || (location.pathname == "/logout" ? 2 : 0))
    sessionStorage.back = back > 1 ? back - 1 : ""
    await fetch(`/shown?${location.pathname} ${event.persisted ? "from memory" : "anew"}`, {method: "POST"})
    if (back) history.back()
})
</script>"""
VISITED = ["/login", "/one", "/two", "/logout"]


class Pages:
    """An app whose pages say whose they are.

    Args:
        headers: Of all of them.
        looks: Whether they look at the session for that, or go by what the server remembers of the last login.
        script: What they end with.
        **policy: As `CookiePolicy` takes it.
    """

    def __init__(self, *headers, looks=True, script="", **policy):
        self.asked = []
        self.shown = []
        self.over = threading.Event()  # set when the browser has gone back twice
        self._headers, self._looks, self._script, self._owner = headers, looks, script, None
        self.app = SessionMiddleware(self._app, KEY, cookie=CookiePolicy("session", secure="auto", **policy))

    def _app(self, environ, start_response):
        path = environ["PATH_INFO"]
        if path in {"/shown", "/favicon.ico"}:
            self._note(unquote(environ["QUERY_STRING"]))
            start_response("204 No Content", [])
            return [b""]
        self.asked.append(path)
        start_response("200 OK", [*HTML, *self._headers])
        return [f"<p>{self._whose(path, environ)}</p>{self._script}".encode()]

    def _note(self, text):
        self.shown += [text] if text else []
        if len(self.shown) == len(VISITED) + 2:
            self.over.set()

    def _whose(self, path, environ):
        if path == "/login":
            get_session(environ).login("ann")
            self._owner = "ann"
        elif path == "/logout":
            get_session(environ).invalidate()
            self._owner = None
        return get_session(environ).owner if self._looks else self._owner


def back_after_a_logout(page, serve, pages):
    """Log in, look at a page, log out and go back; return whose the page is that is shown then."""
    url = serve(pages.app)
    for path in ("/login", "/account", "/logout"):
        page.goto(url + path)
    page.go_back()
    return page.inner_text("p")


@pytest.mark.parametrize("headers", [[], [KEPT]], ids=["says nothing", "may be kept"])
def test_a_page_that_looked_at_the_session_is_made_anew(page, serve, headers):
    """It varies by the cookie, which is gone."""
    pages = Pages(*headers)
    assert back_after_a_logout(page, serve, pages) == "None"
    assert pages.asked.count("/account") == 2


@pytest.mark.parametrize(
    ("clear", "shown"), [((), "ann"), (("cache",), "None"), (("cache", "storage"), "None"), (("*",), "None")]
)
def test_a_page_that_was_kept_without_a_look_at_the_session_is_made_anew_where_the_logout_clears_the_cache(
    page, serve, clear, shown
):
    pages = Pages(KEPT, looks=False, clear_on_logout=clear)
    assert back_after_a_logout(page, serve, pages) == shown


class Goodbye(Pages):
    """The same, and the logout leaves a message, which the next page shows."""

    def _whose(self, path, environ):
        owner, session = super()._whose(path, environ), get_session(environ)
        if path == "/logout":
            session.flash("goodbye")
        return [flash.message for flash in session.pop_flashes()] if path == "/next" else owner


@pytest.mark.parametrize("clear", [("cache",), ("cache", "cookies"), ("*",)])
def test_a_message_for_the_next_page_outlives_a_logout_that_clears(page, serve, clear):
    pages = Goodbye(KEPT, looks=False, clear_on_logout=clear)
    assert back_after_a_logout(page, serve, pages) == "None"
    page.goto(page.url.replace("/account", "/next"))
    assert page.inner_text("p") == "['goodbye']"


# Browsers keep the last pages in memory as well, scripts and all. Playwright cannot follow a page that comes from
# there, and switches that off; so here the pages go back, and tell what is shown, by themselves.


@pytest.fixture
def remembering(chromium):
    """A tab of a browser that keeps pages in memory."""
    off = ["--disable-back-forward-cache"]
    browser = chromium.browser_type.launch(executable_path=CHROMIUM, args=ARGUMENTS, ignore_default_args=off)
    yield browser.new_page()
    browser.close()


def shown_after_a_logout(page, serve, pages):
    """Log in, look at two pages, log out and go back twice; return how the two are shown then."""
    url = serve(pages.app)
    for path in VISITED:
        page.goto(url + path)
    assert pages.over.wait(SECONDS)
    return pages.shown[-2:]


def test_a_page_in_memory_is_made_anew_where_the_logout_clears_the_cache(remembering, serve):
    """But for the page that the visitor was on: it comes into memory only as the logout's answer is shown."""
    pages = Pages(script=SCRIPT, clear_on_logout=("cache",))
    assert shown_after_a_logout(remembering, serve, pages)[1] == "/one anew"


def test_a_page_that_must_not_be_stored_is_made_anew_in_any_case(remembering, serve):
    pages = Pages(("Cache-Control", "no-store"), script=SCRIPT)
    assert shown_after_a_logout(remembering, serve, pages) == ["/two anew", "/one anew"]
