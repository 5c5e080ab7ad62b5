"""What is remembered of ended sessions: under which keys, for how long, and what a store's thief can read of it."""

import itertools

import pytest

from cookiesess import Keyring, StoreUnavailable
from cookiesess.session.lifetime import CLOCK_SKEW_SECONDS
from cookiesess.session.state import unpack
from cookiesess.stores.base import Record
from cookiesess.testing import ManualClock
from cookiesess.tokens.encoding import purpose
from cookiesess.tokens.sealing import Sealer
from cookiesess.tokens.values import ValueCodec
from kit.browser import Browser, lives
from kit.constants import ABSOLUTE, IDLE, KEY, NAME, OTHER_KEY, REFRESH
from kit.marks import OWNERS
from kit.views import anonymous, every, invalidate, login, put, renew
from kit.world import rotated, signed_in

# A rotation without logging anybody out, in the order of its deployments.
RINGS = (KEY, Keyring(KEY, accepted=[OTHER_KEY]), rotated(), OTHER_KEY)
CACHED = 5


def records(world):
    """What the store of revocations holds: key to record."""
    return dict(world.revocations.inner._all())


def state_of(world, browser):
    plaintext, _ = Sealer(Keyring(KEY)).unseal(browser.cookies[NAME], purpose("session", NAME))
    return unpack(plaintext, ValueCodec(), now=world.now)


def refresh(world, browser):
    """A request that only reads and, being due, seals the session anew."""
    world.clock.advance(REFRESH)
    browser.visit()


# Through a rotation of the keys


@OWNERS
@pytest.mark.parametrize("ended_at", range(4))
def test_what_was_ended_at_any_point_of_a_rotation_stays_ended(world, begin, ended_at):
    world.with_revocations()
    browser = world.browser(begin)
    copies = [browser.copy()]
    for step, ring in enumerate(RINGS):
        world.use(ring)
        if step <= ended_at:
            refresh(world, browser)
            copies.append(browser.copy())
        if step == ended_at:
            browser.visit(invalidate)
        if step >= ended_at:
            assert not any(map(lives, copies))


@pytest.mark.parametrize("steps", list(itertools.combinations_with_replacement(range(4), 3)), ids=str)
def test_generations_are_remembered_through_a_rotation(world, steps):
    """Sessions are ended, somebody logs in, the keys go on, and sessions are ended again."""
    raised_at, login_at, ended_at = steps
    world.with_revocations()
    browser, copies = world.browser(), []
    for step, ring in enumerate(RINGS):
        world.use(ring)
        if step == raised_at:
            world.manager.end_all("ann")
        if step == login_at:
            browser.visit(every(login("ann"), put("a", 1)))
        if login_at <= step <= ended_at:
            refresh(world, browser)
            assert lives(browser)
            copies.append(browser.copy())
        if step == ended_at:
            world.manager.end_all("ann")
        if step >= ended_at:
            assert not any(map(lives, copies))


@pytest.mark.parametrize("rings", list(itertools.pairwise(RINGS[:3])), ids=["the key is added", "the order is changed"])
@pytest.mark.parametrize("turned", [False, True], ids=["older first", "newer first"])
def test_servers_before_and_after_a_step_of_a_rotation_know_of_each_others_endings(world, rings, turned):
    world.with_revocations()
    one, other = (world.make_manager(ring) for ring in (reversed(rings) if turned else rings))
    first, second = signed_in(world.with_revocations(), 2)
    copies = [first.copy(), second.copy()]
    for browser, manager in ((first, one), (second, other)):
        world.manager = manager
        browser.visit(invalidate)
    for manager in (one, other):
        world.manager = manager
        assert not any(map(lives, copies))


def test_what_a_server_of_the_old_ring_has_added_is_known_under_both_keys_after_the_next_write(world):
    old, new = world.with_revocations().manager, world.make_manager(RINGS[1])
    new.end_all("ann")
    old.end_all("ann")
    (browser,) = signed_in(world)
    world.use(RINGS[2])
    refresh(world, browser)
    world.use(RINGS[3])
    assert lives(browser)
    world.manager.end_all("ann")
    assert not lives(browser)


def test_a_reseal_under_another_key_asks_once_more_and_writes_only_what_is_missing(world):
    world.with_revocations().manager.end_all("ann")
    (browser,) = signed_in(world)
    world.use(rotated())
    refresh(world, browser)
    assert world.revocations.taken() == [*["load_many"] * 3, "create", "update"]
    (other,) = signed_in(world, owner="bob")
    world.use(Keyring(KEY, accepted=[OTHER_KEY]))
    refresh(world, other)
    assert world.revocations.taken() == ["load_many", "load_many"]


# Held for a while


@pytest.fixture
def cached(world):
    """A server that may hold answers for a while; `other` is a second one."""
    world.other = world.with_revocations(revocation_cache_seconds=CACHED).make_manager()
    return world


@OWNERS
def test_with_a_cache_most_requests_read_nothing(cached, begin):
    browser = cached.browser(begin)
    for seconds in (0, 0, CACHED - 1):
        cached.clock.advance(seconds)
        browser.read()
    assert cached.revocations.taken() == ["load"]
    cached.clock.advance(1)
    browser.read()
    assert cached.revocations.taken() == ["load"]


@OWNERS
def test_what_another_process_has_ended_goes_on_for_as_long_as_the_cache_says(cached, begin):
    browser = cached.browser(begin)
    copy = browser.copy()
    assert lives(copy)
    here, cached.manager = cached.manager, cached.other
    browser.visit(invalidate)
    cached.manager = here
    cached.clock.advance(CACHED - 1)
    assert lives(copy)
    cached.clock.advance(1)
    assert not lives(copy)


@OWNERS
@pytest.mark.parametrize("end", [invalidate, renew, login("ann")], ids=["logout", "renewal", "login"])
def test_what_this_process_has_ended_is_ended_at_once(cached, begin, end):
    browser = cached.browser(begin)
    copy = browser.copy()
    assert lives(copy)
    browser.visit(end)
    assert not lives(copy)


def test_all_sessions_that_this_process_has_ended_are_ended_at_once(cached):
    browsers = signed_in(cached, 3)
    assert all(map(lives, browsers))
    cached.manager.end_all("ann")
    assert not any(map(lives, browsers))


def test_what_is_known_to_be_ended_is_held_as_well(cached):
    browser = cached.browser(anonymous)
    copy = browser.copy()
    browser.visit(invalidate)
    assert not lives(copy)
    cached.revocations.taken()
    assert not lives(copy)
    assert cached.revocations.taken() == []


def test_a_login_never_takes_its_generation_from_the_cache(cached):
    (browser,) = signed_in(cached)
    assert lives(browser)
    cached.other.end_all("ann")
    browser.visit(every(login("ann"), put("a", 1)))
    cached.clock.advance(CACHED)
    assert lives(browser)


def test_a_request_with_a_held_answer_goes_on_while_the_store_is_down(cached):
    (browser,) = signed_in(cached)
    browser.read()
    cached.revocations.down = {"load"}
    assert lives(browser)
    cached.clock.advance(CACHED)
    with pytest.raises(StoreUnavailable):
        browser.read()


def test_a_failed_write_has_the_next_request_ask_the_store(cached):
    (browser,) = signed_in(cached)
    request = browser.open()
    cached.revocations.answer = _lost
    with pytest.raises(StoreUnavailable):
        request.session.invalidate()
    cached.revocations.answer = None
    assert not lives(browser)


def _lost(verb, outcome, again):
    """The store has done it, and its answer got lost."""
    if verb in {"create", "update"}:
        raise StoreUnavailable("the answer was lost")
    return outcome


@pytest.mark.thorough
def test_one_process_holds_ten_thousand_answers_at_most(memory):
    memory.with_revocations(revocation_cache_seconds=CACHED)
    first, *others = (memory.browser(put("a", number)) for number in range(10_001))
    for each in (first, *others[:-1], first):
        each.read()
    assert len(memory.revocations.taken()) == 10_000
    others[-1].read()
    first.read()
    assert len(memory.revocations.taken()) == 2


# What the store holds


def test_the_store_learns_neither_owners_nor_ids(memory):
    memory.with_revocations()
    browser, visitor = memory.browser(every(login("rhubarb"), put("a", "rhubarb"))), memory.browser(anonymous)
    sids = [state_of(memory, each).sid for each in (browser, visitor)]
    for each in (browser, visitor):
        each.visit(invalidate)
    held = b"".join(key + record.payload + record.summary for key, record in records(memory).items())
    assert len(records(memory)) == 2
    assert all(record.owner is None for record in records(memory).values())
    assert not any(secret in held for secret in (b"rhubarb", *sids))


def test_an_owner_is_named_by_a_keyed_hash(memory):
    for ring in (KEY, OTHER_KEY):
        memory.use(ring, revocations=memory.revocations)
        memory.manager.end_all("ann")
    assert len(records(memory)) == 2
    assert {len(key) for key in records(memory)} == {32}


def test_an_owners_endings_are_one_record(memory):
    browsers = signed_in(memory.with_revocations(), 5)
    for browser in browsers:
        browser.visit(invalidate)
    memory.manager.end_all("ann")
    assert len(records(memory)) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda payload: payload[:-1] + bytes([payload[-1] ^ 1]),
        lambda payload: payload[:-1],
        lambda payload: b"",
        lambda payload: bytes(len(payload)),
    ],
    ids=["a bit", "cut", "emptied", "zeros"],
)
@pytest.mark.parametrize("anonymous", [False, True], ids=["raise", "anonymous"])
def test_a_ledger_that_was_tampered_with_lets_nobody_in(memory, change, anonymous):
    memory.with_revocations(on_store_error="anonymous" if anonymous else "raise")
    memory.manager.end_all("ann")
    (browser,) = signed_in(memory)
    ((key, record),) = records(memory).items()
    changed = record._replace(payload=change(record.payload))
    memory.revocations.inner.update(key, changed, expected_version=record.version, now=memory.now)
    if anonymous:
        assert not lives(browser)
    else:
        with pytest.raises(StoreUnavailable, match="a ledger of ended sessions does not open"):
            browser.read()
    with pytest.raises(StoreUnavailable):
        memory.manager.end_all("ann")


def test_the_ledger_of_another_owner_in_its_place_lets_nobody_in(memory):
    memory.with_revocations().manager.end_all("ann")
    (browser,) = signed_in(memory)
    ((key, record),) = records(memory).items()
    memory.manager.end_all("bob")
    (other,) = (each for name, each in records(memory).items() if name != key)
    memory.revocations.inner.update(key, other, expected_version=record.version, now=memory.now)
    with pytest.raises(StoreUnavailable):
        browser.read()


def test_a_ledger_of_a_later_format_is_read_as_far_as_it_is_known(memory):
    memory.with_revocations().manager.end_all("ann")
    (browser,) = signed_in(memory)
    ((key, record),) = records(memory).items()
    sealer, what_for = Sealer(Keyring(KEY)), purpose("revocation") + key
    body, _ = sealer.unseal_bytes(record.payload, what_for)
    codec = ValueCodec()
    for fields in ([*codec.loads(body), "later"], codec.loads(body)):
        later = Record(sealer.seal_bytes(codec.pack(fields), what_for), record.expires_at)
        version = memory.revocations.inner.load(key, now=memory.now).version
        memory.revocations.inner.update(key, later, expected_version=version, now=memory.now)
        assert lives(browser)


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x01"])
def test_a_ledger_that_holds_something_else_lets_nobody_in(memory, body):
    memory.with_revocations().manager.end_all("ann")
    (browser,) = signed_in(memory)
    ((key, record),) = records(memory).items()
    payload = Sealer(Keyring(KEY)).seal_bytes(body, purpose("revocation") + key)
    other = Record(payload, record.expires_at)
    memory.revocations.inner.update(key, other, expected_version=record.version, now=memory.now)
    with pytest.raises(StoreUnavailable):
        browser.read()


# For how long


def test_an_ended_session_is_remembered_as_long_as_its_cookie_would_open_anywhere(memory):
    for each in (memory.with_revocations().browser(anonymous), *signed_in(memory)):
        each.visit(invalidate)
    until_at = memory.now + ABSOLUTE + CLOCK_SKEW_SECONDS
    assert [record.expires_at for record in records(memory).values()] == [until_at, until_at]


def test_what_need_not_be_remembered_any_more_is_forgotten(memory):
    (first,) = signed_in(memory.with_revocations())
    first.visit(invalidate)
    (alone,) = (record.payload for record in records(memory).values())
    memory.clock.advance(100)
    for browser in signed_in(memory, 5):
        browser.visit(invalidate)
    memory.clock.advance(ABSOLUTE + CLOCK_SKEW_SECONDS)
    (last,) = signed_in(memory)
    last.visit(invalidate)
    (record,) = records(memory).values()
    assert len(record.payload) == len(alone)


def test_a_ledger_that_is_still_needed_forgets_what_is_not(memory):
    memory.with_revocations()
    for pause in (ABSOLUTE // 2, ABSOLUTE // 2 + CLOCK_SKEW_SECONDS, 0):
        signed_in(memory)[0].visit(invalidate)
        memory.clock.advance(pause)
    (anns,) = records(memory).items()
    for browser in signed_in(memory, 2, owner="bob"):
        browser.visit(invalidate)
    (bobs,) = (record for key, record in records(memory).items() if key != anns[0])
    assert len(anns[1].payload) == len(bobs.payload)


def test_a_generation_is_remembered_as_long_as_any_token_that_holds_it(memory):
    memory.with_revocations().manager.end_all("ann")
    memory.clock.advance(ABSOLUTE // 2)
    signed_in(memory)
    (record,) = records(memory).values()
    assert record.expires_at == memory.now + ABSOLUTE + CLOCK_SKEW_SECONDS


def test_a_shorter_lifetime_forgets_nothing_of_what_a_longer_one_has_ended(memory):
    world = memory.with_revocations()
    world.manager.end_all("ann")
    (before,) = (record.expires_at for record in records(world).values())
    world.clock.advance(-REFRESH)  # a server whose clock is behind
    world.manager.end_all("ann")
    (after,) = (record.expires_at for record in records(world).values())
    assert after == before


def test_a_ledger_without_anything_left_begins_anew(memory):
    memory.with_revocations().manager.end_all("ann")
    memory.clock.advance(ABSOLUTE + CLOCK_SKEW_SECONDS)
    (browser,) = signed_in(memory)
    assert lives(browser)
    memory.manager.end_all("ann")
    assert not lives(browser)


@OWNERS
@pytest.mark.parametrize("ahead", [-CLOCK_SKEW_SECONDS + 1, CLOCK_SKEW_SECONDS - 1], ids=["behind", "ahead"])
def test_servers_whose_clocks_differ_agree_on_what_has_ended(world, begin, ahead):
    """And a server whose clock is ahead does not forget what one behind it would still open."""
    world.with_revocations()
    other_clock = ManualClock(world.clock() + ahead)
    here, there = world.manager, world.make_manager(clock=other_clock)
    browser = world.browser(begin)
    copy = browser.copy()
    world.manager = there
    browser.visit(invalidate)
    for _ in range(2 * ABSOLUTE // IDLE + 1):
        for manager, clock in ((here, world.clock), (there, other_clock)):
            world.manager = manager
            world.revocations.delete_expired(now=int(clock()), limit=10)
            assert not lives(copy)
            clock.advance(IDLE // 2)


def test_a_session_whose_deadline_passes_while_it_is_logged_out_is_no_error(world):
    browser = world.with_revocations().browser(anonymous)
    request = browser.open()
    world.clock.advance(ABSOLUTE + CLOCK_SKEW_SECONDS + 1)
    request.finish(invalidate)
    assert not lives(Browser(world, browser.cookies))
