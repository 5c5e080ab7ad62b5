"""The store: each method of the contract as one statement."""

import os
from collections.abc import Hashable, Iterable, Mapping
from typing import cast
from urllib.parse import SplitResult

import sqlalchemy as sa

from cookiesess.errors import RecordExists
from cookiesess.stores.base import Conflict, Gone, Page, Record, Store, Updated
from cookiesess.stores.cursors import Cursors
from cookiesess.stores.parameters import split
from cookiesess.stores.sql.connections import Connections
from cookiesess.stores.sql.errors import place_of
from cookiesess.stores.sql.pool import engine_from
from cookiesess.stores.sql.schema import DEFAULT_TABLE, create_schema, sessions_table
from cookiesess.stores.sql.statements import Statements, by_number
from cookiesess.stores.sql.urls import engine_of


class SQLStore(Store):
    """Sessions in one table of an SQL database, for any number of machines.

    Each method is one statement, and each statement is a transaction of its own. A finished write is as durable as any
    commit of the database (``synchronous_commit`` on PostgreSQL, ``innodb_flush_log_at_trx_commit`` on MySQL and
    MariaDB; both are safe by default).

    The settings of the engine decide how many round trips a method takes, and how long it may last. `open_store` builds
    a good engine. Build an engine of your own like this::

        engine = create_engine(
            "postgresql+psycopg://…",           # or mysql+pymysql://, mariadb+pymysql://, sqlite://
            isolation_level="AUTOCOMMIT",       # otherwise BEGIN and COMMIT are round trips, too
            skip_autocommit_rollback=True,      # otherwise a ROLLBACK is one, on MySQL and MariaDB
            pool_timeout=2,                     # seconds; by default a request may wait 30 for a connection
            pool_recycle=300,                   # seconds; firewalls forget idle connections
            connect_args={"connect_timeout": 2, "read_timeout": 2, "write_timeout": 2},  # PyMySQL
        )
        limit_silence(engine, timedelta(seconds=2))  # psycopg has no read_timeout; see cookiesess.stores.sql.psycopg

    An engine in another isolation level works as well, and is as safe: the store commits each statement. You do not
    need ``pool_pre_ping``: the store notices by itself that the server has closed a connection. If a connection breaks
    during a write, the method raises `StoreUnavailable`, and does not write again, because nobody knows whether the
    write was done. A read is repeated once. If the database itself undoes a statement and asks to repeat it (a
    serialization failure, a deadlock), the store repeats it a few times.

    You may load the app first and fork afterwards: the constructor leaves no connection open, and a child opens its own
    connections.

    The store does not delete expired rows by itself: run ``python -m cookiesess sweep --store URL`` now and then. The
    command neither waits for requests nor makes them wait, with ``FOR UPDATE SKIP LOCKED`` (MySQL from 8.0, MariaDB
    from 10.6).

    If a primary server has become read-only, the next read or write notices, and is repeated once on a new connection;
    older connections are not used again. If the new connection leads to a read-only server as well, the store is
    unavailable, also for reads: on that server, sessions might live that have ended elsewhere.

    Behind PgBouncer in transaction mode, write ``?pgbouncer=1`` in the URL, or give an engine with
    ``connect_args={"prepare_threshold": None}``.

    Args:
        engine: An SQLAlchemy engine for one of the databases above; it may be your app's own. The store opens
            connections as the engine does, with all its settings, but keeps them in a pool of its own. So a session
            never waits for your app's transactions, and the process may have up to twice as many connections.
        table: The name of the table, which `create_schema` must have made before.

    Raises:
        ConfigurationError: `engine` is no engine, or one for another database; all threads share its one connection;
            the table is missing; the server is a replica or read-only; the user, the password or the database is wrong.
        StoreUnavailable: The database cannot be reached.
    """

    indexes_owners = True

    def __init__(self, engine: sa.Engine, *, table: str = DEFAULT_TABLE) -> None:
        engine = engine_from(engine)
        self._place = place_of(engine, table)
        self._cursors = Cursors(self._place)
        self._do = Statements(sessions_table(sa.MetaData(), table), engine.dialect)
        self._connections = Connections(engine, place=self._place)
        self._swept_until = 0  # where the last sweep's batch ended
        self._connections.look(self._do.load, {"key": bytes(32), "now": 0})

    def __repr__(self) -> str:
        return f"<SQLStore: {self._place}>"

    def create(self, key: bytes, record: Record, *, now: int) -> None:
        """See `Store.create`. One statement. If the key is taken, a second one replaces an expired record."""
        values = _new_values(record) | {"new_version": _first_version()}
        try:
            self._connections.changed(self._do.insert, values | {"new_key": key})
        except RecordExists:
            if not self._connections.changed(self._do.replace_expired, values | {"key": key, "now": now}):
                raise

    def load(self, key: bytes, *, now: int) -> Record | None:
        """See `Store.load`."""
        rows = self._connections.rows(self._do.load, {"key": key, "now": now})
        return Record(*rows[0][:-1]) if rows else None

    def load_many(self, keys: Iterable[bytes], *, now: int) -> dict[bytes, Record]:
        """See `Store.load_many`. At most 32,000 keys: databases take no more parameters in one statement."""
        keys = list(keys)
        if not keys:
            return {}
        rows = self._connections.rows(self._do.load_many(len(keys)), by_number(keys) | {"now": now})
        return {key: Record(*columns) for key, *columns, _ in rows}

    def update(self, key: bytes, record: Record, *, expected_version: Hashable, now: int) -> Updated | Conflict | Gone:
        """See `Store.update`. One statement. If it changed nothing, a second one reads the present record."""
        values = _new_values(record) | {"key": key, "version": expected_version, "now": now}
        if self._connections.changed(self._do.update, values):
            return Updated(cast("int", expected_version) + 1)
        current = self.load(key, now=now)
        return Gone() if current is None else Conflict(current)

    def touch(self, key: bytes, *, expires_at: int, expected_version: Hashable, now: int) -> bool:
        """See `Store.touch`."""
        values = {"new_expires_at": expires_at, "key": key, "version": expected_version, "now": now}
        return self._connections.changed(self._do.touch, values) == 1

    def delete(self, key: bytes, *, expected_version: Hashable = None) -> bool:
        """See `Store.delete`."""
        if expected_version is None:
            return self._connections.changed(self._do.delete, {"key": key}) == 1
        return self._connections.changed(self._do.delete_version, {"key": key, "version": expected_version}) == 1

    def delete_many(self, versions: Mapping[bytes, Hashable]) -> int:
        """See `Store.delete_many`. One statement, so one commit for all."""
        if not versions:
            return 0
        # In the order of their keys: two that delete the same records at once do not wait for each other in a circle.
        keys = sorted(versions)
        expected = {f"version_{number}": versions[key] for number, key in enumerate(keys)}
        return self._connections.changed(self._do.delete_many(len(keys)), by_number(keys) | expected)

    def delete_expired(self, *, now: int, limit: int) -> int:
        """See `Store.delete_expired`. Rows that another transaction has locked are left for the next time.

        Each batch begins where the one before ended, until one finds fewer than it asked for. From the beginning, it
        would pass all the rows that were deleted before and that the database still keeps, for an old transaction's
        sake.
        """
        since = self._swept_until
        rows = self._connections.rows(self._do.expired, {"now": now, "since": since, "at_most": limit})
        keys = [key for key, *_ in rows]
        self._swept_until = rows[-1][1] if len(rows) == limit else 0
        if not keys:
            return 0
        return self._connections.changed(self._do.delete_expired(len(keys)), by_number(keys) | {"now": now})

    def records_of(self, owner: bytes, *, now: int, limit: int, cursor: bytes | None = None) -> Page:
        """See `Store.records_of`. The order is by key."""
        after = self._cursors.position(owner, limit, cursor)
        rows = self._connections.rows(self._do.records_of, {"owner_is": owner, "after": after, "at_most": limit})
        records = {key: Record(b"", *columns) for key, *columns, _ in rows if columns[0] > now}
        return Page(records, self._cursors.after(owner, rows[-1][0]) if len(rows) == limit else None)

    def count_of(self, owner: bytes, *, now: int, most: int) -> int:
        """See `Store.count_of`."""
        rows = self._connections.rows(self._do.count_of, {"owner_is": owner, "now": now, "among": most})
        return cast("int", rows[0][0])

    def oldest_of(self, owner: bytes, *, now: int, limit: int, among: int) -> dict[bytes, Record]:
        """See `Store.oldest_of`."""
        values: dict[str, object] = {"owner_is": owner, "now": now, "among": among, "at_most": limit}
        rows = self._connections.rows(self._do.oldest_of, values)
        return {key: Record(b"", *columns) for key, *columns, _ in rows}

    def close(self) -> None:
        """Close the store's idle connections; it opens new ones when it is used again. The engine's own stay.

        A store that is dropped does so itself.
        """
        self._connections.close()


def open_url(parts: SplitResult, must_exist: bool) -> Store:  # noqa: ARG001 (an SQLStore never makes what is missing)
    """Open the store that a URL names, for `cookiesess.stores.urls.open_store`.

    ::

        postgresql://user:password@host:5432/database?timeout=2
        mysql://user:password@host:3306/database?connect_timeout=2&timeout=2&pool_size=16&table=cookiesess_sessions

    ``postgresql:`` is ``postgresql+psycopg:`` (psycopg 3); ``mysql:`` and ``mariadb:`` are those with ``+pymysql``.

    - ``connect_timeout`` (2): how long it may take to open a connection, in seconds. psycopg takes whole seconds, from
      2.
    - ``timeout`` (2): how long the server may be silent, and how long a request may wait for a connection of the pool,
      in seconds. The server gives up after that time, too (``statement_timeout``, ``innodb_lock_wait_timeout``).
    - ``pool_size`` (16): the most connections of each process.
    - ``table`` (cookiesess_sessions): the table's name.
    - ``pgbouncer`` (0): write 1 behind PgBouncer in transaction mode. Statements are then not prepared, and no
      ``statement_timeout`` is sent; set one for the database role instead.
    - The driver gets these as they are. On PostgreSQL: ``sslmode``, ``sslrootcert``, ``sslcert``, ``sslkey``, ``host``
      (the folder of a socket), ``application_name``, ``target_session_attrs``. On MySQL and MariaDB: ``ssl_ca``,
      ``ssl_cert``, ``ssl_key``, ``unix_socket``. For other options, give `SQLStore` an engine of your own.

    Raises:
        ConfigurationError: As in `SQLStore` and `open_store`.
        StoreUnavailable: The database cannot be reached.
    """
    engine, table = engine_of(parts)
    return SQLStore(engine, table=table)


def migrate(url: str) -> str:
    """Create the table that a store's URL names, if it is missing, and return its name. You may run it again.

    Raises:
        ConfigurationError: The URL is not that of an SQL store, or the database refuses.
        StoreUnavailable: The database cannot be reached.
    """
    engine, table = engine_of(split(url))
    try:
        create_schema(engine, table=table)
        SQLStore(engine, table=table)
    finally:
        engine.dispose()
    return table


def _new_values(record: Record) -> dict[str, object]:
    return {
        "new_expires_at": record.expires_at,
        "new_owner": record.owner,
        "new_summary": record.summary,
        "new_payload": record.payload,
    }


def _first_version() -> int:
    """Return where a record's version starts: at random, below 2^62, so that counting up never overflows.

    A record that was deleted and created again under the same key must not have a version that somebody still holds.
    """
    return int.from_bytes(os.urandom(8)) >> 2
