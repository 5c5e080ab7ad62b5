"""The drivers that an `SQLStore` runs on, and what differs between them."""

import select
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from cookiesess.errors import ConfigurationError


class Driver(NamedTuple):
    """What differs between the drivers.

    Attributes:
        file_number: Of a connection's socket; -1 where there is none.
        read_only: Asks for values that are all false on a server that takes writes; "" where there is no such server.
        largest: Asks how large a statement may be; "" where no session comes near that.
    """

    file_number: Callable[[Any], int]
    read_only: str
    largest: str = ""


def _pymysql_file_number(connection: Any) -> int:
    # PyMySQL has no public way to its socket. Without it a closed connection is noticed by the statement that fails.
    socket = getattr(connection, "_sock", None)
    return -1 if socket is None else socket.fileno()


# Those whose types and errors are known here. psycopg 2, for one, hands out memoryviews, which are no bytes.
_DRIVERS: Final = {
    "psycopg": Driver(
        lambda connection: -1 if connection.closed else connection.fileno(),
        "SELECT pg_is_in_recovery(), current_setting('transaction_read_only')::bool",
    ),
    "pymysql": Driver(
        _pymysql_file_number, "SELECT @@global.read_only, @@innodb_read_only", "SELECT @@max_allowed_packet"
    ),
    "pysqlite": Driver(lambda _: -1, ""),
}
NO: Final = {0, "OFF", b"OFF"}
"""How the servers write False; MariaDB 12 and later have a word for it."""


def driver_of(engine: sa.Engine) -> Driver:
    """Return what is known of an engine's driver.

    Raises:
        ConfigurationError: Nothing is.
    """
    driver = _DRIVERS.get(engine.dialect.driver)
    if driver is None:
        raise ConfigurationError(
            f"an SQLStore runs on the drivers {', '.join(_DRIVERS)}, not on {engine.dialect.driver}; build the"
            " engine with postgresql+psycopg://, mysql+pymysql://, mariadb+pymysql:// or sqlite://"
        )
    return driver


if hasattr(select, "poll"):

    def readable(file_number: int) -> bool:
        """Whether a socket's end, or something nobody has asked for, can be read from it."""
        poll = select.poll()
        poll.register(file_number, select.POLLIN)
        return bool(poll.poll(0))

else:  # pragma: no cover (Windows, where select takes any number)

    def readable(file_number: int) -> bool:
        """Whether a socket's end, or something nobody has asked for, can be read from it."""
        return bool(select.select([file_number], [], [], 0)[0])
