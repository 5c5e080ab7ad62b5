"""A real Chromium in front of real servers. Both are optional: without them these tests are skipped, with a reason.

``COOKIESESS_REQUIRE_BROWSER=1`` makes that a failure, where they have to run.
"""

import importlib.util
import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from browser.account import Device
from browser.old_chromium import NotHere, old_chromium
from browser.tls import serving_tls
from cookiesess import CookiePolicy, SessionMiddleware, get_cookies, get_session
from examples.four_routes import make_app
from kit.constants import KEY, PLAIN
from kit.serving import serving

ANSWERS = {
    "/": "cookie和session的设置!",
    "/set_cookie": "cookie 设置",
    "/get_cookie": "获取cookie",
    "/set_session": "session设置成功!",
    "/get_session": "session 获取成功!",
}
SHOP, OTHER = "shop.test", "other.test"
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP *.test 127.0.0.1",  # sites of our own, beside this machine, which has special rights
)
FEATURES = (
    "DeviceBoundSessions:RequireOriginTrialTokens/false/CheckSubdomainRegistration/false",
    "EnableBoundSessionCredentialsSoftwareKeysForManualTesting",
)
MISSING = [
    reason
    for present, reason in (
        (importlib.util.find_spec("playwright"), "the Python package playwright is missing: pip install playwright"),
        (CHROMIUM.exists(), f"{CHROMIUM} is missing: apt-get install chromium"),
    )
    if not present
]


@pytest.fixture(scope="package")
def chromium():
    """The browser. For this folder: while it runs, its thread has a running event loop, and other tests want none."""
    if MISSING:
        (pytest.fail if os.environ.get("COOKIESESS_REQUIRE_BROWSER") == "1" else pytest.skip)("; ".join(MISSING))
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def open_tab(chromium):
    with chromium.new_context(ignore_https_errors=True) as context:  # the certificate is the tests' own
        yield context.new_page()


def cleared(tab):
    """Return a tab, without any cookies; what it shows is of no matter."""
    tab.context.clear_cookies()
    return tab


@pytest.fixture(scope="package")
def tab(chromium):
    """A tab of that browser: one for all tests, since opening it takes longer than most of them."""
    yield from open_tab(chromium)


@pytest.fixture(scope="package")
def other_tab(chromium):
    """The tab of another person: it shares nothing with the first."""
    yield from open_tab(chromium)


@pytest.fixture
def page(tab):
    return cleared(tab)


@pytest.fixture
def other_page(other_tab):
    return cleared(other_tab)


@pytest.fixture
def open_device(chromium):
    """Open another browser at the address of an account page, which shares nothing with the others."""
    with ExitStack() as stack:

        def open_device(url, **options):
            return Device(stack.enter_context(chromium.new_context(**options)), url)

        yield open_device


@pytest.fixture
def serve():
    """Serve an app until the test ends, and return its URL."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(serving(app))


@pytest.fixture
def serve_tls(tmp_path):
    """Serve an app by HTTPS until the test ends, and return its port: every host ``….test`` leads there."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(serving_tls(app, tmp_path))


class Window:
    """A browser window in front of an app, of which each visit brings the view along."""

    def __init__(self, page, serve, **settings):
        settings = {"cookie": CookiePolicy.development(), **settings}
        self.page = page
        self.url = serve(SessionMiddleware(self._app, KEY, **settings))

    def _app(self, environ, start_response):
        if environ["PATH_INFO"] == "/favicon.ico":  # browsers ask for it when they like
            start_response("404 Not Found", [*PLAIN])
            return [b""]
        self._returned = self._view(environ)
        start_response("200 OK", [*PLAIN])
        return [b"done"]

    def answer(self, view):
        """Have the next request answered by `view`, which gets its environ."""
        self._view, self._returned = view, None

    def status_of(self, view, path="/", *, page=None):
        """Have the browser go to `path`, where `view` runs with the environ, and return the response's status.

        `page` may be one of another person.
        """
        self.answer(view)
        return (page or self.page).goto(self.url + path).status

    def visit(self, view, path="/", *, page=None):
        """The same, and return what the view returned."""
        assert self.status_of(view, path, page=page) == 200
        return self._returned

    def script(self, text):
        """Have a script of the page set a cookie."""
        self.page.evaluate("text => { document.cookie = text }", text)

    @property
    def cookies(self):
        """The browser's own list, by name."""
        return listed(self.page)


def listed(page):
    """Return the cookies that the browser has, by name."""
    return {cookie["name"]: cookie for cookie in page.context.cookies()}


@pytest.fixture
def open_window(page, serve):
    """Windows in front of apps with settings of their own."""
    return lambda **settings: Window(page, serve, **settings)


@pytest.fixture
def window(open_window):
    """A window in front of an app with client-side sessions."""
    return open_window()


@pytest.fixture
def click(page, serve):
    """Click on links in the demo: to each path, and wait until its answer is shown."""
    page.goto(serve(make_app(KEY)))

    def click(*paths):
        for path in paths:
            page.set_content(f'<a href="{path}">go on</a>')  # the demo's own pages have no links
            page.get_by_role("link").click()
            page.get_by_text(ANSWERS[path], exact=True).wait_for()

    return click


def put(**values):
    """Return a view that puts `values` into the session."""
    return lambda environ: get_session(environ).update(values)


def session_of(environ):
    return dict(get_session(environ))


def logout(environ):
    get_session(environ).invalidate()


def names_sent(environ):
    return sorted(get_cookies(environ))


class Sites(Window):
    """A window in front of one app that has many hosts."""

    def __init__(self, page, serve_tls, **settings):
        super().__init__(page, lambda app: f"https://{SHOP}:{serve_tls(app)}", **{"cookie": CookiePolicy(), **settings})

    def url_of(self, host):
        return self.url.replace(SHOP, host)

    def visit_host(self, host, view):
        """Have the browser go to `host`, and return what the view returned."""
        self.answer(view)
        assert self.page.goto(self.url_of(host)).status == 200
        return self._returned

    def embed(self, host, view):
        """Have a page of `host` show the shop in a frame, and return what the view returned there."""
        self.visit_host(host, lambda environ: None)
        self.answer(view)
        self.page.evaluate(
            "url => new Promise(done => { const frame = document.createElement('iframe');"
            " frame.onload = done; frame.src = url; document.body.append(frame) })",
            self.url,
        )
        return self._returned

    def follow(self, act):
        """Have a page of the other site lead to the shop by `act`, and return the names of the cookies that came."""
        self.visit_host(OTHER, lambda environ: None)
        self.answer(names_sent)
        act(self.page, self.url)
        return self._returned


@pytest.fixture
def open_sites(page, serve_tls):
    return lambda **settings: Sites(page, serve_tls, **settings)


@pytest.fixture(scope="module")
def launch(chromium, tmp_path_factory):
    """Return a function that opens a new Chromium 150, as a device of its own."""
    with ExitStack() as stack:
        try:
            executable = stack.enter_context(old_chromium(tmp_path_factory))
        except NotHere as reason:
            pytest.skip(str(reason))

        def device():
            return stack.enter_context(
                chromium.browser_type.launch_persistent_context(
                    tmp_path_factory.mktemp("profile"),
                    executable_path=executable,
                    args=[*ARGUMENTS, "--ignore-certificate-errors", f"--enable-features={','.join(FEATURES)}"],
                    ignore_https_errors=True,
                )
            )

        yield device
