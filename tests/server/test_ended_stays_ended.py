"""A slow request against whatever ended its session meanwhile: nothing comes back, and no cookie line is sent.

Each slow request has loaded the session before it is ended and is committed after it, so the order is exact. The cookie
policy is persistent: then even a mere refresh would send a line.
"""

import pytest

from cookiesess.events import WriteDropped
from kit.browser import Browser
from kit.constants import ABSOLUTE, GRACE, IDLE, PERSISTENT, REFRESH
from kit.views import append, clear, count, every, invalidate, login, persist, put, renew


def start(session):
    session.login("ann")
    session.update(cart=["tea"], n=0)


def end_by_handle(world, browser):
    (info,) = world.manager.sessions_of("ann")
    assert world.manager.end("ann", info.handle)


def end_all(world, browser):
    assert world.manager.end_all("ann") == 1


def end_by_invalidate(world, browser):
    Browser(world, browser.header).visit(invalidate)


def end_by_emptying(world, browser):
    """Only a session without an owner ends by becoming empty, so the owner goes first: by ending and beginning anew."""
    Browser(world, browser.header).visit(every(invalidate, put("x", 1), clear))


def end_by_deleting_the_record(world, browser):
    world.probe.inner.delete_expired(now=world.now + 10 * ABSOLUTE, limit=100)


def end_by_idle_expiry(world, browser):
    world.clock.advance(IDLE)


def end_by_absolute_expiry(world, browser):
    """The session is kept in use until its absolute deadline, so that its record has not timed out."""
    session = world.manager.open(browser.header)
    ends_at = (session.authenticated_at or session.created_at) + ABSOLUTE
    while ends_at - world.now > IDLE // 2:
        world.clock.advance(IDLE // 2)
        Browser(world, browser.header).visit()
    world.clock.advance(ends_at - world.now)


ENDINGS = [
    end_by_handle,
    end_all,
    end_by_invalidate,
    end_by_emptying,
    end_by_deleting_the_record,
    end_by_idle_expiry,
    end_by_absolute_expiry,
]
WRITERS = {
    "put": put("b", 2),
    "append": append("cart", "milk"),
    "mutate": count,
    "flash": lambda s: s.flash("x"),
    "csrf": lambda s: s.csrf_token(),
    "persist": lambda s: setattr(s, "persistent", False),
    "renew": renew,
    "renew and write": every(renew, put("b", 2)),
}
LOGINS = {"login": login("ann"), "login as another": login("bob")}
READERS = {"reader": len, "reader of a list": lambda s: s["cart"]}


def parameters(views):
    return pytest.mark.parametrize("view", views.values(), ids=views)


ended_by = pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: ending.__name__)


@pytest.fixture
def browser(world):
    world.use(cookie=PERSISTENT)
    browser = world.browser(start)
    world.clock.advance(REFRESH)  # so that every request is also a toucher
    return browser


def finish_late(world, browser, view, ending):
    """Return the slow request's lines; `view` is run before the session ends, the commit comes after."""
    slow = Browser(world, browser.header).open(view)
    ending(world, browser)
    world.taken_events()
    world.probe.taken()
    return slow.finish()


def assert_it_is_gone(world, browser):
    assert world.manager.open(browser.header).owner is None
    assert browser.read() == {}
    assert world.manager.sessions_of("ann") == []
    assert world.manager.sessions_of("bob") == []


@ended_by
@parameters({**WRITERS, **READERS})
def test_a_slow_request_brings_nothing_back_and_sends_no_line(world, browser, view, ending):
    assert finish_late(world, browser, view, ending) == []
    assert_it_is_gone(world, browser)


@ended_by
@parameters(WRITERS)
def test_an_event_says_why_a_slow_write_was_dropped(world, browser, view, ending):
    finish_late(world, browser, view, ending)
    assert [event for event in world.taken_events() if isinstance(event, WriteDropped)] == [WriteDropped("ended")]


@ended_by
@parameters(WRITERS)
def test_a_slow_save_brings_nothing_back(world, browser, view, ending):
    slow = Browser(world, browser.header).open(view)
    ending(world, browser)
    slow.session.save()
    assert_it_is_gone(world, browser)
    assert slow.finish(put("after", "save")) == []
    assert_it_is_gone(world, browser)


@pytest.mark.parametrize("ending", ENDINGS[:-1], ids=lambda ending: ending.__name__)  # a login has a new deadline
@parameters(LOGINS)
def test_a_slow_login_is_not_given_out_and_leaves_no_record(world, browser, view, ending):
    assert finish_late(world, browser, view, ending) == []
    assert world.taken_events()[-1] == WriteDropped("ended")
    assert_it_is_gone(world, browser)


@ended_by
def test_a_slow_refresh_does_not_touch_what_is_gone(world, browser, ending):
    finish_late(world, browser, len, ending)
    assert "session.refreshed" not in world.taken_names()
    assert world.probe.taken() in ([], ["touch"])


@ended_by
def test_a_slow_invalidate_sends_no_line_for_a_session_that_somebody_else_ended(world, browser, ending):
    """A login may have set a new cookie since; an expiry would delete it."""
    slow = Browser(world, browser.header).open()
    ending(world, browser)
    assert slow.finish(invalidate) == []
    assert_it_is_gone(world, browser)


@ended_by
def test_a_slow_request_that_empties_the_session_sends_no_line(world, ending):
    world.use(cookie=PERSISTENT)
    browser = world.browser(start)
    anonymous = world.browser(put("a", 1))
    slow = Browser(world, anonymous.header).open(clear)
    if ending in (end_by_handle, end_all):
        end_by_invalidate(world, anonymous)
    else:
        ending(world, anonymous)
    assert slow.finish() == []
    assert anonymous.read() == {}
    assert browser.header


# Against a login


@parameters({**WRITERS, **READERS, **LOGINS, "persist": persist, "empty": clear})
def test_a_slow_request_cannot_undo_or_overwrite_a_login(world, browser, view):
    slow = Browser(world, browser.header).open(view)
    browser.visit(every(login("carla"), put("a", "after the login")))
    assert slow.finish() == []
    session = world.manager.open(browser.header)
    assert (session.owner, dict(session)) == ("carla", {"a": "after the login"})
    assert world.manager.sessions_of("ann") == world.manager.sessions_of("bob") == []


@parameters({**WRITERS, **LOGINS})
def test_an_event_says_that_a_login_took_the_sessions_place(world, browser, view):
    slow = Browser(world, browser.header).open(view)
    browser.visit(login("carla"))
    world.taken_events()
    slow.finish()
    assert world.taken_events() == [WriteDropped("replaced")]


def test_a_slow_invalidate_does_not_end_a_login_nor_delete_its_cookie(world, browser):
    slow = Browser(world, browser.header).open()
    browser.visit(login("carla"))
    assert slow.finish(invalidate) == []
    assert world.manager.open(browser.header).owner == "carla"


def test_what_a_slow_request_writes_after_its_late_invalidate_makes_no_session(world, browser):
    slow = Browser(world, browser.header).open()
    browser.visit(login("carla"))
    assert slow.finish(every(invalidate, put("b", 2))) == []
    assert world.manager.open(browser.header).owner == "carla"


def test_a_request_with_the_old_id_after_a_login_reads_an_empty_session(world, browser):
    late = Browser(world, browser.header)
    browser.visit(login("carla"))
    session = world.manager.open(late.header)
    assert (session.owner, dict(session), session.is_new) == (None, {}, True)


def test_a_request_with_the_old_id_after_a_login_cannot_write(world, browser):
    late = Browser(world, browser.header)
    browser.visit(login("carla"))
    assert late.visit(every(put("b", 2), lambda s: s.flash("x"))) == []
    assert world.manager.open(browser.header).owner == "carla"
    assert "b" not in browser.read()


def test_the_old_id_stays_closed_for_a_minute_after_a_login(world, browser):
    late = Browser(world, browser.header)
    browser.visit(login("carla"))
    world.clock.advance(59)
    assert late.visit(put("b", 2)) == []


# Against a renewal


@parameters({**WRITERS, **READERS, "empty nothing": len})
def test_a_slow_request_gets_no_line_after_a_renewal(world, browser, view):
    slow = Browser(world, browser.header).open(view)
    browser.visit(renew)
    assert slow.finish() == []
    assert world.manager.open(browser.header).owner == "ann"


def test_a_slow_write_after_a_renewal_goes_into_the_renewed_session(world, browser):
    slow = Browser(world, browser.header).open(put("b", 2))
    browser.visit(every(renew, put("c", 3)))
    slow.finish()
    assert browser.read() == {"b": 2, "c": 3, "cart": ["tea"], "n": 0}


@parameters(WRITERS)
def test_a_slow_write_after_the_grace_of_a_renewal_is_dropped(world, browser, view):
    slow = Browser(world, browser.header).open(view)
    browser.visit(renew)
    world.clock.advance(GRACE)
    before = browser.read()
    world.taken_events()
    assert slow.finish() == []
    assert browser.read() == before
    assert world.taken_events() == [WriteDropped("replaced")]
