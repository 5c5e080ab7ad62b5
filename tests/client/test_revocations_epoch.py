"""The epoch of the store of revocations: a store that has lost its memory is noticed, and what becomes of sessions."""

import os

import pytest

from cookiesess import SessionConflict, StoreUnavailable
from cookiesess.backends.endings import name_of
from cookiesess.backends.epochs import EPOCH_NAME, renew_epoch
from cookiesess.session.state import Origin
from cookiesess.stores.base import Record
from kit.accepting import DATA, flask, visitor
from kit.browser import lives
from kit.constants import ABSOLUTE, IDLE, NAME, OTHER_KEY, REFRESH
from kit.lines import issued
from kit.marks import OWNERS
from kit.revocations import epoch_in, epoch_of, lose_epoch, replace, state_of
from kit.threads import in_threads
from kit.views import anonymous, every, invalidate, login, owned, put, renew
from kit.world import rotated, signed_in

GO_ON = {"on_lost_revocations": "go_on"}
POLICIES = pytest.mark.parametrize(("settings", "goes_on"), [({}, False), (GO_ON, True)], ids=["log_out", "go_on"])


def renewed(world):
    """What the operator does after a backup was restored."""
    renew_epoch(world.revocations, random_bytes=os.urandom, now=world.now)


def from_before(world, view):
    """A browser with a session of the first version, whose token has an ID and no epoch."""
    before = world.make_manager(overflow=world.overflow)
    browser = world.with_revocations().browser()
    browser.visit(view, manager=before)
    return browser


LOSSES = pytest.mark.parametrize("lose", [lose_epoch, renewed], ids=["lost", "renewed"])


# The record


def test_the_first_session_of_all_begins_the_epoch(world):
    world.with_revocations()
    assert epoch_of(world) is None
    browser = world.browser(anonymous)
    assert len(epoch_of(world)) == 8
    assert epoch_in(world, browser) == epoch_of(world)


@OWNERS
@pytest.mark.parametrize(
    "view", [len, put("c", 3), renew, login("ann"), login("bob")], ids=["refresh", "write", "renewal", "again", "bob"]
)
def test_each_token_holds_the_epoch(world, begin, view):
    browser = world.with_revocations().browser(begin)
    world.clock.advance(REFRESH)
    browser.visit(view)
    assert epoch_in(world, browser) == epoch_of(world)


def test_the_epoch_never_expires(world):
    browser = world.with_revocations().browser(anonymous)
    epoch = epoch_of(world)
    world.clock.advance(1000 * ABSOLUTE)
    world.revocations.delete_expired(now=world.now, limit=100)
    assert epoch_of(world) == epoch == epoch_in(world, world.browser(anonymous))
    assert not lives(browser)


def test_two_stores_have_different_epochs(memory):
    epochs = set()
    for _ in range(2):
        lose_epoch(memory.with_revocations())
        memory.browser(anonymous)
        epochs.add(epoch_of(memory))
    assert len(epochs) == 2


def test_the_epoch_is_the_same_under_every_ring(world):
    browser = world.with_revocations().browser(owned)
    epoch = epoch_of(world)
    for keys in (rotated(), OTHER_KEY):
        world.use(keys)
        world.clock.advance(REFRESH)
        browser.visit()
        assert lives(browser)
    assert epoch_of(world) == epoch


def test_of_many_first_sessions_at_the_same_time_all_have_the_same_epoch(world):
    world.with_revocations()
    browsers = in_threads(*[lambda: world.browser(anonymous)] * 8)
    assert {epoch_in(world, browser) for browser in browsers} == {epoch_of(world)}


def test_a_process_that_is_a_moment_too_late_takes_the_others_epoch(world):
    world.with_revocations()
    others = []
    world.revocations.once_before("create", lambda: others.append(world.browser(anonymous)))
    browser = world.browser(anonymous)
    assert epoch_in(world, browser) == epoch_in(world, others[0]) == epoch_of(world)


@pytest.mark.parametrize("payload", [b"", b"\x00", bytes(8), b"\x02" + bytes(8), bytes(10)], ids=bytes.hex)
def test_an_epoch_that_was_tampered_with_lets_nobody_in(world, payload):
    browser = world.with_revocations().browser(anonymous)
    replace(world, EPOCH_NAME, Record(payload, world.now + 1000))
    with pytest.raises(StoreUnavailable, match="the epoch in the store of revocations cannot be read"):
        browser.read()


def test_a_store_that_forgets_at_once_lets_nobody_in(memory):
    browser = from_before(memory, anonymous)
    memory.revocations.answer = lambda verb, outcome, again: None if verb == "load" else outcome
    with pytest.raises(StoreUnavailable, match="does not have the record that it was just given"):
        browser.visit(put("c", 3))


# A store that has lost it


@LOSSES
@POLICIES
@OWNERS
def test_a_session_from_before_a_loss_goes_as_the_setting_says(world, lose, begin, settings, goes_on):
    browser = world.with_revocations(**settings).browser(begin)
    lose(world)
    assert lives(browser) is goes_on
    (event,) = world.taken_events()
    assert (event.name, event.logged_out) == ("revocations.lost", not goes_on)


@LOSSES
def test_what_had_ended_before_a_loss_stays_ended(world, lose):
    browser = world.with_revocations().browser(owned)
    copy = browser.copy()
    browser.visit(invalidate)
    world.revocations.delete(name_of(state_of(world, copy).sid))
    lose(world)
    assert not lives(copy)


@LOSSES
def test_a_session_that_was_logged_out_by_a_loss_is_gone_and_begins_anew(world, lose):
    browser = world.with_revocations().browser(owned)
    lose(world)
    assert browser.open().session.origin is Origin.GONE
    assert issued(browser.visit(every(login("ann"), put("x", 1)))) == [NAME]
    assert (browser.owner(), browser.read()) == ("ann", {"x": 1})
    assert epoch_in(world, browser) == epoch_of(world)


@LOSSES
@pytest.mark.parametrize("view", [put("c", 3), renew, login("ann"), len], ids=["write", "renewal", "login", "refresh"])
def test_a_session_that_goes_on_has_the_new_epoch_from_its_next_write_on(world, lose, view):
    browser = world.with_revocations(**GO_ON).browser(owned)
    lose(world)
    world.clock.advance(REFRESH)
    browser.visit(view)
    assert epoch_in(world, browser) == epoch_of(world)
    world.forget()
    assert lives(browser)
    assert world.taken_events() == []


@LOSSES
def test_sessions_from_after_a_loss_go_on(world, lose):
    world.with_revocations().browser(owned)
    lose(world)
    after = [world.browser(begin) for begin in (owned, anonymous)]
    assert all(map(lives, after))


def test_who_comes_first_after_a_loss_makes_no_difference(world):
    """The new epoch is begun by a visitor without a session, who knows of no loss."""
    browser = world.with_revocations().browser(owned)
    lose_epoch(world)
    visitor = world.browser(anonymous)
    assert (lives(browser), lives(visitor)) == (False, True)


@pytest.mark.parametrize("view", [put("c", 3), renew, len], ids=["write", "renewal", "refresh"])
@POLICIES
def test_a_loss_while_a_request_runs_is_noticed_at_its_write(world, view, settings, goes_on):
    browser = world.with_revocations(**settings).browser(owned)
    world.clock.advance(REFRESH)
    request = browser.open(view)
    renewed(world)
    assert issued(request.finish()) == ([NAME] if goes_on else [])


def test_a_login_during_a_loss_succeeds_without_the_old_data(world):
    browser = world.with_revocations().browser(owned)
    request = browser.open(every(login("ann"), put("x", 1)))
    renewed(world)
    assert issued(request.finish()) == [NAME]
    assert (browser.owner(), browser.read()) == ("ann", {"x": 1})


def test_a_store_that_is_down_has_lost_nothing(world):
    browser = world.with_revocations(on_store_error="anonymous").browser(owned)
    world.revocations.down = set(world.revocations.VERBS)
    assert not lives(browser)
    assert world.taken_names() == ["store.failed"]
    world.revocations.down = set()
    assert lives(browser)


def test_a_session_of_another_owner_is_not_logged_out_twice(world):
    """Who has logged in again has a token of the new epoch."""
    browsers = signed_in(world.with_revocations(), 2)
    lose_epoch(world)
    for browser in browsers:
        browser.visit(every(login("ann"), put("a", 1)))
    assert all(map(lives, browsers))


def test_a_restored_backup_looks_as_if_nothing_was_lost_until_its_epoch_is_renewed(world):
    browser = world.with_revocations().browser(owned)
    copy = browser.copy()
    browser.visit(invalidate)
    world.revocations.delete(name_of(state_of(world, copy).sid))  # the backup is from before the logout
    assert lives(copy)
    renewed(world)
    assert not lives(copy)


def test_an_epoch_is_renewed_where_there_is_none(world):
    world.with_revocations()
    renewed(world)
    browser = world.browser(anonymous)
    assert (epoch_in(world, browser), lives(browser)) == (epoch_of(world), True)


@pytest.mark.parametrize("verb", ["create", "update"])
def test_two_operators_at_once_renew_the_epoch(world, verb):
    browser = world.with_revocations().browser(owned)
    if verb == "create":
        lose_epoch(world)
    world.revocations.once_before(verb, lambda: renewed(world))
    renewed(world)
    assert not lives(browser)


def test_a_renewal_of_the_epoch_that_never_gets_through_is_given_up(memory):
    memory.with_revocations().browser(anonymous)
    before = epoch_of(memory)
    stale = memory.revocations.inner.load(EPOCH_NAME, now=memory.now)._replace(version="stale")
    memory.revocations.answer = lambda verb, outcome, again: stale if verb == "load" else outcome
    with pytest.raises(SessionConflict):
        renewed(memory)
    assert epoch_of(memory) == before


# Tokens of the first version, which hold none


def test_a_token_without_an_epoch_counts_as_of_the_first_one(world):
    browser = from_before(world, owned)
    assert lives(browser)
    world.browser(anonymous)
    assert epoch_of(world) is not None
    assert lives(browser)


def test_reading_a_token_without_an_epoch_writes_nothing(world):
    browser = from_before(world, owned)
    world.forget()
    assert lives(browser)
    assert world.revocations.taken() == ["load_many"]


def test_a_token_without_an_epoch_gets_one_at_its_next_write(world):
    browser = from_before(world, owned)
    browser.visit(put("c", 3))
    assert epoch_in(world, browser) == epoch_of(world)


@POLICIES
def test_a_token_without_an_epoch_is_from_before_an_epoch_that_was_renewed(world, settings, goes_on):
    browser = from_before(world, owned)
    world.with_revocations(**settings)
    renewed(world)
    world.forget()
    assert lives(browser) is goes_on
    assert world.taken_names() == ["revocations.lost"]


@pytest.mark.parametrize("first", ["who knows of it", "a visitor"])
def test_a_token_without_an_epoch_is_gone_once_a_loss_is_known(world, first):
    old, browser = from_before(world, owned), world.browser(owned)
    lose_epoch(world)
    if first == "a visitor":
        world.browser(anonymous)
    assert not lives(browser)
    assert not lives(old)


def test_a_loss_is_marked_once(world):
    browsers = signed_in(world.with_revocations(), 2)
    lose_epoch(world)
    world.browser(anonymous)
    for browser in browsers:
        browser.read()
    assert world.revocations.taken().count("update") == 1


def test_a_loss_that_somebody_else_marks_at_the_same_time_is_no_error(world):
    browsers = signed_in(world.with_revocations(), 2)
    lose_epoch(world)
    world.browser(anonymous)
    world.revocations.once_before("update", lambda: lives(browsers[0]))
    assert not lives(browsers[1])


# Other libraries' cookies, which hold none either


@pytest.mark.parametrize("owner", [None, "ann"])
def test_a_session_in_another_librarys_cookie_is_not_lost_with_any_epoch(world, owner):
    world.with_revocations(accept=[flask(owner=lambda data: owner)])
    renewed(world)
    browser = visitor(world)
    assert browser.read() == DATA
    browser.visit(put("a", 1))
    world.forget()
    assert (browser.read(), browser.owner()) == ({**DATA, "a": 1}, owner)
    assert world.taken_events() == []


# In a store of sessions that have moved


@LOSSES
@POLICIES
def test_a_session_that_has_moved_goes_as_the_setting_says(world, lose, settings, goes_on):
    browser = world.with_both(**settings).browser(owned, put("big", "x" * 1000))
    lose(world)
    assert lives(browser) is goes_on


def test_a_session_that_has_moved_and_goes_on_has_the_new_epoch_from_its_next_write_on(world):
    browser = world.with_both(**GO_ON).browser(owned, put("big", "x" * 1000))
    renewed(world)
    browser.visit(put("c", 3))
    world.forget()
    assert lives(browser)
    assert world.taken_events() == []


def test_an_idle_session_is_timed_out_and_not_lost(world):
    browser = world.with_revocations().browser(owned)
    world.clock.advance(IDLE)
    lose_epoch(world)
    assert not lives(browser)
    assert world.taken_names() == ["session.expired"]
