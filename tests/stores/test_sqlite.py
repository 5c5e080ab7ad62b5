"""SQLiteStore: the contract, its statements, its connections, its schema, and sweeping."""

import contextlib
import os
import sqlite3
import threading
from datetime import timedelta

import pytest

from cookiesess.errors import ConfigurationError
from cookiesess.stores.base import Conflict, Record, Store, Updated
from cookiesess.stores.sqlite import SQLiteStore
from cookiesess.stores.sqlite import schema as sqlite_schema
from cookiesess.stores.sqlite import statements as sql
from cookiesess.testing import StoreContract
from kit.constants import NOW


class TestSQLiteStore(StoreContract):
    @pytest.fixture(autouse=True)
    def _path(self, tmp_path):
        self.path = tmp_path / "sessions.db"

    def make_store(self) -> Store:
        return SQLiteStore(self.path)

    def open_again(self, store: Store) -> Store:
        return SQLiteStore(self.path)


@pytest.mark.thorough
class TestDurableSQLiteStore(TestSQLiteStore):
    def make_store(self) -> Store:
        return SQLiteStore(self.path, durable=True)


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


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


def create(store: SQLiteStore, *numbers: int, lives: int = 3600, now: int = NOW) -> None:
    for number in numbers:
        store.create(key(number), Record(b"payload", NOW + lives), now=now)


def version(store: SQLiteStore, number: int):
    return store.load(key(number), now=NOW).version


@pytest.fixture
def statements(store):
    """The statements that the store's one connection runs from here on."""
    create(store, 0)
    (connection,) = store._file.idle
    texts: list[str] = []
    connection.set_trace_callback(lambda text: texts.append(text.split()[0]))
    return texts


def test_a_load_is_one_statement(store, statements):
    store.load(key(0), now=NOW)
    assert statements == ["SELECT"]


def test_a_load_of_many_is_one_statement(store, statements):
    store.load_many([key(number) for number in range(5000)], now=NOW)
    assert statements == ["WITH"]


def test_a_listing_is_one_statement(store, statements):
    store.records_of(b"ann", now=NOW, limit=9)
    assert statements == ["SELECT"]


def test_a_create_is_one_statement(store, statements):
    create(store, 1)
    assert statements == ["INSERT"]


def test_an_update_that_succeeds_is_one_statement(store, statements):
    expected = version(store, 0)
    statements.clear()
    outcome = store.update(key(0), Record(b"", NOW + 60), expected_version=expected, now=NOW)
    assert (statements, type(outcome)) == (["UPDATE"], Updated)


def test_an_update_that_conflicts_reads_the_others_record(store, statements):
    outcome = store.update(key(0), Record(b"", NOW + 60), expected_version=0, now=NOW)
    assert (statements, type(outcome)) == (["UPDATE", "SELECT"], Conflict)


def test_an_update_to_another_owner_reads_first_that_this_is_all_that_was_in_the_way(store, statements):
    expected = version(store, 0)
    statements.clear()
    outcome = store.update(key(0), Record(b"", NOW + 60, b"", b"ann"), expected_version=expected, now=NOW)
    assert (statements, type(outcome)) == (["UPDATE", "SELECT", "UPDATE"], Updated)
    assert store.load(key(0), now=NOW).owner == b"ann"


def test_an_update_to_another_owner_that_is_overtaken_conflicts(store, statements, raw):
    expected = version(store, 0)
    (connection,) = store._file.idle
    overtake = iter(["UPDATE sessions SET version = version + 1"])
    connection.set_trace_callback(
        lambda text: raw.execute(next(overtake, "SELECT 1")) if text.startswith("SELECT payload") else None
    )
    outcome = store.update(key(0), Record(b"", NOW + 60, b"", b"ann"), expected_version=expected, now=NOW)
    assert isinstance(outcome, Conflict)
    assert store.load(key(0), now=NOW).owner is None


def test_a_touch_is_one_statement(store, statements):
    store.touch(key(0), expires_at=NOW + 60, expected_version=0, now=NOW)
    assert statements == ["UPDATE"]


def test_a_delete_is_one_statement(store, statements):
    store.delete(key(0))
    store.delete(key(0), expected_version=0)
    assert statements == ["DELETE", "DELETE"]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (sql.LOAD, "PRIMARY KEY"),
        (sql.UPDATE, "PRIMARY KEY"),
        (sql.TOUCH, "PRIMARY KEY"),
        (sql.TO_SWEEP, "sessions_by_due"),
        (sql.TO_SWEEP, "sessions_by_sooner_expiry"),
        (sql.DELETE_SOONER, "sessions_by_sooner_expiry"),
        (sql.DELETE_DUE, "sessions_by_due"),
        (sql.MOVE_DUE, "sessions_by_due"),
        (sql.EXPIRED_THIS_HOUR, "sessions_by_due"),
        (sql.RECORDS_OF, "sessions_by_owner"),
    ],
)
def test_no_query_scans_the_table(raw, query, index):
    numbered = [number for number in range(1, 9) if f"?{number}" in query]
    values = [0] * max(numbered, default=query.count("?"))
    plan = " ".join(row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {query}", values))
    assert index in plan
    assert "SCAN" not in plan
    assert "TEMP" not in plan


def test_one_connection_serves_one_request_after_another_and_thread_after_thread(store):
    def work(number: int) -> None:
        create(store, number)
        store.load(key(number), now=NOW)

    for number in range(20):
        thread = threading.Thread(target=work, args=(number,))
        thread.start()
        thread.join()
    assert len(store._file.idle) == 1


def test_there_are_never_more_connections_than_calls_at_once(store):
    barrier = threading.Barrier(4)

    def work(thread: int) -> None:
        barrier.wait()
        for number in range(50):
            create(store, thread * 1000 + number)

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= len(store._file.idle) <= 4


def test_the_constructor_leaves_no_connection_open(path):
    assert not SQLiteStore(path)._file.idle


def test_close_closes_the_kept_connections(store):
    create(store, 1)
    (connection,) = store._file.idle
    store.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_the_file_is_in_wal_mode(raw):
    assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_that_left_wal_mode_is_brought_back(path, store):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode=DELETE").fetchone() == ("delete",)
    create(store, 1)
    assert store._file.idle[0].execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.fixture
def contenders(path):
    """Two connections to a file that is not in WAL mode, of which the first holds a read lock."""
    with contextlib.ExitStack() as stack:
        first, second = (
            stack.enter_context(contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=0)))
            for _ in range(2)
        )
        first.execute("CREATE TABLE t (x)")
        first.execute("BEGIN")
        first.execute("SELECT * FROM t").fetchall()
        yield first, second


def test_switching_to_wal_waits_for_who_is_in_the_way(contenders):
    reader, switcher = contenders
    # The reader goes away just when the switcher begins to wait for it.
    switcher.set_trace_callback(lambda text: reader.execute("ROLLBACK") if "EXCLUSIVE" in text else None)
    sqlite_schema._enter_wal(switcher)
    switcher.set_trace_callback(None)
    assert switcher.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_switching_to_wal_is_not_tried_for_ever(contenders):
    _, switcher = contenders
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        sqlite_schema._enter_wal(switcher, tries=1)


@pytest.mark.parametrize(("durable", "synchronous"), [(False, 1), (True, 2)])
def test_durable_means_synchronous_full(path, durable, synchronous):
    with contextlib.closing(SQLiteStore(path, durable=durable)) as store:
        create(store, 1)
        assert store._file.idle[0].execute("PRAGMA synchronous").fetchone() == (synchronous,)


def test_a_relative_path_is_of_the_directory_at_construction(tmp_path, monkeypatch):
    (tmp_path / "later").mkdir()
    monkeypatch.chdir(tmp_path)
    with contextlib.closing(SQLiteStore("sessions.db")) as store:
        monkeypatch.chdir(tmp_path / "later")
        create(store, 1)
    assert list((tmp_path / "later").iterdir()) == []


def test_the_repr_names_the_file(store, path):
    assert repr(store) == f"<SQLiteStore {path}>"


def test_sessions_survive_closing_and_opening(path):
    for number in range(3):
        with contextlib.closing(SQLiteStore(path)) as store:
            create(store, number)
            assert len(store.load_many([key(n) for n in range(3)], now=NOW)) == number + 1


def test_the_database_of_another_application_is_refused_and_left_alone(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE sessions (mine TEXT)")
        before = path.read_bytes()
        with pytest.raises(ConfigurationError, match="another application; give sessions a file of their own"):
            SQLiteStore(path)
    assert path.read_bytes() == before


def test_threads_that_open_a_new_file_at_once_do_not_fail_each_other(tmp_path):
    for attempt in range(10):
        path = tmp_path / f"{attempt}.db"
        barrier = threading.Barrier(8)
        failures: list[Exception] = []

        def work(path=path, barrier=barrier, failures=failures) -> None:
            barrier.wait()
            try:
                SQLiteStore(path)
            except Exception as error:  # noqa: BLE001 (whatever it is, it belongs into the list)
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []


def test_the_versions_of_new_records_are_not_predictable(store):
    create(store, *range(20))
    assert len({version(store, number) for number in range(20)}) == 20


@pytest.mark.parametrize("forbidden", [":memory:", "", "file:sessions.db", "file::memory:?cache=shared"])
def test_what_is_not_a_path_is_refused_with_a_pointer_to_the_memory_store(forbidden):
    with pytest.raises(ConfigurationError, match=r"path of a file, not .*MemoryStore"):
        SQLiteStore(forbidden)


@pytest.mark.parametrize("busy_timeout", [timedelta(0), timedelta(seconds=-1)])
def test_a_busy_timeout_that_is_not_above_zero_is_refused(path, busy_timeout):
    with pytest.raises(ConfigurationError, match=r"busy_timeout is .*above zero"):
        SQLiteStore(path, busy_timeout=busy_timeout)


def test_a_negative_sweep_batch_is_refused(path):
    with pytest.raises(ConfigurationError, match="sweep_batch is -1"):
        SQLiteStore(path, sweep_batch=-1)


def test_a_path_may_be_a_path_or_text(path):
    for form in (path, os.fspath(path)):
        with contextlib.closing(SQLiteStore(form)) as store:
            assert store.load(key(1), now=NOW) is None
