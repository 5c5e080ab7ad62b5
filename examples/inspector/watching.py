"""A store in front of another one: each write is noted in the request that made it."""

from collections.abc import Callable, Hashable, Iterable, Mapping

from cookiesess.stores.base import Conflict, Gone, Page, Record, Store, Updated
from examples.inspector.visits import Written, note_write


class WatchedStore(Store):
    """Does what `inner` does.

    Args:
        inner: The store that keeps the records.
    """

    def __init__(self, inner: Store) -> None:
        self._inner = inner

    def __repr__(self) -> str:
        return repr(self._inner)

    @property
    def evicts(self) -> bool:  # type: ignore[override]  # as the other one has it at the time
        return self._inner.evicts

    @property
    def indexes_owners(self) -> bool:  # type: ignore[override]  # the same
        return self._inner.indexes_owners

    @property
    def serves_one_process(self) -> bool:  # type: ignore[override]  # the same
        return self._inner.serves_one_process

    @property
    def on_evict(self) -> Callable[[int], None] | None:
        return self._inner.on_evict

    @on_evict.setter
    def on_evict(self, callback: Callable[[int], None] | None) -> None:
        self._inner.on_evict = callback

    def create(self, key: bytes, record: Record, *, now: int) -> None:
        self._inner.create(key, record, now=now)
        note_write(Written("created", len(record.payload)))

    def load(self, key: bytes, *, now: int) -> Record | None:
        return self._inner.load(key, now=now)

    def load_many(self, keys: Iterable[bytes], *, now: int) -> dict[bytes, Record]:
        return self._inner.load_many(keys, now=now)

    def update(self, key: bytes, record: Record, *, expected_version: Hashable, now: int) -> Updated | Conflict | Gone:
        outcome = self._inner.update(key, record, expected_version=expected_version, now=now)
        if isinstance(outcome, Updated):
            note_write(Written("updated", len(record.payload)))
        return outcome

    def touch(self, key: bytes, *, expires_at: int, expected_version: Hashable, now: int) -> bool:
        done = self._inner.touch(key, expires_at=expires_at, expected_version=expected_version, now=now)
        if done:
            note_write(Written("kept longer"))
        return done

    def delete(self, key: bytes, *, expected_version: Hashable = None) -> bool:
        done = self._inner.delete(key, expected_version=expected_version)
        if done:
            note_write(Written("deleted"))
        return done

    def delete_many(self, versions: Mapping[bytes, Hashable]) -> int:
        deleted = self._inner.delete_many(versions)
        for _ in range(deleted):
            note_write(Written("deleted"))
        return deleted

    def delete_expired(self, *, now: int, limit: int) -> int:
        return self._inner.delete_expired(now=now, limit=limit)

    def records_of(self, owner: bytes, *, now: int, limit: int, cursor: bytes | None = None) -> Page:
        return self._inner.records_of(owner, now=now, limit=limit, cursor=cursor)

    def close(self) -> None:
        self._inner.close()
