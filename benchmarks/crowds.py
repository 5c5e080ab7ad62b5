"""What one account or one session that many use does to the others: ``python -m benchmarks.crowds [engine …]``.

Ending: one owner has a hundred thousand sessions, and all of them end, while visitors go on reading and writing theirs.
What counts is the visitors' slowest requests, before and meanwhile.

Writing: sixteen threads change one session as fast as they can, each a key of its own, or all one counter.
"""

import argparse
import logging
import multiprocessing
import random
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from benchmarks.apps import SECRET
from benchmarks.stores_servers import running
from benchmarks.tables import table
from cookiesess import SessionConflict, SessionManager, open_store
from cookiesess.events import ConflictMerged
from cookiesess.testing import CookieHeader, session_transaction

ENGINES = ("memory", "SQLite", "Redis", "PostgreSQL", "MariaDB", "Memcached")
VISITORS, WRITERS = 200, 16
_REST_SECONDS, _BEFORE_SECONDS = 0.002, 8.0
_ROBOT = "robot"


@contextmanager
def manager_of(engine: str, **settings: Any) -> Iterator[SessionManager]:
    """Return a manager whose sessions are in a store of `engine`, which is started for it."""
    with ExitStack() as stack:
        if engine == "memory":
            url = "memory://?max_sessions=200000"
        elif engine == "SQLite":
            url = f"sqlite:///{Path(stack.enter_context(tempfile.TemporaryDirectory()))}/sessions.db"
        else:
            started = stack.enter_context(running([engine.lower()]))
            if started.missing:
                raise SystemExit("; ".join(started.missing))
            url = f"{started.servers.urls()[engine.lower()]}?timeout=20"
        store = open_store(url)
        stack.callback(store.close)
        yield SessionManager(SECRET, store=store, **settings)


def log_in(manager: SessionManager, owner: str) -> CookieHeader:
    """Return a new browser's cookie, logged in."""
    cookie = CookieHeader()
    with session_transaction(manager, cookie) as session:
        session.login(owner)
        session["visits"] = 0
    return cookie


def requests(manager: SessionManager, cookies: list[str], *, until: Callable[[], bool]) -> list[float]:
    """Send requests of random visitors, one in five a write; return how many seconds each took."""
    times, draw = [], random.Random(1)
    for number in count():
        if until():
            return sorted(times)
        begin = perf_counter()
        session = manager.open(draw.choice(cookies))
        assert "visits" in session
        if number % 5 == 0:
            session["visits"] = number
        manager.commit(session)
        times.append(perf_counter() - begin)
        sleep(_REST_SECONDS)
    raise AssertionError


def ending(engine: str, size: int, *, elsewhere: bool = False) -> list[str]:
    """Return the row of an engine: how long `size` sessions take to end, and the visitors' slow requests.

    Args:
        engine: One of `ENGINES`.
        size: How many sessions the one owner has.
        elsewhere: Another process ends them, and not a thread beside the visitors.
    """
    with manager_of(engine, max_sessions_per_owner=None) as manager:
        for _ in range(size):
            log_in(manager, _ROBOT)
        cookies = [log_in(manager, f"visitor-{number}").value for number in range(VISITORS)]
        before_until = perf_counter() + _BEFORE_SECONDS
        before = requests(manager, cookies, until=lambda: perf_counter() > before_until)
        kind: Any = multiprocessing.get_context("fork").Process if elsewhere else threading.Thread
        other = kind(target=manager.end_all, args=(_ROBOT,))
        begin = perf_counter()
        other.start()
        meanwhile = requests(manager, cookies, until=lambda: not other.is_alive())
        seconds = perf_counter() - begin
        assert manager.sessions_of(_ROBOT) == []
    slow = [times[len(times) * 99 // 100] * 1e3 for times in (before, meanwhile)]
    name = f"{engine}, by another process" if elsewhere else engine
    return [name, f"{seconds:.1f}", *(f"{each:.1f}" for each in slow), f"{slow[1] / slow[0]:.1f}"]


def writing(engine: str, writes: int, *, counter: bool) -> list[str]:
    """Return the row of an engine: writes a second, conflicts, races lost, and the longest request."""
    lost, conflicts, longest = [0], [0], [0.0]

    def note(event: object) -> None:
        if isinstance(event, ConflictMerged):
            lost.append(event.tries)

    with manager_of(engine, on_event=note) as manager:
        cookie = log_in(manager, "ann")

        def write(writer: int) -> None:
            for number in range(writes // WRITERS):
                begin = perf_counter()
                session = manager.open(cookie.value)
                if counter:
                    session.mutate(lambda data: data.update(visits=data["visits"] + 1))
                else:
                    session[f"writer-{writer}"] = number
                try:
                    manager.commit(session)
                except SessionConflict:
                    conflicts.append(1)
                longest.append(perf_counter() - begin)

        threads = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
        begin = perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = perf_counter() - begin
        session = manager.open(cookie.value)
        expected = writes // WRITERS * WRITERS
        stands = session["visits"] if counter else sum(session[f"writer-{w}"] + 1 for w in range(WRITERS))
        assert stands == expected - sum(conflicts)
    what = "one counter" if counter else "a key each"
    figures = [f"{expected / seconds:,.0f}", f"{sum(conflicts)}", f"{max(lost)}", f"{max(longest):.1f}"]
    return [engine, what, *figures]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engines", nargs="*", help=f"some of {', '.join(ENGINES)}; by default all")
    parser.add_argument("--sessions", type=int, default=100_000, help="how many end")
    parser.add_argument("--writes", type=int, default=20_000, help="how many are written to one session")
    given = parser.parse_args()
    unknown = set(given.engines) - set(ENGINES)
    if unknown:
        parser.error(f"no engine is called {', '.join(sorted(unknown))}; there are {', '.join(ENGINES)}")
    engines = [engine for engine in ENGINES if not given.engines or engine in given.engines]
    logging.disable(logging.CRITICAL)  # each session that ends is a line
    endings = [ending(engine, given.sessions) for engine in engines if engine != "Memcached"]
    if "SQLite" in engines:
        endings.append(ending("SQLite", given.sessions, elsewhere=True))
    head = [f"{given.sessions:,} sessions end", "seconds", "p99 before, ms", "p99 meanwhile, ms", "×"]
    print(table(head, endings))
    writings = [writing(engine, given.writes, counter=each) for engine in engines for each in (False, True)]
    head = [
        f"{given.writes:,} writes by {WRITERS}",
        "of",
        "a second",
        "`SessionConflict`",
        "most races lost",
        "longest, s",
    ]
    print(f"\n{table(head, writings)}")


if __name__ == "__main__":
    main()
