"""Bindings in Django, by its session middleware: the flows of its own login, and what an engine alone cannot see."""

import json
import re

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, override_settings

from adapters.django_project import AGE, SETTINGS, project
from binding.conftest import LATE
from binding.django_site import BOUND, DJANGOS, MIDDLEWARE, NAME, OURS, Site, bound, page, stolen
from cookiesess import ConfigurationError
from cookiesess.adapters.django import SessionStore, session_manager
from cookiesess.adapters.django.middleware import SessionMiddleware
from cookiesess.events import SessionUnbound, WriteDropped


@pytest.fixture(scope="module", autouse=True)
def _project():
    with project():
        yield


@pytest.fixture(params=["server", "client"])
def site(request):
    site = Site(request.param)
    with override_settings(**site.settings):
        yield site


# The owner, and the thief


def test_the_owner_goes_on_and_a_thief_has_nothing(site):
    browser, thief = stolen(site)
    assert page(thief, "read") == {"owner": "", "data": None, "bound": False}
    assert page(browser, "read") == {"owner": "ann", "data": "tea", "bound": True}
    assert site.named("session.unbound") == [SessionUnbound("missing")]


@pytest.mark.parametrize("name", ["read", "nothing", "write?cart=mine"])
def test_whatever_an_unbound_request_does_the_browser_keeps_its_cookies(site, name):
    browser, thief = stolen(site)
    kept = thief.cookies[NAME]
    thief.get(f"/{name}")
    assert thief.cookies[NAME] == kept
    assert page(browser, "read") == {"owner": "ann", "data": "tea", "bound": True}


def test_what_an_unbound_request_writes_is_dropped_with_an_event(site):
    browser, thief = stolen(site)
    page(thief, "write?cart=mine")
    assert site.named("session.write_dropped") == [WriteDropped("unbound")]
    assert page(browser, "read")["data"] == "tea"


def test_a_login_while_unbound_makes_a_session_of_its_own(site):
    browser, thief = stolen(site)
    thief.at_once = False
    assert not page(thief, "log_in?name=bob")["bound"]
    assert page(thief, "read") == {"owner": "bob", "data": None, "bound": False}
    assert page(browser, "read") == {"owner": "ann", "data": "tea", "bound": True}


@pytest.mark.parametrize("name", ["log_out", "end"])
def test_a_logout_while_unbound_ends_nothing(site, name):
    browser, thief = stolen(site)
    page(thief, name)
    assert page(browser, "read") == {"owner": "ann", "data": "tea", "bound": True}


# The browser's side


def test_a_login_asks_for_a_key_and_the_next_page_is_bound(site):
    browser = site.browser()
    answer = browser.get("/log_in")
    assert re.match(r'\(ES256\);path="/_cookiesess/binding/start";', answer.header("Secure-Session-Registration"))
    assert browser.has(BOUND)
    assert page(browser, "read")["bound"]


def test_nothing_else_asks_for_a_key(site):
    browser = site.browser()
    for name in ("write?cart=tea", "read", "log_in", "read", "write?cart=bread", "log_out", "read"):
        answer = browser.get(f"/{name}")
        assert (answer.header("Secure-Session-Registration") is not None) == (name == "log_in")


def test_a_login_without_anything_before_is_bound_as_one_with_a_cart(site):
    browser = site.browser()
    page(browser, "write?cart=tea")
    page(browser, "log_in")
    assert page(browser, "read") == {"owner": "ann", "data": "tea", "bound": True}


def test_a_browser_without_the_feature_goes_on_as_before(site):
    browser = site.browser(knows=False)
    page(browser, "log_in")
    site.clock.advance(LATE)
    assert page(browser, "read") == {"owner": "ann", "data": None, "bound": False}


def test_an_untouched_page_leaves_the_binding_as_it_is(site):
    browser = site.browser()
    page(browser, "log_in")
    answer = browser.get("/nothing")
    assert answer.header("Set-Cookie") is None
    assert page(browser, "read")["bound"]


def test_a_page_that_fails_leaves_it_for_the_next_one_to_take_effect(site):
    browser = site.browser()
    page(browser, "log_in")
    thief = browser.copied()
    browser.get("/fail")
    site.clock.advance(LATE)
    assert page(thief, "read")["owner"] == "ann"
    assert page(browser, "read")["bound"]


def test_the_same_user_who_logs_in_once_more_stays_bound(site):
    browser = bound(site)
    page(browser, "log_in")
    site.clock.advance(11)
    assert page(browser, "read") == {"owner": "ann", "data": "tea", "bound": True}


def test_who_logs_in_once_more_has_just_authenticated(site):
    browser = bound(site)
    site.clock.advance(1000)
    assert page(browser, "sudo") == [False, False]
    page(browser, "log_in")
    assert page(browser, "sudo") == [True, True]


def test_a_browser_that_was_not_bound_is_asked_again_as_its_user_logs_in_once_more(site):
    browser = site.browser()
    browser.at_once = False
    page(browser, "log_in")
    page(browser, "read")
    browser.at_once = True
    page(browser, "log_in")
    assert page(browser, "read")["bound"]


def test_a_new_key_of_the_session_keeps_the_binding(site):
    browser = bound(site)
    page(browser, "cycle")
    site.clock.advance(11)
    assert page(browser, "read") == {"owner": "ann", "data": "tea", "bound": True}


@pytest.mark.parametrize("name", ["log_out", "end"])
def test_a_logout_has_the_browser_forget_both_cookies(site, name):
    browser = bound(site)
    page(browser, name)
    assert NAME not in browser.cookies
    assert BOUND not in browser.cookies
    assert page(browser, "read")["owner"] == ""


def test_the_session_cookie_lasts_as_long_as_django_says(site):
    browser = site.browser()
    page(browser, "log_in")
    assert browser.cookies[NAME][1] == pytest.approx(site.clock() + AGE, abs=2)


@pytest.mark.parametrize("closes", [True, False])
def test_a_registration_leaves_the_life_of_the_sessions_cookie(closes):
    site = Site("client")
    with override_settings(**site.settings, SESSION_EXPIRE_AT_BROWSER_CLOSE=closes):
        browser = site.browser()
        browser.at_once = False
        page(browser, "log_in")
        answer = browser.register()
    (line,) = [value for name, value in answer.headers if name == "Set-Cookie" and value.strip().startswith(f"{NAME}=")]
    assert (f"Max-Age={AGE}" in line) == (not closes)
    assert ("expires=" in line.lower()) == (not closes)


def test_sessions_of_says_which_device_is_bound(site):
    bound(site)
    if site.settings["COOKIESESS_STORE"] is not None:
        assert [each.bound for each in session_manager().sessions_of("1")] == [True]


def test_a_bound_session_that_is_opened_by_its_key_alone_reads_as_empty(site):
    browser = bound(site)
    assert SessionStore(browser.cookies[NAME][0]).get("cart") is None
    assert page(browser, "read")["data"] == "tea"


def test_a_bound_cookie_that_would_begin_another_pair_does_not(site):
    browser = bound(site)
    other = site.browser()
    page(other, "log_in?name=bob")
    evil = f'"\\073 {NAME}={other.cookies[NAME][0]}"'
    header = f"{BOUND}={evil}; {NAME}={browser.cookies[NAME][0]}; {BOUND}={browser.cookies[BOUND][0]}"
    browser.cookies.clear()
    answer = browser.send("/read", HTTP_COOKIE=header)
    assert json.loads(answer.body)["owner"] == "ann"


# The endpoints


def test_the_endpoints_answer_before_the_project_does(site):
    browser = site.browser()
    answer = browser.send("/_cookiesess/binding/start")
    assert answer.status == 405
    assert answer.header("Allow") == "POST"
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("Content-Length") == "0"


@pytest.mark.parametrize(("proof", "status"), [("no.jwt", 400), ("x" * 9000, 431)])
def test_hostile_proofs_get_a_status(site, proof, status):
    browser = site.browser()
    sent = browser.send("/_cookiesess/binding/start", method="POST", HTTP_SECURE_SESSION_RESPONSE=proof)
    assert sent.status == status


def test_where_the_project_is_mounted_the_browser_is_told_so(site):
    answer = site.browser().send("/log_in", SCRIPT_NAME="/shop")
    assert 'path="/shop/_cookiesess/binding/start"' in answer.header("Secure-Session-Registration")


def test_a_project_behind_asgi_is_answered_as_well(site):
    client = AsyncClient(headers={"host": "localhost"})
    assert async_to_sync(client.get)("/_cookiesess/binding/start").status_code == 405
    assert "Secure-Session-Registration" in async_to_sync(client.get)("/log_in").headers


# The settings


def refusal(**settings):
    with override_settings(**settings), pytest.raises(ConfigurationError) as caught:
        session_manager()
    return str(caught.value)


def test_djangos_own_middleware_is_refused(site):
    said = refusal(MIDDLEWARE=SETTINGS["MIDDLEWARE"])
    assert said.startswith("in Django's settings, COOKIESESS_OPTIONS")
    assert f'write "{OURS}" in place of "{DJANGOS}"' in said


class Derived(SessionMiddleware):
    """A project's own."""


def test_a_middleware_derived_from_ours_will_do(site):
    with override_settings(MIDDLEWARE=[f"{__name__}.Derived", *MIDDLEWARE[1:]]):
        assert session_manager().binding is not None


def test_without_binding_the_middleware_is_djangos_own(site):
    options = {name: value for name, value in site.options.items() if name != "binding"}
    with override_settings(COOKIESESS_OPTIONS=options):
        browser = site.browser()
        answer = browser.get("/log_in")
        assert answer.header("Secure-Session-Registration") is None
        assert browser.send("/_cookiesess/binding/start", method="POST").status == 404
        assert page(browser, "read") == {"owner": "ann", "data": None, "bound": False}


def test_with_another_engine_the_middleware_is_refused():
    engine = "django.contrib.sessions.backends.signed_cookies"
    with override_settings(SESSION_ENGINE=engine), pytest.raises(ConfigurationError, match="SESSION_ENGINE is"):
        SessionMiddleware(lambda request: None)


def test_a_domain_or_neither_store_nor_revocations_is_refused(site):
    assert "domain" in refusal(SESSION_COOKIE_DOMAIN="example.com")
    options = {name: value for name, value in site.options.items() if name != "revocations"}
    assert "revocations" in refusal(COOKIESESS_STORE=None, COOKIESESS_OPTIONS=options)
