"""SQLiteStore among processes: killed, forked, and several at once on one file."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading

import pytest

from cookiesess.stores.base import Conflict, Record
from cookiesess.stores.sqlite import SQLiteStore
from cookiesess.stores.sqlite import file as sqlite_file
from kit.constants import NOW

KEY = b"k" * 32
SECONDS = 30  # for how long a test waits for another process before it fails

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="kill and fork are Unix matters"),
]

WRITER = """
import sys
from cookiesess.stores.base import Record
from cookiesess.stores.sqlite import SQLiteStore
store = SQLiteStore(sys.argv[1])
number = 0
while True:
    key = number.to_bytes(32, "big")
    store.create(key, Record(b"first", 2_000_000_000), now=1_700_000_000)
    version = store.load(key, now=1_700_000_000).version
    store.update(key, Record(b"second" * 100, 2_000_000_000), expected_version=version, now=1_700_000_000)
    print(number, flush=True)
    number += 1
"""

COUNTER = """
import sys
from cookiesess.stores.base import Conflict, Record
from cookiesess.stores.sqlite import SQLiteStore
store = SQLiteStore(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
conflicts = 0
for _ in range(int(sys.argv[2])):
    current = store.load(b"k" * 32, now=1_700_000_000)
    while True:
        record = Record(b"%d" % (int(current.payload) + 1), 2_000_000_000)
        outcome = store.update(b"k" * 32, record, expected_version=current.version, now=1_700_000_000)
        if not isinstance(outcome, Conflict):
            break
        conflicts += 1
        current = outcome.current
print(conflicts)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sessions.db"


@pytest.fixture
def store(path):
    with contextlib.closing(SQLiteStore(path)) as opened:
        yield opened


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("acknowledged", [1, 60, 400])
def test_kill_9_loses_no_write_that_had_been_acknowledged(path, acknowledged):
    with start(WRITER, path) as writer:
        for _ in range(acknowledged):
            last = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        last = max([last, *map(int, writer.stdout.read().split("\n")[:-1])])
    with contextlib.closing(SQLiteStore(path)) as store:
        keys = [number.to_bytes(32, "big") for number in range(last + 1)]
        found = store.load_many(keys, now=NOW)
        assert [found[key].payload for key in keys] == [b"second" * 100] * len(keys)
        check = store._file.rows("PRAGMA integrity_check", (), NOW)
    assert check == [("ok",)]
    assert last + 1 >= acknowledged


def test_a_file_can_be_written_after_its_writer_was_killed(path):
    with start(WRITER, path) as writer:
        writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)
    with contextlib.closing(SQLiteStore(path)) as store:
        store.create(KEY, Record(b"after", NOW + 60), now=NOW)
        assert store.load(KEY, now=NOW).payload == b"after"


def test_processes_that_compare_and_set_on_one_file_lose_nothing(path, store):
    store.create(KEY, Record(b"0", 2_000_000_000), now=NOW)
    with contextlib.ExitStack() as stack:
        counters = [stack.enter_context(start(COUNTER, path, 100)) for _ in range(4)]
        for counter in counters:
            assert counter.stdout.readline() == "ready\n"
        for counter in counters:
            counter.stdin.write("go\n")
            counter.stdin.flush()
        conflicts = [counter.communicate(timeout=SECONDS)[0].strip() for counter in counters]
    assert all(answer.isdigit() for answer in conflicts)
    assert store.load(KEY, now=NOW).payload == b"400"


def test_processes_that_open_a_new_file_at_once_do_not_fail_each_other(path):
    with contextlib.ExitStack() as stack:
        counters = [stack.enter_context(start(COUNTER, path, 0)) for _ in range(6)]
        assert [counter.communicate("go\n", timeout=SECONDS)[0] for counter in counters] == ["ready\n0\n"] * 6


def in_child(work) -> None:
    """Run `work` in a forked child and raise here if it raised there."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_store_works_in_a_forked_child_and_in_the_parent_afterwards(store):
    store.create(KEY, Record(b"parent", NOW + 60), now=NOW)

    def work() -> None:
        record = store.load(KEY, now=NOW)
        store.update(KEY, Record(b"child", NOW + 60), expected_version=record.version, now=NOW)

    in_child(work)
    assert store.load(KEY, now=NOW).payload == b"child"
    assert store.delete(KEY)


def test_no_connection_is_open_while_a_process_forks(store):
    store.load(KEY, now=NOW)
    (connection,) = store._file.idle
    in_child(lambda: None)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


VISITOR = """
import sys
from cookiesess.stores.sqlite import SQLiteStore
store = SQLiteStore(sys.argv[1])
assert store.load(b"k" * 32, now=1_700_000_000)
store.close()
"""


def test_a_child_keeps_its_writes_when_the_parent_and_others_come_and_go(path, store):
    # With a connection inherited, SQLite in the child believes in locks that it does not hold; when the last real
    # holder goes away, that one deletes the log under the child's feet, and the child's later writes with it.
    store.create(KEY, Record(b"parent", NOW + 60), now=NOW)
    to_parent, from_child = os.pipe()
    to_child, from_parent = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            store.create(b"1" * 32, Record(b"before", NOW + 60), now=NOW)
            os.write(from_child, b"1")
            os.read(to_child, 1)
            store.create(b"2" * 32, Record(b"after", NOW + 60), now=NOW)
            status = 0
        finally:
            os._exit(status)
    os.read(to_parent, 1)
    store.close()
    subprocess.run([sys.executable, "-c", VISITOR, str(path)], check=True, timeout=SECONDS)
    os.write(from_parent, b"1")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    for end in (to_parent, from_child, to_child, from_parent):
        os.close(end)
    assert len(store.load_many([KEY, b"1" * 32, b"2" * 32], now=NOW)) == 3


def test_what_came_back_between_the_closing_and_the_fork_is_neither_used_nor_closed_in_the_child(store):
    store.load(KEY, now=NOW)
    (connection,) = store._file.idle
    sqlite_file._after_fork_in_child()
    try:
        assert not store._file.idle
        assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        # This is no child, so that the connection can be closed after all.
        sqlite_file._abandoned.remove(connection)
        connection.close()


def test_many_threads_and_a_process_share_a_file_without_loss(path, store):
    store.create(KEY, Record(b"0", 2_000_000_000), now=NOW)

    def increment() -> None:
        for _ in range(25):
            current = store.load(KEY, now=NOW)
            while isinstance(
                outcome := store.update(
                    KEY,
                    Record(b"%d" % (int(current.payload) + 1), 2_000_000_000),
                    expected_version=current.version,
                    now=NOW,
                ),
                Conflict,
            ):
                current = outcome.current

    with start(COUNTER, path, 100) as counter:
        assert counter.stdout.readline() == "ready\n"
        threads = [threading.Thread(target=increment) for _ in range(4)]
        for thread in threads:
            thread.start()
        counter.communicate("go\n", timeout=SECONDS)
        for thread in threads:
            thread.join()
    assert store.load(KEY, now=NOW).payload == b"200"
