"""Django's table of sessions on PostgreSQL, MySQL and MariaDB, by the clients of `cookiesess.stores.sql`."""

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any
from urllib.parse import SplitResult

import sqlalchemy as sa

from cookiesess.errors import StoreUnavailable
from cookiesess.readers.django_rows import NO_TABLE, Row, unix_seconds
from cookiesess.stores.sql.connections import Connections
from cookiesess.stores.sql.errors import is_without_table, place_of
from cookiesess.stores.sql.statements import Statement
from cookiesess.stores.sql.urls import engine_of


class SQLRows:
    """The table in an SQL database; see `cookiesess.readers.django_rows.Rows`. Thread-safe, and safe to fork.

    Args:
        engine: Of the database.
        table: Its name.
        zone: In which its times are, where the database does not say.
    """

    def __init__(self, engine: sa.Engine, table: str, *, zone: tzinfo) -> None:
        self._place = place_of(engine, table)
        self._connections = Connections(engine, place=self._place)
        self._zone = zone
        self._aware = engine.dialect.name == "postgresql"
        at = sa.table(table, sa.column("session_key"), sa.column("session_data"), sa.column("expire_date"))
        same, later = at.c.session_key == sa.bindparam("key"), at.c.expire_date > sa.bindparam("at")
        # The last column is what `Connections.rows` wants: whether the server takes no writes, which a delete will say.
        read = sa.select(at.c.session_data, at.c.expire_date, sa.literal_column("0")).where(same)
        self._load = Statement(read, engine.dialect)
        self._delete = Statement(sa.delete(at).where(same), engine.dialect)
        shortened = sa.update(at).where(same, later).values(expire_date=sa.bindparam("at"))
        self._shorten = Statement(shortened, engine.dialect)

    def load(self, key: str) -> Row | None:
        """See `Rows.load`."""
        rows = self._run(self._connections.rows, self._load, {"key": key})
        return Row(rows[0][0], unix_seconds(rows[0][1], zone=self._zone)) if rows else None

    def delete(self, key: str) -> None:
        """See `Rows.delete`."""
        self._run(self._connections.changed, self._delete, {"key": key})

    def end_by(self, key: str, at: datetime) -> None:
        """See `Rows.end_by`."""
        moment = at if self._aware else at.astimezone(self._zone).replace(tzinfo=None)
        self._run(self._connections.changed, self._shorten, {"key": key, "at": moment})

    def _run(self, run: Callable[..., Any], statement: Statement, values: dict[str, object]) -> Any:
        try:
            return run(statement, values)
        except StoreUnavailable as error:
            if error.__cause__ is not None and is_without_table(error.__cause__):
                raise StoreUnavailable(f"{self._place}: the table is missing; {NO_TABLE}") from error.__cause__
            raise


def rows_of(parts: SplitResult, table: str, *, zone: tzinfo) -> Callable[[], SQLRows]:
    """Return what opens the table that a split URL leads to.

    Raises:
        ConfigurationError: The URL is not of a database that is known here.
        MissingDependency: Its driver is not installed.
    """
    engine, _ = engine_of(parts)
    return lambda: SQLRows(engine, table, zone=zone)
