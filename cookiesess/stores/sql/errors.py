"""What a database's errors mean: which of them pass, which are mistakes in the set-up, and what to do."""

from typing import Final

import sqlalchemy as sa

from cookiesess.errors import ConfigurationError, StoreUnavailable

# By SQLSTATE (PostgreSQL) or error number (MySQL and MariaDB).
Code = str | int

# The database undid the statement because of what another transaction did at the same moment, and asks to repeat it:
# serialization failure and deadlock (PostgreSQL manual, section 13.5; MySQL error 1213). A lock wait that timed out
# (1205) is none of these: whoever holds the lock goes on holding it, and the request has waited long enough.
_TRANSIENT: Final[frozenset[Code]] = frozenset({"40001", "40P01", 1213})

# The connection was cut, by the server (a restart, a failover, an administrator) or on the way. A server that is silent
# for too long is none of these: the request has waited long enough.
_CUT: Final[frozenset[Code]] = frozenset({"57P01", "57P02", 1053, 1927, 2006, 2013, 4031})

# Larger than max_allowed_packet, or than the payload's column.
_TOO_LARGE: Final[frozenset[Code]] = frozenset({1153, 1406})
COLUMN_BYTES: Final = (1 << 24) - 1
"""What a MEDIUMBLOB holds."""
LARGER_RECORDS: Final = "raise max_allowed_packet, of which a session may take half, up to 16 MiB"
"""How a larger session can be kept on MySQL and MariaDB."""


# The server takes no writes (any more): it is a replica, or an administrator has said so before another takes over.
_READ_ONLY_CODES: Final[frozenset[Code]] = frozenset({"25006", 1290, 1792, 1836})

# Another process has just created the same table or index, or dropped it (the last three); 23505 and XX000 are how
# PostgreSQL's own catalogue says so.
_TAKEN: Final[frozenset[Code]] = frozenset({"42P07", "42710", "23505", 1050, 1061, "42704", "XX000", 1091})

_TABLE: Final = (
    "the table is missing, or not this version's; run `python -m cookiesess migrate --store URL`, or call"
    " create_schema(engine) of cookiesess.stores.sql"
)
_USER: Final = "check the user and the password of the URL, and that the server lets this user in from here"
_DATABASE: Final = "create the database, or name another one in the URL"
_POOLER: Final = (
    "this is PgBouncer: add ?pgbouncer=1 to the URL, or give an engine without options and with"
    ' connect_args={"prepare_threshold": None}'
)
_RIGHTS: Final = "grant the user SELECT, INSERT, UPDATE and DELETE on the table"
_READ_ONLY: Final = (
    "sessions need the primary server, writable: name it in the URL, or end its read-only mode"
    " (default_transaction_read_only on PostgreSQL, read_only on MySQL and MariaDB)"
)
_CONNECTIONS: Final = (
    "every connection that the server allows is in use; raise its max_connections, or lower pool_size times the number"
    " of processes"
)
_SLOW: Final = "the server did not answer in time, or another transaction held a lock; raise timeout if it is just slow"
_LOST: Final = "the connection broke, or the server did not answer in time; look whether it runs and can be reached"
_POOL: Final = "every connection of the pool is in use; raise pool_size, or look for what keeps them"

# What will not mend by itself, and so is a matter of the set-up where it is met at construction.
_SETUP: Final[dict[Code, str]] = {
    "28P01": _USER,
    "28000": _USER,
    1045: _USER,
    1698: _USER,
    1130: _USER,
    "3D000": _DATABASE,
    1044: _DATABASE,
    1049: _DATABASE,
    "42P01": _TABLE,
    "42703": _TABLE,
    1146: _TABLE,
    1054: _TABLE,
    "08P01": _POOLER,
    "42P05": _POOLER,
    "26000": _POOLER,
    "42501": _RIGHTS,
    1142: _RIGHTS,
    **dict.fromkeys(_READ_ONLY_CODES, _READ_ONLY),
}
_OTHER: Final[dict[Code, str]] = {
    "53300": _CONNECTIONS,
    1040: _CONNECTIONS,
    1203: _CONNECTIONS,
    "57014": _SLOW,
    "55P03": _SLOW,
    1205: _SLOW,
    1969: _SLOW,
    2003: _LOST,
    2006: _LOST,
    2013: _LOST,
    _POOL: _POOL,
}
# libpq gives the failure to connect no SQLSTATE, and SQLite a missing table no code of its own. A server that speaks
# another language than English is then taken for unavailable; its own words are in the message all the same.
_TEXTS: Final[dict[str, Code]] = {
    "password authentication failed": "28P01",
    "no password supplied": "28P01",
    "no pg_hba.conf entry": "28000",
    'role "': "28000",
    'database "': "3D000",
    "unsupported startup parameter": "08P01",
    "too many clients": "53300",
    "too many connections": "53300",
    "remaining connection slots": "53300",
    "already exists": "42P07",
    "no such table": "42P01",
    "no such column": "42703",
    "silent": "57014",
    "connection failed": 2003,
    "connection timeout": 2003,
    "connection unexpectedly": 2013,
    "connection has been closed unexpectedly": 2013,
    "reset by peer": 2013,
    "connection is lost": 2013,
}


class ReadOnlyServer(sa.exc.SQLAlchemyError):
    """A server has answered a read, and said that it takes no writes."""

    sqlstate = "25006"


def cause_of(error: BaseException) -> BaseException:
    """Return the driver's own error: SQLAlchemy's words quote the statement's parameters, which nobody should read."""
    return (error.orig if isinstance(error, sa.exc.DBAPIError) else None) or error


def is_transient(error: BaseException) -> bool:
    """Whether the statement wrote nothing and may be run again at once."""
    return _code(error) in _TRANSIENT


def is_cut(error: BaseException) -> bool:
    """Whether the connection was cut while the statement ran, of which nobody knows whether it was done."""
    return _code(error) in _CUT and "timed out" not in str(cause_of(error))


def is_too_large(error: BaseException) -> bool:
    """Whether the server says that a statement, or a value in it, is larger than it takes."""
    return _code(error) in _TOO_LARGE


def is_read_only(error: BaseException) -> bool:
    """Whether the server takes no writes, so that nothing was written."""
    return _code(error) in _READ_ONLY_CODES


def is_taken(error: BaseException) -> bool:
    """Whether a table or an index could not be created, or dropped, because it has just been."""
    return _code(error) in _TAKEN


def is_without_table(error: BaseException) -> bool:
    """Whether a table or a column that a statement names is not there."""
    return _SETUP.get(_code(error)) is _TABLE


def place_of(engine: sa.Engine, table: str) -> str:
    """Return what errors call a store; without the user and the password."""
    url = engine.url
    return f"the table {table} of {url.get_backend_name()} {url.host or ''}/{url.database or ''}"


def unavailable(error: BaseException, *, place: str) -> StoreUnavailable:
    """Return what a failed statement raises; `place` says which store it was."""
    return StoreUnavailable(_message(error, place))


def refusal(error: BaseException, *, place: str) -> ConfigurationError | StoreUnavailable:
    """Return what a failed first look at the database raises: a ConfigurationError where waiting will not help."""
    return ConfigurationError(_message(error, place)) if _code(error) in _SETUP else unavailable(error, place=place)


def read_only(place: str) -> ConfigurationError:
    """Return the error of a server that is a replica or takes no writes."""
    return ConfigurationError(f"{place}: the server is a replica or read-only; {_READ_ONLY}")


def _message(error: BaseException, place: str) -> str:
    # The first line alone: the further ones quote statements and rows.
    words = (str(cause_of(error)).strip() or type(error).__name__).splitlines()[0]
    code = _code(error)
    remedy = _SETUP.get(code) or _OTHER.get(code) or "see the database's log"
    return f"{place}: {words}; {remedy}"


def _code(error: BaseException) -> Code:
    """Return the database's own name for an error, or 0."""
    if isinstance(error, sa.exc.TimeoutError):
        return _POOL
    cause = cause_of(error)
    # The number first: PyMySQL has a SQLSTATE as well, which says less.
    if cause.args and isinstance(cause.args[0], int):
        return cause.args[0]
    sqlstate = getattr(cause, "sqlstate", None)
    if sqlstate:
        return str(sqlstate)
    return next((code for words, code in _TEXTS.items() if words in str(cause)), 0)
