"""MariaDB for the tests: a server in a folder of its own, and databases in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pymysql
import pytest

from kit.servers.process import SECONDS, Server, free_port, need

# Run by root, it is told to be so, or to be somebody else.
USER = "mysql" if os.geteuid() == 0 else None
# The session's server forgets what a power cut would take, as no test of it pulls the plug.
FAST = {"innodb-flush-log-at-trx-commit": 0, "innodb-doublewrite": 0, "sync-binlog": 0}
# A user that comes by TCP and has a password; run at each start.
_FIRST = """
CREATE USER IF NOT EXISTS 'cookiesess'@'127.0.0.1' IDENTIFIED BY 'hunter2';
GRANT ALL ON *.* TO 'cookiesess'@'127.0.0.1' WITH GRANT OPTION;
"""


def url(port: int, database: str = "mysql", query: str = "") -> str:
    """A store's URL."""
    return f"mariadb+pymysql://cookiesess:hunter2@127.0.0.1:{port}/{database}{query}"


def connect(port: int, database: str = "mysql", **settings: Any) -> pymysql.Connection[Any]:
    """A plain connection to it, in autocommit."""
    return pymysql.connect(
        host="127.0.0.1", port=port, user="cookiesess", password="hunter2", database=database,
        **{"autocommit": True, **settings},
    )  # fmt: skip


def run(port: int, sql: str, database: str = "mysql") -> list[tuple[object, ...]]:
    """Run one statement with all privileges, on a connection of its own."""
    with closing(connect(port, database)) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


@contextmanager
def mariadb(**settings: object) -> Iterator[Server]:
    """A server of its own, made, started, stopped and removed.

    Args:
        settings: As in my.cnf, with underscores for hyphens.
    """
    install, mariadbd = need("mariadb-install-db"), need("mariadbd")
    folder = Path(tempfile.mkdtemp(prefix="cookiesess-mariadb-"))
    try:
        port, data = free_port(), folder / "data"
        (folder / "first.sql").write_text(_FIRST)
        if USER is not None:
            shutil.chown(folder, USER)
        quick = ["--innodb-log-file-size=8M", "--innodb-data-file-path=ibdata1:4M:autoextend"]
        common = ["--no-defaults", f"--datadir={data}", *quick, *([f"--user={USER}"] if USER else [])]
        command = [install, *common, "--skip-test-db", "--auth-root-authentication-method=normal"]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, timeout=SECONDS)
        options = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
        server = Server(
            [mariadbd, *common, f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder / 'socket'}",
             "--innodb-buffer-pool-size=16M", "--skip-log-bin", "--skip-name-resolve",
             f"--pid-file={folder / 'pid'}", f"--init-file={folder / 'first.sql'}", *options],
            port=port,
            folder=folder,
            ready=lambda: run(port, "SELECT 1"),
        )  # fmt: skip
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Server]:
    """The server that all tests share which leave it as it was."""
    with mariadb(**{name.replace("-", "_"): value for name, value in FAST.items()}) as server:
        yield server


@pytest.fixture
def mariadb_database(mariadb_server: Server) -> Iterator[str]:
    """The name of a new database in it."""
    name = f"test_{uuid4().hex}"
    run(mariadb_server.port, f"CREATE DATABASE {name}")
    yield name
    run(mariadb_server.port, f"DROP DATABASE {name}")


@pytest.fixture(scope="session")
def mariadb_store_url(mariadb_server: Server) -> str:
    """The URL of a store whose table is there, and is shared by the tests that empty it first."""
    from cookiesess.stores.sql import migrate

    run(mariadb_server.port, "CREATE DATABASE shared")
    store_url = url(mariadb_server.port, "shared")
    migrate(store_url)
    return store_url
