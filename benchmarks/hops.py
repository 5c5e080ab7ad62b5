"""How far a request travels through the library: ``python -m benchmarks.hops``, with ``-v`` as a tree of its calls.

A reader follows a request from file to file, so what is counted is what a reader meets: the library's own Python
calls, how many of its files they are in, how often the next call is in another file than the one before, and how deep
they stand in each other. What the app and other libraries do is left out. Counts are the same in every run.
"""

import argparse
import gc
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import pairwise, repeat
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import cookiesess
from benchmarks.apps import SECRET
from benchmarks.harness import App, Environ, environ
from benchmarks.tables import table
from cookiesess import Session, SessionManager, SessionMiddleware, get_session
from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore

ROOT = Path(cookiesess.__file__).parent

FLOWS: dict[str, Callable[[Session], object]] = {
    "untouched": lambda session: None,
    "first": lambda session: session.update(visits=1),
    "read": lambda session: session["visits"],
    "write": lambda session: session.update(visits=session["visits"] + 1),
    "login": lambda session: session.login("user-42"),
    "logout": lambda session: session.invalidate(),
}
"""What the app does with its session, each in one request. All but the first visit bring the cookie of one."""


class Hop(NamedTuple):
    """One call: how many calls of the library it stands in, its file below the package, its qualified name."""

    depth: int
    file: str
    function: str


BACKENDS = ("client-side", "SQLite", "client-side, overflow=, revocations=")


def manager_of(backend: str, directory: Path, cleanup: ExitStack) -> SessionManager:
    """Return a new manager of one of `BACKENDS`; its file goes into `directory`, and `cleanup` closes it.

    Its clock stands still, and it is for one flow alone: what is done once a second, or at each 16th write, would be
    counted in one run and not in the next.
    """
    clock = repeat(1_763_877_600).__next__
    if backend == "client-side":
        return SessionManager(SECRET, clock=clock)
    store = SQLiteStore(directory / "sessions.db")
    cleanup.callback(store.close)
    if backend == "SQLite":
        return SessionManager(SECRET, store=store, clock=clock)
    # These sessions fit into their cookies: what is counted is that they might not, and that they can be ended.
    return SessionManager(SECRET, overflow=MemoryStore(), revocations=store, clock=clock)


def travel(manager: SessionManager, flow: str) -> list[Hop]:
    """Return the calls of one request of `flow`, in the order in which they begin."""
    ask(_app(manager, flow), environ("/", _visitor(manager, flow)))  # what is done once a process is over after this
    request = environ("/", _visitor(manager, flow))
    app = _app(manager, flow)
    hops: list[Hop] = []
    gc.disable()  # the end of an earlier manager is no part of this request
    sys.setprofile(_listener(hops.append))
    try:
        ask(app, request)
    finally:
        sys.setprofile(None)
        gc.enable()
    return hops


def ask(app: App, request: Environ) -> str:
    """Run one request to its end, as a server does; return the cookie it set, ``name=value``, or an empty text."""
    cookies: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[..., object]:
        cookies.extend(value.partition(";")[0] for name, value in headers if name == "Set-Cookie")
        return cookies.append

    body: Any = app(request, start_response)
    for _ in body:
        pass
    return cookies[0] if cookies else ""


def counts(hops: Sequence[Hop]) -> tuple[int, int, int, int]:
    """Return the number of calls, of files, of changes from file to file, and the greatest depth."""
    changes = sum(before.file != after.file for before, after in pairwise(hops))
    return len(hops), len({hop.file for hop in hops}), changes, max(hop.depth for hop in hops) + 1


def tree(hops: Sequence[Hop]) -> str:
    """Render the calls, each below the one that it stands in."""
    return "\n".join(f"    {'  ' * hop.depth}{hop.function}  [{hop.file}]" for hop in hops)


def _visitor(manager: SessionManager, flow: str) -> str | None:
    return None if flow == "first" else ask(_app(manager, "first"), environ("/"))


def _app(manager: SessionManager, flow: str) -> App:
    use = FLOWS[flow]

    def app(request: Environ, start_response: Callable[..., object]) -> list[bytes]:
        if flow != "untouched":
            use(get_session(request))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"ok"]

    return SessionMiddleware(app, manager)


def _listener(heard: Callable[[Hop], object]) -> Callable[[FrameType, str, object], None]:
    """Return a profile function that tells `heard` of each call of the library's own."""
    root, depth = f"{ROOT}/", 0

    def listen(frame: FrameType, event: str, argument: object) -> None:
        nonlocal depth
        path = frame.f_code.co_filename
        if event not in ("call", "return") or not path.startswith(root):
            return
        if event == "call":
            heard(Hop(depth, path.removeprefix(root), frame.f_code.co_qualname))
        depth += 1 if event == "call" else -1

    return listen


def main(argv: Sequence[str] | None = None) -> int:
    """Count and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("-v", "--verbose", action="store_true", help="print every call, as a tree")
    options.add_argument("flows", nargs="*", metavar="flow", help=f"of {', '.join(FLOWS)}; by default all")
    arguments = options.parse_args(argv)
    if unknown := set(arguments.flows) - set(FLOWS):
        options.error(f"there is no flow {', '.join(sorted(unknown))}; choose from {', '.join(FLOWS)}")
    rows = []
    for backend in BACKENDS:
        for flow in arguments.flows or FLOWS:
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, ExitStack() as cleanup:
                hops = travel(manager_of(backend, Path(name), cleanup), flow)
            rows.append([f"{backend}: {flow}", *map(str, counts(hops))])
            if arguments.verbose:
                print(rows[-1][0], tree(hops), sep="\n", end="\n\n")
    print(table(["a request", "Python calls", "files", "changes of file", "depth"], rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
