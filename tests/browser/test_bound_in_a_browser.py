"""Sessions that are bound to a device, in a Chromium that binds them: with a real key, and its quota switched on."""

import json
import threading

import pytest

from binding.exchange import REFUSALS
from browser.conftest import OTHER, SHOP
from browser.tls import serving_tls
from cookiesess import CrossOriginProtection, DeviceBinding, SessionMiddleware, get_session
from cookiesess.events import SessionUnbound
from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import ManualClock
from kit.constants import KEY, NAME, SECONDS

BOUND = f"{NAME}.bound"
LATE = 360
# Some more than the six that Chromium gives in nine minutes.
MOST_PROOFS = 12


class KeptStore(MemoryStore):
    """One that is never full, as a store of revocations has to be."""

    evicts = False


class Shop:
    """A site by HTTPS, which notes what the browser does by itself."""

    def __init__(self, kind):
        self.clock = ManualClock()
        self.events = []
        self.calls = []
        self.called = threading.Condition()
        settings = {kind: KeptStore(), "clock": self.clock, "on_event": self.events.append}
        bound = SessionMiddleware(self.app, KEY, binding=DeviceBinding(), **settings)
        self.outer = CrossOriginProtection(bound)

    def app(self, environ, start_response):
        session, path = get_session(environ), environ["PATH_INFO"]
        if path == "/login":
            session.login("ann")
        elif path == "/logout":
            session.invalidate()
        said = {"owner": session.owner, "bound": session.bound} if path != "/favicon.ico" else {}
        if path == "/orders" and not session.owner:
            start_response("200 OK", [("Content-Type", "text/html")])
            return [b'<meta http-equiv="refresh" content="0; url=/login-page">']
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(said).encode()]

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]

        def noting(status, headers, exc_info=None):
            with self.called:
                self.calls.append((path.rpartition("/")[2], status[:3]))
                self.called.notify_all()
            return start_response(status, headers, exc_info)

        return self.outer(environ, noting)

    def wait_for(self, *call):
        with self.called:
            assert self.called.wait_for(lambda: call in self.calls, SECONDS), self.calls

    def wait_for_count(self, count, *call):
        with self.called:
            assert self.called.wait_for(lambda: self.calls.count(call) >= count, SECONDS), self.calls


@pytest.fixture(params=["store", "revocations"])
def shop(request, tmp_path):
    site = Shop(request.param)
    with serving_tls(site, tmp_path) as port:
        site.url = f"https://{SHOP}:{port}"
        yield site


def seen(device, url):
    page = device.pages[0]
    return json.loads(page.goto(url).text())


def logged_in(launch, shop):
    """A device that is logged in, bound, and past the grace."""
    device = launch()
    seen(device, f"{shop.url}/login")
    shop.wait_for("start", "200")
    assert seen(device, f"{shop.url}/") == {"owner": "ann", "bound": True}
    shop.clock.advance(11)
    return device


def test_a_request_without_the_bound_cookie_waits_for_the_proof(launch, shop):
    device = logged_in(launch, shop)
    for count in (1, 2):
        device.clear_cookies(name=BOUND)  # as it does by itself when the cookie's time is over
        shop.clock.advance(LATE)
        assert seen(device, f"{shop.url}/") == {"owner": "ann", "bound": True}
        assert shop.calls.count(("refresh", "200")) >= count
    assert [event for event in shop.events if event.name == "session.unbound"] == []


def test_copied_cookies_are_worth_nothing_on_another_device_and_the_first_goes_on(launch, shop):
    device, thief = logged_in(launch, shop), launch()
    thief.add_cookies(device.cookies())
    assert seen(thief, f"{shop.url}/") == {"owner": "ann", "bound": True}
    shop.clock.advance(LATE)
    assert seen(thief, f"{shop.url}/") == {"owner": None, "bound": False}
    device.clear_cookies(name=BOUND)
    assert seen(device, f"{shop.url}/") == {"owner": "ann", "bound": True}
    assert "session.unbound" in [event.name for event in shop.events]


def refusing(shop, status):
    """Have a proxy in front of the shop answer what the browser asks by itself; return the shop as it was."""
    outer = shop.outer

    def proxy(environ, start_response):
        if not environ["PATH_INFO"].endswith("/refresh"):
            return outer(environ, start_response)
        start_response(f"{status} Refused", [("Content-Length", "0")])
        return [b""]

    shop.outer = proxy
    return outer


@pytest.mark.parametrize(("status", "goes_on"), REFUSALS.items())
def test_a_refusal_by_a_server_in_trouble_is_asked_again_and_any_other_ends_the_binding(launch, shop, status, goes_on):
    device = logged_in(launch, shop)
    outer = refusing(shop, status)
    device.clear_cookies(name=BOUND)
    shop.clock.advance(LATE)
    assert seen(device, f"{shop.url}/")["owner"] is None
    shop.outer = outer
    assert seen(device, f"{shop.url}/")["bound"] is goes_on
    seen(device, f"{shop.url}/login")
    assert seen(device, f"{shop.url}/")["owner"] == "ann"


def follow(device, url):
    """Have the page that is shown lead to `url`, and return what that says."""
    page = device.pages[0]
    with page.expect_navigation():
        page.evaluate("url => { location.href = url }", url)
    return json.loads(page.locator("body").inner_text())


def test_the_first_page_behind_another_sites_link_comes_without_a_proof_and_the_next_one_with_it(launch, shop):
    device = logged_in(launch, shop)
    seen(device, shop.url.replace(SHOP, OTHER))
    device.clear_cookies(name=BOUND)
    shop.clock.advance(LATE)
    assert follow(device, f"{shop.url}/") == {"owner": None, "bound": False}
    assert follow(device, f"{shop.url}/next") == {"owner": "ann", "bound": True}
    assert shop.events[-1] == SessionUnbound("elsewhere")


def test_a_page_that_leads_to_the_login_by_itself_has_the_login_see_who_it_is(launch, shop):
    device = logged_in(launch, shop)
    page = device.pages[0]
    seen(device, shop.url.replace(SHOP, OTHER))
    device.clear_cookies(name=BOUND)
    shop.clock.advance(LATE)
    page.evaluate("url => { location.href = url }", f"{shop.url}/orders")
    page.wait_for_url(f"{shop.url}/login-page")
    assert json.loads(page.locator("body").inner_text()) == {"owner": "ann", "bound": True}


def test_a_way_through_another_site_that_began_here_ends_with_a_proof(launch, shop):
    device = logged_in(launch, shop)
    outer = shop.outer

    def led_back(environ, start_response):
        if not environ["HTTP_HOST"].startswith(OTHER):
            return outer(environ, start_response)
        start_response("302 Found", [("Location", f"{shop.url}/"), ("Content-Length", "0")])
        return [b""]

    shop.outer = led_back
    device.clear_cookies(name=BOUND)
    shop.clock.advance(LATE)
    assert follow(device, shop.url.replace(SHOP, OTHER)) == {"owner": "ann", "bound": True}


def test_a_quota_that_is_spent_is_told_and_a_login_works_all_the_same(launch, shop):
    device = logged_in(launch, shop)
    for _ in range(MOST_PROOFS):
        device.clear_cookies(name=BOUND)
        shop.clock.advance(LATE)
        if seen(device, f"{shop.url}/")["owner"] is None:
            break
    assert [event for event in shop.events if event.name == "session.unbound"] == [SessionUnbound("quota_exceeded")]
    seen(device, f"{shop.url}/login")
    assert seen(device, f"{shop.url}/")["owner"] == "ann"


def test_a_logout_ends_the_binding_and_the_next_login_begins_another(launch, shop):
    device = logged_in(launch, shop)
    seen(device, f"{shop.url}/logout")
    assert device.cookies() == []
    assert seen(device, f"{shop.url}/") == {"owner": None, "bound": False}
    seen(device, f"{shop.url}/login")
    shop.wait_for_count(2, "start", "200")
    assert seen(device, f"{shop.url}/") == {"owner": "ann", "bound": True}


def test_a_browser_that_knows_nothing_of_it_goes_on_as_before(tab, shop):
    assert json.loads(tab.goto(f"{shop.url}/login").text()) == {"owner": "ann", "bound": False}
    shop.clock.advance(LATE)
    assert json.loads(tab.goto(f"{shop.url}/").text()) == {"owner": "ann", "bound": False}
