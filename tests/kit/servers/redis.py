"""Redis for the tests: one server, a primary with a replica, a Cluster of three of each, and Sentinels."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cookiesess.stores.base import Conflict, Gone, Record, Store, Updated
from cookiesess.stores.redis import RedisStore
from kit.servers.process import Server, free_port, need
from kit.threads import Call, until

NOW = int(time.time())
KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
ANN = b"a" * 32
HANGS = 30  # seconds; a request that takes longer than this hangs
TIMEOUT = 5.0  # for the clients of tests that stall nothing; generous, since the machine may be busy
PASSWORD = "p@ss/word: 100%"
NODE_TIMEOUT_MS = 1000  # after which a Cluster takes a silent primary for dead


def client_of(port: int, *, timeout: float = TIMEOUT, retries: int = 1, **options: Any) -> redis.Redis:
    """A client of the server on that port."""
    return redis.Redis(
        "127.0.0.1",
        port,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), retries),
        **options,
    )


def redis_server(folder: Path, *arguments: str, port: int | None = None) -> Server:
    """A server that keeps nothing on disk, unless the arguments say so; not started."""
    port = port or free_port()
    command = [need("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", "", *arguments]

    def ready() -> object:
        with client_of(port, timeout=1, retries=0) as client:
            return client.ping()

    return Server(command, port=port, folder=folder, ready=ready)


@contextmanager
def folder_of_its_own() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="redis-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def running(*arguments: str, port: int | None = None) -> Iterator[Server]:
    """A server of the test's own, which it may kill."""
    with folder_of_its_own() as folder:
        server = redis_server(folder, *arguments, port=port)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def prefix() -> str:
    """Nobody else's: what makes a store on a shared server a new and empty one."""
    return f"{uuid4().hex}:"


def _cluster_ports() -> list[int]:
    """Six ports, each with another one 10,000 above it, where the nodes talk to each other."""
    ports: set[int] = set()
    while len(ports) < 6:
        port = free_port()
        if port + 10_000 < 32_768:  # above it systems hand ports out to clients
            ports.add(port)
    return list(ports)


class ClusterServers:
    """Three primaries and three replicas.

    Attributes:
        servers: By their ports.
    """

    def __init__(self, folder: Path) -> None:
        self.ports = _cluster_ports()
        self.servers = {port: self._server(folder / str(port), port) for port in self.ports}

    def _server(self, folder: Path, port: int) -> Server:
        folder.mkdir()
        arguments = ("--cluster-enabled", "yes", "--cluster-node-timeout", str(NODE_TIMEOUT_MS))
        fast = ("--repl-diskless-sync-delay", "0", "--cluster-allow-replica-migration", "no")
        return redis_server(folder, *arguments, *fast, port=port)

    def start(self) -> None:
        for server in self.servers.values():
            server.start()
        clients = [client_of(port) for port in self.ports]
        for index, client in enumerate(clients):
            client.execute_command("CLUSTER SET-CONFIG-EPOCH", index + 1)
            if index < 3:
                slots = range(index * 5461, (index + 1) * 5461 + (index == 2))
                client.execute_command("CLUSTER ADDSLOTSRANGE", slots[0], slots[-1])
            client.execute_command("CLUSTER MEET", "127.0.0.1", self.ports[0])
        wait_until(lambda: all(len(client.cluster("NODES")) == 6 for client in clients))
        for primary, replica in zip(clients[:3], clients[3:], strict=True):
            replica.execute_command("CLUSTER REPLICATE", primary.execute_command("CLUSTER MYID"))
        wait_until(lambda: all(self.whole(client) for client in clients))
        for client in clients:
            client.close()

    def whole(self, client: redis.Redis) -> bool:
        """Whether a node knows every slot served, and is in step with its primary."""
        info = client.info("replication")
        in_step = info["role"] == "master" or info["master_link_status"] == "up"
        return bool(client.cluster("INFO")["cluster_state"] == "ok" and in_step)

    def stop(self) -> None:
        for server in self.servers.values():
            server.stop()

    def client(self, *, timeout: float = TIMEOUT, retries: int = 1, **options: Any) -> redis.RedisCluster:
        """A client of all nodes."""
        return redis.RedisCluster(
            "127.0.0.1",
            self.ports[0],
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), retries),
            **options,
        )


def wait_until(condition: Callable[[], object]) -> None:
    """Ask again and again until it is so; while Redis raises, it is not so yet."""
    until(condition, but=redis.RedisError)


# What the tests do with a store


def record(payload: bytes = b"payload", *, lives: int = 3600, owner: bytes | None = ANN) -> Record:
    """A record that lives so many seconds."""
    return Record(payload, NOW + lives, b"summary", owner)


def loaded(store: Store, key: bytes = KEY) -> Record:
    """The record of that key, which must be there."""
    found = store.load(key, now=NOW)
    assert found is not None, "the record is missing"
    return found


def payload(store: Store, key: bytes = KEY) -> bytes | None:
    """The payload of that key's record, or None."""
    found = store.load(key, now=NOW)
    return None if found is None else found.payload


def update(
    store: Store, new: bytes = b"updated", *, key: bytes = KEY, version: Any = None
) -> Updated | Conflict | Gone:
    """Update a record, by default at the version it has."""
    version = loaded(store, key).version if version is None else version
    return store.update(key, record(new), expected_version=version, now=NOW)


def verbs(store: Store, version: Any) -> dict[str, Callable[[], object]]:
    """Every verb that asks the server, as a call."""
    return {
        "create": partial(store.create, OTHER, record(), now=NOW),
        "load": partial(store.load, KEY, now=NOW),
        "load_many": partial(store.load_many, [KEY], now=NOW),
        "update": partial(store.update, KEY, record(b"new"), expected_version=version, now=NOW),
        "touch": partial(store.touch, KEY, expires_at=NOW + 60, expected_version=version, now=NOW),
        "delete": partial(store.delete, OTHER),
        "records_of": partial(store.records_of, ANN, now=NOW, limit=9),
    }


def outcome_in_time(action: Callable[[], object]) -> Any:
    """What an action returns or raises; it must not hang."""
    call = Call(action)
    call.wait()
    try:
        return call.result()
    except Exception as error:  # noqa: BLE001 (whatever it is, the test looks at it)
        return error


def roundtrip(store: RedisStore) -> None:
    """Create, load and delete."""
    with closing(store):
        store.create(KEY, Record(b"payload", NOW + 60), now=NOW)
        assert loaded(store).payload == b"payload"
        assert store.delete(KEY)


# Fixtures


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[Server]:
    """One server for all tests that neither kill nor reconfigure it; each store has a prefix of its own."""
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def shared_cluster() -> Iterator[ClusterServers]:
    """One Cluster, likewise."""
    with folder_of_its_own() as folder:
        cluster = ClusterServers(folder)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


@pytest.fixture
def redis_store(shared_redis: Server) -> Iterator[RedisStore]:
    opened = RedisStore(client_of(shared_redis.port), prefix=prefix())
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def guarded_redis() -> Iterator[Server]:
    """A server with a password, and with users who may do less."""
    with running() as server:
        with closing(client_of(server.port)) as client:
            client.acl_setuser("reader", enabled=True, passwords=["+reader"], categories=["+@read"], keys=["*"])
            able = ["+@read", "+@write", "+@scripting", "+@connection"]
            client.acl_setuser("app", enabled=True, passwords=["+app"], categories=able, commands=["+info"], keys=["*"])
            client.config_set("requirepass", PASSWORD)
        yield server


@pytest.fixture(scope="session")
def redis_pair() -> Iterator[tuple[Server, Server]]:
    """A primary and its replica."""
    with (
        running("--repl-diskless-sync-delay", "0") as primary,
        running("--replicaof", f"127.0.0.1 {primary.port}") as replica,
    ):
        with closing(client_of(replica.port)) as client:
            wait_until(lambda: client.info("replication")["master_link_status"] == "up")
        yield primary, replica
