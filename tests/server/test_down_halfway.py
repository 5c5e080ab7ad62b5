"""A store that goes down in the middle of a login or a renewal."""

import pytest

from cookiesess import StoreUnavailable
from cookiesess.events import StoreFailed
from kit.browser import Browser
from kit.probe import CAUSE
from kit.views import ann, login, put, renew

NEW_ID = pytest.mark.parametrize("view", [renew, login("ann")])


@NEW_ID
def test_where_the_old_id_cannot_be_closed_the_request_fails_and_the_session_stays(world, view):
    browser = world.browser(ann)
    world.probe.down = {"update"}
    with pytest.raises(StoreUnavailable):
        browser.visit(view)
    world.probe.down = set()
    assert browser.read() == {"a": 1}


@NEW_ID
def test_where_the_old_id_cannot_be_closed_the_new_one_is_not_listed(world, view):
    browser = world.browser(ann)
    world.probe.down = {"update"}
    with pytest.raises(StoreUnavailable):
        browser.visit(view)
    world.probe.down = set()
    assert len(world.manager.sessions_of("ann")) == 1


@NEW_ID
def test_where_nothing_works_after_the_create_the_first_failure_is_the_one_that_is_raised(world, view):
    browser = world.browser(put("a", 1))
    world.probe.down = {"update", "delete"}
    with pytest.raises(StoreUnavailable):
        browser.visit(view)
    world.probe.down = set()
    assert browser.read() == {"a": 1}


def test_a_login_counts_although_the_limit_could_not_be_enforced(world):
    first = world.browser(ann)
    world.use(max_sessions_per_owner=1)
    world.probe.down = {"records_of"}
    second = world.browser()
    assert len(second.visit(login("ann"))) == 1
    assert StoreFailed(CAUSE) in world.events
    world.probe.down = set()
    assert [world.manager.open(browser.header).owner for browser in (first, second)] == ["ann", "ann"]


def test_the_next_login_enforces_a_limit_that_could_not_be_enforced(world):
    first = world.browser(ann)
    world.use(max_sessions_per_owner=1)
    world.probe.down = {"records_of"}
    world.browser().visit(login("ann"))
    world.probe.down = set()
    last = Browser(world)
    last.visit(login("ann"))
    assert [info.handle for info in world.manager.sessions_of("ann")] == [
        world.manager.handle_of(world.manager.open(last.header))
    ]
    assert world.manager.open(first.header).owner is None
