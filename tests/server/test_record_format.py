"""The bytes of a record, frozen: what one release has written, every later one opens and would write again.

``tests/golden/records.json`` holds records as version 1 wrote them, made by `make_records` below with fixed random
bytes (SHA-256 of a counter) and a clock that stands still. The file is never edited, only added to: records like these
are out there.
"""

import hashlib
import itertools
import json
import pathlib
import struct

import pytest

from cookiesess import Key, Keyring, SessionManager
from cookiesess.session.state import MOVED
from cookiesess.stores.base import Record
from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import ManualClock
from cookiesess.tokens.encoding import purpose
from cookiesess.tokens.sealing import RecordSealer, Sealer
from kit.constants import KEY, LIFETIME, NAME, NOW
from kit.views import invalidate, login, put, renew
from kit.world import World

GOLDEN = json.loads((pathlib.Path(__file__).parents[1] / "golden" / "records.json").read_text())
SECRET = bytes(range(32))


class FixedRandom:
    """SHA-256 of 0, 1, 2, …, each cut to the size that was asked for."""

    def __init__(self) -> None:
        self.numbers = itertools.count()

    def __call__(self, size: int) -> bytes:
        return hashlib.sha256(b"%d" % next(self.numbers)).digest()[:size]


def make_manager(store, random_bytes):
    return SessionManager(SECRET, store=store, lifetime=LIFETIME, clock=ManualClock(NOW), random_bytes=random_bytes)


def make_records():
    """One session that is filled, renewed and logged in: three records and three tokens."""
    store = MemoryStore()
    manager = make_manager(store, FixedRandom())
    tokens, header = [], ""
    for view in (_fill, lambda s: s.renew(), lambda s: s.login("ann")):
        session = manager.open(header)
        view(session)
        (line,) = manager.commit(session).cookies
        header = f"{line.name}={line.value}"
        tokens.append(line.value)
    names = ("renewed", "replaced by a login", "live")
    keys = sorted(store._all(), key=lambda item: item[1].version)
    rows = [
        {
            "key": key.hex(),
            "payload": record.payload.hex(),
            "summary": record.summary.hex(),
            "owner": record.owner.hex() if record.owner else None,
            "expires_at": record.expires_at,
        }
        for key, record in keys
    ]
    return {"tokens": dict(zip(names, tokens, strict=True)), "store": rows}


def _touched(manager, token):
    session = manager.open(f"__Host-session={token}")
    len(session)
    return session


def _fill(session):
    session["cart"] = ["tea", 2]
    session.flash("hello")
    session.label = "phone"
    session.persistent = True


@pytest.fixture
def manager():
    """A manager in front of the store as version 1 left it."""
    store = MemoryStore()
    for row in GOLDEN["store"]:
        owner = bytes.fromhex(row["owner"]) if row["owner"] else None
        record = Record(bytes.fromhex(row["payload"]), row["expires_at"], bytes.fromhex(row["summary"]), owner)
        store.create(bytes.fromhex(row["key"]), record, now=NOW)
    return make_manager(store, FixedRandom())


def opened(manager, name):
    return _touched(manager, GOLDEN["tokens"][name])


def test_a_record_of_version_1_opens_for_ever(manager):
    session = opened(manager, "live")
    assert (dict(session), session.owner, session.authenticated_at) == ({"cart": ["tea", 2]}, "ann", NOW)
    assert (session.created_at, session.label, session.persistent) == (NOW, "phone", True)
    assert [flash.message for flash in session.pop_flashes()] == ["hello"]


@pytest.mark.parametrize("name", ["renewed", "replaced by a login"])
def test_a_closed_record_of_version_1_is_read_as_replaced_for_ever(manager, name):
    session = opened(manager, name)
    assert session.is_new
    assert "REPLACED" in repr(session).upper()


def test_a_summary_of_version_1_is_listed_for_ever(manager):
    (info,) = manager.sessions_of("ann")
    assert (info.created_at, info.authenticated_at, info.last_seen_at, info.label) == (NOW, NOW, NOW, "phone")
    assert info.handle == manager.handle_of(opened(manager, "live"))


def test_today_a_live_record_has_the_same_bytes_but_for_the_random_ones_of_the_summary():
    """The other two are closed, which this release writes in another form: see `test_closed_format`."""
    fresh, golden = make_records()["store"], GOLDEN["store"]
    assert [row["key"] for row in fresh] == [row["key"] for row in golden]
    (live,) = [row for row in fresh if row["owner"]]
    (golden_live,) = [row for row in golden if row["owner"]]
    assert {**live, "summary": None} == {**golden_live, "summary": None}
    assert len(live["summary"]) == len(golden_live["summary"])


@pytest.mark.parametrize("name", ["renewed", "replaced by a login"])
def test_a_logout_with_an_id_behind_which_version_1_saw_a_login_ends_nothing(manager, name):
    opened(manager, name).invalidate()
    assert opened(manager, "live").owner == "ann"


MOVED_TO = 5
"""Seconds of the grace that version 1 wrote into a record that was moved."""


@pytest.fixture
def moved():
    """A session, and the closed record of its first ID as version 1 has written it."""
    world = World(MemoryStore())
    browser = world.browser(login("ann"), put("a", 1))
    old, key = browser.copy(), bytes.fromhex(world.manager.handle_of(world.manager.open(browser.header)))
    browser.visit(renew)
    plaintext = MOVED + _id_of(browser) + struct.pack(">Q", world.now + MOVED_TO)
    record = world.probe.inner.load(key, now=world.now)
    payload = RecordSealer(Keyring.of(KEY)).seal(plaintext, _id_of(old), key)
    world.probe.inner.update(key, record._replace(payload=payload), expected_version=record.version, now=world.now)
    world.forget()
    return world, browser, old


def _id_of(browser):
    plaintext, _ = Sealer(Keyring.of(KEY)).unseal(browser.token, purpose("session", NAME))
    return plaintext[1:]


def test_a_record_that_version_1_has_moved_is_read_and_written_through_its_grace(moved):
    world, browser, old = moved
    world.clock.advance(MOVED_TO - 1)
    assert old.visit(put("b", 2)) == []
    assert browser.read() == old.read() == {"a": 1, "b": 2}
    world.clock.advance(1)
    assert old.read() == {}


def test_a_record_that_version_1_has_moved_merges_what_a_slow_request_writes(moved):
    world, browser, old = moved
    slow = old.open(put("b", 2))
    world.clock.advance(MOVED_TO + 1)
    assert slow.finish() == []
    assert browser.read() == {"a": 1, "b": 2}


def test_a_record_that_version_1_has_moved_leads_a_logout_on(moved):
    world, browser, old = moved
    world.clock.advance(MOVED_TO + 1)
    old.visit(invalidate)
    assert browser.read() == {}


@pytest.mark.parametrize("row", GOLDEN["store"])
def test_a_payload_begins_with_the_version_and_the_key_id(row):
    payload = bytes.fromhex(row["payload"])
    assert payload[:5] == b"\x01" + Key(SECRET).kid


def test_a_key_is_a_hash_of_the_id():
    session_id = hashlib.sha256(b"0").digest()
    key = hashlib.sha256(b"cookiesess v1 record key" + session_id).hexdigest()
    assert key in [row["key"] for row in GOLDEN["store"]]
