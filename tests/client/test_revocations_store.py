"""What revocations ask of their store, what they know of older sessions, and what holds while the store is down."""

import hmac

import pytest

from cookiesess import Key, SessionConflict, StoreUnavailable
from kit.browser import Browser, lives
from kit.constants import IDLE, KEY, NAME
from kit.lines import expired, issued
from kit.marks import OWNERS
from kit.views import anonymous, every, invalidate, login, owned, put, renew
from kit.world import rotated, signed_in

# I/O


@OWNERS
def test_a_request_asks_with_one_read(world, begin):
    browser = world.with_revocations().browser(begin)
    for view in (len, put("c", 3)):
        world.revocations.taken()
        browser.visit(view)
        assert world.revocations.taken() == ["load"]


def test_a_request_asks_with_one_read_in_the_middle_of_a_rotation(world):
    (browser,) = signed_in(world.with_revocations())
    world.use(rotated())
    browser.read()
    assert world.revocations.taken() == ["load_many"]


def test_a_visitor_without_a_session_asks_nothing(world):
    browser = world.with_revocations().browser()
    browser.visit()
    browser.visit(put("a", 1))
    assert world.revocations.taken() == []


def test_an_app_that_does_not_touch_the_session_asks_nothing(world):
    (browser,) = signed_in(world.with_revocations())
    browser.visit(lambda session: None)
    assert world.revocations.taken() == []


@pytest.mark.parametrize("cookie", ["garbage", ""])
def test_a_cookie_that_does_not_open_asks_nothing(world, cookie):
    Browser(world.with_revocations(), {NAME: cookie}).read()
    assert world.revocations.taken() == []


def test_a_session_whose_time_is_over_asks_nothing(world):
    (browser,) = signed_in(world.with_revocations())
    world.clock.advance(IDLE)
    browser.read()
    assert world.revocations.taken() == []


def test_a_logout_writes_once(world):
    browser = world.with_revocations().browser(anonymous)
    browser.visit(invalidate)
    assert world.revocations.taken() == ["load", "create"]


# Sessions from before revocations were configured


@OWNERS
def test_a_session_from_before_goes_on_and_can_be_ended_once_it_was_written(world, begin):
    browser = world.browser(begin)
    world.with_revocations()
    assert lives(browser)
    browser.visit(put("c", 3))
    copy = browser.copy()
    browser.visit(invalidate)
    assert not lives(copy)


@OWNERS
def test_a_copy_from_before_outlives_a_logout(world, begin):
    browser = world.browser(begin)
    world.with_revocations()
    copy = browser.copy()
    assert expired(browser.visit(invalidate)) == [NAME]
    assert lives(copy)


def test_a_copy_from_before_dies_with_all_of_its_owners_sessions(world):
    (browser,) = signed_in(world)
    world.with_revocations().manager.end_all("ann")
    assert not lives(browser)


def test_a_session_from_before_can_be_renewed(world):
    browser = world.browser(owned)
    world.with_revocations()
    browser.visit(renew)
    assert lives(browser)


# While the store is down


@OWNERS
def test_a_store_that_is_down_lets_nobody_in(world, begin):
    browser = world.with_revocations().browser(begin)
    world.revocations.down = {"load"}
    with pytest.raises(StoreUnavailable):
        browser.read()
    assert world.taken_names() == ["store.failed"]


@OWNERS
def test_a_store_that_is_down_lets_in_an_empty_session_where_that_was_asked_for(world, begin):
    browser = world.with_revocations(on_store_error="anonymous").browser(begin)
    before = dict(browser.cookies)
    world.revocations.down = {"load"}
    request = browser.open()
    assert (dict(request.session), request.session.owner, request.session.available) == ({}, None, False)
    with pytest.raises(StoreUnavailable):
        request.session["a"] = 1
    with pytest.raises(StoreUnavailable):
        request.manager.end_all("ann", keep=request.session)
    assert request.finish() == []
    assert browser.cookies == before
    assert set(world.taken_names()) == {"store.failed"}
    world.revocations.down = set()
    assert lives(browser)


@pytest.mark.parametrize("settings", [{}, {"on_store_error": "anonymous"}], ids=["raise", "anonymous"])
@OWNERS
def test_a_logout_that_cannot_be_recorded_raises(world, begin, settings):
    browser = world.with_revocations(**settings).browser(begin)
    request = browser.open()
    world.revocations.down = {"create", "update"}
    with pytest.raises(StoreUnavailable):
        request.session.invalidate()
    world.revocations.down = set()
    assert lives(browser)
    browser.visit(invalidate)
    assert not lives(browser.copy())


@pytest.mark.parametrize("verb", [login("ann"), renew], ids=["login", "renewal"])
@OWNERS
def test_a_new_id_is_not_issued_where_the_old_one_cannot_be_ended(world, begin, verb):
    browser = world.with_revocations().browser(begin)
    request = browser.open(verb)
    world.revocations.down = {"create", "update"}
    with pytest.raises(StoreUnavailable):
        request.finish()
    world.revocations.down = set()
    assert lives(browser)


def test_nobody_logs_in_while_the_store_is_down(world):
    request = world.with_revocations().browser().open(login("ann"))
    world.revocations.down = set(world.revocations.VERBS)
    with pytest.raises(StoreUnavailable):
        request.finish()


def test_end_all_raises_while_the_store_is_down_and_has_changed_nothing(world):
    (browser,) = signed_in(world.with_revocations())
    request = browser.open()
    world.revocations.down = {"create", "update"}
    with pytest.raises(StoreUnavailable):
        request.manager.end_all("ann", keep=request.session)
    world.revocations.down = set()
    assert request.finish() == []
    assert lives(browser)


def test_a_visitor_without_a_session_gets_one_while_the_store_is_down(world):
    browser = world.with_revocations().browser()
    world.revocations.down = set(world.revocations.VERBS)
    assert issued(browser.visit(put("a", 1))) == [NAME]


@OWNERS
def test_a_logout_that_failed_can_be_tried_again_in_the_same_request(world, begin):
    browser = world.with_revocations().browser(begin)
    copy = browser.copy()
    request = browser.open()
    world.revocations.down = {"create", "update"}
    with pytest.raises(StoreUnavailable):
        request.session.invalidate()
    world.revocations.down = set()
    request.finish(invalidate)
    assert not lives(copy)


def test_a_ledger_that_others_change_all_the_time_is_given_up_on(world):
    (browser,) = signed_in(world.with_revocations())
    world.manager.end_all("ann")
    browser.visit(every(login("ann"), put("a", 1)))
    request = browser.open()

    def change(verb, outcome, again):
        if verb == "load":
            world.revocations.inner.update(_key(world), outcome, expected_version=outcome.version, now=world.now)
        return outcome

    world.revocations.answer = change
    with pytest.raises(SessionConflict):
        request.session.invalidate()
    world.revocations.answer = None
    assert lives(browser)


def test_a_login_takes_no_generation_along_that_a_store_has_lost(world):
    """Somebody has emptied the store: then the next ledger begins at 0, and so must the tokens."""
    world.with_revocations().manager.end_all("ann")
    (browser,) = signed_in(world)
    world.revocations.delete(_key(world))
    browser.visit(login("ann"))
    world.manager.end_all("ann")
    assert not lives(browser)


def _key(world):
    """The key of the only ledger there is, under the only key of the ring."""
    return hmac.digest(Key(KEY).derive("revocation"), b"ann", "sha256")
