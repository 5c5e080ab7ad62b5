"""Moved sessions and the timeouts, the settings, late writes, and a store that is down."""

import random
from datetime import timedelta

import pytest

from cookiesess import ConfigurationError, CookiePolicy, SessionCommitted, StoreUnavailable
from cookiesess.events import SessionExpired, SessionNearLimit, SessionOverflowed
from kit.constants import ABSOLUTE, BIG, IDLE, KEY, MAX_BYTES, NAME, OTHER_KEY, REF, REFRESH, SMALL
from kit.lines import expired, issued, sizes
from kit.views import drop, every, login, persist, put
from kit.world import rotated

# Timeouts


@pytest.mark.parametrize("seconds", [IDLE - 1, IDLE])
def test_the_idle_timeout_holds_in_the_store(world, seconds):
    browser = world.with_overflow().browser(put("big", BIG))
    world.clock.advance(seconds)
    assert browser.read() == ({"big": BIG} if seconds < IDLE else {})


def test_the_absolute_timeout_counts_from_the_creation_in_the_cookie(world):
    browser = world.with_overflow().browser(put("a", 1))
    for _ in range(3):
        world.clock.advance(ABSOLUTE // 4)
        browser.visit(put("big", BIG))
    world.clock.advance(ABSOLUTE // 4 - 1)
    assert browser.read()["a"] == 1
    world.clock.advance(1)
    assert browser.read() == {}


def test_reading_refreshes_a_session_that_has_moved(world):
    browser = world.with_overflow().browser(put("big", BIG))
    world.clock.advance(REFRESH)
    assert browser.visit() == []
    assert world.overflow.taken() == ["load", "touch"]
    world.clock.advance(IDLE - 1)
    assert browser.read() == {"big": BIG}


def test_a_session_keeps_its_own_idle_timeout_through_the_move(world):
    def short(session):
        session.idle = timedelta(minutes=5)

    browser = world.with_overflow().browser(every(short, put("a", 1)))
    browser.visit(put("big", BIG))
    world.clock.advance(299)
    assert browser.read()["a"] == 1
    world.clock.advance(1)
    assert browser.read() == {}
    assert world.events[-1] == SessionExpired("unknown")


# Settings


def test_a_persistent_reference_has_the_max_age_of_what_the_session_has_left(world):
    browser = world.with_overflow().browser(put("a", 1))
    lines = browser.visit(every(persist, put("big", BIG)))
    assert [line.attributes.max_age for line in lines] == [0, IDLE]
    world.clock.advance(REFRESH)
    (line,) = browser.visit()
    assert (line.name, line.attributes.max_age) == (REF, IDLE)


def test_it_works_with_signed_cookies(world):
    browser = world.with_overflow(encrypt=False).browser(put("a", 1))
    assert issued(browser.visit(put("big", BIG))) == [REF]
    assert browser.read() == {"a": 1, "big": BIG}


def test_a_session_that_moved_under_another_key_is_read_and_sealed_anew(world):
    browser = world.with_overflow().browser(put("big", BIG))
    before = browser.cookies[REF]
    world.use(rotated())
    assert browser.read() == {"big": BIG}
    world.clock.advance(REFRESH)
    assert issued(browser.visit()) == [REF]
    assert browser.cookies[REF] != before
    world.use(OTHER_KEY)
    assert browser.read() == {"big": BIG}


def test_two_requests_on_servers_in_the_middle_of_a_rotation_move_into_one_record(world):
    browser = world.with_overflow().browser(put("a", 1))
    first = browser.open(every(put("big", BIG), put("b", 2)))
    world.use(rotated())
    second = browser.open(every(put("big", BIG), put("c", 3)))
    first.finish()
    world.use(f"{KEY},{OTHER_KEY}")
    second.finish()
    assert browser.read() == {"a": 1, "b": 2, "big": BIG, "c": 3}


def test_with_chunks_a_session_moves_when_it_outgrows_all_of_them(world):
    browser = world.with_overflow(cookie=CookiePolicy(max_bytes=MAX_BYTES, chunks=2)).browser()
    assert issued(browser.visit(put("x", "x" * 500))) == [NAME, f"{NAME}.1"]
    lines = browser.visit(put("big", BIG))
    assert (issued(lines), sorted(expired(lines))) == ([REF], [NAME, f"{NAME}.1"])
    browser.visit(drop("x"))
    browser.visit(put("big", "x" * 500))
    lines = browser.visit(login("ann"))
    assert (issued(lines), expired(lines)) == ([NAME, f"{NAME}.1"], [REF])
    assert browser.read() == {"big": "x" * 500}


def test_with_compression_it_moves_when_it_does_not_fit_compressed(world):
    browser = world.with_overflow(compress=True).browser()
    assert issued(browser.visit(put("big", BIG))) == [NAME]
    noise = random.Random(1).randbytes(500)
    assert issued(browser.visit(put("noise", noise))) == [REF]
    assert browser.read() == {"big": BIG, "noise": noise}


def test_the_cookie_of_a_policy_with_more_room_is_read_and_moves_when_it_is_next_written(world):
    world.with_overflow(cookie=CookiePolicy())
    browser = world.browser(put("big", BIG))
    world.use(cookie=SMALL)
    assert browser.read() == {"big": BIG}
    assert issued(browser.visit(put("a", 1))) == [REF]
    assert browser.read() == {"big": BIG, "a": 1}


def test_a_limit_that_not_even_the_reference_fits_is_refused(memory):
    with pytest.raises(ConfigurationError, match=r"'session\.ref' takes \d+ bytes .* max_bytes allows 256"):
        memory.with_overflow(cookie=CookiePolicy("session", path=f"/{'p' * 200}", max_bytes=256))


def test_sessions_travel_in_the_least_of_cookies(memory):
    browser = memory.with_overflow(cookie=CookiePolicy(max_bytes=256)).browser(put("a", 1))
    assert list(browser.cookies) == [NAME]
    assert max(sizes(browser.visit(put("big", BIG)))) <= 256
    assert browser.read() == {"a": 1, "big": BIG}


def test_owners_are_not_counted_where_most_sessions_live_in_cookies(memory):
    browser = memory.with_overflow().browser(every(login("ann"), put("big", BIG)))
    assert browser.owner() == "ann"
    with pytest.raises(ConfigurationError):
        memory.manager.sessions_of("ann")


def test_a_session_has_a_handle_once_it_has_moved(memory):
    memory.with_overflow()
    inline, moved = memory.browser(put("a", 1)), memory.browser(put("big", BIG))
    assert memory.manager.handle_of(inline.open().session) is None
    assert len(memory.manager.handle_of(moved.open().session)) == 64


# save(), and after the headers


def test_save_moves_at_once(world):
    browser = world.with_overflow().browser(put("a", 1))
    request = browser.open(put("big", BIG))
    request.session.save()
    assert world.overflow.taken() == ["create"]
    lines = request.finish()
    assert (issued(lines), expired(lines)) == ([REF], [NAME])
    assert world.overflow.taken() == []
    assert browser.read() == {"a": 1, "big": BIG}


def test_save_of_what_fits_writes_nothing(world):
    browser = world.with_overflow().browser(put("a", 1))
    request = browser.open(put("b", 2))
    request.session.save()
    assert world.overflow.taken() == []
    assert issued(request.finish()) == [NAME]


def test_changes_after_save_are_written_as_well(world):
    browser = world.with_overflow().browser(put("a", 1))
    request = browser.open(put("big", BIG))
    request.session.save()
    assert issued(request.finish(put("b", 2))) == [REF]
    assert browser.read() == {"a": 1, "big": BIG, "b": 2}


def test_a_session_that_has_moved_can_be_written_after_the_headers(world):
    browser = world.with_overflow().browser(put("a", 1))
    request = browser.open(put("big", BIG))
    request.send_headers()
    request.session["late"] = 1
    request.close()
    assert browser.read() == {"a": 1, "big": BIG, "late": 1}


def test_a_session_in_the_cookie_cannot_be_written_after_the_headers(world):
    request = world.with_overflow().browser(put("a", 1)).open()
    request.send_headers()
    with pytest.raises(SessionCommitted):
        request.session["big"] = BIG
    assert world.overflow.taken() == []


def test_a_session_in_the_cookie_that_grows_unseen_after_the_headers_is_refused_at_the_close(world):
    request = world.with_overflow().browser(put("a", [])).open()
    request.send_headers()
    request.session["a"].append(BIG)
    with pytest.raises(SessionCommitted):
        request.close()
    assert world.overflow.taken() == []


def test_a_session_that_has_moved_can_be_logged_out_after_the_headers(world):
    browser = world.with_overflow().browser(put("big", BIG))
    request = browser.open()
    request.send_headers()
    request.session.invalidate()
    request.close()
    assert browser.read() == {}


def test_a_session_that_has_moved_cannot_log_in_after_the_headers(world):
    request = world.with_overflow().browser(put("big", BIG)).open()
    request.send_headers()
    with pytest.raises(SessionCommitted):
        request.session.login("ann")


def test_a_session_that_has_moved_can_be_touched_first_after_the_headers(world):
    browser = world.with_overflow().browser(put("big", BIG))
    request = browser.open(lambda session: None)
    request.send_headers()
    request.session["late"] = 1
    request.close()
    assert browser.read() == {"big": BIG, "late": 1}


# While the store is down


def test_a_store_that_is_down_at_the_move_leaves_the_session_whole(world):
    browser = world.with_overflow().browser(put("a", 1))
    before = dict(browser.cookies)
    world.overflow.down = {"create"}
    with pytest.raises(StoreUnavailable):
        browser.visit(put("big", BIG))
    assert (browser.cookies, browser.read()) == (before, {"a": 1})
    assert world.taken_names() == []
    world.overflow.down = set()
    browser.visit(put("big", BIG))
    assert browser.read() == {"a": 1, "big": BIG}


def test_a_view_that_catches_the_failed_move_may_go_on_with_less(memory):
    browser = memory.with_overflow().browser(put("a", 1))
    other = memory.browser(put("a", 1))
    other.visit(put("b", 2))
    memory.overflow.down = {"create"}
    request = browser.open(put("big", BIG))
    with pytest.raises(StoreUnavailable):
        request.session.save()
    request.finish(every(drop("big"), put("b", 2)))
    assert browser.read() == {"a": 1, "b": 2}
    assert len(browser.cookies[NAME]) == len(other.cookies[NAME])


def test_a_store_that_is_down_at_the_load_raises(world):
    browser = world.with_overflow().browser(put("big", BIG))
    world.overflow.down = {"load"}
    with pytest.raises(StoreUnavailable):
        browser.visit()
    assert world.taken_names() == ["store.failed"]


def test_a_store_that_is_down_at_the_load_gives_an_empty_session_where_that_was_asked_for(world):
    browser = world.with_overflow(on_store_error="anonymous").browser(put("big", BIG))
    before = dict(browser.cookies)
    world.overflow.down = {"load"}
    request = browser.open()
    assert (dict(request.session), request.session.available) == ({}, False)
    with pytest.raises(StoreUnavailable):
        request.session["a"] = 1
    assert request.finish() == []
    assert browser.cookies == before
    world.overflow.down = set()
    assert browser.read() == {"big": BIG}


def test_sessions_in_cookies_go_on_while_the_store_is_down(world):
    browser = world.with_overflow().browser(put("a", 1))
    world.overflow.down = set(world.overflow.VERBS)
    browser.visit(put("b", 2))
    assert browser.read() == {"a": 1, "b": 2}


def test_a_store_that_goes_down_while_a_session_comes_back_leaves_it_where_it_was(world):
    browser = world.with_overflow().browser(put("big", BIG), put("big", ""))
    request = browser.open(login("ann"))
    world.overflow.down = {"update"}
    with pytest.raises(StoreUnavailable):
        request.finish()
    world.overflow.down = set()
    assert (browser.read(), browser.owner()) == ({"big": ""}, None)


# Events


def test_a_move_is_said_once(world):
    browser = world.with_overflow().browser(put("a", 1))
    browser.visit(put("big", BIG))
    browser.visit(put("b", 2))
    assert world.events == [SessionOverflowed()]


def test_a_move_says_nothing_of_the_session(world):
    browser = world.with_overflow().browser(put("a", 1))
    browser.visit(every(login("rhubarb"), put("big", f"rhubarb{BIG}")))
    assert "rhubarb" not in str(world.events)
    assert not any(value in str(world.events) for value in browser.cookies.values())


def test_a_reference_is_never_near_the_limit(memory):
    memory.with_overflow(cookie=CookiePolicy(max_bytes=256)).browser().visit(put("big", BIG))
    assert not any(isinstance(event, SessionNearLimit) for event in memory.events)
