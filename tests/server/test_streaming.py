"""Bodies that are produced while the session goes on: saved at the end, or at once, and never a cookie too late."""

import pytest

from cookiesess import SessionCommitted, SessionMiddleware, get_session
from cookiesess.events import SessionEnded, WriteDropped
from kit.browser import Browser
from kit.views import append, clear, count, drop, every, invalidate, login, put, renew


@pytest.fixture
def browser(world):
    return world.browser(put("cart", ["tea"]))


def serve(world, header, *steps, fails=False):
    """Serve an app that runs one step before each item of its body; return the Set-Cookie lines after the first."""
    lines = []

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        for step in steps:
            step(get_session(environ))
            yield b"item"
        if fails:
            raise ZeroDivisionError

    def start_response(status, headers, exc_info=None):
        lines.extend(value for name, value in headers if name == "Set-Cookie")

    body = SessionMiddleware(app, world.manager)({"HTTP_COOKIE": header}, start_response)
    try:
        for _ in body:
            pass
    finally:
        body.close()
    return lines


def nothing(session):
    """A step that leaves the session alone."""


@pytest.mark.parametrize("view", [put("b", 2), append("cart", "milk"), count, lambda s: s.flash("x"), drop("cart")])
def test_a_change_while_the_body_is_produced_is_saved_at_its_end(world, browser, view):
    expected = world.browser(put("cart", ["tea"]))
    expected.visit(view)
    serve(world, browser.header, len, view)
    assert browser.read() == expected.read()


def test_a_session_that_is_first_touched_by_the_body_is_saved_too(world, browser):
    serve(world, browser.header, nothing, put("b", 2))
    assert browser.read()["b"] == 2


def test_a_change_before_the_first_item_and_one_after_it_cost_an_update_each(world, browser):
    serve(world, browser.header, put("b", 2), put("c", 3), nothing)
    assert world.probe.taken() == ["load", "update", "update"]
    assert browser.read() == {"cart": ["tea"], "b": 2, "c": 3}


def test_a_body_that_changes_nothing_more_costs_no_further_update(world, browser):
    serve(world, browser.header, put("b", 2), len, dict)
    assert world.probe.taken() == ["load", "update"]


def test_a_body_that_raises_saves_nothing_more(world, browser):
    with pytest.raises(ZeroDivisionError):
        serve(world, browser.header, put("b", 2), put("c", 3), fails=True)
    assert browser.read() == {"cart": ["tea"], "b": 2}


def test_a_body_that_raises_keeps_what_was_saved_by_hand(world, browser):
    with pytest.raises(ZeroDivisionError):
        serve(world, browser.header, len, every(put("c", 3), lambda s: s.save(), put("d", 4)), fails=True)
    assert browser.read() == {"cart": ["tea"], "c": 3}


def test_save_writes_at_once_while_the_body_is_produced(world, browser):
    seen = []
    serve(world, browser.header, len, every(put("b", 2), lambda s: s.save()), lambda s: seen.append(browser.read()))
    assert seen == [{"cart": ["tea"], "b": 2}]


@pytest.mark.parametrize("view", [login("ann"), renew])
def test_a_new_id_while_the_body_is_produced_is_refused(world, browser, view):
    with pytest.raises(SessionCommitted):
        serve(world, browser.header, len, view)
    assert browser.read() == {"cart": ["tea"]}


@pytest.mark.parametrize("view", [put("a", 1), login("ann"), lambda s: s.flash("x"), lambda s: s.csrf_token(), count])
def test_a_session_that_would_begin_while_the_body_is_produced_is_refused(world, view):
    with pytest.raises(SessionCommitted):
        serve(world, "", len, view)
    assert world.probe.taken() == []


def test_a_session_that_began_before_the_first_item_can_be_changed_after_it(world):
    (line,) = serve(world, "", put("a", 1), put("b", 2))
    assert Browser(world, line.partition(";")[0]).read() == {"a": 1, "b": 2}


def test_invalidate_while_the_body_is_produced_ends_the_record(world, browser):
    assert serve(world, browser.header, len, invalidate) == []
    assert browser.read() == {}
    assert SessionEnded(emptied=False) in world.events


def test_nothing_can_be_written_after_an_invalidate_that_comes_too_late_for_a_cookie(world, browser):
    with pytest.raises(SessionCommitted):
        serve(world, browser.header, len, every(invalidate, put("b", 2)))
    assert browser.read() == {}


def test_a_session_that_becomes_empty_while_the_body_is_produced_ends(world, browser):
    assert serve(world, browser.header, len, clear) == []
    assert world.probe.taken() == ["load", "delete"]
    assert browser.read() == {}


def test_a_persistent_setting_while_the_body_is_produced_is_kept_for_the_next_request(world, browser):
    serve(world, browser.header, len, lambda s: setattr(s, "persistent", True))
    assert world.manager.open(browser.header).persistent is True


# Against other requests


def test_what_two_bodies_change_is_merged(world, browser):
    serve(world, browser.header, put("a", 1), lambda s: browser.visit(put("b", 2)), put("c", 3))
    assert browser.read() == {"a": 1, "b": 2, "c": 3, "cart": ["tea"]}


def test_a_session_that_ends_while_the_body_is_produced_stays_ended(world, browser):
    serve(world, browser.header, len, lambda s: Browser(world, browser.header).visit(invalidate), put("b", 2))
    assert browser.read() == {}
    assert WriteDropped("ended") in world.events


@pytest.mark.parametrize("late", [nothing, put("c", 3), append("cart", "milk"), count])
def test_a_write_that_was_dropped_with_the_headers_is_no_error_when_the_body_is_done(world, browser, late):
    def overtaken(session):
        session["cart"].append("salt")
        Browser(world, browser.header).visit(invalidate)

    assert serve(world, browser.header, overtaken, late) == []
    assert browser.read() == {}
    assert WriteDropped("ended") in world.events


@pytest.mark.parametrize("late", [nothing, put("c", 3), count])
def test_a_body_under_the_old_id_of_a_login_drops_its_writes_without_an_error(world, browser, late):
    old = browser.header
    browser.visit(login("ann"))
    assert serve(world, old, put("b", 2), late) == []
    assert world.manager.open(browser.header).owner == "ann"


def test_a_session_that_was_renewed_while_its_body_is_produced_gets_its_changes(world, browser):
    old = browser.header
    serve(world, old, len, lambda s: browser.visit(renew), put("b", 2))
    assert browser.read()["b"] == 2


def test_a_new_session_that_another_request_renewed_is_ended_by_a_late_invalidate(world):
    """The cookie is out with the headers, so other requests can be there before the body is done."""
    request = world.browser().open(put("a", 1))
    request.send_headers()
    other = Browser(world, request.browser.header)
    other.visit(renew)
    request.session.invalidate()
    request.close()
    assert other.read() == {}


def test_a_new_session_that_another_request_filled_is_not_ended_by_emptying_it_late(world):
    request = world.browser().open(put("a", 1))
    request.send_headers()
    other = Browser(world, request.browser.header)
    other.visit(put("b", 2))
    clear(request.session)
    request.close()
    assert other.read() == {"b": 2}
