"""The store: each method of the contract as SQL."""

import os
from collections.abc import Hashable, Iterable
from datetime import timedelta
from itertools import count
from typing import Any, cast

from cookiesess.errors import ConfigurationError, RecordExists
from cookiesess.stores.base import Conflict, Gone, Record, Store, Updated
from cookiesess.stores.sqlite.file import SQLiteFile

# Constant texts, since sqlite3 keeps prepared statements by their text. The columns of a load are in the order of
# Record's fields.
#
# A version starts at random: a record that was deleted and created again under the same key must not have a version
# that somebody still holds. Halved, so that counting up never overflows.
_CREATE = """
INSERT INTO sessions (key, version, expires_at, owner, summary, payload) VALUES (?, random() / 2, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET version = excluded.version, expires_at = excluded.expires_at,
    owner = excluded.owner, summary = excluded.summary, payload = excluded.payload
WHERE sessions.expires_at <= ?"""
_LOAD = "SELECT payload, expires_at, summary, owner, version FROM sessions WHERE key = ? AND expires_at > ?"
# One parameter holds all the keys, 32 bytes each: one text and one statement for any number of them.
_LOAD_MANY = """
WITH RECURSIVE at (i) AS (VALUES (1) UNION ALL SELECT i + 32 FROM at WHERE i + 32 <= length(?1))
SELECT key, payload, expires_at, summary, owner, version FROM at JOIN sessions ON key = substr(?1, i, 32)
WHERE expires_at > ?2"""
_UPDATE = """
UPDATE sessions SET version = version + 1, expires_at = ?, owner = ?, summary = ?, payload = ?
WHERE key = ? AND version = ? AND expires_at > ?"""
_TOUCH = "UPDATE sessions SET expires_at = ? WHERE key = ? AND version = ? AND expires_at > ?"
_DELETE = "DELETE FROM sessions WHERE key = ?"
_DELETE_VERSION = "DELETE FROM sessions WHERE key = ? AND version = ?"
_DELETE_EXPIRED = """
DELETE FROM sessions
WHERE key IN (SELECT key FROM sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)"""
_RECORDS_OF = "SELECT key, x'', expires_at, summary, owner, version FROM sessions WHERE owner = ? AND expires_at > ?"

# With the default batch, sweeping removes twice as many rows as writing can add, in pieces of a fraction of a
# millisecond.
_SWEEP_EVERY_WRITES = 16


class SQLiteStore(Store):
    """Sessions in one SQLite file, for any number of threads and processes of one machine.

    The file is in WAL mode: readers never wait, writers wait for one another. Its ``-wal`` and ``-shm`` neighbours
    belong to it, so the directory must be writable. Not for a network file system, where SQLite's locks do not hold.

    A killed process (``kill -9``, out of memory) loses nothing: what a method has returned for is in the file. What a
    power cut or a crash of the operating system can lose is set by `durable`. Neither setting can damage the file.

    - ``durable=False`` (``synchronous=NORMAL``): the writes since the last checkpoint may be undone, the newest first.
      A checkpoint comes about every 1,000 pages (4 MB) written: seconds ago on a busy site, hours ago on a quiet one.
      Of that time a session may fall back to an earlier state, a new one be missing, and one that was ended be back.
    - ``durable=True`` (``synchronous=FULL``): nothing that a method has returned for. Each write waits for the disk,
      which costs about a millisecond on an SSD and ten on a disk that turns.

    Expired rows are deleted a few at a time, by every 16th create or update, after its own transaction, and only if
    nobody holds the lock. Their space is used again; the file does not shrink (``VACUUM`` shrinks it).

    The app may be loaded first and forked then, as servers with a preload option do: the constructor leaves no
    connection open, and idle ones are closed before a fork and opened again after it. A fork *while another thread is
    inside a method* is the one thing to avoid: the child inherits SQLite's idea of that thread's locks.

    A file that is deleted or replaced under a running app is noticed within a second, and a deleted one is made anew.
    To replace one, remove its neighbours too: SQLite would add what an old ``-wal`` holds to the new file.

    Args:
        path: The file, made if it is missing; its directory must exist. Relative to the current directory of now.
        busy_timeout: How long a call may wait for other writers before it raises `StoreUnavailable`; above zero.
        durable: Whether a power cut loses nothing, see above.
        sweep_batch: The most expired rows that are deleted at once; 0 leaves sweeping to `delete_expired`.

    Raises:
        ConfigurationError: The path is a directory, not a database, another application's, not writable, written by a
            newer version, or in a directory that does not exist; or an argument is out of its range.
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
        self._writes = count(1)
        self._file = SQLiteFile(path, busy_timeout=busy_timeout, durable=durable)

    def __repr__(self) -> str:
        return f"<SQLiteStore {self._file.path}>"

    def create(self, key: bytes, record: Record, *, now: int) -> None:
        """See `Store.create`."""
        values = (key, record.expires_at, record.owner, record.summary, record.payload, now)
        if not self._file.changed(_CREATE, values, now):
            raise RecordExists("there is a record under this key already, and it was left as it is")
        self._sweep_now_and_then(now)

    def load(self, key: bytes, *, now: int) -> Record | None:
        """See `Store.load`."""
        rows: list[Any] = self._file.rows(_LOAD, (key, now), now)
        return Record(*rows[0]) if rows else None

    def load_many(self, keys: Iterable[bytes], *, now: int) -> dict[bytes, Record]:
        """See `Store.load_many`."""
        rows: list[Any] = self._file.rows(_LOAD_MANY, (b"".join(keys), now), now)
        return {key: Record(*columns) for key, *columns in rows}

    def update(self, key: bytes, record: Record, *, expected_version: Hashable, now: int) -> Updated | Conflict | Gone:
        """See `Store.update`. One statement; where that changed nothing, a second one reads what the other left."""
        columns = (record.expires_at, record.owner, record.summary, record.payload)
        if self._file.changed(_UPDATE, (*columns, key, expected_version, now), now):
            self._sweep_now_and_then(now)
            return Updated(cast("int", expected_version) + 1)
        current = self.load(key, now=now)
        return Gone() if current is None else Conflict(current)

    def touch(self, key: bytes, *, expires_at: int, expected_version: Hashable, now: int) -> bool:
        """See `Store.touch`."""
        return self._file.changed(_TOUCH, (expires_at, key, expected_version, now), now) == 1

    def delete(self, key: bytes, *, expected_version: Hashable = None) -> bool:
        """See `Store.delete`."""
        if expected_version is None:
            return self._file.changed(_DELETE, (key,), None) == 1
        return self._file.changed(_DELETE_VERSION, (key, expected_version), None) == 1

    def delete_expired(self, *, now: int, limit: int) -> int:
        """See `Store.delete_expired`. Other writers wait meanwhile: some milliseconds for a few hundred."""
        return self._file.changed(_DELETE_EXPIRED, (now, limit), now)

    def records_of(self, owner: bytes, *, now: int) -> dict[bytes, Record]:
        """See `Store.records_of`."""
        rows: list[Any] = self._file.rows(_RECORDS_OF, (owner, now), now)
        return {key: Record(*columns) for key, *columns in rows}

    def close(self) -> None:
        """Close the idle connections; a later call opens a new one."""
        self._file.close_idle()

    def _sweep_now_and_then(self, now: int) -> None:
        if next(self._writes) % _SWEEP_EVERY_WRITES == 0 and self._sweep_batch:
            self._file.attempt(_DELETE_EXPIRED, (now, self._sweep_batch))
