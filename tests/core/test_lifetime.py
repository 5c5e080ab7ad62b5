"""Timeouts: what has run out and what is due, in Unix seconds and without a clock."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cookiesess import ConfigurationError, Lifetime
from cookiesess.session.lifetime import IDLE, NAMED_AT, whole_seconds
from cookiesess.session.state import State

SHORT = Lifetime(idle=timedelta(seconds=100), absolute=timedelta(seconds=1000))


def session(created_at=0, *, refreshed_at=None, ends_at=1000, authenticated_at=None, idle=None):
    return State(
        created_at=created_at,
        refreshed_at=created_at if refreshed_at is None else refreshed_at,
        ends_at=ends_at,
        authenticated_at=authenticated_at,
        extras={} if idle is None else {IDLE: idle},
    )


def test_the_defaults_are_two_weeks_idle_and_thirty_days_in_all():
    lifetime = Lifetime()
    assert (lifetime.idle, lifetime.absolute) == (timedelta(days=14), timedelta(days=30))
    assert (lifetime.renew_after, lifetime.renew_grace) == (None, None)


@pytest.mark.parametrize(
    ("preset", "idle", "absolute"),
    [
        (Lifetime.aal1, timedelta(days=30), timedelta(days=30)),
        (Lifetime.aal2, timedelta(hours=1), timedelta(hours=24)),
        (Lifetime.aal3, timedelta(minutes=15), timedelta(hours=12)),
    ],
)
def test_the_presets_are_those_of_nist_sp_800_63b_4(preset, idle, absolute):
    assert (preset().idle, preset().absolute) == (idle, absolute)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"idle": timedelta(0)}, r"idle \(0:00:00\) must be at least 1 s"),
        ({"idle": timedelta(milliseconds=999)}, "idle .* must be at least 1 s"),
        ({"idle": timedelta(-1)}, "idle .* must be at least 1 s"),
        ({"idle": 60}, r"idle is a timedelta, not 60; write timedelta\(seconds=…\)"),
        ({"idle": None}, "idle is a timedelta, not None"),
        ({"absolute": timedelta(0)}, "absolute .* must be at least 1 s"),
        ({"absolute": 60}, "absolute is a timedelta, not 60"),
        ({"idle": timedelta(days=31)}, r"idle \(31 days, 0:00:00\) is longer than absolute \(30 days, 0:00:00\)"),
        ({"refresh_after": timedelta(-1)}, "refresh_after .* must be at least 0 s"),
        ({"refresh_after": timedelta(days=14)}, "refresh_after .* must be shorter than idle"),
        ({"refresh_after": 60}, "refresh_after is a timedelta, not 60"),
        ({"renew_after": timedelta(0)}, "renew_after .* must be at least 1 s"),
        ({"renew_after": 3600}, r"renew_after is a timedelta, not 3600; write timedelta\(seconds=…\)"),
        ({"renew_after": timedelta(hours=1)}, r"renew_after \(1:00:00\) is shorter than the 120960 s between two"),
        ({"renew_grace": timedelta(5)}, "renew_grace .* is about renew_after, which is not set; give renew_after="),
        ({"renew_grace": timedelta(-1), "renew_after": timedelta(2)}, "renew_grace .* must be at least 0 s"),
        ({"renew_grace": "10", "renew_after": timedelta(2)}, "renew_grace is a timedelta, not '10'"),
    ],
)
def test_a_duration_that_makes_no_sense_is_refused_when_it_is_built(fields, message):
    with pytest.raises(ConfigurationError, match=message):
        Lifetime(**fields)


@pytest.mark.parametrize(
    ("fields", "renew", "grace"),
    [
        ({}, None, 0),
        ({"renew_after": timedelta(days=2)}, 172_800, 10),
        ({"renew_after": timedelta(days=2), "renew_grace": timedelta(0)}, 172_800, 0),
        ({"renew_after": timedelta(days=2), "renew_grace": timedelta(minutes=1)}, 172_800, 60),
        ({"renew_after": timedelta(hours=1), "refresh_after": timedelta(hours=1)}, 3600, 10),
    ],
)
def test_ids_are_renewed_where_that_was_asked_for_with_a_grace_of_ten_seconds(fields, renew, grace):
    lifetime = Lifetime(**fields)
    assert (lifetime.renew_seconds, lifetime.grace_seconds) == (renew, grace)


@pytest.mark.parametrize(
    ("times", "due_at"),
    [
        ({"created_at": 0}, 100),
        ({"created_at": 0, "authenticated_at": 30}, 130),
        ({"created_at": 0, "named_at": 50}, 150),
        ({"created_at": 0, "authenticated_at": 60, "named_at": 50}, 160),
    ],
)
def test_a_new_id_is_due_when_the_present_one_is_that_old(times, due_at):
    named_at = times.pop("named_at", None)
    state = session(**times)
    state.extras |= {} if named_at is None else {NAMED_AT: named_at}
    lifetime = Lifetime(refresh_after=timedelta(0), renew_after=timedelta(seconds=100))
    assert [lifetime.renewal_due(state, now=now) for now in (due_at - 1, due_at)] == [False, True]


def test_without_the_setting_no_new_id_is_ever_due():
    assert not SHORT.renewal_due(session(), now=10**9)


@pytest.mark.parametrize("least", [0, 1])
def test_the_shortest_allowed_duration_is_taken(least):
    assert whole_seconds("x", timedelta(seconds=least), least=least) == least


def test_fractions_of_a_second_are_cut_off():
    assert whole_seconds("x", timedelta(seconds=2.9)) == 2


def test_a_session_may_be_as_long_idle_as_it_lives():
    assert SHORT.idle_seconds < Lifetime(idle=SHORT.absolute, absolute=SHORT.absolute).idle_seconds == 1000


@pytest.mark.parametrize(
    ("now", "passed"), [(0, None), (99, None), (100, "idle"), (101, "idle"), (10_000, "idle"), (-300, None)]
)
def test_a_session_nobody_touches_ends_when_its_idle_time_is_over(now, passed):
    assert SHORT.expired(session(), now=now) == passed


@pytest.mark.parametrize(("now", "passed"), [(999, None), (1000, "absolute"), (1001, "absolute")])
def test_a_busy_session_ends_at_its_absolute_deadline(now, passed):
    assert SHORT.expired(session(refreshed_at=990), now=now) == passed


def test_without_an_absolute_timeout_a_busy_session_lives_on():
    endless = Lifetime(idle=timedelta(seconds=100), absolute=None)
    assert endless.ends_at(0) is None
    assert endless.expired(session(ends_at=None, refreshed_at=10**9), now=10**9 + 99) is None
    assert endless.deadline(session(ends_at=None, refreshed_at=500)) == 600


def test_the_absolute_deadline_is_fixed_at_the_start():
    assert SHORT.ends_at(500) == 1500


def test_a_longer_setting_later_never_prolongs_a_session():
    longer = Lifetime(idle=timedelta(seconds=100), absolute=timedelta(seconds=9000))
    assert longer.absolute_deadline(session(ends_at=1000)) == 1000


def test_no_absolute_setting_later_never_prolongs_a_session():
    assert Lifetime(absolute=None).absolute_deadline(session(ends_at=1000)) == 1000


def test_a_shorter_setting_later_counts_at_once():
    assert SHORT.absolute_deadline(session(ends_at=9000)) == 1000


def test_a_setting_counts_for_sessions_that_were_made_without_one():
    assert SHORT.absolute_deadline(session(ends_at=None)) == 1000


def test_the_absolute_timeout_counts_from_the_last_login():
    assert SHORT.absolute_deadline(session(ends_at=9000, authenticated_at=300)) == 1300


@pytest.mark.parametrize(("refreshed_at", "deadline"), [(0, 100), (850, 950), (950, 1000)])
def test_the_deadline_is_whichever_timeout_comes_first(refreshed_at, deadline):
    assert SHORT.deadline(session(refreshed_at=refreshed_at)) == deadline


@pytest.mark.parametrize("idle", [50, 300])
def test_an_idle_timeout_of_the_session_itself_counts_instead(idle):
    state = session(idle=idle)
    assert SHORT.deadline(state) == idle
    assert SHORT.expired(state, now=idle - 1) is None
    assert SHORT.expired(state, now=idle) == "idle"


def test_an_idle_timeout_of_the_session_itself_does_not_prolong_the_absolute_one():
    assert SHORT.deadline(session(idle=5000)) == 1000


@pytest.mark.parametrize(("now", "due"), [(0, False), (9, False), (10, True), (11, True)])
def test_a_refresh_is_due_after_a_tenth_of_idle(now, due):
    assert SHORT.refresh_due(session(), now=now) is due


@pytest.mark.parametrize(("refresh_after", "due_at"), [(0, 0), (30, 30), (99, 99)])
def test_when_a_refresh_is_due_can_be_set(refresh_after, due_at):
    lifetime = Lifetime(idle=timedelta(seconds=100), refresh_after=timedelta(seconds=refresh_after))
    assert lifetime.refresh_due(session(), now=due_at)
    assert not lifetime.refresh_due(session(), now=due_at - 1)


@pytest.mark.parametrize(("idle", "due_at"), [(50, 5), (9, 0), (10_000, 10)])
def test_a_session_with_a_shorter_idle_timeout_is_refreshed_sooner(idle, due_at):
    assert SHORT.refresh_due(session(idle=idle), now=due_at)
    assert not SHORT.refresh_due(session(idle=idle), now=due_at - 1)


TIMES = st.integers(0, 2000)


@given(TIMES, TIMES, TIMES | st.none(), TIMES | st.none(), st.integers(1, 2000) | st.none(), TIMES)
def test_a_session_has_expired_exactly_from_its_deadline_on(created, refreshed, ends, authenticated, idle, now):
    state = session(created, refreshed_at=refreshed, ends_at=ends, authenticated_at=authenticated, idle=idle)
    assert (SHORT.expired(state, now=now) is not None) == (now >= SHORT.deadline(state))
