"""Several threads, and several stores on the same data: the races that lose or revive sessions elsewhere."""

# ruff: noqa: S101 (a test suite asserts)

from functools import partial
from unittest import SkipTest

from cookiesess.errors import RecordExists
from cookiesess.stores.base import Conflict, Gone, Store, Updated
from cookiesess.testing.contract_base import ContractBase

# How often each race is run. A store that does not compare and write in one step loses one of these in practice.
_ROUNDS = 20

# How often a thread tries to write its increments before the case fails. Every conflict is another thread's success, so
# that four threads with 25 increments each never need more than 100.
_TRIES = 1000


class ThreadCases(ContractBase):
    """The cases of parallel use. Threads are let go together by a barrier."""

    def test_parallel_increments_lose_nothing(self) -> None:
        self.created(record=self.record(b"0"))
        self.at_once(*[partial(self._increment, 25)] * 4)
        assert self.loaded().payload == b"100"

    def test_of_two_updates_of_one_version_exactly_one_wins(self) -> None:
        version = self.created()
        for _ in range(_ROUNDS):
            outcomes = self.at_once(*[partial(self.update, version)] * 2)
            assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "Updated"]
            version = self.loaded().version

    def test_of_parallel_creates_exactly_one_wins(self) -> None:
        for number in range(_ROUNDS):
            payloads = [b"one", b"two", b"three"]
            key = self.key(str(number))
            won = self.at_once(*[partial(self._create, key, payload) for payload in payloads])
            assert won.count(True) == 1
            assert self.loaded(key).payload == payloads[won.index(True)]

    def test_a_delete_beats_a_touch_whichever_comes_first(self) -> None:
        for number in range(_ROUNDS):
            key = self.key(str(number))
            version = self.created(key)
            self.at_once(partial(self.store.delete, key), partial(self.touch, version, key=key))
            assert self.store.load(key, now=self.now) is None

    def test_a_delete_beats_an_update_whichever_comes_first(self) -> None:
        for number in range(_ROUNDS):
            key = self.key(str(number))
            version = self.created(key)
            deleted, _ = self.at_once(partial(self.store.delete, key), partial(self.update, version, key=key))
            assert deleted is True
            assert self.store.load(key, now=self.now) is None

    def test_of_parallel_deletes_exactly_one_is_true(self) -> None:
        for number in range(_ROUNDS):
            key = self.key(str(number))
            self.created(key)
            assert self.at_once(*[partial(self.store.delete, key)] * 2).count(True) == 1

    def test_records_are_never_torn(self) -> None:
        self.created(record=self.record(b"0" * 5000, summary=b"0"))
        assert self.at_once(partial(self._rewrite, 50), partial(self._read_whole, 50)) == [True, True]

    def test_a_second_store_sees_what_the_first_wrote(self) -> None:
        other = self._other()
        try:
            version = self.created()
            assert other.load(self.key(), now=self.now) == self.loaded()
            outcome = other.update(self.key(), self.record(b"new"), expected_version=version, now=self.now)
            assert isinstance(outcome, Updated)
            assert self.loaded().payload == b"new"
        finally:
            self.close_store(other)

    def test_a_second_store_cannot_revive_what_the_first_deleted(self) -> None:
        other = self._other()
        try:
            version = self.created()
            self.store.delete(self.key())
            outcome = other.update(self.key(), self.record(), expected_version=version, now=self.now)
            assert isinstance(outcome, Gone)
            assert not other.touch(self.key(), expires_at=self.now + 60, expected_version=version, now=self.now)
        finally:
            self.close_store(other)

    def _other(self) -> Store:
        other = self.open_again(self.store)
        if other is None:
            raise SkipTest(f"{type(self.store).__name__} cannot be opened a second time")
        return other

    def _create(self, key: bytes, payload: bytes) -> bool:
        try:
            self.store.create(key, self.record(payload), now=self.now)
        except RecordExists:
            return False
        return True

    def _increment(self, times: int) -> None:
        current = self.loaded()
        for _ in range(_TRIES):
            record = self.record(b"%d" % (int(current.payload) + 1))
            outcome = self.store.update(self.key(), record, expected_version=current.version, now=self.now)
            if isinstance(outcome, Updated):
                times -= 1
                if not times:
                    return
            current = outcome.current if isinstance(outcome, Conflict) else self.loaded()
        raise AssertionError("the conflicts do not end")

    def _read_whole(self, times: int) -> bool:
        records = [self.loaded() for _ in range(times)]
        return all(record.payload == record.summary * 5000 for record in records)

    def _rewrite(self, times: int) -> bool:
        for number in range(times):
            digit = b"%d" % (number % 10)
            record = self.record(digit * 5000, summary=digit)
            self.store.update(self.key(), record, expected_version=self.loaded().version, now=self.now)
        return True
