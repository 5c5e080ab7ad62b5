"""Owners: the list of a user's sessions, ending one of them or all, and how many there may be."""

from datetime import timedelta

import pytest

from cookiesess import Lifetime, SessionConflict
from kit.browser import Browser
from kit.constants import ABSOLUTE, IDLE, REFRESH
from kit.views import every, invalidate, login, put, renew

ann = login("ann")


def handles(world, owner="ann"):
    return [info.handle for info in world.manager.sessions_of(owner)]


def owners(world, *browsers):
    return [world.manager.open(browser.header).owner for browser in browsers]


# Listing


def test_a_login_is_listed_under_its_owner_alone(world):
    world.browser(ann)
    world.browser(put("a", 1))
    assert (len(handles(world)), handles(world, "bob"), handles(world, "")) == (1, [], [])


def test_a_label_that_was_saved_and_taken_back_is_listed_as_it_is_now(world):
    named, renamed = (lambda s, label=label: setattr(s, "label", label) for label in ("phone", "tablet"))
    browser = world.browser(every(ann, named))
    browser.visit(every(renamed, lambda s: s.save(), named))
    assert [info.label for info in world.manager.sessions_of("ann")] == ["phone"]


def test_a_session_is_listed_with_its_times_and_label(world):
    browser = world.browser(put("a", 1))
    world.clock.advance(5)
    browser.visit(every(ann, lambda s: setattr(s, "label", "phone 📱")))
    (info,) = world.manager.sessions_of("ann")
    assert (info.created_at, info.authenticated_at, info.last_seen_at) == (world.now - 5, world.now, world.now)
    assert info.label == "phone 📱"


def test_without_a_label_none_is_listed(world):
    browser = world.browser(every(ann, lambda s: setattr(s, "label", "phone")))
    browser.visit(lambda s: setattr(s, "label", None))
    assert world.manager.sessions_of("ann")[0].label is None


def test_a_touch_moves_last_seen(world):
    browser = world.browser(ann)
    world.clock.advance(REFRESH)
    browser.visit()
    assert world.manager.sessions_of("ann")[0].last_seen_at == world.now


def test_last_seen_is_right_for_a_session_with_an_idle_timeout_of_its_own(world):
    browser = world.browser(every(ann, lambda s: setattr(s, "idle", timedelta(minutes=10))))
    world.clock.advance(100)
    browser.visit()
    assert world.manager.sessions_of("ann")[0].last_seen_at == world.now


def test_the_session_seen_last_comes_first(world):
    first = world.browser(ann)
    world.clock.advance(10)
    second = world.browser(ann)
    order = [world.manager.handle_of(first.open().session), world.manager.handle_of(second.open().session)]
    assert handles(world) == order[::-1]
    world.clock.advance(REFRESH)
    first.visit()
    assert handles(world) == order


def test_a_handle_is_neither_the_id_nor_the_token(world):
    browser = world.browser(ann)
    (handle,) = handles(world)
    assert handle not in browser.header
    impostor = world.browser(header=browser.header.partition("=")[0] + "=" + handle)
    assert world.manager.open(impostor.header).owner is None


def test_a_handle_stays_while_the_session_does_and_changes_when_it_is_renewed(world):
    browser = world.browser(ann)
    before = handles(world)
    browser.visit(put("a", 1))
    assert handles(world) == before
    browser.visit(renew)
    assert len(handles(world)) == 1
    assert handles(world) != before


@pytest.mark.parametrize("view", [ann, renew, put("a", 1)])
def test_a_session_is_listed_once_whatever_happens_to_it(world, view):
    browser = world.browser(ann)
    browser.visit(view)
    assert len(handles(world)) == 1


def test_a_session_that_changed_its_owner_is_listed_under_the_new_one(world):
    browser = world.browser(ann)
    browser.visit(login("bob"))
    assert (handles(world), len(handles(world, "bob"))) == ([], 1)


def test_a_session_that_ended_is_not_listed(world):
    world.browser(ann).visit(invalidate)
    assert handles(world) == []


def test_a_session_that_timed_out_is_not_listed(world):
    world.browser(ann)
    world.clock.advance(IDLE)
    assert handles(world) == []


def test_a_session_past_its_absolute_deadline_is_not_listed(world):
    browser = world.browser(ann)
    for _ in range(2):
        world.clock.advance(IDLE - 1)
        browser.visit()
    world.clock.advance(ABSOLUTE - 2 * (IDLE - 1))
    assert handles(world) == []


def test_a_session_without_an_absolute_deadline_is_listed(world):
    world.use(lifetime=Lifetime(absolute=None))
    world.browser(ann)
    assert len(handles(world)) == 1


def test_the_handle_of_a_session_is_the_one_that_it_is_listed_under(world):
    browser = world.browser(ann)
    assert handles(world) == [world.manager.handle_of(browser.open().session)]


def test_the_handle_of_a_session_that_nobody_touched_yet_is_the_same(world):
    browser = world.browser(ann)
    assert [world.manager.handle_of(world.manager.open(browser.header))] == handles(world)


def test_a_session_that_is_not_stored_has_no_handle(world):
    assert world.manager.handle_of(world.browser().open(put("a", 1)).session) is None


def test_listing_costs_one_round_trip(world):
    world.browser(ann)
    world.browser(ann)
    handles(world)
    assert world.probe.taken() == ["records_of"]


# Ending one


def test_ending_a_session_by_its_handle_ends_that_one(world):
    first, second = world.browser(ann), world.browser(ann)
    assert world.manager.end("ann", world.manager.handle_of(first.open().session))
    assert owners(world, first, second) == [None, "ann"]


def test_ending_it_again_is_false(world):
    world.browser(ann)
    (handle,) = handles(world)
    assert [world.manager.end("ann", handle), world.manager.end("ann", handle)] == [True, False]


def test_the_handle_of_somebody_elses_session_ends_nothing(world):
    browser = world.browser(ann)
    assert not world.manager.end("bob", handles(world)[0])
    assert owners(world, browser) == ["ann"]


@pytest.mark.parametrize("handle", ["", "A", "A" * 43, "not base64url!", "é", "A" * 100_000, "\x00", "\ud800"])
def test_garbage_is_no_handle_and_ends_nothing(world, handle):
    browser = world.browser(ann)
    assert not world.manager.end("ann", handle)
    assert owners(world, browser) == ["ann"]


def test_a_session_that_is_written_at_that_moment_is_ended(world):
    browser = world.browser(ann)
    (handle,) = handles(world)
    world.probe.once_before("delete", lambda: browser.visit(put("a", 1)))
    assert world.manager.end("ann", handle)
    assert owners(world, browser) == [None]


@pytest.mark.parametrize("view", [renew, login("ann")])
def test_ending_says_true_only_if_the_session_that_is_renewed_at_that_moment_has_ended(world, view):
    browser = world.browser(ann)
    (handle,) = handles(world)
    world.probe.once_before("delete", lambda: browser.visit(view))
    ended = world.manager.end("ann", handle)
    assert owners(world, browser) == ([None] if ended else ["ann"])


def test_ending_a_session_that_logs_in_at_that_moment_leaves_the_old_id_closed(world):
    browser = world.browser(ann)
    late = Browser(world, browser.header)
    (handle,) = handles(world)
    world.probe.once_before("delete", lambda: browser.visit(ann))
    world.manager.end("ann", handle)
    assert late.visit(put("b", 2)) == []


def test_a_session_that_changes_each_time_it_is_to_end_is_an_error_in_the_end(world):
    browser = world.browser(ann)
    for number in range(100):
        world.probe.once_before("delete", lambda number=number: browser.visit(put("n", number)))
    with pytest.raises(SessionConflict):
        world.manager.end("ann", handles(world)[0])


# Ending all


def test_ending_all_ends_those_of_this_owner(world):
    browsers = [world.browser(ann), world.browser(ann), world.browser(login("bob"))]
    assert world.manager.end_all("ann") == 2
    assert owners(world, *browsers) == [None, None, "bob"]


def test_ending_all_of_nobody_ends_nothing(world):
    assert world.manager.end_all("nobody") == 0


def test_ending_all_but_this_one_keeps_it(world):
    browsers = [world.browser(ann), world.browser(ann)]
    assert world.manager.end_all("ann", keep=browsers[1].open().session) == 1
    assert owners(world, *browsers) == [None, "ann"]


def test_a_session_that_is_kept_need_not_have_been_touched(world):
    browsers = [world.browser(ann), world.browser(ann)]
    assert world.manager.end_all("ann", keep=world.manager.open(browsers[1].header)) == 1
    assert owners(world, *browsers) == [None, "ann"]


def test_a_session_that_logs_in_again_in_the_same_request_is_kept(world):
    browsers = [world.browser(ann), world.browser(ann)]
    request = browsers[1].open(ann)
    world.manager.end_all("ann", keep=request.session)
    request.finish()
    assert owners(world, *browsers) == [None, "ann"]


def test_ending_all_ends_an_anonymous_session_never(world):
    browser = world.browser(put("a", 1))
    world.manager.end_all("ann")
    assert browser.read() == {"a": 1}


@pytest.mark.parametrize("view", [renew, login("ann"), put("b", 2)])
@pytest.mark.parametrize(("when", "verb"), [("after", "records_of"), ("before", "records_of"), ("before", "delete")])
def test_no_session_slips_through_that_changes_while_all_are_ended(world, view, when, verb):
    browser = world.browser(ann)
    getattr(world.probe, f"once_{when}")(verb, lambda: browser.visit(view))
    world.manager.end_all("ann")
    assert owners(world, browser) == [None]
    assert handles(world) == []


HALFWAY = pytest.mark.parametrize(("when", "verb"), [("before", "create"), ("after", "create"), ("before", "update")])


@HALFWAY
def test_no_session_slips_through_whose_renewal_is_halfway_when_all_are_ended(world, when, verb):
    browser = world.browser(ann)
    getattr(world.probe, f"once_{when}")(verb, lambda: world.manager.end_all("ann"))
    assert browser.visit(renew) == []
    assert handles(world) == []
    assert owners(world, browser) == [None]


@HALFWAY
def test_a_login_that_is_halfway_when_all_are_ended_is_the_one_session_that_there_is(world, when, verb):
    browser, other = world.browser(ann), world.browser(ann)
    old = browser.copy()
    getattr(world.probe, f"once_{when}")(verb, lambda: world.manager.end_all("ann"))
    assert len(browser.visit(ann)) == 1
    assert len(handles(world)) == 1
    assert owners(world, browser, old, other) == ["ann", None, None]


def test_an_owner_who_gets_new_sessions_all_the_time_is_an_error_in_the_end(world):
    world.browser(ann)
    for _ in range(100):
        world.probe.once_after("records_of", lambda: world.browser(ann))
    with pytest.raises(SessionConflict, match="16 rounds"):
        world.manager.end_all("ann")
