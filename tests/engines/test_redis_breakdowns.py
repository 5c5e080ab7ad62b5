"""RedisStore when its server hangs, dies, forgets, is full or is demoted: the three promises of the other faults.

The rows of the table in the documents are in the names: *acknowledged*, *ended*, *hangs*.
"""

import threading
from contextlib import closing, suppress
from functools import partial

import pytest
import redis

from cookiesess.errors import StoreUnavailable
from cookiesess.stores.base import Gone, Updated
from cookiesess.stores.redis import RedisStore, scripts
from kit.listing import listed
from kit.servers.redis import (
    ANN,
    HANGS,
    KEY,
    NOW,
    client_of,
    outcome_in_time,
    payload,
    prefix,
    record,
    running,
    update,
    verbs,
)

STALLED = 0.3  # seconds of timeout for clients of a server that is stalled on purpose


@pytest.fixture
def name():
    return prefix()


# A server that hangs


@pytest.fixture(scope="module")
def own():
    """A server that the tests of this module may stall and reconfigure, and leave as it was."""
    with running() as server:
        yield server


@pytest.mark.parametrize("verb", ["create", "load", "load_many", "update", "touch", "delete", "records_of"])
def test_no_verb_hangs_while_the_server_is_stalled(own, name, verb):
    with closing(RedisStore(client_of(own.port, timeout=STALLED), prefix=name)) as store:
        store.create(KEY, record(), now=NOW)
        call = verbs(store, store.load(KEY, now=NOW).version)[verb]
        own.stall()
        try:
            outcome = outcome_in_time(call)
        finally:
            own.resume()
        assert isinstance(outcome, StoreUnavailable)
        assert isinstance(outcome.__cause__, redis.TimeoutError)


def test_what_was_sent_to_a_stalled_server_revives_nothing_when_it_goes_on(own, name):
    with (
        closing(RedisStore(client_of(own.port, timeout=STALLED), prefix=name)) as store,
        closing(RedisStore(client_of(own.port), prefix=name)) as patient,
    ):
        store.create(KEY, record(), now=NOW)
        version = store.load(KEY, now=NOW).version
        assert store.delete(KEY)
        own.stall()
        try:
            assert isinstance(outcome_in_time(partial(update, store, version=version)), StoreUnavailable)
        finally:
            own.resume()
        assert payload(patient) is None
        assert isinstance(update(patient, version=version), Gone)


def test_an_end_that_was_not_answered_by_a_stalled_server_can_be_repeated(own, name):
    with (
        closing(RedisStore(client_of(own.port, timeout=STALLED), prefix=name)) as store,
        closing(RedisStore(client_of(own.port), prefix=name)) as patient,
    ):
        store.create(KEY, record(), now=NOW)
        own.stall()
        try:
            assert isinstance(outcome_in_time(partial(store.delete, KEY)), StoreUnavailable)
        finally:
            own.resume()
        patient.delete(KEY)
        assert payload(store) is None


# A server that restarts, forgets, or is full


def test_after_script_flush_each_write_works_and_the_scripts_are_known_again(own, name):
    with closing(client_of(own.port)) as client:
        store = RedisStore(client, prefix=name)
        client.script_flush()
        store.create(KEY, record(), now=NOW)
        client.script_flush()
        assert isinstance(update(store), Updated)
        assert client.script_exists(*_shas()) == [False, True, False, False, False]
        client.script_flush()
        assert store.touch(KEY, expires_at=NOW + 60, expected_version=store.load(KEY, now=NOW).version, now=NOW)
        client.script_flush()
        assert list(listed(store, ANN, now=NOW)) == [KEY]
        client.script_flush()
        assert store.delete(KEY)


def _shas():
    return [each.sha for each in (scripts.CREATE, scripts.UPDATE, scripts.TOUCH, scripts.DELETE, scripts.LIST)]


def test_a_server_that_was_killed_has_all_that_was_acknowledged_and_nothing_that_was_ended():
    with running("--appendonly", "yes", "--appendfsync", "always") as server:
        store = RedisStore(client_of(server.port, timeout=2))
        acknowledged, ended = [], []

        def work(worker):
            for number in range(100_000):
                key = b"%08d%024d" % (worker, number)
                store.create(key, record(b"new"), now=NOW)
                if number % 2:
                    store.delete(key)
                    ended.append(key)
                else:
                    update(store, b"changed", key=key)
                    acknowledged.append(key)

        def until_it_breaks(worker):
            with suppress(StoreUnavailable):
                work(worker)

        workers = [threading.Thread(target=until_it_breaks, args=(worker,), daemon=True) for worker in range(4)]
        for worker in workers:
            worker.start()
        while len(acknowledged) < 60:
            threading.Event().wait(0.005)
        server.kill()
        for worker in workers:
            worker.join(HANGS)
            assert not worker.is_alive()
        server.start()
        assert all(found.payload == b"changed" for found in store.load_many(acknowledged, now=NOW).values())
        assert store.load_many(acknowledged, now=NOW).keys() == set(acknowledged)
        assert store.load_many(ended, now=NOW) == {}
        assert listed(store, ANN, now=NOW).keys() >= set(acknowledged)
        store.close()


def fill(store, taken, owner=ANN):
    """Create ten times as many records as the servers of these tests have memory for; add to `taken` those it took."""
    for number in range(800):
        key = number.to_bytes(32, "big")
        store.create(key, record(b"x" * 100_000, owner=owner), now=NOW)
        taken.append(key)


@pytest.mark.parametrize("owner", [None, ANN], ids=["without an owner", "with an owner"])
def test_a_full_server_refuses_writes_and_loses_nothing(owner):
    with running("--maxmemory", "8mb", "--maxmemory-policy", "noeviction") as server:
        store = RedisStore(client_of(server.port))
        assert store.evicts is False
        taken = []
        with pytest.raises(StoreUnavailable, match="memory is full") as caught:
            fill(store, taken, owner)
        assert isinstance(caught.value.__cause__, redis.RedisError)
        store._client.config_set("maxmemory", "2mb")  # so that not even what a refused request took is free
        for new_owner in (None, ANN):
            version = store.load(taken[0], now=NOW).version
            with pytest.raises(StoreUnavailable):
                store.update(taken[0], record(b"y", owner=new_owner), expected_version=version, now=NOW)
        assert [payload(store, key) for key in taken] == [b"x" * 100_000] * len(taken)
        assert listed(store, ANN, now=NOW).keys() == (set(taken) if owner else set())
        store.close()


def test_on_a_full_server_a_session_can_still_be_read_refreshed_and_ended():
    with running("--maxmemory", "8mb") as server:
        store = RedisStore(client_of(server.port))
        store.create(KEY, record(), now=NOW)
        with pytest.raises(StoreUnavailable):
            fill(store, [])
        store._client.config_set("maxmemory", "2mb")
        version = store.load(KEY, now=NOW).version
        assert store.touch(KEY, expires_at=NOW + 7200, expected_version=version, now=NOW)
        assert store.load(KEY, now=NOW).expires_at == NOW + 7200
        assert store.delete(KEY) is True
        assert payload(store) is None
        store.close()


def test_an_evicting_server_is_told_apart_drops_sessions_early_and_none_returns():
    with running("--maxmemory", "8mb", "--maxmemory-policy", "allkeys-lru") as server:
        store = RedisStore(client_of(server.port))
        assert store.evicts is True
        keys: list[bytes] = []
        fill(store, keys)
        left = store.load_many(keys, now=NOW)
        assert 0 < len(left) < len(keys)
        lost = next(key for key in keys if key not in left)
        assert isinstance(update(store, key=lost, version=next(iter(left.values())).version), Gone)
        assert payload(store, lost) is None
        assert listed(store, ANN, now=NOW).keys() <= set(keys)
        store.close()


def test_a_policy_without_a_limit_evicts_nothing(own):
    with closing(client_of(own.port)) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            assert RedisStore(client).evicts is False
        finally:
            client.config_set("maxmemory-policy", "noeviction")


def test_a_server_that_becomes_a_replica_under_the_store_is_unavailable(own, name):
    with closing(client_of(own.port)) as client:
        store = RedisStore(client, prefix=name)
        store.create(KEY, record(), now=NOW)
        version = store.load(KEY, now=NOW).version
        client.replicaof("127.0.0.1", 1)
        try:
            with pytest.raises(StoreUnavailable, match="become a replica"):
                update(store, version=version)
        finally:
            client.replicaof("NO", "ONE")
        assert payload(store) == b"payload"


def test_a_primary_that_must_have_a_replica_and_has_none_refuses_writes(own, name):
    with closing(client_of(own.port)) as client:
        store = RedisStore(client, prefix=name)
        client.config_set("min-replicas-to-write", 1)
        try:
            with pytest.raises(StoreUnavailable, match="in the cause") as caught:
                store.create(KEY, record(), now=NOW)
        finally:
            client.config_set("min-replicas-to-write", 0)
        assert "NOREPLICAS" in str(caught.value.__cause__)
        assert payload(store) is None


def test_a_client_without_a_free_connection_names_its_setting(own, name):
    with closing(client_of(own.port, timeout=2, max_connections=1)) as client:
        store = RedisStore(client, prefix=name)
        held = client.connection_pool.get_connection()
        with pytest.raises(StoreUnavailable, match="max_connections"):
            store.load(KEY, now=NOW)
        client.connection_pool.release(held)
