"""Requests of one session at once: merged key by key, and nothing is lost. The interleavings are exact, not timed."""

import pytest

from cookiesess.errors import RecordExists, SessionConflict
from cookiesess.events import ConflictMerged, WriteDropped
from cookiesess.stores.base import Conflict
from kit.lines import is_expiry
from kit.views import append, count, drop, every, login, put, renew
from kit.world import World


def start(session):
    session.update(a=1, b=1, cart=["tea"], n=0)


@pytest.fixture
def browser(world):
    return world.browser(start)


def both(browser, first, second):
    """Two requests that loaded the same state; the one of `first` is committed first."""
    slow, fast = browser.open(second), browser.open(first)
    fast.finish()
    assert slow.finish() == []
    return browser.read()


# Key by key


def test_two_requests_that_set_different_keys_both_count(world, browser):
    assert both(browser, put("a", 2), put("b", 2)) == {"a": 2, "b": 2, "cart": ["tea"], "n": 0}
    assert world.taken_events() == [ConflictMerged(tries=1, overwritten=0)]


def test_of_one_key_the_last_write_stands_and_an_event_says_so(world, browser):
    assert both(browser, put("a", "fast"), put("a", "slow"))["a"] == "slow"
    assert world.taken_events() == [ConflictMerged(tries=1, overwritten=1)]


def test_a_key_that_was_changed_back_leaves_the_others_change_alone(browser):
    assert both(browser, put("a", 2), every(put("a", 3), put("a", 1), put("b", 2)))["a"] == 2


def test_a_deletion_in_one_and_another_key_in_the_other_both_count(browser):
    assert both(browser, drop("a"), put("b", 2)) == {"b": 2, "cart": ["tea"], "n": 0}
    assert both(browser, put("b", 3), drop("cart")) == {"b": 3, "n": 0}


def test_both_may_delete_the_same_key(browser):
    assert "a" not in both(browser, drop("a"), every(drop("a"), put("b", 2)))


def test_a_nested_change_in_one_and_another_key_in_the_other_both_count(browser):
    assert both(browser, append("cart", "milk"), put("b", 2))["cart"] == ["tea", "milk"]
    assert both(browser, put("b", 3), append("cart", "salt"))["cart"] == ["tea", "milk", "salt"]


def test_a_request_that_only_read_a_list_does_not_take_the_others_change_back(browser):
    seen = both(browser, append("cart", "milk"), every(lambda s: s["cart"], put("b", 2)))
    assert seen["cart"] == ["tea", "milk"]


def test_a_mutation_is_applied_again_on_the_newest_data(world, browser):
    assert both(browser, count, count)["n"] == 2
    assert world.taken_events()[0].tries == 1


def test_what_came_before_and_after_a_mutation_keeps_its_order(browser):
    def double(session):
        session.mutate(lambda data: data.update(n=data["n"] * 2))

    assert both(browser, put("n", 5), every(put("n", 10), double, put("b", 9))) == {
        "a": 1,
        "cart": ["tea"],
        "n": 20,
        "b": 9,
    }


def test_flashes_are_merged_message_by_message(world):
    browser = world.browser(every(lambda s: s.flash("old"), lambda s: s.flash("both see this")))
    slow = browser.open(lambda s: s.flash("from the slow one"))
    browser.visit(every(lambda s: s.pop_flashes(), lambda s: s.flash("from the fast one")))
    slow.finish()
    shown = [flash.message for flash in world.manager.open(browser.header).pop_flashes()]
    assert shown == ["from the fast one", "from the slow one"]


def test_a_flash_that_was_shown_by_both_is_gone_and_one_that_came_in_meanwhile_stays(world):
    browser = world.browser(lambda s: s.flash("old"))
    slow = browser.open(lambda s: s.pop_flashes())
    browser.visit(lambda s: s.flash("new"))
    slow.finish()
    assert [flash.message for flash in world.manager.open(browser.header).pop_flashes()] == ["new"]


def test_an_existing_csrf_secret_wins(world, browser):
    tokens = {}
    slow = browser.open(lambda s: tokens.update(slow=s.csrf_token()))
    browser.visit(lambda s: tokens.update(fast=s.csrf_token()))
    slow.finish()
    session = world.manager.open(browser.header)
    assert session.check_csrf(tokens["fast"])
    assert not session.check_csrf(tokens["slow"])


def test_settings_of_the_session_are_merged_like_keys(world, browser):
    both(browser, lambda s: setattr(s, "label", "phone"), put("b", 2))
    assert world.manager.open(browser.header).label == "phone"
    slow = browser.open(lambda s: setattr(s, "label", None))
    browser.visit(put("b", 3))
    slow.finish()
    assert world.manager.open(browser.header).label is None


def test_a_session_that_one_request_emptied_and_another_filled_lives_on(world):
    browser = world.browser(put("a", 1))
    slow = browser.open(drop("a"))
    browser.visit(put("b", 2))
    assert slow.finish() == []
    assert browser.read() == {"b": 2}
    assert [event.name for event in world.taken_events()] == ["session.conflict_merged"]


def test_a_session_that_both_emptied_key_by_key_ends(world):
    browser = world.browser(put("a", 1))
    browser.visit(put("b", 2))
    slow = browser.open(every(drop("a"), drop("b")))
    browser.visit(every(drop("a"), put("b", 3)))
    assert is_expiry(slow.finish())
    assert browser.read() == {}


def test_three_requests_at_once_lose_nothing(browser):
    requests = [browser.open(put(key, key)) for key in "xyz"]
    for request in requests:
        request.finish()
    assert {key: browser.read()[key] for key in "xyz"} == {"x": "x", "y": "y", "z": "z"}


def test_a_write_in_between_the_tries_is_merged_as_well(world, browser):
    slow = browser.open(put("x", 1))
    browser.visit(put("y", 1))
    world.probe.once_before("update", lambda: None)  # the first try meets y
    world.probe.once_before("update", lambda: browser.visit(put("z", 1)))
    slow.finish()
    assert {"x", "y", "z"} <= set(browser.read())
    assert world.taken_events()[-1] == ConflictMerged(tries=2, overwritten=0)


def test_a_renewal_takes_along_what_came_in_meanwhile(world, browser):
    slow = browser.open(every(put("a", 2), renew))
    browser.visit(put("b", 2))
    assert len(slow.finish()) == 1
    assert browser.read() == {"a": 2, "b": 2, "cart": ["tea"], "n": 0}


def test_a_login_takes_along_what_came_in_meanwhile(world, browser):
    slow = browser.open(login("ann"))
    world.probe.once_before("update", lambda: world.browser(header=browser.header).visit(put("b", 2)))
    slow.finish()
    assert browser.read()["b"] == 2


def test_a_login_over_another_owner_takes_nothing_along_that_came_in_meanwhile(world):
    browser = world.browser(every(login("ann"), put("secret", "ann's")))
    slow = browser.open(login("bob"))
    browser.visit(every(put("late", "ann's"), lambda s: s.flash("ann's")))
    slow.finish()
    session = world.manager.open(browser.header)
    assert (session.owner, dict(session), session.pop_flashes()) == ("bob", {}, [])


def test_a_renewal_that_had_to_merge_says_so(world, browser):
    slow = browser.open(every(put("a", 2), renew))
    browser.visit(put("a", 3))
    world.taken_events()
    slow.finish()
    assert ConflictMerged(tries=1, overwritten=1) in world.taken_events()


# A bounded number of tries


def never_fast_enough(world, browser):
    """Have somebody else write just before each update."""
    rival = World(world.probe.inner, clock=world.clock).browser(header=browser.header)
    for _ in range(100):
        world.probe.once_before("update", lambda: rival.visit(append("cart", "rival")))


@pytest.mark.parametrize("view", [put("a", 2), count, renew, login("ann")])
def test_who_is_never_fast_enough_gets_an_error_after_a_bounded_number_of_tries(world, browser, view):
    request = browser.open(view)
    never_fast_enough(world, browser)
    with pytest.raises(SessionConflict, match="64 times"):
        request.finish()
    assert world.probe.calls.count("update") == 64


@pytest.mark.parametrize("view", [renew, login("ann")])
def test_a_new_id_that_was_not_given_out_leaves_no_record_behind(world, browser, view):
    request = browser.open(view)
    never_fast_enough(world, browser)
    with pytest.raises(SessionConflict):
        request.finish()
    assert world.probe.calls.count("delete") == world.probe.calls.count("create")
    assert world.manager.sessions_of("ann") == []


@pytest.mark.parametrize("view", [lambda s: s.invalidate(), lambda s: s.clear()])
def test_a_session_that_cannot_be_deleted_gives_an_error_after_a_bounded_number_of_tries(world, browser, view):
    request = browser.open()
    world.probe.inner.delete = lambda key, expected_version=None: False
    with pytest.raises(SessionConflict):
        request.finish(view)


# Lost answers: the client library has sent a command again because the first answer did not arrive


def repeating(world, *verbs):
    world.probe.answer = lambda verb, outcome, again: again() if verb in verbs else outcome


def test_an_update_whose_answer_was_lost_is_not_applied_twice(world, browser):
    repeating(world, "update")
    assert browser.visit(count) == []
    assert browser.read()["n"] == 1
    assert world.taken_events() == []


def test_an_update_whose_answer_was_lost_is_recognised_behind_seven_other_writes(world, browser):
    def answer(verb, outcome, again):
        world.probe.answer = None
        for _ in range(7):
            browser.visit(count)
        return again()

    request = browser.open(count)
    world.probe.answer = answer
    request.finish()
    assert browser.read()["n"] == 8


def test_a_create_whose_answer_was_lost_still_gives_the_cookie(world):
    repeating(world, "create")
    browser = world.browser(put("a", 1))
    assert browser.read() == {"a": 1}


def test_a_taken_key_is_not_taken_over(world):
    """The same 32 random bytes twice: a broken random source."""
    world.use(random_bytes=lambda size: b"\x07" * size)
    browser = world.browser(put("a", 1))
    with pytest.raises(RecordExists):
        world.browser().visit(put("b", 2))
    assert browser.read() == {"a": 1}


def test_a_taken_key_whose_record_has_gone_meanwhile_is_an_error_too(world):
    def create(*_, **__):
        raise RecordExists("taken")

    world.probe.inner.create = create
    with pytest.raises(RecordExists):
        world.browser().visit(put("b", 2))


@pytest.mark.parametrize("view", [renew, login("ann")])
def test_a_closing_whose_answer_was_lost_still_gives_the_new_id(world, browser, view):
    repeating(world, "update")
    assert len(browser.visit(view)) == 1
    assert browser.read()["a"] == 1
    assert all(not isinstance(event, WriteDropped) for event in world.taken_events())


def test_an_invalidate_whose_answer_was_lost_ends_the_session(world, browser):
    before = browser.header
    repeating(world, "delete")
    browser.visit(lambda s: s.invalidate())
    browser.header = before
    assert browser.read() == {}


def test_a_conflict_names_the_state_that_a_repeated_update_would_meet(world, browser):
    outcomes = []

    def answer(verb, outcome, again):
        if verb == "update":
            outcomes.append(again())
            return outcomes[-1]
        return outcome

    world.probe.answer = answer
    browser.visit(put("a", 2))
    assert isinstance(outcomes[0], Conflict)
    assert browser.read()["a"] == 2
