"""What revocations ask of their store, what they know of older sessions, and what holds while the store is down."""

import os
from datetime import timedelta

import pytest

from cookiesess import ConfigurationError, CookieTooLarge, Lifetime, StoreUnavailable
from cookiesess.backends.epochs import renew_epoch
from kit.browser import Browser, lives
from kit.constants import IDLE, KEY, NAME, REFRESH
from kit.lines import expired, issued
from kit.marks import OWNERS
from kit.views import anonymous, every, invalidate, login, owned, put, renew
from kit.world import rotated, signed_in

# I/O


@OWNERS
def test_a_request_asks_with_one_read(world, begin):
    browser = world.with_revocations().browser(begin)
    browser.visit()
    assert world.revocations.taken() == ["load_many"]


@OWNERS
def test_a_write_asks_once_more(world, begin):
    browser = world.with_revocations().browser(begin)
    browser.visit(put("c", 3))
    assert world.revocations.taken() == ["load_many", "load_many"]


@pytest.mark.parametrize("verb", [renew, login("ann"), login("bob")], ids=["renewal", "same owner", "another owner"])
def test_a_new_id_asks_once_more_and_writes_once(world, verb):
    browser = world.with_revocations().browser(owned)
    browser.visit(verb)
    assert world.revocations.taken() == ["load_many", "load_many", "create"]


def test_a_request_asks_with_one_read_in_the_middle_of_a_rotation(world):
    (browser,) = signed_in(world.with_revocations())
    world.use(rotated())
    browser.read()
    assert world.revocations.taken() == ["load_many"]


def test_a_visitor_without_a_session_asks_nothing(world):
    browser = world.with_revocations().browser()
    browser.visit()
    assert world.revocations.taken() == []


@pytest.mark.parametrize("begin", [put("a", 1), login("ann")], ids=["anonymous", "ann's"])
def test_a_new_session_asks_once(world, begin):
    world.with_revocations().browser(anonymous)  # the first one of all begins the store's epoch as well
    world.browser().visit(begin)
    assert world.revocations.taken() == ["load_many"]


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
    assert world.revocations.taken() == ["load_many", "create"]


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
    assert set(expired(browser.visit(invalidate))) == {NAME}
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


# What it adds to a token


@pytest.mark.parametrize("begin", [put("a", 1), login("ann")], ids=["anonymous", "ann's"])
def test_what_passes_a_check_in_the_view_fits_at_the_commit(memory, begin):
    """The epoch and, after a login, the owner's generation take room as well."""
    memory.with_revocations().manager.end_all("ann")
    outcomes = set()
    for length in range(100, 350):
        request = memory.browser().open(every(begin, put("text", "x" * length)))
        checked, committed = _fits(request.session.save), _fits(request.finish)
        assert checked == committed
        outcomes.add(checked)
    assert outcomes == {True, False}


def _fits(step):
    try:
        step()
    except CookieTooLarge:
        return False
    return True


# While the store is down


@OWNERS
def test_a_store_that_is_down_lets_nobody_in(world, begin):
    browser = world.with_revocations().browser(begin)
    world.revocations.down = {"load_many"}
    with pytest.raises(StoreUnavailable):
        browser.read()
    assert world.taken_names() == ["store.failed"]


@OWNERS
def test_a_store_that_is_down_lets_in_an_empty_session_where_that_was_asked_for(world, begin):
    browser = world.with_revocations(on_store_error="anonymous").browser(begin)
    before = dict(browser.cookies)
    world.revocations.down = {"load_many"}
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


@OWNERS
def test_a_write_raises_where_it_cannot_be_known_whether_the_session_lives(world, begin):
    browser = world.with_revocations().browser(begin)
    request = browser.open(put("c", 3))
    world.revocations.down = {"load_many"}
    with pytest.raises(StoreUnavailable):
        request.finish()


def test_a_check_in_the_view_raises_the_same(world):
    browser = world.with_revocations().browser(owned)
    request = browser.open(put("c", 3))
    world.revocations.down = {"load_many"}
    with pytest.raises(StoreUnavailable):
        request.session.save()


@pytest.mark.parametrize("keys", [KEY, f"{'n' * 32},{KEY}"], ids=["refresh", "refresh under another key"])
@OWNERS
def test_a_page_that_was_only_read_is_answered_while_the_store_is_down(world, begin, keys):
    """All that is lost is some idle time."""
    browser = world.with_revocations().browser(begin)
    world.use(keys)
    world.clock.advance(REFRESH)
    request = browser.open()
    world.revocations.down = {"load_many", "create", "update"}
    world.forget()
    assert request.finish() == []
    assert world.taken_names() == ["store.failed"]
    world.revocations.down = set()
    assert lives(browser)


@pytest.mark.parametrize("verb", ["load_many", "create"])
def test_a_page_whose_id_is_due_for_another_one_is_answered_while_the_store_is_down(world, verb):
    world.settings["lifetime"] = Lifetime(idle=timedelta(seconds=IDLE), renew_after=timedelta(seconds=IDLE // 2))
    browser = world.with_revocations().browser(owned)
    world.clock.advance(IDLE // 2)
    request = browser.open()
    world.revocations.down = {verb}
    assert request.finish() == []
    world.revocations.down = set()
    assert lives(browser)


def test_a_visitors_first_check_in_the_view_works_while_the_store_is_down(world):
    request = world.with_revocations().browser().open(put("a", 1))
    world.revocations.down = set(world.revocations.VERBS)
    request.session.save()
    assert issued(request.finish()) == [NAME]


def test_what_a_visitor_got_while_the_store_was_down_lives_on(world):
    """Also where the store is in a later epoch: this process has seen it."""
    world.with_revocations().browser(anonymous)
    renew_epoch(world.revocations, random_bytes=os.urandom, now=world.now)
    world.browser(anonymous)
    world.revocations.down = set(world.revocations.VERBS)
    browser = world.browser(put("a", 1))
    world.revocations.down = set()
    assert lives(browser)


@OWNERS
def test_a_twin_that_cannot_be_ended_does_not_keep_anybody_from_logging_in(world, begin):
    first, second = world.with_revocations().browser(begin), world.browser(begin)
    session = world.manager.open(f"{first.header}; {second.header}")
    session.login("ann")
    world.revocations.once_after("create", lambda: world.revocations.down.add("create"))
    world.forget()
    assert NAME in issued(list(world.manager.commit(session).cookies))
    assert "store.failed" in world.taken_names()


# Bad settings


def test_a_mistyped_policy_for_lost_revocations_says_what_to_choose(world):
    with pytest.raises(ConfigurationError, match="choose 'log_out' or 'go_on'"):
        world.with_revocations(on_lost_revocations="logout")


def test_a_policy_for_lost_revocations_needs_revocations(world):
    with pytest.raises(ConfigurationError, match="give revocations= as well"):
        world.use(on_lost_revocations="go_on")
