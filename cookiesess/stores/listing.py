"""Counts and sorts an owner's records by listing them, for stores whose engine can do neither."""

from collections.abc import Callable, Iterable
from heapq import nsmallest
from itertools import islice
from typing import Final, Protocol, TypeVar

# How many records are listed at once.
_PAGE: Final = 500


class _Expiring(Protocol):
    @property
    def expires_at(self) -> int: ...


R = TypeVar("R", bound=_Expiring)


def first_of(page: Callable[[int, bytes | None], tuple[dict[bytes, R], bytes | None]], most: int) -> dict[bytes, R]:
    """Return the records that a store lists first, at most so many.

    Args:
        page: Returns a page, as `Store.records_of`, of so many records and behind a cursor.
        most: From 1.
    """
    found: dict[bytes, R] = {}
    cursor = None
    while True:
        records, cursor = page(min(most, _PAGE), cursor)
        found |= records
        if cursor is None or len(found) >= most:
            return dict(islice(found.items(), most))


def oldest(records: Iterable[tuple[bytes, R]], limit: int) -> dict[bytes, R]:
    """Return those of `records`, by key, that expire first, at most `limit`."""
    return dict(nsmallest(limit, records, key=lambda item: item[1].expires_at))
