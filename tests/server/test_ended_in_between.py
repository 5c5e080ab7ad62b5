"""A session that is ended in the very middle of another request's commit: between any two steps of it at the store.

The first half runs the ending inside of the store's own verbs, so every order there is comes up, always the same way;
the second half does the same with threads that wait for one another at a barrier.
"""

import threading

import pytest

from cookiesess import SessionMiddleware, get_session
from cookiesess.events import WriteDropped
from kit.browser import Browser
from kit.constants import PERSISTENT, REFRESH, SECONDS
from kit.threads import in_threads
from kit.views import append, clear, count, every, invalidate, login, put, renew
from kit.world import World


def start(session):
    session.login("ann")
    session.update(cart=["tea"], n=0)


@pytest.fixture
def browser(world):
    world.use(cookie=PERSISTENT)
    browser = world.browser(start)
    world.clock.advance(REFRESH)
    return browser


@pytest.fixture
def other(world, browser):
    """The same cookie, in a request that reaches the store directly, so that it is not counted or stopped."""
    there = World(world.probe.inner, clock=world.clock)
    return Browser(there, browser.header)


ENDINGS = {
    "invalidate": lambda other: other.visit(invalidate),
    "end_all": lambda other: other.place.manager.end_all("ann"),
    "login": lambda other: other.visit(login("carla")),
}
WRITERS = {"writer": put("b", 2), "nested": append("cart", "milk"), "mutate": count}
MOVERS = {"renew": renew, "renew and write": every(renew, put("b", 2))}
BETWEEN = [("before", "create"), ("after", "create"), ("before", "update")]
STEPS = [
    *[pytest.param(view, "before", "update", id=f"{name}, before update") for name, view in WRITERS.items()],
    *[
        pytest.param(view, when, verb, id=f"{name}, {when} {verb}")
        for name, view in MOVERS.items()
        for when, verb in BETWEEN
    ],
    pytest.param(len, "before", "touch", id="toucher, before touch"),
]


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
@pytest.mark.parametrize(("view", "when", "verb"), STEPS)
def test_a_session_that_ends_between_two_steps_of_a_commit_stays_ended(world, browser, other, ending, view, when, verb):
    slow = browser.open(view)
    getattr(world.probe, f"once_{when}")(verb, lambda: ending(other))
    before = browser.header
    assert slow.finish() == []
    assert Browser(world, before).read() == {}
    assert world.manager.sessions_of("ann") == []
    assert other.place.manager.open(other.header).owner in {None, "carla"}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
@pytest.mark.parametrize("owner", ["ann", "bob"])
@pytest.mark.parametrize(("when", "verb"), BETWEEN)
def test_a_login_succeeds_whatever_happens_between_its_steps(world, browser, other, ending, owner, when, verb):
    slow = browser.copy().open(every(login(owner), put("b", 2)))
    getattr(world.probe, f"once_{when}")(verb, lambda: ending(other))
    assert len(slow.finish()) == 1
    assert (slow.browser.owner(), slow.browser.read()) == (owner, {"b": 2})
    assert browser.read() == {}
    assert len(world.manager.sessions_of("ann") + world.manager.sessions_of("bob")) == 1
    assert other.place.manager.open(other.header).owner in {None, "carla"}


@pytest.mark.parametrize("view", [renew, login("ann")])
@pytest.mark.parametrize(
    ("between", "written"),
    [(put("b", 2), {"b": 2}), (count, {"n": 1}), (append("cart", "milk"), {"cart": ["tea", "milk"]})],
)
def test_a_write_between_the_two_steps_of_a_new_id_is_taken_along(world, browser, other, view, between, written):
    slow = browser.open(view)
    world.probe.once_after("create", lambda: other.visit(between))
    slow.finish()
    assert browser.read() == {"cart": ["tea"], "n": 0, **written}


def test_invalidate_ends_a_session_that_is_renewed_just_before_its_record_is_deleted(world, browser, other):
    slow = browser.open()
    world.probe.once_before("delete", lambda: other.visit(renew))
    slow.finish(invalidate)
    assert other.read() == {}
    assert world.manager.sessions_of("ann") == []


def test_invalidate_ends_a_session_that_is_written_just_before_its_record_is_deleted(world, browser, other):
    slow = browser.open()
    world.probe.once_before("delete", lambda: other.visit(put("b", 2)))
    slow.finish(invalidate)
    assert other.read() == {}


def test_a_session_that_is_written_just_before_it_would_be_deleted_as_empty_lives_on(world):
    browser = world.browser(put("a", 1))
    other = Browser(World(world.probe.inner, clock=world.clock), browser.header)
    world.probe.once_before("delete", lambda: other.visit(put("b", 2)))
    assert browser.visit(clear) == []
    assert browser.read() == {"b": 2}


# The same with threads


def meet_at(world, verb, barrier):
    """Have the next two calls of `verb` wait for each other."""
    for _ in range(2):
        world.probe.once_before(verb, lambda: barrier.wait(SECONDS))


@pytest.mark.parametrize("view", [put("b", 2), append("cart", "milk"), count, lambda s: s.flash("x")])
def test_two_writers_that_meet_at_the_store_both_count(world, browser, view):
    requests = [Browser(world, browser.header).open(view), Browser(world, browser.header).open(put("c", 3))]
    meet_at(world, "update", threading.Barrier(2))
    assert [len(lines) for lines in in_threads(*[request.finish for request in requests])] == [1, 1]
    assert browser.read()["c"] == 3
    assert "session.conflict_merged" in world.taken_names()


@pytest.mark.parametrize("view", [put("b", 2), count, renew])
def test_a_writer_that_meets_an_invalidate_at_the_store_brings_nothing_back(world, browser, view):
    slow, fast = Browser(world, browser.header).open(view), Browser(world, browser.header).open()
    gate = threading.Barrier(2)
    world.probe.once_before("update", lambda: gate.wait(SECONDS))
    world.probe.once_after("delete", lambda: gate.wait(SECONDS))
    lines, _ = in_threads(slow.finish, lambda: fast.finish(invalidate))
    assert lines == []
    assert WriteDropped("ended") in world.events
    assert world.manager.sessions_of("ann") == []


def test_whoever_is_faster_a_writer_and_an_invalidate_leave_no_session(world, browser):
    for _ in range(20):
        browser.visit(start)
        slow, fast = Browser(world, browser.header).open(put("b", 2)), Browser(world, browser.header).open()
        in_threads(slow.finish, lambda fast=fast: fast.finish(invalidate))
        assert world.manager.open(browser.header).is_new


def test_whoever_is_faster_a_login_stands_beside_an_invalidate_and_the_old_id_is_dead(world, browser):
    for _ in range(20):
        browser.visit(start)
        slow, fast = browser.copy(), browser.copy().open()
        in_threads(slow.open(login("bob")).finish, lambda fast=fast: fast.finish(invalidate))
        assert slow.owner() == "bob"
        assert browser.read() == {}
        assert world.manager.sessions_of("ann") == []


def test_whoever_is_faster_a_renewal_and_an_invalidate_leave_no_session(world, browser):
    for _ in range(20):
        browser.visit(start)
        slow, fast = Browser(world, browser.header), Browser(world, browser.header).open()
        in_threads(slow.open(renew).finish, lambda fast=fast: fast.finish(invalidate))
        assert world.manager.open(slow.header).is_new
        assert world.manager.sessions_of("ann") == []


def test_of_two_logins_at_once_both_succeed_and_one_of_them_has_what_was_there_before(world):
    for _ in range(20):
        browser = world.browser(put("a", 1))
        requests = [browser.copy().open(every(login(owner), put("b", owner))) for owner in ("bob", "carla")]
        in_threads(*[request.finish for request in requests])
        assert [request.browser.owner() for request in requests] == ["bob", "carla"]
        assert [request.browser.read()["b"] for request in requests] == ["bob", "carla"]
        assert sorted(len(request.browser.read()) for request in requests) == [1, 2]
        assert (world.manager.end_all("bob"), world.manager.end_all("carla")) == (1, 1)
        assert browser.read() == {}


# Through the middleware


def test_invalidate_holds_where_the_app_raises_afterwards(world, browser):
    def app(environ, start_response):
        get_session(environ).invalidate()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        SessionMiddleware(app, world.manager)({"HTTP_COOKIE": browser.header}, lambda *_: None)
    assert browser.read() == {}


def test_a_login_is_not_made_where_the_app_raises_afterwards(world, browser):
    def app(environ, start_response):
        get_session(environ).login("carla")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        SessionMiddleware(app, world.manager)({"HTTP_COOKIE": browser.header}, lambda *_: None)
    assert world.manager.open(browser.header).owner == "ann"
