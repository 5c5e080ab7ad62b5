"""MemcachedStore: the contract, on one server and on two; round trips; what changes meanwhile; forks."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator

import pytest
from pymemcache import PooledClient

from cookiesess.errors import RecordExists, StoreUnavailable
from cookiesess.stores.base import Conflict, Record, Store, Updated
from cookiesess.stores.memcached import MemcachedStore
from cookiesess.stores.memcached import nodes as memcached_nodes
from cookiesess.testing import StoreContract
from kit.servers.memcached import TIMEOUT, hashed, key, own_prefix, pooled
from kit.servers.proxy import Proxy

NOW = int(time.time())


class TestMemcachedStore(StoreContract):
    # Memcached expires by its own clock.
    now = NOW
    expires_by_itself = True

    @pytest.fixture(autouse=True)
    def _server(self, memcached_server):
        self.port, self.prefix = memcached_server.port, own_prefix()

    def make_store(self) -> Store:
        return MemcachedStore(pooled(self.port), prefix=self.prefix)

    def open_again(self, store: Store) -> Store:
        return self.make_store()


class TestMemcachedStoreOnTwoServers(TestMemcachedStore):
    @pytest.fixture(autouse=True)
    def _server(self, memcached_pair):
        self.ports, self.prefix = [server.port for server in memcached_pair], own_prefix()

    def make_store(self) -> Store:
        return MemcachedStore(hashed(*self.ports), prefix=self.prefix)


def record(payload: bytes = b"payload", lives: int = 3600) -> Record:
    return Record(payload, NOW + lives, b"summary", b"o" * 32)


@pytest.fixture
def proxy(memcached_server):
    with Proxy(memcached_server.port) as running:
        yield running


@pytest.fixture
def store(proxy):
    """A store behind the proxy, with a connection that is open already."""
    with contextlib.closing(MemcachedStore(pooled(proxy.port), prefix=own_prefix())) as opened:
        opened.load(key(0), now=NOW)
        yield opened


@contextlib.contextmanager
def round_trips(proxy: Proxy, expected: int) -> Iterator[None]:
    before = proxy.round_trips
    yield
    assert proxy.round_trips - before == expected


class TestRoundTrips:
    def test_a_create_is_one(self, store, proxy):
        with round_trips(proxy, 1):
            store.create(key(1), record(), now=NOW)

    def test_a_load_is_one(self, store, proxy):
        store.create(key(1), record(), now=NOW)
        with round_trips(proxy, 1):
            assert store.load(key(1), now=NOW).payload == b"payload"

    def test_an_update_of_what_was_loaded_is_one(self, store, proxy):
        version = self.loaded(store)
        with round_trips(proxy, 1):
            assert isinstance(store.update(key(1), record(), expected_version=version, now=NOW), Updated)

    def test_an_update_of_what_a_conflict_showed_is_one(self, store, proxy):
        version = self.loaded(store)
        store.update(key(1), record(), expected_version=version, now=NOW)
        conflict = store.update(key(1), record(), expected_version=version, now=NOW)
        with round_trips(proxy, 1):
            outcome = store.update(key(1), record(), expected_version=conflict.current.version, now=NOW)
        assert isinstance(outcome, Updated)

    def test_an_update_after_an_update_is_two(self, store, proxy):
        first = store.update(key(1), record(), expected_version=self.loaded(store), now=NOW)
        with round_trips(proxy, 2):
            assert isinstance(store.update(key(1), record(), expected_version=first.version, now=NOW), Updated)

    def test_a_touch_of_what_was_loaded_is_one(self, store, proxy):
        version = self.loaded(store)
        with round_trips(proxy, 1):
            assert store.touch(key(1), expires_at=NOW + 60, expected_version=version, now=NOW)

    def test_a_delete_is_one(self, store, proxy):
        store.create(key(1), record(), now=NOW)
        with round_trips(proxy, 1):
            assert store.delete(key(1))

    def test_a_delete_by_the_version_that_was_loaded_is_one(self, store, proxy):
        version = self.loaded(store)
        with round_trips(proxy, 1):
            assert store.delete(key(1), expected_version=version)

    def test_loading_many_is_one(self, store, proxy):
        keys = [key(number) for number in range(20)]
        for each in keys:
            store.create(each, record(), now=NOW)
        with round_trips(proxy, 1):
            assert set(store.load_many(keys, now=NOW)) == set(keys)

    @staticmethod
    def loaded(store):
        store.create(key(1), record(), now=NOW)
        return store.load(key(1), now=NOW).version


class TestWhatIsChangedMeanwhile:
    """Between a load and the write by it, or in the middle of one call."""

    def test_a_touch_is_no_conflict_for_an_update(self, memcached_store):
        version = self.created(memcached_store)
        memcached_store.touch(key(1), expires_at=NOW + 60, expected_version=version, now=NOW)
        outcome = memcached_store.update(key(1), record(b"new"), expected_version=version, now=NOW)
        assert isinstance(outcome, Updated)
        assert memcached_store.load(key(1), now=NOW).payload == b"new"

    def test_of_two_touches_the_second_stands(self, memcached_store):
        version = self.created(memcached_store)
        for lives in (60, 120):
            assert memcached_store.touch(key(1), expires_at=NOW + lives, expected_version=version, now=NOW)
        assert memcached_store.load(key(1), now=NOW).expires_at == NOW + 120

    def test_a_touch_does_not_keep_from_a_delete_by_version(self, memcached_store):
        version = self.created(memcached_store)
        memcached_store.touch(key(1), expires_at=NOW + 60, expected_version=version, now=NOW)
        assert memcached_store.delete(key(1), expected_version=version)
        assert memcached_store.load(key(1), now=NOW) is None

    def test_an_update_by_a_version_that_has_expired_looks_for_a_touch(self, memcached_store):
        version = self.created(memcached_store, lives=60)
        memcached_store.touch(key(1), expires_at=NOW + 600, expected_version=version, now=NOW)
        outcome = memcached_store.update(key(1), record(), expected_version=version, now=NOW + 61)
        assert isinstance(outcome, Updated)

    def test_a_delete_by_version_of_what_is_gone_is_false(self, memcached_store):
        version = self.created(memcached_store)
        memcached_store.delete(key(1))
        assert not memcached_store.delete(key(1), expected_version=version)

    def test_what_was_deleted_by_version_can_be_created_again(self, memcached_store):
        memcached_store.delete(key(1), expected_version=self.created(memcached_store))
        memcached_store.create(key(1), record(b"second"), now=NOW)
        assert memcached_store.load(key(1), now=NOW).payload == b"second"

    def test_a_version_of_another_kind_is_a_conflict(self, memcached_store):
        self.created(memcached_store)
        assert isinstance(memcached_store.update(key(1), record(), expected_version=7, now=NOW), Conflict)

    def test_a_create_goes_through_where_the_other_record_is_deleted_meanwhile(self, meddled):
        store, other, before = meddled
        other.create(key(1), record(), now=NOW)
        before["gets"] = lambda: other.delete(key(1))
        store.create(key(1), record(b"second"), now=NOW)
        assert other.load(key(1), now=NOW).payload == b"second"

    def test_of_two_creates_over_an_expired_record_one_is_refused(self, meddled):
        store, other, before = meddled
        other.create(key(1), record(lives=10), now=NOW)
        before["cas"] = lambda: _ignore_existing(lambda: other.create(key(1), record(b"theirs"), now=NOW + 10))
        with pytest.raises(RecordExists):
            store.create(key(1), record(b"mine"), now=NOW + 10)
        assert other.load(key(1), now=NOW + 10).payload == b"theirs"

    def test_a_create_gives_up_where_the_other_record_comes_and_goes_without_an_end(self, meddled):
        store, other, before = meddled
        before["add"] = lambda: other.create(key(1), record(), now=NOW)
        before["gets"] = lambda: other.delete(key(1))
        with pytest.raises(StoreUnavailable, match="64 times in a row"):
            store.create(key(1), record(), now=NOW)

    @pytest.mark.parametrize("verb", ["update", "touch", "delete"])
    def test_a_write_gives_up_where_touches_do_not_end(self, meddled, verb):
        store, other, before = meddled
        version = self.created(other)
        before["cas"] = lambda: other.touch(key(1), expires_at=NOW + 60, expected_version=version, now=NOW)
        write = {
            "update": lambda: store.update(key(1), record(b"new"), expected_version=version, now=NOW),
            "touch": lambda: store.touch(key(1), expires_at=NOW + 90, expected_version=version, now=NOW),
            "delete": lambda: store.delete(key(1), expected_version=version),
        }[verb]
        with pytest.raises(StoreUnavailable, match="64 times in a row"):
            write()
        assert other.load(key(1), now=NOW) == record()._replace(expires_at=NOW + 60, version=version)

    @staticmethod
    def created(store, lives=3600):
        store.create(key(1), record(lives=lives), now=NOW)
        return store.load(key(1), now=NOW).version


@pytest.fixture
def meddled(memcached_server):
    """A store, another one on the same records, and what happens just before each command of the first, by its name."""
    before: dict[str, Callable[[], object]] = {}

    class Meddled(PooledClient):
        def add(self, *args, **keywords):
            before.get("add", bool)()
            return super().add(*args, **keywords)

        def gets(self, *args, **keywords):
            before.get("gets", bool)()
            return super().gets(*args, **keywords)

        def cas(self, *args, **keywords):
            before.get("cas", bool)()
            return super().cas(*args, **keywords)

    prefix, address = own_prefix(), ("127.0.0.1", memcached_server.port)
    store = MemcachedStore(Meddled(address, connect_timeout=TIMEOUT, timeout=TIMEOUT), prefix=prefix)
    other = MemcachedStore(pooled(memcached_server.port), prefix=prefix)
    with contextlib.closing(store), contextlib.closing(other):
        yield store, other, before


def _ignore_existing(create: Callable[[], object]) -> None:
    with contextlib.suppress(RecordExists):
        create()


class TestAFork:
    """Two processes on one connection would read each other's answers."""

    def test_a_forked_child_opens_its_own_connection_and_leaves_the_parents_alone(self, store, proxy):
        store.create(key(1), record(), now=NOW)
        assert in_child(lambda: store.load(key(1), now=NOW).payload) == b"payload"
        assert store.load(key(1), now=NOW).payload == b"payload"
        assert proxy.connections == 2

    def test_the_child_closes_what_is_idle_and_what_a_thread_of_the_parent_was_using(self, memcached_server):
        client = pooled(memcached_server.port)
        store = MemcachedStore(client)
        connections = [client.client_pool.get() for _ in range(2)]
        for each in connections:
            each.version()
        client.client_pool.release(connections[0])
        memcached_nodes._after_fork_in_child()
        assert [each.sock for each in connections] == [None, None]
        assert store.load(key(1), now=NOW) is None
        store.close()


def in_child(work: Callable[[], bytes]) -> bytes:
    """What `work` returns in a forked child."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(theirs, work())
        finally:
            os._exit(0)
    os.close(theirs)
    found = os.read(ours, 1 << 10)
    os.close(ours)
    os.waitpid(child, 0)
    return found
