"""Several cookies of the session's name: which session counts, and what a login and a logout do to the others."""

import itertools

import pytest

from cookiesess import StoreUnavailable
from cookiesess.events import CookieTwins, StoreFailed, TwinsOfOwners
from kit.browser import Browser
from kit.constants import GARBAGE, IDLE, REFRESH
from kit.lines import expired, issued
from kit.probe import CAUSE
from kit.views import every, invalidate, login, put, renew
from kit.world import World


def owned(owner, name):
    return every(login(owner), put("name", name))


class Several:
    """One browser with the cookies of several, in a given order."""

    def __init__(self, world, *browsers):
        self.world = world
        self.header = "; ".join(browser.header for browser in browsers)

    def open(self, view=len):
        session = self.world.manager.open(self.header)
        view(session)
        return session

    def visit(self, view=len):
        return list(self.world.manager.commit(self.open(view)).cookies)

    def seen(self):
        return self.open().get("name")


def both_orders(world, *browsers):
    return [Several(world, *order) for order in itertools.permutations(browsers)]


# Which one counts


def test_a_login_counts_before_a_session_of_nobody_in_either_order(world):
    """A planted anonymous session never beats a login."""
    ann, planted = world.browser(owned("ann", "hers")), world.browser(put("name", "planted"))
    world.clock.advance(REFRESH)
    planted.visit(put("name", "planted and fresh"))
    assert [each.seen() for each in both_orders(world, ann, planted)] == ["hers"] * 2


def test_of_logins_the_last_one_counts_in_either_order(world):
    early = world.browser(owned("ann", "early"))
    world.clock.advance(1)
    late = world.browser(owned("ann", "late"))
    world.clock.advance(REFRESH)
    early.visit(put("x", 1))
    assert [each.seen() for each in both_orders(world, early, late)] == ["late"] * 2


def test_of_sessions_of_nobody_the_one_used_last_counts_in_either_order(world):
    fresh, stale = world.browser(put("name", "fresh")), world.browser(put("name", "stale"))
    world.clock.advance(1)
    fresh.visit(put("x", 1))
    assert [each.seen() for each in both_orders(world, fresh, stale)] == ["fresh"] * 2


def test_of_equals_the_last_in_the_header_counts(world):
    browsers = [world.browser(put("name", name)) for name in "ab"]
    assert [each.seen() for each in both_orders(world, *browsers)] == ["b", "a"]


@pytest.mark.parametrize("ending", [invalidate, renew, login("bob")])
def test_what_is_over_does_not_count_in_either_order(world, ending):
    alive, dead = world.browser(put("name", "alive")), world.browser(put("name", "dead"))
    dead.copy().visit(ending)
    assert [each.seen() for each in both_orders(world, alive, dead)] == ["alive"] * 2


def test_where_none_lives_what_was_replaced_can_still_be_ended(world):
    renewed, gone = world.browser(owned("ann", "renewed")), world.browser(put("name", "gone"))
    old = renewed.copy()
    renewed.visit(renew)
    gone.copy().visit(invalidate)
    for each in both_orders(world, old, gone):
        assert each.seen() is None
    Several(world, old, gone).visit(invalidate)
    assert renewed.owner() is None


def test_what_never_opened_is_no_candidate(world):
    browser = world.browser(put("name", "a"))
    world.forget()
    for header in (f"{GARBAGE}; {browser.header}", f"{browser.header}; {GARBAGE}"):
        assert world.manager.open(header)["name"] == "a"
    assert world.events == []


def test_while_the_store_is_down_none_of_them_counts(world):
    world.use(on_store_error="anonymous")
    browsers = [world.browser(owned("ann", name)) for name in "ab"]
    world.probe.down = {"load"}
    session = Several(world, *browsers).open()
    assert (session.available, session.owner) == (False, None)
    world.use(on_store_error="raise")
    with pytest.raises(StoreUnavailable):
        Several(world, *browsers).open()


@pytest.mark.parametrize(
    ("views", "event"),
    [
        ([put("a", 1), put("b", 1)], CookieTwins(2)),
        ([login("ann"), put("b", 1)], CookieTwins(2)),
        ([login("ann"), login("ann")], CookieTwins(2)),
        ([login("ann"), login("bob")], TwinsOfOwners(2)),
        ([put("a", 1), put("b", 1), put("c", 1)], CookieTwins(3)),
    ],
)
def test_an_event_names_the_situation_and_two_owners_are_a_warning(world, views, event):
    browsers = [world.browser(view) for view in views]
    Several(world, *browsers).open()
    assert world.taken_events() == [event]


# A login closes them all


def test_a_login_closes_every_session_that_came(world):
    browsers = [world.browser(view) for view in (owned("ann", "hers"), put("name", "b"), owned("bob", "his"))]
    lines = Several(world, *browsers).visit(login("ann"))
    assert issued(lines) == ["__Host-session"]
    assert [browser.owner() for browser in browsers] == [None] * 3
    assert [browser.read() for browser in browsers] == [{}] * 3
    assert [len(world.manager.sessions_of(owner)) for owner in ("ann", "bob")] == [1, 0]


def test_what_is_written_with_a_twins_id_afterwards_sets_no_cookie(world):
    browsers = [world.browser(owned("ann", "hers")), world.browser(put("name", "b"))]
    slow = browsers[1].copy().open()
    Several(world, *browsers).visit(login("ann"))
    assert browsers[1].visit(put("x", 1)) == []
    assert slow.finish(put("x", 1)) == []


@pytest.mark.parametrize(("owner", "ended"), [("ann", True), ("bob", False)])
def test_a_twins_id_leads_on_where_it_was_the_same_owners(world, owner, ended):
    twin = world.browser(owned(owner, "twin"))
    world.clock.advance(1)
    counts = world.browser(owned("ann", "counts"))
    (*_, line) = Several(world, twin, counts).visit(login("ann"))
    twin.visit(invalidate)
    assert (Browser(world, f"{line.name}={line.value}").owner() is None) is ended


def test_a_twins_forms_stay_valid_for_a_second_post(world):
    tokens = []
    twin = world.browser(lambda s: tokens.append(s.csrf_token()))
    Several(world, twin, world.browser(owned("ann", "hers"))).visit(login("ann"))
    assert world.manager.open(twin.header).check_csrf(tokens[0])


@pytest.mark.parametrize("faster", [put("x", 1), renew])
def test_a_twin_that_was_changed_or_renewed_meanwhile_is_closed_all_the_same(world, faster):
    counts, twin = world.browser(owned("ann", "hers")), world.browser(put("name", "b"))
    session = Several(world, counts, twin).open(login("ann"))
    twin.visit(faster)
    world.manager.commit(session)
    assert twin.read() == {}


@pytest.mark.parametrize("faster", [invalidate, login("carla")])
def test_a_twin_that_ended_or_logged_in_meanwhile_is_left_alone(world, faster):
    counts, twin = world.browser(owned("ann", "hers")), world.browser(put("name", "b"))
    session = Several(world, counts, twin).open(login("ann"))
    twin.visit(faster)
    before = twin.owner()
    assert len(issued(world.manager.commit(session).cookies)) == 1
    assert twin.owner() == before


def test_a_session_that_came_twice_is_closed_once(world):
    browser = world.browser(owned("ann", "hers"))
    assert len(issued(Several(world, browser, browser).visit(login("ann")))) == 1
    assert browser.read() == {}


def test_a_twin_that_cannot_be_closed_costs_the_login_nothing(world):
    counts, twin = world.browser(owned("ann", "hers")), world.browser(put("name", "b"))
    session = Several(world, counts, twin).open(login("ann"))
    world.probe.once_after("update", lambda: world.probe.down.add("update"))
    assert len(issued(world.manager.commit(session).cookies)) == 1
    assert StoreFailed(CAUSE) in world.events


def test_a_twin_that_changes_each_time_it_is_to_be_closed_costs_the_login_a_bounded_number_of_tries(world):
    counts, twin = world.browser(owned("ann", "hers")), world.browser(put("name", "b"))
    session = Several(world, counts, twin).open(login("ann"))
    rival = Browser(World(world.probe.inner, clock=world.clock), twin.header)
    world.probe.once_before("update", dict)  # of the session that counts
    for number in range(100):
        world.probe.once_before("update", lambda number=number: rival.visit(put("n", number)))
    world.probe.taken()
    assert len(issued(world.manager.commit(session).cookies)) == 1
    assert world.probe.taken().count("update") == 1 + 64


@pytest.mark.parametrize("view", [put("x", 1), renew])
def test_neither_a_write_nor_a_renewal_closes_a_twin(world, view):
    counts, twin = world.browser(owned("ann", "hers")), world.browser(put("name", "b"))
    Several(world, counts, twin).visit(view)
    assert twin.read() == {"name": "b"}


def test_a_cycle_closes_them_so_that_they_lead_nowhere(world):
    twin = world.browser(owned("ann", "twin"))
    world.clock.advance(1)
    counts = world.browser(owned("ann", "counts"))
    (*_, line) = Several(world, twin, counts).visit(lambda s: s.cycle())
    twin.visit(invalidate)
    assert Browser(world, f"{line.name}={line.value}").owner() == "ann"


@pytest.mark.parametrize("view", [login("ann"), every(login("ann"), lambda s: s.save(), put("x", 1))])
def test_the_browser_is_to_forget_the_others_after_a_login_saved_or_not(world, view):
    lines = Several(world, world.browser(owned("ann", "hers")), world.browser(put("name", "b"))).visit(view)
    assert expired(lines[:-1])
    assert issued(lines[-1:])


def test_a_login_over_a_twin_of_the_same_owner_needs_no_room_for_it(world):
    twins = [world.browser(owned("ann", name)) for name in "ab"]
    world.use(max_sessions_per_owner=1, on_owner_limit="refuse")
    assert issued(Several(world, *twins).visit(login("ann")))


# A logout ends them all


@pytest.mark.parametrize("before", [len, every(put("x", 1), lambda s: s.save())], ids=["at once", "after save"])
def test_a_logout_ends_every_session_that_came_and_sets_nothing(world, before):
    browsers = [world.browser(view) for view in (owned("ann", "hers"), put("name", "b"), owned("bob", "his"))]
    lines = Several(world, *browsers).visit(every(before, invalidate))
    assert issued(lines) == []
    assert [browser.read() for browser in browsers] == [{}] * 3


def test_a_logout_ends_what_took_the_place_of_a_twin(world):
    counts, twin = world.browser(owned("ann", "hers")), world.browser(owned("ann", "twin"))
    old = twin.copy()
    twin.visit(renew)
    Several(world, old, counts).visit(invalidate)
    assert (counts.owner(), twin.owner()) == (None, None)


def test_a_logout_where_all_are_gone_forgets_the_cookies(world):
    browsers = [world.browser(put("name", name)) for name in "ab"]
    world.clock.advance(IDLE)
    assert expired(Several(world, *browsers).visit(invalidate))
