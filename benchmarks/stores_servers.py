"""The servers that the stores are measured on: the tests' own, each in a folder of its own, on one core of the machine.

The process that measures keeps to another core, so that neither takes the other's time, as on two machines that are
very near. On a single core they share it, and every round trip is longer.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

TESTS = Path(__file__).parents[1] / "tests"
ENGINES = ("redis", "postgresql", "mariadb", "memcached")
_BINARIES = {"redis": "redis-server", "postgresql": "postgres", "mariadb": "mariadbd", "memcached": "memcached"}


class Servers(NamedTuple):
    """The loopback ports of what runs; None where a server is not installed or not wanted."""

    redis: int | None = None
    postgresql: int | None = None
    mariadb: int | None = None
    memcached: int | None = None

    def urls(self) -> dict[str, str]:
        """Return the URL of a store on each of them."""
        forms = {
            "redis": "redis://127.0.0.1:{}/0",
            "postgresql": "postgresql://cookiesess:hunter2@127.0.0.1:{}/postgres",
            "mariadb": "mariadb://cookiesess:hunter2@127.0.0.1:{}/mysql",
            "memcached": "memcached://127.0.0.1:{}",
        }
        return {engine: forms[engine].format(port) for engine, port in self._asdict().items() if port is not None}


class Running(NamedTuple):
    """What was started.

    Attributes:
        servers: Where they listen.
        pids: Their processes; PostgreSQL's is the parent of all its others.
        missing: What was wanted and is not installed.
    """

    servers: Servers
    pids: dict[str, int]
    missing: list[str]


@contextmanager
def running(engines: Iterable[str]) -> Iterator[Running]:
    """Start the servers of `engines`, and stop them in the end.

    PostgreSQL and MariaDB do not wait for the disk at each commit: that time is the disk's, and would hide the rest.
    The tables are there.
    """
    find = kit("process").find

    started, missing = {}, []
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="cookiesess-bench-") as folder:
        with on_cores("server"):
            for engine in engines:
                if find(_BINARIES[engine]):
                    started[engine] = stack.enter_context(_STARTERS[engine](Path(folder)))
                else:
                    missing.append(f"{_BINARIES[engine]} is not installed")
        servers = Servers(**{engine: server.port for engine, server in started.items()})
        for engine in {"postgresql", "mariadb"} & started.keys():
            from cookiesess.stores.sql import migrate

            migrate(servers.urls()[engine])
        yield Running(servers, {engine: server.process.pid for engine, server in started.items()}, missing)


def kit(module: str) -> Any:
    """Return one of the modules by which the tests start servers."""
    if str(TESTS) not in sys.path:
        sys.path.insert(0, str(TESTS))
    return import_module(f"kit.servers.{module}")


@contextmanager
def on_cores(side: str) -> Iterator[None]:
    """Keep this process, and those it starts meanwhile, to the cores of one side.

    Args:
        side: ``"server"`` for the last core, ``"client"`` for the one before it, ``"all"`` for every one.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    cores = sorted(_CORES)
    os.sched_setaffinity(0, {"server": {cores[-1]}, "client": {cores[-2:][0]}, "all": _CORES}[side])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


_CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


@contextmanager
def _redis(folder: Path) -> Iterator[Any]:
    with kit("redis").running() as server:
        yield server


@contextmanager
def _postgresql(folder: Path) -> Iterator[Any]:
    module = kit("postgresql")
    settings = module.FAST | {"shared_buffers": "256MB", "max_wal_size": "2GB", "max_connections": "200"}
    with module.postgresql(**settings) as server:
        yield server


@contextmanager
def _mariadb(folder: Path) -> Iterator[Any]:
    module = kit("mariadb")
    settings = {name.replace("-", "_"): value for name, value in module.FAST.items()}
    with module.mariadb(**settings, innodb_buffer_pool_size="256M", innodb_log_file_size="256M") as server:
        yield server


@contextmanager
def _memcached(folder: Path) -> Iterator[Any]:
    server = kit("memcached").memcached(folder, "-m", "512")
    try:
        server.start()
        yield server
    finally:
        server.stop()


_STARTERS: dict[str, Callable[[Path], Any]] = {
    "redis": _redis,
    "postgresql": _postgresql,
    "mariadb": _mariadb,
    "memcached": _memcached,
}
