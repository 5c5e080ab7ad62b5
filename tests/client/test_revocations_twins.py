"""Several cookies of the session's name, with `revocations=`: all are asked of at once, and end together."""

from datetime import timedelta

import pytest

from cookiesess import Lifetime
from cookiesess.session.state import Origin
from kit.browser import Browser, lives
from kit.constants import BIG, GRACE, NAME, REFRESH
from kit.lines import issued
from kit.marks import OWNERS
from kit.views import anonymous, every, invalidate, login, owned, put, renew
from kit.world import signed_in


def cycle(session):
    session.cycle()


def header(*browsers):
    """The Cookie header of one that has the cookies of all of them."""
    return "; ".join(browser.header for browser in browsers)


def visit(world, view, *browsers):
    """One request with the cookies of all of them; returns the Set-Cookie lines."""
    session = world.manager.open(header(*browsers))
    view(session)
    return list(world.manager.commit(session).cookies)


def after(lines):
    """The browser that keeps what was set."""
    (token,) = [line.value for line in lines if line.name == NAME and line.attributes.max_age != 0]
    return {NAME: token}


def test_all_of_them_are_asked_of_in_one_round_trip(world):
    browsers = [*signed_in(world.with_revocations(), 2), world.browser(anonymous), world.browser(owned)]
    world.forget()
    visit(world, len, *browsers)
    assert world.revocations.taken() == ["load_many"]


@pytest.mark.parametrize("turned", [False, True], ids=["first", "last"])
def test_one_that_was_ended_is_passed_over(world, turned):
    ended, alive = signed_in(world.with_revocations(), 2)
    copy = ended.copy()
    ended.visit(invalidate)
    pair = (alive, copy) if turned else (copy, alive)
    assert world.manager.open(header(*pair)).owner == "ann"


@pytest.mark.parametrize("turned", [False, True], ids=["first", "last"])
def test_what_was_replaced_comes_before_what_is_gone_where_none_lives(world, turned):
    first, second = signed_in(world.with_revocations(), 2)
    olds = [first.copy(), second.copy()]
    first.visit(invalidate)
    second.visit(renew)
    session = world.manager.open(header(*(reversed(olds) if turned else olds)))
    assert session.origin is Origin.REPLACED
    session.invalidate()
    assert not lives(second)


@OWNERS
def test_a_logout_ends_all_of_them(world, begin):
    browsers = [world.with_revocations().browser(begin), world.browser(begin), world.browser(anonymous)]
    visit(world, invalidate, *browsers)
    assert not any(map(lives, browsers))


@pytest.mark.parametrize("verb", [login("ann"), login("bob"), cycle], ids=["ann", "bob", "cycle"])
def test_a_login_ends_all_of_them(world, verb):
    browsers = [world.with_revocations().browser(owned), world.browser(owned), world.browser(anonymous)]
    new = Browser(world, after(visit(world, every(verb, put("new", 1)), *browsers)))
    assert not any(map(lives, browsers))
    assert new.read()["new"] == 1


def test_a_renewal_ends_the_one_that_counts_alone(world):
    twin, counts = world.with_revocations().browser(anonymous), world.browser(owned)
    visit(world, renew, twin, counts)
    assert (lives(twin), lives(counts)) == (True, False)


def test_after_a_login_each_leads_on_as_its_own_owner_says(world):
    """The twin of the same owner to a logout, the planted one nowhere."""
    same, planted, counts = world.with_revocations().browser(owned), world.browser(anonymous), world.browser(owned)
    new = Browser(world, after(visit(world, login("ann"), same, planted, counts)))
    planted.visit(invalidate)
    assert lives(new)
    same.visit(invalidate)
    assert not lives(new)


@pytest.mark.parametrize("copies", [1, 3])
def test_two_cookies_of_one_session_are_closed_once(world, copies):
    """An older and a newer copy have the same ID, and the login that ends it does not end itself."""
    older = world.with_revocations().browser(owned)
    newer = older.copy()
    world.clock.advance(REFRESH)
    newer.visit(put("c", 3))
    new = Browser(world, after(visit(world, login("ann"), *[older] * copies, newer)))
    assert new.read() == {"a": 1, "b": 2, "c": 3}


def test_two_twins_of_one_session_are_closed_once(world):
    twin = world.with_revocations().browser(owned)
    again = twin.copy()
    world.clock.advance(1)
    counts = world.browser(owned)
    new = Browser(world, after(visit(world, login("ann"), twin, again, counts)))
    assert lives(new)


def test_an_old_id_within_its_grace_beside_the_one_in_its_place_costs_a_login_nothing(world):
    world.settings["lifetime"] = Lifetime(idle=timedelta(seconds=10 * REFRESH), renew_after=timedelta(seconds=REFRESH))
    browser = world.with_revocations().browser(owned)
    world.clock.advance(REFRESH)
    old = browser.copy()
    browser.visit()
    world.clock.advance(GRACE - 1)
    new = Browser(world, after(visit(world, login("ann"), old, browser)))
    assert new.read() == {"a": 1, "b": 2}
    assert not any(map(lives, (old, browser)))


@OWNERS
def test_a_session_in_the_store_and_one_in_the_cookie_end_together(world, begin):
    browsers = [world.with_both().browser(begin, put("big", BIG)), world.browser(begin)]
    visit(world, invalidate, *browsers)
    assert not any(map(lives, browsers))


@OWNERS
def test_a_login_ends_a_session_in_the_store_and_one_in_the_cookie(world, begin):
    browsers = [world.with_both().browser(begin, put("big", BIG)), world.browser(begin)]
    lines = visit(world, every(login("ann"), put("new", 1)), *browsers)
    assert len(issued(lines)) == 1
    assert not any(map(lives, browsers))


def test_a_store_that_is_down_for_one_of_them_is_down_for_all(world):
    browsers = [world.with_both(on_store_error="anonymous").browser(owned, put("big", BIG)), world.browser(owned)]
    world.overflow.down = {"load"}
    session = world.manager.open(header(*browsers))
    assert (session.owner, session.available) == (None, False)
