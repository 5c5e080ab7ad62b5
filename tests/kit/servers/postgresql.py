"""PostgreSQL for the tests: a cluster in a folder of its own, and databases in it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from kit.servers.process import SECONDS, Server, free_port, need

# PostgreSQL refuses to be run by root.
USER = "postgres" if os.geteuid() == 0 else None
# The session's server forgets what a power cut would take, as no test of it pulls the plug; it starts sooner.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def dsn(port: int, database: str = "postgres", **parameters: Any) -> str:
    """A connection string for psycopg itself."""
    return psycopg.conninfo.make_conninfo(
        host="127.0.0.1", port=port, user="cookiesess", password="hunter2", dbname=database, **parameters
    )


def url(port: int, database: str = "postgres", query: str = "") -> str:
    """A store's URL."""
    return f"postgresql://cookiesess:hunter2@127.0.0.1:{port}/{database}{query}"


def run(port: int, sql: str, database: str = "postgres") -> list[tuple[object, ...]]:
    """Run one statement as the superuser, on a connection of its own."""
    with psycopg.connect(dsn(port, database), autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


class PostgreSQL(Server):
    """The server with all its processes, one of which answers each connection."""

    ends_by = signal.SIGINT  # by SIGTERM it would wait until the last client has gone

    def _signal_all(self, number: int) -> None:
        postmaster = self.process.pid
        os.kill(postmaster, number)  # first: from here on it starts no other
        for child in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(child), number)

    def kill(self) -> None:
        """End all of it at once, as a power cut would."""
        self._signal_all(signal.SIGSTOP)
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        super().kill()
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)

    def stall(self) -> None:
        """Let all of it hang."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """Let all of it go on."""
        self._signal_all(signal.SIGCONT)


@contextmanager
def postgresql(**settings: object) -> Iterator[PostgreSQL]:
    """A server of its own, made, started, stopped and removed.

    Args:
        settings: As in postgresql.conf.
    """
    initdb, postgres = need("initdb"), need("postgres")
    # Not below pytest's own folder, through which another user may not pass.
    folder = Path(tempfile.mkdtemp(prefix="cookiesess-postgresql-"))
    try:
        port, data = free_port(), folder / "data"
        (folder / "password").write_text("hunter2")
        if USER is not None:
            shutil.chown(folder, USER)
            shutil.chown(folder / "password", USER)
        command: list[str | Path] = [
            initdb,
            "-D",
            data,
            "-U",
            "cookiesess",
            "-A",
            "scram-sha-256",
            "--pwfile",
            folder / "password",
        ]
        command += ["--no-sync", "-E", "UTF8", "--locale", "C"]
        subprocess.run(command, check=True, capture_output=True, user=USER, cwd=folder, timeout=SECONDS)
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "shared_buffers": "16MB", **settings}
        with (data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in options.items())
        server = PostgreSQL(
            [postgres, "-D", data, "-p", str(port)],
            port=port,
            folder=folder,
            ready=lambda: run(port, "SELECT 1"),
            user=USER,
        )
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """The server that all tests share which leave it as it was."""
    with postgresql(**FAST) as server:
        yield server


@pytest.fixture
def postgresql_database(postgresql_server: Server) -> Iterator[str]:
    """The name of a new database in it."""
    name = f"test_{uuid4().hex}"
    run(postgresql_server.port, f"CREATE DATABASE {name} STRATEGY file_copy")
    yield name
    run(postgresql_server.port, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgresql_store_url(postgresql_server: Server) -> str:
    """The URL of a store whose table is there, and is shared by the tests that empty it first."""
    from cookiesess.stores.sql import migrate

    run(postgresql_server.port, "CREATE DATABASE shared")
    store_url = url(postgresql_server.port, "shared")
    migrate(store_url)
    return store_url
