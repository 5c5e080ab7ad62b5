"""The server-side rows of the decision table: what each kind of request does to the store and to the cookie."""

import pytest

from cookiesess.events import (
    SessionCreated,
    SessionExpired,
    SessionRejected,
)
from cookiesess.http.headers import UNTOUCHED
from kit.constants import ABSOLUTE, IDLE, NAME
from kit.lines import is_expiry, is_issue
from kit.views import clear, drop, every, invalidate, login, put, renew

REJECTED = f"{NAME}=this-never-was-a-token"


def cart(session):
    session["cart"] = ["tea"]


# Never touched, nothing there


def test_a_session_that_is_never_touched_costs_no_io_and_no_header(world):
    browser = world.browser(cart)
    session = world.manager.open(browser.header)
    repr(session)
    assert world.manager.commit(session) is UNTOUCHED
    assert world.probe.taken() == []


@pytest.mark.parametrize("view", [len, dict, clear, renew, invalidate, every(put("a", 1), drop("a"))])
def test_without_a_cookie_an_empty_session_costs_nothing(world, view):
    assert world.browser().visit(view) == []
    assert world.probe.taken() == []


@pytest.mark.parametrize("view", [len, dict, clear, renew, every(put("a", 1), drop("a"))])
def test_a_cookie_that_never_opened_is_left_alone_without_io(world, view):
    """It may be good elsewhere or later: on a server that has the key, or once this clock is right."""
    assert world.browser(header=REJECTED).visit(view) == []
    assert world.probe.taken() == []
    assert world.taken_events() == [SessionRejected("malformed", None)]


def test_a_logout_forgets_a_cookie_that_never_opened_without_io(world):
    assert is_expiry(world.browser(header=REJECTED).visit(invalidate))
    assert world.probe.taken() == []


@pytest.mark.parametrize("view", [len, dict, clear, renew])
def test_a_session_without_a_record_gets_no_line_while_it_is_empty(world, view):
    browser = world.browser(cart)
    world.clock.advance(IDLE)
    assert browser.visit(view) == []
    assert world.probe.taken() == ["load"]
    assert world.taken_events() == [SessionExpired("unknown")]


def test_a_logout_forgets_the_cookie_of_a_session_without_a_record(world):
    browser = world.browser(cart)
    world.clock.advance(IDLE)
    assert is_expiry(browser.visit(invalidate))
    assert world.taken_events() == [SessionExpired("unknown")]


@pytest.mark.parametrize("header", [REJECTED, ""])
def test_what_is_written_after_a_logout_of_nothing_begins_a_session(world, header):
    browser = world.browser(header=header)
    lines = browser.visit(every(invalidate, put("a", 1)))
    assert is_issue(lines[-1:])
    assert all(is_expiry([line]) for line in lines[:-1])
    assert browser.read() == {"a": 1}


def test_a_session_past_its_absolute_deadline_gets_no_line(world):
    browser = world.browser(cart)
    for _ in range(2):
        world.clock.advance(IDLE - 1)
        browser.visit()
    world.clock.advance(ABSOLUTE - 2 * (IDLE - 1))
    world.events.clear()
    assert browser.visit() == []
    assert world.taken_events() == [SessionExpired("absolute")]


# A new session


@pytest.mark.parametrize("header", ["", REJECTED])
@pytest.mark.parametrize("view", [cart, login("ann"), lambda s: s.flash("hello"), lambda s: s.csrf_token()])
def test_the_first_content_creates_one_record_and_sets_the_cookie(world, header, view):
    browser = world.browser(header=header)
    (line,) = browser.visit(view)
    assert line.name == NAME
    calls = world.probe.taken()
    logged_in = browser.owner() is not None
    assert calls == (["create", "count_of"] if logged_in else ["create"])
    assert world.taken_events()[-1] == SessionCreated(login=logged_in)
    assert not world.manager.open(browser.header).is_new


def test_content_after_a_session_is_gone_creates_another_under_another_id(world):
    browser = world.browser(cart)
    before = browser.header
    world.clock.advance(IDLE)
    assert len(browser.visit(put("b", 2))) == 1
    assert browser.header != before
    assert world.probe.taken() == ["load", "create"]
    assert browser.read() == {"b": 2}
