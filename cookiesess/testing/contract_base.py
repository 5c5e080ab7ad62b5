"""The methods that a subclass of the contract overrides, and the helpers that the cases share."""

# ruff: noqa: S101 (a test suite asserts)

import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator
from typing import ClassVar
from unittest import SkipTest

from cookiesess.stores.base import Conflict, Gone, Record, Store, Updated

# For how long a case waits for its threads. None needs more than milliseconds; a store that deadlocks fails by this.
THREAD_SECONDS = 30

# After how many pages a case gives up. None needs a tenth of them.
MOST_PAGES = 10_000

# Held while a case's store is made. One for all cases, which are run one after the other.
_MAKING = threading.RLock()


class ContractBase(ABC):
    """The hooks; described in `cookiesess.testing.StoreContract`."""

    now: int = 1_700_000_000
    expires_by_itself: ClassVar[bool] = False
    _store: Store | None = None

    @abstractmethod
    def make_store(self) -> Store:
        """Return a new, empty store."""

    def open_again(self, store: Store) -> Store | None:  # noqa: ARG002 (an override needs it)
        """Return a second store on the data of `store`, as in another process; None if there can be none."""
        return None

    def close_store(self, store: Store) -> None:
        """Close a store that `make_store` or `open_again` made."""
        store.close()

    @property
    def store(self) -> Store:
        """The store of this case, made when the case first asks for it, by whichever of its threads that is."""
        # Not a cached_property: since Python 3.12 it takes no lock, and two threads would be given a store each.
        with _MAKING:
            if self._store is None:
                self._store = self.make_store()
            return self._store

    def teardown_method(self) -> None:
        """Close the stores of a case. pytest calls this after each case."""
        store, self._store = self._store, None
        if store is not None:
            self.close_store(store)

    def tearDown(self) -> None:
        """Close the stores of a case. unittest calls this after each case."""
        self.teardown_method()

    # The helpers. Keys are 32 bytes, as the contract says.

    def key(self, name: str = "a") -> bytes:
        """A key of 32 bytes; the same for the same name."""
        return name.encode().ljust(32, b"\x00")

    def owner(self, name: str = "ann") -> bytes:
        """An owner's hash of 32 bytes."""
        return name.encode().ljust(32, b"\xff")

    def record(
        self, payload: bytes = b"payload", *, lives: int = 3600, summary: bytes = b"summary", owner: bytes | None = None
    ) -> Record:
        """A record that expires `lives` seconds after `self.now`."""
        return Record(payload, self.now + lives, summary, owner)

    def created(self, key: bytes | None = None, record: Record | None = None) -> Hashable:
        """Create a record and return its version."""
        key = self.key() if key is None else key
        self.store.create(key, self.record() if record is None else record, now=self.now)
        return self.loaded(key).version

    def loaded(self, key: bytes | None = None, *, now: int | None = None) -> Record:
        """Load a record that has to be there."""
        record = self.store.load(self.key() if key is None else key, now=self.now if now is None else now)
        assert record is not None, "the record is missing"
        return record

    def update(
        self, version: Hashable, payload: bytes = b"updated", *, key: bytes | None = None, now: int | None = None
    ) -> Updated | Conflict | Gone:
        """Update a record, by default that of `key`, to a new one that lives for an hour."""
        key, now = self.key() if key is None else key, self.now if now is None else now
        return self.store.update(key, self.record(payload), expected_version=version, now=now)

    def touch(self, version: Hashable, *, lives: int = 60, key: bytes | None = None, now: int | None = None) -> bool:
        """Move a record's expiry to `lives` seconds after `self.now`."""
        key, now = self.key() if key is None else key, self.now if now is None else now
        return self.store.touch(key, expires_at=self.now + lives, expected_version=version, now=now)

    def listed(self, name: str = "ann", *, now: int | None = None, limit: int = 100) -> dict[bytes, Record]:
        """Return all records of an owner, from as many pages as it takes."""
        return {key: record for page in self.pages(name, now=now, limit=limit) for key, record in page.items()}

    def pages(self, name: str = "ann", *, now: int | None = None, limit: int) -> Iterator[dict[bytes, Record]]:
        """Walk through the records of an owner, page by page."""
        now, cursor = self.now if now is None else now, None
        for _ in range(MOST_PAGES):
            page = self.store.records_of(self.owner(name), now=now, limit=limit, cursor=cursor)
            assert len(page.records) <= limit, "a page holds more than its limit"
            yield page.records
            cursor = page.cursor
            if cursor is None:
                return
        raise AssertionError("the pages do not end")

    def need_owner_index(self) -> None:
        """Skip the case if the store does not index owners."""
        if not self.store.indexes_owners:
            raise SkipTest(f"{type(self.store).__name__} does not index owners")

    def need_sweeping(self) -> None:
        """Skip the case if the engine deletes expired records by itself."""
        if self.expires_by_itself:
            raise SkipTest(f"{type(self.store).__name__} deletes expired records by itself")

    def at_once(self, *actions: Callable[[], object]) -> list[object]:
        """Run every action in a thread of its own, let them go at the same moment, and return what they returned."""
        interval = sys.getswitchinterval()
        # So that threads also take turns inside a store that is plain Python; by default they do every 5 ms only. Not
        # before all of them have started: a tracer, such as coverage's, may fail to install itself in two at once.
        barrier = threading.Barrier(len(actions), action=lambda: sys.setswitchinterval(1e-6))
        outcomes: dict[int, object] = {}
        errors: list[BaseException] = []

        def run(index: int, action: Callable[[], object]) -> None:
            try:
                barrier.wait(THREAD_SECONDS)
                outcomes[index] = action()
            except BaseException as error:  # noqa: BLE001 (it is raised again below, in the test's own thread)
                errors.append(error)

        threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(actions)]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(THREAD_SECONDS)
        finally:
            sys.setswitchinterval(interval)
        if errors:
            raise errors[0]
        assert len(outcomes) == len(actions), "a thread did not come back"
        return [outcomes[index] for index in range(len(actions))]
