"""PgBouncer in front of a PostgreSQL server, in transaction mode, as Debian has it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

from kit.servers.postgresql import USER, dsn
from kit.servers.process import Server, free_port, need

CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = plain
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 4
"""


@contextmanager
def pgbouncer(server: Server) -> Iterator[Server]:
    """A PgBouncer of its own, with four connections of its own to `server`."""
    binary = need("pgbouncer")
    folder = Path(tempfile.mkdtemp(prefix="cookiesess-pgbouncer-"))
    try:
        port = free_port()
        configuration = folder / "pgbouncer.ini"
        configuration.write_text(CONFIGURATION.format(port=port, server_port=server.port, folder=folder))
        (folder / "users").write_text('"cookiesess" "hunter2"\n')
        if USER is not None:
            for path in (folder, configuration, folder / "users"):
                shutil.chown(path, USER)

        def answers() -> bool:
            with closing(psycopg.connect(dsn(port), prepare_threshold=None)) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)

        made = Server([binary, configuration], port=port, folder=folder, ready=answers, user=USER)
        made.start()
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
