"""The store of revocations, as one process sees it: answers may be held for a while, writes go through at once."""

from collections.abc import Hashable, Mapping, Sequence
from threading import Lock
from typing import Final

from cookiesess.stores.base import Record, Store, Updated

# How many answers one process holds on to, where it may: about 200 bytes each.
_MOST_HELD: Final = 10_000
_NOT_HELD: Final[tuple[int, Record | None]] = (0, None)


class HeldStore:
    """A store whose answers are held. What this process writes, it knows at once. Thread-safe.

    Args:
        store: The store.
        seconds: For how long an answer may be held; 0 for never.
    """

    def __init__(self, store: Store, *, seconds: int) -> None:
        self._store = store
        self._seconds = seconds
        self._held: dict[bytes, tuple[int, Record | None]] = {}
        self._writes = 0
        self._lock = Lock()

    def ask(self, names: Sequence[bytes], *, now: int) -> Mapping[bytes, Record | None]:
        """Return the records of `names`; what is held is not asked for again. At most one round trip."""
        if not self._seconds:
            return self._store.load_many(names, now=now)
        found, missing = {}, []
        for name in names:
            until_at, record = self._held.get(name, _NOT_HELD)
            if now < until_at:
                found[name] = record
            else:
                missing.append(name)
        if missing:
            writes = self._writes
            loaded = self._store.load_many(missing, now=now)
            answers = {name: loaded.get(name) for name in missing}
            found |= answers
            self._hold(answers, now + self._seconds, writes)
        return found

    def ask_exactly(self, names: Sequence[bytes], *, now: int) -> Mapping[bytes, Record | None]:
        """The same, of the store itself."""
        return self._store.load_many(names, now=now)

    def load(self, name: bytes, *, now: int) -> Record | None:
        """Return one record, of the store itself."""
        return self._store.load(name, now=now)

    def create(self, name: bytes, record: Record, *, now: int) -> None:
        """As `Store.create`; what was held under `name` is forgotten."""
        try:
            self._store.create(name, record, now=now)
        finally:
            self._forget(name)  # also where it failed: the write may have been done

    def update(self, name: bytes, record: Record, *, expected_version: Hashable, now: int) -> bool:
        """As `Store.update`; whether it was done."""
        try:
            return isinstance(self._store.update(name, record, expected_version=expected_version, now=now), Updated)
        finally:
            self._forget(name)

    def _hold(self, answers: Mapping[bytes, Record | None], until_at: int, writes: int) -> None:
        with self._lock:
            if writes != self._writes:
                return  # this process has written since it asked: the answer may be older than that
            for name, record in answers.items():
                self._held.pop(name, None)
                while len(self._held) >= _MOST_HELD:
                    del self._held[next(iter(self._held))]
                self._held[name] = (until_at, record)

    def _forget(self, name: bytes) -> None:
        with self._lock:
            self._writes += 1
            self._held.pop(name, None)
