"""`invalidate()` ends the session wherever it is by then: written, renewed once or many times, or gone."""

import pytest

from cookiesess.events import SessionEnded, WriteDropped
from kit.browser import Browser
from kit.constants import GRACE, NAME, PERSISTENT, REFRESH
from kit.views import ann, every, invalidate, put, renew


def start(session):
    session.login("ann")
    session.update(cart=["tea"], n=0)


@pytest.fixture
def browser(world):
    world.use(cookie=PERSISTENT)
    browser = world.browser(start)
    world.clock.advance(REFRESH)  # so that every request is also a toucher
    return browser


def assert_it_is_gone(world, browser):
    assert world.manager.open(browser.header).owner is None
    assert browser.read() == {}
    assert world.manager.sessions_of("ann") == []
    assert world.manager.sessions_of("bob") == []


@pytest.mark.parametrize("renewals", [1, 2, 3, 5])
@pytest.mark.parametrize("waits", [0, GRACE])
def test_invalidate_ends_a_session_that_was_renewed_meanwhile(world, browser, renewals, waits):
    slow = Browser(world, browser.header).open()
    for _ in range(renewals):
        browser.visit(renew)
    world.clock.advance(waits)
    slow.finish(invalidate)
    assert_it_is_gone(world, browser)


def test_invalidate_under_the_old_id_within_the_grace_ends_the_renewed_session(world, browser):
    old = Browser(world, browser.header)
    browser.visit(renew)
    old.visit(invalidate)
    assert_it_is_gone(world, browser)


def test_invalidate_ends_a_session_that_was_written_meanwhile(world, browser):
    slow = Browser(world, browser.header).open()
    browser.visit(put("b", 2))
    slow.finish(invalidate)
    assert_it_is_gone(world, browser)


def test_a_session_object_that_is_written_after_invalidate_makes_a_new_session(world, browser):
    before = browser.header
    browser.visit(every(invalidate, put("b", 2)))
    assert browser.read() == {"b": 2}
    assert Browser(world, before).read() == {}


def test_invalidate_twice_ends_the_session_once(world, browser):
    browser.visit(every(invalidate, invalidate))
    assert world.taken_names().count("session.ended") == 1


def test_ann_can_log_in_again_after_all_that(world, browser):
    browser.visit(invalidate)
    assert len(browser.visit(ann)) == 1
    assert world.manager.open(browser.header).owner == "ann"


# What could not be ended


def test_a_logout_that_a_login_was_faster_than_says_that_it_ended_nothing(world, browser):
    slow = Browser(world, browser.header).open()
    browser.visit(ann)
    world.taken_events()
    assert slow.finish(invalidate) == []
    assert world.taken_events() == [WriteDropped("replaced")]
    assert world.manager.open(browser.header).owner == "ann"


def test_a_logout_that_another_logout_was_faster_than_says_that_it_ended_nothing(world, browser):
    slow = Browser(world, browser.header).open()
    browser.visit(invalidate)
    world.taken_events()
    assert slow.finish(invalidate) == []
    assert world.taken_events()[-1] == WriteDropped("replaced")


@pytest.mark.parametrize("header", ["", f"{NAME}=garbage"])
def test_where_there_is_nothing_to_end_nothing_is_said_of_it(world, header):
    world.browser(header=header).visit(invalidate)
    assert not any(isinstance(event, WriteDropped | SessionEnded) for event in world.events)
