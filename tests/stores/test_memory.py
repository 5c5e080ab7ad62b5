"""MemoryStore: the contract, and what is evicted when it is full."""

import threading

import pytest

from cookiesess.errors import ConfigurationError, RecordExists
from cookiesess.stores.base import Record, Store
from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import StoreContract
from kit.constants import NOW


class TestMemoryStore(StoreContract):
    def make_store(self) -> Store:
        return MemoryStore()


def key(name: str) -> bytes:
    return name.encode().ljust(32, b"\x00")


def fill(store: MemoryStore, *names: str, owner: bytes | None = None, lives: int = 3600) -> None:
    for name in names:
        store.create(key(name), Record(b"", NOW + lives, owner=owner), now=NOW)


def kept(store: MemoryStore, names: str, *, now: int = NOW) -> str:
    records = store.load_many([key(name) for name in names], now=now)
    return "".join(name for name in names if key(name) in records)


def test_it_declares_that_it_evicts():
    assert MemoryStore.evicts


def test_a_full_store_takes_a_new_session_and_keeps_to_its_bound():
    store = MemoryStore(max_sessions=3)
    fill(store, *"abcde")
    assert kept(store, "abcde") == "cde"


def test_the_session_that_was_used_longest_ago_goes_first():
    store = MemoryStore(max_sessions=3)
    fill(store, *"abc")
    store.load(key("a"), now=NOW)
    fill(store, "d")
    assert kept(store, "abcd") == "acd"


@pytest.mark.parametrize("use", ["touch", "update"])
def test_a_write_is_a_use(use):
    store = MemoryStore(max_sessions=2)
    fill(store, *"ab")
    # A listing tells the version without being a use; here the load is one, so b is loaded after a.
    record = store.load(key("a"), now=NOW)
    store.load(key("b"), now=NOW)
    if use == "touch":
        store.touch(key("a"), expires_at=NOW + 60, expected_version=record.version, now=NOW)
    else:
        store.update(key("a"), record, expected_version=record.version, now=NOW)
    fill(store, "c")
    assert kept(store, "abc") == "ac"


def test_sessions_without_an_owner_go_before_owned_ones():
    store = MemoryStore(max_sessions=3)
    fill(store, "a", owner=b"ann")
    fill(store, *"bcd")
    assert kept(store, "abcd") == "acd"


def test_owned_sessions_go_when_there_is_nothing_else():
    store = MemoryStore(max_sessions=2)
    fill(store, *"abc", owner=b"ann")
    assert kept(store, "abc") == "bc"
    assert set(store.records_of(b"ann", now=NOW, limit=9).records) == {key("b"), key("c")}


def test_expired_sessions_go_before_all_others_even_owned_ones():
    store = MemoryStore(max_sessions=3)
    fill(store, "a")
    fill(store, *"bc", owner=b"ann", lives=60)
    store.create(key("d"), Record(b"", NOW + 3600), now=NOW + 60)
    assert kept(store, "abcd", now=NOW + 60) == "ad"


def test_taking_over_an_expired_record_evicts_nobody():
    evicted: list[int] = []
    store = MemoryStore(max_sessions=2, on_evict=evicted.append)
    fill(store, "a", lives=60)
    fill(store, "b")
    store.create(key("a"), Record(b"", NOW + 3600), now=NOW + 60)
    assert (kept(store, "ab", now=NOW + 60), evicted) == ("ab", [])


def test_an_eviction_is_said_to_the_callback():
    evicted: list[int] = []
    store = MemoryStore(max_sessions=2, on_evict=evicted.append)
    fill(store, *"abcd")
    assert evicted == [1, 1]


def test_dropping_expired_sessions_is_not_an_eviction():
    evicted: list[int] = []
    store = MemoryStore(max_sessions=2, on_evict=evicted.append)
    fill(store, *"ab", lives=60)
    store.create(key("c"), Record(b"", NOW + 3600), now=NOW + 60)
    assert evicted == []


def test_the_callback_can_be_set_later_and_may_use_the_store():
    store = MemoryStore(max_sessions=1)
    seen: list[str] = []
    fill(store, *"ab")
    store.on_evict = lambda evicted: seen.append(kept(store, "abc"))
    fill(store, "c")
    assert seen == ["c"]


def test_a_refused_create_evicts_nobody():
    store = MemoryStore(max_sessions=2)
    fill(store, *"ab")
    with pytest.raises(RecordExists):
        fill(store, "b")
    assert kept(store, "ab") == "ab"


def test_a_search_for_expired_sessions_does_not_miss_one_that_was_touched_to_expire_earlier():
    store = MemoryStore(max_sessions=2)
    fill(store, *"ab")
    store.delete_expired(now=NOW + 10, limit=10)
    version = store.load(key("b"), now=NOW).version
    store.touch(key("b"), expires_at=NOW + 20, expected_version=version, now=NOW)
    assert store.delete_expired(now=NOW + 20, limit=10) == 1


def test_a_sweep_that_met_its_limit_is_continued():
    store = MemoryStore()
    fill(store, *"abc", lives=60)
    fill(store, "d")
    assert [store.delete_expired(now=NOW + 60, limit=2) for _ in range(3)] == [2, 1, 0]


def test_deleting_and_creating_leaves_no_trace_of_an_owner():
    store = MemoryStore()
    fill(store, "a", owner=b"ann")
    store.delete(key("a"))
    assert store._keys_by_owner == {}


def test_threads_that_overfill_it_keep_to_the_bound():
    evicted: list[int] = []
    store = MemoryStore(max_sessions=50, on_evict=evicted.append)
    barrier = threading.Barrier(4)

    def flood(thread: int) -> None:
        barrier.wait()
        for number in range(100):
            store.create(key(f"{thread}/{number}"), Record(b"", NOW + 60), now=NOW)

    threads = [threading.Thread(target=flood, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sum(evicted), repr(store)) == (350, "<MemoryStore 50 of 50 sessions>")


def test_a_record_that_was_handed_in_is_not_changed():
    store = MemoryStore()
    record = Record(b"payload", NOW + 60)
    store.create(key("a"), record, now=NOW)
    assert record == store.load(key("a"), now=NOW)._replace(version=None)


@pytest.mark.parametrize("max_sessions", [0, -1])
def test_a_bound_below_one_is_refused(max_sessions):
    with pytest.raises(ConfigurationError, match=f"max_sessions is {max_sessions}; .* at least 1"):
        MemoryStore(max_sessions=max_sessions)
