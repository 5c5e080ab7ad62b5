"""Two clicks on "log in", and a form that another site posts, in a real browser."""

import threading
from html import escape
from urllib.parse import parse_qs

import pytest

from cookiesess import CookiePolicy, SessionMiddleware, get_session
from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore
from kit.constants import KEY, SECONDS
from kit.probe import Probe

HTML = [("Content-Type", "text/html; charset=utf-8")]
SIDES = {
    "client-side": lambda directory: {},
    "SQLite": lambda directory: {"store": SQLiteStore(directory / "sessions.db")},
    "overflow": lambda directory: {"overflow": MemoryStore()},
    "revocations": lambda directory: {"revocations": Probe(MemoryStore())},
}


@pytest.fixture(params=SIDES)
def settings(request, tmp_path):
    settings = SIDES[request.param](tmp_path)
    yield settings
    for store in settings.values():
        store.close()


# Two clicks

# The second is what matters. The others are for a machine that is so busy that the first was given up unsent.
CLICKS = "() => [50, 400, 4000, 8000, 16000].forEach(at => setTimeout(() => document.forms[0].submit(), at))"


class Login:
    """A page with a login form, of which the first post gets no answer before the second has come.

    Args:
        checked: The form has a CSRF token, and a post without a good one logs nobody in.
        together: Both posts have loaded the session before either logs in; else the first has written its login before
            the second loads anything.
    """

    def __init__(self, *, checked, together):
        self.checked, self.together = checked, together
        self.second = threading.Event()
        self.lock, self.posts = threading.Lock(), []

    def __call__(self, environ, start_response):
        session = get_session(environ)
        if environ["PATH_INFO"] != "/login":
            start_response("200 OK", HTML)
            return [f"<p id=who>{session.owner}</p>".encode()]
        if environ["REQUEST_METHOD"] == "POST":
            self.post(session, environ)
            start_response("303 See Other", [("Location", "/home")])
            return [b""]
        token = session.csrf_token() if self.checked else session.setdefault("seen", "x")
        start_response("200 OK", HTML)
        form = '<form method=post action=/login><input name=token value="{}"><button id=b>log in</button></form>'
        return [form.format(escape(token)).encode()]

    def post(self, session, environ):
        (token,) = parse_qs(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode())["token"]
        with self.lock:
            number = len(self.posts)
            self.posts.append(None)
        if number == 1 and not self.together:
            self.second.set()
        session.get("seen")
        if number == 1:
            self.second.set()
        elif number == 0 and self.together:
            assert self.second.wait(SECONDS)
        self.posts[number] = not self.checked or session.check_csrf(token)
        if self.posts[number]:
            session.login("ann")
        if number == 0 and not self.together:
            session.save()
            assert self.second.wait(SECONDS)


@pytest.mark.parametrize("together", [True, False], ids=["at once", "one after the other"])
@pytest.mark.parametrize("checked", [True, False], ids=["with a token", "without"])
def test_a_visitor_who_clicks_twice_is_logged_in(page, serve, settings, checked, together):
    app = Login(checked=checked, together=together)
    url = serve(SessionMiddleware(app, KEY, cookie=CookiePolicy.development(), **settings))
    page.goto(f"{url}/login")
    page.evaluate(CLICKS)
    page.wait_for_selector("#who")
    assert page.inner_text("#who") == "ann"
    assert len(app.posts) >= 2
    assert all(app.posts)
    page.goto(f"{url}/home")
    assert page.inner_text("#who") == "ann"


def test_so_is_one_whose_first_answer_was_lost(page, serve, settings):
    app = Login(checked=True, together=False)
    app.second.set()
    url = serve(SessionMiddleware(app, KEY, cookie=CookiePolicy.development(), **settings))
    page.goto(f"{url}/login")
    kept = page.context.cookies()
    page.click("#b")
    page.wait_for_selector("#who")
    page.context.clear_cookies()
    page.context.add_cookies(kept)  # as if nothing had come back
    page.goto(f"{url}/login")
    page.click("#b")
    page.wait_for_selector("#who")
    assert page.inner_text("#who") == "ann"


# A form of another site


class Shop:
    """A shop that begins a session for whoever comes, and the page of another site whose form posts to it."""

    def __init__(self, settings, **fields):
        self.events, self.posted_by = [], []
        cookie = CookiePolicy("session", **fields)
        self.app = SessionMiddleware(self.answer, KEY, cookie=cookie, on_event=self.events.append, **settings)

    def __call__(self, environ, start_response):
        if environ["HTTP_HOST"].startswith("evil.test"):
            start_response("200 OK", HTML)
            shop = f"https://shop.test:{environ['HTTP_HOST'].rpartition(':')[2]}"
            page = f'<form method=post action="{shop}/comment"><button id=b>win</button></form><a href="{shop}/">go</a>'
            return [page.encode()]
        return self.app(environ, start_response)

    def answer(self, environ, start_response):
        session = get_session(environ)
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0))
        if environ["PATH_INFO"] == "/login":
            session.login("ann")
        elif environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"] == "/identity":
            session.login("from-the-provider")
        else:
            session["visits"] = session.get("visits", 0) + 1
        if environ["REQUEST_METHOD"] == "POST":
            self.posted_by.append(session.owner)
        start_response("200 OK", HTML)
        return [f"<p id=who>{session.owner}</p>".encode()]


@pytest.fixture
def open_shop(page, serve_tls, settings):
    """Open a shop, and return it with its port."""

    def open_shop(**fields):
        shop = Shop(settings, **fields)
        return shop, serve_tls(shop)

    return open_shop


def post_from_elsewhere(page, port, path="comment"):
    """Have another site's page, in a tab of its own, post to the shop, until the browser has the answer."""
    # Chromium changes its process on the way from one site to the other, and the document is not always told of then:
    # so the answer is waited for, and not the document.
    other = page.context.new_page()
    other.goto(f"https://evil.test:{port}/")
    other.evaluate(f"() => {{ document.forms[0].action = document.forms[0].action.replace('comment', '{path}') }}")
    with other.expect_response(f"https://shop.test:{port}/{path}") as answered:
        other.click("#b", no_wait_after=True)
    assert answered.value.ok
    other.close()


def who(page, port, path="/"):
    """Go to the shop, and return whom it knows there."""
    # Chromium has changed its process on the way from one site to the other, and "load" is not always said of that.
    page.goto(f"https://shop.test:{port}{path}", wait_until="commit")
    page.wait_for_selector("#who")
    return page.inner_text("#who")


@pytest.mark.parametrize("samesite", ["Lax", "Strict"])
def test_a_foreign_post_does_not_log_a_visitor_out(page, open_shop, samesite):
    shop, port = open_shop(samesite=samesite)
    assert who(page, port, "/login") == "ann"
    post_from_elsewhere(page, port)
    assert shop.posted_by == [None]  # it came without the cookie
    assert "session.withheld" in [event.name for event in shop.events]
    assert who(page, port) == "ann"


def test_it_would_where_the_policy_issues_what_such_a_post_begins(page, open_shop):
    """The defence taken away: this is what the default is for."""
    _, port = open_shop(cross_site_posts="issue")
    assert who(page, port, "/login") == "ann"
    post_from_elsewhere(page, port)
    assert who(page, port) == "None"


def test_a_first_visit_by_a_link_begins_a_session(page, open_shop):
    shop, port = open_shop()
    page.goto(f"https://evil.test:{port}/")
    with page.expect_response(f"https://shop.test:{port}/") as answered:
        page.get_by_role("link").click(no_wait_after=True)
    assert answered.value.ok
    assert [cookie["name"] for cookie in page.context.cookies()] == ["session"]
    assert "session.withheld" not in [event.name for event in shop.events]


def test_an_identity_providers_post_that_ends_in_a_login_logs_in(page, open_shop):
    _, port = open_shop()
    post_from_elsewhere(page, port, "identity")
    assert who(page, port) == "from-the-provider"
