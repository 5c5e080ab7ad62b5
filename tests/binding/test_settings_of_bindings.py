"""What can be set about bindings, and what is refused when the manager is built."""

from datetime import timedelta

import pytest

from binding.conftest import KeptStore, Site, owner, page
from cookiesess import Commit, ConfigurationError, CookiePolicy, CrossOriginProtection, DeviceBinding, SessionManager
from cookiesess.http.binding import skipped_reason
from cookiesess.http.headers import with_ours
from cookiesess.session.lifetime import Lifetime
from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import BoundBrowser
from kit.constants import KEY


def refused(**settings):
    with pytest.raises(ConfigurationError) as refusal:
        DeviceBinding(**settings)
    return str(refusal.value)


@pytest.mark.parametrize("bound_for", [timedelta(minutes=4), timedelta(seconds=1), timedelta(hours=2)])
def test_a_bound_cookie_lasts_from_five_minutes_to_an_hour(bound_for):
    assert "must be from 0:05:00 to 1:00:00" in refused(bound_for=bound_for)


def test_a_test_may_have_shorter_ones():
    assert DeviceBinding(bound_for=timedelta(seconds=1), testing=True).bound_seconds == 1
    assert "must be at least 1 s" in refused(bound_for=timedelta(0), testing=True)


@pytest.mark.parametrize("within", [timedelta(0), timedelta(minutes=11)])
def test_a_registration_takes_from_a_second_to_ten_minutes(within):
    assert "registration_within" in refused(registration_within=within)


def test_durations_are_timedeltas():
    assert "bound_for is a timedelta" in refused(bound_for=300)
    assert "registration_within is a timedelta" in refused(registration_within=60)


@pytest.mark.parametrize("name", ["required", "testing"])
def test_a_switch_is_a_bool(name):
    assert f"{name} 1 is not allowed" in refused(**{name: 1})


@pytest.mark.parametrize(
    "path", ["", "/", "a", "/a/", "//a", "/a b", "/a?b", "/a#b", "/a;b", "/é", "/a/../b", "/.", "/a\n", None, 5, b"/a"]
)
def test_a_path_is_a_path(path):
    assert "is not allowed; it begins with '/'" in refused(path=path)


def test_a_path_that_proxies_keep_is_refused():
    assert "proxies keep for certificates" in refused(path="/.well-known/binding")


def test_sessions_in_cookies_alone_cannot_be_bound():
    with pytest.raises(ConfigurationError, match="give store= or revocations= as well"):
        SessionManager(KEY, binding=DeviceBinding())


def test_a_cookie_of_a_whole_domain_cannot_be_bound():
    with pytest.raises(ConfigurationError, match="leave domain= out"):
        SessionManager(
            KEY, store=MemoryStore(), binding=DeviceBinding(), cookie=CookiePolicy("s", domain="shop.example")
        )


@pytest.mark.parametrize("binding", [True, DeviceBinding, "yes"])
def test_a_binding_is_a_device_binding(binding):
    with pytest.raises(ConfigurationError, match=r"write binding=DeviceBinding\(\)"):
        SessionManager(KEY, store=MemoryStore(), binding=binding)


def test_the_paths_are_where_the_settings_say():
    site = Site("server", DeviceBinding(path="/device"))
    browser = site.browser()
    page(browser, "login")
    site.clock.advance(1000)
    assert owner(browser) == "ann"
    assert next(iter(browser.kept.values())).refresh_path == "/device/refresh"


@pytest.mark.parametrize(
    ("cookie_path", "mount", "asks"),
    [
        ("/", "", True),
        ("/", "/shop", True),
        ("/shop", "/shop", True),
        ("/shop/", "/shop", True),
        ("/shop", "", False),
        ("/shop", "/shopping", False),
    ],
)
def test_a_browser_is_asked_where_it_would_send_the_sessions_cookie(cookie_path, mount, asks):
    site = Site("server", cookie=CookiePolicy("s", path=cookie_path))
    said = site.browser(knows=False).get("/login", SCRIPT_NAME=mount).header("Secure-Session-Registration")
    assert (said is not None) is asks


def test_a_policy_of_another_name_and_attributes_is_that_of_the_bound_cookie_too():
    site = Site("server", cookie=CookiePolicy("__Host-s", samesite="Strict"))
    browser = site.browser()
    page(browser, "login")
    assert set(browser.cookies) == {"__Host-s", "__Host-s.bound"}


def test_the_bound_cookie_is_sealed_also_where_sessions_are_signed():
    site = Site("client", encrypt=False)
    browser = site.browser()
    page(browser, "login")
    site.clock.advance(1000)
    assert owner(browser) == "ann"


def test_the_bound_cookies_name_is_taken(site):
    session_cookies = site.manager.jar("")
    with pytest.raises(ValueError, match="bound"):
        session_cookies.set(site.manager.cookie.bound_name, "mine")


def test_a_session_that_outgrew_its_cookie_is_bound_as_well():
    site = Site("client", overflow=KeptStore(), cookie=CookiePolicy(max_bytes=700))
    browser = site.browser()
    page(browser, "login")
    page(browser, f"write?big={'x' * 900}")
    thief = browser.copied()
    site.clock.advance(11)
    assert page(browser, "read")["bound"]
    site.clock.advance(1000)
    assert owner(thief) is None
    assert page(browser, "read")["data"] == {"big": "x" * 900}


def test_protection_from_other_sites_lets_the_browser_through():
    site = Site("server")
    browser = BoundBrowser(CrossOriginProtection(site.middleware), clock=site.clock)
    page(browser, "login")
    assert page(browser, "read")["bound"]


def test_periodic_renewals_keep_the_binding(site):
    lifetime = Lifetime(renew_after=timedelta(days=2), renew_grace=timedelta(0))
    site = Site("server" if "store" in site.settings else "client", lifetime=lifetime)
    browser = site.browser()
    page(browser, "login")
    for _ in range(5):
        site.clock.advance(timedelta(days=1))
        assert page(browser, "read")["bound"]
    assert site.named("session.renewed")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("quota_exceeded", "quota_exceeded"),
        ('"unreachable";id="x"', "unreachable"),
        ("server_error", "server_error"),
        ("elsewhere", "elsewhere"),
        ("", ""),
        ("x_server_error", ""),
        ("x" * 200 + " unreachable", ""),
    ],
)
def test_of_what_a_browser_says_known_reasons_count_alone(said, reason):
    assert skipped_reason(said) == reason


def test_the_request_for_a_key_goes_beside_what_the_app_says_of_caching():
    commit = Commit((), vary=True, registers="(ES256);…")
    assert with_ours([("Cache-Control", "no-cache")], commit, emit=id) == [
        ("Cache-Control", "no-cache"),
        ("Vary", "Cookie"),
        ("Secure-Session-Registration", "(ES256);…"),
    ]
