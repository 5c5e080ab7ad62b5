"""The process in which rows are counted: ``python -m benchmarks.instructions_child NAME…``, under callgrind or not.

It prints a line of JSON for each row. Two system calls that nothing else here makes tell callgrind to write down what
it has counted and to begin anew; so rows share a process, and no start-up is in the figures.
"""

import gc
import json
import os
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.harness import App, Environ, among_others, ask
from benchmarks.instructions_apps import Apps, Place
from benchmarks.instructions_rows import CALLS, INSTRUCTIONS, ROWS, WAL_BYTES, Row

T = TypeVar("T")

MARKS = ("getppid", "getsid")
"""The functions of the C library, called before and after what is counted, at which callgrind writes a dump. (Told to
zero its counters at the first one instead, version 3.19 leaves some costs of the start-up in the next dump.)"""

# CPython 3.11 specialises the code of a function in its first eight calls or so, and goes on for a while.
_WARM_UP = 16
# As many sessions as make the indexes of a small site; of these every tenth is written.
_WAL_SESSIONS, _WAL_STEP = 3000, 10


_dumps = count(1)  # callgrind numbers them


def run(app: App, request: Environ, times: int, *, begin: Callable[[], object], end: Callable[[], T]) -> T:
    """Run a request so many times, as a server does, after `begin` and before `end`, and return what that returns."""
    requests = [request.copy() for _ in range(times)]
    begin()
    while requests:
        body: Any = app(requests.pop(), _start_response)
        for _ in body:
            pass
        if (close := getattr(body, "close", None)) is not None:
            close()
    return end()


def instructions(row: Row, apps: Apps) -> dict[str, Any]:
    """Have callgrind count the app's requests and the bare one's; return the numbers of the dumps that hold them."""
    request, dumps = row.request(apps.app), []
    for app in apps:
        run(app, request, min(row.requests, _WARM_UP), begin=_nothing, end=_nothing)
        dumps.append(run(app, request, row.requests, begin=_begin, end=_end))
    return {"requests": row.requests, "dumps": dumps}


def _begin() -> None:
    next(_dumps)
    os.getppid()


def _end() -> int:
    number = next(_dumps)
    os.getsid(0)
    return number


def calls(row: Row, apps: Apps) -> dict[str, Any]:
    """Return how many calls of Python functions one request makes more than in the bare app."""
    request = row.request(apps.app)
    seen: list[int] = []

    def listen(frame: object, event: str, argument: object) -> None:
        if event == "call":
            seen[-1] += 1

    for app in apps:
        seen.append(0)
        run(app, request, 1, begin=lambda: sys.setprofile(listen), end=lambda: sys.setprofile(None))
    return {"value": seen[0] - seen[1]}


def wal_bytes(row: Row, apps: Apps, directory: Path) -> dict[str, Any]:
    """Return by how much the file beside the database grows with each write, while it may not be emptied."""
    cookies = [ask(apps.app, f"/{row.visit}").cookie or "" for _ in range(_WAL_SESSIONS)]
    reader = sqlite3.connect(directory / "sessions.db", isolation_level=None)
    reader.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    # As long as somebody reads what was, nothing of the file can be used again: so it needs no setting of the store's.
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM sqlite_schema")
    written, wal = cookies[::_WAL_STEP], directory / "sessions.db-wal"
    before = wal.stat().st_size
    for cookie in written:
        ask(apps.app, f"/{row.route}", among_others(cookie))
    grown = wal.stat().st_size - before
    reader.close()
    return {"value": grown / len(written)}


def measured(row: Row) -> dict[str, Any]:
    """Count one row, in an app and a directory of its own, so that it does not matter what was counted before."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, ExitStack() as cleanup:
        directory = Path(name)
        apps = row.build(Place(directory, cleanup))
        if row.unit == WAL_BYTES:
            return wal_bytes(row, apps, directory)
        return {INSTRUCTIONS: instructions, CALLS: calls}[row.unit](row, apps)


def answers(names: list[str]) -> Iterator[dict[str, Any]]:
    """Yield what was found for each row: the numbers of the dumps that hold its requests, or its value, or why neither.

    Whatever fails fails that row alone: an older tree may lack what a new row is about.
    """
    gc.disable()  # else now one batch would hold a collection, and now another
    for row in ROWS:
        if row.name in names:
            try:
                yield {"name": row.name, **measured(row)}
            except Exception as error:
                yield {"name": row.name, "error": f"{type(error).__name__}: {error}"}


def _start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], object]:
    return _nothing


def _nothing(*_: object) -> None:
    pass


if __name__ == "__main__":
    for line in answers(sys.argv[1:]):
        print(json.dumps(line), flush=True)
