"""Owners, continued: how many sessions one may have, rotating keys, and settings that cannot work."""

import pytest

from cookiesess import ConfigurationError, SessionManager, TooManySessions
from cookiesess.events import SessionCreated, SessionEnded
from kit.constants import IDLE, KEY, OTHER_KEY
from kit.probe import Probe
from kit.views import every, invalidate, login, put, renew
from kit.world import World, rotated

ann = login("ann")


def handles(world, owner="ann"):
    return [info.handle for info in world.manager.sessions_of(owner)]


def owners(world, *browsers):
    return [world.manager.open(browser.header).owner for browser in browsers]


def test_beyond_the_limit_the_session_that_logged_in_first_is_ended(world):
    world.use(max_sessions_per_owner=2)
    browsers = []
    for _ in range(4):
        browsers.append(world.browser(ann))
        world.clock.advance(1)
    assert owners(world, *browsers) == [None, None, "ann", "ann"]


def test_a_login_again_takes_the_place_of_its_own_session(world):
    world.use(max_sessions_per_owner=2)
    browsers = [world.browser(ann), world.browser(ann)]
    browsers[0].visit(ann)
    assert owners(world, *browsers) == ["ann", "ann"]


def test_the_limit_counts_each_owner_alone(world):
    world.use(max_sessions_per_owner=1)
    browsers = [world.browser(ann), world.browser(login("bob")), world.browser(put("a", 1))]
    assert owners(world, *browsers) == ["ann", "bob", None]


def test_neither_renewing_nor_writing_ends_another_session(world):
    browsers = [world.browser(ann), world.browser(ann)]
    world.use(max_sessions_per_owner=1)
    browsers[0].visit(every(renew, put("a", 1)))
    assert owners(world, *browsers) == ["ann", "ann"]


def test_ending_the_oldest_while_it_logs_in_again_leaves_its_old_id_closed(world):
    world.use(max_sessions_per_owner=1)
    oldest = world.browser(ann)
    late = world.browser(header=oldest.header)
    world.probe.once_before("delete", lambda: oldest.visit(ann))
    world.browser(ann)
    assert late.visit(put("b", 2)) == []


def test_a_login_beyond_the_limit_can_be_refused(world):
    world.use(max_sessions_per_owner=1, on_owner_limit="refuse")
    first, second = world.browser(ann), world.browser(put("a", 1))
    request = second.open()
    with pytest.raises(TooManySessions):
        request.session.login("ann")
    assert request.finish() == []
    assert owners(world, first, second) == ["ann", None]


def test_where_logins_are_refused_one_may_log_in_again_in_ones_own_session(world):
    world.use(max_sessions_per_owner=1, on_owner_limit="refuse")
    browser = world.browser(ann)
    assert len(browser.visit(ann)) == 1
    assert owners(world, browser) == ["ann"]


@pytest.mark.parametrize("ending", [lambda w, b: b.visit(invalidate), lambda w, b: w.clock.advance(IDLE)])
def test_where_logins_are_refused_a_session_that_ended_makes_room(world, ending):
    world.use(max_sessions_per_owner=1, on_owner_limit="refuse")
    ending(world, world.browser(ann))
    world.browser(ann)
    assert len(handles(world)) == 1


# Rotating keys


def test_sessions_under_an_accepted_key_are_listed_and_ended(world):
    old = world.browser(every(ann, lambda s: setattr(s, "label", "old")))
    world.use(rotated())
    new = world.browser(every(ann, lambda s: setattr(s, "label", "new")))
    assert {info.label for info in world.manager.sessions_of("ann")} == {"old", "new"}
    assert world.manager.end_all("ann", keep=new.open().session) == 1
    assert owners(world, old, new) == [None, "ann"]


def test_sessions_under_an_accepted_key_count_for_the_limit(world):
    world.use(max_sessions_per_owner=1)
    old = world.browser(ann)
    world.use(rotated(), max_sessions_per_owner=1)
    new = world.browser(ann)
    assert owners(world, old, new) == [None, "ann"]


def test_sessions_under_a_key_that_has_left_the_ring_are_not_listed(world):
    world.browser(ann)
    world.use(OTHER_KEY)
    assert handles(world) == []


def test_each_session_that_the_limit_ends_is_an_event(world):
    for _ in range(3):
        world.browser(ann)
    world.use(max_sessions_per_owner=2)
    world.browser().visit(ann)
    assert world.taken_events().count(SessionEnded(emptied=False)) == 2


def test_a_login_within_the_limit_ends_nothing_and_says_nothing_of_it(world):
    world.use(max_sessions_per_owner=2)
    world.browser(ann)
    world.browser().visit(ann)
    assert world.taken_events() == [SessionCreated(login=True)]


# Wrong settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        *(({"max_sessions_per_owner": limit}, "whole number from 1, or None") for limit in (0, -1, True, 2.0, "2", [])),
        ({"on_owner_limit": "refuse"}, "needs a limit; give max_sessions_per_owner"),
        ({"on_owner_limit": []}, "choose 'end_oldest' or 'refuse'"),
        ({"on_owner_limit": "ask"}, "choose 'end_oldest' or 'refuse'"),
    ],
)
def test_a_wrong_limit_is_refused_when_the_manager_is_built(world, settings, message):
    with pytest.raises(ConfigurationError, match=message):
        world.make_manager(**settings)


class WithoutIndex(Probe):
    indexes_owners = False


def test_a_limit_needs_a_store_that_indexes_owners(world):
    store = WithoutIndex(world.probe.inner)
    with pytest.raises(ConfigurationError, match="WithoutIndex does not"):
        world.make_manager(store=store, max_sessions_per_owner=1)


@pytest.mark.parametrize(
    "ask", [lambda m: m.sessions_of("ann"), lambda m: m.end("ann", "a" * 64), lambda m: m.end_all("ann")]
)
def test_a_store_without_an_owner_index_says_so_when_asked(world, ask):
    class Plain(Probe):
        indexes_owners = False

        def records_of(self, owner, *, now, limit, cursor=None):
            return super(Probe, self).records_of(owner, now=now, limit=limit, cursor=cursor)

    plain = World(Plain(world.probe.inner), clock=world.clock)
    assert plain.browser(ann).read() == {}
    with pytest.raises(ConfigurationError):
        ask(plain.manager)


@pytest.mark.parametrize(
    "ask", [lambda m: m.sessions_of("ann"), lambda m: m.end("ann", "a" * 64), lambda m: m.end_all("ann")]
)
def test_client_side_sessions_cannot_be_listed(ask):
    with pytest.raises(ConfigurationError, match="store="):
        ask(SessionManager(KEY))


@pytest.mark.parametrize("limit", ["ask", "refuse"])
def test_an_owner_limit_is_checked_without_a_store_too(limit):
    with pytest.raises(ConfigurationError, match="on_owner_limit"):
        SessionManager(KEY, on_owner_limit=limit)


def test_a_limit_needs_a_store():
    with pytest.raises(ConfigurationError, match="store="):
        SessionManager(KEY, max_sessions_per_owner=1)
