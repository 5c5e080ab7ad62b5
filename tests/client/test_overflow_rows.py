"""What holds of a session with two cookies, row by row of `cookiesess.backends.overflow`, and what does not."""

import pytest

from cookiesess.backends.overflow import session_id_of
from cookiesess.events import ConflictMerged, WriteDropped
from kit.browser import Browser
from kit.constants import BIG, NAME, OTHER_KEY, REF
from kit.lines import expired, issued
from kit.threads import in_threads
from kit.views import drop, every, invalidate, login, put, renew
from kit.world import rotated

THREADS = 8


def started(world):
    """A browser with a session in the cookie, as both requests of a pair find it."""
    return world.with_overflow().browser(put("a", 1))


# 1. Two requests that move one session meet in one record


@pytest.mark.parametrize("deleted", [False, True])
def test_what_a_session_became_after_the_answer_of_a_move_was_lost_is_kept(world, deleted):
    browser = started(world)
    browser.copy().visit(put("big", BIG))  # the browser never gets this answer, and goes on inline
    browser.visit(put("b", 2))
    if deleted:
        browser.visit(drop("a"))
    browser.visit(put("big2", BIG))
    kept = {"b": 2, "big2": BIG} if deleted else {"a": 1, "b": 2, "big2": BIG}
    assert browser.read() == kept


def test_a_move_that_is_tried_again_after_a_lost_answer_is_the_same_move(world):
    browser = started(world)
    lost = browser.copy()
    lost.visit(put("big", BIG))
    browser.visit(put("other", BIG))
    assert browser.read() == lost.read() == {"a": 1, "big": BIG, "other": BIG}


@pytest.mark.parametrize("order", ["12", "21"])
def test_two_parallel_moves_merge_whichever_answers_first(world, order):
    browser = started(world)
    requests = {each: browser.open(every(put(f"big{each}", BIG), put(f"n{each}", each))) for each in "12"}
    for each in order:
        requests[each].finish()
    assert browser.read() == {"a": 1, "big1": BIG, "n1": "1", "big2": BIG, "n2": "2"}
    assert list(browser.cookies) == [REF]


def test_a_parallel_move_in_the_middle_of_a_move_merges(world):
    browser = started(world)
    other = browser.open(put("theirs", BIG))
    world.overflow.once_before("create", other.finish)
    browser.visit(put("mine", BIG))
    assert browser.read() == {"a": 1, "theirs": BIG, "mine": BIG}


def test_a_move_that_merges_is_merged_again_where_a_third_request_is_faster(world):
    browser = started(world)
    second, third = browser.open(put("second", BIG)), browser.open(put("third", BIG))
    browser.visit(put("first", BIG))
    world.overflow.once_before("update", third.finish)
    second.finish()
    assert sorted(browser.read()) == ["a", "first", "second", "third"]


def test_of_two_moves_that_write_one_key_the_last_wins_and_an_event_says_so(world):
    browser = started(world)
    first, second = browser.open(put("big", BIG)), browser.open(put("big", f"{BIG}{BIG}"))
    first.finish()
    second.finish()
    assert browser.read() == {"a": 1, "big": f"{BIG}{BIG}"}
    assert ConflictMerged(tries=1, overwritten=1) in world.events


def test_a_key_that_one_move_deletes_and_the_other_leaves_alone_is_deleted(world):
    browser = started(world)
    first, second = browser.open(every(drop("a"), put("first", BIG))), browser.open(put("second", BIG))
    first.finish()
    second.finish()
    assert browser.read() == {"first": BIG, "second": BIG}


def test_parallel_moves_apply_every_mutation(world):
    browser = started(world)
    request = browser.open(put("first", BIG))
    other = browser.open(put("second", BIG))
    for each in (request, other):
        each.session.mutate(lambda data: data.update(a=data["a"] + 1))
        each.finish()
    assert browser.read()["a"] == 3


def test_eight_threads_move_one_session_into_one_record(world):
    browser = started(world)
    requests = [browser.open(put(f"big{number}", BIG)) for number in range(THREADS)]
    in_threads(*(request.finish for request in requests))
    assert sorted(browser.read()) == ["a", *(f"big{number}" for number in range(THREADS))]


def test_a_parallel_move_meets_a_session_that_was_moved_and_renewed(world):
    browser = started(world)
    slow = browser.open(put("slow", BIG))
    browser.visit(put("big", BIG))
    browser.visit(renew)
    reference = browser.cookies[REF]
    assert slow.finish() == []
    assert browser.cookies[REF] == reference
    assert sorted(browser.read()) == ["a", "big", "slow"]


@pytest.mark.parametrize(("verb", "reason"), [(login("ann"), "replaced")], ids=["login"])
def test_a_parallel_move_meets_a_session_that_was_moved_and_logged_in(world, verb, reason):
    browser = started(world)
    slow = browser.open(put("slow", BIG))
    browser.visit(put("big", BIG))
    browser.visit(verb)
    world.forget()
    assert slow.finish() == []
    assert [event.reason for event in world.events] == [reason]
    assert (browser.owner(), sorted(browser.read())) == ("ann", ["a", "big"])


def test_a_record_that_ends_while_a_parallel_move_merges_into_it_stays_ended(world):
    browser = started(world)
    slow = browser.open(put("slow", BIG))
    browser.visit(put("big", BIG))
    other = browser.copy()
    world.overflow.once_before("update", lambda: other.visit(invalidate))
    world.forget()
    assert slow.finish() == []
    assert WriteDropped("ended") in world.events
    assert browser.read() == {}


def test_the_id_of_a_record_is_not_the_sessions_own():
    assert session_id_of(bytes(16)) != session_id_of(bytes(15) + b"\1")
    assert len(session_id_of(bytes(16))) == 32
    assert bytes(16) not in session_id_of(bytes(16))


# 2. A late inline answer does not overwrite the reference


def test_a_late_inline_answer_leaves_the_moved_session_in_place_and_is_told_of(world):
    browser = started(world)
    slow = browser.open(put("slow", 1))
    browser.visit(put("big", BIG))
    assert issued(slow.finish()) == [NAME]
    world.forget()
    assert sorted(browser.cookies) == [NAME, REF]
    assert browser.read() == {"a": 1, "big": BIG}
    assert world.taken_names() == ["session.superseded"]


def test_a_late_inline_answer_is_forgotten_with_the_next_cookie(world):
    browser = started(world)
    slow = browser.open(put("slow", 1))
    browser.visit(put("big", BIG))
    slow.finish()
    assert expired(browser.visit(renew)) == [NAME]
    assert list(browser.cookies) == [REF]


def test_a_late_inline_answer_after_a_login_that_came_back_overwrites_it_as_any_client_side_one_does(world):
    browser = started(world)
    slow = browser.open(put("slow", 1))
    browser.visit(put("big", BIG))
    browser.visit(put("big", ""))
    browser.visit(login("ann"))
    slow.finish()
    assert browser.owner() is None


# 3. An inline cookie of a session whose record is gone is not taken instead


def test_an_inline_cookie_of_the_same_session_is_not_taken_where_the_record_is_gone(world):
    browser = started(world)
    slow = browser.open(put("slow", 1))
    browser.visit(put("big", BIG))
    slow.finish()
    thief = browser.copy()
    browser.visit(invalidate)
    assert thief.read() == {}


def test_an_inline_cookie_of_another_session_is_taken_where_the_record_is_gone(world):
    browser = started(world)
    browser.visit(put("big", BIG))
    other = world.browser(put("other", 1))
    mixed = Browser(world, other.cookies | browser.cookies)
    assert mixed.read() == {"a": 1, "big": BIG}
    browser.visit(invalidate)
    assert mixed.read() == {"other": 1}


def test_a_stale_reference_is_forgotten_when_the_other_session_is_written(world):
    browser = started(world)
    browser.visit(put("big", BIG))
    mixed = Browser(world, world.browser(put("other", 1)).cookies | browser.cookies)
    browser.visit(invalidate)
    assert expired(mixed.visit(put("more", 1))) == [REF]
    assert mixed.read() == {"other": 1, "more": 1}


def test_a_session_that_begins_where_the_record_is_gone_replaces_both_cookies(world):
    browser = started(world)
    slow = browser.open(put("slow", 1))
    browser.visit(put("big", BIG))
    slow.finish()
    thief = browser.copy()
    browser.visit(invalidate)
    lines = thief.visit(put("new", 1))
    assert (issued(lines), expired(lines)) == ([NAME], [REF])
    assert thief.read() == {"new": 1}


def test_a_session_that_logged_in_is_taken_beside_the_reference_that_a_slow_answer_brought_back(world):
    browser = started(world)
    browser.visit(put("big", BIG))
    browser.visit(put("big", ""))
    old = browser.copy()
    browser.visit(login("ann"))
    mixed = Browser(world, browser.cookies | old.cookies)
    assert (mixed.owner(), mixed.read()) == ("ann", {"a": 1, "big": ""})


@pytest.mark.parametrize("garbage", ["x", "", "AQIDBAUGBwgJ", '"', "3~x"])
def test_beside_a_reference_that_is_garbage_the_inline_cookie_is_taken(world, garbage):
    browser = started(world)
    browser.cookies[REF] = garbage
    assert browser.read() == {"a": 1}
    assert world.taken_names() == ["session.rejected"]


@pytest.mark.parametrize("view", [put("b", 2), login("ann"), renew, drop("a")])
def test_a_reference_that_does_not_open_stays_since_another_server_may_know_its_key(world, view):
    browser = started(world)
    browser.cookies[REF] = "garbage"
    browser.visit(view)
    assert browser.cookies[REF] == "garbage"


def test_a_reference_under_the_next_key_outlives_a_server_without_it_and_counts_again(world):
    browser = started(world)
    slow = browser.open(put("slow", 1))
    browser.visit(put("big", BIG), manager=world.make_manager(rotated()))
    slow.finish()
    browser.visit(put("b", 2))  # this server has the older cookie alone
    world.use(rotated())
    assert browser.read() == {"a": 1, "big": BIG}


def test_a_lone_reference_that_is_garbage_is_left_alone(world):
    browser = Browser(world.with_overflow(), {REF: "garbage"})
    assert browser.visit() == []


def test_two_cookies_that_are_garbage_are_both_left_alone(world):
    browser = Browser(world.with_overflow(), {NAME: "garbage", REF: "garbage"})
    assert browser.visit() == []


def test_a_logout_forgets_cookies_that_are_garbage(world):
    browser = Browser(world.with_overflow(), {NAME: "garbage", REF: "garbage"})
    assert expired(browser.visit(invalidate)) == [NAME, REF]


@pytest.mark.parametrize("name", [NAME, REF])
def test_the_token_of_one_cookie_does_not_open_under_the_name_of_the_other(world, name):
    inline, moved = started(world), world.browser(put("big", BIG))
    (token,) = (inline if name == REF else moved).cookies.values()
    assert Browser(world, {name: token}).read() == {}


def test_a_reference_under_a_key_that_is_not_known_opens_nothing(world):
    browser = world.with_overflow().browser(put("big", BIG))
    world.use(OTHER_KEY)
    assert browser.read() == {}


# 4. Without the reference, an older inline cookie is as good as that of every client-side session


def test_a_copy_of_the_inline_cookie_from_before_the_move_can_be_replayed(world):
    browser = started(world)
    copy = browser.copy()
    browser.visit(put("big", BIG))
    assert copy.read() == {"a": 1}


def test_a_replayed_inline_cookie_that_grows_meets_the_record_and_does_not_replace_it(world):
    browser = started(world)
    copy = browser.copy()
    browser.visit(put("big", BIG))
    copy.visit(put("theirs", BIG))
    assert browser.read() == {"a": 1, "big": BIG, "theirs": BIG}


def test_a_copy_of_the_inline_cookie_from_before_the_move_can_be_replayed_after_the_logout(world):
    browser = started(world)
    copy = browser.copy()
    browser.visit(put("big", BIG))
    browser.visit(invalidate)
    assert copy.read() == {"a": 1}


@pytest.mark.parametrize("end", [invalidate, login("ann"), renew])
def test_with_revocations_it_cannot_be_replayed_after_the_session_has_ended(world, end):
    browser = world.with_both().browser(put("a", 1))
    copy = browser.copy()
    browser.visit(put("big", BIG))
    assert copy.read() == {"a": 1}
    browser.visit(end)
    assert copy.read() == {}
