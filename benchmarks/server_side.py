"""What a session in a store costs: ``python -m benchmarks.server_side``, with ``--quick``, or with ``--growth``.

All files are in one temporary directory (``--directory`` puts it elsewhere). It should be on a disk: in a RAM file
system, keeping one file a session costs several times less. Every peer runs in the fastest configuration that still
does its job, and the reason stands beside each setting.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import floor, growth
from benchmarks.apps import (
    BARE_WSGI,
    SECRET,
    Handler,
    available,
    django_app,
    flask_app,
    flask_handler,
    named,
    plain_app,
)
from benchmarks.beaker_apps import ENDLESS, PICKLED, WITH_TIMEOUT, beaker_contestant
from benchmarks.harness import App, Contestant, Data, Result, measure
from benchmarks.overhead import parser, versions
from benchmarks.tables import Bar, bars_table, results_table

SQLITE, MEMORY = "cookiesess, SQLite", "cookiesess, memory"
OVERFLOWN = "cookiesess, overflow in SQLite"
DJANGO = "Django, SQLite"
BEAKER_FILE, BEAKER_MEMORY = "Beaker, file", "Beaker, memory"
FLASK_SESSION_FILES = "Flask-Session, file cache"
NO_TIMEOUT = ", no timeout"
PACKAGES = ("cookiesess", "cryptography", "Django", "Beaker", "Flask", "Flask-Session", "cachelib")

# A contestant is told which directory is its own, and what to do when all is over.
Builder = Callable[[Path, ExitStack], Contestant]


def cookiesess_sqlite(directory: Path, cleanup: ExitStack) -> Contestant:
    from cookiesess.stores.sqlite import SQLiteStore

    store = SQLiteStore(directory / "sessions.db")  # as it comes: WAL, synchronous=NORMAL
    cleanup.callback(store.close)
    return _cookiesess(SQLITE, store=store)


def cookiesess_memory(directory: Path, cleanup: ExitStack) -> Contestant:
    from cookiesess.stores.memory import MemoryStore

    # So many that the first visits measure the making of sessions; beyond the bound each would also evict one.
    return _cookiesess(MEMORY, store=MemoryStore(max_sessions=10_000_000))


def cookiesess_overflown(directory: Path, cleanup: ExitStack) -> Contestant:
    from cookiesess import CookiePolicy
    from cookiesess.stores.sqlite import SQLiteStore

    store = SQLiteStore(directory / "sessions.db")
    cleanup.callback(store.close)
    # So little room that the typical session is in the store; the small one still fits into its cookie.
    return _cookiesess(OVERFLOWN, overflow=store, cookie=CookiePolicy(max_bytes=256))


def _cookiesess(name: str, **settings: Any) -> Contestant:
    from cookiesess import SessionMiddleware, get_session

    def build(data: Data) -> App:
        return SessionMiddleware(plain_app(Handler(data, get_session)), SECRET, **settings)

    return Contestant(name, BARE_WSGI, build)


def django_sqlite(directory: Path, cleanup: ExitStack) -> Contestant:
    settings: dict[str, Any] = {
        "SESSION_ENGINE": "django.contrib.sessions.backends.db",
        "INSTALLED_APPS": ["django.contrib.sessions"],
        "DATABASES": {
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": directory / "django.db",
                "CONN_MAX_AGE": None,  # the connection is kept; by default each request opens one
                "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL"},  # as ours
            }
        },
    }

    def build(data: Data) -> App:
        return django_app(Handler(data, lambda request: request.session), **settings)

    bare = django_app(**settings)  # it also sets Django up, without which there are no models

    from django.contrib.sessions.models import Session
    from django.db import connection

    with connection.schema_editor() as editor:
        editor.create_model(Session)
    cleanup.callback(connection.close)
    return Contestant(DJANGO, bare, build)


_IN_MEMORY = {"session.type": "memory"}


def _in_files(directory: Path) -> dict[str, Any]:
    return {"session.type": "file", "session.data_dir": str(directory)}


def beaker_file(directory: Path, cleanup: ExitStack) -> Contestant:
    return beaker_contestant(BEAKER_FILE, PICKLED, _in_files(directory), WITH_TIMEOUT)


def beaker_file_endless(directory: Path, cleanup: ExitStack) -> Contestant:
    return beaker_contestant(BEAKER_FILE + NO_TIMEOUT, PICKLED, _in_files(directory), ENDLESS)


def beaker_memory(directory: Path, cleanup: ExitStack) -> Contestant:
    return beaker_contestant(BEAKER_MEMORY, PICKLED, _IN_MEMORY, WITH_TIMEOUT)


def beaker_memory_endless(directory: Path, cleanup: ExitStack) -> Contestant:
    return beaker_contestant(BEAKER_MEMORY + NO_TIMEOUT, PICKLED, _IN_MEMORY, ENDLESS)


def flask_session_files(directory: Path, cleanup: ExitStack) -> Contestant:
    from cachelib.file import FileSystemCache
    from flask_session import Session

    # A threshold makes it count its files, in a file, with every write.
    cache = FileSystemCache(str(directory), threshold=0)

    def build(data: Data) -> App:
        app = flask_app(
            flask_handler(data),
            SESSION_TYPE="cachelib",
            SESSION_CACHELIB=cache,
            SESSION_PERMANENT=False,  # a browser-session cookie, as all others here set; spares it a date
            SESSION_REFRESH_EACH_REQUEST=False,  # by default each request writes the session anew
        )
        Session(app)
        return app

    return Contestant(FLASK_SESSION_FILES, flask_app(), build)


CONTESTANTS: tuple[Builder, ...] = (
    cookiesess_sqlite,
    cookiesess_memory,
    cookiesess_overflown,
    django_sqlite,
    beaker_file,
    beaker_file_endless,
    beaker_memory,
    beaker_memory_endless,
    flask_session_files,
)


def bars(results: Mapping[str, Result], least: floor.Floor) -> list[Bar]:
    """Return what is to be reached on the typical session, as far as those compared took part."""
    bars = []
    ours = results[SQLITE].us
    for peer, scenario, part in [
        (DJANGO, "read", 15),
        (BEAKER_FILE, "read", 15),  # not of the endless one, which takes less time than the bare SQL and ciphers
        (DJANGO, "write", 20),
    ]:
        if peer in results:
            ratio = ours[scenario] / results[peer].us[scenario]
            bars.append(Bar(f"SQLite {scenario}, of {peer}", ratio, 1 / part, "fraction"))
    for scenario, cell in [("read", least.read), ("write", least.write)]:
        what = f"SQLite {scenario}, of its bare SQL and ciphers ({cell.us:.1f} µs)"
        bars.append(Bar(what, ours[scenario] / cell.us, 2.2))
    return bars


def compare(directory: Path, *, seconds: float) -> None:
    """Measure all contestants in `directory` and print the tables."""
    with ExitStack() as cleanup:
        builders = []
        for build in CONTESTANTS:
            own = directory / build.__name__
            own.mkdir()
            builders.append(named(build, own, cleanup))
        contestants, missing = available(*builders)
        print(versions(PACKAGES), *(f"left out: {line}" for line in missing), sep="\n")
        least = floor.build(directory, cleanup) if SQLITE in {c.name for c in contestants} else None
        beside = [least.read, least.write] if least else []
        results = measure(contestants, seconds=seconds, beside=beside)
    for shape, by_name in results.items():
        print(f"\n### {shape} session\n\n{results_table(by_name, SQLITE)}")
    if least:
        print(f"\n{bars_table(bars(results['typical'], least))}")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print. The exit code says nothing about speed."""
    options = parser(__doc__)
    options.add_argument("--growth", action="store_true", help="how SQLite grows, up to a million sessions (minutes)")
    options.add_argument("--directory", type=Path, help="where to put the files; by default the system's own")
    arguments = options.parse_args(argv)
    # Windows apart, nothing is held open after this; errors of cleaning up are no result.
    with tempfile.TemporaryDirectory(dir=arguments.directory, ignore_cleanup_errors=True) as name:
        if arguments.growth:
            growth.run(Path(name), quick=arguments.quick)
        else:
            compare(Path(name), seconds=arguments.seconds or (8 if arguments.quick else 75))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
