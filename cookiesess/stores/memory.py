"""Sessions in the memory of one process: for tests, and for a small app that runs as a single process."""

from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import count, islice
from os import urandom
from threading import Lock

from cookiesess.errors import ConfigurationError, RecordExists
from cookiesess.stores.base import Conflict, Gone, Page, Record, Store, Updated
from cookiesess.stores.cursors import Cursors
from cookiesess.stores.listing import oldest

__all__ = ["MemoryStore"]

# Later than any expiry: a store without records has nothing that could expire.
_NEVER = 1 << 63


class MemoryStore(Store):
    """Sessions in the memory of this process, up to a maximum. They end with the process.

    The threads of the process share the store; other processes cannot. The maximum keeps a flood of new sessions from
    using up the machine's memory. A full store makes room for a new session: it drops all expired sessions; else the
    session without an owner that was used longest ago; else the session with an owner that was used longest ago.

    Args:
        max_sessions: The most records that are kept, at least 1.
        on_evict: See the attribute.

    Attributes:
        on_evict: A function, or None. After a `create` that dropped *unexpired* sessions, the store calls
            ``on_evict(count)`` in the same thread, without holding its lock. You may set it at any time; the manager
            sets it to emit an event. If it raises, `create` raises that error, but the new record is written.

    Raises:
        ConfigurationError: `max_sessions` is below 1.
    """

    evicts = True
    indexes_owners = True
    serves_one_process = True

    def __init__(self, *, max_sessions: int = 10_000, on_evict: Callable[[int], None] | None = None) -> None:
        if max_sessions < 1:
            raise ConfigurationError(f"max_sessions is {max_sessions}; a MemoryStore keeps at least 1 session")
        self.on_evict = on_evict
        self._max_sessions = max_sessions
        self._lock = Lock()
        # Each shelf stands in the order of last use, so that what goes first is found without a search.
        self._anonymous: OrderedDict[bytes, Record] = OrderedDict()
        self._owned: OrderedDict[bytes, Record] = OrderedDict()
        # Sorted, so that a page begins where the one before ended.
        self._keys_by_owner: dict[bytes, list[bytes]] = {}
        self._cursors = Cursors(urandom(8).hex())
        # One counter for all records, so that a key that is deleted and created again never repeats a version.
        self._versions = count(1)
        # No record expires before this second. It saves the search for expired ones while there cannot be any, and
        # bounds it to one a second while there are.
        self._none_expires_before = _NEVER

    def __repr__(self) -> str:
        return f"<MemoryStore {len(self._anonymous) + len(self._owned)} of {self._max_sessions} sessions>"

    def create(self, key: bytes, record: Record, *, now: int) -> None:
        """See `Store.create`. A full store drops other sessions for it."""
        with self._lock:
            evicted = 0
            if (current := self._find(key)) is None:
                evicted = self._make_room(now)
            elif current.expires_at > now:
                raise RecordExists("there is a record under this key already, and it was left as it is")
            else:
                self._remove(key, current)
            self._index(key, record.owner)
            self._put(key, record, next(self._versions))
        if evicted and self.on_evict is not None:
            self.on_evict(evicted)

    def load(self, key: bytes, *, now: int) -> Record | None:
        """See `Store.load`. A load counts as a use of the session, so a full store drops it later."""
        with self._lock:
            return self._use(key, now)

    def load_many(self, keys: Iterable[bytes], *, now: int) -> dict[bytes, Record]:
        """See `Store.load_many`."""
        with self._lock:
            return {key: record for key in keys if (record := self._use(key, now)) is not None}

    def update(self, key: bytes, record: Record, *, expected_version: Hashable, now: int) -> Updated | Conflict | Gone:
        """See `Store.update`."""
        with self._lock:
            current = self._use(key, now)
            if current is None:
                return Gone()
            if current.version != expected_version:
                return Conflict(current)
            version = next(self._versions)
            self._replace(key, current, record, version)
            return Updated(version)

    def touch(self, key: bytes, *, expires_at: int, expected_version: Hashable, now: int) -> bool:
        """See `Store.touch`."""
        with self._lock:
            current = self._use(key, now)
            if current is None or current.version != expected_version:
                return False
            moved = Record(current.payload, expires_at, current.summary, current.owner)
            self._replace(key, current, moved, current.version)
            return True

    def delete(self, key: bytes, *, expected_version: Hashable = None) -> bool:
        """See `Store.delete`."""
        with self._lock:
            current = self._find(key)
            if current is None or (expected_version is not None and current.version != expected_version):
                return False
            self._remove(key, current)
            return True

    def delete_expired(self, *, now: int, limit: int) -> int:
        """See `Store.delete_expired`."""
        with self._lock:
            return self._drop_expired(now, limit)

    def records_of(self, owner: bytes, *, now: int, limit: int, cursor: bytes | None = None) -> Page:
        """See `Store.records_of`. The order is by key. A listing does not count as a use of the sessions."""
        position = self._cursors.position(owner, limit, cursor)
        with self._lock:
            keys = self._keys_by_owner.get(owner, [])
            start = bisect_right(keys, position)
            listed = keys[start : start + limit]
            found = [(key, self._owned[key]) for key in listed]
            more = start + limit < len(keys)
        records = {key: record._replace(payload=b"") for key, record in found if record.expires_at > now}
        return Page(records, self._cursors.after(owner, listed[-1]) if more else None)

    def count_of(self, owner: bytes, *, now: int, most: int) -> int:
        """See `Store.count_of`."""
        with self._lock:
            return sum(1 for _ in self._of(owner, now, most))

    def oldest_of(self, owner: bytes, *, now: int, limit: int, among: int) -> dict[bytes, Record]:
        """See `Store.oldest_of`."""
        with self._lock:
            found = oldest(self._of(owner, now, among), limit)
        return {key: record._replace(payload=b"") for key, record in found.items()}

    # Everything below runs with the lock held.

    def _find(self, key: bytes) -> Record | None:
        return self._anonymous.get(key) or self._owned.get(key)

    def _of(self, owner: bytes, now: int, most: int) -> Iterator[tuple[bytes, Record]]:
        owned = ((key, self._owned[key]) for key in self._keys_by_owner.get(owner, ()))
        return islice(((key, record) for key, record in owned if record.expires_at > now), most)

    def _use(self, key: bytes, now: int) -> Record | None:
        shelf = self._anonymous if key in self._anonymous else self._owned
        record = shelf.get(key)
        if record is None or record.expires_at <= now:
            return None
        shelf.move_to_end(key)
        return record

    def _shelf(self, record: Record) -> OrderedDict[bytes, Record]:
        return self._anonymous if record.owner is None else self._owned

    def _replace(self, key: bytes, current: Record, record: Record, version: Hashable) -> None:
        if record.owner != current.owner:
            self._remove(key, current)
            self._index(key, record.owner)
        self._put(key, record, version)

    def _index(self, key: bytes, owner: bytes | None) -> None:
        if owner is not None:
            insort(self._keys_by_owner.setdefault(owner, []), key)

    def _put(self, key: bytes, record: Record, version: Hashable) -> None:
        payload, expires_at, summary, owner, _ = record
        shelf = self._anonymous if owner is None else self._owned
        shelf[key] = Record(payload, expires_at, summary, owner, version)
        if expires_at < self._none_expires_before:
            self._none_expires_before = expires_at

    def _remove(self, key: bytes, record: Record) -> None:
        del self._shelf(record)[key]
        if record.owner is not None:
            keys = self._keys_by_owner[record.owner]
            del keys[bisect_left(keys, key)]
            if not keys:
                del self._keys_by_owner[record.owner]

    def _make_room(self, now: int) -> int:
        """Make room for one more record; return how many unexpired ones were dropped for it."""
        if len(self._anonymous) + len(self._owned) < self._max_sessions:
            return 0
        if self._drop_expired(now, self._max_sessions):
            return 0
        key, record = next(iter((self._anonymous or self._owned).items()))
        self._remove(key, record)
        return 1

    def _drop_expired(self, now: int, limit: int) -> int:
        if now < self._none_expires_before:
            return 0
        expired = list(islice(((k, r) for k, r in self._all() if r.expires_at <= now), limit))
        for key, record in expired:
            self._remove(key, record)
        if len(expired) < limit:
            self._none_expires_before = min((record.expires_at for _, record in self._all()), default=_NEVER)
        return len(expired)

    def _all(self) -> Iterator[tuple[bytes, Record]]:
        yield from self._anonymous.items()
        yield from self._owned.items()
