"""Which requests are counted: each row's name, its app, what it asks for, and the Cookie header that it brings."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from benchmarks import instructions_apps as apps
from benchmarks.harness import DATES, LINES, Data, Environ, among_others, ask, environ
from benchmarks.stores_contestants import MARIADB, MEMCACHED, OURS, POSTGRESQL, REDIS

INSTRUCTIONS, CALLS, WAL_BYTES = "instructions", "Python calls", "bytes"
_FRAMEWORKS = ("Flask", "Pyramid", "Django")
# What each route answers; the others answer the number that they have written.
_ANSWERS = {
    "untouched": "ok",
    "read": "1000",
    "first": "ok",
    "login": "ok",
    "listed": "3",
    "look": "1000",
    "jar": "dark",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One request that is counted.

    Attributes:
        name: As the table shows it, the record keeps it, and the command line selects it.
        build: Makes its app.
        route: What it asks for.
        unit: `INSTRUCTIONS` or `CALLS`, a request and over the bare app; or `WAL_BYTES`.
        visit: The route of the visit before it, which set the session's cookie; None: it is the first.
        header: Takes that cookie, or an empty text, to the Cookie header.
        scheme: ``"https"`` or ``"http"``.
        answer: What the app answers where the request does its work; None: a number.
        requests: How many are counted. SQLite sweeps at each 16th write, so they are a multiple of 16 there.
        group: The rows of one group share a process, and those of no other.
        peer: It is shown for comparison; nobody here can make it better, or worse.
    """

    name: str
    build: apps.Build
    route: str
    unit: str = INSTRUCTIONS
    visit: str | None = "first"
    header: Callable[[str], str] = among_others
    scheme: str = "https"
    answer: str | None = None
    requests: int = 32
    group: str = "cookies"
    peer: bool = False

    @property
    def scatter(self) -> int:
        """So many instructions more prove nothing.

        A framework's own request has half a million. Where its objects lie in memory, which any change of any code
        changes, decides how many names Python finds at once.
        """
        return 1500 if self.group in _FRAMEWORKS else 0

    def request(self, app: apps.App) -> Environ:
        """Return its environ, having seen that `app` answers it as it should.

        Raises:
            AssertionError: It does not.
        """
        cookie = ask(app, f"/{self.visit}").cookie if self.visit else ""
        assert cookie is not None, f"{self.name}: the visit before it set no cookie"
        if cookie:
            ask(app, "/read", among_others(cookie))  # a live session has been opened before by this process
        header = self.header(cookie)
        text, wanted = ask(app, f"/{self.route}", header).text, self.answer or _ANSWERS.get(self.route)
        assert text == wanted or (wanted is None and text.isdecimal()), f"{self.name}: answered {text!r}"
        return environ(f"/{self.route}", header, scheme=self.scheme)


@dataclass(frozen=True, kw_only=True)
class EngineRow(Row):
    """A store's own calls over the raw client's commands: what is ours between two round trips.

    It is shown, and not checked: what an answer costs to read depends on how the kernel cuts it.
    """

    peer: bool = True

    def request(self, app: apps.App) -> Environ:
        """Return an environ; the calls look at none."""
        return environ("/", "")


class Slope(NamedTuple):
    """What one more of something costs: the difference of two rows, by how many more of it the second one has."""

    name: str
    less: str
    more: str
    steps: int


def _rows(prefix: str, build: apps.Build, *routes: str, group: str = "cookies", **options: Any) -> Iterable[Row]:
    for route in routes:
        visit = None if route == "first" else "first"
        yield Row(name=f"{prefix} {route}", build=build, route=route, visit=visit, group=group, **options)


# Where a token's characters stand for its ciphertext, and for that part of its nonce which derives a key.
_CIPHERTEXT, _NONCE = 40, 12


def _spoilt(cookie: str, place: int) -> str:
    """Return the cookie with another character at a place of its token, which then opens nothing."""
    name, _, token = cookie.partition("=")
    other = "A" if token[place] != "A" else "B"
    return f"{name}={token[:place]}{other}{token[place + 1 :]}"


def _candidates(spoilt: int, *, place: int = _CIPHERTEXT, alone: bool = False) -> Callable[[str], str]:
    """Return what puts so many cookies of the session's name, which open nothing, in front of it, or in its place."""

    def header(cookie: str) -> str:
        cookies = [_spoilt(cookie, place + n) for n in range(spoilt)]
        return among_others("; ".join(cookies if alone else [*cookies, cookie]))

    return header


def _pairs(count: int) -> Callable[[str], str]:
    """Return what adds so many cookies of 20 bytes."""
    return lambda cookie: among_others("; ".join([*(f"c{n:03}=0123456789abc" for n in range(count)), cookie]))


def _look_alikes(count: int) -> Callable[[str], str]:
    """Return what adds so many cookies whose names end as the session's does, in front of it."""

    def header(cookie: str) -> str:
        name = cookie.partition("=")[0]
        return among_others("; ".join([*(f"x{name}=1" for _ in range(count)), cookie]))

    return header


def _keys(count: int) -> Data:
    return {"visits": 1000, **{f"key_{n:04}": n for n in range(1, count)}}


_COOKIE = apps.client_side()
_ENGINES: Final = (("redis", REDIS), ("postgresql", POSTGRESQL), ("mariadb", MARIADB), ("memcached", MEMCACHED))
_STORE_GROUP: Final = "stores"

ROWS: Final = (
    *_rows("cookie", _COOKIE, "untouched", "read", "write", "first", "login"),
    *_rows("http", _COOKIE, "write", "first", scheme="http"),
    *_rows("signed", apps.client_side(encrypt=False), "read", "write"),
    *_rows("persistent", apps.client_side(policy={"persistent": True}), "write"),
    *_rows("eight headers", apps.client_side(headers=apps.HEADERS), "write"),
    *_rows("ten datetimes", apps.client_side(DATES), "read"),
    Row(name="one list read", build=_COOKIE, route="listed"),
    Row(name="list of 200 dicts, one field written", build=apps.client_side(LINES), route="nested", requests=8),
    *_rows("SQLite", apps.sqlite, "untouched", "read", "write", "first", group=_STORE_GROUP),
    Row(name="SQLite logged-in write", build=apps.sqlite, route="write", visit="login", group=_STORE_GROUP),
    *_rows("memory", apps.memory(), "read", "write", group=_STORE_GROUP),
    *_rows("Flask adapter", apps.flask_adapter, "untouched", "read", "write", "first", group="Flask"),
    *_rows("Flask's own", apps.flask_own, "untouched", "read", "write", "first", group="Flask", peer=True),
    *_rows("Pyramid adapter", apps.pyramid_adapter, "read", "write", "first", group="Pyramid"),
    *_rows("Pyramid's own", apps.pyramid_own, "read", "write", "first", group="Pyramid", peer=True),
    *_rows("Django adapter", apps.django_adapter, "untouched", "read", "write", "first", group="Django"),
    *_rows("Django's own", apps.django_own, "untouched", "read", "write", "first", group="Django", peer=True),
    Row(name="changed token", build=_COOKIE, route="look", header=_candidates(1, alone=True), answer="None"),
    Row(
        name="invented token",
        build=_COOKIE,
        route="look",
        header=_candidates(1, place=_NONCE, alone=True),
        answer="None",
    ),
    Row(name="four candidates, the last one opens", build=_COOKIE, route="look", header=_candidates(3)),
    Row(name="forty changed tokens", build=_COOKIE, route="look", header=_candidates(40), answer="None"),
    Row(name="eighty changed tokens", build=_COOKIE, route="look", header=_candidates(80), answer="None"),
    Row(name="4 kB of other cookies, read", build=_COOKIE, route="read", header=_pairs(200)),
    Row(name="8 kB of other cookies, read", build=_COOKIE, route="read", header=_pairs(400)),
    Row(name="4 kB of other cookies, jar", build=_COOKIE, route="jar", header=_pairs(200)),
    Row(name="8 kB of other cookies, jar", build=_COOKIE, route="jar", header=_pairs(400)),
    Row(name="200 look-alike names, read", build=_COOKIE, route="read", header=_look_alikes(200), requests=16),
    Row(name="400 look-alike names, read", build=_COOKIE, route="read", header=_look_alikes(400), requests=16),
    *_rows("100 keys", apps.memory(_keys(100)), "read", "write", group=_STORE_GROUP, requests=8),
    *_rows("1,000 keys", apps.memory(_keys(1000)), "read", "write", group=_STORE_GROUP, requests=8),
    *(
        Row(name=f"cookie {route}, Python calls", build=_COOKIE, route=route, visit=visit, unit=CALLS, group="plain")
        for route, visit in [("untouched", "first"), ("read", "first"), ("write", "first"), ("first", None)]
    ),
    *(
        EngineRow(
            name=f"{contestant.removeprefix(OURS)} {verb} over its client{suffix}",
            build=apps.engine(engine, contestant, verb),
            route=verb,
            unit=unit,
            group=engine,
        )
        for engine, contestant in _ENGINES
        for verb in ("read", "write")
        for unit, suffix in ((INSTRUCTIONS, ""), (CALLS, ", Python calls"))
    ),
    Row(
        name="WAL of a logged-in write", build=apps.sqlite, route="write", visit="login", unit=WAL_BYTES, group="plain"
    ),
)

SLOPES: Final = (
    Slope("a changed token more, beyond the four that are opened", "forty changed tokens", "eighty changed tokens", 40),
    Slope("a kB more of other cookies, read", "4 kB of other cookies, read", "8 kB of other cookies, read", 4),
    Slope("a kB more of other cookies, jar", "4 kB of other cookies, jar", "8 kB of other cookies, jar", 4),
    Slope("a look-alike name more, read", "200 look-alike names, read", "400 look-alike names, read", 200),
    Slope("a key more, read", "100 keys read", "1,000 keys read", 900),
    Slope("a key more, write", "100 keys write", "1,000 keys write", 900),
)
