"""Connections to Memcached that drop: nothing is done twice, lost, or brought back, and hardly anybody notices."""

import contextlib
import socket
import struct
import threading

import pytest
from pymemcache import PooledClient

from cookiesess.errors import RecordExists
from cookiesess.stores.base import Conflict, Gone, Updated
from cookiesess.stores.memcached import MemcachedStore
from kit.constants import NOW
from kit.servers.memcached import SHORT, created, key, own_prefix, payload, pooled, record, unavailable
from kit.servers.proxy import Proxy

MOMENTS = ["before", "within", "after"]


def command(name: bytes):
    return lambda data: data.startswith(name + b" ")


@pytest.fixture
def proxy(memcached_server):
    with Proxy(memcached_server.port) as running:
        yield running


@pytest.fixture
def prefix():
    return own_prefix()


@pytest.fixture
def direct(memcached_server, prefix):
    """The same records, past the proxy."""
    with contextlib.closing(MemcachedStore(pooled(memcached_server.port), prefix=prefix)) as opened:
        yield opened


@pytest.fixture
def store(proxy, prefix):
    with contextlib.closing(MemcachedStore(pooled(proxy.port), prefix=prefix)) as opened:
        opened.load(key(0), now=NOW)
        yield opened


@pytest.mark.parametrize("moment", MOMENTS)
class TestAConnectionDropped:
    def test_an_update_is_applied_once_and_is_no_conflict_with_itself(self, store, proxy, direct, moment):
        version = created(store)
        proxy.drop(moment, match=command(b"cas"))
        outcome = store.update(key(1), record(b"new"), expected_version=version, now=NOW)
        assert isinstance(outcome, Updated)
        assert direct.load(key(1), now=NOW) == record(b"new")._replace(version=outcome.version)

    def test_a_create_is_no_collision_with_itself(self, store, proxy, direct, moment):
        proxy.drop(moment, match=command(b"add"))
        store.create(key(1), record(), now=NOW)
        assert payload(direct) == b"payload"

    def test_a_create_still_leaves_another_record_alone(self, store, proxy, direct, moment):
        created(direct, payload=b"theirs")
        proxy.drop(moment, match=command(b"add"))
        with pytest.raises(RecordExists):
            store.create(key(1), record(), now=NOW)
        assert payload(direct) == b"theirs"

    def test_a_touch_is_done(self, store, proxy, direct, moment):
        version = created(store)
        proxy.drop(moment, match=command(b"cas"))
        assert store.touch(key(1), expires_at=NOW + 60, expected_version=version, now=NOW)
        assert direct.load(key(1), now=NOW) == record(lives=60)._replace(version=version)

    def test_a_delete_is_true_and_stays(self, store, proxy, direct, moment):
        created(store)
        proxy.drop(moment, match=command(b"delete"))
        assert store.delete(key(1))
        assert payload(direct) is None

    def test_a_delete_by_version_is_true_and_stays(self, store, proxy, direct, moment):
        version = created(store)
        proxy.drop(moment, match=command(b"cas"))
        assert store.delete(key(1), expected_version=version)
        assert payload(direct) is None

    def test_a_load_answers(self, store, proxy, moment):
        created(store)
        proxy.drop(moment, match=command(b"gets"))
        assert payload(store) == b"payload"

    def test_loading_many_answers(self, store, proxy, moment):
        created(store)
        proxy.drop(moment, match=command(b"gets"))
        assert list(store.load_many([key(0), key(1)], now=NOW)) == [key(1)]

    @pytest.mark.parametrize("verb", ["create", "load", "load_many", "update", "touch", "delete"])
    def test_twice_in_a_row_is_an_outage_with_its_cause(self, store, proxy, moment, verb):
        version = created(store)
        call = {
            "create": lambda: store.create(key(2), record(), now=NOW),
            "load": lambda: store.load(key(1), now=NOW),
            "load_many": lambda: store.load_many([key(1)], now=NOW),
            "update": lambda: store.update(key(1), record(b"new"), expected_version=version, now=NOW),
            "touch": lambda: store.touch(key(1), expires_at=NOW + 60, expected_version=version, now=NOW),
            "delete": lambda: store.delete(key(1)),
        }[verb]
        proxy.drop(moment, times=2)
        assert isinstance(unavailable(call).__cause__, Exception)


class TestALostAnswer:
    def test_what_another_wrote_over_the_update_is_a_conflict(self, store, proxy, direct):
        def overwrite():
            version = direct.load(key(1), now=NOW).version
            direct.update(key(1), record(b"theirs"), expected_version=version, now=NOW)

        version = created(store)
        proxy.drop("after", match=command(b"cas"), meanwhile=overwrite)
        outcome = store.update(key(1), record(b"mine"), expected_version=version, now=NOW)
        assert isinstance(outcome, Conflict)
        assert payload(direct) == b"theirs"

    @pytest.mark.parametrize("moment", MOMENTS)
    def test_an_update_of_what_was_ended_meanwhile_does_not_bring_it_back(self, store, proxy, direct, moment):
        version = created(store)
        proxy.drop(moment, match=command(b"cas"), meanwhile=lambda: direct.delete(key(1)))
        assert isinstance(store.update(key(1), record(b"late"), expected_version=version, now=NOW), Gone)
        assert payload(direct) is None

    @pytest.mark.parametrize("moment", MOMENTS)
    def test_a_touch_of_what_was_ended_meanwhile_does_not_bring_it_back(self, store, proxy, direct, moment):
        version = created(store)
        proxy.drop(moment, match=command(b"cas"), meanwhile=lambda: direct.delete(key(1)))
        assert not store.touch(key(1), expires_at=NOW + 60, expected_version=version, now=NOW)
        assert payload(direct) is None

    def test_a_delete_by_version_spares_what_was_updated_meanwhile(self, store, proxy, direct):
        version = created(store)
        proxy.drop(
            "before",
            match=command(b"cas"),
            meanwhile=lambda: direct.update(key(1), record(b"new"), expected_version=version, now=NOW),
        )
        assert not store.delete(key(1), expected_version=version)
        assert payload(direct) == b"new"


class TestATimeout:
    def test_a_command_that_ran_into_it_is_not_repeated(self, proxy, prefix):
        with contextlib.closing(MemcachedStore(pooled(proxy.port, timeout=SHORT), prefix=prefix)) as store:
            store.load(key(1), now=NOW)
            proxy.hold()
            assert isinstance(unavailable(lambda: store.load(key(1), now=NOW)).__cause__, TimeoutError)
            assert proxy.connections == 1
            proxy.release()


class TestIdleConnections:
    def test_those_that_the_server_has_closed_fail_no_request(self, proxy, prefix):
        client = pooled(proxy.port)
        with contextlib.closing(MemcachedStore(client, prefix=prefix)) as store:
            idle = [client.client_pool.get() for _ in range(5)]
            for each in idle:
                each.version()
                client.client_pool.release(each)
            proxy.cut()
            created(store)
            # All that were stale are gone with the first: one new connection, and none of the old ones.
            assert proxy.connections == 6
            assert len(client.client_pool.free) == 1

    def test_one_that_is_reset_fails_no_request(self, prefix):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=_reset_once_then_answer, args=(listener,), daemon=True).start()
            store = MemcachedStore(pooled(listener.getsockname()[1]), prefix=prefix)
            assert store.load(key(1), now=NOW) is None
            store.close()

    def test_closing_spares_those_in_use(self, proxy, prefix):
        client = pooled(proxy.port)
        store = MemcachedStore(client, prefix=prefix)
        idle, used = client.client_pool.get(), client.client_pool.get()
        for each in (idle, used):
            each.version()
        client.client_pool.release(idle)
        store.close()
        assert idle.sock is None
        assert used.version()
        used.close()

    def test_a_pool_at_its_limit_is_an_outage_and_not_a_wait(self, memcached_server, prefix):
        client = pooled(memcached_server.port, max_pool_size=1)
        store = MemcachedStore(client, prefix=prefix)
        taken = client.client_pool.get()
        assert "max_pool_size" in str(unavailable(lambda: store.load(key(1), now=NOW)))
        client.client_pool.release(taken)
        assert payload(store) is None
        store.close()

    def test_closing_a_pool_at_its_limit_is_no_error(self, memcached_server):
        class Racing(PooledClient):
            """Whatever is idle is taken by another thread before the store gets it."""

        client = Racing(("127.0.0.1", memcached_server.port), connect_timeout=1, timeout=1, max_pool_size=1)
        store = MemcachedStore(client)
        client.client_pool = _TakenPool(client.client_pool)
        store.close()
        assert len(client.client_pool.inner.used) == 1


def _reset_once_then_answer(listener: socket.socket) -> None:
    """As a firewall or a balancer that has forgotten a connection."""
    connection, _ = listener.accept()
    connection.recv(1 << 10)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    connection, _ = listener.accept()
    with connection:
        connection.recv(1 << 10)
        connection.sendall(b"END\r\n")
        connection.recv(1 << 10)  # until the client has closed it


class _TakenPool:
    def __init__(self, inner):
        self.inner = inner

    @property
    def free(self):
        return (self.inner.get(),)

    def __getattr__(self, name):
        return getattr(self.inner, name)
