"""The browser of today asks for no binding: with `binding=` switched on, every page of the demo is as it was without.

It gets the header that asks for a key at each login, over HTTPS, and passes it over.
"""

from datetime import timedelta
from functools import partial

import pytest

from browser.conftest import ANSWERS, listed
from browser.inspecting import Desk
from cookiesess import CookiePolicy, DeviceBinding, SessionManager, SessionMiddleware, get_session
from cookiesess.stores.sqlite import SQLiteStore
from cookiesess.testing import ManualClock
from examples.account import flask_app, wsgi_app
from examples.account.shared import Users
from examples.four_routes import routes
from examples.inspector.app import make_inspector
from kit.account import LAPTOP, PASSWORD, PHONE
from kit.constants import KEY

LATE = timedelta(minutes=7)  # when a bound cookie would have ended, by whatever clock
KINDS = ["store", "revocations"]
TLS = {"ignore_https_errors": True}
THEFT = "Copy all cookies as a thief would"


class Watched:
    """An app, and what passes between it and the browser: which paths, and how often a key was asked for."""

    def __init__(self, app):
        self._app = app
        self.paths, self.asked = [], 0

    def __call__(self, environ, start_response):
        self.paths.append(environ["PATH_INFO"])

        def watching(status, headers, *more):
            self.asked += "Secure-Session-Registration" in dict(headers)
            return start_response(status, headers, *more)

        return self._app(environ, watching)


@pytest.fixture
def both(tmp_path, serve_tls):
    """Walk through an app without a binding, and with one; return what each walk has seen, and what was watched."""

    def both(make, walk):
        walks = []
        for binding in (None, DeviceBinding()):
            store, clock = SQLiteStore(tmp_path / f"{binding is None}.db"), ManualClock()
            watched = Watched(make(binding, store, clock))
            walks.append(walk(f"https://localhost:{serve_tls(watched)}", clock, store))
            store.close()
        assert not any("_cookiesess" in path for path in watched.paths)
        return (*walks, watched)

    return both


# The five routes


@pytest.mark.parametrize("kind", KINDS)
def test_the_five_routes_say_the_same_and_print_the_same(both, page, capsys, kind):
    bound = []

    def noting(environ, start_response):
        answer = routes(environ, start_response)
        bound.append(get_session(environ).bound)  # which no page of the demo says
        return answer

    def make(binding, store, clock):
        settings = {"cookie": CookiePolicy.development(), "clock": clock, kind: store}
        return SessionMiddleware(noting, KEY, binding=binding, **settings)

    def walk(url, clock, _):
        page.context.clear_cookies()
        seen = []
        for path in (*ANSWERS, *ANSWERS):
            assert page.goto(url + path).status == 200
            seen.append(page.locator("body").inner_text())
            clock.advance(LATE)
        return seen, sorted(listed(page)), capsys.readouterr().out

    without, with_binding, _ = both(make, walk)
    assert with_binding == without
    assert with_binding[0] == [*ANSWERS.values()] * 2
    assert set(bound) == {False}


# The account page


def account(open_device, clock, url):
    """Two devices of somebody's go everywhere; yield what each page says."""
    laptop, phone = (open_device(url, user_agent=agent, **TLS) for agent in (LAPTOP, PHONE))

    def said(device):
        return f"{device.page.url.removeprefix(url)}: {device.page.locator('main').inner_text()}"

    yield said(laptop.log_in())
    clock.advance(1)
    yield said(phone.log_in(remember=True))
    for path in ("/", "/devices", "/password", "/email", "/nowhere"):
        yield said(laptop.go(path))
    clock.advance(timedelta(minutes=3))
    yield said(laptop.go("/email"))
    laptop.page.get_by_label("Password").fill(PASSWORD)
    yield said(laptop.press("Go on"))
    laptop.page.get_by_label("E-mail address").fill("ann@elsewhere.example")
    yield said(laptop.press("Change address"))
    yield said(laptop.go("/devices").press("End Safari on iOS"))
    yield said(phone.go("/"))
    yield said(phone.log_in(remember=True))
    yield said(laptop.go("/devices").press("End all others"))
    yield said(phone.go("/devices"))
    yield said(phone.log_in(remember=True))
    laptop.go("/password").page.get_by_label("Current password").fill(PASSWORD)
    laptop.page.get_by_label("New password").fill("white tea")
    yield said(laptop.press("Change password"))
    yield said(phone.go("/"))
    clock.advance(timedelta(minutes=4))
    laptop.show_again()
    laptop.page.get_by_role("alert").wait_for()
    yield said(laptop.press("Log out"))
    yield "; ".join(text for device in (laptop, phone) for text in device.troubles if "404" not in text)


@pytest.fixture(params=[(flask_app, "Cookiesess"), (wsgi_app, "SessionMiddleware")], ids=["flask", "wsgi"])
def make_account(request, monkeypatch):
    """Make one of the account pages, which take no binding of their own: with this one more setting."""
    app, name = request.param
    plain = getattr(app, name)

    def make(binding, store, clock):
        monkeypatch.setattr(app, name, partial(plain, binding=binding))
        return app.make_app(KEY, store=store, users=Users(cost=2), clock=clock)

    return make


def test_the_account_page_says_the_same_on_each_of_its_pages(both, open_device, make_account):
    without, with_binding, watched = both(make_account, lambda url, clock, _: list(account(open_device, clock, url)))
    assert with_binding == without
    assert with_binding[-1] == ""
    assert watched.asked == 5  # at each login, and where somebody has confirmed that it is them


def test_a_remembered_login_goes_on_unbound(both, open_device, make_account):
    def walk(url, clock, store):
        device = open_device(url, **TLS).log_in(remember=True)
        manager = SessionManager(KEY, store=store, cookie=CookiePolicy.development(), clock=clock)
        seen = []
        for _ in range(3):
            clock.advance(LATE)
            seen.append(device.go("/").heading)
            seen += [info.bound for info in manager.sessions_of("ann")]
        return seen

    without, with_binding, _ = both(make_account, walk)
    assert with_binding == without == ["Your account", False] * 3


# The inspector


@pytest.mark.parametrize("kind", KINDS)
def test_the_inspectors_buttons_do_the_same(both, chromium, kind):
    def make(binding, store, clock):
        return make_inspector(KEY, binding=binding, clock=clock, **{kind: store})

    def walk(url, clock, _):
        with chromium.new_context(**TLS) as context:
            return list(inspected(Desk(context.new_page(), url), clock))

    without, with_binding, watched = both(make, walk)
    assert with_binding == without
    assert watched.asked == 2
    assert with_binding[-2:] == [True, []]


def inspected(desk, clock):
    """Press what there is to press; yield what each button says of it."""

    def said():
        return desk.page.locator(".outcome p").first.inner_text()

    for text in ("Append to a nested list", "Grow by 1 KB", "Log in as ann", THEFT, "Renew"):
        desk.press(text)
        yield said()
    clock.advance(LATE)
    for text in ("Log in as bob", "Log out"):
        desk.press(text)
        yield said()
    desk.set("name", "萧兮")
    yield said()
    desk.press("Flip a bit")
    yield "does not open" in desk.server
    yield desk.troubles
