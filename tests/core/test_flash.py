"""Flash messages: shown once, and merged message by message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cookiesess import Flash
from cookiesess.session.flash import MOST, merge, take
from cookiesess.tokens.values import ValueCodec

STORED = [["one", "message"], ["two", "error"], ["three", "message"]]
MESSAGES = st.lists(st.sampled_from([["a", "x"], ["b", "x"], ["a", "y"], [["a"], "x"]]), max_size=5)


def merged(base, mine, theirs):
    return merge(base, mine, theirs, encode=ValueCodec().pack)


def test_all_messages_are_taken_in_order():
    assert take(STORED, None) == ([Flash("one", "message"), Flash("two", "error"), Flash("three", "message")], [])


def test_those_of_one_category_are_taken_and_the_rest_stays():
    assert take(STORED, "message") == ([Flash("one", "message"), Flash("three", "message")], [["two", "error"]])


@pytest.mark.parametrize("category", ["warning", ""])
def test_a_category_without_messages_takes_none(category):
    assert take(STORED, category) == ([], STORED)


def test_taking_from_none_gives_none():
    assert take([], None) == ([], [])


def test_taking_leaves_the_list_as_it_was():
    stored = [["one", "message"]]
    take(stored, None)
    assert stored == [["one", "message"]]


def test_a_message_has_fields():
    (flash,), _ = take([["hi", "error"]], None)
    assert (flash.message, flash.category) == ("hi", "error")


def test_messages_of_both_requests_are_kept_theirs_first():
    assert merged([["old", "m"]], [["old", "m"], ["mine", "m"]], [["old", "m"], ["theirs", "m"]]) == [
        ["old", "m"],
        ["theirs", "m"],
        ["mine", "m"],
    ]


def test_of_more_than_may_wait_the_newest_are_kept():
    theirs = [[number, "m"] for number in range(MOST)]
    assert merged([], [["mine", "m"]], theirs) == [*theirs[1:], ["mine", "m"]]


def test_a_message_that_was_shown_here_is_not_shown_again():
    assert merged([["old", "m"]], [], [["old", "m"], ["theirs", "m"]]) == [["theirs", "m"]]


def test_a_message_that_was_shown_there_is_not_shown_again():
    assert merged([["old", "m"]], [["old", "m"], ["mine", "m"]], []) == [["mine", "m"]]


def test_one_message_twice_is_two_messages():
    assert merged([["a", "m"], ["a", "m"]], [["a", "m"]], [["a", "m"], ["a", "m"]]) == [["a", "m"]]


@given(MESSAGES, MESSAGES)
def test_without_another_request_the_merge_is_what_is_here(base, mine):
    assert sorted(map(repr, merged(base, mine, base))) == sorted(map(repr, mine))


@given(MESSAGES, MESSAGES)
def test_without_a_change_here_the_merge_is_what_is_there(base, theirs):
    assert merged(base, base, theirs) == theirs
