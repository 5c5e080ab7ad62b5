"""Requests a second by number of threads and processes, and who was busy meanwhile.

Each thread asks for a session of its own, without a pause, through the middleware and a bare WSGI app. The server keeps
to one core; the clients may use all, that one too, as on a machine that has both. One Python process runs on one core
at a time, whatever its threads.
"""

import multiprocessing
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.apps import SECRET, Handler, plain_app
from benchmarks.harness import TYPICAL, App, ask, environ
from benchmarks.stores_servers import Running, on_cores
from benchmarks.tables import table

ENGINES = {"redis": "Redis", "postgresql": "PostgreSQL"}
THREADS, PROCESSES = (1, 2, 4, 8, 16), (1, 2, 4)
# More than that must a further step bring, to count as growth on a machine with others on it.
_GROWTH = 1.05


class Rate(NamedTuple):
    """What a number of processes with a number of threads each reached.

    Attributes:
        per_second: Requests of all together.
        client: Processor time that they took, of one core (1.0), and
        server: what the server took.
    """

    per_second: float
    client: float
    server: float

    @property
    def server_us(self) -> float:
        """Microseconds of the server's processor for a request."""
        return self.server / self.per_second * 1e6


def run(started: Running, *, seconds: float) -> None:
    """Measure each combination for `seconds` on each engine that runs, and print the tables."""
    with on_cores("all"):
        for engine, url in started.servers.urls().items():
            if engine in ENGINES:
                with _workers(url, max(PROCESSES)) as workers:
                    for path in ("/read", "/write"):
                        rates = _rates(workers, path, started.pids[engine], seconds)
                        print(f"\n### {ENGINES[engine]}, requests that {path[1:]}, a second\n\n{rates_table(rates)}")


def rates_table(rates: dict[tuple[int, int], Rate]) -> str:
    """Render rates by processes and threads, with where threads stop helping, and how busy everybody was there."""
    rows = []
    for processes in PROCESSES:
        line = [rates[processes, threads] for threads in THREADS]
        best = _enough(line)
        shown = [f"{rate.per_second:,.0f}" for rate in line]
        busy = [f"{line[best].client:.0%}", f"{line[best].server:.0%}", f"{line[best].server_us:.0f}"]
        rows.append([str(processes), *shown, str(THREADS[best]), *busy])
    threads = [f"{count} thread{'s' * (count > 1)}" for count in THREADS]
    return table(["processes", *threads, "grows up to", "clients' cores", "server's core", "its µs a request"], rows)


def _enough(line: Sequence[Rate]) -> int:
    """Return the first place after which nothing in the line is notably more."""
    most = max(rate.per_second for rate in line)
    return next(index for index, rate in enumerate(line) if rate.per_second * _GROWTH >= most)


def _rates(workers: list[Connection], path: str, pid: int, seconds: float) -> dict[tuple[int, int], Rate]:
    rates = {}
    for processes in PROCESSES:
        for threads in THREADS:
            before, started_at = _cpu_seconds(pid), time.perf_counter()
            for worker in workers[:processes]:
                worker.send((path, threads, seconds))
            answers = [worker.recv() for worker in workers[:processes]]
            elapsed, used = time.perf_counter() - started_at, _cpu_seconds(pid) - before
            done, busy = sum(answer[0] for answer in answers), sum(answer[1] for answer in answers)
            rates[processes, threads] = Rate(done, busy, used / elapsed)
    return rates


def _cpu_seconds(pid: int) -> float:
    """Return the processor time of a server's processes so far, as Linux counts it; 0 elsewhere."""
    here = Path(f"/proc/{pid}")
    if not here.exists():
        return 0
    pids = [str(pid), *(here / f"task/{pid}/children").read_text().split()]
    # Behind the name in brackets, which may hold anything: 13 and 14 of what man proc counts from 1 (utime, stime),
    # in hundredths of a second.
    fields = [Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split() for one in pids]
    return sum(int(field[11]) + int(field[12]) for field in fields) / 100


@contextmanager
def _workers(url: str, count: int) -> Iterator[list[Connection]]:
    """Start processes that each serve an app over the store, and wait for orders."""
    spawn = multiprocessing.get_context("spawn")
    ends = [spawn.Pipe() for _ in range(count)]
    processes = [spawn.Process(target=_work, args=(theirs, url), daemon=True) for _, theirs in ends]
    for process in processes:
        process.start()
    try:
        for ours, _ in ends:
            assert ours.recv() == "ready"
        yield [ours for ours, _ in ends]
    finally:
        for ours, _ in ends:
            ours.send(None)
        for process in processes:
            process.join()


def _work(orders: Connection, url: str) -> None:
    from cookiesess import SessionMiddleware, get_session
    from cookiesess.stores.urls import open_store

    store = open_store(url)
    app = SessionMiddleware(plain_app(Handler(TYPICAL, get_session)), SECRET, store=store)
    cookies = [ask(app, "/first").cookie for _ in range(max(THREADS))]
    orders.send("ready")
    while (order := orders.recv()) is not None:
        path, threads, seconds = order
        orders.send(_load(app, [environ(path, cookie) for cookie in cookies[:threads]], seconds))
    store.close()


def _load(app: App, requests: list[dict[str, Any]], seconds: float) -> tuple[float, float]:
    """Send each of `requests` again and again in a thread of its own; return requests and CPU seconds a second."""
    counts: list[int] = []
    barrier = threading.Barrier(len(requests) + 1)

    def ask_on(request: dict[str, Any]) -> None:
        count = 0
        barrier.wait()
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            for _ in app(request.copy(), _start_response):
                pass
            count += 1
        counts.append(count)

    threads = [threading.Thread(target=ask_on, args=(request,)) for request in requests]
    for thread in threads:
        thread.start()
    barrier.wait()
    started_at, cpu = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - started_at
    assert len(counts) == len(requests), "a thread failed"
    return sum(counts) / elapsed, (time.process_time() - cpu) / elapsed


def _start_response(status: str, headers: Any, exc_info: object = None) -> Any:
    assert status.startswith("200"), status
