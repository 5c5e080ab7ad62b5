"""A primary of the Cluster dies while eight workers write, until its replica has taken over.

Redis replicates after it has answered, so a failover may lose what was acknowledged in the last moment: the tests
assert what holds. What the replica had confirmed before its primary died is there, and what had ended by then has
ended; nothing is ever there that nobody asked for; on the other primaries nothing is lost at all; no request hangs, and
all of them work again.
"""

import threading
import time
from collections import Counter
from contextlib import closing
from itertools import islice

import pytest

from cookiesess.errors import RecordExists, StoreUnavailable
from cookiesess.stores.base import Conflict, Gone, Record, Updated
from cookiesess.stores.redis import RedisStore
from cookiesess.stores.redis.record import text_of
from kit.listing import listed
from kit.servers.redis import ClusterServers, client_of, folder_of_its_own, outcome_in_time, prefix, wait_until

NOW = int(time.time())
WORKERS = 8
HANGS = 30  # seconds; a request that takes longer than this hangs
ANN = b"a" * 32


@pytest.fixture
def cluster():
    with folder_of_its_own() as folder:
        servers = ClusterServers(folder)
        try:
            servers.start()
            yield servers
        finally:
            servers.stop()


def record(number: int) -> Record:
    return Record(b"%d" % number, NOW + 3600, owner=ANN)


class Worker(threading.Thread):
    """Counts in sessions of its own and ends others, until it is told to stop.

    Attributes:
        acknowledged: How often each session's counter was pushed, as far as the store has said.
        unknown: How often it may have been pushed besides.
        ended: The sessions whose end was acknowledged, in that order.
        leaked: What came out of the store that is no StoreUnavailable.
        longest: The seconds that its longest request took.
    """

    def __init__(self, store: RedisStore, number: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.store, self.stop = store, stop
        self.counters = [b"%04d counter %019d" % (number, each) for each in range(6)]
        self.doomed = [b"%04d doomed  %019d" % (number, each) for each in range(20_000)]
        self.acknowledged: Counter[bytes] = Counter()
        self.unknown: Counter[bytes] = Counter()
        self.ended: list[bytes] = []
        self.leaked: list[BaseException] = []
        self.longest = 0.0

    def prepare(self) -> None:
        for key in self.counters:
            self.store.create(key, record(0), now=NOW)

    def run(self) -> None:
        for turn, doomed in enumerate(self.doomed):
            if self.stop.is_set():
                return
            self.timed(self.push, self.counters[turn % len(self.counters)])
            self.timed(self.end, doomed)

    def timed(self, action, key) -> None:
        began = time.monotonic()
        try:
            action(key)
        except StoreUnavailable:
            pass
        except Exception as error:  # noqa: BLE001 (the test looks at it)
            self.leaked.append(error)
        self.longest = max(self.longest, time.monotonic() - began)

    def push(self, key: bytes) -> None:
        found = self.store.load(key, now=NOW)
        assert found is not None, "a session is gone that nobody ended"
        self.unknown[key] += 1
        outcome = self.store.update(key, record(int(found.payload) + 1), expected_version=found.version, now=NOW)
        self.unknown[key] -= 1
        self.acknowledged[key] += isinstance(outcome, Updated)

    def end(self, key: bytes) -> None:
        self.store.create(key, record(0), now=NOW)
        if self.store.delete(key):
            self.ended.append(key)


def in_step(primary: int, replica: int) -> None:
    """Return once the replica has confirmed all that the primary had written when this was called (as WAIT does)."""
    with closing(client_of(primary)) as client, closing(client_of(replica)) as other:
        offset = client.info("replication")["master_repl_offset"]
        wait_until(lambda: other.info("replication")["slave_repl_offset"] >= offset)


def test_a_primary_that_dies_loses_nothing_its_replica_had_confirmed_and_no_request_hangs(cluster):
    with closing(RedisStore(cluster.client(timeout=2), prefix=prefix())) as store:
        stop = threading.Event()
        workers = [Worker(store, number, stop) for number in range(WORKERS)]
        for worker in workers:
            worker.prepare()
            worker.start()
        wait_until(lambda: all(len(worker.ended) >= 20 for worker in workers))

        ended = [key for worker in workers for key in worker.ended]
        acknowledged = sum((Counter(worker.acknowledged) for worker in workers), Counter())
        victim, heir = cluster.ports[0], cluster.ports[3]
        in_step(victim, heir)
        cluster.servers[victim].kill()

        with closing(client_of(heir)) as client:
            wait_until(lambda: client.info("replication")["role"] == "master")
        seen = [len(worker.ended) for worker in workers]
        wait_until(lambda: all(len(worker.ended) >= before + 20 for worker, before in zip(workers, seen, strict=True)))
        stop.set()
        for worker in workers:
            worker.join(HANGS)
            assert not worker.is_alive()

        assert [error for worker in workers for error in worker.leaked] == []
        assert max(worker.longest for worker in workers) < HANGS
        counters = [key for worker in workers for key in worker.counters]
        found = {key: int(each.payload) for key, each in store.load_many(counters, now=NOW).items()}
        most = sum((worker.acknowledged + worker.unknown for worker in workers), Counter())
        assert found.keys() == set(counters)
        assert all(acknowledged[key] <= found[key] <= most[key] for key in counters)
        assert store.load_many(ended, now=NOW) == {}
        assert listed(store, ANN, now=NOW).keys() >= set(counters)

        on_victim = set(range(5461))
        slot = store._client.keyslot
        safe = [key for key in counters if slot(b"{%b}" % text_of(key)) not in on_victim]
        least = sum((worker.acknowledged for worker in workers), Counter())
        assert safe
        assert all(found[key] >= least[key] for key in safe)
        ended_safely = [k for worker in workers for k in worker.ended if slot(b"{%b}" % text_of(k)) not in on_victim]
        assert store.load_many(ended_safely, now=NOW) == {}


def keys_on(store: RedisStore, slots: range) -> list[bytes]:
    """Two keys whose slots are among these."""
    keys = (b"%032d" % number for number in range(1000))
    there = (key for key in keys if store._client.keyslot(store._names(text_of(key), b"")[0]) in slots)
    return list(islice(there, 2))


def loads(store: RedisStore, key: bytes) -> Record | None:
    try:
        return store.load(key, now=NOW)
    except StoreUnavailable:
        return None


def test_a_primary_that_hangs_holds_nobody_up_and_what_ended_stays_ended_when_it_is_back(cluster):
    with closing(RedisStore(cluster.client(timeout=0.5), prefix=prefix())) as store:
        (kept, ended), (elsewhere, _) = keys_on(store, range(5461)), keys_on(store, range(5461, 16_384))
        for key in (kept, elsewhere, ended):
            store.create(key, record(0), now=NOW)
        held = store.load(ended, now=NOW).version
        store.delete(ended)
        in_step(cluster.ports[0], cluster.ports[3])
        stalled = cluster.servers[cluster.ports[0]]
        stalled.stall()
        try:
            for key in (kept, elsewhere):  # a Cluster as it comes serves no slot at all from here to the takeover
                assert isinstance(outcome_in_time(lambda key=key: store.load(key, now=NOW)), StoreUnavailable | Record)
                wait_until(lambda key=key: loads(store, key))
            assert store.load(ended, now=NOW) is None
        finally:
            stalled.resume()
        with closing(client_of(stalled.port)) as client:
            wait_until(lambda: client.info("replication")["role"] == "slave")
        assert store.load(ended, now=NOW) is None
        assert isinstance(store.update(ended, record(1), expected_version=held, now=NOW), Gone)
        assert store.load(kept, now=NOW).payload == b"0"


def test_sessions_can_be_read_written_and_ended_while_their_slot_moves_to_another_node(cluster):
    with closing(RedisStore(cluster.client(), prefix=prefix())) as store:
        key, _ = keys_on(store, range(5461))
        name = store._names(text_of(key), b"")[0]
        slot = store._client.keyslot(name)
        source, target = (client_of(port) for port in cluster.ports[:2])
        ids = [client.execute_command("CLUSTER MYID").decode() for client in (source, target)]

        def everything():
            assert store.load(key, now=NOW).owner == ANN
            assert store.load_many([key], now=NOW).keys() == listed(store, ANN, now=NOW).keys() == {key}
            version = store.load(key, now=NOW).version
            assert store.touch(key, expires_at=NOW + 60, expected_version=version, now=NOW)
            assert isinstance(store.update(key, record(1), expected_version=version, now=NOW), Updated)
            assert isinstance(store.update(key, record(2), expected_version=version, now=NOW), Conflict)
            with pytest.raises(RecordExists):
                store.create(key, record(3), now=NOW)

        store.create(key, record(0), now=NOW)
        target.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", ids[0])
        source.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", ids[1])
        everything()  # where it was
        for moved in source.execute_command("CLUSTER GETKEYSINSLOT", slot, 100):
            source.migrate("127.0.0.1", cluster.ports[1], moved, 0, 5000)
        everything()  # where it goes to
        assert store.delete(key)
        assert store.load(key, now=NOW) is None
        store.create(key, record(0), now=NOW)
        for client in (target, source):
            client.execute_command("CLUSTER SETSLOT", slot, "NODE", ids[1])
            client.close()
        everything()


def test_a_part_of_the_cluster_without_a_primary_is_unavailable_and_the_remedy_is_named(cluster):
    with closing(RedisStore(cluster.client(timeout=2), prefix=prefix())) as store:
        keys = [b"%032d" % number for number in range(30)]
        for key in keys:
            store.create(key, record(0), now=NOW)
        elsewhere, _ = keys_on(store, range(5461, 16_384))
        for port in (cluster.ports[0], cluster.ports[3]):
            cluster.servers[port].kill()
        with closing(client_of(cluster.ports[1])) as client:
            wait_until(lambda: client.cluster("INFO")["cluster_state"] == "fail")
        with pytest.raises(StoreUnavailable, match="has no primary"):
            store.load(elsewhere, now=NOW)
        with pytest.raises(StoreUnavailable, match="has no primary"):
            store.delete(elsewhere)
        with pytest.raises(StoreUnavailable):
            store.load_many(keys, now=NOW)
