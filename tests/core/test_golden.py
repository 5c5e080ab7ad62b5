"""Golden tokens: what was once sealed or signed opens for ever.

The files in ``tests/golden`` were made once, with a fixed key, fixed random bytes and a fixed clock. They must never be
regenerated: a change that makes one of these tests fail logs out everybody who holds such a cookie. A new version of a
format gets new files beside these.
"""

import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from cookiesess import Flash, Key, Keyring, SessionManager, ValueType
from cookiesess.session.state import pack, unpack
from cookiesess.testing import ManualClock
from cookiesess.tokens.encoding import decode, purpose
from cookiesess.tokens.sealing import Sealer
from cookiesess.tokens.signing import Signer
from cookiesess.tokens.values import ValueCodec
from kit.constants import NAME
from kit.marks import FORMATS
from kit.strategies import exact

FOLDER = Path(__file__).parents[1] / "golden"
KEY = "a golden key: never use it for anything else"
MADE_AT = 1_700_000_000


class Price(NamedTuple):
    amount: Decimal
    currency: str


TYPES = [ValueType(7, Price, list, lambda body: Price(*body))]

# One value of every supported type, and of every way it can be written.
EVERYTHING = {
    "None": None,
    "bool": [True, False],
    "int": [0, 1, -1, 127, -32, 128, 255, 256, 65_536, 1 << 32, (1 << 64) - 1, -(1 << 63)],
    "big int": [1 << 64, -(1 << 63) - 1, 1 << 200, -(1 << 200)],
    "float": [0.0, -0.0, 1.5, 1e300, float("inf"), float("-inf")],
    "str": ["", "ascii", "萧兮", "💡", "x" * 40],
    "bytes": [b"", b"\x00\xff"],
    "list": [[], [1, [2, [3]]]],
    "tuple": [(), (1,), (1, ("two", [3]))],
    "dict": [{}, {"b": 1, "a": {"c": 2}}],
    "dict with other keys": [{1: "int", "1": "str", b"1": "bytes", None: "None", (1, 2): "tuple", date.max: "date"}],
    "set": [set(), {1, "one", b"one", (1,)}],
    "frozenset": [frozenset(), frozenset({frozenset({1}), 2})],
    "datetime": [
        datetime(2024, 2, 29, 12, 34, 56, 789_012),
        datetime.min,
        datetime.max,
        datetime(2024, 1, 1, tzinfo=UTC),
        datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=-5), "EST")),
        datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Berlin")),
        datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1),
    ],
    "date": [date(2024, 2, 29), date.min, date.max],
    "time": [
        time(12, 34, 56, 789_012),
        time.min,
        time.max,
        time(1, 30, fold=1),
        time(8, tzinfo=ZoneInfo("Asia/Shanghai")),
    ],
    "timedelta": [timedelta(0), timedelta(days=-1, microseconds=1), timedelta.max, timedelta.min],
    "UUID": UUID("12345678-1234-5678-9abc-def012345678"),
    "Decimal": [
        Decimal("1.10"),
        Decimal("-0"),
        Decimal("1E+30"),
        Decimal("NaN"),
        Decimal("sNaN12"),
        Decimal("-Infinity"),
    ],
}
FILE = json.loads((FOLDER / "version-1.json").read_text())


def golden(what, encrypt):
    return FILE["sealed" if encrypt else "signed"][what]


def opened(what, encrypt, *, keys=KEY):
    manager = SessionManager(keys, encrypt=encrypt, types=TYPES, clock=ManualClock(MADE_AT + 60))
    return manager.open(f"{NAME}={golden(what, encrypt)}")


@FORMATS
@pytest.mark.parametrize("name", EVERYTHING)
def test_every_type_of_value_opens(name, encrypt):
    assert exact(opened("everything", encrypt)[name]) == exact(EVERYTHING[name])


@FORMATS
def test_no_value_is_lost_or_added(encrypt):
    session = opened("everything", encrypt)
    assert list(session) == [*EVERYTHING, "registered type"]
    assert not session.modified


@FORMATS
def test_a_registered_type_opens(encrypt):
    value = opened("everything", encrypt)["registered type"]
    assert (type(value), value) == (Price, (Decimal("9.99"), "EUR"))


@FORMATS
def test_a_signed_in_session_opens_with_all_it_had(encrypt):
    session = opened("everything", encrypt)
    assert not session.is_new
    assert (session.owner, session.created_at, session.authenticated_at) == ("user-42", MADE_AT - 600, MADE_AT - 300)
    assert (session.persistent, session.idle, session.label) == (True, timedelta(hours=2), "萧兮's phone")
    assert session.check_csrf(FILE["csrf_token"])
    assert session.pop_flashes() == [Flash("saved", "message"), Flash({"n": 1}, "error")]


@FORMATS
def test_a_small_session_opens(encrypt):
    session = opened("small", encrypt)
    assert dict(session) == {"username": "萧兮"}
    assert (session.owner, session.authenticated_at, session.persistent, session.idle) == (None, None, None, None)
    assert session.created_at == MADE_AT


@FORMATS
def test_a_session_opens_under_a_key_that_was_rotated_out(encrypt):
    assert dict(opened("small", encrypt, keys=f"{'n' * 32},{KEY}")) == {"username": "萧兮"}


@pytest.mark.parametrize("view", ["sealed", "signed"])
@pytest.mark.parametrize(("name", "value"), [("plain", "settings cookie"), ("unicode", "萧兮; \"'\\"), ("empty", "")])
def test_a_protected_cookie_opens(view, name, value):
    jar = SessionManager(KEY).jar(f"{name}={FILE[f'{view}_cookies'][name]}")
    assert getattr(jar, view).get(name) == value


@pytest.mark.parametrize("view", ["sealed", "signed"])
@pytest.mark.parametrize(("seconds", "expected"), [(3599, "value"), (3600, None)])
def test_a_protected_cookie_opens_until_its_deadline(view, seconds, expected):
    jar = SessionManager(KEY, clock=ManualClock(MADE_AT + seconds)).jar(f"timed={FILE[f'{view}_cookies']['timed']}")
    assert getattr(jar, view).get("timed") == expected


def test_the_keys_ids_and_derived_keys_are_those_of_the_first_day():
    key = Key(KEY)
    assert key.kid.hex() == FILE["kid"]
    assert {purpose: key.derive(purpose).hex() for purpose in FILE["derived"]} == FILE["derived"]


# The other direction: what is written today is what was written then. Readers of the last release meet it during every
# deployment, so a change here is a new version of the format, not an edit of the file.


def plaintext(what):
    opened, _ = Sealer(Keyring(KEY)).unseal(golden(what, True), purpose("session", NAME))
    return opened


@pytest.mark.parametrize("what", ["everything", "small"])
def test_both_formats_hold_the_same_plaintext(what):
    opened, _ = Signer(Keyring(KEY)).unsign(golden(what, False), purpose("session", NAME))
    assert opened == plaintext(what)


@pytest.mark.parametrize("what", ["everything", "small"])
def test_what_was_read_is_written_as_the_same_bytes(what):
    codec = ValueCodec(TYPES)
    assert pack(unpack(plaintext(what), codec, now=MADE_AT), codec) == plaintext(what)


@pytest.mark.parametrize("what", ["everything", "small"])
def test_sealing_the_same_with_the_same_random_bytes_gives_the_same_token(what):
    random = iter([decode(golden(what, True))[5:17], decode(golden(what, True))[17:29]])
    sealer = Sealer(Keyring(KEY), random_bytes=lambda count: next(random))
    assert sealer.seal(plaintext(what), purpose("session", NAME)) == golden(what, True)


@pytest.mark.parametrize("what", ["everything", "small"])
def test_signing_the_same_gives_the_same_token(what):
    assert Signer(Keyring(KEY)).sign(plaintext(what), purpose("session", NAME)) == golden(what, False)


@pytest.mark.parametrize(
    ("name", "value", "attributes"), [("plain", "settings cookie", {}), ("timed", "value", {"max_age": 3600})]
)
def test_a_signed_cookie_is_written_as_the_same_token(name, value, attributes):
    jar = SessionManager(KEY, clock=ManualClock(MADE_AT)).jar("")
    jar.signed.set(name, value, **attributes)
    assert [cookie.value for cookie in jar.commit()] == [FILE["signed_cookies"][name]]
