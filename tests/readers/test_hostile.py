"""Whatever a browser sends or a holder of the secret signs: a session or `InvalidToken`, and nothing else."""

import hashlib
import hmac
import json
import zlib
from base64 import b64encode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import Signer

from cookiesess import SessionManager
from cookiesess.errors import InvalidToken
from cookiesess.readers import BeakerCookie, DjangoSignedCookie, FlaskCookie, PyramidSignedCookie, StarletteCookie
from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import CookieHeader
from kit.constants import KEY, SECRET, UNTIL

NOW = 1_800_000_000
MOMENT = urlsafe_b64encode(NOW.to_bytes(4, "big")).rstrip(b"=")
READERS = {
    "beaker": BeakerCookie(SECRET, until=UNTIL),
    "beaker encrypted": BeakerCookie(SECRET, until=UNTIL, encrypt_key=SECRET),
    "django": DjangoSignedCookie(SECRET, until=UNTIL),
    "flask": FlaskCookie(SECRET, until=UNTIL),
    "pyramid": PyramidSignedCookie(SECRET, until=UNTIL),
    "starlette": StarletteCookie(SECRET, until=UNTIL),
}
every = pytest.mark.parametrize("name", READERS)


def base64url(data):
    return urlsafe_b64encode(data).rstrip(b"=")


def beaker(body):
    return hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest() + body.decode("latin-1")


def flask(payload):
    signer = Signer(SECRET, "cookie-session", key_derivation="hmac", digest_method=hashlib.sha1)
    return signer.sign(payload + b"." + MOMENT).decode("latin-1")


def django(payload):
    salt = "django.contrib.sessions.backends.signed_cookies"
    signer = Signer(SECRET, salt, ":", "django-concat", hashlib.sha256)
    return signer.sign(payload + b":1xocE4").decode("latin-1")


def pyramid(payload):
    return base64url(hmac.digest(b"pyramid.session." + SECRET.encode(), payload, "sha512") + payload).decode()


# What signs any bytes as the library would.
SIGNERS = {
    "beaker": beaker,
    "beaker encrypted": beaker,
    "django": django,
    "flask": flask,
    "pyramid": pyramid,
    "starlette": lambda payload: Signer(SECRET).sign(payload + b"." + MOMENT).decode("latin-1"),
}
# How each library spells text, before it signs.
SPELLINGS = {
    "beaker": lambda text: b64encode(zlib.compress(text)),
    "beaker encrypted": lambda text: b"A" * 24 + b64encode(text),
    "django": lambda text: b"." + base64url(zlib.compress(text)),
    "flask": base64url,
    "pyramid": bytes,
    "starlette": b64encode,
}

NUMBERS = st.integers() | st.floats() | st.sampled_from([NOW, 0, -1, 10**40, -(10**40), 1e308, -1e308])
# As Flask writes them, and beyond what a calendar, a clock or a C integer holds.
DATES = [
    "Mon, 01 Jan 2024 00:00:00 GMT",
    "Mon, 01 Jan 10000000000000000000 00:00:00 GMT",
    "Mon, 01 Jan 2024 00:00:00 +99999999999999",
    "Mon, 01 Jan 0001 00:00:00 +2359",
    "Mon, 31 Dec 9999 23:59:59 -2359",
    "Mon, 00 Jan 2024 25:61:61 GMT",
]
TEXTS = st.text(max_size=5) | st.sampled_from(DATES) | st.text("0123456789 :,+-JanMonGMT", max_size=40)
TAGS = [" t", " b", " u", " d", " di", " m", "_creation_time", "_accessed_time", "a"]
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(TAGS), inner, max_size=3),
    max_leaves=8,
)


def session_in(name, data, created_at, written_at):
    """A session of `data` as the library puts it into JSON; Beaker and Pyramid write their times there."""
    times = {"_creation_time": created_at, "_accessed_time": written_at}
    whole = {
        "beaker": {**data, **times},
        "beaker encrypted": {**data, **times},
        "pyramid": [written_at, created_at, data],
    }
    return json.dumps(whole.get(name, data)).encode()


def opens_or_is_refused(reader, value):
    try:
        found = reader.open(value, now=NOW)
    except InvalidToken as error:
        return error.reason
    assert type(found.data) is dict
    return None


@every
@given(value=st.text(max_size=80) | st.text(".:=+/-_AQz09", max_size=200))
def test_text_that_nobody_signed_is_refused(name, value):
    assert opens_or_is_refused(READERS[name], value) in {"forged", "malformed"}


@every
@given(payload=st.binary(max_size=80))
def test_signed_bytes_do_no_harm(name, payload):
    opens_or_is_refused(READERS[name], SIGNERS[name](payload))
    opens_or_is_refused(READERS[name], SIGNERS[name](b"." + base64url(payload)))
    opens_or_is_refused(READERS[name], SIGNERS[name](SPELLINGS[name](payload)))


@every
@given(value=JSON)
def test_signed_json_does_no_harm(name, value):
    text = json.dumps(value).encode()
    opens_or_is_refused(READERS[name], SIGNERS[name](SPELLINGS[name](text)))


@pytest.mark.parametrize("date", DATES[1:])
def test_a_date_beyond_the_calendar_is_refused_or_one_of_its_edges(date):
    value = SIGNERS["flask"](SPELLINGS["flask"](json.dumps({"x": {" d": date}}).encode()))
    assert opens_or_is_refused(READERS["flask"], value) in {"plaintext", None}


@every
@given(data=st.dictionaries(st.sampled_from(TAGS), JSON, max_size=3), created_at=NUMBERS, written_at=NUMBERS)
def test_whatever_is_signed_a_request_with_it_is_served(name, data, created_at, written_at):
    """The middleware asks no reader what it may raise: a page is made, from the session or from none."""
    value = SIGNERS[name](SPELLINGS[name](session_in(name, data, created_at, written_at)))
    manager = SessionManager(KEY, accept=[READERS[name]], clock=lambda: NOW, store=MemoryStore())
    session = manager.open(f"{READERS[name].cookie_name}={value}")
    session["seen"] = session.created_at
    cookies = CookieHeader()
    cookies.follow([cookie.line for cookie in manager.commit(session).cookies])
    assert manager.open(cookies.value)["seen"] == session.created_at


@pytest.mark.parametrize("name", ["django", "flask"])
def test_a_signed_bomb_is_refused(name):
    bomb = zlib.compress(b'{"a": "' + b"b" * 3_000_000 + b'"}', 9)
    assert len(bomb) < 4096
    assert opens_or_is_refused(READERS[name], SIGNERS[name](b"." + base64url(bomb))) == "plaintext"


@pytest.mark.parametrize("name", ["django", "flask", "starlette"])
def test_the_signers_of_these_tests_are_the_libraries_own(name):
    assert opens_or_is_refused(READERS[name], SIGNERS[name](SPELLINGS[name](b'{"a": 1}'))) is None


@every
def test_a_refusal_repeats_nothing_of_the_value(name):
    value = SIGNERS[name](SPELLINGS[name](b"secret text that is not JSON"))
    with pytest.raises(InvalidToken) as raised:
        READERS[name].open(value, now=NOW)
    assert str(raised.value) == raised.value.reason
    assert raised.value.reason in {"plaintext", "pickle"}
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
