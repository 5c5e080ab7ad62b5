"""``import``: sessions of another library's store, as JSON lines, into the app's own."""

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from cookiesess.cli.answers import Answer, counted
from cookiesess.errors import NotSerializable, RecordTooLarge
from cookiesess.manager.importing import Importer, OldSession, Outcome, is_old_id
from cookiesess.session.lifetime import CLOCK_SKEW_SECONDS

_REQUIRED: Final = ("id", "data", "expires_at")
_OPTIONAL: Final = ("created_at", "owner")
_MOST_NAMED: Final = 20

# What JSON lacks is spelled out: an object whose one key is the name of the type.
_SPELLED: Final[Mapping[str, Callable[[Any], Any]]] = {
    "__datetime__": datetime.fromisoformat,
    "__date__": date.fromisoformat,
    "__Decimal__": Decimal,
    "__UUID__": UUID,
    "__bytes__": lambda text: base64.b64decode(text, validate=True),
    "__set__": set,
}


class BadLine(ValueError):
    """A line is no session; the message says why, and repeats nothing of it."""


def import_lines(lines: Iterable[bytes], importer: Importer, *, now: int, dry_run: bool) -> Answer:
    """Import each line that is a session, and say what came of all.

    Args:
        lines: In UTF-8; empty ones are passed over.
        importer: Puts them into the store.
        now: Unix seconds.
        dry_run: The importer writes nothing.

    Raises:
        StoreUnavailable: The store does not answer. A second run goes on where this one ended.
    """
    counts: Counter[Outcome] = Counter()
    bad: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            counts[importer.add(old_session(line, now=now))] += 1
        except (BadLine, NotSerializable, RecordTooLarge) as error:
            bad.append((number, _reason(error)))
    return _answer(counts, bad, dry_run=dry_run)


def old_session(line: bytes, *, now: int) -> OldSession:
    """Return the session in a line.

    Raises:
        BadLine: There is none.
    """
    try:
        found = json.loads(line, object_hook=_unspelled)
    except BadLine:
        raise
    except (ValueError, RecursionError):
        raise BadLine("it is not JSON in UTF-8") from None
    if type(found) is not dict:
        raise BadLine('it is not an object: {"id": …, "data": {…}, "expires_at": …}')
    for name in _REQUIRED:
        if name not in found:
            raise BadLine(f"{name} is missing")
    if found.keys() - {*_REQUIRED, *_OPTIONAL}:
        raise BadLine(f"it has keys beside {', '.join((*_REQUIRED, *_OPTIONAL))}")
    created_at = None if found.get("created_at") is None else _moment("created_at", found["created_at"])
    if created_at is not None and created_at > now + CLOCK_SKEW_SECONDS:
        raise BadLine("created_at is in the future")
    return OldSession(
        _identity(found["id"]),
        _data(found["data"]),
        _moment("expires_at", found["expires_at"]),
        created_at,
        _owner(found.get("owner")),
    )


def _identity(value: object) -> str:
    if type(value) is not str or not is_old_id(value):
        raise BadLine("id is text of 16 to 86 visible ASCII characters; a shorter one could be guessed")
    return value


def _data(value: object) -> dict[str, Any]:
    if type(value) is not dict:
        raise BadLine("data is the session, an object")
    return value


def _owner(value: object) -> str | None:
    if value is not None and (type(value) is not str or not value):
        raise BadLine("owner is text that is not empty, or null")
    return value


def _moment(name: str, value: object) -> int:
    """Return a time in whole Unix seconds: a number of them, or a date with its zone."""
    try:
        if type(value) is int or type(value) is float:
            return int(value)
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)  # type: ignore[arg-type]
        seconds = int(moment.timestamp())
    except (OverflowError, TypeError, ValueError):
        raise BadLine(f"{name} is a time as 2030-01-31T12:00:00+00:00, or in Unix seconds") from None
    if moment.tzinfo is None:
        raise BadLine(f"{name} has no zone; write it as 2030-01-31T12:00:00+00:00, or in Unix seconds")
    return seconds


def _unspelled(found: dict[str, Any]) -> Any:
    """Return the value that an object spells out, or the object where it spells out none."""
    if len(found) != 1:
        return found
    [(name, value)] = found.items()
    if name not in _SPELLED:
        return found
    try:
        return _SPELLED[name](value)
    except (ArithmeticError, AttributeError, TypeError, ValueError):
        raise BadLine(f"{name} is not followed by one") from None


def _reason(error: Exception) -> str:
    if isinstance(error, RecordTooLarge):
        return f"it takes {error.size_bytes} bytes, and a session in a store at most {error.limit_bytes}"
    return str(error) if isinstance(error, BadLine) else "data holds what sessions do not carry"


def _answer(counts: Counter[Outcome], bad: list[tuple[int, str]], *, dry_run: bool) -> Answer:
    imported, there, expired = (counts[each] for each in (Outcome.IMPORTED, Outcome.THERE, Outcome.EXPIRED))
    verb = "would import" if dry_run else "imported"
    others = f"{there} imported before, {expired} expired, {counted(len(bad), 'bad line')}"
    lines = [f"{verb} {counted(imported, 'session')}; {others}"]
    lines += [f"line {number}: {reason}" for number, reason in bad[:_MOST_NAMED]]
    if len(bad) > _MOST_NAMED:
        lines.append(f"and {counted(len(bad) - _MOST_NAMED, 'more bad line')}")
    facts = {
        "imported": imported,
        "there": there,
        "expired": expired,
        "bad": [{"line": number, "reason": reason} for number, reason in bad],
        "dry_run": dry_run,
    }
    return Answer(lines, facts, 1 if bad else 0)
