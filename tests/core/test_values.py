"""Typed values: any nesting comes back equal and of the same types, and nothing else is stored."""

import contextlib
import enum
import io
import pickle
import sys
from collections import Counter, OrderedDict, namedtuple
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import ormsgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cookiesess import ConfigurationError, InvalidToken, NotSerializable, ValueType
from cookiesess.tokens.values import MAX_DEPTH, ValueCodec
from kit.strategies import VALUES, exact

CODEC = ValueCodec()


class Markup(str):
    """What Flask's Markup is: a str of another class."""

    __slots__ = ()


@dataclass(frozen=True)
class Price:
    amount: Decimal
    currency: str


class Colour(enum.Enum):
    RED = 1


Point = namedtuple("Point", "x y")

PRICE = ValueType(3, Price, lambda price: [price.amount, price.currency], lambda body: Price(*body))
MARKUP = ValueType(0, Markup, str.__str__, Markup)


def nested(make, depth):
    value = make(None)
    for _ in range(depth - 1):
        value = make(value)
    return value


def calls_of(function):
    """Count the Python functions that `function` calls."""
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(None)
    return calls


@given(VALUES)
def test_any_nesting_comes_back_equal_and_of_the_same_types(value):
    assert exact(CODEC.loads(CODEC.dumps(value))) == exact(value)


@given(VALUES)
def test_what_came_back_encodes_as_before(value):
    data = CODEC.dumps(value)
    assert CODEC.pack(CODEC.loads(data)) == data == CODEC.pack(value)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(float("nan"), id="NaN"),
        pytest.param(-0.0, id="minus zero"),
        pytest.param([1, 1.0, True], id="equal numbers of three types"),
        pytest.param({1: "int", "1": "str", b"1": "bytes"}, id="keys of three types"),
        pytest.param({(1, 2): {frozenset({1}): {None: [{5: 5}]}}}, id="keys that are containers"),
        pytest.param(Decimal("-NaN123"), id="a NaN with a payload"),
        pytest.param(Decimal("1.10"), id="trailing zeros"),
        pytest.param(1 << 64, id="beyond 64 bits"),
        pytest.param(-(1 << 63) - 1, id="beyond 64 bits, negative"),
        pytest.param(datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1), id="fold"),
        pytest.param(datetime(2024, 3, 31, 2, 30, tzinfo=ZoneInfo("Europe/Berlin")), id="an hour that never was"),
        pytest.param(datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=1), "CET")), id="a zone with a name"),
        pytest.param(datetime(2024, 1, 1, tzinfo=timezone(timedelta(0, 1, 5))), id="an offset of microseconds"),
        pytest.param(datetime(1, 1, 1, tzinfo=UTC), id="the first moment"),
        pytest.param(datetime.max, id="the last moment"),
        pytest.param(time(23, 59, 59, 999999, tzinfo=ZoneInfo("Asia/Shanghai"), fold=1), id="a time with a zone"),
        pytest.param(date.max, id="the last day"),
        pytest.param(timedelta.min, id="the longest way back"),
        pytest.param([(), [], {}, set(), frozenset()], id="empty containers"),
    ],
)
def test_the_hard_cases_come_back_exactly(value):
    assert exact(CODEC.loads(CODEC.dumps(value))) == exact(value)


def test_the_key_of_a_zone_is_kept_so_its_rules_still_apply():
    back = CODEC.loads(CODEC.dumps(datetime(2024, 1, 15, tzinfo=ZoneInfo("Europe/Berlin"))))
    assert (back + timedelta(days=180)).utcoffset() == timedelta(hours=2)


def test_an_equal_set_encodes_alike_whatever_its_order():
    members = [f"member {number}" for number in range(50)]
    assert CODEC.dumps({*members}) == CODEC.dumps({*members[::-1]})


def test_a_dict_keeps_its_order():
    assert list(CODEC.loads(CODEC.dumps({"b": 1, "a": 2, 3: 3}))) == ["b", "a", 3]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(Colour.RED, id="enum"),
        pytest.param(Point(1, 2), id="namedtuple"),
        pytest.param(Markup("x"), id="str subclass"),
        pytest.param(OrderedDict(a=1), id="dict subclass"),
        pytest.param(Counter("a"), id="Counter"),
        pytest.param(type("MyInt", (int,), {})(1), id="int subclass"),
        pytest.param(type("MyFloat", (float,), {})(1), id="float subclass"),
        pytest.param(type("MyBytes", (bytes,), {})(b"x"), id="bytes subclass"),
        pytest.param(type("MyList", (list,), {})([1]), id="list subclass"),
        pytest.param(type("MySet", (set,), {})([1]), id="set subclass"),
        pytest.param(type("MyDatetime", (datetime,), {})(2024, 1, 1), id="datetime subclass"),
        pytest.param(bytearray(b"x"), id="bytearray"),
        pytest.param(memoryview(b"x"), id="memoryview"),
        pytest.param(Price(Decimal(1), "EUR"), id="dataclass"),
        pytest.param(object(), id="object"),
        pytest.param(1j, id="complex"),
        pytest.param(range(3), id="range"),
        pytest.param(Path("x"), id="path"),
        pytest.param(UTC, id="timezone"),
        pytest.param(test_a_dict_keeps_its_order, id="function"),
        pytest.param(int, id="class"),
    ],
)
@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: [value], lambda value: {"a": ({"b": value},)}])
def test_another_type_is_refused_by_name_wherever_it_stands(value, wrap):
    with pytest.raises(NotSerializable, match=f"{type(value).__name__} is not supported.*ValueType"):
        CODEC.dumps(wrap(value))


PLAIN = (
    "None, bool, int, float, str, bytes, list, tuple, dict, set, frozenset, datetime, date, time, timedelta, UUID or"
    " Decimal"
)


@pytest.mark.parametrize(
    ("value", "instead"),
    [
        (Colour.RED, "x.value"),
        (Price(Decimal(1), "EUR"), "dataclasses.asdict(x)"),
        (Path("x"), "str(x)"),
        (bytearray(b"x"), "bytes(x)"),
        (memoryview(b"x"), "bytes(x)"),
        (Markup("x"), "str(x)"),
        (Point(1, 2), "tuple(x)"),
        (Counter("a"), "dict(x)"),
        (object(), PLAIN),
        (1j, PLAIN),
        (Price, PLAIN),
    ],
    ids=lambda each: type(each).__name__,
)
def test_the_error_says_what_to_store_instead(value, instead):
    with pytest.raises(NotSerializable) as caught:
        CODEC.dumps([value])
    assert str(caught.value) == (
        f"session[0]: {type(value).__name__} is not supported; store {instead}, or register it: types=[ValueType(…)]"
    )


@pytest.mark.parametrize("key", [Colour.RED, Markup("x"), Point(1, 2), (Colour.RED,)])
def test_a_key_of_another_type_is_refused_too(key):
    with pytest.raises(NotSerializable, match=r"session \(key\)"):
        CODEC.dumps({key: 1})


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (object(), "session"),
        ({"cart": [0, 1, {"price": object()}]}, 'session["cart"][2]["price"]'),
        ({"cart": (object(),)}, 'session["cart"][0]'),
        ({5: object()}, "session[5]"),
        ({(1, "a"): object()}, "session[(1, 'a')]"),
        ({"a": {object()}}, 'session["a"] (member)'),
        ({"a": {object(): 1}}, 'session["a"] (key)'),
        ({"a": "\ud800"}, 'session["a"]'),
    ],
)
def test_the_error_names_the_path(value, path):
    with pytest.raises(NotSerializable) as caught:
        CODEC.dumps(value)
    assert caught.value.path == path
    assert str(caught.value).startswith(f"{path}: ")


def test_the_path_begins_with_what_the_caller_calls_the_value():
    with pytest.raises(NotSerializable) as caught:
        CODEC.dumps([object()], "cookie")
    assert caught.value.path == "cookie[0]"


@pytest.mark.parametrize("value", [object(), "\ud800", [object()]])
def test_what_stands_under_a_key_is_checked_with_the_path_of_that_key(value):
    with pytest.raises(NotSerializable, match=r'^session\["cart"\]'):
        CODEC.check("cart", value)


@given(VALUES)
def test_what_can_be_stored_passes_the_check(value):
    CODEC.check("cart", value)


@pytest.mark.parametrize("value", ["\ud800", ["\udfff"], {"\ud800": 1}, {("\ud800",): 1}, {"\ud800"}])
def test_half_a_surrogate_pair_is_refused(value):
    with pytest.raises(NotSerializable, match="surrogate"):
        CODEC.dumps(value)


def test_a_zone_name_with_half_a_surrogate_pair_is_refused():
    with pytest.raises(NotSerializable, match="surrogate"):
        CODEC.dumps(datetime(2024, 1, 1, tzinfo=timezone(timedelta(0), "\ud800")))


@pytest.mark.parametrize("cls", [datetime, time])
def test_a_zone_that_cannot_be_made_again_is_refused_with_a_way_out(cls):
    class Swatch(tzinfo):
        def utcoffset(self, moment):
            return timedelta(hours=1)

    value = datetime(2024, 1, 1, tzinfo=Swatch()) if cls is datetime else time(1, tzinfo=Swatch())
    with pytest.raises(NotSerializable, match=r"tzinfo of type Swatch; use datetime\.timezone or a ZoneInfo"):
        CODEC.dumps(value)


def test_a_zone_without_a_key_is_refused():
    # A TZif file of version 1 with a single type: an offset of 0 named "X".
    counts = (0, 0, 0, 0, 1, 2)
    file = b"TZif" + bytes(16) + b"".join(count.to_bytes(4) for count in counts) + bytes(6) + b"X\0"
    zone = ZoneInfo.from_file(io.BytesIO(file))
    with pytest.raises(NotSerializable, match="ZoneInfo with a key"):
        CODEC.dumps(datetime(2024, 1, 1, tzinfo=zone))


MAKERS = [
    pytest.param(lambda inner: [inner], id="list"),
    pytest.param(lambda inner: (inner,), id="tuple"),
    pytest.param(lambda inner: {"k": inner}, id="dict"),
    pytest.param(lambda inner: {1: inner}, id="dict with an int key"),
    pytest.param(lambda inner: frozenset({inner}), id="frozenset"),
    pytest.param(lambda inner: [(inner,), {1: 2}], id="tuple beside a dict with an int key"),
]


@pytest.mark.parametrize("make", MAKERS)
def test_the_work_grows_linearly_with_the_depth(make):
    shallow, deep = nested(make, 6), nested(make, 12)
    assert calls_of(lambda: CODEC.dumps(deep)) <= 3 * calls_of(lambda: CODEC.dumps(shallow))


@pytest.mark.parametrize("make", MAKERS[:4])
def test_the_deepest_nesting_comes_back(make):
    value = nested(make, MAX_DEPTH)
    assert exact(CODEC.loads(CODEC.dumps(value))) == exact(value)


@pytest.mark.parametrize("make", MAKERS[:5])
def test_one_level_more_is_refused_at_the_write(make):
    with pytest.raises(NotSerializable, match="more than 64 levels"):
        CODEC.dumps(nested(make, MAX_DEPTH + 1))


def test_a_list_that_holds_itself_is_refused():
    value = []
    value.append(value)
    with pytest.raises(NotSerializable, match=r"^session(\[0\])+…: nested"):
        CODEC.dumps(value)


def test_a_type_whose_encoding_never_ends_is_refused():
    endless = ValueCodec([ValueType(1, Price, lambda price: [price], Price)])
    with pytest.raises(NotSerializable, match="levels"):
        endless.dumps(Price(Decimal(1), "EUR"))


@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: {"a": [value, (value,)]}])
@pytest.mark.parametrize("value", [Price(Decimal("1.10"), "EUR"), Markup("<b>")])
def test_a_registered_type_comes_back(value, wrap):
    codec = ValueCodec([PRICE, MARKUP])
    back = codec.loads(codec.dumps(wrap(value)))
    assert back == wrap(value)
    assert repr(back) == repr(wrap(value))
    assert type(codec.loads(codec.dumps(value))) is type(value)


@pytest.mark.parametrize("key", [Price(Decimal(1), "EUR"), Markup("x")])
def test_a_registered_type_comes_back_as_a_key(key):
    codec = ValueCodec([PRICE, MARKUP])
    (back,) = codec.loads(codec.dumps({key: 1}))
    assert (back, type(back)) == (key, type(key))


@pytest.mark.parametrize("error", [ValueError("no price today"), TypeError("no price today")])
def test_what_an_encoder_refuses_is_refused_with_the_path_and_its_reason(error):
    def refuse(price):
        raise error

    codec = ValueCodec([ValueType(3, Price, refuse, Price)])
    with pytest.raises(NotSerializable, match=r'^session\["a"\]: Price cannot be encoded: no price today$') as caught:
        codec.dumps({"a": Price(Decimal(1), "EUR")})
    assert caught.value.__cause__ is error


def test_what_an_encoder_returns_must_be_storable():
    codec = ValueCodec([ValueType(3, Price, lambda price: {"c": Colour.RED}, Price)])
    with pytest.raises(NotSerializable, match=r'^session\["a"\]\["c"\]: Colour is not supported'):
        codec.dumps({"a": Price(Decimal(1), "EUR")})


@pytest.mark.parametrize("tag", [-1, 64, True, "1", None, 1.0])
def test_a_tag_that_is_not_0_to_63_is_refused(tag):
    with pytest.raises(ConfigurationError, match="0 to 63"):
        ValueType(tag, Price, list, list)


@pytest.mark.parametrize("cls", [str, dict, datetime, Decimal, type(None), frozenset])
def test_a_type_that_sessions_carry_already_cannot_be_registered(cls):
    with pytest.raises(ConfigurationError, match=f"carry {cls.__name__} already"):
        ValueType(1, cls, list, list)


@pytest.mark.parametrize(
    "types", [[PRICE, ValueType(3, Markup, str, Markup)], [PRICE, ValueType(4, Price, str, Price)]]
)
def test_two_types_cannot_share_a_tag_or_a_class(types):
    with pytest.raises(ConfigurationError, match="share"):
        ValueCodec(types)


def test_a_type_that_is_no_longer_registered_does_not_open():
    data = ValueCodec([PRICE]).dumps(Price(Decimal(1), "EUR"))
    with pytest.raises(InvalidToken, match="plaintext"):
        CODEC.loads(data)


@given(st.binary())
def test_any_bytes_are_a_value_or_an_invalid_token(data):
    try:
        value = CODEC.loads(data)
    except InvalidToken as error:
        assert error.reason == "plaintext"  # noqa: PT017 (others open)
    else:
        assert exact(value)


@given(st.integers(0, 127), VALUES)
def test_any_body_behind_any_extension_code_is_a_value_or_an_invalid_token(tag, body):
    data = ormsgpack.packb(ormsgpack.Ext(tag, CODEC.dumps(body)))
    try:
        value = CODEC.loads(data)
    except InvalidToken as error:
        assert error.reason == "plaintext"  # noqa: PT017 (others open)
    else:
        assert exact(value)


@pytest.mark.parametrize(
    ("tag", "body"), [(65, [[]]), (67, [1]), (69, [0, 0, "no/zone"]), (70, -5), (72, [1 << 60]), (73, b""), (74, "x")]
)
def test_a_body_that_no_encoder_writes_is_an_invalid_token(tag, body):
    with pytest.raises(InvalidToken, match="plaintext"):
        CODEC.loads(ormsgpack.packb(ormsgpack.Ext(tag, ormsgpack.packb(body))))


class Exploit:
    """What pickle would run while it loads."""

    ran = False

    def __reduce__(self):
        return setattr, (Exploit, "ran", True)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_never_run(protocol):
    with contextlib.suppress(InvalidToken):
        CODEC.loads(pickle.dumps(Exploit(), protocol))
    assert not Exploit.ran
