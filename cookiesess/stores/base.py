"""What a database must do to hold server-side sessions.

A store sees only bytes: its keys are hashes of session IDs, and its payloads are sealed before it gets them. A session
library can be trusted if six methods of its store do what they must, and do *not* do what they must not:

- ``create`` is not ``update``. A create never overwrites, so that a guessed or colliding key cannot take over a
  session; an update never creates, so that a slow request cannot bring back a session that was ended while it ran.
- ``update`` and ``touch`` compare the version and write in one atomic step of the engine (compare-and-set), so that of
  two parallel requests the second learns of the first.
- ``load`` never returns an expired record, even if the engine deletes expired records late.

Time is an argument everywhere (Unix seconds), so a store needs no clock, which could disagree with its callers.
`cookiesess.testing.StoreContract` is this page as a test suite: a store is complete when it passes.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, NamedTuple

from cookiesess.stores.listing import first_of, oldest

__all__ = ["Conflict", "Gone", "Page", "Record", "Store", "Updated"]


class Record(NamedTuple):
    """One session as a store keeps it.

    Attributes:
        payload: The sealed session, from 0 bytes to 1 MiB and more. Empty in the records of `Store.records_of`.
        expires_at: Unix seconds. From this second on, a store must not return the record.
        summary: The facts that a list of devices shows, sealed under the server's key alone; at most 1 KiB.
        owner: A keyed hash (32 bytes) of the user to whom the session belongs, or None.
        version: The engine's own mark of this state. Callers only compare versions for equality. The version changes
            with every `Store.update`, and never with `Store.touch`. `create` and `update` ignore it in the record that
            they get.
    """

    payload: bytes
    expires_at: int
    summary: bytes = b""
    owner: bytes | None = None
    version: Hashable = None


class Page(NamedTuple):
    """A part of an owner's records, from `Store.records_of`.

    Attributes:
        records: The records by key, each with an empty payload. A store may stop early: a page may have fewer records
            than the limit, or none, although further pages follow.
        cursor: Opaque text with which to ask for the next page, for the same owner only; None after the last page.
    """

    records: dict[bytes, Record]
    cursor: bytes | None


@dataclass(slots=True)  # not frozen: every write makes one, which would cost twice as much
class Updated:
    """The update was written. `version` is the record's new version."""

    version: Hashable


@dataclass(frozen=True, slots=True)
class Conflict:
    """Nothing was written, because another writer was faster. `current` is the record as that writer left it."""

    current: Record


@dataclass(frozen=True, slots=True)
class Gone:
    """Nothing was written, because there is no such record, or it has expired."""


class Store(ABC):
    """The contract. Every method is atomic, thread-safe, and raises `StoreUnavailable` when the engine fails.

    Some client libraries repeat a command when its answer was lost. A store must make sure that a repeated write is
    done only once and gets the first answer, or else switch the repetition off. If the engine can never take a record,
    because of a size limit, the store raises `RecordTooLarge`, because waiting does not help.

    Keys are 32 bytes. ``now`` is in Unix seconds, and may go back a little between two calls.

    Attributes:
        evicts: True if the engine may drop records that have not expired (a full memory, a cache). Sessions may then
            end early, and the store must not be used for revocations.
        indexes_owners: True if `records_of` works.
        serves_one_process: True if the records are in the memory of one process. The manager then warns of a server
            with several processes. False by default.
        on_evict: A function that the store calls with the number of records that it has evicted. The manager sets it.
    """

    evicts: bool = False
    indexes_owners: ClassVar[bool] = False
    serves_one_process: ClassVar[bool] = False
    on_evict: Callable[[int], None] | None = None

    @abstractmethod
    def create(self, key: bytes, record: Record, *, now: int) -> None:
        """Write a new record. An expired record under the same key counts as absent.

        Raises:
            RecordExists: The key is taken. The record under it stays as it was.
        """

    @abstractmethod
    def load(self, key: bytes, *, now: int) -> Record | None:
        """Return the record, or None if it is missing or expired (``expires_at <= now``). One round trip."""

    @abstractmethod
    def load_many(self, keys: Iterable[bytes], *, now: int) -> dict[bytes, Record]:
        """Return the records under `keys` that exist and have not expired. One round trip for any number of keys."""

    @abstractmethod
    def update(self, key: bytes, record: Record, *, expected_version: Hashable, now: int) -> Updated | Conflict | Gone:
        """Replace the record if it still has `expected_version`. Never create one. One round trip if it succeeds.

        The new `record.expires_at` and `record.owner` replace the old ones, the owner index included.
        """

    @abstractmethod
    def touch(self, key: bytes, *, expires_at: int, expected_version: Hashable, now: int) -> bool:
        """Change the expiry if the record still has `expected_version`. Keep the version, and never create a record.

        Returns:
            False if nothing was done, because the record is gone, has expired, or was updated meanwhile.
        """

    @abstractmethod
    def delete(self, key: bytes, *, expected_version: Hashable = None) -> bool:
        """Delete the record. If `expected_version` is given, delete it only if it has that version.

        Returns:
            True if a record was deleted. False if there was none; that is no error.
        """

    def delete_many(self, versions: Mapping[bytes, Hashable]) -> int:
        """Delete each record that still has the version given for its key. Return how many were deleted.

        For about a hundred records. The call is not atomic: if it fails half-way, some records are deleted. By default
        they are deleted one by one. A store whose engine commits, or waits for a lock, should do it once for all.
        """
        return sum(self.delete(key, expected_version=version) for key, version in versions.items())

    @abstractmethod
    def delete_expired(self, *, now: int, limit: int) -> int:
        """Delete at most `limit` expired records, and return how many. 0 if the engine deletes them by itself."""

    def records_of(self, owner: bytes, *, now: int, limit: int, cursor: bytes | None = None) -> Page:
        """Return a page of the unexpired records of `owner`, with empty payloads. One round trip.

        The work for a page is bounded by `limit`, however many records the owner has. If you ask for page after page
        until the cursor is None, you get each record that lived all the while. A record that is written meanwhile may
        come twice. The order is the store's own.

        Args:
            owner: The hash of the owner, as in `Record.owner`.
            now: Unix seconds.
            limit: The most records in the page, 1 or more.
            cursor: The cursor of the page before; None for the first page.

        Raises:
            ValueError: `limit` is below 1, or `cursor` belongs to another owner or another store.
            NotImplementedError: The store does not index owners (`indexes_owners` is False).
        """
        raise NotImplementedError(f"{type(self).__name__} does not index owners")

    def count_of(self, owner: bytes, *, now: int, most: int) -> int:
        """Return how many unexpired records `owner` has, but at most `most`. One round trip; called at each login.

        By default the records are listed; a store whose engine can count should count them. If the owner has many
        expired records, the result may be too small, but never too large.
        """
        return len(first_of(partial(self._page, owner, now), most))

    def oldest_of(self, owner: bytes, *, now: int, limit: int, among: int) -> dict[bytes, Record]:
        """Return the `limit` unexpired records of `owner` that expire first, with empty payloads. One round trip.

        Called when a login exceeds the owner's limit. If the owner has more than `among` records, only `among` of them
        are considered: those used longest ago, if the index knows them. By default all records are listed.
        """
        return oldest(first_of(partial(self._page, owner, now), among).items(), limit)

    def _page(self, owner: bytes, now: int, limit: int, cursor: bytes | None) -> Page:
        return self.records_of(owner, now=now, limit=limit, cursor=cursor)

    def close(self) -> None:  # noqa: B027 (most engines have nothing to release; the rest override it)
        """Close the connections. If the store is used again, it opens new ones."""
