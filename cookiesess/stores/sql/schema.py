"""The table of server-side sessions in an SQL database, for this library or for a migration tool to create.

The schema has no version number: it is its columns. `SQLStore` reads all of them once when it is made, so a table that
lacks one is refused there. A later release may add columns, which `create_schema` then adds to an older table; it never
gives an existing column another meaning.
"""

import re
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from cookiesess.errors import ConfigurationError
from cookiesess.stores.sql.errors import cause_of, is_taken, place_of, refusal

DEFAULT_TABLE: Final = "cookiesess_sessions"

# Another process may be creating the same table or index at this moment, which fails one of the two; looking again then
# finds it done. There are three of them to lose; more tries than these, and something else is wrong.
_MAX_TRIES: Final = 10

# An identifier has up to 63 bytes on PostgreSQL and 64 characters on MySQL, and the indexes' names are 10 longer.
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,52}")


def _bytes(size: int, on_mysql: sa.types.TypeEngine[bytes]) -> sa.types.TypeEngine[bytes]:
    return sa.LargeBinary(size).with_variant(on_mysql, "mysql", "mariadb")


def sessions_table(metadata: sa.MetaData, name: str = DEFAULT_TABLE) -> sa.Table:
    """Add the sessions' table to `metadata`, such as that of your Alembic migrations, and return it.

    ============  ===============================  =====================================================================
    column        type (MySQL and MariaDB)         holds
    ============  ===============================  =====================================================================
    key           BINARY(32), primary key          a hash of the session's ID
    version       BIGINT                           random at first, one more with each update
    expires_at    BIGINT, indexed                  Unix seconds
    owner         VARBINARY(32), indexed, or NULL  a keyed hash of the user
    summary       VARBINARY(4096)                  what listings show, sealed
    payload       MEDIUMBLOB (up to 16 MiB)        the session, sealed
    ============  ===============================  =====================================================================

    PostgreSQL and SQLite have BYTEA and BLOB for all bytes, and leave rows without an owner out of the owner's index.

    Args:
        metadata: Where the table is added; its schema, if it has one, is the table's.
        name: The table's name: letters, digits and underscores, 53 at most. The two indexes are named after it.

    Raises:
        ConfigurationError: The name is another one.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"the table's name is {name!r}; it has letters, digits and underscores, 53 at most (another schema is"
            " chosen by the user's search_path)"
        )
    owner = sa.Column("owner", _bytes(32, mysql.VARBINARY(32)))
    return sa.Table(
        name,
        metadata,
        sa.Column("key", _bytes(32, mysql.BINARY(32)), primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        owner,
        sa.Column("summary", _bytes(4096, mysql.VARBINARY(4096)), nullable=False),
        # Last, so that a listing reads what stands before it. A plain BLOB would end at 64 KiB on MySQL.
        sa.Column("payload", _bytes(1 << 24, mysql.MEDIUMBLOB()), nullable=False),
        sa.Index(f"{name}_by_expiry", "expires_at"),
        sa.Index(f"{name}_by_owner", owner, postgresql_where=owner.is_not(None), sqlite_where=owner.is_not(None)),
    )


def create_schema(engine: sa.Engine, *, table: str = DEFAULT_TABLE) -> None:
    """Create the table and its indexes where they are missing.

    Safe to run again, and by several processes at once; what is there stays as it is. The engine's user needs the right
    to create tables, which `SQLStore` itself does not.

    Args:
        engine: Of the database.
        table: The table's name.

    Raises:
        ConfigurationError: The database refuses, or the name.
        StoreUnavailable: The database cannot be reached.
    """
    sessions, tries = sessions_table(sa.MetaData(), table), 0
    while True:
        try:
            return _create_missing(engine, sessions)
        except sa.exc.SQLAlchemyError as error:
            tries += 1
            if tries == _MAX_TRIES or not is_taken(error):
                raise refusal(error, place=place_of(engine, table)) from cause_of(error)


def _create_missing(engine: sa.Engine, sessions: sa.Table) -> None:
    with engine.begin() as connection:
        sessions.create(connection, checkfirst=True)
        # Where a process ended between the table and its indexes, which MySQL does not create in one transaction.
        for index in sessions.indexes:
            index.create(connection, checkfirst=True)
