"""What the store of revocations holds of ended sessions: how much, for how long, and what its thief can read of it."""

from datetime import timedelta

import pytest

from cookiesess import Keyring, Lifetime
from cookiesess.backends.endings import name_of
from cookiesess.session.closing import CLOSED_SECONDS
from cookiesess.session.lifetime import CLOCK_SKEW_SECONDS
from cookiesess.session.state import Origin
from cookiesess.stores.base import Record
from cookiesess.testing import ManualClock
from cookiesess.tokens.encoding import purpose
from cookiesess.tokens.sealing import Sealer
from cookiesess.tokens.values import ValueCodec
from kit.browser import Browser, lives
from kit.constants import ABSOLUTE, IDLE, KEY, OTHER_KEY
from kit.marks import OWNERS
from kit.revocations import epoch_of, records, replace, sealed, state_of
from kit.views import anonymous, every, invalidate, login, owned, put, renew
from kit.world import rotated, signed_in

CODEC = ValueCodec()


def record_of(world, browser):
    """The key and the record of a session that has ended."""
    name = name_of(state_of(world, browser).sid)
    return name, records(world)[name]


def said(world, browser):
    """What the record of a session says that was closed."""
    name, record = record_of(world, browser)
    plaintext, _ = Sealer(Keyring(KEY)).unseal_bytes(record.payload, purpose("revoked") + name)
    assert plaintext[:1] == b"\x05"
    return CODEC.loads(plaintext[1:])


# What


def test_the_store_learns_neither_owners_nor_ids(memory):
    memory.with_revocations()
    browsers = [memory.browser(every(login("rhubarb"), put("a", "rhubarb"))), memory.browser(anonymous)]
    browsers += [each.copy() for each in browsers]
    sids = [state_of(memory, each).sid for each in browsers]
    for each, end in zip(browsers, [renew, login("rhubarb"), invalidate, invalidate], strict=True):
        each.visit(end)
        sids += [state_of(memory, each).sid for each in browsers if each.cookies]
    memory.manager.end_all("rhubarb")
    held = b"".join(key + record.payload + record.summary for key, record in memory.revocations.inner._all())
    assert len(records(memory)) == 4  # two visitors', ann's old and new one, and the ledger
    assert all(record.owner is None for record in records(memory).values())
    assert not any(secret in held for secret in (b"rhubarb", *sids))


@OWNERS
def test_a_session_that_was_logged_out_is_an_empty_record_of_its_own(memory, begin):
    browser = memory.with_revocations().browser(begin)
    copy = browser.copy()
    browser.visit(invalidate)
    assert record_of(memory, copy)[1].payload == b""
    assert len(records(memory)) == 1


@pytest.mark.parametrize(
    ("verb", "how", "leads_on"),
    [(renew, 0, True), (login("ann"), 2, True), (login("bob"), 3, False)],
    ids=["renewal", "same owner", "another owner"],
)
def test_a_session_that_was_closed_says_how_and_what_leads_on(memory, verb, how, leads_on):
    browser = memory.with_revocations().browser(owned)
    old = browser.copy()
    memory.clock.advance(60)
    browser.visit(verb)
    new = state_of(memory, browser)
    array = [how, memory.now, None, None, None]
    assert said(memory, old) == ([*array[:3], new.sid, None, new.ends_at] if leads_on else array)


def test_a_thousand_logouts_make_no_request_dearer(memory):
    (browser,) = signed_in(memory.with_revocations())
    sizes = []
    for count in (0, 1000):
        for each in signed_in(memory, count):
            each.visit(invalidate)
        memory.forget()
        asked = []
        memory.revocations.answer = lambda verb, outcome, again, asked=asked: asked.append(outcome) or outcome
        assert lives(browser)
        memory.revocations.answer = None
        assert memory.revocations.taken() == ["load_many"]
        sizes.append([len(answer) for answer in asked])
    assert sizes[0] == sizes[1]


def test_a_thousand_logouts_end_no_other_session_of_their_owner(memory):
    others = signed_in(memory.with_revocations(), 3)
    for each in signed_in(memory, 1000):
        each.visit(invalidate)
    assert all(map(lives, others))
    assert {len(record.payload) for record in records(memory).values()} == {0}


# What does not open


@pytest.mark.parametrize(
    "change",
    [
        lambda payload: payload[:-1] + bytes([payload[-1] ^ 1]),
        lambda payload: payload[:-1],
        lambda payload: b"",
        lambda payload: b"\x05",
        lambda payload: bytes(len(payload)),
    ],
    ids=["a bit", "cut", "emptied", "a byte", "zeros"],
)
def test_a_record_that_was_tampered_with_is_that_of_a_session_that_was_logged_out(memory, change):
    browser = memory.with_revocations().browser(owned)
    old = browser.copy()
    browser.visit(renew)
    name, record = record_of(memory, old)
    replace(memory, name, record._replace(payload=change(record.payload)))
    assert old.open().session.origin is Origin.GONE
    old.visit(invalidate)
    assert lives(browser)


@pytest.mark.parametrize("body", [b"", b"\x00", b"\x05", b"\x05\xc1", b"\x05\x01", b"\x05\x95\x09\x01\xc0\xc0\xc0"])
def test_a_record_that_holds_something_else_is_that_of_a_session_that_was_logged_out(memory, body):
    browser = memory.with_revocations().browser(owned)
    old = browser.copy()
    browser.visit(renew)
    name, record = record_of(memory, old)
    replace(memory, name, record._replace(payload=sealed(body, name, what_for="revoked")))
    assert old.open().session.origin is Origin.GONE


def test_the_record_of_another_session_in_its_place_does_not_open(memory):
    first, second = signed_in(memory.with_revocations(), 2)
    olds = [first.copy(), second.copy()]
    first.visit(renew)
    second.visit(renew)
    (name, _), (_, other) = (record_of(memory, old) for old in olds)
    replace(memory, name, other)
    olds[0].visit(invalidate)
    assert (lives(first), lives(second)) == (True, True)


def test_a_record_of_a_later_format_is_read_as_far_as_it_is_known(memory):
    browser = memory.with_revocations().browser(owned)
    old = browser.copy()
    browser.visit(renew)
    name, record = record_of(memory, old)
    body = b"\x05" + CODEC.pack([*said(memory, old), "later"])
    replace(memory, name, record._replace(payload=sealed(body, name, what_for="revoked")))
    old.visit(invalidate)
    assert not lives(browser)


def test_a_server_without_the_new_key_takes_an_old_id_for_ended(memory):
    old_ring, new_ring = KEY, rotated()
    memory.with_revocations().use(new_ring)
    browser = memory.browser(owned)
    old = browser.copy()
    browser.visit(renew)
    memory.use(old_ring)
    assert (lives(old), lives(browser)) == (False, False)
    memory.use(OTHER_KEY)
    old.visit(invalidate)
    assert not lives(browser)


def test_an_old_id_leads_on_through_a_rotation(memory):
    browser = memory.with_revocations().browser(owned)
    old = browser.copy()
    browser.visit(renew)
    memory.use(rotated())
    old.visit(invalidate)
    assert not lives(browser)


@pytest.mark.parametrize("how", [0, 1], ids=["renewal", "periodic"])
def test_ids_that_lead_in_a_circle_keep_no_request_from_its_end(memory, how):
    """Nobody but a holder of the keys who also writes to the store can make such records."""
    idle = timedelta(seconds=IDLE)
    memory.settings["lifetime"] = Lifetime(idle=idle, refresh_after=idle / 2, renew_after=idle / 2)
    browser = memory.with_revocations().browser(owned)
    old = browser.copy()
    slow = old.open(login("ann"))
    browser.visit(renew)
    sid = state_of(memory, old).sid
    name, record = record_of(memory, old)
    body = b"\x05" + CODEC.pack([how, memory.now, None, sid, None, memory.now + ABSOLUTE])
    replace(memory, name, record._replace(payload=sealed(body, name, what_for="revoked")))
    assert not lives(old)
    old.visit(invalidate)
    slow.finish()
    assert (old.owner(), lives(browser)) == ("ann", True)


# For how long


@OWNERS
@pytest.mark.parametrize("end", [invalidate, renew, login("ann")], ids=["logout", "renewal", "login"])
def test_an_ended_session_is_remembered_as_long_as_its_cookie_would_open_anywhere(memory, begin, end):
    browser = memory.with_revocations().browser(begin)
    until_at = memory.now + ABSOLUTE + CLOCK_SKEW_SECONDS
    memory.clock.advance(IDLE - 1)
    browser.visit(end)
    assert [record.expires_at for record in records(memory).values()] == [until_at]


def test_what_a_logout_ends_behind_an_old_id_is_remembered_until_its_own_deadline(memory):
    browser = memory.with_revocations().browser(owned)
    memory.clock.advance(IDLE - 1)
    old = browser.copy()
    browser.visit(login("ann"))
    old.visit(invalidate)
    until_at = memory.now + ABSOLUTE + CLOCK_SKEW_SECONDS
    assert record_of(memory, browser)[1].expires_at == until_at


def test_what_need_not_be_remembered_any_more_is_swept(memory):
    for each in (memory.with_revocations().browser(anonymous), *signed_in(memory, 3)):
        each.visit(invalidate)
    epoch = epoch_of(memory)
    memory.clock.advance(ABSOLUTE + CLOCK_SKEW_SECONDS)
    assert memory.revocations.delete_expired(now=memory.now, limit=100) == 4
    assert (records(memory), epoch_of(memory)) == ({}, epoch)


@OWNERS
@pytest.mark.parametrize("end", [invalidate, renew], ids=["logout", "renewal"])
@pytest.mark.parametrize("ahead", [-CLOCK_SKEW_SECONDS + 1, CLOCK_SKEW_SECONDS - 1], ids=["behind", "ahead"])
def test_servers_whose_clocks_differ_agree_on_what_has_ended(world, begin, end, ahead):
    """And a server whose clock is ahead does not forget what one behind it would still open."""
    world.with_revocations()
    other_clock = ManualClock(world.clock() + ahead)
    here, there = world.manager, world.make_manager(clock=other_clock)
    browser = world.browser(begin)
    copy = browser.copy()
    world.manager = there
    browser.visit(end)
    for _ in range(2 * ABSOLUTE // IDLE + 1):
        for manager, clock in ((here, world.clock), (there, other_clock)):
            world.manager = manager
            world.revocations.delete_expired(now=int(clock()), limit=10)
            assert not lives(copy)
            clock.advance(IDLE // 2)


def test_an_old_id_leads_on_between_servers_whose_clocks_differ(world):
    world.with_revocations()
    for ahead in (-CLOCK_SKEW_SECONDS + 1, CLOCK_SKEW_SECONDS - 1):
        browser = world.browser(owned)
        old = browser.copy()
        browser.visit(renew, manager=world.make_manager(clock=ManualClock(world.clock() + ahead)))
        old.visit(invalidate)
        assert not lives(browser)


def test_a_session_whose_deadline_passes_while_it_is_logged_out_is_no_error(world):
    browser = world.with_revocations().browser(anonymous)
    request = browser.open()
    world.clock.advance(ABSOLUTE + CLOCK_SKEW_SECONDS + 1)
    request.finish(invalidate)
    assert not lives(Browser(world, browser.cookies))


def test_a_record_that_lapses_in_the_middle_of_a_logout_is_no_error(memory):
    browser = memory.with_revocations().browser(anonymous)
    slow = browser.copy().open()
    browser.visit(invalidate)
    memory.revocations.once_before("load", lambda: memory.revocations.inner.delete(record_of(memory, copy)[0]))
    copy = slow.browser.copy()
    slow.finish(invalidate)
    assert memory.taken_names() == ["session.ended"]


def test_a_create_that_a_client_library_has_repeated_is_no_renewal_of_somebody_else(memory):
    browser = memory.with_revocations().browser(owned)
    memory.revocations.answer = lambda verb, outcome, again: again() if verb == "create" else outcome
    browser.visit(renew)
    memory.revocations.answer = None
    assert lives(browser)


def test_a_closed_record_counts_by_the_clock_of_who_reads_it(memory):
    browser = memory.with_revocations().browser(owned)
    old = browser.copy()
    browser.visit(renew)
    name, record = record_of(memory, old)
    body = b"\x05" + CODEC.pack([0, memory.now - CLOSED_SECONDS, None, state_of(memory, browser).sid, None, 0])
    replace(memory, name, Record(sealed(body, name, what_for="revoked"), record.expires_at))
    assert old.open().session.origin is Origin.GONE
