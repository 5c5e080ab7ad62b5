"""Client-side sessions that can be ended: a copy of the cookie dies with the session."""

import pytest

from kit.browser import lives
from kit.constants import NAME, REFRESH
from kit.lines import expired, issued
from kit.marks import OWNERS
from kit.views import anonymous, drop, every, invalidate, login, owned, put, renew
from kit.world import signed_in

EMPTY = every(drop("a"), drop("b"))

# What ends a session


@OWNERS
@pytest.mark.parametrize("end", [invalidate, login("ann"), renew], ids=["logout", "login", "renewal"])
def test_a_copy_of_the_cookie_is_dead_afterwards(world, begin, end):
    browser = world.with_revocations().browser(begin)
    copy = browser.copy()
    assert lives(copy)
    browser.visit(end)
    assert not lives(copy)


@OWNERS
def test_a_copy_of_a_session_that_was_logged_out_begins_another_one_as_for_anybody(world, begin):
    browser = world.with_revocations().browser(begin)
    copy = browser.copy()
    browser.visit(invalidate)
    world.forget()
    assert issued(copy.visit(put("x", 1))) == [NAME]
    assert world.taken_names() == ["session.revoked", "session.created"]
    assert copy.read() == {"x": 1}


@OWNERS
def test_a_logout_with_a_copy_of_a_session_that_was_logged_out_forgets_the_cookie(world, begin):
    browser = world.with_revocations().browser(begin)
    copy = browser.copy()
    browser.visit(invalidate)
    assert set(expired(copy.visit(invalidate))) == {NAME}


@OWNERS
def test_every_older_copy_dies_with_the_session(world, begin):
    browser = world.with_revocations().browser(begin)
    copies = []
    for number in range(5):
        copies.append(browser.copy())
        world.clock.advance(REFRESH)
        browser.visit(put("n", number))
    browser.visit(invalidate)
    assert not any(map(lives, copies))


@OWNERS
@pytest.mark.parametrize("verb", [login("ann"), renew], ids=["login", "renewal"])
def test_the_session_itself_goes_on_under_its_new_id(world, begin, verb):
    browser = world.with_revocations().browser(begin)
    for _ in range(3):
        browser.visit(verb)
        assert browser.read() == {"a": 1, "b": 2}


def test_without_revocations_a_copy_goes_on(world):
    browser = world.browser(owned)
    copy = browser.copy()
    browser.visit(invalidate)
    assert lives(copy)


@OWNERS
def test_a_logout_ends_no_other_session(world, begin):
    browser = world.with_revocations().browser(begin)
    other = world.browser(begin)
    browser.visit(invalidate)
    assert lives(other)


def test_a_login_in_another_browser_ends_nothing(world):
    first, second = signed_in(world.with_revocations(), 2)
    assert lives(first)
    assert lives(second)


def test_two_logins_within_one_second_are_two_sessions(world):
    first, second = signed_in(world.with_revocations(), 2)
    first.visit(invalidate)
    assert lives(second)
    assert not lives(first.copy())


def test_a_session_that_is_logged_out_and_in_again_in_one_request_is_another_one(world):
    browser = world.with_revocations().browser(owned)
    copy = browser.copy()
    assert issued(browser.visit(every(invalidate, login("ann")))) == [NAME]
    assert (browser.owner(), copy.owner()) == ("ann", None)


def test_ending_a_session_twice_is_fine_and_said_once(world):
    browser = world.with_revocations().browser(owned)
    copy = browser.copy()
    slow = copy.open()
    browser.visit(invalidate)
    slow.finish(invalidate)
    assert world.taken_names() == ["session.ended"]
    assert not lives(copy)


def test_a_logout_ends_the_copies_even_if_the_app_raises_afterwards(world):
    browser = world.with_revocations().browser(owned)
    request = browser.open(invalidate)
    request.manager.abandon(request.session)
    assert not lives(browser)


def test_an_event_tells_logouts_from_ended_generations(world):
    browser, other = signed_in(world.with_revocations(), 2)
    copy = browser.copy()
    browser.visit(invalidate)
    world.forget()
    copy.read()
    world.manager.end_all("ann")
    other.read()
    assert [event.reason for event in world.events] == ["ended", "generation"]


# Guests who leave nothing leave nothing


def test_an_anonymous_session_that_became_empty_leaves_no_revocation(world):
    browser = world.with_revocations().browser(anonymous)
    assert set(expired(browser.visit(EMPTY))) == {NAME}
    assert "create" not in world.revocations.taken()


def test_a_flash_that_was_shown_to_a_stranger_leaves_no_revocation(world):
    browser = world.with_revocations().browser(lambda session: session.flash("wrong password"))
    assert set(expired(browser.visit(lambda session: session.pop_flashes()))) == {NAME}
    assert "create" not in world.revocations.taken()


def test_an_anonymous_cookie_from_before_a_login_is_dead_until_its_deadline(world):
    browser = world.with_revocations().browser(anonymous)
    copy = browser.copy()
    browser.visit(login("ann"))
    for _ in range(30):
        world.clock.advance(REFRESH // 2)
        assert not lives(copy)


# Requests that were underway


@OWNERS
@pytest.mark.parametrize("work", [put("c", 3), drop("a")], ids=["put", "drop"])
def test_a_slow_request_gets_no_line_after_a_logout_and_an_event_says_so(world, begin, work):
    browser = world.with_revocations().browser(begin)
    slow = browser.open(work)
    browser.visit(invalidate)
    world.forget()
    assert slow.finish() == []
    assert [(event.name, event.reason) for event in world.events] == [("session.write_dropped", "ended")]
    assert not lives(browser)


@OWNERS
def test_a_refresh_that_was_underway_during_the_logout_gets_no_line(world, begin):
    browser = world.with_revocations().browser(begin)
    world.clock.advance(REFRESH)
    slow = browser.open()
    browser.visit(invalidate)
    assert slow.finish() == []
    assert not lives(browser)


@OWNERS
def test_a_renewal_that_was_underway_during_the_logout_brings_nothing_back(world, begin):
    browser = world.with_revocations().browser(begin)
    slow = browser.open(renew)
    browser.visit(invalidate)
    world.forget()
    assert slow.finish() == []
    assert [(event.name, event.reason) for event in world.events] == [("session.write_dropped", "ended")]
    assert not lives(browser)


@pytest.mark.parametrize("work", [renew, put("c", 3)], ids=["renewal", "write"])
def test_what_was_underway_when_all_sessions_were_ended_gets_no_line(world, work):
    (browser,) = signed_in(world.with_revocations())
    slow = browser.open(work)
    world.manager.end_all("ann")
    world.forget()
    assert slow.finish() == []
    assert world.taken_names() == ["session.write_dropped"]
    assert not lives(browser)


def test_a_refresh_that_was_underway_when_all_sessions_were_ended_gets_no_line(world):
    (browser,) = signed_in(world.with_revocations())
    world.clock.advance(REFRESH)
    slow = browser.open()
    world.manager.end_all("ann")
    assert slow.finish() == []
    assert not lives(browser)


def test_of_two_parallel_renewals_one_counts(world):
    (browser,) = signed_in(world.with_revocations())
    first, second = browser.open(renew), browser.open(renew)
    first.finish()
    assert second.finish() == []
    assert lives(browser)


def test_a_login_that_was_underway_during_the_logout_counts(world):
    browser = world.with_revocations().browser(owned)
    slow = browser.open(login("ann"))
    browser.visit(invalidate)
    slow.finish()
    assert browser.owner() == "ann"


def test_a_login_that_was_underway_when_all_sessions_were_ended_counts(world):
    (browser,) = signed_in(world.with_revocations())
    slow = browser.open(login("ann"))
    world.manager.end_all("ann")
    slow.finish()
    assert browser.owner() == "ann"


def test_dropped_writes_are_said_once_a_request(world):
    browser = world.with_revocations().browser(owned)
    slow = browser.open(put("c", 3))
    browser.visit(invalidate)
    world.forget()
    slow.send_headers()
    slow.session["d"] = 4
    slow.close()
    assert world.taken_names() == ["session.write_dropped"]
