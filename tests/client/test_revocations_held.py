"""Answers that a process may hold for a while (`revocation_cache_seconds`), and what it never holds."""

import pytest

from cookiesess import StoreUnavailable
from kit.browser import lives
from kit.constants import KEY
from kit.marks import OWNERS
from kit.revocations import lose_epoch
from kit.views import anonymous, every, invalidate, login, put, renew
from kit.world import signed_in

CACHED = 5


@pytest.fixture
def cached(world):
    """A server that may hold answers for a while; `other` is a second one."""
    world.other = world.with_revocations(revocation_cache_seconds=CACHED).make_manager()
    return world


@OWNERS
def test_with_a_cache_most_requests_read_nothing(cached, begin):
    browser = cached.browser(begin)
    for seconds in (0, 0, CACHED - 1):
        cached.clock.advance(seconds)
        browser.read()
    assert cached.revocations.taken() == ["load_many"]
    cached.clock.advance(1)
    browser.read()
    assert cached.revocations.taken() == ["load_many"]


@OWNERS
def test_what_another_process_has_ended_goes_on_for_as_long_as_the_cache_says(cached, begin):
    browser = cached.browser(begin)
    copy = browser.copy()
    assert lives(copy)
    here, cached.manager = cached.manager, cached.other
    browser.visit(invalidate)
    cached.manager = here
    cached.clock.advance(CACHED - 1)
    assert lives(copy)
    cached.clock.advance(1)
    assert not lives(copy)


@OWNERS
@pytest.mark.parametrize("end", [invalidate, renew, login("ann")], ids=["logout", "renewal", "login"])
def test_what_this_process_has_ended_is_ended_at_once(cached, begin, end):
    browser = cached.browser(begin)
    copy = browser.copy()
    assert lives(copy)
    browser.visit(end)
    assert not lives(copy)


def test_all_sessions_that_this_process_has_ended_are_ended_at_once(cached):
    browsers = signed_in(cached, 3)
    assert all(map(lives, browsers))
    cached.manager.end_all("ann")
    assert not any(map(lives, browsers))


def test_what_is_known_to_be_ended_is_held_as_well(cached):
    browser = cached.browser(anonymous)
    copy = browser.copy()
    browser.visit(invalidate)
    assert not lives(copy)
    cached.revocations.taken()
    assert not lives(copy)
    assert cached.revocations.taken() == []


def test_a_login_never_takes_its_generation_from_the_cache(cached):
    (browser,) = signed_in(cached)
    assert lives(browser)
    cached.other.end_all("ann")
    browser.visit(every(login("ann"), put("b", 2)))
    cached.clock.advance(CACHED)
    assert lives(browser)


def test_a_request_with_a_held_answer_goes_on_while_the_store_is_down(cached):
    (browser,) = signed_in(cached)
    browser.read()
    cached.revocations.down = {"load_many"}
    assert lives(browser)
    cached.clock.advance(CACHED)
    with pytest.raises(StoreUnavailable):
        browser.read()


def test_a_failed_write_has_the_next_request_ask_the_store(cached):
    (browser,) = signed_in(cached)
    request = browser.open()
    cached.revocations.answer = _lost
    with pytest.raises(StoreUnavailable):
        request.session.invalidate()
    cached.revocations.answer = None
    assert not lives(browser)


def _lost(verb, outcome, again):
    """The store has done it, and its answer got lost."""
    if verb in {"create", "update"}:
        raise StoreUnavailable("the answer was lost")
    return outcome


def test_one_process_holds_ten_thousand_answers_at_most(memory):
    """The store's epoch is one of them, and the oldest."""
    memory.with_revocations(revocation_cache_seconds=CACHED)
    first, *others = (memory.browser(put("a", number)) for number in range(10_000))
    for each in (first, *others[:-1], first):
        each.read()
    assert len(memory.revocations.taken()) == 9_999
    others[-1].read()
    first.read()
    assert len(memory.revocations.taken()) == 2


def test_an_answer_that_is_older_than_a_write_of_this_process_is_not_held(cached):
    browser = cached.browser(anonymous)
    copy = browser.copy()
    cached.revocations.once_after("load_many", lambda: browser.visit(invalidate))
    assert lives(copy)  # it had asked before
    assert not lives(copy)


@OWNERS
def test_a_write_asks_the_store_itself(cached, begin):
    browser = cached.browser(begin)
    slow = browser.open(put("c", 3))
    here, cached.manager = cached.manager, cached.other
    browser.copy().visit(invalidate)
    cached.manager = here
    assert slow.finish() == []


def test_a_store_that_lost_its_memory_is_noticed_when_the_answer_is_old(cached):
    browser = cached.browser(anonymous)
    assert lives(browser)
    lose_epoch(cached)
    assert lives(browser)
    cached.clock.advance(CACHED)
    assert not lives(browser)


def test_what_a_rotation_asks_for_is_held_under_each_key(cached):
    cached.use(f"{'n' * 32},{KEY}")
    (browser,) = signed_in(cached)
    for _ in range(3):
        assert lives(browser)
    assert cached.revocations.taken() == ["load_many"]
