"""The table of server-side sessions in an SQL database, for this library or for a migration tool to create.

The schema has no version number: it is its columns. `SQLStore` reads all of them once when it is made, so a table that
lacks one is refused there. A later release may add columns, which `create_schema` then adds to an older table; it never
gives an existing column another meaning. Indexes only make it faster: where `create_schema` finds one of the first
version, it replaces it.
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
        metadata: The metadata to which the table is added. If it has a schema, the table is in that schema.
        name: The table's name: at most 53 letters, digits and underscores. The names of the two indexes begin with it.

    Raises:
        ConfigurationError: The name is not of that form.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"the table's name is {name!r}; it has letters, digits and underscores, 53 at most (another schema is"
            " chosen by the user's search_path)"
        )
    key = sa.Column("key", _bytes(32, mysql.BINARY(32)), primary_key=True)
    owner = sa.Column("owner", _bytes(32, mysql.VARBINARY(32)))
    return sa.Table(
        name,
        metadata,
        key,
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        owner,
        sa.Column("summary", _bytes(4096, mysql.VARBINARY(4096)), nullable=False),
        # Last, so that a listing reads what stands before it. A plain BLOB would end at 64 KiB on MySQL.
        sa.Column("payload", _bytes(1 << 24, mysql.MEDIUMBLOB()), nullable=False),
        sa.Index(f"{name}_by_expiry", "expires_at"),
        # By key as well, so that a page of a listing begins where the one before ended.
        sa.Index(f"{name}_by_owner", owner, key, postgresql_where=owner.is_not(None), sqlite_where=owner.is_not(None)),
    )


def create_schema(engine: sa.Engine, *, table: str = DEFAULT_TABLE) -> None:
    """Create the table and its indexes if they are missing, and bring those of the first version up to date.

    You may run it again, and by several processes at once. While an index is built, once, requests that write have to
    wait: seconds for a million sessions. The engine's user needs the right to create tables, which `SQLStore` itself
    does not need.

    Args:
        engine: The engine of the database.
        table: The table's name.

    Raises:
        ConfigurationError: The database refuses, or the table's name is not allowed.
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
        have = {index["name"]: index["column_names"] for index in sa.inspect(connection).get_indexes(sessions.name)}
        # Also where a process ended between the table and its indexes, which MySQL does not create in one transaction.
        for index in sessions.indexes:
            if have.get(index.name) == [column.name for column in index.columns]:
                continue
            if index.name in have:
                index.drop(connection)
            index.create(connection)
