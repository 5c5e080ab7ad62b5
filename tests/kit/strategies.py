"""Hypothesis strategies for everything a session carries, and an equality that takes types seriously."""

import struct
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

FOLDS = st.sampled_from([0, 1])

# Half a surrogate pair is no text that any encoding carries; it has a test of its own.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)

OFFSETS = st.timedeltas(timedelta(hours=-23, minutes=-59), timedelta(hours=23, minutes=59))
FIXED_ZONES = OFFSETS.map(timezone) | st.builds(timezone, OFFSETS, TEXTS) | st.just(UTC)
ZONES = st.none() | st.timezones() | FIXED_ZONES

INTEGERS = st.integers() | st.sampled_from(
    [sign * (1 << bits) + step for bits in (31, 32, 63, 64, 127, 128, 1024) for sign in (1, -1) for step in (-1, 0, 1)]
)
DATETIMES = st.builds(lambda moment, fold: moment.replace(fold=fold), st.datetimes(timezones=ZONES), FOLDS)
TIMES = st.builds(lambda moment, fold: moment.replace(fold=fold), st.times(timezones=ZONES), FOLDS)

_SCALARS = (
    st.none()
    | st.booleans()
    | INTEGERS
    | st.floats()
    | TEXTS
    | st.binary(max_size=20)
    | DATETIMES
    | st.dates()
    | TIMES
    | st.timedeltas()
    | st.uuids()
)
SCALARS = _SCALARS | st.decimals() | st.sampled_from([Decimal("sNaN"), Decimal("-NaN123"), Decimal("-0.00")])
# A signalling NaN has no hash, so it can be neither a key nor a member of a set.
HASHABLE_SCALARS = _SCALARS | st.decimals(allow_nan=False)

HASHABLES = st.recursive(
    HASHABLE_SCALARS,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=5,
)


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(TEXTS, inner, max_size=4)
        | st.dictionaries(HASHABLES, inner, max_size=3)
        | st.sets(HASHABLES, max_size=3)
        | st.frozensets(HASHABLES, max_size=3)
    )


VALUES = st.recursive(SCALARS, _containers, max_leaves=12)
"""Any nesting of the supported types."""

SESSIONS = st.dictionaries(TEXTS, VALUES, max_size=5)
"""What a session's data can be."""


def exact(value: Any) -> Any:
    """Return a text-only image of `value`, equal for two values only if they are of the same types all the way down.

    ``==`` takes True for 1 and 1.0, 0.0 for -0.0, a moment for the same moment in another zone, and NaN for nothing.
    """
    name = type(value).__name__
    if isinstance(value, dict):
        return name, [(exact(key), exact(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return name, [exact(item) for item in value]
    if isinstance(value, set | frozenset):
        return name, sorted((exact(item) for item in value), key=repr)
    if isinstance(value, float):
        return name, struct.pack(">d", value).hex()
    if isinstance(value, datetime | time):
        return name, value.replace(tzinfo=None).isoformat(), value.fold, _zone(value.tzinfo)
    if isinstance(value, Decimal):
        return name, repr(value.as_tuple())
    assert type(value) in {type(None), bool, int, str, bytes, date, timedelta, UUID}, f"{name} is of no supported type"
    return name, repr(value)


def _zone(tzinfo: Any) -> Any:
    if isinstance(tzinfo, ZoneInfo):
        return "ZoneInfo", tzinfo.key
    if isinstance(tzinfo, timezone):
        return "timezone", repr(tzinfo.utcoffset(None)), tzinfo.tzname(None)
    assert tzinfo is None
    return None
