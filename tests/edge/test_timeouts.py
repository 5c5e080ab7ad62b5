"""Idle and absolute timeouts, to the second, as a visitor meets them."""

from datetime import timedelta

import pytest

from cookiesess import ConfigurationError, CookiePolicy, Lifetime, SessionManager, events
from kit.browser import Browser
from kit.constants import KEY
from kit.views import put

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def hours(idle, absolute, **settings):
    return Lifetime(idle=idle * HOUR, absolute=None if absolute is None else absolute * HOUR, **settings)


fill = put("a", 1)


@pytest.fixture
def seen():
    return []


@pytest.fixture
def make(clock, seen):
    def make(lifetime, **settings):
        return SessionManager(KEY, clock=clock, on_event=seen.append, lifetime=lifetime, **settings)

    return make


@pytest.fixture
def enter(make, clock):
    """Make a visitor with a session that lives under `lifetime`."""

    def enter(lifetime, view=fill, **settings):
        visitor = Browser(make(lifetime, **settings))
        visitor.visit(view)
        return visitor

    return enter


def alive(visitor):
    return visitor.read() == {"a": 1}


def keep_alive(visitor, clock, until, *, step=HOUR):
    """Come back every `step` while less than `until` has passed, and return whether the session lived all the time."""
    start = clock()
    while clock() + step.total_seconds() < start + until.total_seconds():
        clock.advance(step)
        visitor.visit()
        if not alive(visitor):
            return False
    clock.advance(start + until.total_seconds() - clock())
    return True


@pytest.mark.parametrize(("lifetime", "deadline"), [(hours(2, 10), 2), (hours(5, 5), 5), (hours(3, None), 3)])
def test_an_idle_session_lives_until_the_last_second_before_its_timeout(enter, clock, lifetime, deadline):
    visitor = enter(lifetime)
    clock.advance(deadline * HOUR - SECOND)
    assert alive(visitor)
    clock.advance(SECOND)
    assert not alive(visitor)


def test_a_busy_session_lives_until_the_last_second_before_its_absolute_timeout(enter, clock):
    visitor = enter(hours(2, 10))
    assert keep_alive(visitor, clock, 10 * HOUR - SECOND)
    assert alive(visitor)
    clock.advance(SECOND)
    assert not alive(visitor)


def test_without_an_absolute_timeout_a_busy_session_lives_on(enter, clock):
    visitor = enter(hours(2, None))
    assert keep_alive(visitor, clock, 500 * HOUR)
    assert alive(visitor)


@pytest.mark.parametrize(("wait", "deadline"), [(2 * HOUR, "idle"), (10 * HOUR, "absolute")])
def test_the_event_names_the_timeout(enter, clock, seen, wait, deadline):
    visitor = enter(hours(2, 10))
    if deadline == "absolute":
        keep_alive(visitor, clock, wait)
    else:
        clock.advance(wait)
    seen.clear()
    assert not alive(visitor)
    assert seen == [events.SessionExpired(deadline)]


def test_the_browsers_max_age_is_not_what_ends_a_session(enter, clock):
    visitor = enter(hours(2, 10), cookie=CookiePolicy(persistent=True))
    clock.advance(2 * HOUR)
    assert visitor.token != "", "the browser kept the cookie"
    assert not alive(visitor)


def test_idle_counts_from_the_last_refresh(enter, clock):
    visitor = enter(hours(10, 100))
    clock.advance(9 * HOUR)
    visitor.visit()
    clock.advance(10 * HOUR - SECOND)
    assert alive(visitor)
    clock.advance(SECOND)
    assert not alive(visitor)


def test_throttled_refreshes_may_shorten_idle_and_never_lengthen_it(enter, clock):
    visitor = enter(hours(10, 100))
    clock.advance(HOUR - SECOND)
    assert visitor.visit() == [], "not due yet"
    clock.advance(9 * HOUR)
    assert alive(visitor)
    clock.advance(SECOND)
    assert not alive(visitor)


def test_refresh_after_is_what_the_setting_says(enter, clock):
    visitor = enter(hours(10, 100, refresh_after=4 * HOUR))
    clock.advance(4 * HOUR - SECOND)
    assert visitor.visit() == []
    clock.advance(SECOND)
    assert len(visitor.visit()) == 1


def test_refresh_after_zero_refreshes_at_each_touch(enter, clock):
    visitor = enter(hours(10, 100, refresh_after=timedelta(0)))
    assert [len(visitor.visit()) for _ in range(2)] == [1, 1]
    assert visitor.visit(lambda session: None) == []


def test_a_session_that_nobody_touches_is_not_refreshed(enter, clock):
    visitor = enter(hours(10, 100))
    clock.advance(9 * HOUR)
    assert visitor.visit(lambda session: None) == []
    clock.advance(HOUR)
    assert not alive(visitor)


def test_login_restarts_the_absolute_timeout(enter, clock):
    visitor = enter(hours(10, 20))
    keep_alive(visitor, clock, 19 * HOUR)
    visitor.visit(lambda session: session.login("user-1"))
    assert keep_alive(visitor, clock, 20 * HOUR - SECOND)
    assert alive(visitor)
    clock.advance(SECOND)
    assert not alive(visitor)


def test_a_second_login_of_the_same_owner_restarts_it_as_well(enter, clock):
    visitor = enter(hours(10, 20), view=lambda session: put("a", 1)(session) or session.login("user-1"))
    keep_alive(visitor, clock, 19 * HOUR)
    visitor.visit(lambda session: session.login("user-1"))
    assert keep_alive(visitor, clock, 20 * HOUR - SECOND)
    assert alive(visitor)


@pytest.mark.parametrize("view", [lambda session: session.renew(), put("b", 2), lambda session: session.flash("hi")])
def test_nothing_else_restarts_the_absolute_timeout(enter, clock, view):
    visitor = enter(hours(10, 20))
    keep_alive(visitor, clock, 19 * HOUR)
    visitor.visit(view)
    clock.advance(HOUR - SECOND)
    assert not visitor.read(lambda session: session.is_new)
    clock.advance(SECOND)
    assert visitor.read(lambda session: session.is_new)


@pytest.mark.parametrize("shorter", [hours(1, 10), hours(1, 1)])
def test_a_shorter_lifetime_counts_at_once(enter, make, clock, shorter):
    visitor = enter(hours(5, 10))
    visitor.manager = make(shorter)
    clock.advance(HOUR - SECOND)
    assert alive(visitor)
    clock.advance(SECOND)
    assert not alive(visitor)


def test_a_shorter_absolute_timeout_counts_from_the_login(enter, make, clock):
    visitor = enter(hours(10, 100))
    clock.advance(9 * HOUR)
    visitor.visit(lambda session: session.login("user-1"))
    visitor.manager = make(hours(10, 10))
    clock.advance(10 * HOUR - SECOND)
    assert alive(visitor)
    clock.advance(SECOND)
    assert not alive(visitor)


def test_an_absolute_timeout_set_later_counts_for_sessions_that_had_none(enter, make, clock):
    visitor = enter(hours(10, None))
    visitor.manager = make(hours(5, 5))
    clock.advance(5 * HOUR)
    assert not alive(visitor)


@pytest.mark.parametrize("longer", [hours(10, 500), hours(10, None)])
def test_a_longer_absolute_timeout_never_extends_a_session(enter, make, clock, longer):
    visitor = enter(hours(10, 20))
    visitor.manager = make(longer)
    assert keep_alive(visitor, clock, 20 * HOUR - SECOND)
    assert alive(visitor)
    clock.advance(SECOND)
    assert not alive(visitor)


def own_idle(idle):
    def view(session):
        session["a"] = 1
        session.idle = idle

    return view


@pytest.mark.parametrize("idle", [HOUR, 50 * HOUR], ids=["shorter", "longer"])
def test_a_sessions_own_idle_timeout_counts_instead_of_the_policys(enter, clock, idle):
    visitor = enter(hours(10, 100), view=own_idle(idle))
    assert visitor.read(lambda session: session.idle) == idle
    clock.advance(idle - SECOND)
    assert alive(visitor)
    clock.advance(SECOND)
    assert not alive(visitor)


def test_a_sessions_own_idle_timeout_does_not_outlast_the_absolute_one(enter, clock):
    visitor = enter(hours(10, 20), view=own_idle(20 * HOUR))
    clock.advance(15 * HOUR)
    visitor.visit()
    clock.advance(5 * HOUR)
    assert not alive(visitor)


def test_a_session_with_a_short_idle_timeout_of_its_own_is_refreshed_in_time(enter, clock):
    """`refresh_after` is a day here, the session's own idle timeout an hour."""
    visitor = enter(hours(240, 1000), view=own_idle(HOUR))
    assert keep_alive(visitor, clock, 5 * HOUR, step=HOUR / 2)
    assert alive(visitor)


def test_a_sessions_own_idle_timeout_can_be_taken_back(enter, clock):
    visitor = enter(hours(10, 100), view=own_idle(HOUR))
    visitor.visit(lambda session: setattr(session, "idle", None))
    assert visitor.read(lambda session: session.idle) is None
    clock.advance(10 * HOUR - SECOND)
    assert alive(visitor)


@pytest.mark.parametrize("idle", [timedelta(0), timedelta(seconds=-1), timedelta(milliseconds=999), 3600, "1h"])
def test_an_idle_timeout_that_is_none_is_refused(make, idle):
    session = make(hours(1, 1)).open("")
    with pytest.raises(ConfigurationError, match="idle"):
        session.idle = idle


@pytest.mark.parametrize(
    ("preset", "idle", "absolute"),
    [(Lifetime(), 336, 720), (Lifetime.aal1(), 720, 720), (Lifetime.aal2(), 1, 24), (Lifetime.aal3(), 0.25, 12)],
    ids=["default", "aal1", "aal2", "aal3"],
)
def test_the_default_and_the_presets_end_when_they_say(enter, clock, preset, idle, absolute):
    visitor = enter(preset)
    clock.advance(idle * HOUR - SECOND)
    assert alive(visitor)
    visitor = enter(preset)
    assert keep_alive(visitor, clock, absolute * HOUR - SECOND, step=idle * HOUR / 2)
    assert alive(visitor)
    clock.advance(SECOND)
    assert not alive(visitor)


@pytest.mark.parametrize(("ahead", "opens"), [(0, True), (300, True), (301, False), (86400, False)])
def test_a_session_from_the_future_opens_within_five_minutes(enter, clock, seen, ahead, opens):
    visitor = enter(hours(10, 20))
    seen.clear()
    clock.advance(-ahead)
    assert alive(visitor) is opens
    assert seen == ([] if opens else [events.SessionRejected("future", None, "this clock is behind")])


@pytest.mark.parametrize(("ahead", "opens"), [(300, True), (301, False)])
def test_a_refresh_or_a_login_from_the_future_counts_as_well(enter, clock, ahead, opens):
    for view in (put("a", 1), lambda session: session.login("user-1")):
        visitor = enter(hours(10, 20))
        clock.advance(HOUR)
        visitor.visit(view)
        visitor.visit(put("b", 1))
        clock.advance(-ahead)
        assert visitor.read(lambda session: not session.is_new) is opens


def test_times_are_whole_unix_seconds_of_the_managers_clock(enter, clock):
    clock.advance(0.75)
    visitor = enter(hours(10, 20), view=lambda session: session.login("user-1"))
    times = visitor.read(lambda session: (session.created_at, session.authenticated_at))
    assert times == (int(clock()), int(clock()))
    assert {type(time) for time in times} == {int}
