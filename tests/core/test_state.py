"""The plaintext of a session, byte by byte."""

import ormsgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cookiesess import InvalidToken
from cookiesess.session.lifetime import IDLE
from cookiesess.session.state import CSRF, FLASHES, LABEL, PERSISTENT, State, pack, unpack
from cookiesess.tokens.values import ValueCodec
from kit.constants import NOW
from kit.strategies import SESSIONS, TEXTS, exact

CODEC = ValueCodec()
SKEW = 300


def packed(*elements):
    """Write a state as the module's docstring says, by msgpack alone."""
    return b"\x00" + ormsgpack.packb(list(elements))


def states():
    past = st.integers(0, NOW)
    return st.builds(
        State,
        created_at=past,
        refreshed_at=past,
        ends_at=st.none() | st.integers(0, 2 * NOW),
        authenticated_at=st.none() | past,
        owner=st.none() | TEXTS,
        data=SESSIONS,
        sid=st.none() | st.binary(min_size=16, max_size=16),
        extras=st.dictionaries(st.sampled_from(["c", "f", "p", "l", "future"]), st.integers() | TEXTS),
    )


@given(states())
def test_a_state_comes_back_as_it_was(state):
    back = unpack(pack(state, CODEC), CODEC, now=NOW)
    assert exact(back.data) == exact(state.data)
    back.data = state.data
    assert back == state


@given(states())
def test_a_state_that_was_read_is_written_the_same(state):
    plaintext = pack(state, CODEC)
    assert pack(unpack(plaintext, CODEC, now=NOW), CODEC) == plaintext


def test_a_full_state_is_written_as_the_table_says():
    state = State(
        created_at=1000,
        refreshed_at=1500,
        ends_at=9000,
        authenticated_at=1200,
        owner="user-42",
        data={"a": 1},
        sid=bytes(16),
        extras={CSRF: b"s" * 32, FLASHES: [["hi", "message"]], IDLE: 60, PERSISTENT: True, LABEL: "phone"},
    )
    extras = {"c": b"s" * 32, "f": [["hi", "message"]], "i": 60, "p": True, "l": "phone"}
    assert pack(state, CODEC) == packed(1000, 8000, 500, 1200, "user-42", {"a": 1}, bytes(16), extras)


def test_trailing_nils_are_cut_off():
    state = State(created_at=1000, refreshed_at=1000, data={"a": 1})
    assert pack(state, CODEC) == packed(1000, None, 0, None, None, {"a": 1})


def test_a_nil_in_the_middle_stays():
    state = State(created_at=1000, refreshed_at=1000, extras={"p": True})
    assert pack(state, CODEC) == packed(1000, None, 0, None, None, {}, None, {"p": True})


def test_what_is_cut_off_is_read_as_unset():
    state = unpack(packed(1000, None, 0, None, None, {"a": 1}), CODEC, now=NOW)
    assert state == State(created_at=1000, refreshed_at=1000, data={"a": 1})


@pytest.mark.parametrize("sid", [None, bytes(16)])
@pytest.mark.parametrize("extras", [None, {}, {"p": True}])
def test_elements_of_a_later_version_are_ignored(sid, extras):
    state = unpack(packed(1000, None, 0, None, None, {"a": 1}, sid, extras, "new", [1]), CODEC, now=NOW)
    assert state == State(created_at=1000, refreshed_at=1000, data={"a": 1}, sid=sid, extras=extras or {})
    assert not state.empty


def test_no_other_kind_opens():
    inline = packed(1000, None, 0, None, None, {})
    for kind in range(1, 256):
        with pytest.raises(InvalidToken, match="plaintext"):
            pytest.fail(f"kind {kind} opens as {unpack(bytes([kind]) + inline[1:], CODEC, now=NOW)!r}")


@pytest.mark.parametrize(
    "plaintext",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x00", id="the kind alone"),
        pytest.param(b"\x00\xc1", id="no msgpack"),
        pytest.param(b"\x00" + ormsgpack.packb(5), id="an int"),
        pytest.param(b"\x00" + ormsgpack.packb("a longer text"), id="text"),
        pytest.param(b"\x00" + ormsgpack.packb("of six"), id="text of six letters"),
        pytest.param(b"\x00" + ormsgpack.packb({"a": 1}), id="a map"),
        pytest.param(b"\x00" + ormsgpack.packb(dict.fromkeys("abcdef")), id="a map of six"),
        pytest.param(packed(), id="an empty array"),
        pytest.param(packed(1000, None, 0, None, None), id="too short"),
        pytest.param(packed(None, None, 0, None, None, {}), id="no time of creation"),
        pytest.param(packed("x", None, "y", None, None, {}), id="times that are text"),
        pytest.param(packed(1000, "x", 0, None, None, {}), id="a deadline that is text"),
        pytest.param(packed(1000, None, 0, "x", None, {}), id="a time of login that is text"),
        pytest.param(packed(1000, None, 0, None, None, "x"), id="data that is text"),
        pytest.param(packed(1000, None, 0, None, None, {}, None, "x"), id="extras that are text"),
    ],
)
def test_another_form_does_not_open(plaintext):
    with pytest.raises(InvalidToken, match="plaintext"):
        unpack(plaintext, CODEC, now=NOW)


@given(st.binary())
def test_any_bytes_are_a_state_or_an_invalid_token(data):
    try:
        unpack(b"\x00" + data, CODEC, now=NOW)
    except InvalidToken as error:
        assert error.reason in {"plaintext", "future"}  # noqa: PT017 (others may open)


@pytest.mark.parametrize(
    "times",
    [
        pytest.param(lambda moment: (moment, None, 0, None), id="created"),
        pytest.param(lambda moment: (1000, None, moment - 1000, None), id="refreshed"),
        pytest.param(lambda moment: (1000, None, 0, moment), id="authenticated"),
    ],
)
def test_a_time_more_than_five_minutes_ahead_is_refused(times):
    unpack(packed(*times(NOW + SKEW), None, {}), CODEC, now=NOW)
    with pytest.raises(InvalidToken, match="future"):
        unpack(packed(*times(NOW + SKEW + 1), None, {}), CODEC, now=NOW)


def fresh(**fields):
    return State(created_at=NOW, refreshed_at=NOW, **fields)


@pytest.mark.parametrize(
    ("fields", "empty"),
    [
        ({}, True),
        ({"ends_at": NOW, "authenticated_at": NOW, "sid": bytes(16)}, True),
        ({"extras": {FLASHES: [], IDLE: 60, PERSISTENT: True, LABEL: "phone"}}, True),
        ({"data": {"a": None}}, False),
        ({"owner": "user-42"}, False),
        ({"extras": {FLASHES: [["hi", "message"]]}}, False),
        ({"extras": {CSRF: b"s" * 32}}, False),
    ],
)
def test_a_state_is_empty_without_data_owner_flashes_and_csrf_secret(fields, empty):
    assert fresh(**fields).empty is empty


def test_two_states_share_nothing():
    one, other = fresh(), fresh()
    one.data["a"] = one.extras["p"] = 1
    assert (other.data, other.extras) == ({}, {})


def test_a_states_repr_shows_nothing_of_whose_it_is_and_what_it_holds():
    shown = repr(fresh(owner="rhubarb-1", data={"a": "rhubarb-2"}, sid=b"rhubarb-3", extras={LABEL: "rhubarb-4"}))
    assert "rhubarb" not in shown
    assert f"created_at={NOW}" in shown
