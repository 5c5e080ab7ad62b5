"""What other settings do where sessions are bound: the rows of the how-to's last table, each with a browser."""

import json
import time
from datetime import UTC, datetime, timedelta

import flask
import pytest

from binding.conftest import BOUND, LATE, Site, bound, identifier, owner, page
from binding.exchange import offered
from cookiesess import CookiePolicy, CookieTooLarge, DeviceBinding, Lifetime, SessionMiddleware
from cookiesess.readers import FlaskCookie
from cookiesess.testing import BoundBrowser
from kit.constants import KEY, NAME

KINDS = pytest.mark.parametrize("kind", ["server", "client"])


def lines(answer):
    return {value.partition("=")[0]: value for name, value in answer.headers if name == "Set-Cookie"}


# revocations=


def test_what_fits_at_the_login_fits_when_it_is_bound_and_in_effect():
    """The key and the binding's ID take their room from the login on."""
    site = Site("client", cookie=CookiePolicy(max_bytes=600))
    browser, _ = offered(site)
    most = 0
    for length in range(600):
        try:
            site.seen.clear()
            page(browser, f"write?a={'x' * length}")
        except CookieTooLarge:
            break
        most = length
    assert 0 < most < 599
    assert browser.register().status == 200
    assert page(browser, "read")["bound"]
    site.clock.advance(LATE)
    assert page(browser, "read") == {"owner": "ann", "data": {"a": "x" * most}, "bound": True, "new": False}


# CookiePolicy


@KINDS
def test_a_persistent_session_outlives_the_window_and_its_bound_cookie_is_renewed(kind):
    site = Site(kind, cookie=CookiePolicy(persistent=True))
    browser = bound(site)
    for _ in range(3):
        site.clock.advance(timedelta(days=10) - timedelta(seconds=LATE))
        assert not browser.has(BOUND)
        assert page(browser, "read")["bound"]
    site.clock.advance(timedelta(days=1))
    assert owner(browser) is None  # its absolute timeout


@KINDS
def test_a_logout_with_clear_on_logout_takes_the_bound_cookie_along(kind):
    site = Site(kind, cookie=CookiePolicy(clear_on_logout=("cookies",)))
    browser = bound(site)
    answer = browser.get("/logout")
    assert answer.header("Clear-Site-Data") == '"cookies"'
    assert set(lines(answer)) == {NAME, BOUND}
    assert all("Max-Age=0" in line for line in lines(answer).values())
    page(browser, "read")
    assert browser.kept == {}


# Lifetime


@KINDS
def test_a_proof_is_no_use_of_the_session(kind):
    site = Site(kind, lifetime=Lifetime(idle=timedelta(minutes=20), refresh_after=timedelta(seconds=1)))
    browser = bound(site)
    for _ in range(5):
        site.clock.advance(timedelta(minutes=4))
        if browser.kept:
            browser.refresh(identifier(browser))
    assert browser.kept == {}  # the last of them found that it had ended
    assert owner(browser) is None


def test_as_a_binding_takes_effect_a_pages_other_requests_have_ten_seconds():
    site = Site("client", lifetime=Lifetime(renew_after=timedelta(days=2), renew_grace=timedelta(0)))
    browser = site.browser()
    page(browser, "login")
    other = browser.copied()
    page(browser, "read")
    site.clock.advance(9)
    assert owner(other) == "ann"
    site.clock.advance(1)
    assert owner(other) is None


# accept=


def flask_cookie(**data):
    app = flask.Flask(__name__)
    app.secret_key = "x" * 32
    return flask.sessions.SecureCookieSessionInterface().get_signing_serializer(app).dumps(data)


def accepting(kind, **settings):
    reader = FlaskCookie("x" * 32, until=datetime(2100, 1, 1, tzinfo=UTC), owner=lambda data: data.get("user"))
    site = Site(kind, DeviceBinding(**settings), accept=[reader])
    site.clock.advance(time.time() - site.clock())  # Flask has signed it by the real one
    browser = site.browser()
    browser.cookies["session"] = (flask_cookie(user="ann"), None)
    return site, browser


@KINDS
def test_another_librarys_session_is_bound_from_its_next_login_on(kind):
    site, browser = accepting(kind)
    assert page(browser, "read")["owner"] == "ann"
    page(browser, "write?a=1")
    site.clock.advance(LATE)
    assert page(browser, "read")["bound"] is False
    page(browser, "login")
    assert page(browser, "read")["bound"]


@KINDS
def test_where_it_is_required_another_librarys_session_has_to_log_in(kind):
    site, browser = accepting(kind, required=True)
    assert owner(browser) is None
    page(browser, "login")
    site.clock.advance(LATE)
    assert page(browser, "read")["bound"]


# What the server ends, and what an operator takes away


@KINDS
def test_the_server_can_end_a_bound_session_at_any_time(kind):
    site = Site(kind)
    browser = bound(site)
    site.manager.end_all("ann")
    site.clock.advance(LATE)
    assert owner(browser) is None
    assert browser.kept == {}
    assert site.named("session.unbound") == []


def test_a_limit_of_sessions_ends_bound_ones_as_others():
    site = Site("server", max_sessions_per_owner=1)
    browser, second = bound(site), bound(site)
    site.clock.advance(LATE)
    assert (owner(browser), owner(second)) == (None, "ann")
    assert browser.kept == {}


@KINDS
def test_without_binding_again_sessions_go_on(kind):
    site = Site(kind)
    browser = bound(site)
    browser.kept.clear()
    browser.app = SessionMiddleware(site.app, KEY, **site.settings)
    site.clock.advance(LATE)
    assert page(browser, "read") == {"owner": "ann", "data": {"cart": "tea"}, "bound": False, "new": False}


@KINDS
def test_with_binding_for_the_first_time_sessions_go_on_and_the_next_login_is_bound(kind):
    site = Site(kind)
    browser = BoundBrowser(SessionMiddleware(site.app, KEY, **site.settings), clock=site.clock)
    page(browser, "login")
    page(browser, "write?a=1")
    browser.app = site.middleware
    site.clock.advance(LATE)
    assert page(browser, "read") == {"owner": "ann", "data": {"a": "1"}, "bound": False, "new": False}
    page(browser, "login")
    assert page(browser, "read")["bound"]


# What the browser says of a proof that it did not give


@pytest.mark.parametrize("reason", ["quota_exceeded", "unreachable", "server_error"])
def test_a_browser_that_could_not_prove_itself_is_back_with_its_next_proof(site, reason):
    browser = bound(site)
    site.clock.advance(LATE)
    browser.skips = reason
    assert owner(browser) is None
    browser.skips = ""
    assert page(browser, "read")["bound"]
    assert [event.reason for event in site.named("session.unbound")] == [reason]


@pytest.mark.parametrize("whence", ["cross-site", "same-site"])
def test_the_first_page_behind_another_origins_link_comes_without_a_proof_and_the_next_one_with_it(site, whence):
    browser = bound(site)
    site.clock.advance(LATE)
    answer = browser.get("/read", HTTP_SEC_FETCH_SITE=whence)
    assert json.loads(answer.body)["owner"] is None
    assert [event.reason for event in site.named("session.unbound")] == ["elsewhere"]
    assert page(browser, "read")["bound"]


def test_another_origins_link_while_the_bound_cookie_lasts_leads_to_the_session(site):
    answer = bound(site).get("/read", HTTP_SEC_FETCH_SITE="cross-site")
    assert json.loads(answer.body)["bound"] is True
