"""The apps whose instructions are counted: one function makes each, new for each row, with the bare app beside it.

Imports stand in the functions: where a framework is missing, or an older tree of the library has something under
another name, the rows that need it are left out and the others are counted.
"""

import atexit
import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.apps import SECRET, BareHandler, Handler, django_app, flask_app, flask_handler, pyramid_app
from benchmarks.harness import TYPICAL, App, Data, Environ

# A hundred requests a second, whatever the tool that counts makes of the real time: what is done once a second is then
# done as often in each run. Written in C, so that it costs what `time.time` costs.
CLOCK = itertools.count(1_763_877_600, 0.01).__next__

HEADERS = (  # with Content-Type and Content-Length eight, as an app behind a CDN sends them
    ("Vary", "Accept-Encoding"),
    ("Cache-Control", "no-cache"),
    ("Content-Language", "de-AT"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Strict-Transport-Security", "max-age=31536000"),
)


class Place(NamedTuple):
    """Where an app may put its files, and what will be called when it is no longer needed."""

    directory: Path
    cleanup: ExitStack


class Apps(NamedTuple):
    """An app with sessions, and the same without."""

    app: App
    bare: App


Build = Callable[[Place], Apps]


class CountedHandler(Handler):
    """What the other benchmarks' apps do, and what is counted here alone."""

    def look(self, request: Any) -> str:
        """Read one key that may not be there."""
        return str(self._session_of(request).get("visits"))

    def jar(self, request: Any) -> str:
        from cookiesess import get_cookies

        return str(get_cookies(request).get("theme"))


def serve(handler: Handler, *, headers: Sequence[tuple[str, str]] = ()) -> App:
    """Serve `handler` by nothing but WSGI, with `headers` in each response."""

    def app(environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        # A bare handler does not know the routes that are counted here alone.
        body = getattr(handler, environ["PATH_INFO"][1:], handler.untouched)(environ).encode()
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body))), *headers])
        return [body]

    return app


def client_side(
    data: Data = TYPICAL,
    *,
    headers: Sequence[tuple[str, str]] = (),
    policy: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Build:
    """Return what builds the middleware with sessions in cookies.

    Args:
        data: What the first visit puts in.
        headers: What the app itself sends.
        policy: Fields of the `CookiePolicy`, by default none.
        **settings: As the middleware takes them.
    """

    def build(place: Place) -> Apps:
        from cookiesess import CookiePolicy

        return _wrapped(data, headers=headers, cookie=CookiePolicy(**policy or {}), **settings)

    return build


def sqlite(place: Place) -> Apps:
    from cookiesess.stores.sqlite import SQLiteStore

    store = SQLiteStore(place.directory / "sessions.db")
    place.cleanup.callback(store.close)
    return _wrapped(TYPICAL, store=store)


def memory(data: Data = TYPICAL) -> Build:
    """Return what builds the middleware with sessions of `data` in memory."""

    def build(place: Place) -> Apps:
        from cookiesess.stores.memory import MemoryStore

        return _wrapped(data, store=MemoryStore())

    return build


def engine(name: str, contestant: str, verb: str) -> Build:
    """Return what builds the calls of a store on an engine's server, and the raw client's commands beside them.

    Args:
        name: The engine's, as `benchmarks.stores_servers` has it.
        contestant: What `benchmarks.stores_raw` calls the store.
        verb: ``"read"``, or ``"write"``, which reads first.
    """

    def build(place: Place) -> Apps:
        from benchmarks import stores_raw

        servers = _started(name)
        ours, raw = stores_raw.calls(servers, place.cleanup), stores_raw.pairs(servers, place.cleanup)
        return Apps(*(getattr(pair, verb).app for pair in (ours[contestant], raw[contestant])))

    return build


@cache
def _started(name: str) -> Any:
    """Start the server of an engine, until the process ends."""
    from benchmarks.stores_servers import running

    stack = ExitStack()
    atexit.register(stack.close)
    started = stack.enter_context(running([name]))
    if started.missing:
        raise LookupError("; ".join(started.missing))
    return started.servers


def _wrapped(data: Data, *, headers: Sequence[tuple[str, str]] = (), **settings: Any) -> Apps:
    from cookiesess import SessionMiddleware, get_session

    app = serve(CountedHandler(data, get_session), headers=headers)
    return Apps(SessionMiddleware(app, SECRET, clock=CLOCK, **settings), serve(BareHandler(), headers=headers))


def flask_adapter(place: Place) -> Apps:
    from cookiesess.adapters.flask import Cookiesess

    app = flask_app(flask_handler(TYPICAL))
    Cookiesess(app, keys=SECRET, clock=CLOCK)
    return Apps(app, _bare_flask())


def flask_own(place: Place) -> Apps:
    return Apps(flask_app(flask_handler(TYPICAL)), _bare_flask())


def pyramid_adapter(place: Place) -> Apps:
    from cookiesess.adapters.pyramid import session_factory

    return _pyramid(session_factory(SECRET, clock=CLOCK))


def pyramid_own(place: Place) -> Apps:
    from pyramid.session import SignedCookieSessionFactory

    # By default it issues the cookie anew with every request that reads; None leaves that out altogether.
    return _pyramid(SignedCookieSessionFactory(SECRET, reissue_time=None, secure=True, httponly=True))


def _pyramid(factory: Any) -> Apps:
    handler = Handler(TYPICAL, lambda request: request.session)
    return Apps(pyramid_app(handler, session_factory=factory), _bare_pyramid())


def django_adapter(place: Place) -> Apps:
    return _django(place, "cookiesess.adapters.django", COOKIESESS_STORE=None, COOKIESESS_OPTIONS={"clock": CLOCK})


def django_own(place: Place) -> Apps:
    return _django(place, "django.contrib.sessions.backends.signed_cookies")


def _django(place: Place, engine: str, **settings: Any) -> Apps:
    bare = _bare_django()  # it also sets Django up, without which no setting can be overridden
    from django.test.utils import override_settings

    place.cleanup.enter_context(override_settings(SESSION_ENGINE=engine, **settings))
    return Apps(django_app(Handler(TYPICAL, lambda request: request.session)), bare)


_bare_flask, _bare_pyramid, _bare_django = cache(flask_app), cache(pyramid_app), cache(django_app)
