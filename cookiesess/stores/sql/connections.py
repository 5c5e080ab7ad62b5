"""Running one statement on a pooled connection of an SQLAlchemy engine, and what its failures mean.

`SQLStore` holds the statements; everything about connections is here.
"""

import os
from collections.abc import Callable
from typing import Any, Final, cast
from weakref import WeakSet, finalize

import sqlalchemy as sa

from cookiesess.errors import RecordExists, RecordTooLarge, StoreUnavailable
from cookiesess.stores.pauses import Pauses
from cookiesess.stores.sql.drivers import NO, driver_of, readable
from cookiesess.stores.sql.errors import (
    COLUMN_BYTES,
    LARGER_RECORDS,
    ReadOnlyServer,
    cause_of,
    is_cut,
    is_read_only,
    is_too_large,
    is_transient,
    read_only,
    refusal,
    unavailable,
)
from cookiesess.stores.sql.pool import own_pool
from cookiesess.stores.sql.statements import Statement

# How often a statement is run that the database undoes for another transaction's sake. Each of those is over by then,
# and after two of them it waits a random, growing moment; more than these, and something else is wrong.
MAX_TRIES: Final = 16

# No server that anybody runs refuses less than this; and what the rest of a statement takes, at most.
_LARGE_BYTES: Final = 1 << 18
_OTHER_BYTES: Final = 1 << 14


class Connections:
    """Connections as an engine makes them, in a pool of their own. Thread-safe.

    Args:
        engine: Of one of the drivers that are known here, and synchronous.
        place: What errors call the store.
        pauses: Between two tries of what the database has undone.
    """

    def __init__(self, engine: sa.Engine, *, place: str, pauses: Pauses | None = None) -> None:
        self._driver = driver_of(engine)
        self.engine = engine
        self._use(own_pool(engine))
        self._place = place
        self._pauses = pauses or Pauses()
        # Raised when the server has become read-only: what was connected before is dropped.
        self._generation = 0
        self._error: type[Exception] = engine.dialect.loaded_dbapi.Error
        self._duplicate: type[Exception] = engine.dialect.loaded_dbapi.IntegrityError
        self._autocommit = False
        _all.add(self)

    def close(self) -> None:
        """Close the idle connections; others are made when they are needed."""
        dispose = self._dispose
        self._use(self.pool.recreate())
        dispose()

    def leave_to_parent(self) -> None:
        """Begin anew in a forked child: what the pool has is the parent's, and is neither used nor closed here."""
        self._dispose.detach()
        _abandoned.append(self.pool)
        self._use(self.pool.recreate())

    def _use(self, pool: sa.Pool) -> None:
        """Take another pool. A store that is dropped, or there at the end of the process, closes its connections.

        psycopg would warn of each one that is left to the garbage collector.
        """
        self.pool = pool
        self._dispose = finalize(self, pool.dispose)

    def look(self, statement: Statement, values: dict[str, object]) -> None:
        """See whether the database is there, writable, and runs `statement`.

        The connection is closed again: a server that loads the app and then forks must not hand an open one to its
        workers.

        Raises:
            ConfigurationError: No, and waiting will not change it.
            StoreUnavailable: Not now.
        """
        try:
            connection = self.pool.connect()
            connection.detach()
            try:
                cursor = connection.cursor()
                if self._is_read_only(cursor):
                    raise read_only(self._place)
                cursor.execute(statement.text, statement.arrange(values))
                self._autocommit = self.engine.dialect.detect_autocommit_setting(
                    cast("Any", connection.dbapi_connection)
                )
            finally:
                connection.close()
        except (sa.exc.SQLAlchemyError, self._error) as error:
            raise refusal(error, place=self._place) from cause_of(error)

    def rows(self, statement: Statement, values: dict[str, object]) -> list[Any]:
        """Run a SELECT and return all its rows; once more where its connection was cut, since it changes nothing.

        In the last column each row has whether the server is read-only: a primary that another has replaced, whose
        connections are still open. Sessions that have ended would live there, so it is not read from.
        """
        rows: list[Any] = self._run(statement, values, self._fetch, cuts=1)
        return rows

    def changed(self, statement: Statement, values: dict[str, object]) -> int:
        """Run a writing statement, which is a transaction of its own, and return how many rows it found.

        Raises:
            RecordExists: An INSERT met a row under its key.
            RecordTooLarge: The database does not take as much.
        """
        try:
            changed: int = self._run(statement, values, _count)
        except StoreUnavailable as error:
            self._check_size(error.__cause__ or error, values.get("new_payload"))
            raise
        return changed

    def _check_size(self, cause: BaseException, payload: object) -> None:
        """Raise `RecordTooLarge` where a write has failed because of its size: the server says so, or hangs up."""
        if not isinstance(payload, bytes) or len(payload) < _LARGE_BYTES or not self._driver.largest:
            return
        refused = is_too_large(cause)
        if not (refused or is_cut(cause)):
            return
        ask = Statement(sa.text(self._driver.largest), self.engine.dialect)
        packet_bytes: int = self._run(ask, {}, lambda cursor: cursor.fetchall())[0][0]
        # Bytes are escaped on their way, which may make two of each; and the statement has others.
        limit_bytes = min(packet_bytes // 2 - _OTHER_BYTES, COLUMN_BYTES)
        if refused or len(payload) > limit_bytes:
            raise RecordTooLarge(len(payload), limit_bytes, remedy=LARGER_RECORDS) from cause

    def _run(
        self, statement: Statement, values: dict[str, object], outcome: Callable[[Any], Any], *, cuts: int = 0
    ) -> Any:
        parameters, tries, again = statement.arrange(values), 0, True
        while True:
            generation = self._generation
            try:
                return self._once(statement.text, parameters, outcome)
            except self._duplicate:
                # Not chained: the driver's words quote the key.
                raise RecordExists("there is a record under this key already, and it was left as it is") from None
            except (sa.exc.SQLAlchemyError, self._error) as error:
                if cuts and is_cut(error):
                    cuts -= 1
                    continue
                if again and is_read_only(error):
                    # Nothing was written. A new connection leads to the server that has taken over, if there is one.
                    again = False
                    self._drop(generation)
                    continue
                tries += 1
                if tries == MAX_TRIES or not is_transient(error):
                    raise unavailable(error, place=self._place) from cause_of(error)
                self._pauses.after(tries - 1)

    def _once(self, text: str, parameters: Any, outcome: Callable[[Any], Any]) -> Any:
        connection = self._connect()
        usable = False
        try:
            cursor = connection.cursor()
            cursor.execute(text, parameters)
            found = outcome(cursor)
            cursor.close()
            if not self._autocommit:
                connection.commit()
        except self._error as error:
            usable = isinstance(error, self._duplicate) or is_transient(error)
            raise
        else:
            usable = True
            return found
        finally:
            # Whatever else went wrong, such as a timeout's exception that a greenlet was ended with: an answer may be
            # on its way, which must not be read as that of another request's statement.
            if usable:
                connection.close()
            else:
                connection.invalidate()

    def _connect(self) -> sa.PoolProxiedConnection:
        """Return a connection that the server has not closed while it lay idle.

        SQLAlchemy's own `pool_pre_ping` costs a round trip each time. That a connection was closed stands in its socket
        without asking, so it costs a microsecond, and nothing ever needs to be sent twice.
        """
        while True:
            connection = self.pool.connect()
            since = connection.info.get(_USED)
            if since is not None and (since != self._generation or self._has_ended(connection)):
                connection.invalidate()
                continue
            connection.info[_USED] = self._generation
            return connection

    def _has_ended(self, connection: sa.PoolProxiedConnection) -> bool:
        file_number = self._driver.file_number(connection.driver_connection)
        return file_number >= 0 and readable(file_number)

    def _drop(self, generation: int) -> None:
        """Use no connection of `generation` again; those in use are closed by whoever has them, at their next turn."""
        if generation == self._generation:
            self._generation += 1

    def _fetch(self, cursor: Any) -> Any:
        """Return the rows of a server that takes writes. One that has none is asked: a missing row says nothing."""
        rows = cursor.fetchall()
        if rows[0][-1] not in NO if rows else self._is_read_only(cursor):
            raise ReadOnlyServer("the server is a replica or read-only")
        return rows

    def _is_read_only(self, cursor: Any) -> bool:
        if not self._driver.read_only:
            return False
        cursor.execute(self._driver.read_only)
        return any(value not in NO for value in cursor.fetchone() or ())


# In a pooled connection's `info`: it has been in the pool since its first use, in that generation. A new one is not
# asked, so that there is an end to the search for one that lives.
_USED: Final = "cookiesess used"


def _count(cursor: Any) -> Any:
    return cursor.rowcount


# A child that inherits an open connection would talk in between its parent's statements.
_all: WeakSet[Connections] = WeakSet()
_abandoned: list[sa.Pool] = []


def _after_fork_in_child() -> None:
    for connections in list(_all):
        connections.leave_to_parent()


if hasattr(os, "register_at_fork"):  # pragma: no branch (Windows has no fork)
    os.register_at_fork(after_in_child=_after_fork_in_child)
