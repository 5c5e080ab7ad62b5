"""`session.replayed`: an ID that is shown later than any request could take, so that somebody may have a copy."""

from datetime import timedelta

import pytest

from cookiesess import Lifetime
from cookiesess.events import SessionReplayed
from cookiesess.stores.memory import MemoryStore
from kit.views import every, invalidate, login, put, renew
from kit.world import World

CLOSINGS = {
    "renew": renew,
    "in time": len,
    "login again": login("ann"),
    "login as another": login("bob"),
    "cycle": lambda s: s.cycle(),
}
REPLAYED = SessionReplayed()


@pytest.fixture(params=CLOSINGS.values(), ids=CLOSINGS)
def pair(world, request):
    """A browser whose session has got a new ID, and somebody with the old one."""
    world.use(lifetime=Lifetime(refresh_after=timedelta(0), renew_after=timedelta(seconds=1)))
    browser = world.browser(every(login("ann"), put("a", 1)))
    old = browser.copy()
    world.clock.advance(1)
    browser.visit(request.param)
    world.forget()
    return browser, old


@pytest.mark.parametrize("seconds", [0, 60, 299])
def test_a_request_may_take_five_minutes(world, pair, seconds):
    world.clock.advance(seconds)
    pair[1].visit()
    assert REPLAYED not in world.events


@pytest.mark.parametrize("seconds", [300, 599])
def test_an_old_id_that_is_shown_later_is_an_event(world, pair, seconds):
    world.clock.advance(seconds)
    assert pair[1].visit() == []
    assert world.taken_events() == [REPLAYED]


def test_it_is_said_once_a_record(world, pair):
    world.clock.advance(300)
    for _ in range(3):
        pair[1].visit()
    world.clock.advance(100)
    pair[1].visit(put("b", 2))
    assert world.taken_events().count(REPLAYED) == 1


def test_each_record_is_said(world, pair):
    browser, old = pair
    second = browser.copy()
    browser.visit(renew)
    world.clock.advance(300)
    old.visit()
    second.visit()
    assert world.taken_events().count(REPLAYED) == 2


def test_once_the_closed_record_is_gone_nobody_knows(world, pair):
    world.clock.advance(600)
    pair[1].visit()
    assert REPLAYED not in world.events


def test_where_another_cookie_of_the_name_lives_it_is_a_deploys_twin(world, pair):
    browser, old = pair
    browser.visit(put("a", 1))
    world.clock.advance(300)
    for header in (f"{old.header}; {browser.header}", f"{browser.header}; {old.header}"):
        assert world.manager.open(header)["a"] == 1
    assert REPLAYED not in world.events


def test_where_no_cookie_of_the_name_lives_it_is_said_of_one(world, pair):
    browser, old = pair
    second = browser.copy()
    browser.visit(renew)
    world.clock.advance(300)
    len(world.manager.open(f"{old.header}; {second.header}"))
    assert world.taken_events().count(REPLAYED) == 1


@pytest.mark.parametrize("view", [put("b", 2), login("carla"), invalidate, lambda s: s.csrf_token()])
def test_it_is_said_whatever_the_request_wants(world, pair, view):
    world.clock.advance(300)
    pair[1].visit(view)
    assert world.taken_events().count(REPLAYED) == 1


def test_a_request_that_does_not_touch_the_session_says_nothing(world, pair):
    world.clock.advance(300)
    world.manager.commit(world.manager.open(pair[1].header))
    assert world.events == []


def test_a_slow_request_that_had_loaded_the_session_is_no_replay(world, pair):
    browser, _ = pair
    slow = browser.copy().open(put("b", 2))
    browser.visit(renew)
    world.clock.advance(300)
    slow.finish()
    assert REPLAYED not in world.events


def test_a_flood_of_old_ids_fills_no_memory():
    world = World(MemoryStore())
    olds = []
    for _ in range(1001):
        browser = world.browser(put("a", 1))
        olds.append(browser.copy())
        browser.visit(renew)
    world.clock.advance(300)
    for old in [*olds, olds[-1]]:
        old.visit()
    assert world.taken_events().count(REPLAYED) == 1001
    assert len(world.manager.operations.parts.backend._beginnings._replayed) <= 1000
