"""A slow request against whatever ended its session meanwhile: nothing comes back, and no cookie line is sent.

Only a slow login succeeds, into a session of its own; and a slow logout has its browser forget the cookie. Each slow
request has loaded the session before it is ended and is committed after it, so the order is exact. The cookie policy is
persistent: then even a mere refresh would send a line.
"""

import pytest

from cookiesess.events import WriteDropped
from kit.browser import Browser
from kit.constants import ABSOLUTE, IDLE, PERSISTENT, REFRESH
from kit.lines import is_expiry
from kit.views import append, clear, count, every, invalidate, login, put, renew


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


def append_to_own(key, item):
    """Append to a list that the session need not have."""
    return lambda session: session.__setitem__(key, [item])


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


@ended_by
@parameters(LOGINS)
def test_a_slow_login_succeeds_into_a_session_of_its_own(world, browser, view, ending):
    slow = browser.copy().open(every(put("before", 1), view, put("after", 2)))
    ending(world, browser)
    world.taken_events()
    assert len(slow.finish()) == 1
    session = world.manager.open(slow.browser.header)
    assert session.owner in {"ann", "bob"}
    assert session["after"] == 2
    assert WriteDropped("ended") not in world.taken_events()


# At the absolute deadline nothing has happened at the store: the record is there, and a login has a new deadline.
ended_at_the_store = pytest.mark.parametrize("ending", ENDINGS[:-1], ids=lambda ending: ending.__name__)


@ended_at_the_store
@parameters(LOGINS)
def test_a_slow_login_takes_nothing_along_of_a_session_that_was_ended(world, browser, view, ending):
    slow = browser.copy().open(every(view, append_to_own("cart", "milk"), put("b", 2)))
    ending(world, browser)
    slow.finish()
    assert slow.browser.read() == {"cart": ["milk"], "b": 2}


@ended_by
@parameters(LOGINS)
def test_a_slow_login_brings_nothing_back_under_the_id_that_was_ended(world, browser, view, ending):
    finish_late(world, browser, view, ending)
    assert browser.read() == {}
    assert len(world.manager.sessions_of("ann") + world.manager.sessions_of("bob")) == 1


@ended_at_the_store
@pytest.mark.parametrize("view", [lambda s: s.cycle(), every(put("b", 2), lambda s: s.cycle())])
def test_a_slow_change_of_the_id_brings_no_login_back(world, browser, view, ending):
    """`cycle()` is of code that logs users in by itself: what that wrote is kept, whose session it was is not."""
    slow = browser.copy().open(view)
    ending(world, browser)
    slow.finish()
    assert world.manager.open(slow.browser.header).owner is None
    assert world.manager.sessions_of("ann") == []


@ended_by
def test_a_slow_refresh_does_not_touch_what_is_gone(world, browser, ending):
    finish_late(world, browser, len, ending)
    assert "session.refreshed" not in world.taken_names()
    assert world.probe.taken() in ([], ["touch"])


@ended_by
def test_a_slow_logout_forgets_the_cookie_of_a_session_that_somebody_else_ended(world, browser, ending):
    """Whoever logs out wants no session in this browser, whatever became of the one that it had."""
    slow = browser.copy().open()
    ending(world, browser)
    assert is_expiry(slow.finish(invalidate))
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
