"""What an app can store instead of a value that sessions do not carry, for the error that refuses it."""

from dataclasses import is_dataclass
from enum import Enum
from pathlib import PurePath
from typing import Final

_ALLOWED: Final = (
    "None, bool, int, float, str, bytes, list, tuple, dict, set, frozenset, datetime, date, time, timedelta, UUID or"
    " Decimal"
)
_FORMS: Final = {Enum: "x.value", PurePath: "str(x)", bytearray: "bytes(x)", memoryview: "bytes(x)"}
# Their subclasses (namedtuple, defaultdict, …) would come back as these.
_BASES: Final = (str, bytes, int, float, list, tuple, dict, set, frozenset)


def instead_of(value: object) -> str:
    """Return what to write in place of `value`, which is called ``x`` there; else all types that need no change."""
    # An enum may be a str and a dataclass as well, so the order counts.
    for cls, form in _FORMS.items():
        if isinstance(value, cls):
            return form
    if is_dataclass(value) and not isinstance(value, type):
        return "dataclasses.asdict(x)"
    for cls in _BASES:
        if isinstance(value, cls):
            return f"{cls.__name__}(x)"
    return _ALLOWED
