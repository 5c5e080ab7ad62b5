"""What is spelled out twice for speed says the same both times."""

import hashlib
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import itsdangerous
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cookiesess import CookieAttributes, CookiePolicy, InvalidToken, Keyring, NotSerializable, SessionManager, SetCookie
from cookiesess.http.headers import _RELATED_HEADERS, _UNRELATED_HEADERS, Commit, with_ours
from cookiesess.http.policy import Transport
from cookiesess.session.changes import Tracked
from cookiesess.session.closing import How
from cookiesess.session.decision import decide
from cookiesess.session.state import Origin, State
from cookiesess.session.steps import NOTHING_ASKED, Asked, Loaded
from cookiesess.session.working_copy import WorkingCopy
from cookiesess.tokens.encoding import decode, encode
from cookiesess.tokens.extensions import _EPOCH, _decode_datetime, _encode_datetime
from cookiesess.tokens.sealing import Sealer
from cookiesess.tokens.signing import Signer
from cookiesess.tokens.values import MAX_DEPTH, ValueCodec, _is_plain
from kit.constants import KEY
from kit.strategies import VALUES

CODEC = ValueCodec()
SIGNER = Signer(Keyring(KEY))
ODD = st.sampled_from([object(), bytearray(b"x"), "\ud800", {"\ud800": 1}, {1: "\ud800"}, ["a", {"b": object()}]])


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


@given(VALUES | ODD | st.lists(ODD | VALUES, max_size=3) | st.dictionaries(st.text(), ODD | VALUES, max_size=3))
@example(nested(MAX_DEPTH))
@example(nested(MAX_DEPTH + 1))
@example({"a": nested(MAX_DEPTH - 1)})
@example({"a": nested(MAX_DEPTH)})
def test_a_value_that_the_fast_walk_lets_through_passes_the_exact_one(value):
    if _is_plain(value, MAX_DEPTH):
        CODEC.dumps(value)


@given(
    st.recursive(st.text() | st.integers(-5, 5), lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner))
)
def test_the_fast_walk_lets_through_what_json_has(value):
    assert _is_plain([value], MAX_DEPTH)


@given(st.text("AZaz09-_+/=! \u00e9", max_size=12) | st.binary(max_size=12).map(lambda raw: raw.hex()))
def test_a_token_is_decoded_as_any_base64url_is(text):
    sealer = Sealer(Keyring(KEY))
    with pytest.raises(InvalidToken) as raised:
        sealer.unseal(text, b"")
    try:
        raw = decode(text)
    except ValueError:
        assert raised.value.reason == "malformed"
    else:
        with pytest.raises(InvalidToken) as again:
            sealer.unseal_bytes(raw, b"")
        assert raised.value.reason == again.value.reason


@given(st.binary(max_size=60))
def test_a_token_is_encoded_as_any_base64url_is(plaintext):
    one, other = (Sealer(Keyring(KEY), random_bytes=bytes) for _ in range(2))
    assert one.seal(plaintext, b"p") == encode(other.seal_bytes(plaintext, b"p"))


@given(st.binary(max_size=60), st.binary(max_size=9))
def test_a_token_is_signed_as_a_signer_of_itsdangerous_does_it_that_is_set_up_anew(plaintext, purpose):
    theirs = itsdangerous.Signer(
        Keyring(KEY).current.derive("sign"),
        salt=b"cookiesess v1 sign " + purpose,
        key_derivation="hmac",
        digest_method=hashlib.sha256,
    )
    token = theirs.sign(encode(plaintext)).decode()
    assert SIGNER.sign(plaintext, purpose) == token
    assert SIGNER.unsign(token, purpose) == (plaintext, True)


@given(st.datetimes(), st.sampled_from([0, 1]), st.booleans())
def test_a_datetime_in_utc_and_a_naive_one_are_coded_as_any_other_is(moment, fold, aware):
    moment = moment.replace(fold=fold, tzinfo=UTC if aware else None)
    microseconds, *rest = _encode_datetime(moment)
    plain = _EPOCH + timedelta(microseconds=microseconds)
    assert plain == moment.replace(tzinfo=None)
    assert rest == [fold, *([0] if aware else [])]
    back = _decode_datetime([microseconds, *rest])
    assert (back, back.fold, back.tzinfo) == (moment, moment.fold, moment.tzinfo)


def test_no_header_that_is_passed_over_by_its_spelling_is_about_caching():
    for name in _UNRELATED_HEADERS:
        assert name.lower() not in _RELATED_HEADERS
        assert not name.lower().endswith("cache-control")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Vary", "Cache-Control", "Expires", "Edge-Control", *sorted(_UNRELATED_HEADERS)]),
            st.sampled_from(["", "public", "private", "Cookie", "max-age=1"]),
        ),
        max_size=5,
    ),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_how_an_app_spells_its_headers_makes_no_difference(headers, cookie, vary, personal):
    cookies = (SetCookie("a", "1", CookieAttributes()),) if cookie else ()
    needs = Commit(cookies, vary=vary, personal=personal)

    def lowered(given):
        return [(name.lower(), value) for name, value in given]

    result = with_ours(headers, needs, emit=id)
    assert lowered(result) == lowered(with_ours(lowered(headers), needs, emit=id))


@given(st.lists(st.tuples(st.sampled_from(Transport), st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_the_attributes_of_a_cookie_that_lasts_are_those_of_the_policy(writes):
    policy = CookiePolicy("s", secure="auto", persistent=True)
    envelope = SessionManager(KEY, cookie=policy).operations.parts.envelope
    for how, max_age, now in writes:
        assert envelope._lasting(how, max_age, now) == policy.attributes(how, max_age, now=now)


@given(
    st.dictionaries(st.sampled_from("abc"), VALUES), st.lists(st.tuples(st.sampled_from("abcd"), VALUES), max_size=4)
)
def test_whether_a_session_differs_is_whether_it_has_changes(loaded, assignments):
    tracked = Tracked(dict(loaded), CODEC)
    for key in loaded:
        tracked.watch(key)
    for key, value in assignments:
        tracked.set(key, value)
    assert tracked.modified == bool(tracked.changes())


ASKED = [NOTHING_ASKED, NOTHING_ASKED._replace(refresh=True), *(Asked(how, login) for how in How for login in (0, 1))]


@given(
    st.sampled_from([each for each in Origin if each not in {Origin.REPLACED, Origin.UNAVAILABLE}]),
    st.sampled_from(ASKED),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 1)),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 1)),
    st.booleans(),
    st.booleans(),
)
def test_what_is_decided_without_the_table_is_what_stands_in_it(origin, asked, loaded, written, owned, old):
    now = 10**9
    manager = SessionManager(KEY)
    state = State(now - 10**6 if old else now, now - 10**6 if old else now, None, None, "ann" if owned else None)
    working = WorkingCopy(Loaded(origin), replace(state, data=dict(loaded)), ValueCodec())
    working.asked = asked
    for key in loaded.keys() - written.keys():
        working.data.remove(key)
    for key, value in written.items():
        working.data.set(key, value)
    modified = working.modified
    expected = decide(
        origin,
        empty=working.state.empty,
        modified=modified,
        renewed=asked.how is not None,
        login=asked.how is not None and asked.authenticates and not working.state.empty,
        refresh_due=not modified and (asked.refresh or old),
        stale_key=False,
    )
    assert manager.operations._decide(working, now) is expected


def test_what_cannot_be_stored_inside_a_watched_value_is_named_by_its_path():
    tracked = Tracked({"cart": [{"n": 1}]}, CODEC)
    tracked.watch("cart")
    tracked.data["cart"][0]["n"] = object()
    with pytest.raises(NotSerializable, match=r'session\["cart"\]\[0\]\["n"\]: object is not supported'):
        _ = tracked.modified
