"""What keeps the sessions of a campaign: the engines that the tests start, each durable and in a folder of its own."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1] / "tests"
BINARIES = {"redis": "redis-server", "cluster": "redis-server", "postgresql": "postgres", "mariadb": "mariadbd"}
BINARIES |= {"memcached": "memcached"}
TMPFS_BYTES = 32 * 1024 * 1024


def kit(name: str) -> Any:
    """Import a module of the tests' kit: campaigns run from a checkout."""
    if str(TESTS) not in sys.path:
        sys.path.append(str(TESTS))
    return import_module(f"kit.{name}")


@dataclass
class Engine:
    """One engine that runs.

    Attributes:
        url: Of a store on it.
        server: What can be killed, stalled and started; None for SQLite, which has no server.
        proxy: What its connections go through; None where clients need the server's own address.
        folder: Where its data is, if a fault needs to know.
        small: Whether that is a disk of its own, which may be filled.
    """

    url: str
    server: Any = None
    proxy: Any = None
    folder: Path = Path()
    small: bool = False


@contextmanager
def _behind_proxy(server: Any, url: Callable[[int], str]) -> Iterator[Engine]:
    with kit("servers.proxy").Proxy(server.port) as proxy:
        yield Engine(url(proxy.port), server, proxy)


@contextmanager
def redis() -> Iterator[Engine]:
    """Redis with a log that is synced at each write."""
    module = kit("servers.redis")
    with (
        module.running("--appendonly", "yes", "--appendfsync", "always") as server,
        _behind_proxy(server, lambda port: f"redis://127.0.0.1:{port}/0") as engine,
    ):
        yield engine


@contextmanager
def cluster() -> Iterator[Engine]:
    """A Redis Cluster of three primaries with a replica each."""
    module = kit("servers.redis")
    with module.folder_of_its_own() as folder:
        servers = module.ClusterServers(folder)
        try:
            servers.start()
            yield Engine("redis+cluster://" + ",".join(f"127.0.0.1:{port}" for port in servers.ports), servers)
        finally:
            servers.stop()


@contextmanager
def _database(kind: str, database: str) -> Iterator[Engine]:
    module = kit(f"servers.{kind}")
    with getattr(module, kind)() as server:
        import_module("cookiesess.stores.sql").migrate(module.url(server.port, database))
        with _behind_proxy(server, lambda port: str(module.url(port, database))) as engine:
            yield engine


def postgresql() -> Any:
    """PostgreSQL as it comes."""
    return _database("postgresql", "postgres")


def mariadb() -> Any:
    """MariaDB as it comes."""
    return _database("mariadb", "mysql")


@contextmanager
def memcached() -> Iterator[Engine]:
    """Memcached, which keeps everything in memory."""
    module = kit("servers.memcached")
    with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
        server = module.memcached(Path(folder))
        server.start()
        try:
            with _behind_proxy(server, lambda port: f"memcached://127.0.0.1:{port}") as engine:
                yield engine
        finally:
            server.stop()


@contextmanager
def sqlite() -> Iterator[Engine]:
    """A SQLite file, on a small disk of its own where one can be mounted."""
    with tempfile.TemporaryDirectory(prefix="campaign-") as name, ExitStack() as cleanup:
        small = _mounted(name)
        if small:
            cleanup.callback(subprocess.run, ["umount", "--lazy", name], check=False)
        yield Engine(f"sqlite:///{name}/sessions.db", folder=Path(name), small=small)


def _mounted(folder: str) -> bool:
    if os.geteuid() != 0:
        return False
    command = ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "tmpfs", folder]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


ENGINES: dict[str, Callable[[], Any]] = {
    "sqlite": sqlite,
    "redis": redis,
    "cluster": cluster,
    "postgresql": postgresql,
    "mariadb": mariadb,
    "memcached": memcached,
}
"""How each is started."""


def installed(name: str) -> bool:
    """Whether an engine can be started here."""
    return name not in BINARIES or kit("servers.process").find(BINARIES[name]) is not None
