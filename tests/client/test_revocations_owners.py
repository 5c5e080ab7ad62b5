"""All client-side sessions of an owner are ended at once, but the one that asked for it."""

import pytest

from cookiesess import ConfigurationError, SessionCommitted
from cookiesess.testing import ManualClock
from kit.browser import Browser, lives
from kit.constants import ABSOLUTE, IDLE, NAME
from kit.lines import issued
from kit.views import ann, anonymous, every, login, put, renew
from kit.world import signed_in

# All sessions of an owner


def test_end_all_ends_every_session_of_an_owner_and_no_other(world):
    anns, (bob,) = signed_in(world.with_revocations(), 3), signed_in(world, owner="bob")
    visitor = world.browser(anonymous)
    assert world.manager.end_all("ann") is None
    assert not any(map(lives, anns))
    assert lives(bob)
    assert lives(visitor)


def test_end_all_ends_what_logged_in_within_the_same_second(world):
    world.with_revocations().manager.end_all("ann")
    (browser,) = signed_in(world)
    assert lives(browser)
    world.manager.end_all("ann")
    assert not lives(browser)


def test_after_end_all_a_login_goes_on(world):
    (browser,) = signed_in(world.with_revocations())
    for _ in range(3):
        world.manager.end_all("ann")
        browser.visit(ann)
        assert browser.owner() == "ann"


def test_end_all_keeps_the_session_that_asked_for_it(world):
    browser, other = signed_in(world.with_revocations(), 2)
    copy = browser.copy()
    request = browser.open()
    request.manager.end_all("ann", keep=request.session)
    assert issued(request.finish()) == [NAME]
    assert lives(browser)
    assert not lives(other)
    assert not lives(copy)


def test_the_session_that_was_kept_goes_on_through_renewals_and_a_second_end_all(world):
    (browser,) = signed_in(world.with_revocations())
    for _ in range(2):
        request = browser.open()
        request.manager.end_all("ann", keep=request.session)
        request.finish()
        browser.visit(renew)
    assert lives(browser)
    world.manager.end_all("ann")
    assert not lives(browser)


def test_the_session_that_was_to_be_kept_ends_where_its_answer_never_arrives(world):
    (browser,) = signed_in(world.with_revocations())
    request = browser.open()
    request.manager.end_all("ann", keep=request.session)
    request.manager.abandon(request.session)
    assert not lives(browser)


def test_to_keep_a_session_of_another_owner_changes_nothing_for_it(world):
    (anns,), (bobs,) = signed_in(world.with_revocations()), signed_in(world, owner="bob")
    request = bobs.open()
    request.manager.end_all("ann", keep=request.session)
    assert request.finish() == []
    assert lives(bobs)
    assert not lives(anns)


def test_to_keep_a_session_without_an_owner_changes_nothing_for_it(world):
    (anns,), visitor = signed_in(world.with_revocations()), world.browser(anonymous)
    request = visitor.open()
    request.manager.end_all("ann", keep=request.session)
    assert request.finish() == []
    assert lives(visitor)
    assert not lives(anns)


def test_to_keep_a_session_that_logs_in_within_the_same_request_keeps_it(world):
    (other,) = signed_in(world.with_revocations())
    browser = world.browser()
    request = browser.open(login("ann"))
    request.manager.end_all("ann", keep=request.session)
    request.finish(put("a", 1))
    assert (browser.owner(), lives(other)) == ("ann", False)


def test_to_keep_a_session_and_log_in_afterwards_keeps_it(world):
    browser, other = signed_in(world.with_revocations(), 2)
    request = browser.open()
    request.manager.end_all("ann", keep=request.session)
    request.finish(login("ann"))
    assert lives(browser)
    assert not lives(other)


def test_to_keep_a_session_whose_headers_have_gone_out_is_refused_before_anything_changes(world):
    browser, other = signed_in(world.with_revocations(), 2)
    request = browser.open()
    request.send_headers()
    with pytest.raises(SessionCommitted):
        request.manager.end_all("ann", keep=request.session)
    assert lives(browser)
    assert lives(other)


def test_to_keep_a_session_that_nobody_touched_loads_it(world):
    browser, other = signed_in(world.with_revocations(), 2)
    request = browser.open(lambda session: None)
    request.manager.end_all("ann", keep=request.session)
    request.finish()
    assert (lives(browser), lives(other)) == (True, False)


def test_another_owners_login_in_the_same_browser_takes_no_generation_along(world):
    (browser,) = signed_in(world.with_revocations())
    for _ in range(3):
        world.manager.end_all("ann")
    browser.visit(ann)
    browser.visit(every(login("bob"), put("a", 1)))
    world.manager.end_all("bob")
    assert not lives(browser)


def test_an_owners_login_outlives_the_sessions_that_were_ended_before(world):
    world.with_revocations()
    for _ in range(3):
        world.manager.end_all("ann")
    (browser,) = signed_in(world)
    world.clock.advance(IDLE - 1)
    browser.visit(put("b", 2))
    world.clock.advance(IDLE - 1)
    assert lives(browser)


def test_a_list_of_an_owners_sessions_needs_a_store_of_sessions(memory):
    with pytest.raises(ConfigurationError):
        memory.with_revocations().manager.sessions_of("ann")


@pytest.mark.parametrize("skew", [-299, 299])
@pytest.mark.parametrize("seconds", range(ABSOLUTE - 300, ABSOLUTE + 901, 100))
def test_a_login_while_hosts_forget_the_end_of_all_sessions_counts_on_each_of_them(memory, skew, seconds):
    """Whichever forgets first: what one seals from then on must not be from before for the other."""
    memory.with_revocations().manager.end_all("ann")
    clock = ManualClock(memory.clock() + skew)
    managers = memory.manager, memory.make_manager(clock=clock)
    for each in (memory.clock, clock):
        each.advance(seconds)
    for manager in managers:
        browser = Browser(manager)
        browser.visit(login("ann"))
        assert [there.open(browser.header).owner for there in managers] == ["ann", "ann"]
