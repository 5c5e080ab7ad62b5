"""The server-side rows of the decision table for sessions that were loaded, or replaced by a login."""

from datetime import timedelta

import pytest

from cookiesess import Lifetime
from cookiesess.events import (
    SessionEnded,
    SessionExpired,
    SessionRefreshed,
    SessionRenewed,
    WriteDropped,
)
from cookiesess.stores.memory import MemoryStore
from kit.browser import Browser
from kit.constants import IDLE, OTHER_KEY, PERSISTENT, REFRESH
from kit.lines import is_expiry, is_issue
from kit.views import ann, append, clear, drop, every, invalidate, login, persist, put, renew
from kit.world import World, rotated


def cart(session):
    session["cart"] = ["tea"]


@pytest.mark.parametrize(
    "view",
    [len, dict, cart, lambda s: s["cart"], lambda s: s.pop_flashes(), lambda s: s.check_csrf("x"), lambda s: s.owner],
)
def test_reading_costs_one_load_and_nothing_else(world, view):
    browser = world.browser(cart)
    world.clock.advance(REFRESH - 1)
    assert browser.visit(view) == []
    assert world.probe.taken() == ["load"]
    assert world.taken_events() == []


def test_a_change_that_was_undone_writes_nothing(world):
    browser = world.browser(cart)
    assert browser.visit(every(append("cart", "milk"), lambda s: s["cart"].pop())) == []
    assert world.probe.taken() == ["load"]


def test_a_refresh_that_is_due_touches_and_does_not_update(world):
    browser = world.browser(cart)
    world.clock.advance(REFRESH)
    assert browser.visit() == []
    assert world.probe.taken() == ["load", "touch"]
    assert world.taken_events() == [SessionRefreshed()]


def test_a_touched_session_lives_for_another_idle_timeout(world):
    browser = world.browser(cart)
    world.clock.advance(REFRESH)
    browser.visit()
    world.clock.advance(IDLE - 1)
    assert browser.read() == {"cart": ["tea"]}
    world.clock.advance(1)
    assert browser.read() == {}


def test_a_refresh_of_a_persistent_session_sends_the_same_id_with_a_new_max_age(world):
    world.use(cookie=PERSISTENT)
    browser = world.browser(cart)
    world.clock.advance(REFRESH)
    (line,) = browser.visit()
    assert line.attributes.max_age == IDLE
    assert world.probe.taken() == ["load", "touch"]
    assert browser.read() == {"cart": ["tea"]}


def test_a_session_that_is_persistent_by_itself_gets_a_new_max_age_too(world):
    browser = world.browser(every(cart, persist))
    world.clock.advance(REFRESH)
    (line,) = browser.visit()
    assert line.attributes.max_age == IDLE


def test_a_refresh_under_an_old_key_is_an_update_and_the_same_id_sealed_anew(world):
    browser = world.browser(ann)
    handle = world.manager.sessions_of("ann")[0].handle
    world.use(rotated())
    world.clock.advance(REFRESH)
    world.probe.taken()
    assert len(browser.visit()) == 1
    assert world.probe.taken() == ["load", "update"]
    world.use(OTHER_KEY)
    assert browser.read() == {"a": 1}
    assert [info.handle for info in world.manager.sessions_of("ann")] == [handle]


def test_under_an_old_key_reading_writes_nothing_before_a_refresh_is_due(world):
    browser = world.browser(cart)
    world.use(rotated())
    world.clock.advance(REFRESH - 1)
    assert browser.visit() == []
    assert world.probe.taken() == ["load"]


def test_a_modified_session_under_an_old_key_is_sent_anew(world):
    browser = world.browser(cart)
    world.use(rotated())
    assert len(browser.visit(put("b", 2))) == 1
    world.probe.taken()
    assert browser.visit(put("b", 3)) == []


@pytest.mark.parametrize(
    "view",
    [
        put("b", 2),
        append("cart", "milk"),
        every(put("b", 2), drop("cart")),
        lambda s: s.flash("x"),
        lambda s: s.csrf_token(),
        lambda s: setattr(s, "label", "phone"),
        lambda s: setattr(s, "idle", timedelta(hours=1)),
        lambda s: s.mutate(lambda data: data.update(b=2)),
    ],
)
def test_a_modified_session_costs_one_update_and_no_cookie(world, view):
    browser = world.browser(cart)
    assert browser.visit(view) == []
    assert world.probe.taken() == ["load", "update"]
    assert world.taken_events() == []


def test_a_modified_persistent_session_gets_a_new_max_age(world):
    world.use(cookie=PERSISTENT)
    browser = world.browser(cart)
    world.clock.advance(60)
    (line,) = browser.visit(put("b", 2))
    assert line.attributes.max_age == IDLE


@pytest.mark.parametrize("value", [True, False])
def test_changing_persistent_sends_the_cookie_at_once(world, value):
    world.use(cookie=PERSISTENT if not value else world.manager.cookie)
    browser = world.browser(cart)
    (line,) = browser.visit(lambda s: setattr(s, "persistent", value))
    assert (line.attributes.max_age is not None) is value


def test_an_idle_timeout_of_its_own_counts_from_the_next_request(world):
    browser = world.browser(cart)
    browser.visit(lambda s: setattr(s, "idle", timedelta(minutes=10)))
    world.clock.advance(599)
    assert browser.read() == {"cart": ["tea"]}
    world.clock.advance(1)
    assert browser.read() == {}


def test_a_shorter_idle_setting_counts_at_once(world):
    browser = world.browser(cart)
    world.use(lifetime=Lifetime(idle=timedelta(minutes=1)))
    world.clock.advance(60)
    assert browser.read() == {}
    assert world.taken_events() == [SessionExpired("idle")]


def test_a_refresh_after_the_idle_setting_has_changed_updates_the_record(world):
    browser = world.browser(cart)
    world.use(lifetime=Lifetime(idle=timedelta(hours=15), refresh_after=timedelta(hours=1)))
    world.clock.advance(REFRESH)
    browser.visit()
    assert world.probe.taken() == ["load", "update"]
    world.clock.advance(15 * 3600 - 1)
    assert browser.read() == {"cart": ["tea"]}


def test_a_session_that_became_empty_is_deleted_and_its_cookie_expired(world):
    browser = world.browser(cart)
    before = browser.header
    assert is_expiry(browser.visit(drop("cart")))
    assert world.probe.taken() == ["load", "delete"]
    assert world.taken_events() == [SessionEnded(emptied=True)]
    browser.header = before
    assert browser.read() == {}


def test_removing_the_last_key_of_a_logged_in_session_does_not_log_it_out(world):
    browser = world.browser(ann)
    assert browser.visit(clear) == []
    assert world.manager.open(browser.header).owner == "ann"


@pytest.mark.parametrize(("view", "is_login"), [(renew, False), (login("ann"), True)])
def test_a_new_id_costs_a_create_and_an_update_that_closes_the_old_record(world, view, is_login):
    browser = world.browser(cart)
    before = browser.header
    assert len(browser.visit(view)) == 1
    assert browser.header != before
    assert world.probe.taken() == ["load", "create", "update", *["count_of"] * is_login]
    assert world.taken_events() == [SessionRenewed(login=is_login)]
    assert browser.read() == {"cart": ["tea"]}


def test_renewing_an_emptied_session_ends_it(world):
    browser = world.browser(cart)
    assert is_expiry(browser.visit(every(clear, renew)))
    assert world.probe.taken() == ["load", "delete"]


def test_invalidate_deletes_the_record_and_expires_the_cookie(world):
    browser = world.browser(ann)
    before = browser.header
    assert is_expiry(browser.visit(invalidate))
    assert world.probe.taken() == ["load", "delete"]
    assert world.taken_events() == [SessionEnded(emptied=False)]
    browser.header = before
    assert browser.read() == {}


def test_writing_after_invalidate_makes_another_session(world):
    browser = world.browser(ann)
    *forgotten, line = browser.visit(every(invalidate, put("b", 2)))
    assert is_expiry(forgotten)
    assert is_issue([line])
    assert browser.read() == {"b": 2}
    assert world.manager.open(browser.header).owner is None


def test_invalidate_comes_before_login_and_login_before_everything_else(world):
    browser = world.browser(ann)
    browser.visit(every(put("a", 2), renew, invalidate, login("bob"), put("b", 2)))
    session = world.manager.open(browser.header)
    assert (session.owner, dict(session)) == ("bob", {"b": 2})


def test_a_write_to_a_record_that_vanished_meanwhile_gets_no_line_at_all(world):
    browser = world.browser(cart)
    request = browser.open(put("b", 2))
    browser.open(invalidate)
    world.taken_events()
    assert request.finish() == []
    assert world.taken_events() == [WriteDropped("ended")]


def test_a_store_that_evicts_says_so_in_an_event():
    world = World(MemoryStore())
    world.use(store=MemoryStore(max_sessions=1))
    first = Browser(world)
    first.visit(put("a", 1))
    Browser(world).visit(put("a", 1))
    assert [str(event) for event in world.events if event.name == "store.evicted"] == ["store.evicted count=1"]
