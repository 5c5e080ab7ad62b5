"""A store that goes down in the middle of a login or a renewal."""

import pytest

from cookiesess import StoreUnavailable
from cookiesess.events import StoreFailed
from kit.browser import Browser
from kit.probe import CAUSE
from kit.views import ann, every, invalidate, login, put, renew

NEW_ID = pytest.mark.parametrize("view", [renew, login("ann")])


@NEW_ID
def test_where_the_old_id_cannot_be_closed_the_request_fails_and_the_session_stays(world, view):
    browser = world.browser(ann)
    world.probe.down = {"update"}
    with pytest.raises(StoreUnavailable):
        browser.visit(view)
    world.probe.down = set()
    assert browser.read() == {"a": 1}


@NEW_ID
def test_where_the_old_id_cannot_be_closed_the_new_one_is_not_listed(world, view):
    browser = world.browser(ann)
    world.probe.down = {"update"}
    with pytest.raises(StoreUnavailable):
        browser.visit(view)
    world.probe.down = set()
    assert len(world.manager.sessions_of("ann")) == 1


@NEW_ID
def test_where_nothing_works_after_the_create_the_first_failure_is_the_one_that_is_raised(world, view):
    browser = world.browser(put("a", 1))
    world.probe.down = {"update", "delete"}
    with pytest.raises(StoreUnavailable):
        browser.visit(view)
    world.probe.down = set()
    assert browser.read() == {"a": 1}


# Nobody's session becomes somebody's, or ends, and nothing is left behind


CASES = {
    "renew": (ann, renew),
    "login again": (ann, login("ann")),
    "login of another": (ann, login("bob")),
    "login of nobody's": (put("a", 1), login("ann")),
    "cycle": (ann, lambda s: s.cycle()),
}
halfway = pytest.mark.parametrize(("start", "view"), CASES.values(), ids=CASES)


def records(world):
    """How many records the store has."""
    owners = [owner for owner in ("ann", "bob") for _ in world.manager.sessions_of(owner)]
    return len(owners), world.probe.inner.delete_expired(now=world.now + 10**9, limit=100)


@halfway
@pytest.mark.parametrize("verb", ["create", "update"])
def test_a_new_id_that_the_store_fails_at_is_an_error_without_a_line_and_without_a_record(world, start, view, verb):
    browser = world.browser(start)
    before, header = browser.owner(), browser.header
    world.probe.down = {verb}
    request = browser.open(every(view, put("b", 2)))
    with pytest.raises(StoreUnavailable):
        request.finish()
    world.probe.down = set()
    assert browser.header == header
    assert (browser.owner(), browser.read()) == (before, {"a": 1})
    assert records(world) == (1 if before else 0, 1)


@halfway
@pytest.mark.parametrize("verb", ["create", "update"])
def test_what_failed_succeeds_at_the_next_try(world, start, view, verb):
    browser = world.browser(start)
    world.probe.down = {verb}
    with pytest.raises(StoreUnavailable):
        browser.visit(view)
    world.probe.down = set()
    assert len(browser.visit(view)) == 1
    assert browser.owner() in {"ann", "bob"}


@halfway
def test_save_that_the_store_fails_at_leaves_nothing_behind_either(world, start, view):
    browser = world.browser(start)
    request = browser.open(view)
    world.probe.down = {"update"}
    with pytest.raises(StoreUnavailable):
        request.session.save()
    world.probe.down = set()
    assert len(request.finish()) == 1
    world.browser(header=request.browser.header).visit(invalidate)
    assert records(world) == (0, 1)  # the closed one


def test_a_login_that_was_overtaken_and_then_fails_is_an_error_without_a_line_and_without_a_record(world):
    browser = world.browser(put("a", 1))
    slow = browser.copy().open(login("bob"))
    browser.visit(login("carla"))
    world.probe.once_before("delete", lambda: world.probe.down.add("create"))
    with pytest.raises(StoreUnavailable):
        slow.finish()
    world.probe.down = set()
    assert world.manager.sessions_of("bob") == []
    assert browser.owner() == "carla"


@pytest.mark.parametrize("view", [renew, login("bob")])
def test_a_new_id_whose_merge_fails_is_an_error_without_a_record(world, view):
    """Another request has renewed the session meanwhile, and what took its place cannot be read."""
    browser = world.browser(ann)
    slow = browser.copy().open(view)
    browser.visit(renew)
    world.probe.down = {"load"}
    with pytest.raises(StoreUnavailable):
        slow.finish()
    world.probe.down = set()
    assert (len(world.manager.sessions_of("ann")), world.manager.sessions_of("bob")) == (1, [])


def test_a_login_whose_closing_was_done_though_its_answer_is_an_error_can_be_tried_again(world):
    """Nobody can tell, so the visitor is told of an error; and the next try is a login with an old ID."""
    browser = world.browser(put("a", 1))

    def fails(verb, outcome, again):
        if verb == "update":
            world.probe.answer = None
            raise StoreUnavailable(CAUSE)
        return outcome

    world.probe.answer = fails
    with pytest.raises(StoreUnavailable):
        browser.visit(login("ann"))
    assert world.manager.sessions_of("ann") == []
    assert len(browser.visit(login("ann"))) == 1
    assert browser.owner() == "ann"


@pytest.mark.parametrize("verb", ["count_of", "oldest_of", "delete"])
def test_a_login_counts_although_the_limit_could_not_be_enforced(world, verb):
    first = world.browser(ann)
    world.use(max_sessions_per_owner=1)
    world.probe.down = {verb}
    second = world.browser()
    assert len(second.visit(login("ann"))) == 1
    assert StoreFailed(CAUSE) in world.events
    world.probe.down = set()
    assert [world.manager.open(browser.header).owner for browser in (first, second)] == ["ann", "ann"]


@pytest.mark.parametrize("verb", ["count_of", "oldest_of", "delete"])
def test_the_next_login_enforces_a_limit_that_could_not_be_enforced(world, verb):
    first = world.browser(ann)
    world.use(max_sessions_per_owner=1)
    world.probe.down = {verb}
    world.browser().visit(login("ann"))
    world.probe.down = set()
    last = Browser(world)
    last.visit(login("ann"))
    assert [info.handle for info in world.manager.sessions_of("ann")] == [
        world.manager.handle_of(world.manager.open(last.header))
    ]
    assert world.manager.open(first.header).owner is None
