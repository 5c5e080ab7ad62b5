"""What a session in a cookie costs: ``python -m benchmarks.overhead`` (90 seconds), or with ``--quick`` (10 seconds).

Every peer runs in the fastest configuration that still does its job, and the reason stands beside each setting. All set
browser-session cookies with Secure, HttpOnly and SameSite=Lax.
"""

import argparse
import platform
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.apps import (
    BARE_WSGI,
    SECRET,
    Handler,
    available,
    django_app,
    flask_app,
    flask_handler,
    plain_app,
    pyramid_app,
)
from benchmarks.beaker_apps import ENDLESS, WITH_TIMEOUT, beaker_contestant
from benchmarks.harness import App, Contestant, Data, Result, measure
from benchmarks.tables import Bar, bars_table, results_table

OURS, FLASK = "cookiesess", "Flask"
BEAKER, BEAKER_ENDLESS = "Beaker, encrypted", "Beaker, encrypted, no timeout"
PACKAGES = (
    "cookiesess",
    "Flask",
    "Werkzeug",
    "itsdangerous",
    "Beaker",
    "cryptography",
    "ormsgpack",
    "Django",
    "Pyramid",
)


def cookiesess() -> Contestant:
    # As it comes: encrypted, with an idle and an absolute timeout.
    return _cookiesess(OURS)


def cookiesess_that_may_overflow() -> Contestant:
    from cookiesess.stores.memory import MemoryStore

    # The store is never asked: these sessions fit into their cookies.
    return _cookiesess(f"{OURS}, overflow=", overflow=MemoryStore())


def cookiesess_compressed() -> Contestant:
    return _cookiesess(f"{OURS}, compress=True", compress=True)


def cookiesess_revocable(directory: Path, cleanup: ExitStack) -> Callable[[], Contestant]:
    """Each request that touches its session asks whether it has been ended."""

    def cookiesess_revocable() -> Contestant:
        return _cookiesess(f"{OURS}, revocations=SQLite", revocations=_sqlite(directory / "exact.db", cleanup))

    return cookiesess_revocable


def cookiesess_revocable_later(directory: Path, cleanup: ExitStack) -> Callable[[], Contestant]:
    """Each process asks once a minute."""

    def cookiesess_revocable_later() -> Contestant:
        store = _sqlite(directory / "held.db", cleanup)
        return _cookiesess(f"{OURS}, revocations= held 60 s", revocations=store, revocation_cache_seconds=60)

    return cookiesess_revocable_later


def _sqlite(path: Path, cleanup: ExitStack) -> Any:
    from cookiesess.stores.sqlite import SQLiteStore

    store = SQLiteStore(path)
    cleanup.callback(store.close)
    return store


def _cookiesess(name: str, **settings: Any) -> Contestant:
    from cookiesess import SessionMiddleware, get_session

    return Contestant(
        name, BARE_WSGI, lambda data: SessionMiddleware(plain_app(Handler(data, get_session)), SECRET, **settings)
    )


def flask() -> Contestant:
    # As it comes: signed, not encrypted. Not permanent, or it would write the cookie anew with every request.
    return Contestant(FLASK, flask_app(), lambda data: flask_app(flask_handler(data)))


_BEAKER = {
    "session.type": "cookie",
    "session.encrypt_key": SECRET,
    "session.validate_key": SECRET,
    "session.crypto_type": "cryptography",  # the backend it recommends: AES-GCM by OpenSSL
    "session.data_serializer": "json",  # the only one besides pickle, which makes a leaked key run code
}


def beaker() -> Contestant:
    return beaker_contestant(BEAKER, _BEAKER, WITH_TIMEOUT)


def beaker_endless() -> Contestant:
    # It still seals once for every read, when it loads the session; no setting spares that.
    return beaker_contestant(BEAKER_ENDLESS, _BEAKER, ENDLESS)


def django_signed_cookies() -> Contestant:
    engine = {"SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies"}  # JSON, compressed, signed

    def build(data: Data) -> App:
        return django_app(Handler(data, lambda request: request.session), **engine)

    return Contestant("Django, signed_cookies", django_app(**engine), build)


def pyramid_signed() -> Contestant:
    from pyramid.session import SignedCookieSessionFactory

    # By default it issues the cookie anew with every request that reads; None leaves that out altogether.
    factory = SignedCookieSessionFactory(SECRET, reissue_time=None, secure=True, httponly=True)

    def build(data: Data) -> App:
        return pyramid_app(Handler(data, lambda request: request.session), session_factory=factory)

    return Contestant("Pyramid, signed", pyramid_app(), build)


CONTESTANTS = (
    cookiesess,
    cookiesess_that_may_overflow,
    cookiesess_compressed,
    flask,
    beaker,
    beaker_endless,
    django_signed_cookies,
    pyramid_signed,
)
ON_FILES = cookiesess_revocable, cookiesess_revocable_later


def bars(results: Mapping[str, Result]) -> list[Bar]:
    """Return what is to be reached on the typical session, as far as those compared took part."""
    if OURS not in results:
        return []
    ours, bars = results[OURS], []
    for peer, scenario, part in [
        (FLASK, "read", 9),
        (BEAKER, "read", 15),
        (BEAKER_ENDLESS, "read", 15),
        (FLASK, "write", 12),
        (BEAKER, "write", 12),
        (BEAKER_ENDLESS, "write", 12),
    ]:
        if peer in results:
            ratio = ours.us[scenario] / results[peer].us[scenario]
            bars.append(Bar(f"{scenario}, of {peer}", ratio, 1 / part, "fraction"))
    bars.append(Bar("untouched", ours.us["untouched"], 2, "{:.2f} µs"))
    if BEAKER in results:
        bars.append(
            Bar(f"untouched, against {BEAKER}", ours.us["untouched"], results[BEAKER].us["untouched"], "{:.2f} µs")
        )
    if FLASK in results:
        bars.append(Bar(f"cookie's value, of {FLASK}'s bytes", ours.value_bytes / results[FLASK].value_bytes, 1.25))
    return bars


def versions(packages: Sequence[str]) -> str:
    """Return one line that says what was measured."""
    found = [f"Python {platform.python_version()}"]
    for package in packages:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} –")
    return ", ".join(found)


def parser(doc: str | None) -> argparse.ArgumentParser:
    """Return the options that all benchmarks share."""
    options = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="about ten seconds, for a first look")
    options.add_argument("--seconds", type=float, help="how long to measure")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print. The exit code says nothing about speed."""
    options = parser(__doc__).parse_args(argv)
    with tempfile.TemporaryDirectory() as name, ExitStack() as cleanup:
        on_files = [build(Path(name), cleanup) for build in ON_FILES]
        contestants, missing = available(*CONTESTANTS, *on_files)
        contestants.sort(key=lambda contestant: not contestant.name.startswith(OURS))
        results = measure(contestants, seconds=options.seconds or (8 if options.quick else 75))
    print(versions(PACKAGES), *(f"left out: {line}" for line in missing), sep="\n")
    for shape, by_name in results.items():
        print(f"\n### {shape} session\n\n{results_table(by_name, OURS)}")
    if reached := bars(results["typical"]):
        print(f"\n{bars_table(reached)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
