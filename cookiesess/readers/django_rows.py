"""Django's table of sessions, in SQLite and in the databases of `cookiesess.stores.sql`.

::

    session_key   varchar(40), the primary key: what the cookie has
    session_data  text
    expire_date   a date and a time: with its zone on PostgreSQL, else without, in UTC where Django's USE_TZ is True
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import unquote

from cookiesess.errors import ConfigurationError, StoreUnavailable
from cookiesess.stores.parameters import refuse_form, split
from cookiesess.stores.urls import import_for

_TIMEOUT_SECONDS: Final = 2.0
NO_TABLE: Final = "give the name of the table with Django's sessions as table="


class Row(NamedTuple):
    """What Django has of a session.

    Attributes:
        data: Signed text.
        expires_at: Unix seconds.
    """

    data: str
    expires_at: int


class Rows(Protocol):
    """The table. Each method raises `StoreUnavailable` where it cannot be done, and says why."""

    def load(self, key: str) -> Row | None:
        """Return the row under a key, expired or not."""

    def delete(self, key: str) -> None:
        """Delete it, if it is there."""

    def end_by(self, key: str, at: datetime) -> None:
        """Have it expire at `at`, which is aware, if it would later."""


class SQLiteRows:
    """The table in an SQLite file, with a connection for each call: a visitor needs one or two of them, once.

    Args:
        path: The file.
        table: Its name.
        zone: In which its times are.
    """

    def __init__(self, path: Path, table: str, *, zone: tzinfo) -> None:
        self._uri = f"{path.absolute().as_uri()}?mode=rw"
        self._place = f"the table {table} of {path}"
        self._table = '"' + table.replace('"', '""') + '"'
        self._zone = zone

    def load(self, key: str) -> Row | None:
        """See `Rows.load`."""
        columns = "session_data, expire_date"
        rows = self._run(f"SELECT {columns} FROM {self._table} WHERE session_key = ?", key)  # noqa: S608 (quoted)
        return Row(rows[0][0], unix_seconds(rows[0][1], zone=self._zone)) if rows else None

    def delete(self, key: str) -> None:
        """See `Rows.delete`."""
        self._run(f"DELETE FROM {self._table} WHERE session_key = ?", key)  # noqa: S608 (quoted)

    def end_by(self, key: str, at: datetime) -> None:
        """See `Rows.end_by`."""
        text = at.astimezone(self._zone).replace(tzinfo=None).isoformat(" ")
        change = f"UPDATE {self._table} SET expire_date = ? WHERE session_key = ? AND expire_date > ?"  # noqa: S608
        self._run(change, text, key, text)

    def _run(self, statement: str, *parameters: str) -> list[Any]:
        try:
            with closing(sqlite3.connect(self._uri, uri=True, timeout=_TIMEOUT_SECONDS)) as connection, connection:
                return connection.execute(statement, parameters).fetchall()
        except sqlite3.Error as error:
            words = str(error)
            remedy = NO_TABLE if "no such" in words else "see whether the old app's database is there"
            raise StoreUnavailable(f"{self._place}: {words}; {remedy}") from error


def unix_seconds(moment: datetime | str, *, zone: tzinfo) -> int:
    """Return a time as a database has it, in `zone` where it does not say, in Unix seconds."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return int((moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).timestamp())


def rows_of(url: str, table: str, *, zone: tzinfo = UTC) -> Callable[[], Rows]:
    """Return what opens the table that a URL leads to.

    Raises:
        ConfigurationError: The URL is not of a database that is known here.
        MissingDependency: SQLAlchemy or its driver is not installed.
    """
    if not isinstance(url, str):
        raise ConfigurationError(
            f"the URL of Django's database is text, not {type(url).__name__}; is the variable set?"
        )
    parts = split(url)
    if parts.scheme != "sqlite":
        rows: Callable[[], Rows] = import_for(parts.scheme, "cookiesess.readers.django_sql").rows_of(
            parts, table, zone=zone
        )
        return rows
    path = unquote(parts.path.removeprefix("/"))
    if parts.netloc or not path or parts.query:
        refuse_form(parts, "sqlite:///relative/path.db or sqlite:////absolute/path.db, without parameters")
    return lambda: SQLiteRows(Path(path), table, zone=zone)
