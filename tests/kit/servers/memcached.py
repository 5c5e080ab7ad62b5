"""Memcached for the tests: each server a process of its own, empty when it starts."""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from pymemcache import Client, HashClient, PooledClient  # type: ignore[import-untyped]

from cookiesess.errors import StoreUnavailable
from cookiesess.stores.base import Record
from cookiesess.stores.memcached import MemcachedStore
from cookiesess.stores.memcached.value import Version
from kit.constants import NOW
from kit.servers.process import Server, free_port, need
from kit.threads import in_threads

TIMEOUT = 10  # seconds; for servers that answer
SHORT = 0.3  # for those that do not


def memcached(folder: Path, *options: str) -> Server:
    """A server that has not been started."""
    port = free_port()
    # A second thread, so that two connections are served at once; no UDP.
    command = [need("memcached"), "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-t", "2", *options]
    if os.geteuid() == 0:
        command += ["-u", "root"]
    return Server(command, port=port, folder=folder, ready=lambda: answers(port))


def answers(port: int) -> bool:
    """Whether a server is ready."""
    with closing(plain(port)) as client:
        return bool(client.version())


def plain(port: int) -> Client:
    """A client for what the store does not do."""
    return Client(("127.0.0.1", port), connect_timeout=TIMEOUT, timeout=TIMEOUT, default_noreply=False)


def pooled(port: int, **settings: Any) -> PooledClient:
    """A client as a store takes it."""
    settings = {"connect_timeout": TIMEOUT, "timeout": TIMEOUT, **settings}
    return PooledClient(("127.0.0.1", port), **settings)


def hashed(*ports: int, **settings: Any) -> HashClient:
    """The same of several servers."""
    settings = {"connect_timeout": TIMEOUT, "timeout": TIMEOUT, "use_pooling": True, **settings}
    return HashClient([("127.0.0.1", port) for port in ports], **settings)


def own_prefix() -> str:
    """A corner of a shared server where nothing is yet."""
    return f"{uuid4().hex}:"


def stat(port: int, name: str) -> int:
    """One of a server's own figures."""
    with closing(plain(port)) as client:
        return int(client.stats()[name.encode()])


def key(number: int) -> bytes:
    """A record's key."""
    return number.to_bytes(32, "big")


def record(payload: bytes = b"payload", lives: int = 3600) -> Record:
    """A record without a summary and an owner."""
    return Record(payload, NOW + lives)


def created(store: MemcachedStore, number: int = 1, payload: bytes = b"payload") -> Version:
    """Create a record, and return its version."""
    store.create(key(number), record(payload), now=NOW)
    found = store.load(key(number), now=NOW)
    assert found is not None, "the record is missing"
    return cast(Version, found.version)


def payload(store: MemcachedStore, number: int = 1) -> bytes | None:
    """The payload of that key's record, or None."""
    found = store.load(key(number), now=NOW)
    return None if found is None else found.payload


def unavailable(action: Callable[[], object]) -> StoreUnavailable:
    """The error of an action that fails; within a bound, since a thread is waited for that long only."""

    def run() -> object:
        with pytest.raises(StoreUnavailable) as error:
            action()
        return error.value

    (error,) = in_threads(run)
    assert isinstance(error, StoreUnavailable)
    return error


def name_of(key: bytes, prefix: str = "cookiesess:") -> str:
    """What a record's item is called on the server."""
    return prefix + urlsafe_b64encode(key).rstrip(b"=").decode()


@pytest.fixture(scope="session")
def memcached_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that all tests share, each with a prefix of its own; it takes items of 2 MiB."""
    server = memcached(tmp_path_factory.mktemp("memcached"), "-m", "256", "-I", "2m")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def memcached_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """Two such servers."""
    servers = [memcached(tmp_path_factory.mktemp("memcached"), "-m", "256", "-I", "2m") for _ in range(2)]
    for server in servers:
        server.start()
    yield servers
    for server in servers:
        server.stop()


@pytest.fixture
def make_memcached(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Start servers for one test, which may kill or stall them."""
    servers: list[Server] = []

    def make(*options: str) -> Server:
        server = memcached(tmp_path_factory.mktemp("memcached"), *options)
        servers.append(server)
        server.start()
        return server

    yield make
    for server in servers:
        server.kill()  # a second faster than to ask it


@pytest.fixture
def memcached_store(memcached_server: Server) -> Iterator[MemcachedStore]:
    """A store of its own in the shared server."""
    store = MemcachedStore(pooled(memcached_server.port), prefix=own_prefix())
    yield store
    store.close()
