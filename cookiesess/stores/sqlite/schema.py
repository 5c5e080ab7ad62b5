"""The tables of a session file, how an older file is brought up to date, and how a foreign one is told apart."""

import sqlite3
from pathlib import Path

from cookiesess.errors import ConfigurationError

# "cses": tells a file of ours from another application's, whose user_version would mean something else.
_APPLICATION_ID = 0x63736573

# Entry n brings a file from schema version n to n + 1. Entries are never edited once released, only added: files that
# have them are out there.
#
# WITHOUT ROWID: the keys are random, so a rowid table would look up twice, in the key's index and then in the table.
# Its indexes end with the key by themselves, so that sessions_by_owner is one of (owner, key).
# The payload stands behind all that a listing reads, which so follows no long payload's pages.
#
# Version 2 gives expiry indexes that a write leaves alone. To name an indexed column in an UPDATE writes pages of its
# index, 13 kB where the row's own page is 4, also where the value stays. So what is indexed is `due`, the hour (Unix
# seconds / 3600) in which a sweep should look at a row, and a write that moves the expiry does not move it: a sweep
# that comes to a row too early moves it on. The few rows that end sooner than they were due have an index of their own,
# of which the write of another row touches no page. All rows of an old file are due in hour 0, so that it is migrated
# without writing them: a million sessions take a second, in which writers wait.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE sessions (
            key BLOB NOT NULL PRIMARY KEY, version INTEGER NOT NULL, expires_at INTEGER NOT NULL,
            owner BLOB, summary BLOB NOT NULL, payload BLOB NOT NULL
        ) WITHOUT ROWID""",
        "CREATE INDEX sessions_by_expiry ON sessions (expires_at)",
        "CREATE INDEX sessions_by_owner ON sessions (owner) WHERE owner IS NOT NULL",
    ),
    (
        "ALTER TABLE sessions ADD COLUMN due INTEGER NOT NULL DEFAULT 0",
        "DROP INDEX sessions_by_expiry",
        "CREATE INDEX sessions_by_due ON sessions (due)",
        "CREATE INDEX sessions_by_sooner_expiry ON sessions (expires_at) WHERE expires_at < due * 3600",
    ),
)

# Each further try comes after a wait for whoever was in the way; more than a few, and something else is wrong.
_WAL_TRIES = 20


def primary_code(error: sqlite3.Error) -> int:
    """The primary result code: the low byte of the extended one. 0 for errors of the module's own, which have none."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    """Create or migrate the schema where it is not this version's; several processes may do so at once."""
    version = _schema_version(connection, path)
    _enter_wal(connection)
    if version == len(MIGRATIONS):
        return
    with connection:  # COMMIT at the end, ROLLBACK where anything fails
        connection.execute("BEGIN IMMEDIATE")
        # Read again: another process may have done it all while this one waited for the lock.
        for migration in MIGRATIONS[_schema_version(connection, path) :]:
            for statement in migration:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id={_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={len(MIGRATIONS)}")


def _schema_version(connection: sqlite3.Connection, path: Path) -> int:
    # The tables first: another process may be creating them and the ids beside them, all in one transaction.
    if connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None:
        return 0
    if _pragma(connection, "application_id") != _APPLICATION_ID:
        raise ConfigurationError(f"{path} is the database of another application; give sessions a file of their own")
    version = _pragma(connection, "user_version")
    if version > len(MIGRATIONS):
        raise ConfigurationError(
            f"{path} was written by a newer cookiesess (schema {version}; this one knows up to {len(MIGRATIONS)});"
            " upgrade cookiesess, or give another path"
        )
    return version


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value


def _enter_wal(connection: sqlite3.Connection, tries: int = _WAL_TRIES) -> None:
    """Switch the file to WAL; nothing is done where it is in WAL already.

    In this one statement SQLite does not wait for another writer, whatever the busy timeout, so several processes that
    start on a new file would fail each other. An exclusive transaction does wait, and when it is over the way is free.
    """
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        if primary_code(error) != sqlite3.SQLITE_BUSY or tries <= 1:
            raise
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("ROLLBACK")
        _enter_wal(connection, tries - 1)
