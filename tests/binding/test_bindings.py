"""Sessions that are bound to a device: what the owner's browser and a thief's see, row by row."""

import json
from datetime import timedelta

import pytest

from binding.conftest import BOUND, BOUND_FOR, LATE, SKEW, Site, bound, identifier, owner, page
from cookiesess import DeviceBinding, SessionMiddleware, StoreUnavailable
from cookiesess.events import SessionUnbound, StoreFailed
from cookiesess.testing import BoundBrowser
from kit.constants import KEY, NAME

# What a login begins


def test_a_login_asks_the_browser_for_a_key(site):
    browser = site.browser(knows=False)
    said = browser.get("/login").header("Secure-Session-Registration")
    assert said.startswith('(ES256);path="/_cookiesess/binding/start";challenge="')


def test_a_login_that_the_view_has_saved_asks_as_well(site):
    assert site.browser(knows=False).get("/saved").header("Secure-Session-Registration")


@pytest.mark.parametrize("path", ["read", "write?a=1", "nothing", "renew", "csrf", "logout"])
def test_no_other_request_asks(site, path):
    browser = site.browser(knows=False)
    browser.get("/login")
    assert browser.get(f"/{path}").header("Secure-Session-Registration") is None


def test_the_app_never_sees_what_the_browser_does_by_itself(site):
    browser = bound(site)
    site.clock.advance(LATE)
    page(browser, "read")
    assert not any("binding" in path for path in site.seen)


def test_the_answer_to_a_login_is_kept_out_of_shared_caches(site):
    assert site.browser().get("/login").header("Cache-Control") == "private"


def test_a_mounted_app_is_reached_where_it_is_mounted(site):
    answer = site.browser(knows=False).get("/login", SCRIPT_NAME='/caf\xc3\xa9 "1"')
    assert 'path="/caf%C3%A9%20%221%22/_cookiesess/binding/start"' in answer.header("Secure-Session-Registration")


def test_the_browser_is_told_where_and_how_to_prove_itself(site):
    browser = site.browser()
    browser.at_once = False
    browser.get("/login")
    answer = browser.register()
    told = json.loads(answer.body)
    line = next(value for name, value in answer.headers if name == "Set-Cookie" and value.startswith(BOUND))
    assert told == {
        "session_identifier": identifier(browser),
        "refresh_url": "/_cookiesess/binding/refresh",
        "scope": {"include_site": False},
        "credentials": [{"type": "cookie", "name": BOUND, "attributes": "Path=/; Secure; HttpOnly; SameSite=Lax"}],
    }
    assert f"Max-Age={BOUND_FOR};" in line
    assert "; Path=/; Max" in line
    assert line.endswith("; Secure; HttpOnly; SameSite=Lax")


# In effect


def test_the_first_request_with_the_bound_cookie_puts_the_binding_into_effect(site):
    browser = site.browser()
    page(browser, "login")
    thief = browser.copied()
    thief.cookies.pop(BOUND)
    site.clock.advance(30)
    assert owner(thief) == "ann"
    assert page(browser, "read")["bound"]
    site.clock.advance(11)
    assert owner(thief) is None
    assert owner(browser) == "ann"


def test_for_ten_seconds_after_it_requests_without_the_cookie_still_read(site):
    browser = site.browser()
    page(browser, "login")
    other = browser.copied()
    other.cookies.pop(BOUND)
    page(browser, "read")
    site.clock.advance(9)
    assert page(other, "read") == {"owner": "ann", "data": {}, "bound": False, "new": False}
    site.clock.advance(1)
    assert owner(other) is None


def test_a_copy_of_all_cookies_works_until_the_bound_one_ends(site):
    browser = bound(site)
    thief = browser.copied()
    thief._keep = lambda lines: None
    site.clock.advance(BOUND_FOR - 12)
    assert owner(thief) == "ann"
    site.clock.advance(SKEW + 1)
    thief.cookies = {name: (value, None) for name, (value, _) in thief.cookies.items()}  # it keeps what it likes
    assert owner(thief) is None
    assert site.events == [SessionUnbound("expired")]
    assert page(browser, "read")["bound"]


def test_the_owner_goes_on_for_hours(site):
    browser = bound(site)
    for _ in range(40):
        site.clock.advance(LATE)
        assert page(browser, "read") == {"owner": "ann", "data": {"cart": "tea"}, "bound": True, "new": False}
    assert not site.named("session.unbound")


def test_server_side_the_id_stays_and_client_side_the_session_gets_another(site):
    browser = site.browser()
    page(browser, "login")
    before = browser.cookies[NAME]
    page(browser, "read")
    assert (browser.cookies[NAME] == before) is ("store" in site.settings)


def test_a_page_whose_other_requests_show_the_cookie_as_well_loses_nothing(site):
    browser = site.browser()
    page(browser, "login")
    tab = browser.copied()
    page(browser, "read")
    assert page(tab, "read")["owner"] == "ann"
    assert site.named("session.write_dropped") == []
    site.clock.advance(11)
    assert page(browser, "read")["bound"]


def test_a_lost_answer_to_the_registration_leaves_the_session_as_without_the_feature(site):
    browser = site.browser()
    browser.at_once = False
    page(browser, "login")
    elsewhere = browser.copied()
    elsewhere.offered = browser.offered
    elsewhere.register()
    if "store" not in site.settings:
        assert browser.cookies[NAME] != elsewhere.cookies[NAME]
    site.clock.advance(100_000)
    assert page(browser, "read") == {"owner": "ann", "data": {}, "bound": False, "new": False}


def test_an_older_cookie_of_the_same_session_that_comes_last_does_not_undo_the_registration():
    site = Site("client")
    browser = site.browser()
    browser.at_once = False
    page(browser, "login")
    before = browser.cookies[NAME]
    browser.register()
    browser.cookies[NAME] = before
    assert page(browser, "read")["bound"]
    site.clock.advance(LATE)
    assert page(browser, "read")["bound"]


def test_a_store_that_fails_as_the_binding_takes_effect_costs_the_request_nothing(site):
    browser = site.browser()
    page(browser, "login")

    def fail(*args, **kwargs):
        raise StoreUnavailable("down")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site.store, "update" if "store" in site.settings else "create", fail)
        assert page(browser, "read") == {"owner": "ann", "data": {}, "bound": True, "new": False}
    assert site.named("store.failed") == [StoreFailed("down")]
    page(browser, "read")
    site.clock.advance(LATE)
    assert owner(browser) == "ann"


# New IDs, logins, logouts


def test_a_renewal_keeps_the_binding(site):
    browser = bound(site)
    named = identifier(browser)
    page(browser, "renew")
    site.clock.advance(LATE)
    assert page(browser, "read")["bound"]
    assert identifier(browser) == named


@pytest.mark.parametrize("who", ["ann", "bob"])
def test_a_login_whose_request_was_bound_keeps_the_binding(site, who):
    browser = bound(site)
    named = identifier(browser)
    assert browser.get(f"/login?owner={who}").header("Secure-Session-Registration") is None
    site.clock.advance(LATE)
    assert page(browser, "read")["bound"]
    assert (owner(browser), identifier(browser)) == (who, named)


def test_any_other_login_begins_a_new_binding_and_the_browser_lets_go_of_the_old_one(site):
    browser = bound(site)
    named = identifier(browser)
    site.clock.advance(LATE)
    browser.skips = "unreachable"
    page(browser, "login")
    browser.skips = ""
    assert set(browser.kept) > {named}
    site.clock.advance(LATE)
    assert page(browser, "read")["bound"]
    assert named not in browser.kept


def test_a_logout_forgets_both_cookies_and_ends_the_binding(site):
    browser = bound(site)
    page(browser, "logout")
    assert browser.cookies == {}
    page(browser, "read")
    assert browser.kept == {}


def test_a_logout_without_any_cookie_forgets_none(site):
    """Another site's POST comes without the session's cookie; the bound one is worth nothing without it."""
    browser = bound(site)
    del browser.cookies[NAME]
    assert browser.get("/logout").header("Set-Cookie") is None


def test_a_session_that_was_emptied_takes_its_bound_cookie_along(site):
    browser = bound(site)
    session = site.manager.open("; ".join(f"{name}={value}" for name, (value, _) in browser.cookies.items()))
    session.clear()
    session._writable().state.owner = None
    lines = site.manager.commit(session).cookies
    assert {line.name: line.value for line in lines} == {NAME: "", BOUND: ""}


def test_a_login_after_a_logout_in_one_request_begins_anew(site):
    browser = bound(site)
    session = site.manager.open("; ".join(f"{name}={value}" for name, (value, _) in browser.cookies.items()))
    session.invalidate()
    session.login("bob")
    assert site.manager.commit(session).registers


# What can be asked


def test_sudo_mode_can_ask_for_the_device(site):
    browser = site.browser(knows=False)
    page(browser, "login")
    assert page(browser, "sudo") == [True, False]
    assert page(bound(site), "sudo") == [True, True]


def test_a_list_of_devices_says_which_are_bound():
    site = Site("server")
    assert [info.bound for info in site.manager.sessions_of("ann")] == []
    bound(site)
    page(site.browser(knows=False), "login")
    assert sorted(info.bound for info in site.manager.sessions_of("ann")) == [False, True]


# Required


@pytest.mark.parametrize("kind", ["server", "client"])
def test_where_it_is_required_a_session_that_nobody_has_bound_ends_for_its_browser(kind):
    site = Site(kind, DeviceBinding(required=True))
    browser = site.browser(knows=False)
    page(browser, "login")
    site.clock.advance(59)
    assert owner(browser) == "ann"
    site.clock.advance(1)
    assert owner(browser) is None
    assert site.named("session.unbound") == [SessionUnbound("unregistered")]


def test_where_it_is_required_bound_sessions_and_those_of_nobody_go_on():
    site = Site("server", DeviceBinding(required=True))
    browser, guest = bound(site), site.browser(knows=False)
    page(guest, "write?a=1")
    site.clock.advance(LATE)
    assert (owner(browser), page(guest, "read")["data"]) == ("ann", {"a": "1"})


def test_where_it_is_required_sessions_from_before_are_refused():
    strict = Site("server", DeviceBinding(required=True))
    browser = BoundBrowser(SessionMiddleware(strict.app, KEY, **strict.settings), clock=strict.clock)
    page(browser, "login")
    strict.clock.advance(timedelta(minutes=2))
    browser.app = strict.middleware
    assert owner(browser) is None
