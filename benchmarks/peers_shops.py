"""How each library is set up for what is tried: as its documentation says, in a cookie and in a store.

Each builder gets a directory of its own, and is one library in one place.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.apps import BareHandler, django_app, flask_app, mark_modified, plain_app, pyramid_app
from benchmarks.harness import App

PEERS = ("cookiesess", "Beaker", "Flask", "Flask-Session", "Django", "Pyramid")
COOKIE, STORE, OVERFLOW = "cookie", "store", "overflow"

View = Callable[[Any], object]


class Desk(BareHandler):
    """Has each request answered by the view that lies there; the same for every library.

    Args:
        session_of: Takes the framework's request to its session.
    """

    view: View

    def __init__(self, session_of: Callable[[Any], Any]) -> None:
        super().__init__()
        self._session_of = session_of
        self.read = self._answer  # type: ignore[method-assign]  # the one route that is asked for

    def _answer(self, request: Any) -> str:
        self.view(self._session_of(request))
        return "ok"


@dataclass(frozen=True, kw_only=True)
class Shop:
    """One library in one place.

    Attributes:
        peer: The name of its distribution.
        place: Where its sessions are.
        desk: Where its views lie.
        build: Takes a key, and the one before it or None, to an app.
        logout: Ends a session, as its documentation says.
        save: Says that something was changed, where the library wants to be told.
        mark: Says that something was changed inside a value, where the library does not see that.
        directory: Where its store is.
        makers: The classes that make sessions.
        real: Takes what the view gets to the session, where that is a stand-in.
        note: Stands behind what the library does only with a setting that is not on by default.
    """

    peer: str
    place: str
    desk: Desk
    build: Callable[[str, str | None], App]
    logout: View
    save: View = lambda session: None
    mark: View = lambda session: None
    directory: Path = Path()
    makers: tuple[type, ...] = ()
    real: Callable[[Any], Any] = lambda session: session
    note: str = ""

    def writing(self, key: str, value: object) -> View:
        """Return a view that assigns a value, and saves where that has to be said."""

        def view(session: Any) -> None:
            session[key] = value
            self.save(session)

        return view

    def noted(self, answer: str) -> str:
        """Return an answer with the shop's note, if it has one."""
        return f"{answer} {self.note}".strip()


def _invalidate(session: Any) -> None:
    session.invalidate()


def _ours(place: str, *, note: str = "", directory: Path = Path(), **settings: Any) -> Shop:
    from cookiesess import Keyring, SessionManager, SessionMiddleware, get_session

    desk = Desk(get_session)

    def build(key: str, previous: str | None) -> App:
        return SessionMiddleware(plain_app(desk), Keyring(key, accepted=[previous] if previous else []), **settings)

    return Shop(
        peer="cookiesess",
        place=place,
        desk=desk,
        build=build,
        logout=_invalidate,
        directory=directory,
        makers=(SessionManager,),
        note=note,
    )


def _sqlite(directory: Path, cleanup: ExitStack) -> Any:
    from cookiesess.stores.sqlite import SQLiteStore

    store = SQLiteStore(directory / "sessions.db")
    cleanup.callback(store.close)
    return store


def cookiesess_cookie(directory: Path, cleanup: ExitStack) -> Shop:
    return _ours(COOKIE, note="¹", revocations=_sqlite(directory, cleanup))


def cookiesess_store(directory: Path, cleanup: ExitStack) -> Shop:
    return _ours(STORE, directory=directory, store=_sqlite(directory, cleanup))


def cookiesess_overflow(directory: Path, cleanup: ExitStack) -> Shop:
    return _ours(OVERFLOW, overflow=_sqlite(directory, cleanup))


def _beaker(place: str, settings: Callable[[str], dict[str, Any]], directory: Path = Path()) -> Shop:
    from beaker.middleware import SessionMiddleware

    desk = Desk(lambda environ: environ["beaker.session"])

    def build(key: str, previous: str | None) -> App:
        # It has no setting for a previous key.
        return SessionMiddleware(plain_app(desk), {"session.timeout": 3600, **settings(key)})

    return Shop(
        peer="Beaker",
        place=place,
        desk=desk,
        build=build,
        logout=lambda session: session.delete(),
        save=lambda session: session.save(),
        directory=directory,
        makers=(SessionMiddleware,),
        real=lambda session: session._session(),
    )


def beaker_cookie(directory: Path, cleanup: ExitStack) -> Shop:
    return _beaker(
        COOKIE,
        lambda key: {
            "session.type": "cookie",
            "session.encrypt_key": key,
            "session.validate_key": key,
            "session.crypto_type": "cryptography",
            "session.data_serializer": "json",
        },
    )


def beaker_store(directory: Path, cleanup: ExitStack) -> Shop:
    kept = {"session.type": "file", "session.data_dir": str(directory)}
    return _beaker(STORE, lambda key: {**kept, "session.secret": key}, directory)


def _flask_desk() -> Desk:
    from flask import session

    return Desk(lambda request: session)


def _clear(session: Any) -> None:
    session.clear()


def _current(session: Any) -> Any:
    return session._get_current_object()


def _previous(key: str | None) -> list[str]:
    return [key] if key else []


def flask_cookie(directory: Path, cleanup: ExitStack) -> Shop:
    from flask.sessions import SecureCookieSessionInterface

    desk = _flask_desk()

    def build(key: str, previous: str | None) -> App:
        app: App = flask_app(desk, SECRET_KEY=key, SECRET_KEY_FALLBACKS=_previous(previous))
        return app

    makers = (SecureCookieSessionInterface,)
    return Shop(
        peer="Flask",
        place=COOKIE,
        desk=desk,
        build=build,
        logout=_clear,
        mark=mark_modified,
        makers=makers,
        real=_current,
    )


def flask_session_store(directory: Path, cleanup: ExitStack) -> Shop:
    from cachelib.file import FileSystemCache
    from flask_session import Session
    from flask_session.cachelib import CacheLibSessionInterface

    desk, cache = _flask_desk(), FileSystemCache(str(directory), threshold=0)

    def build(key: str, previous: str | None) -> App:
        keys = {"SECRET_KEY": key, "SECRET_KEY_FALLBACKS": _previous(previous)}
        app: App = flask_app(desk, SESSION_TYPE="cachelib", SESSION_CACHELIB=cache, **keys)
        Session(app)
        return app

    return Shop(
        peer="Flask-Session",
        place=STORE,
        desk=desk,
        build=build,
        logout=_clear,
        directory=directory,
        makers=(CacheLibSessionInterface,),
        real=_current,
    )


def _django(place: str, engine: str) -> Shop:
    from django.conf import settings

    desk = Desk(lambda request: request.session)

    def build(key: str, previous: str | None) -> App:
        # Django has one set of settings a process: those of the shop that was opened last.
        settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = key, _previous(previous)
        return django_app(desk)

    verbs = {"logout": lambda session: session.flush(), "mark": mark_modified}
    return Shop(peer="Django", place=place, desk=desk, build=build, **verbs)


def django_store(directory: Path, cleanup: ExitStack) -> Shop:
    """Return the engine `db`; it sets Django up, for the other engine as well."""
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": directory / "django.db"}
    django_app(INSTALLED_APPS=["django.contrib.sessions"], DATABASES={"default": database})

    from django.contrib.sessions.models import Session
    from django.db import connection

    with connection.schema_editor() as editor:
        editor.create_model(Session)
    cleanup.callback(connection.close)
    return _django(STORE, "db")


def django_cookie(directory: Path, cleanup: ExitStack) -> Shop:
    return _django(COOKIE, "signed_cookies")


def pyramid_cookie(directory: Path, cleanup: ExitStack) -> Shop:
    from pyramid.session import SignedCookieSessionFactory

    desk = Desk(lambda request: request.session)

    def build(key: str, previous: str | None) -> App:
        # It has no setting for a previous key.
        return pyramid_app(desk, session_factory=SignedCookieSessionFactory(key))

    verbs = {"logout": _invalidate, "mark": lambda session: session.changed()}
    return Shop(peer="Pyramid", place=COOKIE, desk=desk, build=build, **verbs)


BUILDERS: tuple[Callable[[Path, ExitStack], Shop], ...] = (
    cookiesess_cookie,
    cookiesess_store,
    cookiesess_overflow,
    beaker_cookie,
    beaker_store,
    flask_cookie,
    flask_session_store,
    django_store,
    django_cookie,
    pyramid_cookie,
)
