"""What a session weighs in each engine, indexes and the engine's own bookkeeping included.

Sessions of the typical shape, sealed as they are in use, in an empty server: without an owner, and each with an owner
of its own, which is the most that an owner's index can cost. SQL databases are weighed again after each row was
rewritten five times, with a clean-up every fifth of the way, as a site in use has them.
"""

import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.stores_raw import typical_record
from benchmarks.stores_servers import Servers
from benchmarks.tables import table
from cookiesess.stores.base import Record, Store
from cookiesess.stores.urls import open_store

_CHURN = 5


class Weight(NamedTuple):
    """Bytes a session: just written, and after the rewriting; None for engines that write in place."""

    fresh: float
    used: float | None = None


def run(servers: Servers, *, sessions: int) -> None:
    """Write so many sessions to each engine, twice, and print the table."""
    plain, owned = typical_record(), typical_record(owner="user-48151623")
    sizes = f"payload {len(plain.payload)}, summary {len(plain.summary)}, key 32, owner 32"
    print(f"bytes of a record: {sizes}; {sessions:,} sessions\n")
    rows = []
    for engine, url in {**servers.urls(), "sqlite": ""}.items():
        name, weigh = _WEIGHERS[engine]
        without, with_owner = (weigh(url, record, sessions) for record in (plain, owned))
        rows.append([name, *map(_shown, [*without, *with_owner])])
    head = ["bytes a session", "without owner", "after rewriting", "with owner", "after rewriting"]
    print(f"\n### bytes\n\n{table(head, rows)}")


def _shown(weight: float | None) -> str:
    return "–" if weight is None else f"{weight:,.0f}"


def _fill(store: Store, record: Record, sessions: int) -> None:
    """Write so many sessions; they do not share an owner. Sealed bytes cannot be told from random ones."""
    now = int(time.time())
    for _ in range(sessions):
        fresh = Record(
            os.urandom(len(record.payload)),
            record.expires_at,
            os.urandom(len(record.summary)),
            None if record.owner is None else os.urandom(32),
        )
        store.create(os.urandom(32), fresh, now=now)
    store.close()


def _redis(url: str, record: Record, sessions: int) -> Weight:
    """By ``used_memory``; the marks of the writes, which live for two minutes, are weighed apart and removed."""
    import redis

    portion, marks = max(sessions // 20, 1), []
    with redis.Redis.from_url(url) as client:

        def used() -> int:
            return int(client.info("memory")["used_memory"])

        client.flushdb()
        before = used()
        for _ in range(0, sessions, portion):
            _fill(open_store(url), record, portion)
            with_marks = used()
            client.delete(*client.scan_iter("*}:*", count=10_000))
            marks.append((with_marks - used()) / portion)
        after, written = used(), sum(1 for _ in client.scan_iter("*}", count=10_000))
        client.flushdb()
    if record.owner is None:
        print(f"Redis: the mark of a write, for two minutes: {statistics.median(marks):.0f} bytes")
    return Weight((after - before) / written)


def _memcached(url: str, record: Record, sessions: int) -> Weight:
    """By the slab chunks in use: an item takes a whole one of the next larger class. Nothing is removed: it is lazy."""
    from pymemcache import Client

    host, port = url.removeprefix("memcached://").split(":")
    with closing(Client((host, int(port)))) as client:
        before = _chunks(client)
        _fill(open_store(url), record, sessions)
        after = _chunks(client)
    return Weight((after - before) / sessions)


def _chunks(client: Any) -> int:
    """Return the bytes of all chunks that hold an item."""
    slabs = client.stats("slabs")
    numbers = {name.split(b":")[0] for name in slabs if b":" in name}
    return sum(slabs[number + b":chunk_size"] * slabs[number + b":used_chunks"] for number in numbers)


def _postgresql(url: str, record: Record, sessions: int) -> Weight:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:

        def run(sql: str) -> Any:
            cursor = connection.execute(sql)
            return cursor.fetchone() if cursor.description else None

        return _sql(
            url,
            record,
            sessions,
            run=run,
            size="SELECT pg_total_relation_size('cookiesess_sessions')",
            clean_up="VACUUM cookiesess_sessions",
            rewrite="UPDATE cookiesess_sessions SET version = version + 1, expires_at = expires_at + {0}"
            " WHERE get_byte(key, 0) % 5 = {0}",
        )


def _mariadb(url: str, record: Record, sessions: int) -> Weight:
    import sqlalchemy as sa

    engine = sa.create_engine(url.replace("mariadb:", "mariadb+pymysql:"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:

        def run(sql: str) -> Any:
            found = connection.exec_driver_sql(sql)
            return found.fetchone() if found.returns_rows else None

        return _sql(
            url,
            record,
            sessions,
            run=run,
            # The file's own size; data_length and index_length in TABLES are estimates.
            size="SELECT FILE_SIZE FROM information_schema.INNODB_SYS_TABLESPACES"
            " WHERE NAME LIKE '%%/cookiesess_sessions'",
            clean_up="DO 0",
            rewrite="UPDATE cookiesess_sessions SET version = version + 1, expires_at = expires_at + {0}"
            " WHERE ASCII(`key`) %% 5 = {0}",
        )


def _sql(
    url: str, record: Record, sessions: int, *, run: Callable[[str], Any], size: str, clean_up: str, rewrite: str
) -> Weight:
    run("TRUNCATE TABLE cookiesess_sessions")
    _fill(open_store(url), record, sessions)
    run(clean_up)
    fresh = run(size)[0]
    for _ in range(_CHURN):
        for fifth in range(5):
            run(rewrite.format(fifth))
            run(clean_up)
    used = run(size)[0]
    run("TRUNCATE TABLE cookiesess_sessions")
    return Weight(fresh / sessions, used / sessions)


def _sqlite(_: str, record: Record, sessions: int) -> Weight:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sessions.db"
        _fill(open_store(f"sqlite:///{file}"), record, sessions)
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return Weight(file.stat().st_size / sessions)


_WEIGHERS: dict[str, tuple[str, Callable[[str, Record, int], Weight]]] = {
    "redis": ("Redis", _redis),
    "postgresql": ("PostgreSQL", _postgresql),
    "mariadb": ("MariaDB", _mariadb),
    "memcached": ("Memcached", _memcached),
    "sqlite": ("SQLite", _sqlite),
}
