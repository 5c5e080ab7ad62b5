"""Whether requests leave anything behind in memory: ``python -m benchmarks.soak [backend …] [--requests 300000]``.

Visitors come, use all that a session offers, show junk, and go. What Python's allocators hold is looked at after a
beginning, which fills caches and learns queries, and after each third of the rest. Caches that are full come and go by
some kilobytes; what is left behind for ever grows in each third, so the third that grew least is what counts.
"""

import argparse
import gc
import logging
import tempfile
import tracemalloc
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from benchmarks.apps import SECRET
from benchmarks.harness import App, Environ, environ
from benchmarks.tables import table
from cookiesess import CookiePolicy, CookiesessError, Session, SessionMiddleware, get_session, open_store
from cookiesess.testing import CookieHeader, ManualClock

ACTIONS: Final[tuple[Callable[[Session], object], ...]] = (
    lambda session: session.update(a=1),
    lambda session: session.get("a"),
    lambda session: session.login("ann"),
    lambda session: session.setdefault("cart", []).append(1),
    lambda session: session.flash("saved"),
    lambda session: session.pop_flashes(),
    lambda session: session.check_csrf(session.csrf_token()),
    lambda session: session.renew(),
    lambda session: session.update(wrong=object()),
    lambda session: session.update(large="x" * 5000),
    lambda session: session.mutate(lambda data: data.update(n=data.get("n", 0) + 1)),
    lambda session: session.login("bob"),
    lambda session: session.save(),
    len,
    lambda session: session.invalidate(),
)
"""What one visitor does, a request each. Two of them fail, as an app's mistakes do."""

_NAME: Final = "session"
JUNK: Final = (f"{_NAME}=AAAA", f"{_NAME}={'AU' * 60}", f"{_NAME}=\xff", "a=b", "")
REQUESTS: Final = len(ACTIONS) + len(JUNK)
"""How many requests a visitor makes."""

# Visitors before the first look: more than any cache of the library holds of what visitors bring.
_BEGINNING: Final = 100

_POLICY: Final = CookiePolicy(_NAME, secure=False)
_SMALL: Final = CookiePolicy(_NAME, secure=False, max_bytes=900)


def _file(folder: Path) -> str:
    return f"sqlite:///{folder}/sessions.db"


BACKENDS: Final[Mapping[str, Callable[[Path], Mapping[str, Any]]]] = {
    "cookie": lambda folder: {},
    "cookies": lambda folder: {"cookie": CookiePolicy(_NAME, secure=False, chunks=3)},
    "memory": lambda folder: {"store": open_store("memory://?max_sessions=20")},
    "SQLite": lambda folder: {"store": open_store(_file(folder))},
    "overflow": lambda folder: {"overflow": open_store(_file(folder)), "cookie": _SMALL},
    "revocations": lambda folder: {"revocations": open_store(_file(folder)), "revocation_cache_seconds": 5},
}


def grown_bytes(backend: str, visitors: int) -> int:
    """Return how much more memory is held for so many visitors, by the third of them that left least."""
    clock = ManualClock()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings: dict[str, Any] = {"cookie": _POLICY, **BACKENDS[backend](folder)}
        for value in settings.values():
            if hasattr(value, "close"):
                stack.callback(value.close)
        app = SessionMiddleware(_app, SECRET, clock=clock, **settings)
        tracemalloc.start()
        stack.callback(tracemalloc.stop)
        held = [_held(app, clock, _BEGINNING), *(_held(app, clock, visitors // 3) for _ in range(3))]
        return 3 * min(after - before for before, after in pairwise(held))


def _held(app: App, clock: ManualClock, visitors: int) -> int:
    """Have visitors come and go, and return how many bytes are held then."""
    for _ in range(visitors):
        browser = CookieHeader()
        for number in range(len(ACTIONS)):
            browser.follow(_set_cookies(app, f"/{number}", browser.value))
        for junk in JUNK:
            _set_cookies(app, "/1", junk)
        clock.advance(60)
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def _set_cookies(app: App, path: str, header: str) -> list[str]:
    """Send a request, and return the Set-Cookie lines of its answer."""
    lines: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[..., object]:
        lines.extend(value for name, value in headers if name == "Set-Cookie")
        return lines.append

    with suppress(CookiesessError):
        body: Any = app(environ(path, header), start_response)
        for _ in body:
            pass
    return lines


def _app(request: Environ, start_response: Any) -> list[bytes]:
    ACTIONS[int(request["PATH_INFO"][1:])](get_session(request))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b""]


def main() -> None:
    """Print how much each backend grows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("backends", nargs="*", help=f"some of {', '.join(BACKENDS)}; by default all")
    parser.add_argument("--requests", type=int, default=300_000, help="of each backend (default: %(default)s)")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    visitors = given.requests // REQUESTS
    rows = []
    for backend in given.backends or BACKENDS:
        grown = grown_bytes(backend, visitors)
        rows.append([backend, f"{visitors * REQUESTS:,}", f"{grown:,}", f"{grown / (visitors * REQUESTS):.3f}"])
        print(" | ".join(rows[-1]), flush=True)
    print(f"\n{table(['backend', 'requests', 'bytes grown', 'a request'], rows)}")


if __name__ == "__main__":
    main()
