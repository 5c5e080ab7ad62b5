"""The path by which a browser renews its bound cookie: every answer, honest and hostile."""

import json

import pytest

from binding.conftest import BOUND, LATE, Site, bound, identifier, owner, page
from binding.exchange import ENDS, challenge, key, offered, own_key, refreshed, started
from cookiesess import DeviceBinding, SessionMiddleware, StoreUnavailable
from cookiesess.session.effect import binding_of
from cookiesess.testing.bound_browser import proof
from cookiesess.tokens.encoding import encode
from kit.constants import KEY, NAME, OTHER_KEY

# Refresh


def test_a_refresh_is_a_challenge_a_proof_and_another_bound_cookie(site):
    browser = bound(site)
    before = browser.cookies[BOUND]
    answer = refreshed(browser, proof(own_key(browser), challenge(browser)))
    assert answer.status == 200
    assert json.loads(answer.body)["session_identifier"] == identifier(browser)
    assert browser.cookies[BOUND] != before


def test_a_refresh_writes_nothing_and_loads_once():
    site = Site("server")
    browser = bound(site)
    loads = []
    load = site.store.load
    site.store.load = lambda *args, **kwargs: loads.append(args) or load(*args, **kwargs)
    site.store.update = site.store.create = site.store.touch = None
    refreshed(browser, proof(own_key(browser), challenge(browser)))
    assert len(loads) == 2  # one for each of the two requests


def test_a_refresh_by_another_key_is_refused(site):
    browser = bound(site)
    answer = refreshed(browser, proof(key(), challenge(browser)))
    assert (answer.status, answer.header("Set-Cookie")) == (400, None)


def test_a_refresh_that_brings_a_key_of_its_own_is_refused(site):
    browser = bound(site)
    assert refreshed(browser, proof(key(), challenge(browser), brings_key=True)).status == 400
    assert refreshed(browser, proof(own_key(browser), challenge(browser), brings_key=True)).status == 400


@pytest.mark.parametrize("seconds", [121, 100_000])
def test_a_proof_that_is_replayed_later_gets_another_challenge(site, seconds):
    browser = bound(site)
    captured = proof(own_key(browser), challenge(browser))
    site.clock.advance(seconds)
    answer = refreshed(browser, captured)
    assert (answer.status, answer.header("Set-Cookie")) == (403, None)
    assert answer.header("Secure-Session-Challenge")


def test_a_proof_of_a_registration_refreshes_nothing(site):
    browser, asked = offered(site)
    own = key()
    started(browser, proof(own, asked, brings_key=True))
    named = json.loads(started(browser, proof(own, asked, brings_key=True)).body)["session_identifier"]
    assert refreshed(browser, proof(own, asked), named=named).status == 403


def test_another_bindings_challenge_gets_another_one(site):
    browser, other = bound(site), bound(site)
    answer = refreshed(browser, proof(own_key(browser), challenge(other)))
    assert (answer.status, answer.header("Set-Cookie")) == (403, None)


def test_another_sessions_id_ends_that_binding_in_the_browser_alone(site):
    browser, other = bound(site), bound(site)
    answer = refreshed(browser, named=identifier(other))
    assert (answer.status, json.loads(answer.body)) == (200, ENDS)
    site.clock.advance(LATE)
    assert (owner(browser), owner(other)) == ("ann", "ann")


@pytest.mark.parametrize("named", ["", '""', "junk", "é"])
def test_a_name_that_is_none_is_no_binding(site, named):
    assert json.loads(refreshed(bound(site), named=named).body) == ENDS


def test_a_thief_gets_a_challenge_and_no_further(site):
    browser = bound(site)
    thief = browser.copied()
    site.clock.advance(LATE)
    answer = refreshed(thief, named=identifier(browser))
    assert (answer.status, answer.header("Set-Cookie")) == (403, None)


def test_a_session_that_has_ended_ends_the_binding(site):
    browser = bound(site)
    cookies = dict(browser.cookies)
    page(browser, "logout")
    browser.cookies = cookies
    assert json.loads(refreshed(browser).body) == ENDS


def test_a_browser_without_the_sessions_cookie_lets_go(site):
    browser = bound(site)
    browser.cookies.clear()
    assert json.loads(refreshed(browser).body) == ENDS


@pytest.mark.parametrize("whence", ["cross-site", "same-site"])
def test_a_cookie_that_the_browser_may_have_held_back_ends_nothing(site, whence):
    browser = bound(site)
    browser.cookies.clear()
    assert refreshed(browser, HTTP_SEC_FETCH_SITE=whence).status == 503


def test_a_session_that_is_not_bound_ends_the_binding(site):
    browser = bound(site)
    named = identifier(browser)
    other, _ = offered(site)
    assert json.loads(refreshed(other, named=named).body) == ENDS


def test_what_was_replaced_or_does_not_open_ends_nothing(site):
    browser = bound(site)
    old = browser.cookies[NAME]
    page(browser, "renew")
    browser.cookies[NAME] = old
    assert refreshed(browser).status == 503
    browser.cookies[NAME] = ("junk", None)
    assert refreshed(browser).status == 503


@pytest.mark.parametrize("on_store_error", ["raise", "anonymous"])
@pytest.mark.parametrize("kind", ["server", "client"])
def test_a_store_that_is_down_ends_nothing(kind, on_store_error):
    def fail(*args, **kwargs):
        raise StoreUnavailable("down")

    site = Site(kind, on_store_error=on_store_error)
    browser = bound(site)
    load, load_many = site.store.load, site.store.load_many
    site.store.load = site.store.load_many = fail
    site.clock.advance(LATE)
    assert refreshed(browser).status == 503
    site.store.load, site.store.load_many = load, load_many
    assert page(browser, "read")["bound"]


def test_a_key_that_was_rotated_ends_nothing(site):
    browser = bound(site)
    browser.app = SessionMiddleware(site.app, f"{OTHER_KEY},{KEY}", binding=DeviceBinding(), **site.settings)
    assert page(browser, "read")["bound"]
    site.clock.advance(LATE)
    assert page(browser, "read") == {"owner": "ann", "data": {"cart": "tea"}, "bound": True, "new": False}


def test_a_lost_answer_of_either_step_is_asked_for_again(site):
    browser = bound(site)
    named, cookies = identifier(browser), dict(browser.cookies)
    challenge(browser)
    refreshed(browser, proof(own_key(browser), challenge(browser)))
    browser.cookies = cookies
    site.clock.advance(LATE)
    assert page(browser, "read")["bound"]
    assert identifier(browser) == named


def test_tabs_that_refresh_at_once_all_get_a_bound_cookie(site):
    browser = bound(site)
    tabs = [browser.copied() for _ in range(3)]
    site.clock.advance(LATE)
    challenges = []
    for tab in tabs:
        tab.kept = dict(browser.kept)
        challenges.append(challenge(tab))
    for tab, asked in zip(tabs, challenges, strict=True):
        assert refreshed(tab, proof(own_key(tab), asked)).status == 200
        assert page(tab, "read")["bound"]


def test_an_unregistered_binding_that_a_browser_asks_for_is_let_go(site):
    browser, _ = offered(site)
    working = site.manager.operations.load(f"{NAME}={browser.cookies[NAME][0]}", now=int(site.clock()))
    named = encode(binding_of(working).binding_id)
    assert json.loads(refreshed(browser, named=named).body) == ENDS
    assert owner(browser) == "ann"
