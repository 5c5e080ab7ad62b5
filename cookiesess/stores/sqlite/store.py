"""The store: each method of the contract as SQL."""

import os
from collections.abc import Hashable, Iterable, Mapping
from datetime import timedelta
from itertools import chain, cycle
from typing import Any, Final, cast

from cookiesess.errors import ConfigurationError, RecordExists
from cookiesess.stores.base import Conflict, Gone, Page, Record, Store, Updated
from cookiesess.stores.cursors import Cursors
from cookiesess.stores.sqlite import statements as sql
from cookiesess.stores.sqlite.file import SQLiteFile

# With the default batch, sweeping removes twice as many rows as writing can add, in pieces of a fraction of a
# millisecond. A write of this size is followed by it at once, since sixteen of them are a long -wal.
_HOUSEKEEPING_EVERY_WRITES: Final = 16
_LARGE_BYTES: Final = 1 << 16

# Less than a millisecond, for which others that write wait.
_DELETED_TOGETHER: Final = 25


class SQLiteStore(Store):
    """Sessions in one SQLite file, for any number of threads and processes of one machine.

    The file is in WAL mode: readers never wait, writers wait for one another. SQLite keeps a ``-wal`` and a ``-shm``
    file beside it, so the directory must be writable. Do not put the file on a network file system: SQLite's locks do
    not work there.

    A killed process (``kill -9``, out of memory) loses no finished write. `durable` decides what a power cut or a crash
    of the operating system can lose. Neither setting can damage the file.

    - ``durable=False`` (``synchronous=NORMAL``): the writes since the last checkpoint may be lost, the newest first. A
      checkpoint comes about every 4 MB written: seconds ago on a busy site, hours ago on a quiet one. In that time's
      data a session may be in an older state, a new session may be missing, *and an ended session may be back*.
    - ``durable=True`` (``synchronous=FULL``): no finished write is lost. Each write waits for the disk: about a
      millisecond on an SSD, ten on a spinning disk.

    The store deletes expired rows by itself, a few at a time and up to an hour late. The first and every 16th write of
    a process does so, after its own transaction, and only if nobody holds the lock. The file does not shrink, but its
    space is used again (``VACUUM`` shrinks it). The same writes empty the ``-wal`` when it has grown to 4 MB. Danger:
    while a transaction stays open, such as that of a backup or a forgotten ``sqlite3`` shell, the ``-wal`` cannot be
    emptied, and grows with each write.

    Only the file's owner can read a file that the store makes, whatever the umask; the files beside it get the same
    mode. A file that exists already keeps its mode.

    SQLite does not know greenlets: under gevent or eventlet, a wait for the lock stops all greenlets of the process.
    The wait is mostly short, because a write takes a fraction of a millisecond. Set
    ``busy_timeout=timedelta(milliseconds=200)`` there to limit it.

    You may load the app first and fork afterwards, as servers with a preload option do. The constructor leaves no
    connection open; idle connections are closed before a fork, and opened again after it. Danger: do not fork *while
    another thread is inside a method*, because the child inherits that thread's locks.

    A running app notices within a second that the file was deleted or replaced, and makes a deleted file anew. If you
    replace the file, remove the ``-wal`` and ``-shm`` files too: SQLite would add an old ``-wal`` to the new file.

    Args:
        path: The file; the store makes it if it is missing. Its directory must exist. A relative path counts from the
            current directory at the time of the call.
        busy_timeout: How long a call waits for other writers before it raises `StoreUnavailable`; above zero.
        durable: True: a power cut loses no finished write; see above.
        sweep_batch: The most expired rows that one write deletes; 0: only `delete_expired` deletes them.

    Raises:
        ConfigurationError: The path is too long, or is a directory, a symbolic link, not a database, another
            application's database, not writable, written by a newer version, or in a directory that does not exist; or
            an argument is out of its range.
        StoreUnavailable: The file is locked for longer than `busy_timeout`, or its disk is full.
    """

    indexes_owners = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        busy_timeout: timedelta = timedelta(seconds=5),
        durable: bool = False,
        sweep_batch: int = 32,
    ) -> None:
        if busy_timeout <= timedelta(0):
            raise ConfigurationError(f"busy_timeout is {busy_timeout}; it must be above zero, such as 5 seconds")
        if sweep_batch < 0:
            raise ConfigurationError(f"sweep_batch is {sweep_batch}; it must be 0 (no sweeping) or more")
        self._sweep_batch = sweep_batch
        # Whether this write is one of those: a process's first one too, since some live for a few requests.
        between = [False] * (_HOUSEKEEPING_EVERY_WRITES - 1)
        self._keeps_house = chain([True], between[1:], cycle([True, *between])).__next__
        self._file = SQLiteFile(path, busy_timeout=busy_timeout, durable=durable)
        self._cursors = Cursors(str(self._file.path))

    def __repr__(self) -> str:
        return f"<SQLiteStore {self._file.path}>"

    def create(self, key: bytes, record: Record, *, now: int) -> None:
        """See `Store.create`."""
        values = (key, record.expires_at, record.owner, record.summary, record.payload, now)
        if not self._file.changed(sql.CREATE, values, now):
            raise RecordExists("there is a record under this key already, and it was left as it is")
        if self._keeps_house() or len(record.payload) >= _LARGE_BYTES:
            self._keep_house()

    def load(self, key: bytes, *, now: int) -> Record | None:
        """See `Store.load`."""
        rows: list[Any] = self._file.rows(sql.LOAD, (key, now), now)
        # `Record(*rows[0])`, in two thirds of the time: the columns are its fields.
        return tuple.__new__(Record, rows[0]) if rows else None

    def load_many(self, keys: Iterable[bytes], *, now: int) -> dict[bytes, Record]:
        """See `Store.load_many`."""
        rows: list[Any] = self._file.rows(sql.LOAD_MANY, (b"".join(keys), now), now)
        return {key: Record(*columns) for key, *columns in rows}

    def update(self, key: bytes, record: Record, *, expected_version: Hashable, now: int) -> Updated | Conflict | Gone:
        """See `Store.update`. One statement. If it changed nothing, a second one reads the present record.

        If only the owner differs, a third statement writes the owner as well.
        """
        values = (key, expected_version, now, record.expires_at, record.owner, record.summary, record.payload)
        statement = sql.UPDATE
        while not self._file.changed(statement, values, now):
            current = self.load(key, now=now)
            if current is None:
                return Gone()
            if current.version != expected_version or statement is sql.UPDATE_OWNER:
                return Conflict(current)
            statement = sql.UPDATE_OWNER
        if self._keeps_house() or len(record.payload) >= _LARGE_BYTES:
            self._keep_house()
        return Updated(expected_version + 1)  # type: ignore[operator]  # it matched, so it is one of the table's

    def touch(self, key: bytes, *, expires_at: int, expected_version: Hashable, now: int) -> bool:
        """See `Store.touch`."""
        touched = self._file.changed(sql.TOUCH, (key, expected_version, now, expires_at), now) == 1
        if self._keeps_house():
            self._keep_house()
        return touched

    def delete(self, key: bytes, *, expected_version: Hashable = None) -> bool:
        """See `Store.delete`."""
        if expected_version is None:
            deleted = self._file.changed(sql.DELETE, (key,), None)
        else:
            deleted = self._file.changed(sql.DELETE_VERSION, (key, expected_version), None)
        if self._keeps_house():
            self._keep_house()
        return deleted == 1

    def delete_many(self, versions: Mapping[bytes, Hashable]) -> int:
        """See `Store.delete_many`. Short transactions; records that lie side by side share the pages they write."""
        rows, deleted = sorted(versions.items()), 0
        for at in range(0, len(rows), _DELETED_TOGETHER):
            deleted += self._file.changed_together(sql.DELETE_VERSION, rows[at : at + _DELETED_TOGETHER])
        self._keep_house()
        return deleted

    def delete_expired(self, *, now: int, limit: int) -> int:
        """See `Store.delete_expired`.

        Other writers wait for one step of at most `limit` rows at a time: some milliseconds for a few hundred.
        """
        hour = now // sql.DUE_SECONDS
        deleted = self._file.changed(sql.DELETE_SOONER, (hour, limit, now), now)
        while deleted < limit:
            deleted += self._file.changed(sql.DELETE_DUE, (hour, limit - deleted, now), now)
            # Nothing to move means that nothing is due any more; what was in the way is moved once.
            if not self._file.changed(sql.MOVE_DUE, (hour, limit, now), now):
                break
        # Found by a reader, for whom nobody waits: all that expires in this hour may have to be looked at.
        found: list[Any] = self._file.rows(sql.EXPIRED_THIS_HOUR, (hour, limit - deleted, now), now)
        if found:
            deleted += self._file.changed(sql.DELETE_EXPIRED, (b"".join(key for (key,) in found), now), now)
        return deleted

    def records_of(self, owner: bytes, *, now: int, limit: int, cursor: bytes | None = None) -> Page:
        """See `Store.records_of`. The order is by key."""
        position = self._cursors.position(owner, limit, cursor)
        rows: list[Any] = self._file.rows(sql.RECORDS_OF, (owner, position, limit), now)
        records = {key: Record(*columns) for key, *columns in rows if columns[1] > now}
        return Page(records, self._cursors.after(owner, rows[-1][0]) if len(rows) == limit else None)

    def count_of(self, owner: bytes, *, now: int, most: int) -> int:
        """See `Store.count_of`."""
        rows: list[Any] = self._file.rows(sql.COUNT_OF, (owner, now, most), now)
        return cast("int", rows[0][0])

    def oldest_of(self, owner: bytes, *, now: int, limit: int, among: int) -> dict[bytes, Record]:
        """See `Store.oldest_of`."""
        rows: list[Any] = self._file.rows(sql.OLDEST_OF, (owner, now, among, limit), now)
        return {key: Record(*columns) for key, *columns in rows}

    def close(self) -> None:
        """Close the idle connections; a later call opens a new one."""
        self._file.close_idle()

    def _keep_house(self) -> None:
        """Sweep, and bound the -wal."""
        if self._sweep_batch and (now := self._file.now) is not None:
            self._sweep(now // sql.DUE_SECONDS, now)
        self._file.bound_wal()

    def _sweep(self, hour: int, now: int) -> None:
        if self._file.attempt(sql.TO_SWEEP, (hour, now), wait_milliseconds=None):
            for step in (sql.DELETE_SOONER, sql.DELETE_DUE, sql.MOVE_DUE):
                self._file.attempt(step, (hour, self._sweep_batch, now))
