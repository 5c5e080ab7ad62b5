"""One SQLite file of sessions: opening it, its kept connections, and what its errors mean.

`SQLiteStore` holds the statements; everything about files and processes is here.
"""

import os
import sqlite3
import time
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from weakref import WeakSet, finalize

from cookiesess.errors import ConfigurationError, StoreUnavailable
from cookiesess.stores.sqlite.path import checked, file_id, make, size
from cookiesess.stores.sqlite.schema import bring_up_to_date, primary_code

# What an error code means and what to do about it, in words for whoever runs the app.
_REMEDIES = {
    sqlite3.SQLITE_BUSY: "another connection held the lock for longer than busy_timeout; look for a long transaction"
    " (a backup, an open sqlite3 shell), or raise busy_timeout",
    sqlite3.SQLITE_FULL: "the disk or its quota is full; free some space",
    sqlite3.SQLITE_READONLY: "this process may not write the file or its directory; grant it write permission on both",
    sqlite3.SQLITE_CANTOPEN: "check that the directory exists and that this process may write to it",
    sqlite3.SQLITE_NOTADB: "the file holds something else; give another path",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; restore it, or move it away together with its -wal and -shm files",
    sqlite3.SQLITE_IOERR: "the disk failed, or a size limit was met; check the system's log",
}

# What will not mend by itself, and so is a matter of the set-up where it is met at construction.
_SETUP_ERRORS = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}


# From here on a -wal is emptied and cut, by whoever writes next.
_WAL_BYTES: Final = 4 << 20

# SQLite empties it by itself only where nobody reads just then, which on a busy site is never; and then tries to after
# each single write, at the cost of two syncs. So it is left to that only where the emptying does not come about.
_AUTOCHECKPOINT_PAGES: Final = 4000

# For how long the emptying may wait for requests that are reading, while those that write wait for it; and the longest
# pause between two that failed, in seconds.
_EMPTYING_MILLISECONDS: Final = 100
_LONGEST_PAUSE: Final = 64

# For how long the lock is free between two transactions of many rows, over the time that each has held it; and the
# longest such rest, in seconds. Others that write find it taken one time in ten, and one request in ten writes: so what
# a hundredth of all requests take at most, they take as ever.
_REST: Final = 9
_LONGEST_REST: Final = 0.05

# What SQLite answers to a checkpoint that has done all: it was not kept from it, and the -wal has no pages.
_EMPTIED: Final = (0, 0, 0)


class Connection(sqlite3.Connection):
    """A connection that remembers which file it has open, should another one take the path."""

    file_id: tuple[int, int] | None = None


class SQLiteFile:
    """A path and its idle connections.

    Connections are kept in a free list: as many as were ever in use at once, never one a request, a thread or a
    greenlet. A connection on which anything went wrong is closed, never kept.

    Args:
        path: See `SQLiteStore`, as are the others.

    Attributes:
        path: The path, absolute.
        idle: The connections that nobody is using.
        now: The Unix second that a call has given last; None before the first.
    """

    def __init__(self, path: str | os.PathLike[str], *, busy_timeout: timedelta, durable: bool) -> None:
        self.path = checked(path)
        self.idle: deque[Connection] = deque()
        self._busy_timeout_seconds = busy_timeout.total_seconds()
        self._set_busy_timeout = f"PRAGMA busy_timeout={max(1, round(self._busy_timeout_seconds * 1000))}"
        self._set_synchronous = f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}"
        self._file_id: tuple[int, int] | None = None
        self.now: int | None = None
        self._wal = f"{self.path}-wal"
        self._next_emptying_at, self._emptying_pause = 0, 0
        self._rests_until = 0.0
        self._try_out()
        _files.add(self)
        # A store that is dropped, or there at the end of the process, closes its connections: the garbage collector
        # would warn of each one from Python 3.13 on.
        finalize(self, _close, self.idle)

    def rows(self, sql: str, parameters: tuple[object, ...], now: int) -> list[tuple[object, ...]]:
        """Run one SELECT and return all its rows."""
        connection = self._acquire(now)
        try:
            rows = connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            connection.close()
            raise self._unavailable(error) from error
        self.idle.append(connection)
        return rows

    def changed(self, sql: str, parameters: tuple[object, ...], now: int | None) -> int:
        """Run one writing statement, which is a transaction of its own, and return how many rows it changed."""
        connection = self._acquire(now)
        try:
            changed = connection.execute(sql, parameters).rowcount
        except sqlite3.Error as error:
            connection.close()
            raise self._unavailable(error) from error
        self.idle.append(connection)
        return changed

    def changed_together(self, sql: str, rows: Sequence[tuple[object, ...]]) -> int:
        """Run a writing statement for each of several rows in one transaction; return how many rows it changed.

        SQLite has no queue for its lock, so that whoever does one such transaction after the other would keep all
        others from writing until the last. So it begins once the one before has rested for long enough.
        """
        connection = self._acquire(None)
        time.sleep(max(self._rests_until - time.perf_counter(), 0))
        try:
            connection.execute("BEGIN IMMEDIATE")
            began = time.perf_counter()
            changed = connection.executemany(sql, rows).rowcount
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            connection.close()
            raise self._unavailable(error) from error
        self.idle.append(connection)
        held = time.perf_counter() - began
        self._rests_until = began + held + min(_REST * held, _LONGEST_REST)
        return changed

    def attempt(self, sql: str, parameters: tuple[object, ...] = (), *, wait_milliseconds: int | None = 0) -> list[Any]:
        """Run one statement if that is possible right now, for housekeeping: no rows and no word where it is not.

        Where it only reads it waits for nobody, so that ``wait_milliseconds=None`` saves setting how long.
        """
        try:
            connection = self.idle.pop()
        except IndexError:
            return []
        try:
            if wait_milliseconds is not None:
                connection.execute(f"PRAGMA busy_timeout={wait_milliseconds}")
            rows = connection.execute(sql, parameters).fetchall()
            if wait_milliseconds is not None:
                connection.execute(self._set_busy_timeout)
        except sqlite3.Error:
            # Only housekeeping was missed. What ails the file will fail the next request's own statement, aloud.
            connection.close()
            return []
        self.idle.append(connection)
        return rows

    def bound_wal(self) -> None:
        """Empty the -wal where it has grown, and cut it.

        First it is copied into the file, and both are synced, for which nobody waits: what is left for the emptying is
        what came meanwhile. That cannot be done while somebody goes on reading an older state, a backup for instance.
        Writers wait for each try, so there are pauses between those that fail, each twice as long as the one before.
        """
        if size(self._wal) < _WAL_BYTES:
            return
        now = self.now or 0
        if not self._copied() and now < self._next_emptying_at:
            return
        rows = self.attempt("PRAGMA wal_checkpoint(TRUNCATE)", wait_milliseconds=_EMPTYING_MILLISECONDS)
        if rows == [_EMPTIED]:
            self._emptying_pause = 0
        else:
            self._next_emptying_at = now + self._emptying_pause
            self._emptying_pause = min(2 * self._emptying_pause or 1, _LONGEST_PAUSE)

    def _copied(self) -> bool:
        """Copy the -wal into the file as far as readers allow; return whether that was all of it."""
        return any(in_wal == moved >= 0 for _, in_wal, moved in self.attempt("PRAGMA wal_checkpoint(PASSIVE)"))

    def close_idle(self) -> None:
        """Close the connections that nobody is using."""
        _close(self.idle)

    def _acquire(self, now: int | None) -> Connection:
        if now is not None and now != self.now:
            self._look_at_the_path(now)
        try:
            while (connection := self.idle.pop()).file_id is not self._file_id:
                connection.close()
        except IndexError:
            return self._reopen()
        return connection

    def _look_at_the_path(self, now: int) -> None:
        """Notice, once a second, that the file was deleted or replaced.

        SQLite itself does not: it would go on with the unlinked file, alone, while other processes use the new one.
        """
        self.now = now
        if (found := file_id(self.path)) != self._file_id:
            self._file_id = found
            self.close_idle()

    def _reopen(self) -> Connection:
        try:
            return self._open()
        except sqlite3.Error as error:
            raise self._unavailable(error) from error
        except ConfigurationError as error:
            raise StoreUnavailable(str(error)) from error

    def _try_out(self) -> None:
        """Open the file for the first time, creating it, and see whether it can be written.

        The connection is closed again: a server that loads the app and then forks must not hand an open one to its
        workers.
        """
        try:
            connection = self._open()
            try:
                connection.execute("BEGIN IMMEDIATE")
            finally:
                connection.close()
        except sqlite3.Error as error:
            unavailable = self._unavailable(error)
            if primary_code(error) in _SETUP_ERRORS:
                raise ConfigurationError(str(unavailable)) from error
            raise unavailable from error

    def _open(self) -> Connection:
        make(self.path)
        connection = sqlite3.connect(
            self.path,
            timeout=self._busy_timeout_seconds,
            isolation_level=None,  # autocommit: each statement is a transaction, and no hidden BEGIN comes before it
            check_same_thread=False,  # a kept connection goes from thread to thread, but is only ever in one
            factory=Connection,
        )
        try:
            connection.execute(self._set_synchronous)
            connection.execute(f"PRAGMA wal_autocheckpoint={_AUTOCHECKPOINT_PAGES}")
            bring_up_to_date(connection, self.path)
        except (sqlite3.Error, ConfigurationError):
            connection.close()
            raise
        if (found := file_id(self.path)) != self._file_id:
            self._file_id = found
        connection.file_id = self._file_id
        return connection

    def _unavailable(self, error: sqlite3.Error) -> StoreUnavailable:
        remedy = _REMEDIES.get(primary_code(error), "see SQLite's result codes for this message")
        return StoreUnavailable(f"the session file {self.path}: {error}; {remedy}")


def _close(connections: deque[Connection]) -> None:
    while True:
        try:
            connections.pop().close()
        except IndexError:
            return


# SQLite's locks belong to a process, and its book-keeping about them is copied by a fork. A child that inherits an open
# connection believes in locks it does not hold, for new connections to the same file too, and loses writes when the
# parent goes away (sqlite.org/howtocorrupt.html, section 2.6). So there are none when a process forks.
_files: WeakSet[SQLiteFile] = WeakSet()

# What another thread put back between the closing and the fork: the child must neither use nor close it.
_abandoned: list[Connection] = []


def _before_fork() -> None:
    for file in list(_files):
        file.close_idle()


def _after_fork_in_child() -> None:
    for file in list(_files):
        _abandoned.extend(file.idle)
        file.idle.clear()


if hasattr(os, "register_at_fork"):  # pragma: no branch (Windows has no fork)
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork_in_child)
