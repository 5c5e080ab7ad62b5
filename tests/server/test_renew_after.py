"""`Lifetime(renew_after=…)`: a new ID in the course of time, with a grace in which the old one goes on."""

from datetime import timedelta

import pytest

from cookiesess import Lifetime, StoreUnavailable
from cookiesess.events import SessionRenewed, StoreFailed, WriteDropped
from kit.constants import GRACE, IDLE, LIFETIME, PERSISTENT, REFRESH
from kit.lines import is_expiry
from kit.probe import CAUSE
from kit.threads import in_threads
from kit.views import append, clear, count, every, invalidate, login, persist, put, renew
from kit.world import rotated

DUE = 2 * REFRESH
RENEWED = SessionRenewed(login=False)


def lifetime(**fields):
    settings = {"idle": LIFETIME.idle, "absolute": LIFETIME.absolute, "refresh_after": timedelta(seconds=REFRESH)}
    return Lifetime(**{**settings, "renew_after": timedelta(seconds=DUE), **fields})


@pytest.fixture
def world(world):
    world.use(lifetime=lifetime(), cookie=PERSISTENT)
    return world


@pytest.fixture
def browser(world):
    """A browser whose session's ID is old enough for a new one."""
    browser = world.browser(every(login("ann"), put("a", 1)))
    world.clock.advance(DUE)
    return browser


@pytest.fixture
def old(world, browser):
    """Somebody with the old ID of a session that has just got a new one."""
    old = browser.copy()
    browser.visit()
    world.forget()
    return old


# When


def test_an_id_stays_until_it_is_due(world):
    browser = world.browser(put("a", 1))
    before = browser.header
    world.clock.advance(DUE - 1)
    browser.visit(put("b", 2))
    assert RENEWED not in world.events
    assert dict(world.manager.open(before)) == {"a": 1, "b": 2}


@pytest.mark.parametrize("view", [len, dict, put("b", 2), lambda s: s.owner])
def test_a_request_that_touches_the_session_then_gets_a_new_id(world, browser, view):
    before = browser.header
    assert len(browser.visit(view)) == 1
    assert browser.header != before
    assert world.probe.taken() == ["load", "create", "update"]
    assert world.taken_events() == [RENEWED]
    assert (browser.owner(), browser.read()["a"]) == ("ann", 1)


def test_a_request_that_does_not_touch_the_session_changes_nothing(world, browser):
    session = world.manager.open(browser.header)
    assert world.manager.commit(session).cookies == ()
    assert world.probe.taken() == []


def test_without_the_setting_an_id_stays(world, browser):
    world.use(lifetime=LIFETIME)
    browser.visit()
    assert RENEWED not in world.events


@pytest.mark.parametrize("view", [len, renew, login("ann"), login("bob"), lambda s: s.cycle()])
def test_the_next_one_is_due_that_long_after_the_last(world, browser, view):
    browser.visit(view)
    world.taken_events()
    world.clock.advance(DUE - 1)
    browser.visit(put("b", 2))
    assert RENEWED not in world.taken_events()
    world.clock.advance(1)
    browser.visit()
    assert RENEWED in world.taken_events()


def test_an_id_that_save_has_made_counts_from_then(world, browser):
    browser.visit(every(renew, lambda s: s.save()))
    world.taken_events()
    world.clock.advance(DUE - 1)
    browser.visit()
    assert RENEWED not in world.taken_events()


def test_csrf_tokens_stay_good(world):
    tokens = []
    browser = world.browser(lambda s: tokens.append(s.csrf_token()))
    world.clock.advance(DUE)
    browser.visit()
    assert world.manager.open(browser.header).check_csrf(tokens[0])


def test_a_session_that_was_emptied_ends_as_ever(world):
    browser = world.browser(put("a", 1))
    world.clock.advance(DUE)
    assert is_expiry(browser.visit(clear))
    assert RENEWED not in world.events


def test_a_body_that_goes_on_after_the_new_id_writes_into_the_session(world, browser):
    request = browser.open()
    request.send_headers()
    request.session["late"] = 1
    request.close()
    assert browser.read() == {"a": 1, "late": 1}


# Within the grace


def test_the_old_id_reads_and_writes_within_the_grace(world, old, browser):
    world.clock.advance(GRACE - 1)
    assert (old.owner(), old.read()) == ("ann", {"a": 1})
    assert old.visit(put("b", 2)) == []
    browser.visit(put("c", 3))
    assert old.read() == browser.read() == {"a": 1, "b": 2, "c": 3}


NEVER_A_COOKIE = [
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
]


@pytest.mark.parametrize("view", NEVER_A_COOKIE)
@pytest.mark.parametrize("refresh_due", [False, True])
def test_the_old_id_never_gets_a_cookie(world, old, view, refresh_due):
    if refresh_due:
        world.use(lifetime=lifetime(refresh_after=timedelta(0)))
        world.clock.advance(GRACE - 1)
    assert old.visit(view) == []


def test_the_old_id_gets_no_new_one_where_that_is_due_again(world, old):
    world.use(lifetime=lifetime(refresh_after=timedelta(0), renew_after=timedelta(seconds=1)))
    world.clock.advance(GRACE - 1)
    assert old.visit() == []
    assert world.probe.taken() == ["load", "load"]


def test_reading_with_the_old_id_does_not_touch_the_session(world, old, browser):
    world.use(lifetime=lifetime(refresh_after=timedelta(0)))
    world.clock.advance(GRACE - 1)
    old.visit()
    assert world.probe.taken() == ["load", "load"]
    world.clock.advance(IDLE - GRACE + 1)
    assert browser.read() == {}


def test_renewing_with_the_old_id_writes_nothing(world, old, browser):
    assert old.visit(renew) == []
    assert world.probe.taken() == ["load", "load"]
    assert browser.read() == {"a": 1}


def test_a_rotation_of_keys_gives_the_old_id_no_cookie(world, old):
    world.use(rotated(), cookie=PERSISTENT, lifetime=lifetime(refresh_after=timedelta(0)))
    assert old.visit() == []
    assert old.visit(put("b", 2)) == []


def test_emptying_the_session_with_the_old_id_ends_it_once_and_without_a_line(world):
    browser = world.browser(put("a", 1))
    old = browser.copy()
    world.clock.advance(DUE)
    browser.visit()
    request = old.open(clear)
    request.session.save()
    assert request.finish() == []
    assert browser.read() == {}
    assert WriteDropped("replaced") not in world.events


def test_a_logout_with_the_old_id_ends_the_session(old, browser):
    assert is_expiry(old.visit(invalidate))
    assert (browser.owner(), browser.read()) == (None, {})


def test_a_login_with_the_old_id_takes_the_session_over(old, browser):
    assert len(old.visit(login("ann"))) == 1
    assert (old.owner(), old.read()) == ("ann", {"a": 1})
    assert browser.read() == {}


# After it


def test_after_the_grace_the_old_id_reads_empty_and_writes_are_dropped(world, old, browser):
    world.clock.advance(GRACE)
    assert old.read() == {}
    assert old.visit(put("b", 2)) == []
    assert world.taken_events() == [WriteDropped("replaced")]
    assert browser.read() == {"a": 1}


@pytest.mark.parametrize("seconds", [GRACE, 599])
def test_after_the_grace_a_logout_with_the_old_id_still_ends_the_session(world, old, browser, seconds):
    world.clock.advance(seconds)
    assert is_expiry(old.visit(invalidate))
    assert browser.read() == {}


def test_after_the_grace_a_login_with_the_old_id_begins_anew(world, old, browser):
    world.clock.advance(GRACE)
    assert len(old.visit(login("ann"))) == 1
    assert (old.read(), browser.read()) == ({}, {"a": 1})


def test_polling_the_old_id_does_not_prolong_the_grace(world, old):
    for _ in range(GRACE):
        assert old.visit(put("b", world.now)) == []
        world.clock.advance(1)
    assert old.read() == {}


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [({"renew_grace": timedelta(0)}, 0), ({"renew_grace": timedelta(seconds=60)}, 60), ({"renew_after": None}, 0)],
)
def test_the_grace_is_what_the_settings_of_the_reader_say(world, old, fields, seconds):
    """So that switching it off counts at once."""
    world.use(lifetime=lifetime(**fields))
    world.clock.advance(max(seconds - 1, 0))
    assert old.read() == ({"a": 1} if seconds else {})
    world.clock.advance(1)
    assert old.read() == {}


# Slow requests, and several at once


@pytest.mark.parametrize("seconds", [0, GRACE, 599])
def test_what_a_slow_request_writes_is_merged_without_a_line(world, browser, seconds):
    slow = browser.copy().open(every(put("list", []), append("list", "x")))
    browser.visit(put("b", 2))
    world.clock.advance(seconds)
    assert slow.finish() == []
    assert browser.read() == {"a": 1, "b": 2, "list": ["x"]}


def test_a_slow_reader_neither_touches_the_session_nor_prolongs_the_grace(world, browser):
    slow, old = browser.copy().open(), browser.copy()
    browser.visit()
    record = world.manager.sessions_of("ann")
    assert slow.finish() == []
    assert world.manager.sessions_of("ann") == record
    world.clock.advance(GRACE)
    assert old.read() == {}


def test_of_several_readers_at_once_one_gets_a_new_id_and_the_others_write_nothing(world, browser):
    requests = [browser.copy().open() for _ in range(3)]
    requests[0].finish()
    before = world.manager.sessions_of("ann")
    assert [request.finish() for request in requests[1:]] == [[], []]
    assert world.manager.sessions_of("ann") == before
    assert world.taken_events() == [RENEWED]


def test_of_several_writers_in_threads_one_gets_a_new_id_and_nothing_is_lost(world, browser):
    requests = [browser.copy().open(put(key, key)) for key in "xyz"]
    lines = in_threads(*[request.finish for request in requests])
    assert sorted(map(len, lines)) == [0, 0, 1]
    (renewed,) = [request.browser for request, line in zip(requests, lines, strict=True) if line]
    assert renewed.read() == {"a": 1, "x": "x", "y": "y", "z": "z"}


def test_a_reader_whose_session_ends_meanwhile_writes_nothing_and_loses_nothing(world, browser):
    slow = browser.copy().open()
    browser.visit(invalidate)
    world.taken_events()
    assert slow.finish() == []
    assert WriteDropped("ended") not in world.taken_events()
    assert world.manager.sessions_of("ann") == []


def test_a_reader_past_the_absolute_deadline_loses_nothing(world):
    world.use(lifetime=lifetime(absolute=timedelta(seconds=IDLE)))
    browser = world.browser(put("a", 1))
    world.clock.advance(IDLE - 1)
    slow = browser.open()
    world.clock.advance(1)
    assert slow.finish() == []
    assert world.taken_events() == []


# A store that fails


@pytest.mark.parametrize("verb", ["create", "update"])
def test_a_store_that_fails_costs_a_reader_nothing_and_the_next_request_gets_the_new_id(world, browser, verb):
    request = browser.open()
    world.probe.down = {verb}
    assert request.finish() == []
    assert world.taken_events() == [StoreFailed(CAUSE)]
    world.probe.down = set()
    assert len(world.manager.sessions_of("ann")) == 1
    assert len(browser.visit()) == 1


def test_a_body_that_goes_on_after_a_store_that_failed_makes_no_id_that_nobody_is_told_of(world, browser):
    request = browser.open()
    world.probe.down = {"create"}
    request.send_headers()
    world.probe.down = set()
    request.session["late"] = 1
    request.close()
    world.clock.advance(GRACE)
    assert browser.read() == {"a": 1, "late": 1}


def test_a_store_that_fails_is_an_error_for_who_writes(world, browser):
    request = browser.open(put("b", 2))
    world.probe.down = {"create"}
    with pytest.raises(StoreUnavailable):
        request.finish()
