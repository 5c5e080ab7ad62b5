"""SQLiteStore on disks and files that fail: every error names the path, the cause and what to do."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest

from cookiesess.errors import ConfigurationError, StoreError, StoreUnavailable
from cookiesess.stores.base import Record
from cookiesess.stores.sqlite import SQLiteStore
from kit.constants import NOW

KEY = b"k" * 32
RECORD = Record(b"payload", NOW + 3600)
CALLS = {
    "create": lambda store: store.create(b"n" * 32, RECORD, now=NOW),
    "load": lambda store: store.load(KEY, now=NOW),
    "load_many": lambda store: store.load_many([KEY], now=NOW),
    "update": lambda store: store.update(KEY, RECORD, expected_version=1, now=NOW),
    "touch": lambda store: store.touch(KEY, expires_at=NOW, expected_version=1, now=NOW),
    "delete": lambda store: store.delete(KEY),
    "delete_many": lambda store: store.delete_many({KEY: 1}),
    "delete_expired": lambda store: store.delete_expired(now=NOW, limit=1),
    "records_of": lambda store: store.records_of(b"ann", now=NOW, limit=9),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sessions.db"


@pytest.fixture
def store(path):
    with contextlib.closing(SQLiteStore(path, busy_timeout=timedelta(milliseconds=5))) as opened:
        opened.create(KEY, RECORD, now=NOW)
        yield opened


@pytest.fixture
def lock(path, store):
    """Another connection, which holds the write lock."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield connection


def expect(error: StoreError | ConfigurationError, path: Path, *words: str) -> None:
    assert all(word in str(error) for word in (str(path), *words)), str(error)
    assert isinstance(error.__cause__, sqlite3.Error)


@pytest.mark.parametrize("call", ["create", "update", "touch", "delete", "delete_many", "delete_expired"])
def test_a_lock_that_is_held_too_long_makes_a_write_unavailable(store, lock, path, call):
    with pytest.raises(StoreUnavailable) as caught:
        CALLS[call](store)
    expect(caught.value, path, "locked", "busy_timeout")


@pytest.mark.parametrize("call", ["load", "load_many", "records_of"])
def test_a_reader_does_not_wait_for_the_writers_lock(store, lock, call):
    assert CALLS[call](store) is not None


def test_a_store_works_again_when_the_lock_is_released(store, lock):
    with pytest.raises(StoreUnavailable):
        store.delete(KEY)
    lock.execute("ROLLBACK")
    assert store.delete(KEY)


def test_a_file_that_is_locked_at_construction_is_unavailable(store, lock, path):
    with pytest.raises(StoreUnavailable) as caught:
        SQLiteStore(path, busy_timeout=timedelta(milliseconds=5))
    expect(caught.value, path, "locked")


def test_a_new_file_that_somebody_keeps_locked_is_unavailable(path):
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreUnavailable) as caught:
            SQLiteStore(path, busy_timeout=timedelta(milliseconds=5))
    expect(caught.value, path, "locked")


def test_a_full_disk_makes_a_write_unavailable_and_leaves_the_rest_readable(store, path):
    store._file.idle[0].execute("PRAGMA max_page_count=1")  # what SQLite does then is what it does on ENOSPC
    with pytest.raises(StoreUnavailable) as caught:
        store.create(b"n" * 32, Record(bytes(100_000), NOW + 60), now=NOW)
    expect(caught.value, path, "full", "free some space")
    assert store.load(KEY, now=NOW).payload == b"payload"
    assert store.load(b"n" * 32, now=NOW) is None


def test_a_connection_that_failed_is_closed_not_kept(store):
    (connection,) = store._file.idle
    connection.execute("PRAGMA query_only=ON")
    with pytest.raises(StoreUnavailable, match=r"readonly.*write permission"):
        store.delete(KEY)
    assert not store._file.idle
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
    assert store.delete(KEY)


def test_a_connection_that_failed_to_read_is_closed_not_kept(store):
    store._file.idle[0].execute("DROP TABLE sessions")
    with pytest.raises(StoreUnavailable, match=r"no such table.*result codes"):
        store.load(KEY, now=NOW)
    assert not store._file.idle


def test_a_damaged_file_is_unavailable_and_used_again_when_it_is_whole(store, path, tmp_path):
    store.close()
    shutil.copy(path, tmp_path / "backup")
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 20_000)
    with pytest.raises(StoreUnavailable) as caught:
        store.load(KEY, now=NOW)
    expect(caught.value, path)
    shutil.copy(tmp_path / "backup", path)
    assert store.load(KEY, now=NOW).payload == b"payload"


@pytest.mark.parametrize("call", CALLS)
def test_a_file_that_became_something_else_makes_every_call_unavailable(store, path, call):
    store.close()
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreUnavailable) as caught:
        CALLS[call](store)
    expect(caught.value, path, "not a database", "another path")


def test_a_deleted_file_is_made_anew_within_a_second(store, path):
    path.unlink()
    assert store.load(KEY, now=NOW + 1) is None
    store.create(KEY, RECORD, now=NOW + 1)
    with contextlib.closing(SQLiteStore(path)) as other:
        assert other.load(KEY, now=NOW + 1).payload == b"payload"


def test_a_replaced_file_is_taken_up_within_a_second(store, path, tmp_path):
    with contextlib.closing(SQLiteStore(tmp_path / "new.db")) as other:
        other.create(KEY, Record(b"from the new file", NOW + 3600), now=NOW)
    (tmp_path / "new.db").replace(path)
    for neighbour in ("-wal", "-shm"):
        path.with_name(path.name + neighbour).unlink()
    assert store.load(KEY, now=NOW + 1).payload == b"from the new file"


def test_a_connection_that_was_in_use_while_its_file_was_replaced_is_not_used_again(store, path):
    connection = store._file.idle.pop()
    path.unlink()
    store.load(KEY, now=NOW + 1)
    store._file.idle.append(connection)
    assert store.load(KEY, now=NOW + 1) is None
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_a_directory_that_vanished_makes_the_store_unavailable(tmp_path):
    directory = tmp_path / "data"
    directory.mkdir()
    store = SQLiteStore(directory / "sessions.db")
    shutil.rmtree(directory)
    with pytest.raises(StoreUnavailable) as caught:
        store.load(KEY, now=NOW)
    expect(caught.value, directory / "sessions.db", "unable to open", "check that the directory exists")


def test_a_path_that_is_a_directory_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="is a directory; give the path of a file in it"):
        SQLiteStore(tmp_path)


def test_a_directory_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="does not exist; create it first"):
        SQLiteStore(tmp_path / "none" / "sessions.db")


def test_a_file_that_is_not_a_database_is_refused_and_left_alone(path):
    path.write_bytes(b"dear diary, " * 500)
    with pytest.raises(ConfigurationError) as caught:
        SQLiteStore(path)
    expect(caught.value, path, "not a database", "give another path")
    assert path.read_bytes() == b"dear diary, " * 500


UNPRIVILEGED = """
import os, sys
from cookiesess.errors import ConfigurationError
from cookiesess.stores.sqlite import SQLiteStore
if os.geteuid() == 0:
    os.seteuid(65534)  # root may write anything, so become nobody
try:
    SQLiteStore(sys.argv[1])
except ConfigurationError as error:
    print(error)
else:
    sys.exit("it was opened")
"""


@pytest.fixture
def public_directory():
    # Not tmp_path: its parents are closed to all but their owner, and the child here may be somebody else.
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    yield directory
    directory.chmod(0o755)
    shutil.rmtree(directory)


def open_unprivileged(path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED, str(path)], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.process
def test_a_read_only_file_is_refused(public_directory):
    path = public_directory / "sessions.db"
    SQLiteStore(path)
    path.chmod(0o444)
    public_directory.chmod(0o555)
    message = open_unprivileged(path)
    assert str(path) in message
    assert "write" in message


@pytest.mark.process
def test_a_new_file_in_a_read_only_directory_is_refused(public_directory):
    public_directory.chmod(0o555)
    message = open_unprivileged(public_directory / "sessions.db")
    assert "unable to open database file" in message
    assert "may write to it" in message


SMALL_QUOTA = """
import resource, sys
from cookiesess.errors import StoreUnavailable
from cookiesess.stores.base import Record
from cookiesess.stores.sqlite import SQLiteStore
store = SQLiteStore(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
for number in range(100):
    try:
        store.create(number.to_bytes(32, "big"), Record(bytes(20_000), 2_000_000_000), now=1_700_000_000)
    except StoreUnavailable as error:
        print(number, error, sep="|")
        break
"""


@pytest.mark.process
@pytest.mark.skipif(not hasattr(os, "fork"), reason="size limits of processes are a Unix matter")
def test_a_file_that_may_not_grow_makes_the_store_unavailable_and_keeps_what_was_written(path):
    done = subprocess.run(
        [sys.executable, "-c", SMALL_QUOTA, str(path)], capture_output=True, text=True, check=True, timeout=30
    )
    written, message = done.stdout.split("|")
    assert "disk I/O error" in message
    with contextlib.closing(SQLiteStore(path)) as store:
        keys = [number.to_bytes(32, "big") for number in range(100)]
        assert set(store.load_many(keys, now=NOW)) == set(keys[: int(written)])
        assert int(written) > 0
