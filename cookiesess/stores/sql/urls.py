"""What a store's URL says about an SQL database, as an SQLAlchemy engine."""

import math
from datetime import timedelta
from typing import Any, Final
from urllib.parse import SplitResult, unquote

import sqlalchemy as sa

from cookiesess.errors import ConfigurationError, MissingDependency
from cookiesess.stores.parameters import COUNT, FLAG, SECONDS, TEXT, Reader, read_parameters, refuse_form
from cookiesess.stores.sql.schema import DEFAULT_TABLE

_POSTGRESQL, _MYSQL = "postgresql", "mysql"

# The schemes, and which kind each is.
_KINDS: Final = {
    "postgresql": _POSTGRESQL,
    "postgresql+psycopg": _POSTGRESQL,
    "mysql": _MYSQL,
    "mysql+pymysql": _MYSQL,
    "mariadb": _MYSQL,
    "mariadb+pymysql": _MYSQL,
}
_PACKAGES: Final = {_POSTGRESQL: "psycopg", _MYSQL: "pymysql"}

# What goes on to the driver as it is: how to reach the server, and how to know that it is the right one.
_PASSED_ON: Final = {
    _POSTGRESQL: ("sslmode", "sslrootcert", "sslcert", "sslkey", "host", "application_name", "target_session_attrs"),
    _MYSQL: ("ssl_ca", "ssl_cert", "ssl_key", "unix_socket"),
}
_OWN: Final[dict[str, Reader]] = {
    "connect_timeout": SECONDS,
    "timeout": SECONDS,
    "pool_size": COUNT,
    "table": TEXT,
}
# What one kind alone has.
_ALONE: Final[dict[str, dict[str, Reader]]] = {_POSTGRESQL: {"pgbouncer": FLAG}, _MYSQL: {}}

# Firewalls and load balancers forget connections that were idle for 350 seconds and more, often without a word.
_RECYCLE_SECONDS: Final = 300


def engine_of(parts: SplitResult) -> tuple[sa.Engine, str]:
    """Return the engine that a split URL describes, and the table's name.

    See `cookiesess.stores.sql.store.open_url` for the form of the URL.

    Raises:
        ConfigurationError: The URL is not of the form, or a parameter is wrong.
        MissingDependency: The driver is not installed.
    """
    kind = _KINDS.get(parts.scheme)
    if kind is None:
        raise ConfigurationError(
            f"the scheme is {parts.scheme!r}; an SQL database has one of {', '.join(_KINDS)}, and only those have a"
            " table to create"
        )
    passed_on = dict.fromkeys(_PASSED_ON[kind], TEXT)
    parameters = read_parameters(parts, **_OWN, **_ALONE[kind], **passed_on)
    query = {name: parameters.pop(name) for name in passed_on if name in parameters}
    table = parameters.pop("table", DEFAULT_TABLE)
    return _engine(_url(parts, kind, query), kind, **parameters), table


def _url(parts: SplitResult, kind: str, query: dict[str, str]) -> sa.URL:
    try:
        port = parts.port
    except ValueError:
        port = -1
    database = unquote(parts.path.removeprefix("/"))
    if port == -1 or not database or not (parts.hostname or "host" in query or "unix_socket" in query):
        refuse_form(parts, f"{parts.scheme}://user:password@host:port/database, percent-encoded where needed")
    return sa.URL.create(
        f"{parts.scheme.partition('+')[0]}+{_PACKAGES[kind]}",
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        host=parts.hostname,
        port=port,
        database=database,
        query=query,
    )


def _engine(
    url: sa.URL,
    kind: str,
    *,
    connect_timeout: timedelta = timedelta(seconds=2),
    timeout: timedelta = timedelta(seconds=2),
    pool_size: int = 16,
    pgbouncer: bool = False,
) -> sa.Engine:
    _check(connect_timeout, timeout, pool_size)
    if kind == _MYSQL:
        arguments = _mysql_arguments(connect_timeout, timeout)
    else:
        arguments = _postgresql_arguments(connect_timeout, None if pgbouncer else timeout)
    try:
        engine = sa.create_engine(
            url,
            connect_args=arguments,
            # Each statement is a transaction of its own, and nothing is sent before or after it.
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=timeout.total_seconds(),
            pool_recycle=_RECYCLE_SECONDS,
            # The connection that was used last: the others get old, and are closed, where there are more than needed.
            pool_use_lifo=True,
            # Errors of SQLAlchemy's quote a statement's parameters otherwise.
            hide_parameters=True,
        )
    except ImportError as error:
        raise MissingDependency(_PACKAGES[kind], extra=kind) from error
    if kind == _POSTGRESQL:
        from cookiesess.stores.sql.psycopg import limit_silence

        limit_silence(engine, timeout)
    return engine


def _check(connect_timeout: timedelta, timeout: timedelta, pool_size: int) -> None:
    for name, value in (("connect_timeout", connect_timeout), ("timeout", timeout)):
        if value <= timedelta(0):
            raise ConfigurationError(f"{name} is {value.total_seconds()}; it must be above zero, such as 2 seconds")
    if pool_size < 1:
        raise ConfigurationError(f"pool_size is {pool_size}; it must be at least 1")


def _postgresql_arguments(connect_timeout: timedelta, timeout: timedelta | None) -> dict[str, Any]:
    arguments: dict[str, Any] = {"connect_timeout": _whole_seconds(connect_timeout)}
    if timeout is None:
        # PgBouncer: the next statement may go to another connection of its own, which has not prepared it; and it
        # refuses a client that sends options.
        return arguments | {"prepare_threshold": None}
    # The server gives up as well, so that what was not done in time is not done later, when its answer is lost.
    return arguments | {"options": f"-c statement_timeout={math.ceil(timeout.total_seconds() * 1000)}"}


def _mysql_arguments(connect_timeout: timedelta, timeout: timedelta) -> dict[str, Any]:
    seconds = timeout.total_seconds()
    return {
        "connect_timeout": connect_timeout.total_seconds(),
        "read_timeout": seconds,
        "write_timeout": seconds,
        "init_command": f"SET SESSION innodb_lock_wait_timeout={_whole_seconds(timeout)}",
    }


def _whole_seconds(duration: timedelta) -> int:
    return max(1, math.ceil(duration.total_seconds()))
