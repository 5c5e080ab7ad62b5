"""How SQLite grows: requests on one file with a thousand, a hundred thousand and a million sessions, and while 10^5
expired ones are swept out of it.

Times are those of whole requests, each timed alone, so that the slow ones show: half of all are faster than p50, one in
a hundred is slower than p99.
"""

import multiprocessing
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from secrets import token_bytes
from time import perf_counter, sleep, time
from typing import Any, NamedTuple

from benchmarks.apps import SECRET, Handler, plain_app
from benchmarks.harness import TYPICAL, Environ, ask, environ
from benchmarks.tables import table

SIZES, QUICK_SIZES = (1_000, 100_000, 1_000_000), (1_000, 10_000)
EXPIRED, QUICK_EXPIRED = 100_000, 10_000
VISITORS, DEVICES = 1_000, 5  # who send the requests, each owner from so many devices
# Rows a transaction, and the rest after it. Without a rest the sweeper would take the lock again at once: a writer that
# found it taken looks again only after SQLite's own pauses, of 1, 2, 5, 10, … ms.
SWEEP_LIMIT, SWEEP_PAUSE_SECONDS = 500, 0.02
RECORD_BYTES, SUMMARY_BYTES = 330, 60  # what the typical session takes, sealed


class Times(NamedTuple):
    """The seconds of single operations, by kind."""

    read: list[float]
    write: list[float]
    listing: list[float]


class Site:
    """An app with sessions in the file at `path`, and its visitors, all logged in."""

    def __init__(self, path: Path) -> None:
        from cookiesess import SessionMiddleware, get_manager, get_session
        from cookiesess.stores.sqlite import SQLiteStore

        managers: list[Any] = []

        class Login(Handler):
            def first(self, request: Environ) -> str:
                managers.append(get_manager(request))
                get_session(request).login(f"user-{len(managers) // DEVICES}")
                return super().first(request)

        self._app = SessionMiddleware(plain_app(Login(TYPICAL, get_session)), SECRET, store=SQLiteStore(path))
        self._cookies = [ask(self._app, "/first").cookie for _ in range(VISITORS)]
        self._manager = managers[0]
        assert len(self._manager.sessions_of("user-1")) == DEVICES, "the listing does not show the devices"

    def requests(self, *, until: Callable[[], bool]) -> Times:
        """Send requests of random visitors, nine reads to a write and a listing now and then, until told to stop."""
        times = Times([], [], [])
        pick = random.Random(4711)
        while not (times.listing and until()):
            for path in pick.sample(["/read"] * 9 + ["/write"], 10):
                request = environ(path, pick.choice(self._cookies))
                start = perf_counter()
                b"".join(self._app(request, _start_response))
                elapsed = perf_counter() - start
                (times.write if path == "/write" else times.read).append(elapsed)
            owner = f"user-{pick.randrange(1, VISITORS // DEVICES)}"
            start = perf_counter()
            self._manager.sessions_of(owner)
            times.listing.append(perf_counter() - start)
        return times


def run(directory: Path, *, quick: bool) -> None:
    """Print both tables, for one file in `directory` that grows."""
    path = directory / "growth.db"
    sizes, expired, seconds = (QUICK_SIZES, QUICK_EXPIRED, 0.5) if quick else (SIZES, EXPIRED, 5.0)
    site, present = Site(path), VISITORS
    grown, swept = [], []
    for size in sizes:
        fill(path, max(0, size - present), expires_at=int(time()) + 14 * 24 * 3600)
        present = max(size, present)
        calm = site.requests(until=_after(seconds))
        grown.append([f"{size:,}", f"{path.stat().st_size / 1e6:.1f}", *(f"{us(t, 0.5)}" for t in calm)])
        swept.append([f"{size:,}", "nobody sweeps", "", *_percentiles(calm)])
        for name, sweeper in (("another process sweeps", process_sweeping), ("a thread sweeps", thread_sweeping)):
            fill(path, expired, expires_at=int(time()) - 1)
            with sweeper(path) as is_over:
                start = perf_counter()
                times = site.requests(until=is_over)
                elapsed = perf_counter() - start
            assert sweep(path) == 0, "the sweep left expired sessions"
            swept.append([f"{size:,}", name, f"{elapsed:.1f}", *_percentiles(times)])
    print(f"SQLite, a request in µs (p50); an owner has {DEVICES} sessions\n")
    print(table(["sessions in the file", "MB", "read", "write", "sessions_of"], grown))
    pace = f"{SWEEP_LIMIT} a transaction, {SWEEP_PAUSE_SECONDS} s apart"
    print(f"\nSweeping {expired:,} expired ones ({pace}) while requests are served, in µs\n")
    head = ["sessions in the file", "meanwhile", "seconds", "read p50", "read p99", "write p50", "write p99"]
    print(table(head, swept))


def fill(path: Path, count: int, *, expires_at: int) -> None:
    """Put `count` sessions of others into the file."""
    from cookiesess.stores.base import Record
    from cookiesess.stores.sqlite import SQLiteStore

    with closing(SQLiteStore(path, sweep_batch=0)) as store:  # or it would sweep the expired ones right away
        owner = None
        for number in range(count):
            if number % DEVICES == 0:
                owner = token_bytes(32)
            record = Record(token_bytes(RECORD_BYTES), expires_at, token_bytes(SUMMARY_BYTES), owner)
            store.create(token_bytes(32), record, now=expires_at - 1)


def sweep(path: Path) -> int:
    """Delete all that has expired, in small transactions; return how many that were."""
    from cookiesess.stores.sqlite import SQLiteStore

    total = 0
    with closing(SQLiteStore(path, sweep_batch=0)) as store:
        while deleted := store.delete_expired(now=int(time()), limit=SWEEP_LIMIT):
            total += deleted
            sleep(SWEEP_PAUSE_SECONDS)
    return total


@contextmanager
def thread_sweeping(path: Path) -> Iterator[Callable[[], bool]]:
    """Sweep in a thread of this process, which shares its interpreter; yield what tells that it is over."""
    thread = threading.Thread(target=sweep, args=(path,))
    thread.start()
    yield lambda: not thread.is_alive()
    thread.join()


@contextmanager
def process_sweeping(path: Path) -> Iterator[Callable[[], bool]]:
    """Sweep in another process, as a cron job does; yield, once it has begun, what tells that it is over."""
    context = multiprocessing.get_context("spawn")
    began = context.Event()
    process = context.Process(target=_sweep_aloud, args=(path, began))
    process.start()
    began.wait()
    yield lambda: process.exitcode is not None
    process.join()


def _sweep_aloud(path: Path, began: Any) -> None:
    began.set()
    sweep(path)


def us(times: list[float], part: float) -> str:
    """Return the time, in microseconds, that `part` of all stay below."""
    return f"{sorted(times)[int(len(times) * part)] * 1e6:,.0f}"


def _percentiles(times: Times) -> list[str]:
    return [us(kind, part) for kind in (times.read, times.write) for part in (0.5, 0.99)]


def _after(seconds: float) -> Callable[[], bool]:
    deadline = perf_counter() + seconds
    return lambda: perf_counter() > deadline


def _start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
    return None
