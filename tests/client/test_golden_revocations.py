"""Golden samples of what revocations leave in cookies and in their store: what was once written counts for ever.

``tests/golden/revocations.json`` was made once, as ``client-side.json`` beside it, by the version that gave each ended
session a record of its own and the store an epoch. The older file is what the first version has left.
"""

import hashlib
import json
from pathlib import Path

import pytest

from cookiesess import Keyring, SessionManager
from cookiesess.session.closing import CLOSED_SECONDS
from cookiesess.session.state import EPOCH, Origin, pack, unpack
from cookiesess.stores.base import Record
from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import ManualClock
from cookiesess.tokens.encoding import purpose
from cookiesess.tokens.sealing import Sealer
from cookiesess.tokens.signing import Signer
from cookiesess.tokens.values import ValueCodec
from kit.constants import NAME
from kit.marks import FORMATS
from kit.probe import Probe

FILE = json.loads((Path(__file__).parents[1] / "golden" / "revocations.json").read_text())
KEY = "a golden key: never use it for anything else"
MADE_AT = 1_700_000_000
UNTIL_AT = MADE_AT + 30 * 24 * 3600
CODEC = ValueCodec()
# How each old ID was closed, and whether it leads on.
OLD = {"renewed": (0, True), "logged in again": (2, True), "logged in": (3, False)}


def golden(what, encrypt):
    return FILE["sealed" if encrypt else "signed"][what]


def manager_of(encrypt, *, keys=KEY, seconds=60):
    """A manager in front of the store as it was left."""
    store = MemoryStore()
    for row in golden("store", encrypt):
        record = Record(bytes.fromhex(row["payload"]), row["expires_at"])
        store.create(bytes.fromhex(row["key"]), record, now=MADE_AT)
    return SessionManager(keys, encrypt=encrypt, clock=ManualClock(MADE_AT + seconds), revocations=Probe(store))


def opened(manager, what, encrypt):
    return manager.open(f"{NAME}={golden(what, encrypt)[NAME]}")


def plaintext(what, encrypt):
    unseal = Sealer(Keyring(KEY)).unseal if encrypt else Signer(Keyring(KEY)).unsign
    return unseal(golden(what, encrypt)[NAME], purpose("session", NAME))[0]


def state(what, encrypt):
    return unpack(plaintext(what, encrypt), CODEC, now=MADE_AT)


def row_of(name, encrypt):
    (row,) = (row for row in golden("store", encrypt) if row["key"] == name.hex())
    return bytes.fromhex(row["payload"]), row["expires_at"]


def name_of(what, encrypt):
    return hashlib.sha256(b"cookiesess v1 revoked" + state(what, encrypt).sid).digest()


@FORMATS
@pytest.mark.parametrize("keys", [KEY, f"{'n' * 32},{KEY}"], ids=["current", "accepted"])
@pytest.mark.parametrize(
    ("what", "origin"),
    [
        ("live", Origin.LOADED),
        ("without an owner", Origin.LOADED),
        ("renewed, now", Origin.LOADED),
        ("logged in again, now", Origin.LOADED),
        ("logged in, now", Origin.LOADED),
        ("renewed", Origin.REPLACED),
        ("logged in again", Origin.REPLACED),
        ("logged in", Origin.REPLACED),
        ("ended", Origin.GONE),
        ("of an older generation", Origin.GONE),
        ("of an earlier epoch", Origin.GONE),
    ],
)
def test_each_session_is_what_it_was(encrypt, keys, what, origin):
    session = opened(manager_of(encrypt, keys=keys), what, encrypt)
    assert session.origin is origin
    assert dict(session) == ({"a": 1} if origin is Origin.LOADED else {})


@FORMATS
def test_a_token_holds_the_epoch_of_its_store(encrypt):
    payload, expires_at = row_of(hashlib.sha256(b"cookiesess v1 epoch").digest(), encrypt)
    assert payload == b"\x01" + state("live", encrypt).extras["x"]
    assert (len(payload), expires_at, EPOCH) == (9, 253_402_300_799, "x")


@FORMATS
@pytest.mark.parametrize("what", ["live", "without an owner", "of an earlier epoch"])
def test_what_was_read_is_written_as_the_same_bytes(encrypt, what):
    assert pack(state(what, encrypt), CODEC) == plaintext(what, encrypt)


@FORMATS
def test_a_session_that_was_logged_out_has_an_empty_record(encrypt):
    assert row_of(name_of("ended", encrypt), encrypt) == (b"", UNTIL_AT + 300)


@FORMATS
@pytest.mark.parametrize("what", OLD)
def test_a_session_that_was_closed_has_a_record_that_says_how(encrypt, what):
    name = name_of(what, encrypt)
    payload, expires_at = row_of(name, encrypt)
    body, _ = Sealer(Keyring(KEY)).unseal_bytes(payload, purpose("revoked") + name)
    how, leads_on = OLD[what]
    successor = [state(f"{what}, now", encrypt).sid, None, UNTIL_AT] if leads_on else [None, None]
    assert (body[:1], CODEC.loads(body[1:])) == (b"\x05", [how, MADE_AT, None, *successor])
    assert expires_at == UNTIL_AT + 300


@FORMATS
@pytest.mark.parametrize("what", OLD)
def test_a_logout_under_an_old_id_ends_what_it_leads_on_to(encrypt, what):
    manager = manager_of(encrypt)
    opened(manager, what, encrypt).invalidate()
    leads_on = OLD[what][1]
    assert (opened(manager, f"{what}, now", encrypt).owner is None) is leads_on


@FORMATS
@pytest.mark.parametrize("what", OLD)
def test_an_old_id_is_gone_after_ten_minutes(encrypt, what):
    assert opened(manager_of(encrypt, seconds=CLOSED_SECONDS), what, encrypt).origin is Origin.GONE
