"""Many writers of one session: whoever has lost a few races waits a random, growing moment, and then looks again."""

import pytest

from cookiesess.stores.base import Conflict
from kit.views import append, count, every, invalidate, login, put, renew
from kit.world import World


@pytest.fixture
def browser(world):
    return world.browser(every(put("n", 0), put("cart", [])))


def rivals(world, browser, times, view=None, *, verb="update"):
    """Have somebody else write just before each of the next so many updates."""
    rival = World(world.probe.inner, clock=world.clock).browser(header=browser.header)
    for _ in range(times):
        world.probe.once_before(verb, lambda: rival.visit(view or append("cart", "rival")))


def test_who_loses_two_races_waits_for_nothing(world, browser):
    request = browser.open(count)
    rivals(world, browser, 2)
    request.finish()
    assert world.pauses == []
    assert world.probe.taken() == ["load", "update", "update", "update"]


def test_who_loses_more_waits_longer_each_time_and_takes_what_there_is_by_then(world, browser):
    world.use(random_bytes=lambda size: b"\xff" * size)
    request = browser.open(count)
    rivals(world, browser, 5)
    request.finish()
    assert world.pauses == pytest.approx([0.002, 0.004, 0.008], rel=1e-4)
    assert world.probe.taken() == ["load", *["update"] * 3, *["load", "update"] * 3]
    assert browser.read() == {"n": 1, "cart": ["rival"] * 5}


def test_a_session_that_ends_during_the_wait_stays_ended(world, browser):
    rival = World(world.probe.inner, clock=world.clock).browser(header=browser.header)
    world.use(sleep=lambda _: rival.visit(invalidate))
    request = browser.open(put("late", 1))
    rivals(world, browser, 3)
    assert request.finish() == []
    assert browser.read() == {}


def test_a_session_that_is_renewed_during_the_wait_gets_what_was_written(world, browser):
    rival = World(world.probe.inner, clock=world.clock).browser(header=browser.header)
    pauses = []

    def sleep(seconds):
        if not pauses:
            rival.visit(renew)
        pauses.append(seconds)

    world.use(sleep=sleep)
    request = browser.open(put("late", 1))
    rivals(world, browser, 3)
    assert request.finish() == []
    assert rival.read() == {"n": 0, "cart": ["rival"] * 3, "late": 1}


def test_a_write_whose_answer_was_lost_is_not_applied_again_after_a_wait(world, browser):
    request = browser.open(count)
    rivals(world, browser, 4)
    update, inner = world.probe.inner.update, world.probe.inner

    def repeated(key, record, **arguments):
        outcome = update(key, record, **arguments)
        # An answer that is lost: the client library sends the same update again.
        return update(key, record, **arguments) if not isinstance(outcome, Conflict) else outcome

    inner.update = repeated
    request.finish()
    inner.update = update
    assert browser.read()["n"] == 1


def test_a_renewal_that_loses_races_waits_as_well(world, browser):
    request = browser.open(every(put("a", 1), renew))
    rivals(world, browser, 4)
    request.finish()
    assert len(world.pauses) == 2
    assert browser.read() == {"n": 0, "cart": ["rival"] * 4, "a": 1}


def test_a_login_whose_session_ends_during_the_wait_succeeds(world, browser):
    rival = World(world.probe.inner, clock=world.clock).browser(header=browser.header)
    world.use(sleep=lambda _: rival.visit(invalidate))
    request = browser.open(login("ann"))
    rivals(world, browser, 3)
    request.finish()
    assert world.manager.open(browser.header).owner == "ann"


def test_a_logout_that_loses_races_waits_as_well(world, browser):
    request = browser.open()
    rivals(world, browser, 4, verb="delete")
    request.finish(invalidate)
    assert len(world.pauses) == 2
    assert browser.read() == {}
