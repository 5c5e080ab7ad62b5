"""`invalidate()` ends the session wherever it is by then: written, renewed once or many times, or gone."""

from datetime import timedelta

import pytest

from cookiesess import Lifetime
from cookiesess.events import SessionEnded, WriteDropped
from kit.browser import Browser
from kit.constants import GRACE, NAME, PERSISTENT, REFRESH
from kit.lines import is_expiry
from kit.views import ann, every, invalidate, login, put, renew


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


@pytest.mark.parametrize("renewals", [1, 2, 3, 100])
@pytest.mark.parametrize("waits", [0, GRACE])
def test_invalidate_ends_a_session_that_was_renewed_meanwhile(world, browser, renewals, waits):
    slow = Browser(world, browser.header).open()
    for _ in range(renewals):
        browser.visit(renew)
    world.clock.advance(waits)
    slow.finish(invalidate)
    assert_it_is_gone(world, browser)


@pytest.mark.parametrize("renewals", [1, 2, 100])
def test_invalidate_under_the_first_id_of_many_ends_the_session(world, browser, renewals):
    old = browser.copy()
    for _ in range(renewals):
        browser.visit(renew)
    old.visit(invalidate)
    assert_it_is_gone(world, browser)


def test_invalidate_follows_every_kind_of_closing_that_leads_on(world, browser):
    world.use(cookie=PERSISTENT, lifetime=Lifetime(refresh_after=timedelta(0), renew_after=timedelta(seconds=1)))
    old = browser.copy()
    for view in (renew, ann, len, ann, renew, len):
        world.clock.advance(1)
        browser.visit(view)
    assert world.taken_names().count("session.renewed") == 6
    old.visit(invalidate)
    assert_it_is_gone(world, browser)


def test_invalidate_stops_where_the_session_was_given_to_somebody_else(world, browser):
    old = browser.copy()
    for view in (renew, ann, login("bob")):
        browser.visit(view)
    old.visit(invalidate)
    assert browser.owner() == "bob"


def test_invalidate_says_once_that_the_session_ended(world, browser):
    old = browser.copy()
    browser.visit(renew)
    world.taken_events()
    old.visit(invalidate)
    assert world.taken_events() == [SessionEnded(emptied=False)]


@pytest.mark.parametrize("view", [login("carla"), every(login("carla"), renew)])
def test_a_planters_logout_ends_nothing(world, view):
    """He has the ID that the victim's browser was made to use, and has kept a request from before the login."""
    victim = world.browser(put("planted", True))
    planter = victim.copy()
    slow = planter.open()
    victim.visit(view)
    slow.finish(invalidate)
    Browser(world, slow.browser.header or planter.header).visit(invalidate)
    assert victim.owner() == "carla"
    assert len(world.manager.sessions_of("carla")) == 1


def test_a_planter_who_renews_first_has_no_id_that_ends_anything(world):
    victim = world.browser(put("planted", True))
    planter, slow = victim.copy(), victim.open()
    planter.visit(renew)
    slow.finish(login("carla"))
    planter.visit(invalidate)
    assert victim.owner() == "carla"


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


def test_a_logout_that_a_login_was_faster_than_ends_the_session_of_that_login(world, browser):
    """It is the same user's, who wants to be logged out."""
    slow = browser.copy().open()
    browser.visit(ann)
    world.taken_events()
    assert is_expiry(slow.finish(invalidate))
    assert world.taken_events() == [SessionEnded(emptied=False)]
    assert_it_is_gone(world, browser)


def test_a_logout_that_another_users_login_was_faster_than_ends_nothing(world, browser):
    slow = browser.copy().open()
    browser.visit(login("bob"))
    world.taken_events()
    assert is_expiry(slow.finish(invalidate))
    assert not any(isinstance(event, SessionEnded) for event in world.taken_events())
    assert browser.owner() == "bob"


def test_a_logout_that_another_logout_was_faster_than_ends_nothing_more(world, browser):
    slow = browser.copy().open()
    browser.visit(invalidate)
    world.taken_events()
    assert is_expiry(slow.finish(invalidate))
    assert not any(isinstance(event, SessionEnded | WriteDropped) for event in world.taken_events())


@pytest.mark.parametrize("header", ["", f"{NAME}=garbage"])
def test_where_there_is_nothing_to_end_nothing_is_said_of_it(world, header):
    world.browser(header=header).visit(invalidate)
    assert not any(isinstance(event, WriteDropped | SessionEnded) for event in world.events)
