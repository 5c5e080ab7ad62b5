"""`save()`: what is written now, and which cookie the response still gets for it."""

import pytest

from cookiesess.events import WriteDropped
from kit.browser import Browser
from kit.constants import GRACE, PERSISTENT
from kit.lines import is_expiry, is_issue
from kit.views import clear, every, invalidate, login, put, renew


@pytest.fixture
def browser(world):
    return world.browser(put("cart", ["tea"]))


def save(session):
    session.save()


def test_save_on_a_new_session_and_the_commit_after_it_send_the_cookie_once(world):
    browser = world.browser()
    assert len(browser.visit(every(put("a", 1), save, put("b", 2), save))) == 1
    assert browser.read() == {"a": 1, "b": 2}


def test_save_and_then_nothing_still_sends_the_cookie(world):
    browser = world.browser()
    assert len(browser.visit(every(put("a", 1), save))) == 1
    assert world.probe.taken() == ["create"]


@pytest.mark.parametrize("view", [renew, login("ann")])
def test_save_after_a_new_id_and_further_changes_send_the_cookie_once(world, browser, view):
    assert len(browser.visit(every(view, save, put("b", 2)))) == 1
    assert browser.read() == {"b": 2, "cart": ["tea"]}


def test_save_and_then_another_renewal_send_the_last_id(world, browser):
    before = browser.header
    (line,) = browser.visit(every(renew, save, renew))
    assert browser.read() == {"cart": ["tea"]}
    world.clock.advance(GRACE)
    assert Browser(world, before).read() == {}
    assert line.value in browser.header


def test_save_and_then_invalidate_leave_nothing(world):
    browser = world.browser()
    lines = browser.visit(every(put("a", 1), save, invalidate))
    assert all(line.attributes.max_age == 0 for line in lines)
    assert world.probe.taken()[-1] == "delete"


def test_save_of_an_emptied_session_expires_the_cookie(world, browser):
    assert is_expiry(browser.visit(every(clear, save)))
    assert browser.read() == {}


def test_writing_after_an_emptied_session_was_saved_makes_another(world, browser):
    before = browser.header
    *forgotten, line = browser.visit(every(clear, save, put("b", 2)))
    assert is_expiry(forgotten)
    assert is_issue([line])
    assert (browser.read(), Browser(world, before).read()) == ({"b": 2}, {})


def test_saving_an_emptied_session_that_another_request_filled_goes_on_with_it(world, browser):
    request = browser.open(clear)
    Browser(world, browser.header).visit(put("b", 2))
    request.session.save()
    assert dict(request.session) == {"b": 2}
    assert request.finish(put("c", 3)) == []
    assert browser.read() == {"b": 2, "c": 3}


def test_emptying_a_session_that_another_request_filled_is_no_end_of_it(world, browser):
    request = browser.open(clear)
    Browser(world, browser.header).visit(put("b", 2))
    request.send_headers()
    request.session["c"] = 3
    request.close()
    assert browser.read() == {"b": 2, "c": 3}


def test_save_without_a_change_keeps_the_refresh_of_a_persistent_cookie(world):
    world.use(cookie=PERSISTENT)
    browser = world.browser(put("a", 1))
    world.clock.advance(60)
    assert len(browser.visit(every(save, put("b", 2)))) == 1


@pytest.mark.parametrize("view", [put("a", 1), renew])
@pytest.mark.parametrize("ending", ["end_all", "logout"])
def test_a_session_that_ends_after_save_gets_no_cookie_for_what_was_saved(world, view, ending):
    """A login may have set a cookie since; the one of the session that ended would overwrite it."""
    browser = world.browser(login("ann"))
    request = browser.open(every(renew, view, save))
    if ending == "end_all":
        world.manager.end_all("ann")
    else:
        browser.copy().visit(invalidate)
    assert request.finish(put("b", 2)) == []


def test_what_is_saved_by_hand_is_new_no_more_than_before(world):
    request = world.browser().open(every(put("a", 1), save))
    assert request.session.is_new


def test_a_write_that_was_dropped_is_reported_once(world, browser):
    request = browser.open(put("b", 2))
    Browser(world, browser.header).visit(invalidate)
    request.session.save()
    request.session.save()
    request.finish()
    assert world.events.count(WriteDropped("ended")) == 1
    assert WriteDropped("replaced") not in world.events
