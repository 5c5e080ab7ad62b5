"""Golden samples of what client-side sessions leave in cookies and stores: what was once written opens for ever.

``tests/golden/client-side.json`` was made once, with a fixed key, a clock that stood still, and session IDs that are
SHA-256 of a counter. It must never be made again: what a change breaks here is out there, in browsers and stores. A new
version of a format gets a file of its own beside it.
"""

import hashlib
import hmac
import json
from pathlib import Path

import pytest

from cookiesess import CookiePolicy, Key, Keyring, SessionManager
from cookiesess.backends.overflow import session_id_of
from cookiesess.session.compression import expand
from cookiesess.session.state import COMPRESSED, pack, unpack
from cookiesess.stores.base import Record
from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import ManualClock
from cookiesess.tokens.encoding import purpose
from cookiesess.tokens.sealing import Sealer
from cookiesess.tokens.sealing import record_key_of as key_of
from cookiesess.tokens.signing import Signer
from cookiesess.tokens.values import ValueCodec
from kit.constants import NAME, REF
from kit.marks import FORMATS
from kit.probe import Probe

FILE = json.loads((Path(__file__).parents[1] / "golden" / "client-side.json").read_text())
KEY = "a golden key: never use it for anything else"
MADE_AT = 1_700_000_000
TEXT = "the same words again and again, " * 20
NOISE = "".join(hashlib.sha256(b"%d" % number).hexdigest() for number in range(12))
CHUNKED = CookiePolicy(max_bytes=512, chunks=3)


def golden(what, encrypt):
    return FILE["sealed" if encrypt else "signed"][what]


def store_of(what, encrypt):
    """A store as version 1 left it."""
    store = MemoryStore()
    for row in golden(what, encrypt):
        summary = bytes.fromhex(row.get("summary", ""))
        record = Record(bytes.fromhex(row["payload"]), row["expires_at"], summary)
        store.create(bytes.fromhex(row["key"]), record, now=MADE_AT)
    return Probe(store)


def opened(what, encrypt, *, keys=KEY, seconds=60, **settings):
    manager = SessionManager(keys, encrypt=encrypt, clock=ManualClock(MADE_AT + seconds), **settings)
    return manager.open("; ".join(f"{name}={value}" for name, value in golden(what, encrypt).items()))


def plaintext(what, encrypt, name=NAME):
    unseal = Sealer(Keyring(KEY)).unseal if encrypt else Signer(Keyring(KEY)).unsign
    return unseal(golden(what, encrypt)[name], purpose("session", name))[0]


def state(what, encrypt):
    return unpack(plaintext(what, encrypt), ValueCodec(), now=MADE_AT)


@FORMATS
@pytest.mark.parametrize("compress", [True, False], ids=["and written still", "and read alone"])
def test_a_compressed_session_opens(encrypt, compress):
    assert plaintext("compressed", encrypt)[:1] == COMPRESSED
    assert dict(opened("compressed", encrypt, compress=compress)) == {"text": TEXT}


@FORMATS
def test_what_was_compressed_is_what_an_inline_session_holds(encrypt):
    inline = expand(plaintext("compressed", encrypt))
    assert pack(unpack(inline, ValueCodec(), now=MADE_AT), ValueCodec()) == inline


@FORMATS
def test_a_session_in_three_cookies_opens(encrypt):
    assert list(golden("chunked", encrypt)) == [NAME, f"{NAME}.1", f"{NAME}.2"]
    assert golden("chunked", encrypt)[NAME].startswith("3~")
    assert dict(opened("chunked", encrypt, cookie=CHUNKED)) == {"noise": NOISE}


def test_a_signed_session_is_cut_into_the_same_pieces():
    manager = SessionManager(KEY, encrypt=False, clock=ManualClock(MADE_AT), cookie=CHUNKED)
    session = manager.open("")
    session["noise"] = NOISE
    assert {line.name: line.value for line in manager.commit(session).cookies} == golden("chunked", False)


@FORMATS
@pytest.mark.parametrize("what", ["without an owner", "live", "of an older generation", "before the move"])
def test_a_session_with_an_id_opens(encrypt, what):
    assert dict(opened(what, encrypt)) == {"a": 1}
    assert len(state(what, encrypt).sid) == 16


@FORMATS
@pytest.mark.parametrize("what", ["without an owner", "live", "of an older generation"])
def test_what_was_read_is_written_as_the_same_bytes(encrypt, what):
    assert pack(state(what, encrypt), ValueCodec()) == plaintext(what, encrypt)


@FORMATS
def test_a_token_holds_the_generation_of_its_login(encrypt):
    found = {what: state(what, encrypt).extras for what in ("without an owner", "of an older generation", "live")}
    assert list(found.values()) == [{}, {"g": 1}, {"g": 2}]


@FORMATS
@pytest.mark.parametrize(
    ("what", "lives"),
    [
        ("without an owner", True),
        ("ended without an owner", False),
        ("live", True),
        ("ended", False),
        ("of an older generation", False),
    ],
)
@pytest.mark.parametrize("keys", [KEY, f"{'n' * 32},{KEY}"], ids=["current", "accepted"])
def test_what_was_ended_stays_ended(encrypt, what, lives, keys):
    session = opened(what, encrypt, keys=keys, revocations=store_of("revocations", encrypt))
    assert dict(session) == ({"a": 1} if lives else {})


@FORMATS
def test_endings_are_named_as_on_the_first_day(encrypt):
    secret = bytes.fromhex(FILE["derived"]["revocation"])
    assert Key(KEY).derive("revocation") == secret
    sid = state("ended without an owner", encrypt).sid
    expected = {hmac.digest(secret, b"ann", "sha256"), hashlib.sha256(b"cookiesess v1 revoked" + sid).digest()}
    assert {bytes.fromhex(row["key"]) for row in golden("revocations", encrypt)} == expected


@FORMATS
def test_a_ledger_holds_the_generation_and_what_was_ended(encrypt):
    (row,) = (row for row in golden("revocations", encrypt) if row["payload"])
    name = bytes.fromhex(row["key"])
    body, _ = Sealer(Keyring(KEY)).unseal_bytes(bytes.fromhex(row["payload"]), purpose("revocation") + name)
    until_at = MADE_AT + 30 * 24 * 3600 + 300
    assert ValueCodec().loads(body) == [2, until_at, {state("ended", encrypt).sid: until_at}]
    assert row["expires_at"] == until_at


@FORMATS
def test_a_session_that_has_moved_opens(encrypt):
    session = opened("moved", encrypt, overflow=store_of("overflow", encrypt))
    assert dict(session) == {"a": 1, "noise": NOISE * 5}


@FORMATS
def test_a_reference_holds_the_id_that_the_sessions_own_leads_to(encrypt):
    sid = state("before the move", encrypt).sid
    session_id = hashlib.sha256(b"cookiesess v1 overflow" + sid).digest()
    assert session_id_of(sid) == session_id
    assert plaintext("moved", encrypt, REF) == b"\x01" + session_id
    assert [row["key"] for row in golden("overflow", encrypt)] == [key_of(session_id).hex()]
