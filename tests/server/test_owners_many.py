"""Owners with more sessions than anybody looks at at once: listings and endings in pages, and the limit."""

from itertools import pairwise

import pytest

from cookiesess.errors import TooManySessions
from kit.constants import IDLE
from kit.views import every, login, put


@pytest.fixture
def world(world):
    """Without the limit that a manager has by itself."""
    world.settings["max_sessions_per_owner"] = None
    world.use()
    return world


ann = login("ann")


def owners(world, *browsers):
    return [world.manager.open(browser.header).owner for browser in browsers]


def log_in(world, times, *, owner="ann"):
    """As many browsers, each a second after the one before."""
    browsers = []
    for _ in range(times):
        browsers.append(world.browser(login(owner)))
        world.clock.advance(1)
    return browsers


@pytest.fixture
def asked(world):
    """The limits of the listings, and how many were ended at once."""
    found = {"records_of": [], "delete_many": []}
    inner, delete_many = world.probe.inner, world.probe.inner.delete_many

    def note(verb, outcome, again):
        if verb == "records_of":
            found["records_of"].append(len(outcome.records))
        return outcome

    def note_batch(versions):
        found["delete_many"].append(len(versions))
        return delete_many(versions)

    world.probe.answer = note
    world.probe.delete_many = note_batch
    yield found
    del world.probe.delete_many
    assert inner is world.probe.inner


def test_all_of_a_thousand_sessions_end_in_pages_and_batches_but_the_one_to_keep(world, asked):
    log_in(world, 1100)
    kept = world.browser(ann)
    other = world.browser(login("bob"))
    assert world.manager.end_all("ann", keep=kept.open().session) == 1100
    assert owners(world, kept, other) == ["ann", "bob"]
    assert max(asked["records_of"]) <= 100
    assert max(asked["delete_many"]) <= 25
    assert sum(asked["delete_many"]) == 1100


def test_whoever_ends_hundreds_gives_way_to_other_requests_again_and_again(world):
    log_in(world, 70)
    world.pauses.clear()
    world.manager.end_all("ann")
    assert world.pauses == [0.001, 0.001]


def test_whoever_ends_a_few_waits_for_nothing(world):
    log_in(world, 24)
    world.manager.end_all("ann")
    assert world.pauses == []


def test_each_session_that_ends_is_an_event(world):
    log_in(world, 250)
    world.manager.end_all("ann")
    assert [event.name for event in world.events] == ["session.ended"] * 250


def test_a_list_holds_no_more_than_its_limit_and_says_that_there_are_more(world):
    log_in(world, 5)
    sessions = world.manager.sessions_of("ann", limit=3)
    assert [world.now - info.last_seen_at for info in sessions] == [1, 2, 3]
    assert sessions.more


@pytest.mark.parametrize("limit", [5, 6, 500])
def test_a_list_of_all_says_that_there_are_no_more(world, limit):
    log_in(world, 5)
    sessions = world.manager.sessions_of("ann", limit=limit)
    assert (len(sessions), sessions.more) == (5, False)


def test_a_list_of_thousands_is_a_part_of_them(world, asked):
    log_in(world, 1100)
    sessions = world.manager.sessions_of("ann")
    assert (len(sessions), sessions.more) == (500, True)
    assert sum(asked["records_of"]) <= 1000


def test_a_list_longer_than_a_page_is_whole(world):
    log_in(world, 700)
    sessions = world.manager.sessions_of("ann", limit=1000)
    assert (len({info.handle for info in sessions}), sessions.more) == (700, False)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(world, limit):
    browsers = log_in(world, 2)
    with pytest.raises(ValueError, match=f"limit is {limit}; a list has room for 1 session or more"):
        world.manager.sessions_of("ann", limit=limit)
    assert owners(world, *browsers) == ["ann", "ann"]


def test_ending_one_does_not_list_the_others(world):
    log_in(world, 3)
    handle = world.manager.sessions_of("ann")[0].handle
    world.probe.taken()
    assert world.manager.end("ann", handle)
    assert world.probe.taken() == ["load", "delete"]


@pytest.mark.parametrize("handle", ["", "00", "zz", "a" * 62, "a" * 66, "a" * 64])
def test_a_handle_of_no_session_ends_nothing(world, handle):
    browsers = log_in(world, 2)
    assert not world.manager.end("ann", handle)
    assert owners(world, *browsers) == ["ann", "ann"]


def test_beyond_the_limit_the_session_that_was_idle_for_longest_is_ended(world):
    world.use(max_sessions_per_owner=3)
    first, second, third = log_in(world, 3)
    first.visit(put("a", 1))
    world.clock.advance(1)
    fourth = world.browser(ann)
    assert owners(world, first, second, third, fourth) == ["ann", None, "ann", "ann"]


def test_a_login_of_an_owner_within_the_limit_ends_nothing(world):
    browsers = log_in(world, 2)
    world.use(max_sessions_per_owner=3)
    assert owners(world, *browsers, world.browser(ann)) == ["ann"] * 3


def test_an_owner_of_a_time_without_a_limit_comes_down_to_it_login_by_login(world):
    log_in(world, 350)
    world.use(max_sessions_per_owner=10)
    counts = [350]
    for _ in range(5):
        world.clock.advance(1)
        latest = world.browser(ann)
        counts.append(len(world.manager.sessions_of("ann")))
    # A hundred, and the one more that each login is.
    assert [before - after for before, after in pairwise(counts[:4])] == pytest.approx([100] * 3, abs=1)
    assert counts[4:] == [10, 10]
    assert owners(world, latest) == ["ann"]


def test_the_last_ones_seen_are_those_that_remain(world):
    browsers = log_in(world, 250)
    world.use(max_sessions_per_owner=10)
    for _ in range(5):
        browsers.append(world.browser(ann))
        world.clock.advance(1)
    assert owners(world, *browsers) == [None] * 245 + ["ann"] * 10


def test_sessions_that_have_expired_do_not_count(world):
    log_in(world, 20)
    world.clock.advance(IDLE)
    world.use(max_sessions_per_owner=2, on_owner_limit="refuse")
    log_in(world, 2)
    with pytest.raises(TooManySessions):
        world.browser().open(every(ann))
