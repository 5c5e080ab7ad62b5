"""The generations of owners: through rotations of the keys, as the first version left them, and how long they count."""

import hmac
import itertools

import pytest

from cookiesess import Key, Keyring, SessionConflict, StoreUnavailable
from cookiesess.session.lifetime import CLOCK_SKEW_SECONDS
from cookiesess.stores.base import Record
from cookiesess.tokens.encoding import purpose
from cookiesess.tokens.sealing import Sealer
from cookiesess.tokens.values import ValueCodec
from kit.browser import lives
from kit.constants import ABSOLUTE, KEY, OTHER_KEY, REFRESH
from kit.marks import OWNERS
from kit.revocations import records, replace, sealed, state_of
from kit.views import every, invalidate, login, put
from kit.world import rotated, signed_in

# A rotation without logging anybody out, in the order of its deployments.
RINGS = (KEY, Keyring(KEY, accepted=[OTHER_KEY]), rotated(), OTHER_KEY)
CODEC = ValueCodec()


def refresh(world, browser):
    """A request that only reads and, being due, seals the session anew."""
    world.clock.advance(REFRESH)
    browser.visit()


def name_of(owner="ann", key=KEY):
    """The key of an owner's ledger, under one key of the ring."""
    return hmac.digest(Key(key).derive("revocation"), owner.encode(), "sha256")


def body_of(world):
    """What the only ledger there is says."""
    ((key, record),) = records(world).items()
    plaintext, _ = Sealer(Keyring(KEY)).unseal_bytes(record.payload, purpose("revocation") + key)
    return CODEC.loads(plaintext)


def write_as_first_version(world, fields, *, expires_at, key=KEY):
    """Leave a ledger as the first version did."""
    name = name_of(key=key)
    payload = sealed(CODEC.pack(fields), name, what_for="revocation", keys=key)
    replace(world, name, Record(payload, expires_at))


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
    # At the load and at the commit; then the copy that is missing, once more by version.
    assert world.revocations.taken() == [*["load_many"] * 3, "create", "update"]
    (other,) = signed_in(world, owner="bob")
    world.use(Keyring(KEY, accepted=[OTHER_KEY]))
    refresh(world, other)
    assert world.revocations.taken() == ["load_many", "load_many"]


# What it holds


def test_a_ledger_holds_the_generation_alone(memory):
    browsers = signed_in(memory.with_revocations(), 3)
    for browser in browsers:
        browser.visit(invalidate)
    memory.manager.end_all("ann")
    keys = [key for key in records(memory) if key == name_of()]
    assert len(keys) == 1
    for key in [key for key in records(memory) if key not in keys]:
        memory.revocations.delete(key)
    assert body_of(memory) == [1, memory.now + ABSOLUTE + CLOCK_SKEW_SECONDS]


def test_a_logout_leaves_the_owners_ledger_alone(memory):
    (browser,) = signed_in(memory.with_revocations())
    memory.manager.end_all("bob")
    browser.visit(invalidate)
    assert name_of() not in records(memory)


def test_an_owner_is_named_by_a_keyed_hash(memory):
    for ring in (KEY, OTHER_KEY):
        memory.use(ring, revocations=memory.revocations)
        memory.manager.end_all("ann")
    assert set(records(memory)) == {name_of(), name_of(key=OTHER_KEY)}


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


@pytest.mark.parametrize("more", [[], [{}], [{}, "later"]], ids=["ours", "the first version's", "a later one's"])
def test_a_ledger_is_read_as_far_as_it_is_known(memory, more):
    memory.with_revocations().manager.end_all("ann")
    (browser,) = signed_in(memory)
    write_as_first_version(memory, [1, memory.now + ABSOLUTE, *more], expires_at=memory.now + ABSOLUTE)
    assert lives(browser)
    write_as_first_version(memory, [2, memory.now + ABSOLUTE, *more], expires_at=memory.now + ABSOLUTE)
    assert not lives(browser)


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


# What the first version left


@pytest.fixture
def taken_over(memory):
    """Ann's two sessions, of which the first version has ended the first one."""
    first, second = signed_in(memory.with_revocations(), 2)
    until_at = memory.now + ABSOLUTE + CLOCK_SKEW_SECONDS
    write_as_first_version(memory, [0, 0, {state_of(memory, first).sid: until_at}], expires_at=until_at)
    return memory, first, second


@pytest.mark.parametrize("keys", RINGS[:3], ids=["one key", "a key is added", "the order is changed"])
def test_what_the_first_version_has_ended_stays_ended(taken_over, keys):
    memory, first, second = taken_over
    memory.use(keys)
    assert (lives(first), lives(second)) == (False, True)


def test_what_the_first_version_has_ended_stays_ended_when_all_are_ended(taken_over):
    """The ledger is written anew, and what it still has to remember comes along."""
    memory, first, _ = taken_over
    request = first.copy().open()
    memory.manager.end_all("ann")
    (third,) = signed_in(memory)
    assert (lives(first), lives(third)) == (False, True)
    generation, _, ended = body_of(memory)
    assert (generation, set(ended)) == (1, {state_of(memory, first).sid})
    assert request.session.owner is None


def test_what_the_first_version_has_ended_is_forgotten_in_time(taken_over):
    memory, _, _ = taken_over
    memory.clock.advance(REFRESH)
    memory.manager.end_all("ann")
    memory.clock.advance(ABSOLUTE - REFRESH + CLOCK_SKEW_SECONDS)
    memory.manager.end_all("ann")
    assert len(body_of(memory)) == 2


def test_a_record_that_the_first_version_wrote_for_a_visitor_counts(memory):
    browser = memory.with_revocations().browser(put("a", 1))
    copy = browser.copy()
    browser.visit(invalidate)
    (record,) = records(memory).values()
    assert record.payload == b""  # as the first version wrote it
    assert not lives(copy)


# For how long


def test_a_generation_is_remembered_as_long_as_any_token_that_holds_it_opens_by_any_clock(memory):
    memory.with_revocations().manager.end_all("ann")
    memory.clock.advance(ABSOLUTE // 2)
    signed_in(memory)
    (record,) = records(memory).values()
    assert record.expires_at == memory.now + ABSOLUTE + 2 * CLOCK_SKEW_SECONDS


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


# Others at the same time


def test_a_ledger_that_others_change_all_the_time_is_given_up_on(world):
    (browser,) = signed_in(world.with_revocations())
    world.manager.end_all("ann")
    browser.visit(every(login("ann"), put("a", 1)))

    def change(verb, outcome, again):
        if verb == "load_many":
            there = outcome[name_of()]
            world.revocations.inner.update(name_of(), there, expected_version=there.version, now=world.now)
        return outcome

    world.revocations.answer = change
    with pytest.raises(SessionConflict):
        world.manager.end_all("ann")
    world.revocations.answer = None
    assert lives(browser)


def test_two_servers_that_end_all_sessions_at_the_same_time_both_have(world):
    browsers = signed_in(world.with_revocations(), 2)
    for verb in ("create", "update"):
        world.revocations.once_before(verb, lambda: world.manager.end_all("ann"))
        world.manager.end_all("ann")
        assert not any(map(lives, browsers))
        browsers = signed_in(world, 2)
        assert all(map(lives, browsers))


def test_a_login_takes_no_generation_along_that_a_store_has_lost(world):
    """Somebody has deleted the ledger: then the next one begins at 0, and so must the tokens."""
    world.with_revocations().manager.end_all("ann")
    (browser,) = signed_in(world)
    world.revocations.delete(name_of())
    browser.visit(login("ann"))
    world.manager.end_all("ann")
    assert not lives(browser)
