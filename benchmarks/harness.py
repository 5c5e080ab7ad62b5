"""The measuring: sessions of two shapes, requests, and the interleaved loop.

The machines this runs on are noisy. So every cell (one library, one shape, one scenario) runs in many short batches, in
a new random order each round, all in one process: a slow second hits every cell alike, and the median of the batches
forgets it. Nothing here asserts a time; every cell has shown that it does its work before it is timed (`trial`).
"""

import gc
import io
import json
import random
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, NamedTuple

Environ = dict[str, Any]
App = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
Data = Mapping[str, Any]

SCENARIOS = ("untouched", "read", "write", "first")
"""A request with a session that never looks at it; that reads one key; that changes one; and a visitor's first one."""

SMALL: Data = {"user_id": 48151623, "visits": 1000}
# Ten keys, 275 bytes as msgpack, of the kinds that shops keep in sessions; JSON can carry it, so that every peer can.
TYPICAL: Data = {
    "user_id": 48151623,
    "name": "萧兮 Grünwald",
    "locale": "zh-Hans-CN",
    "theme": "solarized-dark",
    "csrf_token": "q3Vt0mJYbXg5cN4zHkLw7RfUe1SaPdQ2",
    "cart": [
        {"sku": "BK-20417", "count": 1},
        {"sku": "TE-00093", "count": 2},
        {"sku": "PO-77120", "count": 1},
    ],
    "preferences": {"currency": "EUR", "per_page": 50, "newsletter": False},
    "visits": 1000,
    "is_staff": False,
    "last_seen_at": 1763877600,
}
# What JSON cannot carry: the JSON of Flask can, to the second.
DATES: Data = {**TYPICAL, **{f"at_{n}": datetime(2025, 11, 23, 6, 0, n, 123456, tzinfo=UTC) for n in range(10)}}
LINES: Data = {"visits": 1000, "lines": [{"id": n, "n": 1} for n in range(200)]}
SHAPES: Mapping[str, Data] = {"small": SMALL, "typical": TYPICAL}

# Short enough that a busy moment of the machine spoils few batches, long enough that the clock's own cost is nothing.
BATCH_SECONDS = 0.002


@dataclass(frozen=True)
class Contestant:
    """One library in one configuration.

    Attributes:
        name: As the tables show it.
        bare: The same framework's app without sessions; contestants of one framework share one object.
        build: Takes the data of the first visit to the app with sessions. Both apps answer the paths of `SCENARIOS`;
            this one also `/dump`, with the session as JSON.
    """

    name: str
    bare: App
    build: Callable[[Data], App]


class Answer(NamedTuple):
    """What an app answered: its text, and ``name=value`` of the session cookie, None where it set none."""

    text: str
    cookie: str | None


def among_others(cookie: str = "") -> str:
    """Return a Cookie header with two more cookies than the session's, or with these alone."""
    return "; ".join(["theme=dark", *([cookie] if cookie else []), "_ga=GA1.2.1234567890.1763877600"])


def environ(path: str, cookie: str | None = None, *, scheme: str = "https") -> Environ:
    """Return a request as a server builds it, behind a proxy that ends TLS, or where there is none.

    Args:
        path: What is asked for.
        cookie: The whole Cookie header.
        scheme: ``"https"`` or ``"http"``.
    """
    request = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "shop.example",
        "SERVER_PORT": {"https": "443", "http": "80"}[scheme],
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.7",
        "HTTP_HOST": "shop.example",
        "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "HTTP_ACCEPT": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "HTTP_ACCEPT_LANGUAGE": "de-AT,de;q=0.8,en;q=0.5",
        "HTTP_ACCEPT_ENCODING": "gzip, deflate, br",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if cookie is not None:
        request["HTTP_COOKIE"] = cookie
    return request


def ask(app: App, path: str, cookie: str | None = None, *, scheme: str = "https") -> Answer:
    """Send one request and look at the answer closely. Not for timing."""
    lines: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[..., None]:
        assert status.startswith("200"), status
        lines.extend(value for name, value in headers if name.lower() == "set-cookie")
        return lines.append

    body = app(environ(path, cookie, scheme=scheme), start_response)
    text = b"".join(body).decode()
    _close(body)
    assert len(lines) <= 1, f"{len(lines)} Set-Cookie lines"
    return Answer(text, lines[0].partition(";")[0] if lines else None)


def trial(app: App, data: Data) -> str:
    """Show that `app` does its work in every scenario, so that nobody is timed doing nothing.

    Returns:
        The session cookie, ``name=value``, of a first visit with `data`.
    """
    assert ask(app, "/untouched").cookie is None, "an untouched new session set a cookie"
    cookie = ask(app, "/first").cookie
    assert cookie is not None, "the first visit set no cookie"
    assert json.loads(ask(app, "/dump", cookie).text) == data, "the session did not come back as it was"
    assert ask(app, "/read", cookie).text == str(data["visits"]), "the read returned something else"
    assert ask(app, "/untouched", cookie).cookie is None, "an untouched session set a cookie"
    written = ask(app, "/write", cookie)
    assert ask(app, "/read", written.cookie or cookie).text == written.text != str(data["visits"]), "a write was lost"
    return ask(app, "/first").cookie or ""


@dataclass
class Cell:
    """One thing that is timed: an app and the request it gets, by a clock that returns seconds."""

    app: App
    request: Environ
    clock: Callable[[], float] = perf_counter
    count: int = 0
    seconds: list[float] = field(default_factory=list)

    def calibrate(self) -> None:
        """Warm up, and find how many requests fill a batch."""
        self.run(3)
        self.count = max(3, min(2000, int(BATCH_SECONDS / max(self.run(10), 1e-9))))

    def run(self, count: int) -> float:
        """Return the seconds of one request, over `count` of them.

        Their environs are made before the clock runs, and each is let go when its request is over, as servers do.
        """
        app, clock, requests = self.app, self.clock, [self.request.copy() for _ in range(count)]
        gc.disable()
        start = clock()
        while requests:
            body = app(requests.pop(), _start_response)
            for _ in body:
                pass
            _close(body)
        elapsed = clock() - start
        gc.enable()
        return elapsed / count

    @property
    def us(self) -> float:
        """Median microseconds a request."""
        return statistics.median(self.seconds) * 1e6


class Result(NamedTuple):
    """What one contestant costs with one shape: microseconds over its bare app, by scenario; and its cookie."""

    us: Mapping[str, float]
    cookie: str

    @property
    def value_bytes(self) -> int:
        return len(self.cookie.partition("=")[2])


def measure(
    contestants: Sequence[Contestant], *, seconds: float, beside: Sequence[Cell] = ()
) -> dict[str, dict[str, Result]]:
    """Time all contestants, all shapes, all scenarios for `seconds` in all, interleaved, and the cells `beside` them.

    Returns:
        Results by shape and contestant's name.
    """
    cells: dict[tuple[str, str, str], Cell] = {}
    bare: dict[tuple[App, str], Cell] = {}
    cookies: dict[tuple[str, str], str] = {}
    for contestant in contestants:
        for shape, data in SHAPES.items():
            app = contestant.build(data)
            cookies[shape, contestant.name] = cookie = trial(app, data)
            for scenario in SCENARIOS:
                request = environ(f"/{scenario}", among_others("" if scenario == "first" else cookie))
                cells[shape, contestant.name, scenario] = Cell(app, request)
                bare.setdefault((contestant.bare, scenario), Cell(contestant.bare, request))
    run_interleaved([*cells.values(), *bare.values(), *beside], seconds=seconds)
    return {
        shape: {
            c.name: Result(
                {s: cells[shape, c.name, s].us - bare[c.bare, s].us for s in SCENARIOS}, cookies[shape, c.name]
            )
            for c in contestants
        }
        for shape in SHAPES
    }


def run_interleaved(cells: list[Cell], *, seconds: float) -> None:
    """Run a batch of every cell, in a new order each round, until the time is over; at least three rounds."""
    shuffle = random.Random(4711).shuffle  # the same orders in every run
    for cell in cells:
        cell.calibrate()
    gc.collect()
    gc.freeze()  # the frameworks' modules need not be walked between batches
    deadline = perf_counter() + seconds
    rounds = 0
    while rounds < 3 or perf_counter() < deadline:
        shuffle(cells)
        for cell in cells:
            cell.seconds.append(cell.run(cell.count))
        gc.collect()
        rounds += 1
    gc.unfreeze()


def _start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], None]:
    return _write


def _write(data: bytes) -> None:
    raise AssertionError("no contestant uses write()")


def _close(body: Iterable[bytes]) -> None:
    close = getattr(body, "close", None)
    if close is not None:
        close()
