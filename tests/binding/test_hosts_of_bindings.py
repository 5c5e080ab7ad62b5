"""Several hosts answer one browser: their clocks differ, or not all of them have the newest key."""

import pytest

from binding.conftest import BOUND_FOR, LATE, SKEW, bound, identifier, owner, page
from binding.exchange import challenge, key, offered, own_key, refreshed, started
from cookiesess import DeviceBinding, SessionMiddleware
from cookiesess.events import SessionRejected, SessionUnbound
from cookiesess.testing.bound_browser import proof
from kit.constants import KEY, OTHER_KEY

BEHIND = SessionRejected("future", None, "this clock is behind")


def host(site, *, ahead=0, keys=KEY):
    """Another host of the same site, whose clock is ahead by some seconds."""
    settings = {**site.settings, "clock": lambda: site.clock() + ahead}
    return SessionMiddleware(site.app, keys, binding=DeviceBinding(), **settings)


@pytest.mark.parametrize("ahead", [-SKEW, SKEW])
def test_clocks_that_differ_by_a_minute_are_not_noticed(site, ahead):
    other = host(site, ahead=ahead)
    browser, asked = offered(site)
    browser.app = other
    own = key()
    assert started(browser, proof(own, asked, brings_key=True)).status == 200
    browser.app = site.middleware
    browser._follow(started(browser, proof(own, asked, brings_key=True)), own)
    for at in range(8):
        browser.app = (other, site.middleware)[at % 2]
        assert page(browser, "read")["bound"]
        site.clock.advance(BOUND_FOR - 1)
        browser.app = (site.middleware, other)[at % 2]
        assert page(browser, "read")["bound"]
        site.clock.advance(LATE)
    assert site.named("session.unbound") == site.named("session.rejected") == []


@pytest.mark.parametrize("ahead", [-SKEW, SKEW])
def test_a_challenge_of_one_host_is_answered_to_another(site, ahead):
    browser = bound(site)
    asked = challenge(browser)
    browser.app = host(site, ahead=ahead)
    assert refreshed(browser, proof(own_key(browser), asked)).status == 200


def test_beyond_a_minute_the_host_that_is_behind_says_so(site):
    browser = bound(site)
    browser.app = host(site, ahead=SKEW + 1)
    asked = challenge(browser)
    browser.app = site.middleware
    assert refreshed(browser, proof(own_key(browser), asked)).status == 403
    assert site.events == [BEHIND]


def test_beyond_a_minute_a_registration_comes_to_nothing_and_the_host_that_is_behind_says_so(site):
    browser = site.browser()
    browser.at_once = False
    browser.app = host(site, ahead=SKEW + 1)
    page(browser, "login")
    browser.app = site.middleware
    site.events.clear()
    assert browser.register().status == 403
    assert site.events == [BEHIND]
    site.clock.advance(LATE)
    assert page(browser, "read") == {"owner": "ann", "data": {}, "bound": False, "new": False}


def test_beyond_a_minute_a_bound_cookie_ends_early_on_the_host_that_is_ahead_which_says_so(site):
    browser = bound(site)
    browser.refresh(identifier(browser))
    site.clock.advance(BOUND_FOR - 1)
    browser.app = host(site, ahead=SKEW + 1)
    assert owner(browser) is None
    assert site.events == [SessionUnbound("expired")]
    browser.app = site.middleware
    assert page(browser, "read")["bound"]


def test_a_forged_or_foreign_challenge_from_the_future_says_nothing(site):
    browser, other = bound(site), bound(site)
    own = own_key(browser)
    other.app = host(site, ahead=1000)
    foreign = challenge(other)
    site.events.clear()
    for asked in (foreign, "junk"):
        assert refreshed(browser, proof(own, asked)).status == 403
    assert site.events == []


def test_a_host_without_the_new_key_ends_no_binding(site):
    """A rolling deploy that went wrong: one host seals with a key that another does not accept yet."""
    new = host(site, keys=f"{OTHER_KEY},{KEY}")
    browser = site.browser()
    browser.app = new
    page(browser, "login")
    page(browser, "read")
    site.clock.advance(LATE)
    browser.app = site.middleware
    assert owner(browser) is None
    assert browser.kept
    browser.app = new
    assert page(browser, "read")["bound"]


def test_a_host_with_the_new_key_alone_ends_no_binding_either(site):
    browser = bound(site)
    site.clock.advance(LATE)
    browser.app = host(site, keys=OTHER_KEY)
    assert owner(browser) is None
    browser.app = site.middleware
    assert page(browser, "read")["bound"]
