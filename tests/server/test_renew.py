"""`renew()` and `login()`: a new ID at once, a short grace for the old one, and nothing for whoever polls it."""

from datetime import timedelta

import pytest

from cookiesess import Lifetime
from cookiesess.events import WriteDropped
from kit.browser import Browser
from kit.constants import ABSOLUTE, GRACE, IDLE, LIFETIME, PERSISTENT, REFRESH
from kit.views import clear, count, every, login, persist, put, renew


@pytest.fixture
def browser(world):
    world.use(cookie=PERSISTENT)
    return world.browser(put("a", 1))


@pytest.fixture
def old(world, browser):
    """Somebody with the old ID of a session that has just been renewed."""
    old = Browser(world, browser.header)
    browser.visit(renew)
    world.taken_events()
    world.probe.taken()
    return old


def no_grace():
    return Lifetime(idle=LIFETIME.idle, absolute=LIFETIME.absolute, renew_grace=timedelta(0))


def test_renew_gives_a_new_id_at_once_and_keeps_everything_else(world):
    browser = world.browser(every(login("ann"), put("a", 1), lambda s: setattr(s, "label", "phone")))
    created_at = world.manager.open(browser.header).created_at
    before = browser.header
    world.clock.advance(60)
    (line,) = browser.visit(renew)
    assert line.value not in before
    session = world.manager.open(browser.header)
    assert (dict(session), session.owner, session.label, session.created_at) == ({"a": 1}, "ann", "phone", created_at)


def test_renew_does_not_move_the_absolute_deadline(world, browser):
    for _ in range(3):
        world.clock.advance(IDLE // 2)
        browser.visit(renew)
    world.clock.advance(ABSOLUTE - 3 * (IDLE // 2))
    assert browser.read() == {}


def test_login_moves_the_absolute_deadline(world, browser):
    world.clock.advance(IDLE - 1)
    browser.visit(login("ann"))
    for _ in range(2):
        world.clock.advance(IDLE - 1)
        browser.visit()
    assert world.manager.open(browser.header).owner == "ann"


def test_the_old_id_leads_to_the_session_during_the_grace(world, old):
    world.clock.advance(GRACE - 1)
    assert old.read() == {"a": 1}


def test_the_old_id_is_dead_after_the_grace(world, old):
    world.clock.advance(GRACE)
    assert old.read() == {}
    assert old.visit(put("b", 2)) == []
    assert world.taken_events() == [WriteDropped("replaced")]


def test_the_old_id_is_unknown_once_its_closed_record_has_gone(world, old, browser):
    world.clock.advance(GRACE + 60)
    assert len(old.visit(put("b", 2))) == 1
    assert old.read() == {"b": 2}
    assert browser.read() == {"a": 1}


def test_without_grace_the_old_id_is_dead_at_once(world, browser):
    world.use(lifetime=no_grace(), cookie=PERSISTENT)
    old = Browser(world, browser.header)
    browser.visit(renew)
    assert old.read() == {}
    assert browser.read() == {"a": 1}


def test_after_a_login_the_old_id_is_dead_at_once(world, browser):
    old = Browser(world, browser.header)
    browser.visit(login("ann"))
    assert old.read() == {}


def test_the_setting_at_the_time_of_the_renewal_decides_about_the_grace(world, old):
    world.use(lifetime=no_grace())
    assert old.read() == {"a": 1}


def test_requests_with_the_old_id_read_and_write_the_renewed_session(world, old, browser):
    assert old.visit(put("b", 2)) == []
    assert browser.read() == {"a": 1, "b": 2}
    browser.visit(put("c", 3))
    assert old.read() == {"a": 1, "b": 2, "c": 3}


# Whoever polls the old ID


@pytest.mark.parametrize(
    "view",
    [
        len,
        put("b", 2),
        count,
        renew,
        persist,
        every(renew, put("b", 2)),
        every(persist, renew),
        lambda s: setattr(s, "persistent", False),
        lambda s: setattr(s, "idle", timedelta(minutes=5)),
        lambda s: s.csrf_token(),
        lambda s: s.flash("x"),
        lambda s: s.save(),
        every(put("b", 2), lambda s: s.save()),
        every(renew, lambda s: s.save()),
        clear,
    ],
)
@pytest.mark.parametrize("refresh_due", [False, True])
def test_the_old_id_never_gets_a_cookie(world, old, view, refresh_due):
    if refresh_due:
        world.use(
            cookie=PERSISTENT, lifetime=Lifetime(idle=timedelta(hours=10), refresh_after=timedelta(seconds=GRACE - 2))
        )
        world.clock.advance(GRACE - 1)
    assert old.visit(view) == []


def test_reading_under_the_old_id_does_not_touch_the_session(world, old, browser):
    world.use(lifetime=Lifetime(idle=timedelta(hours=10), refresh_after=timedelta(0)))
    world.clock.advance(GRACE - 1)
    old.visit()
    assert world.probe.taken() == ["load", "load"]
    world.clock.advance(IDLE - GRACE + 1)
    assert browser.read() == {}


def test_renewing_under_the_old_id_writes_nothing(world, old, browser):
    before = browser.header
    assert old.visit(renew) == []
    assert world.probe.taken() == ["load", "load"]
    browser.header = before
    assert browser.read() == {"a": 1}


def test_polling_the_old_id_does_not_prolong_the_grace(world, old):
    for _ in range(GRACE):
        assert old.visit(put("b", world.now)) == []
        world.clock.advance(1)
    assert old.read() == {}


def test_a_slow_readers_refresh_does_not_prolong_the_grace(world, browser):
    world.clock.advance(REFRESH)
    slow = Browser(world, browser.header).open()
    old = Browser(world, browser.header)
    browser.visit(renew)
    assert slow.finish() == []
    world.clock.advance(GRACE)
    assert old.read() == {}


def test_a_rotation_of_keys_gives_the_old_id_no_cookie(world, old):
    from kit.world import rotated

    world.use(rotated(), cookie=PERSISTENT, lifetime=Lifetime(idle=timedelta(hours=10), refresh_after=timedelta(0)))
    assert old.visit() == []
    assert old.visit(put("b", 2)) == []


def test_emptying_the_session_under_the_old_id_ends_it_without_a_line(world, old, browser):
    assert old.visit(clear) == []
    assert browser.read() == {}


def test_emptying_under_the_old_id_ends_the_session_once(world, old, browser):
    request = old.open(clear)
    request.session.save()
    assert request.finish() == []
    assert "session.write_dropped" not in world.taken_names()


def test_a_slow_request_that_empties_a_session_that_was_renewed_and_filled_gets_no_cookie(world, browser):
    slow = Browser(world, browser.header).open(clear)
    browser.visit(every(renew, put("b", 2)))
    assert slow.finish() == []
    assert browser.read() == {"b": 2}


def test_a_login_under_the_old_id_is_a_login_like_any_other(world, old, browser):
    assert len(old.visit(login("ann"))) == 1
    assert world.manager.open(old.header).owner == "ann"
    assert browser.read() == {}
