"""The path by which a browser binds a session, and what is no proof on either: every answer, honest and hostile."""

from wsgiref.validate import validator

import pytest
from webtest import lint

from binding.conftest import BOUND, Site, bound, identifier, page
from binding.exchange import REFRESH, START, key, offered, started
from cookiesess import StoreUnavailable
from cookiesess.testing import BoundBrowser
from cookiesess.testing.bound_browser import proof
from kit.constants import NAME

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


@pytest.mark.parametrize("check", [validator, lint.middleware], ids=["wsgiref", "webtest"])
def test_all_answers_are_as_wsgi_wants_them(site, check):
    browser = BoundBrowser(check(site.middleware), clock=site.clock)
    browser.at_once = False
    page(browser, "login")
    kept = browser.offered
    assert started(browser, "junk").status == 400
    assert started(browser, proof(key(), "junk", brings_key=True)).status == 403
    assert browser.register().status == 200
    page(browser, "read")
    browser.refresh(identifier(browser))
    assert browser.send(START).status == 405
    assert browser.send(START, method="POST", HTTP_SECURE_SESSION_RESPONSE="a" * 8193).status == 431
    browser.cookies[NAME] = ("junk", None)
    assert started(browser, proof(key(), kept[1], brings_key=True)).status == 503
    browser.cookies.clear()
    assert browser.refresh(identifier(browser)).status == 200


@pytest.mark.parametrize("path", ["/_cookiesess/binding", "/_cookiesess/binding/", f"{START}/", "/_cookiesess"])
def test_what_is_beside_the_paths_is_the_apps(site, path):
    with pytest.raises(KeyError):
        site.browser().send(path, method="POST")
    assert site.seen == [path]
