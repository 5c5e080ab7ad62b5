"""A store that Sentinel leads to its primary, and to the next one."""

from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import pytest
import redis
from redis.sentinel import SentinelManagedSSLConnection

from cookiesess.errors import ConfigurationError, StoreUnavailable
from cookiesess.stores.base import Record
from cookiesess.stores.redis.url import client_of as client_of_url
from cookiesess.stores.urls import open_store
from kit.servers.process import Server, free_port, need
from kit.servers.redis import KEY, NOW, client_of, folder_of_its_own, running, wait_until


@contextmanager
def sentinel_of(primary):
    """A Sentinel that watches a primary as "service"; it alone decides about a failover."""
    with folder_of_its_own() as folder:
        port = free_port()
        watch = f"port {port}\nbind 127.0.0.1\nsentinel monitor service 127.0.0.1 {primary.port} 1\n"
        quick = "sentinel down-after-milliseconds service 500\nsentinel failover-timeout service 2000\n"
        (folder / "sentinel.conf").write_text(watch + quick)
        command = [need("redis-server"), folder / "sentinel.conf", "--sentinel"]
        server = Server(command, port=port, folder=folder, ready=lambda: client_of(port, retries=0).ping())
        server.start()
        try:
            with closing(client_of(port)) as client:
                wait_until(lambda: client.execute_command("SENTINEL MASTERS")["service"]["num-slaves"] == 1)
            yield server
        finally:
            server.stop()


def test_a_store_found_by_sentinel_follows_a_failover():
    with (
        running("--repl-diskless-sync-delay", "0") as primary,
        running("--replicaof", f"127.0.0.1 {primary.port}") as replica,
        closing(client_of(replica.port)) as client,
    ):
        wait_until(lambda: client.info("replication")["master_link_status"] == "up")
        with sentinel_of(primary) as sentinel:
            store = open_store(f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{sentinel.port}/service/0")
            store.create(KEY, Record(b"kept", NOW + 600, owner=b"a" * 32), now=NOW)
            store.create(bytes(31) + b"1", Record(b"ended", NOW + 600), now=NOW)
            store.delete(bytes(31) + b"1")
            with closing(client_of(primary.port)) as first:
                assert first.wait(1, 5000) == 1 or in_step(first, client)
            primary.kill()
            with pytest.raises(StoreUnavailable):
                store.load(KEY, now=NOW)
            wait_until(lambda: client.info("replication")["role"] == "master")
            wait_until(lambda: loads(store))
            assert store.load(KEY, now=NOW).payload == b"kept"
            assert store.load(bytes(31) + b"1", now=NOW) is None
            version = store.load(KEY, now=NOW).version
            store.update(KEY, Record(b"changed", NOW + 600), expected_version=version, now=NOW)
            assert store.load(KEY, now=NOW).payload == b"changed"
            store.close()


def in_step(primary, replica):
    offset = primary.info("replication")["master_repl_offset"]
    wait_until(lambda: replica.info("replication")["slave_repl_offset"] >= offset)
    return True


def loads(store):
    try:
        return store.load(KEY, now=NOW)
    except StoreUnavailable:
        return None


def test_a_sentinel_s_own_port_is_refused_with_the_url_to_write(redis_pair):
    with sentinel_of(redis_pair[0]) as sentinel, pytest.raises(ConfigurationError, match=r"redis\+sentinel:"):
        open_store(f"redis://127.0.0.1:{sentinel.port}")


def test_a_service_that_no_sentinel_knows_is_unavailable(redis_pair):
    with sentinel_of(redis_pair[0]) as sentinel, pytest.raises(StoreUnavailable, match="service name"):
        open_store(f"redis+sentinel://127.0.0.1:{sentinel.port}/another")


def test_a_url_with_tls_has_it_on_the_way_to_the_sentinels_and_to_the_primary():
    client, _ = client_of_url(urlsplit("rediss+sentinel://:secret@host/service/2?ca_file=ca.pem&timeout=1"))
    pool = client.connection_pool
    assert pool.connection_class is SentinelManagedSSLConnection
    assert (pool.connection_kwargs["ssl_ca_certs"], pool.connection_kwargs["db"]) == ("ca.pem", 2)
    asked = pool.sentinel_manager.sentinels[0].connection_pool
    assert asked.connection_class is redis.SSLConnection
    assert (asked.connection_kwargs["port"], asked.connection_kwargs["socket_timeout"]) == (26379, 1)
    assert asked.connection_kwargs["password"] is None
