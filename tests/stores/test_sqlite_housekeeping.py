"""SQLiteStore's housekeeping: what a write costs, sweeping, the -wal, the file's mode, and what is left open."""

import contextlib
import gc
import os
import sqlite3
import stat
import threading
import time
from datetime import timedelta

import pytest

from cookiesess import SessionManager
from cookiesess.errors import ConfigurationError, StoreUnavailable
from cookiesess.stores.base import Record
from cookiesess.stores.sqlite import SQLiteStore
from cookiesess.stores.urls import open_store
from cookiesess.testing import CookieHeader, ManualClock, session_transaction

NOW = 1_700_000_000
HOUR = 3600
DAY = 24 * HOUR
MEGABYTE = 1 << 20


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sessions.db"


@pytest.fixture
def store(path):
    with contextlib.closing(SQLiteStore(path)) as opened:
        yield opened


@pytest.fixture
def raw(path, store):
    """A plain connection to the store's file."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


@pytest.fixture
def wal(path):
    return path.with_name("sessions.db-wal")


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


def create(store: SQLiteStore, *numbers: int, lives: int = HOUR, now: int = NOW, payload: bytes = b"payload") -> None:
    for number in numbers:
        store.create(key(number), Record(payload, NOW + lives), now=now)


def rows(connection: sqlite3.Connection) -> int:
    return connection.execute("SELECT count(*) FROM sessions").fetchone()[0]


# What a write costs


def test_a_write_of_a_logged_in_session_writes_its_own_page_and_no_index(store, raw, wal):
    clock = ManualClock(NOW)
    manager = SessionManager("a key for tests of at least 32 bytes", store=store, clock=clock)
    browsers = [CookieHeader() for _ in range(1500)]
    for number, browser in enumerate(browsers):
        with session_transaction(manager, browser) as session:
            session.login(f"user-{number}")
            session["kept"] = "x" * 250
    # A first write gives every row its final length: a row that grows may split its page.
    for browser in browsers:
        clock.advance(1)
        with session_transaction(manager, browser) as session:
            session["n"] = 1000
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for number, browser in enumerate(browsers[::10]):
        clock.advance(30)
        with session_transaction(manager, browser) as session:
            session["n"] = 2000 + number
    assert wal.stat().st_size / 150 <= 4200


@pytest.mark.parametrize("later", [60, 30 * HOUR])
def test_a_touch_writes_the_sessions_own_page_and_no_index(store, raw, wal, later):
    create(store, *range(1000), lives=14 * DAY)
    versions = {number: store.load(key(number), now=NOW).version for number in range(16)}
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for number, version in versions.items():
        store.touch(key(number), expires_at=NOW + 14 * DAY + later, expected_version=version, now=NOW)
    assert wal.stat().st_size <= 4200 * len(versions)


# Sweeping


def test_writing_sweeps_expired_rows_now_and_then(store, raw):
    create(store, *range(10), lives=60)
    create(store, *range(10, 16), now=NOW + HOUR, lives=DAY)
    assert rows(raw) == 6


@pytest.mark.parametrize("write", ["update", "touch", "delete"])
def test_every_kind_of_write_sweeps(store, raw, write):
    create(store, *range(10), lives=60)
    create(store, 10, lives=DAY)
    record = store.load(key(10), now=NOW)
    for _ in range(5):
        version = store.load(key(10), now=NOW + HOUR).version
        if write == "update":
            store.update(key(10), record, expected_version=version, now=NOW + HOUR)
        elif write == "touch":
            store.touch(key(10), expires_at=record.expires_at, expected_version=version, now=NOW + HOUR)
        else:
            store.delete(key(11))
    assert rows(raw) == 1


def test_what_expired_within_this_hour_is_swept_in_the_next(store, raw):
    create(store, 0, lives=60)
    create(store, *range(1, 16), now=NOW + 61, lives=DAY)
    assert rows(raw) == 16
    create(store, *range(16, 32), now=NOW + HOUR, lives=DAY)
    assert rows(raw) == 31


def test_sweeping_works_in_processes_that_write_once(path, store, raw):
    for number in range(20):
        now = NOW + number * HOUR
        with contextlib.closing(SQLiteStore(path)) as process:
            process.create(key(number), Record(b"", now + 900), now=now)
    assert rows(raw) == 1


def test_a_sweep_spares_what_was_moved_out_and_finds_it_later(store, raw):
    create(store, 0, lives=60)
    version = store.load(key(0), now=NOW).version
    store.touch(key(0), expires_at=NOW + DAY, expected_version=version, now=NOW)
    create(store, *range(1, 17), now=NOW + HOUR, lives=3 * DAY)
    assert store.load(key(0), now=NOW + DAY - 1)
    create(store, *range(17, 33), now=NOW + DAY + HOUR, lives=3 * DAY)
    assert rows(raw) == 32


def test_sessions_that_are_kept_alive_are_not_in_the_way_of_a_sweep(path):
    with contextlib.closing(SQLiteStore(path, sweep_batch=4)) as store:
        create(store, *range(40), lives=60)
        for number in range(39):
            version = store.load(key(number), now=NOW).version
            store.touch(key(number), expires_at=NOW + 7 * DAY, expected_version=version, now=NOW)
        create(store, *range(40, 240), now=NOW + HOUR, lives=7 * DAY)
        assert store.delete_expired(now=NOW + HOUR, limit=10) == 0


def test_delete_expired_looks_past_any_number_of_sessions_that_are_kept_alive(store):
    create(store, *range(100), lives=60)
    for number in range(99):
        version = store.load(key(number), now=NOW).version
        store.touch(key(number), expires_at=NOW + 7 * DAY, expected_version=version, now=NOW)
    assert store.delete_expired(now=NOW + DAY, limit=2) == 1
    assert store.delete_expired(now=NOW + 7 * DAY, limit=100) == 99


def test_a_session_that_ends_sooner_than_it_was_to_is_deleted_in_time(store):
    create(store, 0, 1, lives=14 * DAY)
    for number in range(2):
        version = store.load(key(number), now=NOW).version
        if number:
            store.touch(key(number), expires_at=NOW + 60, expected_version=version, now=NOW)
        else:
            store.update(key(number), Record(b"", NOW + 60), expected_version=version, now=NOW)
    assert [store.delete_expired(now=NOW + late, limit=1) for late in (59, 60, 60, 60)] == [0, 1, 1, 0]


def test_a_session_that_ends_sooner_than_it_was_to_is_swept(store, raw):
    create(store, 0, lives=14 * DAY)
    version = store.load(key(0), now=NOW).version
    store.update(key(0), Record(b"", NOW + 60), expected_version=version, now=NOW)
    create(store, *range(1, 17), lives=14 * DAY, now=NOW + 60)
    assert rows(raw) == 16


def test_a_sweep_keeps_to_its_batch(path):
    with contextlib.closing(SQLiteStore(path, sweep_batch=3)) as store:
        create(store, *range(15), lives=60)
        create(store, 15, now=NOW + HOUR, lives=DAY)
        assert store.delete_expired(now=NOW + HOUR, limit=100) == 12


def test_a_batch_of_zero_never_sweeps(path):
    with contextlib.closing(SQLiteStore(path, sweep_batch=0)) as store:
        create(store, *range(50), lives=60)
        create(store, *range(50, 100), now=NOW + HOUR, lives=DAY)
        assert store.delete_expired(now=NOW + HOUR, limit=100) == 50


def test_a_sweep_does_not_wait_for_a_lock(store, raw):
    create(store, 1, lives=60)
    raw.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    assert store._file.attempt("DELETE FROM sessions") == []
    assert time.monotonic() - began < 5  # the store's busy_timeout
    assert not store._file.idle
    raw.execute("ROLLBACK")
    assert rows(raw) == 1


def test_a_connection_that_swept_waits_for_locks_again(store):
    create(store, *range(16))
    assert store._file.idle[0].execute("PRAGMA busy_timeout").fetchone() == (5000,)


def test_a_sweep_is_left_for_later_where_every_connection_is_in_use(store, raw):
    create(store, 1)
    store.close()
    store._file.attempt("DELETE FROM sessions")
    assert rows(raw) == 1


# The -wal


def test_a_wal_that_has_grown_is_emptied_and_cut_also_where_there_is_always_a_reader(path, store, raw, wal):
    writing = True

    def read() -> None:
        while writing:
            store.load(key(0), now=NOW)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    largest = 0
    for number in range(400):
        create(store, number, payload=bytes(50_000), now=NOW + number)
        largest = max(largest, wal.stat().st_size)
    writing = False
    for reader in readers:
        reader.join()
    assert largest < 16 * MEGABYTE
    create(store, *range(400, 416), now=NOW + 400)
    assert wal.stat().st_size < 5 * MEGABYTE


def test_where_there_is_no_wal_there_is_nothing_to_empty(store, wal):
    create(store, 0)
    store.close()
    store._file.bound_wal()
    assert not wal.exists()


def test_the_wal_is_bounded_for_large_sessions_too(store, wal):
    for number in range(20):
        create(store, number, payload=bytes(2 * MEGABYTE))
    assert wal.stat().st_size < 8 * MEGABYTE


def test_the_wal_is_bounded_while_sessions_are_ended(store, wal):
    create(store, *range(3000), payload=bytes(3000))
    for number in range(3000):
        store.delete(key(number))
    assert wal.stat().st_size < 8 * MEGABYTE


def test_a_reader_that_stays_is_waited_for_less_and_less_often(store, raw, wal):
    raw.execute("BEGIN")
    rows(raw)
    tries: list[str] = []
    create(store, 0)
    (connection,) = store._file.idle
    connection.set_trace_callback(lambda text: tries.append(text) if "TRUNCATE" in text else None)
    for second in range(20):
        create(store, *range(100 * second + 1, 100 * second + 50), now=NOW + second, payload=bytes(60_000))
    raw.execute("COMMIT")
    assert 2 <= len(tries) <= 7  # at once, then 1, 2, 4, 8 seconds apart


def test_when_a_reader_that_stayed_has_gone_the_wal_is_emptied_at_the_next_occasion(store, raw, wal):
    raw.execute("BEGIN")
    rows(raw)
    create(store, *range(400), payload=bytes(50_000))
    assert wal.stat().st_size > 16 * MEGABYTE
    raw.execute("COMMIT")
    create(store, *range(400, 416))
    assert wal.stat().st_size < MEGABYTE


# The file's mode


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_the_file_and_its_neighbours_are_readable_by_their_owner_alone_whatever_the_umask(path, umask):
    before = os.umask(umask)
    try:
        with contextlib.closing(SQLiteStore(path)) as store:
            create(store, 0)
            modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(["sessions.db", "sessions.db-wal", "sessions.db-shm"], 0o600)


def test_a_file_that_is_there_keeps_its_mode(path):
    path.touch()
    path.chmod(0o660)
    SQLiteStore(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o660


def test_a_file_that_was_deleted_is_made_again_for_its_owner_alone(path, store):
    create(store, 0)
    path.unlink()
    create(store, 1, now=NOW + 1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("exists", [True, False])
def test_a_symbolic_link_is_refused(path, tmp_path, exists):
    target = tmp_path / "elsewhere.db"
    if exists:
        SQLiteStore(target)
    path.symlink_to(target)
    with pytest.raises(ConfigurationError, match=r"sessions.db is a symbolic link; give the path of the file itself"):
        SQLiteStore(path)
    assert target.exists() == exists


def test_a_file_that_becomes_a_symbolic_link_makes_the_store_unavailable(path, store, tmp_path):
    create(store, 0)
    path.rename(tmp_path / "elsewhere.db")
    path.symlink_to(tmp_path / "elsewhere.db")
    with pytest.raises(StoreUnavailable, match="symbolic link"):
        create(store, 1, now=NOW + 1)


def test_a_directory_may_be_a_symbolic_link(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    with contextlib.closing(SQLiteStore(tmp_path / "link" / "sessions.db")) as store:
        create(store, 0)
    assert (tmp_path / "data" / "sessions.db").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a" * 300, "File name too long"),
        ("a" * 250, "File name too long"),  # the name itself is not, but those of its neighbours are
        ("a/" * 3000 + "sessions.db", "bytes; SQLite takes 503"),
        ("sessions\0.db", "null"),
    ],
)
def test_a_path_that_no_file_can_have_is_refused_in_words(tmp_path, name, words):
    for open_it in (lambda: SQLiteStore(tmp_path / name), lambda: open_store(f"sqlite:///{tmp_path / name}")):
        with pytest.raises(ConfigurationError, match=words):
            open_it()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may search every directory")
def test_a_path_through_a_directory_that_may_not_be_searched_is_refused_in_words(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o000)
    with pytest.raises(ConfigurationError, match="Permission denied"):
        SQLiteStore(tmp_path / "closed" / "sessions.db")


# Connections that are dropped


def test_a_store_that_is_dropped_closes_its_connections_itself(path):
    store = SQLiteStore(path)
    create(store, 0)
    (connection,) = store._file.idle
    del store
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_a_store_leaves_no_cycle_that_only_the_garbage_collector_would_free(path):
    gc.collect()
    gc.disable()
    try:
        store = SQLiteStore(path, busy_timeout=timedelta(seconds=1))
        create(store, 0)
        (connection,) = store._file.idle
        del store
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")
    finally:
        gc.enable()


def test_many_are_ended_in_short_transactions(store):
    create(store, *range(60))
    versions = {key(number): store.load(key(number), now=NOW).version for number in range(60)}
    texts: list[str] = []
    (connection,) = store._file.idle
    connection.set_trace_callback(texts.append)
    assert store.delete_many(versions) == 60
    assert texts.count("COMMIT") == 3
    assert store.delete_many({}) == 0
