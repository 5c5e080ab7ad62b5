"""How long whoever lost a race waits."""

import pytest

from cookiesess.stores.pauses import Pauses

MOST, LEAST = b"\xff\xff", b"\0\0"


def waited(lost, drawn=MOST):
    """What `Pauses` waits after so many lost races, and what it returns."""
    seconds = []
    return Pauses(sleep=seconds.append, random_bytes=lambda size: drawn[:size]).after(lost), seconds


@pytest.mark.parametrize("lost", [0, 1])
def test_the_first_lost_races_are_tried_again_at_once(lost):
    assert waited(lost) == (False, [])


def test_the_wait_is_drawn_and_may_be_none():
    assert waited(2, LEAST) == (True, [0.0])


def test_the_longest_wait_doubles_with_each_lost_race_up_to_a_limit():
    longest = [waited(lost)[1][0] for lost in range(2, 9)]
    assert longest == pytest.approx([0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.064], rel=1e-4)
    assert waited(10_000)[1] == waited(8)[1]


def test_the_waits_of_a_writer_that_always_loses_add_up_to_a_bounded_time():
    assert sum(waited(lost)[1][0] for lost in range(2, 64)) < 4
