"""The bytes of closed records, frozen: what says for ten minutes what an old ID leads to, to every later release.

``tests/golden/closed-records.json`` holds one record closed in each way, and the session that they end in, made by
`make_records` below with fixed random bytes and a fixed clock. The file is never edited, only added to.
"""

import hashlib
import itertools
import json
import pathlib
from datetime import timedelta

import pytest

from cookiesess import Key, Keyring, Lifetime, SessionManager
from cookiesess.session.closing import CLOSED, How, derived_csrf, pack_closed, unpack_closed
from cookiesess.stores.base import Record
from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import ManualClock
from cookiesess.tokens.encoding import purpose
from cookiesess.tokens.sealing import RecordSealer, Sealer, record_key_of
from cookiesess.tokens.values import ValueCodec
from kit.browser import Browser
from kit.constants import NAME, NOW
from kit.lines import is_expiry
from kit.views import every, invalidate, login, put, renew

FILE = pathlib.Path(__file__).parents[1] / "golden" / "closed-records.json"
GOLDEN = json.loads(FILE.read_text())
SECRET = bytes(range(32))
LIFETIME = Lifetime(refresh_after=timedelta(0), renew_after=timedelta(seconds=60))
CLOSED_AT = {"renewed": NOW + 1, "renewed in time": NOW + 61, "logged in again": NOW + 62, "logged in": NOW + 63}
END = NOW + 63
NAMES = [*CLOSED_AT, "live"]
HOW = dict(zip(CLOSED_AT, (How.RENEWAL, How.PERIODIC, How.REAUTHENTICATION, How.LOGIN), strict=True))


class FixedRandom:
    """SHA-256 of 0, 1, 2, …, each cut to the size that was asked for."""

    def __init__(self) -> None:
        self.numbers = itertools.count()

    def __call__(self, size: int) -> bytes:
        return hashlib.sha256(b"%d" % next(self.numbers)).digest()[:size]


def make_manager(store, now):
    clock = ManualClock(now)
    return clock, SessionManager(SECRET, store=store, lifetime=LIFETIME, clock=clock, random_bytes=FixedRandom())


def make_records():
    """One session of Ann's that gets a new ID in each way, and is Bob's in the end; another that stays hers."""
    store, csrf = MemoryStore(), []
    clock, manager = make_manager(store, NOW)
    browser, tokens = Browser(manager), {}
    start = every(login("ann"), put("cart", ["tea"]), lambda s: csrf.append(s.csrf_token()))
    views = (start, renew, len, login("ann"), login("bob"))
    for name, view, visited_at in zip(NAMES, views, [NOW, *CLOSED_AT.values()], strict=True):
        clock.advance(visited_at - clock())
        browser.visit(view)
        tokens[name] = browser.token
    other = Browser(manager)
    for name, view in (("Ann's first", start), ("Ann's second", login("ann")), ("Ann's third", renew)):
        other.visit(view)
        tokens[name] = other.token
    rows = [
        {
            "key": key.hex(),
            "payload": record.payload.hex(),
            "summary": record.summary.hex(),
            "owner": record.owner.hex() if record.owner else None,
            "expires_at": record.expires_at,
        }
        for key, record in sorted(store._all())
    ]
    derived = derived_csrf(bytes(32)).hex()
    return {"csrf_token": csrf[0], "derived_csrf": derived, "tokens": tokens, "store": rows}


@pytest.fixture
def manager():
    """A manager in front of the store as that session has left it."""
    store = MemoryStore()
    for row in GOLDEN["store"]:
        owner = bytes.fromhex(row["owner"]) if row["owner"] else None
        record = Record(bytes.fromhex(row["payload"]), row["expires_at"], bytes.fromhex(row["summary"]), owner)
        store.create(bytes.fromhex(row["key"]), record, now=NOW)
    return make_manager(store, END)[1]


def browser_of(manager, name):
    return Browser(manager, f"{NAME}={GOLDEN['tokens'][name]}")


def id_of(name):
    plaintext, _ = Sealer(Keyring(SECRET)).unseal(GOLDEN["tokens"][name], purpose("session", NAME))
    return plaintext[1:]


def plaintext_of(name):
    session_id = id_of(name)
    key = record_key_of(session_id)
    (payload,) = [row["payload"] for row in GOLDEN["store"] if row["key"] == key.hex()]
    plaintext, _ = RecordSealer(Keyring(SECRET)).unseal(bytes.fromhex(payload), session_id, key)
    return plaintext


every_closing = pytest.mark.parametrize("name", CLOSED_AT)


@every_closing
def test_a_closed_record_reads_as_replaced_for_ever(manager, name):
    session = manager.open(browser_of(manager, name).header)
    assert (session.owner, dict(session), session.is_new) == (None, {}, True)
    assert "replaced" in repr(session)


@every_closing
def test_a_closed_record_keeps_the_forms_of_what_it_replaced_valid_for_ever(manager, name):
    session = manager.open(browser_of(manager, name).header)
    valid = session.check_csrf(GOLDEN["csrf_token"])
    assert valid is (name != "logged in")  # the login before that one has made another secret
    assert session.check_csrf(session.csrf_token())


def test_a_closed_record_of_a_session_without_a_secret_has_that_of_its_id_for_ever():
    assert derived_csrf(bytes(32)).hex() == GOLDEN["derived_csrf"]
    assert len({derived_csrf(bytes([number]) * 32) for number in range(10)}) == 10


@pytest.mark.parametrize("name", ["Ann's first", "Ann's second"])
def test_a_closed_record_leads_a_logout_on_for_ever(manager, name):
    assert browser_of(manager, "Ann's third").owner() == "ann"
    assert is_expiry(browser_of(manager, name).visit(invalidate))
    assert browser_of(manager, "Ann's third").owner() is None


@every_closing
def test_no_closed_record_leads_a_logout_on_to_a_session_that_was_given_to_somebody_else(manager, name):
    browser_of(manager, name).visit(invalidate)
    assert browser_of(manager, "live").owner() == "bob"


def test_the_session_that_they_end_in_opens(manager):
    assert browser_of(manager, "live").owner() == "bob"


@every_closing
def test_a_closed_record_says_how_and_when_it_was_closed_and_what_took_its_place(name):
    following = id_of(NAMES[NAMES.index(name) + 1])
    closed = unpack_closed(plaintext_of(name), ValueCodec(), grace_seconds=10)
    assert (closed.how, closed.closed_at) == (HOW[name], CLOSED_AT[name])
    assert closed.successor == (following if name != "logged in" else None)
    assert closed.successor_key == record_key_of(following)
    assert closed.grace_until_at == (CLOSED_AT[name] + 10 if name == "renewed in time" else 0)


@every_closing
def test_what_was_read_is_written_as_the_same_bytes(name):
    codec, plaintext = ValueCodec(), plaintext_of(name)
    assert plaintext[:1] == CLOSED
    assert pack_closed(unpack_closed(plaintext, codec, grace_seconds=0), codec) == plaintext


@every_closing
def test_further_elements_are_passed_over(name):
    codec = ValueCodec()
    longer = CLOSED + codec.pack([*codec.loads(plaintext_of(name)[1:]), "of the future"])
    assert (
        unpack_closed(longer, codec, grace_seconds=0)[:5]
        == unpack_closed(plaintext_of(name), codec, grace_seconds=0)[:5]
    )


@every_closing
def test_what_extensions_keep_for_their_forms_stands_behind_the_deadline_of_the_successor(name):
    codec, closed = ValueCodec(), unpack_closed(plaintext_of(name), ValueCodec(), grace_seconds=0)
    plaintext = pack_closed(closed._replace(forms=(("csrf_token", "secret"),)), codec)
    assert codec.loads(plaintext[1:])[5:] == [None, {"csrf_token": "secret"}]
    assert unpack_closed(plaintext, codec, grace_seconds=0).forms == (("csrf_token", "secret"),)


@pytest.mark.parametrize("forms", [7, "secret", ["csrf"], {"cart": "tea"}, {7: "x"}, {"csrf": 7}, {"csrf": "x" * 129}])
def test_forms_of_another_shape_are_passed_over(forms):
    codec = ValueCodec()
    array = [*codec.loads(plaintext_of("renewed")[1:]), None, forms]
    assert unpack_closed(CLOSED + codec.pack(array), codec, grace_seconds=0).forms == ()


@every_closing
def test_a_closed_record_lasts_ten_minutes_and_names_nobody(name):
    key = record_key_of(id_of(name)).hex()
    (row,) = [row for row in GOLDEN["store"] if row["key"] == key]
    assert (row["owner"], row["summary"], row["expires_at"]) == (None, "", CLOSED_AT[name] + 600)
    assert bytes.fromhex(row["payload"])[:5] == b"\x01" + Key(SECRET).kid


def test_today_the_same_bytes_are_written_but_for_the_random_ones_of_the_summary():
    fresh, golden = make_records(), GOLDEN
    assert [fresh[key] for key in ("csrf_token", "derived_csrf")] == [
        golden[key] for key in ("csrf_token", "derived_csrf")
    ]
    assert [*fresh["tokens"]] == [*golden["tokens"]]
    assert [{**row, "summary": len(row["summary"])} for row in fresh["store"]] == [
        {**row, "summary": len(row["summary"])} for row in golden["store"]
    ]
