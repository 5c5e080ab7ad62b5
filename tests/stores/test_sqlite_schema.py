"""SQLiteStore's files of other versions: migrated in place, under load, whole or not at all; newer ones refused."""

import contextlib
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cookiesess import SessionManager
from cookiesess.errors import ConfigurationError, StoreUnavailable
from cookiesess.stores.base import Record
from cookiesess.stores.sqlite import SQLiteStore
from cookiesess.stores.sqlite import schema as sqlite_schema
from cookiesess.testing import ManualClock

NOW = 1_700_000_000
DAY = 86_400
SECONDS = 60  # for how long a test waits for another process before it fails
SCHEMA = 2

# Written by the first version: three sessions (idle 14 days), a record that expires a minute after NOW, and one of
# 5,000 bytes that expires an hour after it.
FIRST_VERSION = Path(__file__).parent / "files" / "schema1.sqlite"
SECRET = "a key for tests of at least 32 bytes"
HEADERS = {
    "guest": "__Host-session=Ael8Eg1X3pcmo0vxUpJHC_JObPKt2ZL8heHMrpNXKINuJ9RhovP1L5t0_M8ZLDEBlHMJPxIbbwUDSznagd6hgDD"
    "-WtcYHaxnZNKdjoML",
    "phone": "__Host-session=Ael8Eg1X3pcmo0vxUpJHC_KO5IFLnOmSDAFVJD1IJIHHj-KJHSaD_6DjobVDJEqG65sF0fGbAv4b-wISJ4HtJj7"
    "yt1Va_d4bczfo6jSJ",
    "laptop": "__Host-session=Ael8Eg1X3pcmo0vxUpJHC_LEtPhapFCioL_07rKhTXUBZ1V9NbTv3n5nSig_2tj6htuKbDacaRoqnQ3HZgok0h"
    "v_-t-7BLWR9KSpjpmd",
}
SHORT, LONG = b"e" * 32, b"l" * 32
# The first version's write of a session, as its processes still send it while another one migrates the file.
OLD_UPDATE = """
UPDATE sessions SET version = version + 1, expires_at = ?, owner = ?, summary = ?, payload = ?
WHERE key = ? AND version = ? AND expires_at > ?"""
OLD_CREATE = "INSERT INTO sessions (key, version, expires_at, owner, summary, payload) VALUES (?, 1, ?, NULL, x'', ?)"


@pytest.fixture
def path(tmp_path):
    """A copy of the first version's file."""
    path = tmp_path / "sessions.db"
    shutil.copy(FIRST_VERSION, path)
    return path


@pytest.fixture
def raw(path):
    """A plain connection to the file, opened before it is migrated."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


@pytest.fixture
def migrated(path, raw):
    with contextlib.closing(SQLiteStore(path)) as store:
        yield store


def schema(connection: sqlite3.Connection) -> int:
    return connection.execute("PRAGMA user_version").fetchone()[0]


def rows(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    columns = "key, version, expires_at, owner, summary, payload"
    return connection.execute(f"SELECT {columns} FROM sessions ORDER BY key").fetchall()


def test_a_file_of_the_first_version_is_of_the_first_schema(raw):
    assert schema(raw) == 1


def test_migrating_a_file_of_the_first_version_keeps_every_row(path, raw):
    before = rows(raw)
    SQLiteStore(path)
    assert (schema(raw), rows(raw)) == (SCHEMA, before)
    assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_the_sessions_of_the_first_version_go_on(migrated):
    manager = SessionManager(SECRET, store=migrated, clock=ManualClock(NOW + 60))
    assert {name: manager.open(header)["kept"] for name, header in HEADERS.items()} == {name: name for name in HEADERS}
    assert {info.label for info in manager.sessions_of("ann")} == {"phone", "laptop"}


def test_the_sessions_of_the_first_version_can_be_written_and_ended(migrated):
    manager = SessionManager(SECRET, store=migrated, clock=ManualClock(NOW + 60))
    session = manager.open(HEADERS["phone"])
    session["more"] = 1
    manager.commit(session)
    assert manager.open(HEADERS["phone"])["more"] == 1
    assert manager.end_all("ann") == 2
    assert not manager.open(HEADERS["phone"])


def test_what_expires_of_the_first_version_is_deleted_exactly_when_asked_for(migrated):
    assert migrated.delete_expired(now=NOW + 59, limit=100) == 0
    assert migrated.delete_expired(now=NOW + 60, limit=100) == 1
    assert migrated.delete_expired(now=NOW + 3600, limit=1) == 1
    assert migrated.delete_expired(now=NOW + 14 * DAY, limit=2) == 2
    assert migrated.delete_expired(now=NOW + 14 * DAY, limit=2) == 1


def test_what_expires_of_the_first_version_is_swept_as_others_are_written(migrated, raw):
    for number in range(16):
        migrated.create(bytes([number]) * 32, Record(b"", NOW + 30 * DAY), now=NOW + 14 * DAY + 3600)
    assert raw.execute("SELECT count(*) FROM sessions").fetchone() == (16,)


def test_a_process_of_the_first_version_that_has_the_file_open_goes_on_writing(migrated, raw):
    raw.execute(OLD_CREATE, (b"n" * 32, NOW + 60, b"new"))
    version = migrated.load(LONG, now=NOW).version
    raw.execute(OLD_UPDATE, (NOW + 2 * DAY, None, b"", b"newer", LONG, version, NOW))
    assert migrated.load_many([b"n" * 32, LONG], now=NOW).keys() == {b"n" * 32, LONG}
    assert migrated.delete_expired(now=NOW + DAY, limit=100) == 2
    assert migrated.load(LONG, now=NOW + DAY).payload == b"newer"


def test_a_session_that_a_process_of_the_first_version_has_end_sooner_is_swept_in_time(migrated, raw):
    migrated.create(b"n" * 32, Record(b"", NOW + 14 * DAY), now=NOW)
    raw.execute(OLD_UPDATE, (NOW + 60, None, b"", b"", b"n" * 32, migrated.load(b"n" * 32, now=NOW).version, NOW))
    assert migrated.delete_expired(now=NOW + 60, limit=100) == 2


def test_a_migration_that_fails_leaves_the_file_as_it_was(path, raw, monkeypatch):
    before = rows(raw)
    monkeypatch.setattr(sqlite_schema, "MIGRATIONS", (*sqlite_schema.MIGRATIONS, ("not SQL",)))
    with pytest.raises(StoreUnavailable, match="syntax error"):
        SQLiteStore(path)
    assert schema(raw) == 1
    assert rows(raw) == before
    assert "due" not in [row[1] for row in raw.execute("PRAGMA table_info(sessions)")]


def test_a_new_file_and_a_migrated_one_have_the_same_schema(tmp_path, migrated, raw):
    SQLiteStore(tmp_path / "new.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "new.db")) as new:
        texts = "SELECT name, sql FROM sqlite_master ORDER BY name"
        assert new.execute(texts).fetchall() == raw.execute(texts).fetchall()


def test_a_file_of_a_newer_schema_is_refused(path, migrated, raw):
    raw.execute("PRAGMA user_version=99")
    with pytest.raises(ConfigurationError, match=r"newer cookiesess .schema 99; this one knows up to 2.*upgrade"):
        SQLiteStore(path)


def test_a_file_that_becomes_newer_while_running_makes_the_store_unavailable(migrated, raw):
    raw.execute("PRAGMA user_version=99")
    with pytest.raises(StoreUnavailable, match="newer cookiesess") as caught:
        migrated.load(LONG, now=NOW)
    assert isinstance(caught.value.__cause__, ConfigurationError)


def test_threads_that_open_an_old_file_at_once_migrate_it_once(path, raw):
    barrier = threading.Barrier(8)
    failures: list[Exception] = []

    def work() -> None:
        barrier.wait()
        try:
            assert SQLiteStore(path).load(LONG, now=NOW)
        except Exception as error:  # noqa: BLE001 (whatever it is, it belongs into the list)
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert schema(raw) == SCHEMA


# A process of the first version: its statements on a connection that it has open, as many as it can.
OLD_WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute("PRAGMA synchronous=NORMAL")
create, update = sys.argv[2:]
print("ready", flush=True)
for number in range(1000):
    key = b"old".ljust(28, b"-") + number.to_bytes(4)
    connection.execute(create, (key, 2_000_000_000, b"first"))
    assert connection.execute(update, (2_000_000_000, None, b"", b"second", key, 1, 1)).rowcount == 1
"""
NEW_WRITER = """
import sys
from cookiesess.stores.base import Record
from cookiesess.stores.sqlite import SQLiteStore
store = SQLiteStore(sys.argv[1])
for number in range(500):
    key = sys.argv[2].encode().ljust(28, b"-") + number.to_bytes(4)
    store.create(key, Record(b"first", 2_000_000_000), now=1_700_000_000)
    version = store.load(key, now=1_700_000_000).version
    store.update(key, Record(b"second", 2_000_000_000), expected_version=version, now=1_700_000_000)
"""


@pytest.mark.process
def test_a_file_is_migrated_while_processes_of_both_versions_write_it_and_nothing_is_lost(path):
    with contextlib.ExitStack() as stack:

        def start(script: str, *arguments: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-c", script, str(path), *arguments]
            return stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))

        old = start(OLD_WRITER, OLD_CREATE, OLD_UPDATE)
        assert old.stdout.readline() == "ready\n"
        writers = [old, *(start(NEW_WRITER, name) for name in ("a", "b", "c"))]
        assert [writer.wait(SECONDS) for writer in writers] == [0] * 4
    counts = {"old": 1000, "a": 500, "b": 500, "c": 500}
    keys = [name.encode().ljust(28, b"-") + n.to_bytes(4) for name, count in counts.items() for n in range(count)]
    with contextlib.closing(SQLiteStore(path)) as store:
        found = store.load_many([*keys, LONG], now=NOW)
        assert [found[key].payload for key in keys] == [b"second"] * len(keys)
        assert LONG in found
        assert store._file.rows("PRAGMA integrity_check", (), NOW) == [("ok",)]
