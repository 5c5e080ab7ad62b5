"""Every store against a plain dict, driven by hypothesis, the clock included."""

import contextlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from cookiesess.errors import RecordExists
from cookiesess.stores.base import Conflict, Gone, Page, Record, Store, Updated
from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore
from cookiesess.testing import ManualClock
from kit.selection import examples

KEYS = [bytes([number]) * 32 for number in range(4)]
OWNERS = [None, b"\x00ann", b"bob\xff"]

keys = st.sampled_from(KEYS)
# Which version a caller holds: the current one, or one it saw earlier.
ages = st.integers(min_value=0, max_value=3)
lives = st.integers(min_value=1, max_value=10)
payloads = st.binary(max_size=8)
owners = st.sampled_from(OWNERS)


class StoreMachine(RuleBasedStateMachine):
    """The oracle: key to record. Expired records stay in it until something removes them for good."""

    def open(self) -> Store:
        raise NotImplementedError

    @initialize()
    def start(self) -> None:
        self.exit = contextlib.ExitStack()
        self.store = self.open()
        self.exit.callback(self.store.close)
        self.clock = ManualClock()
        self.oracle: dict[bytes, Record] = {}
        self.seen: dict[bytes, list[object]] = {key: [] for key in KEYS}

    def teardown(self) -> None:
        if hasattr(self, "exit"):
            self.exit.close()

    @property
    def now(self) -> int:
        return int(self.clock())

    def expected(self, key: bytes) -> Record | None:
        record = self.oracle.get(key)
        return record if record is not None and record.expires_at > self.now else None

    def version(self, key: bytes, age: int) -> object:
        """A version that was seen of this key, `age` versions ago; one of no record at all where there were fewer."""
        return self.seen[key][-1 - age] if age < len(self.seen[key]) else -1

    def remember(self, key: bytes, record: Record, version: object) -> None:
        assert version not in self.seen[key], "a version came twice"
        self.seen[key].append(version)
        self.oracle[key] = record._replace(version=version)

    @rule(by=st.integers(min_value=-2, max_value=6))
    def time_passes(self, by: int) -> None:
        self.clock.advance(by)

    @rule(key=keys, payload=payloads, lives=lives, owner=owners)
    def create(self, key: bytes, payload: bytes, lives: int, owner: bytes | None) -> None:
        record = Record(payload, self.now + lives, payload[:2], owner)
        if self.expected(key) is not None:
            with pytest.raises(RecordExists):
                self.store.create(key, record, now=self.now)
        else:
            self.store.create(key, record, now=self.now)
            self.remember(key, record, self.store.load(key, now=self.now).version)

    @rule(key=keys, payload=payloads, lives=lives, owner=owners, age=ages)
    def update(self, key: bytes, payload: bytes, lives: int, owner: bytes | None, age: int) -> None:
        record = Record(payload, self.now + lives, payload[:2], owner)
        version = self.version(key, age)
        outcome = self.store.update(key, record, expected_version=version, now=self.now)
        current = self.expected(key)
        if current is None:
            assert outcome == Gone()
        elif current.version != version:
            assert outcome == Conflict(current)
        else:
            assert isinstance(outcome, Updated)
            self.remember(key, record, outcome.version)

    @rule(key=keys, lives=lives, age=ages)
    def touch(self, key: bytes, lives: int, age: int) -> None:
        version, current = self.version(key, age), self.expected(key)
        done = self.store.touch(key, expires_at=self.now + lives, expected_version=version, now=self.now)
        assert done == (current is not None and current.version == version)
        if done:
            self.oracle[key] = current._replace(expires_at=self.now + lives)

    @rule(key=keys)
    def delete(self, key: bytes) -> None:
        assert self.store.delete(key) == (self.oracle.pop(key, None) is not None)

    @rule(key=keys, age=ages)
    def delete_version(self, key: bytes, age: int) -> None:
        version, current = self.version(key, age), self.oracle.get(key)
        done = self.store.delete(key, expected_version=version)
        assert done == (current is not None and current.version == version)
        if done:
            del self.oracle[key]

    @rule(limit=st.integers(min_value=1, max_value=3))
    def sweep(self, limit: int) -> None:
        expired = [key for key, record in self.oracle.items() if record.expires_at <= self.now]
        assert self.store.delete_expired(now=self.now, limit=limit) == min(limit, len(expired))
        # Which ones went first is the store's business; so let the rest go too, and the oracle knows again.
        assert self.store.delete_expired(now=self.now, limit=99) == max(0, len(expired) - limit)
        for key in expired:
            del self.oracle[key]

    @invariant()
    def loads_agree(self) -> None:
        if not hasattr(self, "store"):
            return
        expected = {key: record for key in KEYS if (record := self.expected(key)) is not None}
        assert self.store.load_many(KEYS, now=self.now) == expected
        assert {key: self.store.load(key, now=self.now) for key in expected} == expected
        for owner in OWNERS[1:]:
            listed = {key: record._replace(payload=b"") for key, record in expected.items() if record.owner == owner}
            first = self.store.records_of(owner, now=self.now, limit=2)
            # There are four keys, so two pages of two hold everything, and a third says that this was all.
            second = self._next(owner, first.cursor)
            assert self._next(owner, second.cursor) == Page({}, None)
            assert first.records | second.records == listed

    def _next(self, owner: bytes, cursor: bytes | None) -> Page:
        if cursor is None:
            return Page({}, None)
        return self.store.records_of(owner, now=self.now, limit=2, cursor=cursor)


class MemoryMachine(StoreMachine):
    def open(self) -> Store:
        return MemoryStore()


class SQLiteMachine(StoreMachine):
    def open(self) -> Store:
        directory = self.exit.enter_context(tempfile.TemporaryDirectory())
        # The store's own sweeping would delete what the oracle still has, should the clock go back.
        return SQLiteStore(Path(directory) / "sessions.db", sweep_batch=0)


@pytest.mark.parametrize(("machine", "number"), [(MemoryMachine, 100), (SQLiteMachine, 40)])
def test_a_store_does_what_a_dict_would(machine, number):
    quick = settings(
        max_examples=examples(number),
        stateful_step_count=40,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=quick)
