"""The limit of a user's sessions that a manager has by itself: 500, where the store can count them."""

from datetime import timedelta

import pytest

from cookiesess import Lifetime, SessionManager
from cookiesess.errors import ConfigurationError
from cookiesess.events import OwnerLimitReached, SessionCreated, SessionEnded
from kit.constants import KEY, SMALL
from kit.probe import Probe
from kit.views import login, put
from kit.world import World

ann = login("ann")
LIMIT = 500


def log_in(world, times):
    browsers = []
    for _ in range(times):
        browsers.append(world.browser(ann))
        world.clock.advance(1)
    return browsers


def owners(*browsers):
    return [browser.owner() for browser in browsers]


def test_the_login_after_the_five_hundredth_ends_the_session_that_was_idle_for_longest(world):
    world.use(lifetime=Lifetime(refresh_after=timedelta(seconds=1)))
    oldest, second, *others = log_in(world, LIMIT)
    oldest.visit()
    world.clock.advance(1)
    browser = world.browser()
    browser.visit(ann)
    ended = [SessionEnded(emptied=False), OwnerLimitReached(1, LIMIT), SessionCreated(login=True)]
    assert world.taken_events() == ended
    assert owners(oldest, second, *others[:3], browser) == ["ann", None, "ann", "ann", "ann", "ann"]


def test_a_login_beyond_it_lists_no_more_than_a_hundred(world):
    log_in(world, LIMIT)
    listed = []

    def note(verb, outcome, again):
        if verb == "oldest_of":
            listed.append(len(outcome))
        return outcome

    world.probe.answer = note
    world.browser().visit(ann)
    assert (listed, world.probe.taken()) == ([100], ["create", "count_of", "oldest_of", "delete"])


def test_a_login_within_it_is_counted_and_lists_nothing(world):
    log_in(world, 2)
    world.browser().visit(ann)
    assert world.probe.taken() == ["create", "count_of"]


def test_one_who_is_not_logged_in_is_not_counted(world):
    world.browser().visit(put("a", 1))
    assert world.probe.taken() == ["create"]


def test_none_is_no_limit(world):
    world.use(max_sessions_per_owner=None)
    browsers = log_in(world, LIMIT + 1)
    assert owners(browsers[0], browsers[-1]) == ["ann", "ann"]
    world.browser().visit(ann)
    assert world.probe.taken() == ["create"]


def test_a_session_whose_time_is_over_goes_before_one_that_lives(world):
    world.use(lifetime=Lifetime(idle=timedelta(days=9), absolute=timedelta(days=10)), max_sessions_per_owner=2)
    dead = world.browser(ann)
    world.clock.advance(timedelta(days=8))
    living = world.browser(ann)
    dead.visit(put("a", 1))
    world.clock.advance(timedelta(days=2))
    last = world.browser(ann)
    assert owners(living, last) == ["ann", "ann"]


class WithoutIndex(Probe):
    indexes_owners = False


def test_a_store_that_cannot_count_is_not_refused_for_it(world):
    plain = World(WithoutIndex(world.probe.inner), clock=world.clock)
    assert plain.browser(ann).owner() == "ann"
    plain.browser().visit(ann)
    assert plain.probe.taken() == ["create"]


def test_a_store_that_cannot_count_is_refused_where_somebody_chose_that_very_limit(world):
    with pytest.raises(ConfigurationError, match="WithoutIndex does not"):
        world.make_manager(store=WithoutIndex(world.probe.inner), max_sessions_per_owner=LIMIT)


def test_a_summary_that_does_not_open_ends_nothing(world):
    browsers = log_in(world, 2)

    def spoilt(verb, outcome, again):
        if verb == "oldest_of":
            return {key: record._replace(summary=b"of a later form") for key, record in outcome.items()}
        return outcome

    world.use(max_sessions_per_owner=1)
    world.probe.answer = spoilt
    assert owners(*browsers, world.browser(ann)) == ["ann"] * 3


@pytest.mark.parametrize("settings", [{}, {"overflow": World().overflow, "cookie": SMALL}], ids=["cookies", "overflow"])
def test_sessions_in_cookies_have_none(settings):
    SessionManager(KEY, max_sessions_per_owner=None)
    manager = SessionManager(KEY, **settings)
    session = manager.open("")
    session.login("ann")
    session["a"] = "x" * 300
    manager.commit(session)
    probe = settings.get("overflow")
    assert probe is None or probe.taken() == ["create"]
