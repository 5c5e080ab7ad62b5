"""`renew()` and `cycle()`: a new ID at once, everything else kept, and the old ID dead at once."""

import pytest

from cookiesess.events import SessionRenewed
from kit.constants import ABSOLUTE, IDLE, PERSISTENT
from kit.lines import is_issue
from kit.views import clear, every, login, put, renew


def cycle(session):
    session.cycle()


NEW_ID = pytest.mark.parametrize("view", [renew, cycle])


@pytest.fixture
def browser(world):
    return world.browser(put("a", 1))


@NEW_ID
def test_a_new_id_comes_at_once_and_everything_else_stays(world, view):
    browser = world.browser(every(login("ann"), put("a", 1), lambda s: setattr(s, "label", "phone")))
    created_at = world.manager.open(browser.header).created_at
    before = browser.header
    world.clock.advance(60)
    (line,) = browser.visit(view)
    assert line.value not in before
    session = world.manager.open(browser.header)
    assert (dict(session), session.owner, session.label, session.created_at) == ({"a": 1}, "ann", "phone", created_at)


@NEW_ID
def test_a_new_id_costs_a_create_and_an_update(world, browser, view):
    browser.visit(view)
    assert world.probe.taken() == ["load", "create", "update"]
    assert world.taken_events() == [SessionRenewed(login=False)]


@NEW_ID
def test_a_new_id_does_not_move_the_absolute_deadline(world, browser, view):
    for _ in range(3):
        world.clock.advance(IDLE // 2)
        browser.visit(view)
    world.clock.advance(ABSOLUTE - 3 * (IDLE // 2))
    assert browser.read() == {}


def test_login_moves_the_absolute_deadline(world, browser):
    world.clock.advance(IDLE - 1)
    browser.visit(login("ann"))
    for _ in range(2):
        world.clock.advance(IDLE - 1)
        browser.visit()
    assert world.manager.open(browser.header).owner == "ann"


@pytest.mark.parametrize("view", [renew, cycle, login("ann")])
def test_the_old_id_is_dead_at_once(world, browser, view):
    old = browser.copy()
    browser.visit(view)
    assert old.read() == {}
    assert browser.read() == {"a": 1}


@NEW_ID
def test_a_persistent_session_keeps_its_max_age(world, view):
    world.use(cookie=PERSISTENT)
    browser = world.browser(put("a", 1))
    (line,) = browser.visit(view)
    assert line.attributes.max_age == IDLE


@NEW_ID
def test_a_visitor_without_a_session_gets_none_by_a_new_id(world, view):
    assert world.browser().visit(view) == []
    assert world.probe.taken() == []


@NEW_ID
def test_a_new_id_for_an_emptied_session_ends_it(world, browser, view):
    browser.visit(every(clear, view))
    assert world.probe.taken() == ["load", "delete"]


# Cycling an ID, for code that logs users in by itself


def test_a_login_after_a_cycle_leads_no_further_than_the_cycle(world):
    """Of two wishes for a new ID in one request the stricter counts."""
    browser = world.browser(every(login("ann"), put("a", 1)))
    old = browser.copy()
    browser.visit(every(cycle, login("ann")))
    old.visit(lambda s: s.invalidate())
    assert world.manager.open(browser.header).owner == "ann"


def test_a_renewal_after_a_cycle_leads_no_further_than_the_cycle(world, browser):
    old = browser.copy()
    browser.visit(every(cycle, renew))
    old.visit(lambda s: s.invalidate())
    assert browser.read() == {"a": 1}


def test_a_cycle_with_an_old_id_succeeds_as_a_login_does(world, browser):
    """A double click on "log in", in an app that was written for another library."""
    second = browser.copy()
    log_in = every(put("user", "ann"), cycle)
    browser.visit(log_in)
    assert is_issue(second.visit(log_in))
    assert (browser.read(), second.read()) == ({"a": 1, "user": "ann"}, {"user": "ann"})


def test_a_slow_cycle_after_a_login_succeeds_with_what_its_request_has_set(world, browser):
    slow = browser.copy().open(put("user", "ann"))
    browser.visit(login("bob"))
    assert is_issue(slow.finish(cycle))
    assert slow.browser.read() == {"user": "ann"}
    assert world.manager.open(browser.header).owner == "bob"


def test_a_slow_cycle_that_sets_nothing_leaves_no_record_behind(world, browser):
    slow = browser.copy().open()
    browser.visit(login("bob"))
    world.probe.taken()
    assert slow.finish(cycle) == []
    calls = world.probe.taken()
    assert calls.count("create") == calls.count("delete")


def test_a_body_that_goes_on_after_a_cycle_that_came_too_late_creates_nothing(world, browser):
    slow = browser.copy().open()
    browser.visit(login("bob"))
    cycle(slow.session)
    slow.send_headers()
    world.probe.taken()
    slow.session["late"] = 1
    slow.close()
    assert world.probe.taken() == []
