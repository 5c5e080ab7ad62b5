"""What a database must do to hold server-side sessions.

A store sees bytes, never a dict: keys are hashes of session IDs, payloads are sealed before they come here. What makes
a session library trustworthy is decided by six verbs, and by what they must *not* do:

- ``create`` is not ``update``. A create never overwrites, so that a guessed or colliding key cannot take over a
  session; an update never creates, so that a slow request cannot bring back a session that was ended while it ran.
- ``update`` and ``touch`` compare the version and write in one atomic step of the engine's own (compare-and-set), so
  that of two parallel requests the second learns of the first.
- ``load`` never hands out an expired record, however lazily the engine deletes them.

Time is an argument everywhere (Unix seconds), so that a store has no clock to disagree with its callers.
`cookiesess.testing.StoreContract` is this page as a test suite; a store is done when it passes.
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
        payload: The session, sealed; 0 bytes to 1 MiB and more. Empty in what `Store.records_of` returns.
        expires_at: Unix seconds. From this second on the record must not be handed out.
        summary: What a listing may show without the session's ID, sealed under the server's key; at most 1 KiB.
        owner: A keyed hash of the user the session belongs to (32 bytes), or None.
        version: The engine's own mark of this state, opaque to callers and compared for equality only. It changes with
            every `Store.update`, never with `Store.touch`. Ignored in records handed to `create` and `update`.
    """

    payload: bytes
    expires_at: int
    summary: bytes = b""
    owner: bytes | None = None
    version: Hashable = None


class Page(NamedTuple):
    """A part of an owner's records, from `Store.records_of`.

    Attributes:
        records: By key, each with an empty payload. Fewer than were asked for where the store stopped sooner, which is
            not the end: it may be none, and there may be more behind.
        cursor: Where the next page begins, opaque and for the same owner alone; None where this was the last one.
    """

    records: dict[bytes, Record]
    cursor: bytes | None


@dataclass(slots=True)  # not frozen: every write makes one, which would cost twice as much
class Updated:
    """The update was written; `version` is the record's new version."""

    version: Hashable


@dataclass(frozen=True, slots=True)
class Conflict:
    """Nothing was written: another writer was faster; `current` is what it left."""

    current: Record


@dataclass(frozen=True, slots=True)
class Gone:
    """Nothing was written: there is no such record, or it has expired."""


class Store(ABC):
    """The contract. Every method is atomic, thread-safe, and raises `StoreUnavailable` when the engine fails.

    A client library may repeat a command by itself when its answer was lost. A store must see to it that a write which
    is repeated so is done once, and answered as the first time; or else not have it repeated. A record that the engine
    can never take (a size limit) raises `RecordTooLarge`, since waiting does not help.

    Keys are 32 bytes. ``now`` is Unix seconds and may go backwards between calls, by little.

    Attributes:
        evicts: True where the engine may drop records that have not expired (a memory bound, a cache): sessions end
            early there, and what must be remembered to keep something ended does not belong into such a store.
        indexes_owners: True where `records_of` works.
        serves_one_process: True where the records are in the memory of the process alone, so that a server of several
            is warned of. False by default.
        on_evict: A store that evicts calls it with the number of records it dropped; the manager sets it.
    """

    evicts: bool = False
    indexes_owners: ClassVar[bool] = False
    serves_one_process: ClassVar[bool] = False
    on_evict: Callable[[int], None] | None = None

    @abstractmethod
    def create(self, key: bytes, record: Record, *, now: int) -> None:
        """Write a new record; an expired one under the same key counts as absent.

        Raises:
            RecordExists: The key is taken. The record there is left as it was.
        """

    @abstractmethod
    def load(self, key: bytes, *, now: int) -> Record | None:
        """Return the record, or None where it is missing or expired (``expires_at <= now``). One round trip."""

    @abstractmethod
    def load_many(self, keys: Iterable[bytes], *, now: int) -> dict[bytes, Record]:
        """Return those of `keys` that exist and have not expired. One round trip, however many keys."""

    @abstractmethod
    def update(self, key: bytes, record: Record, *, expected_version: Hashable, now: int) -> Updated | Conflict | Gone:
        """Replace the record if it still has `expected_version`; never create one. One round trip where it succeeds.

        The new `record.expires_at` and `record.owner` replace the old ones, the owner index included.
        """

    @abstractmethod
    def touch(self, key: bytes, *, expires_at: int, expected_version: Hashable, now: int) -> bool:
        """Move the expiry if the record still has `expected_version`, without changing the version; never create one.

        Returns:
            False where nothing was done, because the record is gone, has expired, or was updated meanwhile.
        """

    @abstractmethod
    def delete(self, key: bytes, *, expected_version: Hashable = None) -> bool:
        """Delete the record, whatever its version, or only if it has `expected_version` where one is given.

        Returns:
            True where a record was deleted. Deleting what is not there is fine, and False.
        """

    def delete_many(self, versions: Mapping[bytes, Hashable]) -> int:
        """Delete those of a hundred records, or so, that still have the version given for their key; return how many.

        The whole is not one step: where it fails half-way, some are deleted. By default they are deleted one by one; a
        store whose engine commits, or waits for a lock, should do so once for all.
        """
        return sum(self.delete(key, expected_version=version) for key, version in versions.items())

    @abstractmethod
    def delete_expired(self, *, now: int, limit: int) -> int:
        """Delete at most `limit` expired records and return how many; 0 for engines that expire by themselves."""

    def records_of(self, owner: bytes, *, now: int, limit: int, cursor: bytes | None = None) -> Page:
        """Return a page of the unexpired records of `owner`, with empty payloads. One round trip.

        What a page takes, of time and of the engine, is bounded by `limit`, however many records the owner has. Whoever
        walks from page to page until the cursor is None gets each record that lived all the while; one that is written
        meanwhile may come twice. The order is the store's own.

        Args:
            owner: As records have it.
            now: Unix seconds.
            limit: The most records in the page, 1 or more.
            cursor: Of the page before; None for the first.

        Raises:
            ValueError: `limit` is below 1, or `cursor` is another owner's or another store's.
            NotImplementedError: The store does not index owners (`indexes_owners` is False).
        """
        raise NotImplementedError(f"{type(self).__name__} does not index owners")

    def count_of(self, owner: bytes, *, now: int, most: int) -> int:
        """Return how many unexpired records `owner` has; `most` where he has more. For each login; one round trip.

        By default they are listed, which a store whose engine can count should not do. Where an owner has many that
        have expired, it may return fewer, and never more.
        """
        return len(first_of(partial(self._page, owner, now), most))

    def oldest_of(self, owner: bytes, *, now: int, limit: int, among: int) -> dict[bytes, Record]:
        """Return those of the owner's unexpired records that expire first, with empty payloads; at most `limit`.

        For a login beyond the owner's limit; one round trip. Of an owner with more than `among` records it looks at so
        many, at those used longest ago where the index knows them. By default they are all listed.
        """
        return oldest(first_of(partial(self._page, owner, now), among).items(), limit)

    def _page(self, owner: bytes, now: int, limit: int, cursor: bytes | None) -> Page:
        return self.records_of(owner, now=now, limit=limit, cursor=cursor)

    def close(self) -> None:  # noqa: B027 (most engines have nothing to release; the rest override it)
        """Release connections. The store may be used again afterwards and opens what it needs."""
