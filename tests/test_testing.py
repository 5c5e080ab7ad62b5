"""The public test helpers: the contract catches stores that break it, with pytest and with unittest."""

import contextlib
import subprocess
import sys
import threading
import unittest
from collections.abc import Hashable
from datetime import timedelta

import pytest

import cookiesess.testing
from cookiesess.errors import RecordExists
from cookiesess.stores.base import Conflict, Gone, Page, Record, Store, Updated
from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import BoundBrowser, CookieHeader, ManualClock, StoreContract, session_transaction


class Listing(MemoryStore):
    """A store that lists what its owners have, and does not count it."""

    count_of = Store.count_of
    oldest_of = Store.oldest_of


class TestAStoreThatOnlyLists(StoreContract):
    def make_store(self) -> Store:
        return Listing()


def cases(contract: type[StoreContract]) -> list[str]:
    return [name for name in dir(contract) if name.startswith("test_")]


def failures(store: type[Store], *only: str, **attributes: object) -> set[str]:
    """Run every case, or only those named, on a new store each, and return the names of those that failed."""
    contract = type("Contract", (StoreContract,), {"make_store": lambda self: store(), **attributes})
    failed = set()
    for name in only or cases(contract):
        case = contract()
        try:
            getattr(case, name)()
        except unittest.SkipTest:
            pass
        except Exception:  # noqa: BLE001 (a broken store may raise anything, and it counts as a failure)
            failed.add(name)
        finally:
            case.teardown_method()
    return failed


def test_a_good_store_fails_no_case():
    assert failures(MemoryStore) == set()


def test_a_case_makes_its_store_once_though_several_threads_ask_for_it_first():
    made = []

    class Contract(StoreContract):
        def make_store(self):
            for _ in range(10_000):  # long enough for another thread to come in between
                store = MemoryStore(max_sessions=1)
            made.append(store)
            return store

    for _ in range(5):
        case = Contract()
        assert len({id(store) for store in case.at_once(*[lambda case=case: case.store] * 4)}) == 1
        case.teardown_method()
    assert len(made) == 5


def test_the_contract_has_at_least_thirty_cases():
    assert len(cases(StoreContract)) >= 30


class CreateOverwrites(MemoryStore):
    def create(self, key: bytes, record: Record, *, now: int) -> None:
        self.delete(key)
        super().create(key, record, now=now)


class UpdateCreates(MemoryStore):
    def update(self, key: bytes, record: Record, *, expected_version: Hashable, now: int):
        outcome = super().update(key, record, expected_version=expected_version, now=now)
        if isinstance(outcome, Gone):
            self.delete(key)
            self.create(key, record, now=now)
        return outcome


class UpdateIgnoresTheVersion(MemoryStore):
    def update(self, key: bytes, record: Record, *, expected_version: Hashable, now: int):
        current = self.load(key, now=now)
        return super().update(key, record, expected_version=current and current.version, now=now)


class UpdateReadsAndThenWrites(MemoryStore):
    """Compares and writes in two steps: the mistake that loses writes elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Barrier(2)

    def update(self, key: bytes, record: Record, *, expected_version: Hashable, now: int):
        current = self.load(key, now=now)
        if current is None:
            return Gone()
        if current.version != expected_version:
            return Conflict(current)
        # Two threads meet here, between the comparison and the write; one that is alone goes on.
        with contextlib.suppress(threading.BrokenBarrierError):
            self.gate.wait(2)
        newest = self.load(key, now=now)
        return super().update(key, record, expected_version=newest and newest.version, now=now)


class UpdateKeepsTheVersion(MemoryStore):
    def update(self, key: bytes, record: Record, *, expected_version: Hashable, now: int):
        outcome = super().update(key, record, expected_version=expected_version, now=now)
        if isinstance(outcome, Updated):
            self._put(key, record, expected_version)
            return Updated(expected_version)
        return outcome


class LoadHandsOutExpired(MemoryStore):
    def load(self, key: bytes, *, now: int) -> Record | None:
        return self._find(key)


class LoadManyHandsOutExpired(MemoryStore):
    def load_many(self, keys, *, now: int) -> dict[bytes, Record]:
        return {key: record for key in keys if (record := self._find(key)) is not None}


class ExpiresOneSecondLate(MemoryStore):
    def load(self, key: bytes, *, now: int) -> Record | None:
        return super().load(key, now=now - 1)


class TouchBumpsTheVersion(MemoryStore):
    def touch(self, key: bytes, *, expires_at: int, expected_version: Hashable, now: int) -> bool:
        if not super().touch(key, expires_at=expires_at, expected_version=expected_version, now=now):
            return False
        self._put(key, self._find(key), next(self._versions))
        return True


class TouchRevives(MemoryStore):
    def touch(self, key: bytes, *, expires_at: int, expected_version: Hashable, now: int) -> bool:
        return super().touch(key, expires_at=expires_at, expected_version=expected_version, now=0)


class TouchIgnoresTheVersion(MemoryStore):
    def touch(self, key: bytes, *, expires_at: int, expected_version: Hashable, now: int) -> bool:
        current = self.load(key, now=now)
        return super().touch(key, expires_at=expires_at, expected_version=current and current.version, now=now)


class TouchOnlyLengthens(MemoryStore):
    def touch(self, key: bytes, *, expires_at: int, expected_version: Hashable, now: int) -> bool:
        current = self.load(key, now=now)
        later = max(expires_at, current.expires_at) if current else expires_at
        return super().touch(key, expires_at=later, expected_version=expected_version, now=now)


class DeleteIgnoresTheVersion(MemoryStore):
    def delete(self, key: bytes, *, expected_version: Hashable = None) -> bool:
        return super().delete(key)


class DeleteIsAlwaysTrue(MemoryStore):
    def delete(self, key: bytes, *, expected_version: Hashable = None) -> bool:
        super().delete(key, expected_version=expected_version)
        return True


class DeleteManyIgnoresTheVersions(MemoryStore):
    def delete_many(self, versions: dict[bytes, Hashable]) -> int:
        return sum(self.delete(key) for key in versions)


class SweepIgnoresItsLimit(MemoryStore):
    def delete_expired(self, *, now: int, limit: int) -> int:
        return super().delete_expired(now=now, limit=10**6)


class SweepsTheLiving(MemoryStore):
    def delete_expired(self, *, now: int, limit: int) -> int:
        return super().delete_expired(now=now + 1, limit=limit)


class CutsAtZeroBytes(MemoryStore):
    def create(self, key: bytes, record: Record, *, now: int) -> None:
        super().create(key, record._replace(payload=record.payload.split(b"\x00")[0]), now=now)


class ForgetsOwnerChanges(MemoryStore):
    def update(self, key: bytes, record: Record, *, expected_version: Hashable, now: int):
        current = self.load(key, now=now)
        kept = record._replace(owner=current.owner) if current else record
        return super().update(key, kept, expected_version=expected_version, now=now)


class ListsExpired(MemoryStore):
    def records_of(self, owner: bytes, *, now: int, limit: int, cursor: bytes | None = None) -> Page:
        return super().records_of(owner, now=0, limit=limit, cursor=cursor)


class ListsPayloads(MemoryStore):
    def records_of(self, owner: bytes, *, now: int, limit: int, cursor: bytes | None = None) -> Page:
        page = super().records_of(owner, now=now, limit=limit, cursor=cursor)
        return Page({key: self._find(key) for key in page.records}, page.cursor)


class ListsAllAtOnce(MemoryStore):
    def records_of(self, owner: bytes, *, now: int, limit: int, cursor: bytes | None = None) -> Page:
        return super().records_of(owner, now=now, limit=1_000_000, cursor=cursor)


class ListsTheFirstPageForEver(MemoryStore):
    def records_of(self, owner: bytes, *, now: int, limit: int, cursor: bytes | None = None) -> Page:
        return super().records_of(owner, now=now, limit=limit)


class ListsNoSecondPage(MemoryStore):
    def records_of(self, owner: bytes, *, now: int, limit: int, cursor: bytes | None = None) -> Page:
        return super().records_of(owner, now=now, limit=limit, cursor=cursor)._replace(cursor=None)


class CountsWhatItHasListed(MemoryStore):
    """Its cursor is a number of records, so that ending some of them moves the others out of sight."""

    def records_of(self, owner: bytes, *, now: int, limit: int, cursor: bytes | None = None) -> Page:
        page, start = super().records_of(owner, now=now, limit=1_000_000), int(cursor or b"0")
        listed = dict(list(page.records.items())[start : start + limit])
        return Page(listed, b"%d" % (start + limit) if len(page.records) > start + limit else None)


class EndsAtAnEmptyPage(MemoryStore):
    def records_of(self, owner: bytes, *, now: int, limit: int, cursor: bytes | None = None) -> Page:
        page = super().records_of(owner, now=now, limit=limit, cursor=cursor)
        return page if page.records else Page({}, None)


class TakesAnyLimit(MemoryStore):
    def records_of(self, owner: bytes, *, now: int, limit: int, cursor: bytes | None = None) -> Page:
        return super().records_of(owner, now=now, limit=max(limit, 1), cursor=cursor)


class RepeatsVersions(MemoryStore):
    """Starts every record at version 1."""

    def create(self, key: bytes, record: Record, *, now: int) -> None:
        super().create(key, record, now=now)
        self._put(key, record, 1)


class ConflictHoldsAnOldVersion(MemoryStore):
    def update(self, key: bytes, record: Record, *, expected_version: Hashable, now: int):
        outcome = super().update(key, record, expected_version=expected_version, now=now)
        return Conflict(outcome.current._replace(version=0)) if isinstance(outcome, Conflict) else outcome


class NeverUpdates(MemoryStore):
    def update(self, key: bytes, record: Record, *, expected_version: Hashable, now: int):
        return Conflict(self.load(key, now=now))


class RefusesAfterClosing(MemoryStore):
    def close(self) -> None:
        self.create = None


@pytest.mark.parametrize(
    ("store", "case"),
    [
        (CreateOverwrites, "test_create_never_overwrites"),
        (UpdateCreates, "test_update_of_a_deleted_record_is_gone_and_creates_nothing"),
        (UpdateCreates, "test_update_of_an_expired_record_is_gone_and_does_not_revive_it"),
        (UpdateIgnoresTheVersion, "test_a_stale_version_never_wins"),
        (UpdateReadsAndThenWrites, "test_of_two_updates_of_one_version_exactly_one_wins"),
        (UpdateKeepsTheVersion, "test_update_changes_the_version"),
        (LoadHandsOutExpired, "test_a_record_is_not_handed_out_from_its_expiry_on"),
        (LoadManyHandsOutExpired, "test_load_many_leaves_expired_records_out"),
        (ExpiresOneSecondLate, "test_a_record_is_not_handed_out_from_its_expiry_on"),
        (TouchBumpsTheVersion, "test_touch_does_not_change_the_version"),
        (TouchRevives, "test_touch_of_an_expired_record_is_false_and_does_not_revive_it"),
        (TouchIgnoresTheVersion, "test_touch_of_an_updated_record_is_false_and_leaves_its_expiry"),
        (TouchOnlyLengthens, "test_touch_moves_the_expiry_in"),
        (DeleteIgnoresTheVersion, "test_delete_with_a_stale_version_leaves_the_record"),
        (DeleteIsAlwaysTrue, "test_delete_twice_is_fine_and_false"),
        (DeleteManyIgnoresTheVersions, "test_delete_many_deletes_what_still_has_the_version_and_counts_it"),
        (SweepIgnoresItsLimit, "test_delete_expired_keeps_to_its_limit"),
        (SweepsTheLiving, "test_delete_expired_spares_the_last_second"),
        (CutsAtZeroBytes, "test_every_byte_value_comes_back"),
        (ForgetsOwnerChanges, "test_an_update_gives_a_record_another_owner"),
        (ListsExpired, "test_an_expired_record_is_not_listed"),
        (ListsPayloads, "test_records_of_returns_all_but_the_payload"),
        (ListsAllAtOnce, "test_a_limit_of_one_lists_every_record"),
        (ListsTheFirstPageForEver, "test_a_limit_of_one_lists_every_record"),
        (ListsNoSecondPage, "test_thousands_of_records_come_in_pages_each_of_them_once"),
        (CountsWhatItHasListed, "test_thousands_of_records_can_be_ended_page_by_page"),
        (CountsWhatItHasListed, "test_what_is_ended_behind_the_cursor_hides_no_other"),
        (CountsWhatItHasListed, "test_a_cursor_of_another_owner_is_refused_and_nothing_is_lost"),
        (CountsWhatItHasListed, "test_a_cursor_of_another_kind_of_store_is_refused_and_nothing_is_lost"),
        (EndsAtAnEmptyPage, "test_what_has_expired_is_not_listed_and_hides_no_other"),
        (TakesAnyLimit, "test_a_limit_below_one_is_refused_and_nothing_is_lost"),
        (RepeatsVersions, "test_a_version_from_before_a_delete_does_not_fit_the_new_record"),
        (ConflictHoldsAnOldVersion, "test_the_version_in_a_conflict_fits_the_next_try"),
        (NeverUpdates, "test_parallel_increments_lose_nothing"),
        (RefusesAfterClosing, "test_a_store_can_be_used_after_it_was_closed"),
    ],
)
def test_the_contract_catches(store, case):
    assert failures(store, case) == {case}


class WithoutOwners(MemoryStore):
    indexes_owners = False

    def records_of(self, owner: bytes, *, now: int, limit: int, cursor: bytes | None = None) -> Page:
        return Store.records_of(self, owner, now=now, limit=limit, cursor=cursor)


class ExpiresByItself(MemoryStore):
    def delete_expired(self, *, now: int, limit: int) -> int:
        return 0


def test_a_store_without_an_owner_index_skips_its_cases():
    assert failures(WithoutOwners) == set()


def test_a_store_that_claims_no_owner_index_must_say_so_when_asked():
    silent = type("Silent", (MemoryStore,), {"indexes_owners": False})
    assert failures(silent) == {"test_a_store_without_an_owner_index_says_so"}


def test_an_engine_that_expires_by_itself_need_not_sweep():
    assert failures(ExpiresByItself, expires_by_itself=True) == set()


def test_an_engine_that_does_not_expire_by_itself_must_sweep():
    assert "test_delete_expired_returns_how_many_it_deleted" in failures(ExpiresByItself)


@pytest.mark.parametrize("now", [1, 4_000_000_000])
def test_the_cases_happen_at_whatever_time_the_subclass_says(now):
    assert failures(MemoryStore, now=now) == set()


def test_the_cases_run_under_unittest_and_close_their_stores():
    closed: list[Store] = []
    contract = type(
        "Case",
        (StoreContract, unittest.TestCase),
        {"make_store": lambda self: MemoryStore(), "close_store": lambda self, store: closed.append(store)},
    )
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(contract).run(result)
    assert result.wasSuccessful()
    assert (result.testsRun, len(closed)) == (len(cases(StoreContract)), len(cases(StoreContract)))


def test_a_contract_without_make_store_cannot_be_run():
    with pytest.raises(TypeError, match="make_store"):
        StoreContract()


def test_an_error_in_a_thread_fails_the_case():
    def fail() -> None:
        raise RecordExists("in a thread")

    contract = type("Contract", (StoreContract,), {"make_store": lambda self: MemoryStore()})()
    with pytest.raises(RecordExists, match="in a thread"):
        contract.at_once(fail, int)


def test_a_case_that_asked_for_no_store_makes_and_closes_none():
    def fail(*_: object) -> Store:
        raise AssertionError("a store was made or closed")

    type("Contract", (StoreContract,), {"make_store": fail, "close_store": fail})().teardown_method()


@pytest.mark.process
def test_nothing_in_it_needs_pytest_or_hypothesis():
    script = "import sys, cookiesess.testing; sys.exit(bool({'pytest', 'hypothesis'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)


def test_the_public_names():
    assert {name: getattr(cookiesess.testing, name) for name in cookiesess.testing.__all__} == {
        "BoundBrowser": BoundBrowser,
        "CookieHeader": CookieHeader,
        "ManualClock": ManualClock,
        "StoreContract": StoreContract,
        "session_transaction": session_transaction,
    }


def test_a_manual_clock_stands_still():
    clock = ManualClock(100)
    assert (clock(), clock()) == (100.0, 100.0)


@pytest.mark.parametrize(
    ("by", "reads"), [(5, 105.0), (0.25, 100.25), (timedelta(minutes=2), 220.0), (-40, 60.0), (timedelta(-1), -86300.0)]
)
def test_a_manual_clock_goes_where_it_is_moved(by, reads):
    clock = ManualClock(100)
    clock.advance(by)
    assert clock() == reads


def test_a_manual_clock_shows_its_time():
    assert repr(ManualClock(100)) == "ManualClock(100.0)"
