"""Who takes part in what people deploy: each row's app, the flows that it can do, and the row of ours beside it.

Those that other programs measure as well come from there, with the reason beside each setting.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks import overhead, server_side
from benchmarks.apps import (
    BARE_WSGI,
    SECRET,
    Handler,
    django_app,
    flask_app,
    flask_handler,
    mark_modified,
    named,
    plain_app,
    pyramid_app,
)
from benchmarks.flows import HELD, OURS, USUAL, Entry
from benchmarks.harness import App, Contestant, Data

COOKIE, SQLITE, MEMORY = overhead.OURS, server_side.SQLITE, server_side.MEMORY
IN_COOKIE, ON_FRAMEWORKS = "in a cookie", "on frameworks"
HTTP, PERMANENT = ", plain HTTP", ", permanent"
SIGNED, PERSISTENT = f"{COOKIE}, encrypt=False", f"{COOKIE}, persistent=True"
ON_FLASK, ON_PYRAMID, ON_DJANGO = f"{COOKIE} on Flask", f"{COOKIE} on Pyramid", f"{COOKIE} on Django"
FLASK, PYRAMID, DJANGO = "Flask's session", "Pyramid's session", "Django's session, signed_cookies"

# JSON, as a cookie of Beaker or of Django holds it, has no datetimes.
_AS_JSON: Final = HELD[2:]


def _wsgi(name: str, **settings: Any) -> Contestant:
    from cookiesess import SessionMiddleware, get_session

    def build(data: Data) -> App:
        return SessionMiddleware(plain_app(Handler(data, get_session)), SECRET, **settings)

    return Contestant(name, BARE_WSGI, build)


def signed() -> Contestant:
    return _wsgi(SIGNED, encrypt=False)


def persistent() -> Contestant:
    from cookiesess import CookiePolicy

    return _wsgi(PERSISTENT, cookie=CookiePolicy(persistent=True))


@cache
def bare_flask() -> App:
    """Return the one bare app for all on Flask."""
    app: App = flask_app()
    return app


def on_flask() -> Contestant:
    from cookiesess.adapters.flask import Cookiesess

    def build(data: Data) -> App:
        app: App = flask_app(flask_handler(data))
        Cookiesess(app, keys=SECRET)
        return app

    return Contestant(ON_FLASK, bare_flask(), build)


class PermanentHandler(Handler):
    """What people write whose visitors should stay logged in once the window is closed."""

    def first(self, request: Any) -> str:
        session: Any = self._session_of(request)
        session.permanent = True
        return super().first(request)


def on_flask_permanently() -> Contestant:
    from cookiesess.adapters.flask import Cookiesess

    def build(data: Data) -> App:
        app: App = flask_app(flask_handler(data, PermanentHandler))
        Cookiesess(app, keys=SECRET)
        return app

    return Contestant(ON_FLASK + PERMANENT, bare_flask(), build)


def flask_permanently() -> Contestant:
    # As it comes: SESSION_REFRESH_EACH_REQUEST writes the cookie with every request, also where nobody looks at it.
    return Contestant(FLASK + PERMANENT, bare_flask(), lambda data: flask_app(flask_handler(data, PermanentHandler)))


def flask() -> Contestant:
    return replace(overhead.flask(), name=FLASK, bare=bare_flask())


def _on_pyramid(name: str, factory: Any) -> Contestant:
    def build(data: Data) -> App:
        handler = Handler(data, lambda request: request.session, mark=lambda session: session.changed())
        return pyramid_app(handler, session_factory=factory)

    return Contestant(name, bare_pyramid(), build)


@cache
def bare_pyramid() -> App:
    """Return the one bare app for all on Pyramid."""
    return pyramid_app()


def on_pyramid() -> Contestant:
    from cookiesess.adapters.pyramid import session_factory

    return _on_pyramid(ON_PYRAMID, session_factory(SECRET))


def pyramid() -> Contestant:
    return replace(overhead.pyramid_signed(), name=PYRAMID, bare=bare_pyramid())


def on_django() -> Contestant:
    return _on_django(ON_DJANGO, "cookiesess.adapters.django")


def django() -> Contestant:
    return _on_django(DJANGO, "django.contrib.sessions.backends.signed_cookies")


def _on_django(name: str, engine: str) -> Contestant:
    from django.test.utils import override_settings

    def build(data: Data) -> App:
        with override_settings(SESSION_ENGINE=engine):  # an app keeps the engine that it was built with
            return django_app(Handler(data, lambda request: request.session, mark=mark_modified))

    return Contestant(name, django_app(), build)


def contestants(directory: Path, cleanup: ExitStack) -> Iterable[Callable[[], Contestant]]:
    """Yield what builds each of them.

    Args:
        directory: A new directory, for their files.
        cleanup: Is told what to do when all is over.
    """
    # Django has one set of settings, those of the first app; so the one that needs a database goes first.
    on_files = server_side.CONTESTANTS
    for build in sorted(on_files, key=lambda build: build is not server_side.django_sqlite):
        own = directory / build.__name__
        own.mkdir()
        yield named(build, own, cleanup)
    yield from (overhead.cookiesess, signed, persistent, on_flask, flask, on_pyramid, pyramid, on_django, django)
    yield from (on_flask_permanently, flask_permanently)
    yield from (overhead.cookiesess_that_may_overflow, overhead.cookiesess_compressed)
    yield from (build(directory, cleanup) for build in overhead.ON_FILES)
    yield from (overhead.beaker, overhead.beaker_endless)


class _Row(NamedTuple):
    """A row to be, by the name of its contestant."""

    name: str
    flows: tuple[str, ...] = USUAL
    against: str = ""
    scheme: str = "https"

    def entry(self, contestant: Contestant) -> Entry:
        """Return the row, of that contestant."""
        if self.scheme == _PLAIN:
            contestant = replace(contestant, name=contestant.name + HTTP)
        return Entry(contestant=contestant, flows=self.flows, scheme=self.scheme, against=self.against)


_PLAIN: Final = "http"
# Each table's rows, by the names of the contestants.
_TABLES: Final[Mapping[str, tuple[_Row, ...]]] = {
    IN_COOKIE: (
        _Row(COOKIE, OURS),
        _Row(COOKIE, OURS, scheme=_PLAIN),
        _Row(SIGNED, OURS),
        _Row(PERSISTENT, OURS),
        _Row(f"{COOKIE}, overflow=", OURS),
        _Row(f"{COOKIE}, revocations=SQLite", OURS),
        _Row(f"{COOKIE}, revocations= held 60 s", OURS),
        _Row(f"{COOKIE}, compress=True", OURS),
        _Row(overhead.BEAKER, against=COOKIE),
        _Row(overhead.BEAKER, against=COOKIE + HTTP, scheme=_PLAIN),
        _Row(overhead.BEAKER_ENDLESS, against=COOKIE),
    ),
    ON_FRAMEWORKS: (
        _Row(ON_FLASK),
        _Row(FLASK, against=ON_FLASK),
        _Row(ON_FLASK, scheme=_PLAIN),
        _Row(FLASK, against=ON_FLASK + HTTP, scheme=_PLAIN),
        _Row(ON_FLASK + PERMANENT),
        _Row(FLASK + PERMANENT, against=ON_FLASK + PERMANENT),
        _Row(ON_PYRAMID),
        _Row(PYRAMID, against=ON_PYRAMID),
        _Row(ON_DJANGO),
        _Row(DJANGO, against=ON_DJANGO),
    ),
    "in a store": (
        _Row(SQLITE, OURS),
        _Row(MEMORY, OURS),
        _Row(server_side.OVERFLOWN, OURS),
        _Row(server_side.DJANGO, against=SQLITE),
        _Row(server_side.BEAKER_FILE, against=SQLITE),
        _Row(server_side.BEAKER_FILE + server_side.NO_TIMEOUT, against=SQLITE),
        _Row(server_side.FLASK_SESSION_FILES, against=SQLITE),
        _Row(server_side.BEAKER_MEMORY, against=MEMORY),
        _Row(server_side.BEAKER_MEMORY + server_side.NO_TIMEOUT, against=MEMORY),
    ),
    "what sessions hold": (
        _Row(COOKIE, HELD),
        _Row(SIGNED, HELD),
        _Row(SQLITE, HELD),
        _Row(ON_FLASK, HELD),
        _Row(FLASK, HELD, against=ON_FLASK),
        _Row(overhead.BEAKER, _AS_JSON, against=COOKIE),
        _Row(ON_DJANGO, HELD),
        _Row(DJANGO, _AS_JSON, against=ON_DJANGO),
        _Row(server_side.BEAKER_FILE, HELD, against=SQLITE),
    ),
}


def tables(built: Iterable[Contestant]) -> dict[str, list[Entry]]:
    """Return the rows of each table, as far as those who take part were built."""
    by_name = {contestant.name: contestant for contestant in built}
    return {
        title: [row.entry(by_name[row.name]) for row in rows if row.name in by_name] for title, rows in _TABLES.items()
    }
