"""Logouts, renewals and logins of one session at the same time, with `revocations=`."""

import pytest

from kit.browser import lives
from kit.constants import NAME
from kit.lines import issued
from kit.marks import OWNERS
from kit.threads import in_threads
from kit.views import anonymous, every, invalidate, login, owned, put, renew
from kit.world import signed_in

ROUNDS = 10
POINTS = pytest.mark.parametrize("point", ["load_many", "create"])
SIDES = pytest.mark.parametrize("side", ["before", "after"])


def at(world, side, point, action):
    """Have `action` happen just before or after the next call of `point`."""
    {"before": world.revocations.once_before, "after": world.revocations.once_after}[side](point, action)


# In the middle of another request, at each of its steps


@OWNERS
@POINTS
@SIDES
def test_a_logout_in_the_middle_of_a_renewal_ends_the_session(world, begin, point, side):
    browser = world.with_revocations().browser(begin)
    slow = browser.copy().open()
    request = browser.open(renew)
    at(world, side, point, lambda: slow.finish(invalidate))
    request.finish()
    assert not lives(browser)


@OWNERS
@pytest.mark.parametrize("point", ["create", "load"])
@SIDES
def test_a_renewal_in_the_middle_of_a_logout_is_ended_by_it(world, begin, point, side):
    browser = world.with_revocations().browser(begin)
    first = browser.open(renew)
    logout = browser.copy().open()
    first.finish()
    again = browser.open(renew)
    at(world, side, point, again.finish)
    logout.finish(invalidate)
    assert not lives(browser)


@OWNERS
@POINTS
@SIDES
def test_of_two_renewals_in_the_middle_of_each_other_one_counts(world, begin, point, side):
    browser = world.with_revocations().browser(begin)
    first, second = browser.open(renew), browser.open(renew)
    lines = []
    at(world, side, point, lambda: lines.append(second.finish()))
    lines.append(first.finish())
    assert sorted(map(len, lines)) == [0, 1]
    assert lives(browser)


@OWNERS
@POINTS
@SIDES
@pytest.mark.parametrize("other", [invalidate, renew, login("ann"), login("bob")], ids=["out", "renew", "ann", "bob"])
def test_whatever_happens_in_the_middle_of_a_login_it_succeeds(world, begin, point, side, other):
    browser = world.with_revocations().browser(begin)
    beside = browser.copy().open()
    request = browser.open(every(login("ann"), put("new", 1)))
    at(world, side, point, lambda: beside.finish(other))
    assert issued(request.finish()) == [NAME]
    # Where ann had logged in again, a logout under her old ID ends the session that took its place, as it should.
    led_on = (other, point, side, begin) == (invalidate, "create", "after", owned)
    assert (browser.owner(), browser.read().get("new")) == ((None, None) if led_on else ("ann", 1))


@POINTS
@SIDES
@pytest.mark.parametrize("other", [login("ann"), login("bob")], ids=["ann", "bob"])
def test_the_old_data_comes_along_with_the_first_login_alone(world, point, side, other):
    browser = world.with_revocations().browser(owned)
    beside = browser.copy().open()
    request = browser.open(every(login("ann"), put("new", 1)))
    at(world, side, point, lambda: beside.finish(other))
    request.finish()
    was_second = (point, side) != ("create", "after")
    assert ("a" in browser.read()) is not was_second


@OWNERS
def test_a_write_that_is_overtaken_at_the_last_moment_opens_nothing(world, begin):
    browser = world.with_revocations().browser(begin)
    logout, write = browser.copy().open(), browser.open(put("c", 3))
    world.revocations.once_after("load_many", lambda: logout.finish(invalidate))
    write.finish()
    assert not lives(browser)


def test_the_end_of_all_sessions_in_the_middle_of_a_renewal_ends_it(world):
    (browser,) = signed_in(world.with_revocations())
    request = browser.open(renew)
    world.revocations.once_before("create", lambda: world.manager.end_all("ann"))
    request.finish()
    assert not lives(browser)


# In threads


@OWNERS
def test_a_renewal_and_a_logout_at_once_leave_no_session(world, begin):
    world.with_revocations()
    for _ in range(ROUNDS):
        browser = world.browser(begin)
        renewal, logout = browser.open(renew), browser.copy().open()
        in_threads(renewal.finish, lambda logout=logout: logout.finish(invalidate))
        assert not lives(browser)


def test_of_eight_renewals_at_once_one_is_issued(world):
    world.with_revocations()
    for _ in range(ROUNDS):
        browser = world.browser(owned)
        lines = in_threads(*(browser.open(renew).finish for _ in range(8)))
        assert sum(map(len, lines)) == 1
        assert lives(browser)


def test_of_eight_logins_at_once_each_lives(world):
    browser = world.with_revocations().browser(owned)
    browsers = [browser.copy() for _ in range(8)]
    in_threads(*(each.open(login("ann")).finish for each in browsers))
    assert [each.owner() for each in browsers] == ["ann"] * 8


def test_a_logout_beside_a_chain_of_renewals_ends_it(world):
    world.with_revocations()
    for _ in range(ROUNDS):
        browser = world.browser(owned)
        logout = browser.copy().open()

        def renewals(browser=browser):
            for _ in range(5):
                browser.visit(renew)

        in_threads(renewals, lambda logout=logout: logout.finish(invalidate))
        assert not lives(browser)


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


# Several logouts of one owner


def test_a_logout_in_the_middle_of_another_of_the_same_owner_is_not_forgotten(world):
    first, second = signed_in(world.with_revocations(), 2)
    copies = [first.copy(), second.copy()]
    world.revocations.once_before("create", lambda: second.visit(invalidate))
    first.visit(invalidate)
    assert not any(map(lives, copies))


@OWNERS
def test_of_two_logouts_of_one_session_at_the_same_time_one_is_said(world, begin):
    browser = world.with_revocations().browser(begin)
    first, second = browser.copy().open(), browser.copy().open()
    world.revocations.once_before("create", lambda: second.finish(invalidate))
    first.finish(invalidate)
    assert world.taken_names() == ["session.ended"]
    assert not lives(browser)


def test_a_visitors_logout_beside_a_login_ends_nothing(world):
    browser = world.with_revocations().browser(anonymous)
    planter = browser.copy().open()
    browser.visit(login("ann"))
    planter.finish(invalidate)
    assert browser.owner() == "ann"
