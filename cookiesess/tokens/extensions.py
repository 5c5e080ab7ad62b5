"""The bodies of msgpack's extension types: what stands behind each code of `cookiesess.tokens.values`."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1)
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _zone(tzinfo: Any) -> list[Any]:
    """Return the tail of an encoded datetime or time: what makes the same tzinfo again."""
    if tzinfo is None:
        return []
    if type(tzinfo) is ZoneInfo and tzinfo.key is not None:
        return [tzinfo.key]
    if type(tzinfo) is timezone:
        offset = tzinfo.utcoffset(None)
        name = tzinfo.tzname(None)
        return [offset // _MICROSECOND, *([name] if name != timezone(offset).tzname(None) else [])]
    raise ValueError(f"tzinfo of type {type(tzinfo).__name__}; use datetime.timezone or a ZoneInfo with a key")


def _tzinfo(zone: list[Any]) -> Any:
    if not zone:
        return None
    if type(zone[0]) is str:
        return ZoneInfo(zone[0])
    return timezone(timedelta(microseconds=zone[0]), *zone[1:])


def _encode_datetime(value: datetime) -> list[Any]:
    # Nearly all are in UTC; these come by without a replace().
    in_utc = value.tzinfo is UTC
    since = value - _EPOCH_UTC if in_utc else value.replace(tzinfo=None, fold=0) - _EPOCH
    microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return [microseconds, value.fold, 0] if in_utc else [microseconds, value.fold, *_zone(value.tzinfo)]


def _decode_datetime(body: list[Any]) -> datetime:
    # Nearly all are naive or in UTC; these come by without a replace(), at a third of the cost. (And a microsecond
    # times a number is half as much work as a timedelta of so many.)
    microseconds: int = body[0]
    if not body[1]:
        if len(body) == 2:
            return _EPOCH + _MICROSECOND * microseconds
        if len(body) == 3 and body[2] == 0:
            return _EPOCH_UTC + _MICROSECOND * microseconds
    return (_EPOCH + _MICROSECOND * microseconds).replace(fold=body[1], tzinfo=_tzinfo(body[2:]))


def _encode_time(value: time) -> list[Any]:
    return _encode_datetime(datetime.combine(_EPOCH, value))


def _decode_time(body: list[Any]) -> time:
    return _decode_datetime(body).timetz()


def _encode_int(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, signed=True)


def _pairs(value: dict[Any, Any]) -> list[Any]:
    return [part for item in value.items() for part in item]


def _from_pairs(parts: list[Any]) -> dict[Any, Any]:
    return dict(zip(parts[::2], parts[1::2], strict=True))


ROWS: Final[list[tuple[int, type, Callable[[Any], Any], Callable[[Any], Any]]]] = [
    (64, tuple, list, tuple),
    (67, dict, _pairs, _from_pairs),
    (68, int, _encode_int, lambda body: int.from_bytes(body, signed=True)),
    (69, datetime, _encode_datetime, _decode_datetime),
    (70, date, date.toordinal, date.fromordinal),
    (71, time, _encode_time, _decode_time),
    (72, timedelta, lambda value: [value.days, value.seconds, value.microseconds], lambda body: timedelta(*body)),
    (73, UUID, lambda value: value.bytes, lambda body: UUID(bytes=body)),
    (74, Decimal, str, Decimal),
]
