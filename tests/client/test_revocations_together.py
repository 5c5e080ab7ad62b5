"""Revocations together with overflow, and with the deadlines."""

import os
from datetime import timedelta

import pytest

from cookiesess import Lifetime
from cookiesess.backends.epochs import renew_epoch
from cookiesess.session.state import Origin
from kit.browser import lives
from kit.constants import ABSOLUTE, BIG, IDLE, NAME, OTHER_KEY, REF, REFRESH
from kit.views import ann, anonymous, every, invalidate, login, owned, put, renew
from kit.world import signed_in

# Together with overflow


def test_end_all_ends_sessions_that_have_moved(world):
    browser = world.with_both().browser(ann, put("big", BIG))
    world.manager.end_all("ann")
    assert not lives(browser)


def test_a_session_that_has_moved_is_kept(world):
    browser, other = world.with_both().browser(ann, put("big", BIG)), world.browser(ann, put("big", BIG))
    request = browser.open()
    request.manager.end_all("ann", keep=request.session)
    request.finish()
    assert browser.read() == {"a": 1, "big": BIG}
    assert not lives(other)


def test_a_logout_of_a_session_that_has_moved_ends_the_inline_copies_from_before(world):
    browser = world.with_both().browser(ann)
    copy = browser.copy()
    browser.visit(put("big", BIG))
    assert lives(copy)
    browser.visit(invalidate)
    assert not lives(copy)


def test_a_session_that_comes_back_with_a_login_ends_its_older_copies(world):
    browser = world.with_both().browser(put("a", 1))
    copies = [browser.copy()]
    browser.visit(put("big", BIG))
    browser.visit(put("big", ""))
    copies.append(browser.copy())
    browser.visit(login("ann"))
    assert list(browser.cookies) == [NAME]
    assert not any(map(lives, copies))
    assert lives(browser)


def test_a_request_that_merges_into_a_renewed_session_does_not_end_it(world):
    browser = world.with_both().browser(ann, put("big", BIG))
    slow = browser.open(put("slow", 1))
    browser.visit(renew)
    slow.finish()
    assert browser.read() == {"a": 1, "big": BIG, "slow": 1}


def test_a_parallel_renewal_of_a_session_that_has_moved_does_not_end_it(world):
    browser = world.with_both().browser(ann, put("big", BIG))
    first, second = browser.open(renew), browser.open(every(renew, put("slow", 1)))
    first.finish()
    second.finish()
    assert browser.read() == {"a": 1, "big": BIG, "slow": 1}
    copy = browser.copy()
    browser.visit(invalidate)
    assert not lives(copy)


def test_a_session_that_has_moved_can_be_ended_while_its_body_is_sent(world):
    browser = world.with_both().browser(ann, put("big", BIG))
    copy = browser.copy()
    request = browser.open()
    request.send_headers()
    request.session.invalidate()
    request.close()
    assert not lives(copy)
    assert REF in browser.cookies


def test_a_session_that_begins_and_ends_within_one_request_is_revoked_too(world):
    request = world.with_both().browser().open(put("big", BIG))
    request.send_headers()
    world.revocations.taken()
    request.session.invalidate()
    request.close()
    assert world.revocations.taken() == ["create"]


def test_a_move_that_was_underway_during_the_logout_is_dead(world):
    browser = world.with_both().browser(ann)
    slow = browser.open(put("big", BIG))
    browser.visit(invalidate)
    slow.finish()
    assert not lives(browser)


def test_a_session_that_has_moved_asks_each_store_once(world):
    browser = world.with_both().browser(ann, put("big", BIG))
    browser.read()
    assert [probe.taken() for probe in world.probes] == [["load"], ["load_many"]]


# Old IDs of sessions that have moved, or come back


@pytest.fixture
def moved(world):
    """A browser whose session of ann's has moved, and a copy of the cookie from before."""
    browser = world.with_both().browser(ann)
    copy = browser.copy()
    browser.visit(put("big", BIG))
    world.forget()
    return browser, copy


@pytest.mark.parametrize("verb", [renew, login("ann"), login("bob")], ids=["renewal", "same owner", "another owner"])
def test_the_cookie_from_before_a_move_is_an_old_id_like_any_other(world, moved, verb):
    browser, copy = moved
    browser.visit(every(verb, put("b", 2)))
    assert copy.open().session.origin is Origin.REPLACED
    assert copy.visit(put("x", 1)) == []
    assert lives(browser)


@pytest.mark.parametrize(("verb", "leads_on"), [(renew, True), (login("ann"), True), (login("bob"), False)])
@pytest.mark.parametrize("old", ["the reference", "the cookie from before", "both"])
def test_a_logout_under_an_old_id_ends_a_session_wherever_it_is_now(world, moved, verb, leads_on, old):
    browser, copy = moved
    olds = {"the reference": browser.copy(), "the cookie from before": copy, "both": browser.copy()}
    olds["both"].cookies |= copy.cookies
    browser.visit(every(verb, put("b", 2)))
    olds[old].visit(invalidate)
    assert lives(browser) is not leads_on


@pytest.mark.parametrize("view", [put("x", 1), renew], ids=["write", "renewal"])
def test_a_moved_session_whose_older_cookie_has_logged_in_is_not_written(world, moved, view):
    browser, copy = moved
    slow = browser.open(view)
    copy.visit(login("bob"))
    world.forget()
    assert slow.finish() == []
    assert "session.write_dropped" in world.taken_names()


def test_a_logout_under_an_old_id_asks_the_store_of_sessions_for_nothing(world, moved):
    _, copy = moved
    copy.copy().visit(renew)
    world.forget()
    copy.visit(invalidate)
    assert (world.overflow.taken(), world.taken_names()) == ([], ["session.ended"])


@pytest.mark.parametrize("size", [BIG, ""], ids=["stays in the store", "comes back into the cookie"])
def test_a_logout_under_an_old_reference_follows_a_session_through_store_and_cookie(world, moved, size):
    browser, _ = moved
    oldest = browser.copy()
    browser.visit(put("big", size))
    for verb in (renew, login("ann"), renew, login("ann")):
        browser.visit(verb)
    assert (NAME in browser.cookies) is not bool(size)
    oldest.visit(invalidate)
    assert not lives(browser)


def test_a_slow_write_beside_a_login_that_brings_the_session_back_is_dropped(world, moved):
    browser, _ = moved
    browser.visit(put("big", ""))
    slow = browser.open(put("slow", 1))
    browser.visit(login("ann"))
    world.forget()
    assert slow.finish() == []
    assert "session.write_dropped" in world.taken_names()
    assert browser.read() == {"a": 1, "big": ""}


def test_a_write_into_a_moved_session_whose_id_was_closed_from_its_older_cookie_is_dropped(world, moved):
    """Nobody is led on from that record, so it must not be said that the write was kept."""
    browser, copy = moved
    slow, renewing = browser.open(put("slow", 1)), browser.open(renew)
    copy.visit(renew)
    world.forget()
    assert (slow.finish(), renewing.finish()) == ([], [])
    assert world.taken_names().count("session.write_dropped") == 2
    assert lives(copy)


def test_a_moved_session_that_was_ended_by_its_older_cookie_is_not_written(world, moved):
    browser, copy = moved
    slow = browser.open(put("slow", 1))
    copy.visit(invalidate)
    assert slow.finish() == []
    assert not lives(browser)


def test_a_login_that_a_logout_has_overtaken_is_in_the_store_and_lives(world, moved):
    browser, _ = moved
    slow = browser.open(every(login("ann"), put("big", BIG * 2)))
    browser.copy().visit(invalidate)
    slow.finish()
    assert (browser.owner(), browser.read()) == ("ann", {"big": BIG * 2})


def test_a_login_that_a_logout_has_overtaken_keeps_the_generation_and_the_epoch(world):
    """They are what it was sealed with before, so that it has not changed them."""
    world.with_both().manager.end_all("ann")
    renew_epoch(world.revocations, random_bytes=os.urandom, now=world.now)
    browser = world.browser(ann, put("big", BIG))
    slow = browser.open(every(login("ann"), put("big", BIG * 2)))
    browser.copy().visit(invalidate)
    slow.finish()
    assert browser.owner() == "ann"


def test_a_renewal_in_time_of_a_moved_session_leads_on_within_its_grace(world):
    idle = timedelta(seconds=IDLE)
    world.settings["lifetime"] = Lifetime(idle=idle, refresh_after=idle / 10, renew_after=idle / 10)
    browser = world.with_both().browser(ann, put("big", BIG))
    world.clock.advance(IDLE // 10)
    old = browser.copy()
    browser.visit()
    assert old.visit(put("old", 1)) == []
    assert browser.read()["old"] == 1
    old.visit(invalidate)
    assert not lives(browser)


# Deadlines


@pytest.mark.parametrize("begin", [anonymous, owned], ids=["anonymous", "ann's"])
def test_an_ended_session_never_opens_while_its_cookie_could(world, begin):
    browser = world.with_revocations().browser(begin)
    world.clock.advance(100)
    copies = []
    while world.clock() < 1_700_000_000 + ABSOLUTE - REFRESH:
        world.clock.advance(REFRESH)
        browser.visit(put("n", 1))
        copies.append(browser.copy())
    browser.visit(invalidate)
    for _ in range(40):
        assert not any(map(lives, copies))
        world.clock.advance(REFRESH // 10)


def test_a_login_keeps_what_all_logins_before_it_have_ended(world):
    """A generation is remembered as long as any token that holds it."""
    world.with_revocations().manager.end_all("ann")
    world.clock.advance(ABSOLUTE - 1)
    (browser,) = signed_in(world)
    copies = []
    for _ in range(3):
        world.clock.advance(IDLE // 2)
        browser.visit(put("n", 1))
        copies.append(browser.copy())
    world.manager.end_all("ann")
    assert not any(map(lives, copies))


def test_a_rotation_that_leaves_the_old_key_out_ends_everybodys_sessions(world):
    browsers = [*signed_in(world.with_revocations(), 2), world.browser(anonymous)]
    world.use(OTHER_KEY)
    assert not any(map(lives, browsers))
