"""The two paths that browsers call: every answer, honest and hostile."""

import json
import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from binding.conftest import BOUND, LATE, Site, bound, identifier, owner, page
from cookiesess import DeviceBinding, SessionMiddleware, StoreUnavailable
from cookiesess.session.effect import binding_of
from cookiesess.testing.bound_browser import proof
from cookiesess.tokens.encoding import encode
from kit.constants import KEY, NAME, OTHER_KEY

START, REFRESH = "/_cookiesess/binding/start", "/_cookiesess/binding/refresh"
ENDS = {"continue": False}


def key():
    return generate_private_key(SECP256R1())


def offered(site):
    """A browser that is logged in and was offered a registration; and the challenge."""
    browser = site.browser()
    browser.at_once = False
    page(browser, "login")
    return browser, browser.offered[1]


def started(browser, said, **headers):
    return browser.send(START, method="POST", HTTP_SECURE_SESSION_RESPONSE=said, **headers)


def refreshed(browser, said="", *, named=None, **headers):
    named = identifier(browser) if named is None else named
    more = {"HTTP_SECURE_SESSION_RESPONSE": said} if said else {}
    return browser.send(REFRESH, method="POST", HTTP_SEC_SECURE_SESSION_ID=named, **more, **headers)


def challenge(browser):
    said = refreshed(browser).header("Secure-Session-Challenge")
    return re.fullmatch(r'"([^"]+)";id="([^"]+)"', said)[1]


def own_key(browser):
    return browser.kept[identifier(browser)].key


# Registration


def test_a_proof_gets_the_bound_cookie(site):
    browser, asked = offered(site)
    answer = started(browser, proof(key(), asked, brings_key=True))
    assert answer.status == 200
    assert browser.has(BOUND)
    assert answer.header("Cache-Control") == "no-store"


def test_quotes_around_a_proof_do_not_matter(site):
    browser, asked = offered(site)
    assert started(browser, f'"{proof(key(), asked, brings_key=True)}"').status == 200


def test_a_second_proof_by_the_same_key_gets_the_same_answer(site):
    browser, asked = offered(site)
    own = key()
    first, second = (started(browser, proof(own, asked, brings_key=True)) for _ in range(2))
    assert second.status == 200
    assert first.body == second.body


def test_a_second_proof_by_another_key_is_refused(site):
    browser, asked = offered(site)
    started(browser, proof(key(), asked, brings_key=True))
    answer = started(browser, proof(key(), asked, brings_key=True))
    assert (answer.status, answer.header("Set-Cookie")) == (403, None)


def test_of_two_keys_that_come_at_once_the_first_one_stays():
    site = Site("server")
    browser, asked = offered(site)
    first, second = key(), key()
    update = site.store.update

    def overtaken(*args, **kwargs):
        site.store.update = update
        assert started(browser.copied(), proof(first, asked, brings_key=True)).status == 200
        return update(*args, **kwargs)

    site.store.update = overtaken
    assert started(browser, proof(second, asked, brings_key=True)).status == 403


@pytest.mark.parametrize("seconds", [121, 100_000])
def test_a_proof_that_comes_after_its_minute_is_refused(site, seconds):
    browser, asked = offered(site)
    site.clock.advance(seconds)
    assert started(browser, proof(key(), asked, brings_key=True)).status == 403


@pytest.mark.parametrize("seconds", [-60, 120])
def test_hosts_whose_clocks_differ_by_a_minute_understand_each_other(site, seconds):
    browser, asked = offered(site)
    site.clock.advance(seconds)
    assert started(browser, proof(key(), asked, brings_key=True)).status == 200


def test_another_logins_challenge_is_refused(site):
    browser, _ = offered(site)
    _, foreign = offered(site)
    assert started(browser, proof(key(), foreign, brings_key=True)).status == 403


@pytest.mark.parametrize("said", ["", "junk", "a" * 500])
def test_a_challenge_that_nobody_made_is_refused(site, said):
    browser, _ = offered(site)
    assert started(browser, proof(key(), said, brings_key=True)).status == 403


def test_without_a_session_there_is_nothing_to_bind(site):
    _, asked = offered(site)
    assert started(site.browser(), proof(key(), asked, brings_key=True)).status == 403


def test_a_guests_session_is_not_bound(site):
    _, asked = offered(site)
    guest = site.browser()
    page(guest, "write?a=1")
    assert started(guest, proof(key(), asked, brings_key=True)).status == 403


def test_a_session_that_was_replaced_or_does_not_open_is_asked_for_later(site):
    browser, asked = offered(site)
    old = browser.cookies[NAME]
    page(browser, "renew")
    browser.cookies[NAME] = old
    assert started(browser, proof(key(), asked, brings_key=True)).status == 503
    browser.cookies[NAME] = ("junk", None)
    assert started(browser, proof(key(), asked, brings_key=True)).status == 503


def test_a_store_that_fails_is_asked_again_later(site):
    def fail(*args, **kwargs):
        raise StoreUnavailable("down")

    browser, asked = offered(site)
    site.store.update = site.store.load_many = fail
    assert started(browser, proof(key(), asked, brings_key=True)).status == 503


def test_a_session_that_ends_as_its_key_is_written_is_not_bound():
    site = Site("server")
    browser, asked = offered(site)
    update = site.store.update

    def ended(*args, **kwargs):
        site.store.update = update
        site.manager.end_all("ann")
        return update(*args, **kwargs)

    site.store.update = ended
    answer = started(browser, proof(key(), asked, brings_key=True))
    assert (answer.status, answer.header("Set-Cookie")) == (503, None)


# What is hostile about the token itself is in tests/core/test_proofs.py


@pytest.mark.parametrize("said", ["", "a.b", "a.b.c", "é.b.c"])
@pytest.mark.parametrize("path", [START, REFRESH])
def test_what_is_no_proof_is_a_bad_request(site, path, said):
    browser = bound(site)
    if not (said or path == START):
        return  # a refresh without a proof is how each begins
    answer = browser.send(
        path,
        method="POST",
        HTTP_SECURE_SESSION_RESPONSE=said,
        HTTP_SEC_SECURE_SESSION_ID=identifier(browser),
    )
    assert (answer.status, answer.body, answer.header("Set-Cookie")) == (400, b"", None)


@pytest.mark.parametrize("path", [START, REFRESH])
def test_a_proof_beyond_eight_kilobytes_is_too_large(site, path):
    assert bound(site).send(path, method="POST", HTTP_SECURE_SESSION_RESPONSE="a" * 8193).status == 431


@pytest.mark.parametrize("path", [START, REFRESH])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS"])
def test_nothing_but_a_post_is_answered(site, path, method):
    answer = bound(site).send(path, method=method)
    assert (answer.status, answer.header("Allow")) == (405, "POST")


@pytest.mark.parametrize("path", ["/_cookiesess/binding", "/_cookiesess/binding/", f"{START}/", "/_cookiesess"])
def test_what_is_beside_the_paths_is_the_apps(site, path):
    with pytest.raises(KeyError):
        site.browser().send(path, method="POST")
    assert site.seen == [path]


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
