"""A write that was acknowledged is never lost by a new ID beside it, whichever step of one meets which of the other.

Each of two requests is run in the middle of the other one, at every call of the store; then both run in threads.
"""

from datetime import timedelta

import pytest

from cookiesess import Lifetime
from kit.browser import Browser
from kit.constants import LIFETIME
from kit.threads import in_threads
from kit.views import append, count, every, login, put, renew
from kit.world import World

RENEWING = Lifetime(refresh_after=timedelta(0), renew_after=timedelta(seconds=60))
"""Each request of the tests is due for a new ID."""

NEW_IDS = {
    "renew": (LIFETIME, renew),
    "renew and write": (LIFETIME, every(renew, put("mine", 1))),
    "in time": (RENEWING, len),
    "in time and write": (RENEWING, put("mine", 1)),
}
LOGINS = {"login": (LIFETIME, login("ann")), "login and write": (LIFETIME, every(login("ann"), put("mine", 1)))}
WRITES = {
    "put": (put("b", 2), {"b": 2}),
    "append": (append("cart", "milk"), {"cart": ["tea", "milk"]}),
    "mutate": (count, {"n": 1}),
    "saved": (every(put("b", 2), lambda s: s.save()), {"b": 2}),
    "deleted": (lambda s: s.pop("cart"), {"cart": None}),
}
writes = pytest.mark.parametrize(("write", "written"), WRITES.values(), ids=WRITES)


def new_ids(which):
    return pytest.mark.parametrize(("lifetime", "view"), which.values(), ids=which)


@pytest.fixture
def browser(world):
    browser = world.browser(lambda s: s.update(cart=["tea"], n=0))
    world.clock.advance(60)
    return browser


def quiet(world, browser, lifetime=LIFETIME):
    """The same cookie, in requests that reach the store without being stopped."""
    return Browser(World(world.probe.inner, clock=world.clock, lifetime=lifetime), browser.header)


def seen(browser, written):
    data = browser.read()
    return {key: data.get(key) for key in written}


@new_ids({**NEW_IDS, **LOGINS})
@writes
@pytest.mark.parametrize(("when", "verb"), [("before", "create"), ("after", "create"), ("before", "update")])
def test_a_write_in_the_middle_of_a_new_id_is_taken_along(world, browser, lifetime, view, write, written, when, verb):
    other = quiet(world, browser)
    world.use(lifetime=lifetime)
    getattr(world.probe, f"once_{when}")(verb, lambda: other.visit(write))
    assert len(browser.visit(view)) == 1
    assert seen(browser, written) == written


@new_ids(NEW_IDS)
@writes
@pytest.mark.parametrize("twice", [False, True])
def test_a_write_that_a_new_id_overtakes_goes_into_the_session_under_that_id(
    world, browser, lifetime, view, write, written, twice
):
    other = quiet(world, browser, lifetime)
    request = browser.open()

    def overtake():
        other.visit(view)
        if twice:
            world.clock.advance(60)
            other.visit(view)

    world.probe.once_before("update", overtake)
    assert request.finish(write) == []
    assert seen(other, written) == written


@writes
@pytest.mark.parametrize(("when", "verb"), [("before", "create"), ("after", "create"), ("before", "update")])
def test_of_two_that_are_due_for_a_new_id_neither_loses_anything(world, browser, write, written, when, verb):
    other = quiet(world, browser, RENEWING)
    world.use(lifetime=RENEWING)
    getattr(world.probe, f"once_{when}")(verb, lambda: other.visit(write))
    lines = browser.visit(put("mine", 1))
    assert lines == []
    assert seen(other, {"mine": 1, **written}) == {"mine": 1, **written}


@new_ids({**NEW_IDS, **LOGINS})
def test_whoever_is_faster_in_threads_nothing_is_lost(world, lifetime, view):
    for number in range(20):
        world.use(lifetime=LIFETIME)
        browser = world.browser(put("n", 0))
        world.clock.advance(60)
        slow = browser.copy().open(put("number", number))
        world.use(lifetime=lifetime)
        acknowledged = []
        in_threads(browser.open(view).finish, lambda s=slow, a=acknowledged: a.append(s.finish()))
        dropped = "session.write_dropped" in world.taken_names()
        assert dropped or browser.read()["number"] == number
        assert not dropped or view in [each for _, each in LOGINS.values()]


def test_many_writers_beside_a_chain_of_renewals_lose_nothing(world):
    browser, expected = world.browser(put("n", 0)), {"n": 60}
    for turn in range(15):
        slow = [browser.copy().open(every(put(f"{turn}.{number}", turn), count)) for number in range(4)]
        expected |= {f"{turn}.{number}": turn for number in range(4)}
        in_threads(browser.open(renew).finish, *[request.finish for request in slow])
    assert browser.read() == expected
