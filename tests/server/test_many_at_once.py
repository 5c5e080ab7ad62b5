"""Real threads and real processes on one session: no write of theirs is lost."""

import contextlib
import subprocess
import sys

import pytest

from cookiesess import SessionManager
from cookiesess.stores.sqlite import SQLiteStore
from kit.browser import Browser
from kit.constants import KEY, SECONDS
from kit.threads import in_threads
from kit.views import append, count, every, put

WORKERS = 16
WRITES = 2000

WRITER = """
import sys
from cookiesess import SessionManager
from cookiesess.stores.sqlite import SQLiteStore
path, key, header, start, stop = sys.argv[1:]
manager = SessionManager(key, store=SQLiteStore(path))
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(start), int(stop)):
    session = manager.open(header)
    session[f"key {number}"] = number
    manager.commit(session)
"""


@pytest.mark.thorough
def test_a_counter_that_16_workers_push_1000_times_stands_at_1000(world):
    browser = world.browser(put("n", 0))

    def push(worker):
        for _ in range(worker, 1000, WORKERS):
            Browser(world, browser.header).visit(count)

    in_threads(*[lambda worker=worker: push(worker) for worker in range(WORKERS)])
    assert browser.read() == {"n": 1000}


@pytest.mark.thorough
def test_2000_writes_of_distinct_keys_by_threads_are_all_there(world):
    browser = world.browser(put("key", 0))

    def write(worker):
        for number in range(worker, WRITES, WORKERS):
            Browser(world, browser.header).visit(put(f"key {number}", number))

    in_threads(*[lambda worker=worker: write(worker) for worker in range(WORKERS)])
    assert len(browser.read()) == 1 + WRITES


@pytest.mark.process
def test_2000_writes_of_distinct_keys_by_processes_are_all_there(tmp_path):
    path = tmp_path / "sessions.db"
    with contextlib.closing(SQLiteStore(path)) as store:
        manager = SessionManager(KEY, store=store)
        session = manager.open("")
        session["key"] = 0
        (line,) = manager.commit(session).cookies
        header = f"{line.name}={line.value}"
        workers = 4
        share = WRITES // workers
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, path, KEY, header, str(start), str(start + share)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for start in range(0, WRITES, share)
        ]
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.close()
        for process in processes:
            assert process.wait(SECONDS) == 0
            process.stdout.close()
        assert len(manager.open(header)) == 1 + WRITES


def test_appends_to_a_list_by_mutate_are_all_there_whoever_comes_first(world):
    browser = world.browser(put("list", []))

    def extend(worker):
        for number in range(20):
            item = [worker, number]
            Browser(world, browser.header).visit(lambda s, item=item: s.mutate(lambda data: data["list"].append(item)))

    in_threads(*[lambda worker=worker: extend(worker) for worker in range(8)])
    assert sorted(browser.read()["list"]) == [[worker, number] for worker in range(8) for number in range(20)]


def test_flashes_of_many_threads_are_each_shown_once(world):
    browser = world.browser(put("a", 1))
    shown = []

    def flash(worker):
        for number in range(10):
            Browser(world, browser.header).visit(lambda s, text=f"{worker}/{number}": s.flash(text))

    in_threads(*[lambda worker=worker: flash(worker) for worker in range(4)])
    browser.visit(lambda s: shown.extend(flash.message for flash in s.pop_flashes()))
    assert sorted(shown) == sorted(f"{worker}/{number}" for worker in range(4) for number in range(10))


@pytest.mark.parametrize("view", [every(append("cart", "x"), put("a", 1)), len])
def test_a_session_that_nobody_else_uses_is_never_in_conflict(world, view):
    browser = world.browser(put("cart", []))
    for _ in range(50):
        browser.visit(view)
    assert "session.conflict_merged" not in world.taken_names()
