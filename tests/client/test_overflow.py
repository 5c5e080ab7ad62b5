"""Sessions that outgrow their cookie move to the store, and the app sees nothing of it."""

import pytest

from cookiesess import CookiePolicy
from cookiesess.http.places import CookieIdentity
from kit.constants import BIG, LIMIT_BYTES, NAME, REF, REFRESH
from kit.lines import expired, issued, places, sizes
from kit.views import append, clear, drop, every, invalidate, login, put, renew

# Where a session travels


def test_a_session_that_fits_stays_in_the_cookie(world):
    browser = world.with_overflow().browser()
    assert issued(browser.visit(put("a", 1))) == [NAME]
    assert browser.read() == {"a": 1}
    assert world.overflow.taken() == []


def test_a_session_that_outgrows_the_cookie_moves_to_the_store(world):
    browser = world.with_overflow().browser(put("a", 1))
    lines = browser.visit(put("big", BIG))
    assert (issued(lines), expired(lines)) == ([REF], [NAME])
    assert browser.read() == {"a": 1, "big": BIG}
    assert world.taken_names() == ["session.overflowed"]


@pytest.mark.parametrize("letters", range(100, 104))
def test_a_line_of_just_max_bytes_stays_and_one_byte_more_moves(memory, letters):
    memory.with_overflow(cookie=CookiePolicy())
    (line,) = memory.browser().visit(put("x", "x" * letters))
    (size,) = sizes([line])
    for max_bytes, name in ((size, NAME), (size - 1, REF)):
        memory.use(cookie=CookiePolicy(max_bytes=max_bytes))
        assert issued(memory.browser().visit(put("x", "x" * letters))) == [name]


@pytest.mark.parametrize("letters", range(100, 104))
def test_the_max_age_of_a_persistent_cookie_counts_as_well(memory, letters):
    memory.with_overflow(cookie=CookiePolicy(persistent=True))
    (line,) = memory.browser().visit(put("x", "x" * letters))
    (size,) = sizes([line])
    for max_bytes, name in ((size, NAME), (size - 1, REF)):
        memory.use(cookie=CookiePolicy(max_bytes=max_bytes, persistent=True))
        assert issued(memory.browser().visit(put("x", "x" * letters))) == [name]


def test_the_largest_that_moves_by_default_is_what_browsers_would_drop(memory):
    memory.with_overflow(cookie=CookiePolicy())
    largest = 0
    for letters in range(2900, 3000):
        (line,) = memory.browser().visit(put("x", "x" * letters))
        if line.name == NAME:
            largest = max(largest, *sizes([line]))
    assert LIMIT_BYTES - 2 <= largest <= LIMIT_BYTES


def test_a_new_session_that_does_not_fit_goes_to_the_store_at_once(world):
    browser = world.with_overflow().browser()
    lines = browser.visit(put("big", BIG))
    assert (issued(lines), expired(lines)) == ([REF], [])
    assert world.taken_names() == ["session.overflowed", "session.created"]
    assert browser.read() == {"big": BIG}


def test_a_session_that_has_moved_stays_in_the_store_when_it_shrinks(world):
    browser = world.with_overflow().browser(put("big", BIG))
    assert browser.visit(put("big", "")) == []
    assert browser.read() == {"big": ""}
    assert world.overflow.taken() == ["load", "update", "load"]


def test_a_session_that_has_moved_costs_one_read_and_one_write(world):
    browser = world.with_overflow().browser(put("big", BIG))
    browser.visit(put("n", 1))
    assert world.overflow.taken() == ["load", "update"]


def test_a_move_costs_one_write(world):
    browser = world.with_overflow().browser(put("a", 1))
    browser.visit(put("big", BIG))
    assert world.overflow.taken() == ["create"]


def test_an_app_that_never_overflows_never_calls_the_store(world):
    browser = world.with_overflow().browser()
    for view in (put("a", []), append("a", 1), login("ann"), renew, drop("a"), invalidate, put("b", 2), clear):
        browser.visit(view)
    world.clock.advance(REFRESH)
    browser.visit()
    assert world.overflow.taken() == []


def test_the_reference_holds_nothing_of_the_session(memory):
    memory.with_overflow(encrypt=False)
    browser = memory.browser(put("secret", BIG))
    assert len(browser.cookies[REF]) < 140


def test_the_id_in_the_store_is_the_same_for_the_same_session_and_for_no_other(memory):
    memory.with_overflow()
    browser = memory.browser(put("a", 1))
    for each in (browser, memory.browser(put("a", 1))):
        each.visit(put("big", BIG))
    keys = [key for key, _ in memory.overflow.inner._all()]
    assert len(set(keys)) == 2


# Login


def test_a_login_that_fits_brings_the_session_back_into_the_cookie(world):
    browser = world.with_overflow().browser(put("big", BIG), put("big", ""))
    lines = browser.visit(login("ann"))
    assert (issued(lines), expired(lines)) == ([NAME], [REF])
    assert (browser.read(), browser.owner()) == ({"big": ""}, "ann")
    assert world.taken_names() == ["session.renewed"]
    world.overflow.taken()
    browser.visit(put("n", 1))
    assert world.overflow.taken() == []


def test_what_came_back_carries_nothing_that_only_records_need(memory):
    memory.with_overflow()
    moved = memory.browser(put("big", BIG), put("big", ""), login("ann"))
    never = memory.browser(put("big", ""), login("ann"))
    assert len(moved.cookies[NAME]) == len(never.cookies[NAME])


def test_a_login_comes_back_wherever_a_session_that_never_moved_would_fit(memory):
    memory.with_overflow()
    came_back = []
    for letters in range(150, 300, 5):
        moved = memory.browser(put("x", BIG), put("x", "x" * letters), login("ann"))
        never = memory.browser(every(put("x", "x" * letters), login("ann")))
        assert list(moved.cookies) == list(never.cookies)
        came_back.append(NAME in moved.cookies)
    assert set(came_back) == {True, False}


def test_a_login_that_does_not_fit_stays_in_the_store(world):
    browser = world.with_overflow().browser(put("big", BIG))
    before = dict(browser.cookies)
    assert issued(browser.visit(login("ann"))) == [REF]
    assert browser.cookies[REF] != before[REF]
    assert (browser.read(), browser.owner()) == ({"big": BIG}, "ann")


def test_the_old_reference_does_not_share_a_login_that_came_back(world):
    browser = world.with_overflow().browser(put("big", BIG), put("big", ""))
    thief = browser.copy()
    browser.visit(login("ann"))
    assert (thief.read(), thief.owner()) == ({}, None)
    assert thief.visit(put("a", 1)) == []


@pytest.mark.parametrize("left", [BIG, ""], ids=["which stays", "which comes back"])
def test_a_slow_request_cannot_undo_a_login(world, left):
    browser = world.with_overflow().browser(put("big", BIG), put("big", left))
    slow = browser.open(put("a", 1))
    browser.visit(login("ann"))
    assert slow.finish() == []
    assert (browser.read(), browser.owner()) == ({"big": left}, "ann")


def test_a_login_takes_along_what_another_request_wrote_meanwhile(world):
    browser = world.with_overflow().browser(put("big", BIG), put("big", ""))
    request = browser.open(login("ann"))
    browser.visit(put("b", 2))
    assert issued(request.finish()) == [NAME]
    assert (browser.read(), browser.owner()) == ({"big": "", "b": 2}, "ann")


def test_a_login_that_would_have_come_back_stays_where_another_request_made_it_grow(world):
    browser = world.with_overflow().browser(put("big", BIG), put("big", ""))
    request = browser.open(login("ann"))
    browser.visit(put("more", BIG))
    assert issued(request.finish()) == [REF]
    assert (browser.read(), browser.owner()) == ({"big": "", "more": BIG}, "ann")


@pytest.mark.parametrize("mine", [BIG, ""], ids=["which stays", "which comes back"])
def test_a_login_in_a_session_that_was_logged_out_meanwhile_succeeds_without_the_old_data(world, mine):
    browser = world.with_overflow().browser(put("big", BIG), put("old", 1), put("big", ""))
    request = browser.open(every(login("ann"), put("mine", mine)))
    browser.visit(invalidate)
    world.forget()
    assert issued(request.finish()) == [NAME if mine == "" else REF]
    assert world.taken_names() == ["session.renewed"]
    assert (browser.owner(), browser.read()) == ("ann", {"mine": mine})


def test_a_login_in_the_cookie_that_outgrows_it_moves(world):
    browser = world.with_overflow().browser(put("a", 1))
    lines = browser.visit(every(login("ann"), put("big", BIG)))
    assert (issued(lines), expired(lines)) == ([REF], [NAME])
    assert (browser.read(), browser.owner()) == ({"a": 1, "big": BIG}, "ann")


# Renewal


def test_a_renewal_of_a_session_that_has_moved_stays_in_the_store_under_a_new_id(world):
    browser = world.with_overflow().browser(put("big", BIG), put("big", ""))
    old = browser.copy()
    assert issued(browser.visit(renew)) == [REF]
    assert browser.cookies != old.cookies
    assert browser.read() == {"big": ""}


def test_a_request_with_the_old_reference_reaches_a_renewed_session_while_the_grace_lasts(world):
    browser = world.with_overflow().browser(put("big", BIG))
    slow = browser.open(put("a", 1))
    browser.visit(renew)
    assert slow.finish() == []
    assert browser.read() == {"big": BIG, "a": 1}


def test_a_renewal_in_the_cookie_stays_there(world):
    browser = world.with_overflow().browser(put("a", 1))
    assert issued(browser.visit(renew)) == [NAME]
    assert world.overflow.taken() == []


def test_a_renewal_that_outgrows_the_cookie_moves(world):
    browser = world.with_overflow().browser(put("a", 1))
    assert issued(browser.visit(every(renew, put("big", BIG)))) == [REF]
    assert browser.read() == {"a": 1, "big": BIG}


# The end


def test_a_logout_ends_the_record_and_both_cookies(world):
    browser = world.with_overflow().browser(put("big", BIG))
    copy = browser.copy()
    assert expired(browser.visit(invalidate)) == [REF]
    assert browser.cookies == {}
    assert copy.read() == {}
    assert world.taken_names() == ["session.ended", "session.expired"]


def test_a_session_that_was_emptied_ends_the_same_way(world):
    browser = world.with_overflow().browser(put("big", BIG))
    copy = browser.copy()
    assert expired(browser.visit(drop("big"))) == [REF]
    assert copy.read() == {}


def test_a_logout_expires_a_late_inline_cookie_too(world):
    browser = world.with_overflow().browser(put("a", 1))
    slow = browser.open(put("b", 2))
    browser.visit(put("big", BIG))
    slow.finish()
    assert sorted(expired(browser.visit(invalidate))) == [NAME, REF]
    assert browser.cookies == {}


def test_after_a_logout_a_new_session_begins_in_the_cookie(world):
    browser = world.with_overflow().browser(put("big", BIG))
    lines = browser.visit(every(invalidate, put("a", 1)))
    assert (issued(lines), expired(lines)) == ([NAME], [REF])
    assert browser.read() == {"a": 1}


def test_after_a_logout_a_new_session_may_overflow_at_once(world):
    browser = world.with_overflow().browser(put("big", BIG))
    copy = browser.copy()
    *others, line = browser.visit(every(invalidate, put("more", BIG)))
    assert (issued([line]), expired(others)) == ([REF], [REF])
    assert CookieIdentity(REF, "/", None, False) not in places(others)
    assert (browser.read(), copy.read()) == ({"more": BIG}, {})


def test_a_slow_request_does_not_bring_back_a_session_that_was_logged_out(world):
    browser = world.with_overflow().browser(put("big", BIG))
    slow = browser.open(put("a", 1))
    browser.visit(invalidate)
    assert slow.finish() == []
    assert browser.read() == {}
