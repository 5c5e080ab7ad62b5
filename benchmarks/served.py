"""What is left of a server's speed: gunicorn, one worker on one core, and what asks it on another.

All contestants are in that worker, so that they are asked in turn, in short batches, by one and the same load. What
counts is the time that the worker computes for a request: on a core of its own that is all the time there is.
"""

import os
import random
import re
import socket
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, sleep

from benchmarks.flows import FLOWS, USUAL
from benchmarks.harness import among_others
from benchmarks.served_app import DIRECTORY, FLASK, HTTP, SERVED, WSGI
from benchmarks.stores_servers import on_cores
from benchmarks.tables import table

ROOT = Path(__file__).parents[1]
_WANTED = {"untouched": "ok", "read": "1000", "write": "[0-9]+", "first": "ok"}
_BARE = "read one key"
_BATCH, _WAITING = 60, 3
_PATIENCE_SECONDS = 60


@dataclass
class Cell:
    """A request over the socket, and what the worker took for it in each batch."""

    request: bytes
    seconds: list[float] = field(default_factory=list)

    @property
    def cost(self) -> float:
        """The seconds of a batch that few others disturbed: a quarter of them took less."""
        return sorted(self.seconds)[len(self.seconds) // 4]


class Worker:
    """The one process that answers at a socket."""

    def __init__(self, place: Path) -> None:
        self._place = str(place)
        self.clock()

    def ask(self, request: bytes) -> bytes:
        """Return the whole answer."""
        return _answer(self._send(request))

    def load(self, request: bytes) -> float:
        """Send a batch, with always some that wait; return the worker's seconds for each."""
        before = self.clock()
        waiting = deque(self._send(request) for _ in range(_WAITING))
        for _ in range(_BATCH - _WAITING):
            _answer(waiting.popleft())
            waiting.append(self._send(request))
        while waiting:
            _answer(waiting.popleft())
        return (self.clock() - before) / _BATCH

    def _send(self, request: bytes) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(_PATIENCE_SECONDS)
        connection.connect(self._place)
        connection.sendall(request)
        return connection

    def clock(self) -> float:
        """Return the seconds that it has computed."""
        return float(self.ask(_request("/clock")).rpartition(b"\r\n\r\n")[2])


def _answer(connection: socket.socket) -> bytes:
    with connection:
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def _request(path: str, cookie: str = "", *, scheme: str = "https") -> bytes:
    """Return a request as a proxy passes it on."""
    lines = (
        f"GET {path} HTTP/1.1",
        "Host: shop.example",
        "Connection: close",
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "Accept-Language: de-AT,de;q=0.8,en;q=0.5",
        "Accept-Encoding: gzip, deflate, br",
        f"X-Forwarded-Proto: {scheme}",
        f"Cookie: {among_others(cookie)}",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


@contextmanager
def gunicorn(directory: Path) -> Iterator[Worker]:
    """Start gunicorn with one worker, pinned to the last core, and stop it in the end.

    Raises:
        RuntimeError: It does not start.
    """
    place = directory / "socket"
    command = [sys.executable, "-m", "gunicorn", "--workers", "1", "--log-level", "warning"]
    command += ["--bind", f"unix:{place}", "benchmarks.served_app:made()"]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, DIRECTORY: str(directory)}
    with on_cores("server"):
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE)
    try:
        yield _started(process, place)
    finally:
        process.terminate()
        process.communicate()


def _started(process: "subprocess.Popen[bytes]", place: Path) -> Worker:
    deadline = monotonic() + _PATIENCE_SECONDS
    while monotonic() < deadline and process.poll() is None:
        try:
            return Worker(place)
        except OSError:
            sleep(0.05)
    process.kill()
    raise RuntimeError(f"gunicorn did not start: {process.communicate()[1].decode()[-2000:]}")


def prepared(worker: Worker, name: str, column: str, *, scheme: str) -> Cell:
    """Return a cell of the app that is behind `name`, having seen that it answers as it should."""
    flow, cookie = FLOWS[column], ""
    if flow.visit is not None:
        head = worker.ask(_request(f"/{name}/{flow.visit}", scheme=scheme)).partition(b"\r\n\r\n")[0].decode()
        lines = [line.partition(": ")[2] for line in head.split("\r\n") if line.lower().startswith("set-cookie: ")]
        cookie = lines[0].partition(";")[0] if lines else ""
    request = _request(f"/{name}/{flow.route}", cookie, scheme=scheme)
    head, _, text = worker.ask(request).decode().partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200 "), head
    wanted = _WANTED[flow.route] if name.isdecimal() else "ok"
    assert re.fullmatch(wanted, text), f"{name}, {column}: answered {text!r}"
    return Cell(request)


def measured(*, seconds: float) -> tuple[str, list[str]]:
    """Ask all for so long; return the table, and who was left out."""
    if find_spec("gunicorn") is None:
        return "gunicorn is not installed.", ["gunicorn: not installed"]
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name,
        gunicorn(Path(name)) as worker,
        on_cores("client"),
    ):
        cells, missing = _cells(worker)
        _run(worker, list(cells.values()), seconds=seconds)
    return _table(cells), missing


def _cells(worker: Worker) -> tuple[dict[tuple[str, str, str], Cell], list[str]]:
    """Return the cells by number or bare app, scheme and column; and who is not there."""
    schemes = {WSGI: HTTP, FLASK: HTTP, **{str(number): served.schemes for number, served in enumerate(SERVED)}}
    there = [
        name for name in schemes if b" 404 " not in worker.ask(_request(f"/{name}/untouched")).partition(b"\r\n")[0]
    ]
    # A bare app does the same whatever it is asked for.
    columns = {name: USUAL if name.isdecimal() else (_BARE,) for name in there}
    places = [(name, scheme, column) for name in there for scheme in schemes[name] for column in columns[name]]
    cells = {place: prepared(worker, place[0], place[2], scheme=place[1]) for place in places}
    return cells, [f"{served.name} behind gunicorn" for n, served in enumerate(SERVED) if str(n) not in there]


def _run(worker: Worker, cells: list[Cell], *, seconds: float) -> None:
    shuffle = random.Random(4711).shuffle  # the same orders in every run
    deadline = monotonic() + seconds
    for cell in cells:
        worker.load(cell.request)
    while not cells[0].seconds or monotonic() < deadline:
        shuffle(cells)
        for cell in cells:
            cell.seconds.append(worker.load(cell.request))


def _table(cells: Mapping[tuple[str, str, str], Cell]) -> str:
    """Render how many requests are left of a hundred that the bare app would answer in the same time."""
    rows = []
    for number, served in enumerate(SERVED):
        for scheme in served.schemes:
            asked = [cells[str(number), scheme, column] for column in USUAL if (str(number), scheme, column) in cells]
            if asked:
                bare = cells[served.bare, scheme, _BARE].cost
                left = [f"{100 * bare / cell.cost:.0f}" for cell in asked]
                rows.append([f"{served.name}{', plain HTTP' if scheme == 'http' else ''}", served.bare, *left])
    return table(["of 100 requests of the bare app", "on", *USUAL], rows)
