"""Revocations together with overflow, with each other in parallel, and with the deadlines."""

import pytest

from kit.browser import lives
from kit.constants import ABSOLUTE, BIG, IDLE, NAME, OTHER_KEY, REF, REFRESH
from kit.marks import OWNERS
from kit.threads import in_threads
from kit.views import ann, anonymous, every, invalidate, login, owned, put, renew
from kit.world import signed_in

# Together with overflow


def test_end_all_ends_sessions_that_have_moved(world):
    browser = world.with_both().browser(ann, put("big", BIG))
    world.manager.end_all("ann")
    assert not lives(browser)


def test_a_session_that_has_moved_is_kept(world):
    browser, other = world.with_both().browser(ann, put("big", BIG)), world.browser(ann, put("big", BIG))
    request = browser.open()
    request.manager.end_all("ann", keep=request.session)
    request.finish()
    assert browser.read() == {"a": 1, "big": BIG}
    assert not lives(other)


def test_a_logout_of_a_session_that_has_moved_ends_the_inline_copies_from_before(world):
    browser = world.with_both().browser(ann)
    copy = browser.copy()
    browser.visit(put("big", BIG))
    assert lives(copy)
    browser.visit(invalidate)
    assert not lives(copy)


def test_a_session_that_comes_back_with_a_login_ends_its_older_copies(world):
    browser = world.with_both().browser(put("a", 1))
    copies = [browser.copy()]
    browser.visit(put("big", BIG))
    browser.visit(put("big", ""))
    copies.append(browser.copy())
    browser.visit(login("ann"))
    assert list(browser.cookies) == [NAME]
    assert not any(map(lives, copies))
    assert lives(browser)


def test_a_request_that_merges_into_a_renewed_session_does_not_end_it(world):
    browser = world.with_both().browser(ann, put("big", BIG))
    slow = browser.open(put("slow", 1))
    browser.visit(renew)
    slow.finish()
    assert browser.read() == {"a": 1, "big": BIG, "slow": 1}


def test_a_parallel_renewal_of_a_session_that_has_moved_does_not_end_it(world):
    browser = world.with_both().browser(ann, put("big", BIG))
    first, second = browser.open(renew), browser.open(every(renew, put("slow", 1)))
    first.finish()
    second.finish()
    assert browser.read() == {"a": 1, "big": BIG, "slow": 1}
    copy = browser.copy()
    browser.visit(invalidate)
    assert not lives(copy)


def test_a_session_that_has_moved_can_be_ended_while_its_body_is_sent(world):
    browser = world.with_both().browser(ann, put("big", BIG))
    copy = browser.copy()
    request = browser.open()
    request.send_headers()
    request.session.invalidate()
    request.close()
    assert not lives(copy)
    assert REF in browser.cookies


def test_a_session_that_begins_and_ends_within_one_request_is_revoked_too(world):
    request = world.with_both().browser().open(put("big", BIG))
    request.send_headers()
    world.revocations.taken()
    request.session.invalidate()
    request.close()
    assert world.revocations.taken() == ["create"]


def test_a_move_that_was_underway_during_the_logout_is_dead(world):
    browser = world.with_both().browser(ann)
    slow = browser.open(put("big", BIG))
    browser.visit(invalidate)
    slow.finish()
    assert not lives(browser)


def test_a_session_that_has_moved_asks_each_store_once(world):
    browser = world.with_both().browser(ann, put("big", BIG))
    browser.read()
    assert [probe.taken() for probe in world.probes] == [["load"], ["load_many"]]


# Many at once


def test_sixteen_sessions_of_one_owner_are_ended_at_once_and_none_is_forgotten(world):
    browsers = signed_in(world.with_revocations(), 16)
    copies = [browser.copy() for browser in browsers]
    in_threads(*(lambda each=browser: each.visit(invalidate) for browser in browsers))
    assert not any(map(lives, copies))


def test_end_all_and_logouts_at_once_forget_nothing(world):
    browsers = signed_in(world.with_revocations(), 8)
    copies = [browser.copy() for browser in browsers]
    actions = [lambda each=browser: each.visit(invalidate) for browser in browsers[:4]]
    in_threads(*actions, lambda: world.manager.end_all("ann"))
    assert not any(map(lives, copies))


def test_a_logout_in_the_middle_of_another_of_the_same_owner_is_not_forgotten(world):
    first, second = signed_in(world.with_revocations(), 2)
    copies = [first.copy(), second.copy()]
    first.visit(renew)
    world.revocations.once_before("create", lambda: second.visit(invalidate))
    first.visit(invalidate)
    assert not any(map(lives, copies))


def test_two_first_logouts_of_one_owner_at_the_same_time_are_both_recorded(world):
    first, second = signed_in(world.with_revocations(), 2)
    copies = [first.copy(), second.copy()]
    world.revocations.once_before("create", lambda: second.visit(invalidate))
    first.visit(invalidate)
    assert not any(map(lives, copies))


@OWNERS
def test_a_renewal_and_a_logout_at_the_same_moment_leave_no_session(world, begin):
    browser = world.with_revocations().browser(begin)
    other = browser.copy()
    world.revocations.once_before("create", lambda: other.visit(invalidate))
    browser.visit(renew)
    assert not lives(browser)


# Deadlines


@pytest.mark.parametrize("begin", [anonymous, owned], ids=["anonymous", "ann's"])
def test_an_ended_session_never_opens_while_its_cookie_could(world, begin):
    browser = world.with_revocations().browser(begin)
    world.clock.advance(100)
    copies = []
    while world.clock() < 1_700_000_000 + ABSOLUTE - REFRESH:
        world.clock.advance(REFRESH)
        browser.visit(put("n", 1))
        copies.append(browser.copy())
    browser.visit(invalidate)
    for _ in range(40):
        assert not any(map(lives, copies))
        world.clock.advance(REFRESH // 10)


def test_a_login_keeps_what_all_logins_before_it_have_ended(world):
    """A generation is remembered as long as any token that holds it."""
    world.with_revocations().manager.end_all("ann")
    world.clock.advance(ABSOLUTE - 1)
    (browser,) = signed_in(world)
    copies = []
    for _ in range(3):
        world.clock.advance(IDLE // 2)
        browser.visit(put("n", 1))
        copies.append(browser.copy())
    world.manager.end_all("ann")
    assert not any(map(lives, copies))


def test_a_rotation_that_leaves_the_old_key_out_ends_everybodys_sessions(world):
    browsers = [*signed_in(world.with_revocations(), 2), world.browser(anonymous)]
    world.use(OTHER_KEY)
    assert not any(map(lives, browsers))
