"""The page on engines: its code runs on real servers, and its table of promises names tests that there are."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from webob import Request, Response

from cookiesess import SessionManager, SessionMiddleware, StoreUnavailable
from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import CookieHeader, session_transaction
from edge.test_examples import opener, run_to_its_end, running
from kit.constants import KEY
from kit.servers.mariadb import mariadb_database, mariadb_server  # noqa: F401
from kit.servers.mariadb import url as mariadb_url
from kit.servers.memcached import memcached_server  # noqa: F401
from kit.servers.postgresql import postgresql_database, postgresql_server  # noqa: F401
from kit.servers.postgresql import url as postgresql_url
from kit.servers.redis import shared_redis  # noqa: F401

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
COSTS = (ROOT / "docs" / "costs.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL)
PYTHON = [code for language, code in BLOCKS if language == "python"]
COMMANDS = [
    line.removeprefix("$ python -m ")
    for language, code in BLOCKS
    if language == "console"
    for line in code.splitlines()
    if line.startswith("$")
]
PROMISES = (
    "nothing acknowledged is lost",
    "nothing ended comes back",
    "the owner's list is complete",
    "one round trip",
    "no request hangs",
)
LINK = re.compile(r"\[`(\w+)`\]\(\.\./(tests/engines/\w+\.py)\)")


def rows_below(beginning, page=PAGE):
    """The cells of the table whose head begins so, without the head."""
    lines = page.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(beginning))
    table = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


@pytest.fixture
def places(request, monkeypatch):
    """What the page's addresses are here; each server is started when the first of its addresses is asked for."""

    def database(kind, url):
        server, name = request.getfixturevalue(f"{kind}_server"), request.getfixturevalue(f"{kind}_database")
        return url(server.port, name)

    finders = {
        "redis://127.0.0.1:6379/0": lambda: f"redis://127.0.0.1:{port('shared_redis')}/0",
        '"127.0.0.1", 6379': lambda: f'"127.0.0.1", {port("shared_redis")}',
        "127.0.0.1:11211": lambda: f"127.0.0.1:{port('memcached_server')}",
        "postgresql://app:secret@127.0.0.1:5432/shop": lambda: database("postgresql", postgresql_url),
        "postgresql+psycopg://app:secret@127.0.0.1:5432/shop": lambda: database("postgresql", postgresql_url).replace(
            "postgresql:", "postgresql+psycopg:"
        ),
        "mariadb://app:secret@127.0.0.1:3306/shop": lambda: database("mariadb", mariadb_url),
    }

    def port(server):
        return request.getfixturevalue(server).port

    def placed(text):
        for theirs, find in finders.items():
            if theirs in text:
                text = text.replace(theirs, find())
        return text

    return placed


@pytest.fixture
def opened(monkeypatch):
    """The managers of the middlewares, whose stores are closed in the end."""
    managers, stores = [], []

    class Seen(SessionMiddleware):
        def __init__(self, app, keys, *, store):
            super().__init__(app, keys, store=store)
            managers.append(self.manager)
            stores.append(store)

    monkeypatch.setattr("cookiesess.SessionMiddleware", Seen)
    yield managers
    for manager in managers:
        manager.close_stores()
    for store in stores:
        if not isinstance(store, str):
            store.close()


def migrated(url):
    done = command("cookiesess", "migrate", "--store", url)
    assert done.returncode == 0, done.stderr


def command(*words):
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, encoding="utf-8", timeout=60, env=os.environ
    )


@pytest.mark.servers
@pytest.mark.parametrize("code", PYTHON, ids=[code.split("\n")[0] for code in PYTHON])
def test_the_code_serves_sessions_from_its_engine(code, places, opened):
    if "SQLStore" in code:
        migrated(places("postgresql://app:secret@127.0.0.1:5432/shop"))
    names = {"app": Response("hello"), "KEYS": KEY}
    exec(places(code), names)
    app, cookies = names["app"], CookieHeader()
    with session_transaction(app.manager, cookies) as session:
        session["a"] = 1
    with session_transaction(app.manager, cookies) as session:
        assert session["a"] == 1
    assert Request.blank("/", base_url="https://shop.example").get_response(app).text == "hello"
    assert len(opened) == 1


@pytest.mark.servers
@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("cookiesess")])
def test_the_command_runs(line, places):
    words = places(line).split()
    if "sweep" in words:
        migrated(words[-1])
    done = command(*words)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.fixture(params=["redis", "postgresql", "mariadb", "memcached"])
def store_url(request, places):
    """The URL of a store that is ready, on each engine."""
    url = places(
        {
            "redis": "redis://127.0.0.1:6379/0",
            "postgresql": "postgresql://app:secret@127.0.0.1:5432/shop",
            "mariadb": "mariadb://app:secret@127.0.0.1:3306/shop",
            "memcached": "memcached://127.0.0.1:11211",
        }[request.param]
    )
    if request.param in ("postgresql", "mariadb"):
        migrated(url)
    return url


@pytest.mark.servers
def test_the_demo_keeps_its_sessions_in_each_engine_and_shows_no_password(store_url):
    with running("--server-side", "--store", store_url, keys=KEY) as (banner, process):
        base = re.search(r"http://127\.0\.0\.1:\d+", banner[0]).group()
        client = opener()
        for route in ("/set_session", "/get_session"):
            client.open(base + route).close()
        assert process.stdout.readline() == "username 萧兮\n"
        assert "hunter2" not in "".join(banner)
        assert re.search(r"127\.0\.0\.1:\d+", banner[2])


@pytest.mark.parametrize(
    "url",
    [
        "redis://u:hunter2@127.0.0.1:1/0",
        "postgresql://u:hunter2@127.0.0.1:1/shop",
        "mariadb://u:hunter2@127.0.0.1:1/shop",
        "memcached://127.0.0.1:1",
    ],
    ids=["redis", "postgresql", "mariadb", "memcached"],
)
def test_the_demo_without_its_server_is_one_clear_line_and_exit_code_2(url):
    code, out, err = run_to_its_end("--store", url, keys=KEY)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert re.search("no connection|refused|not answer", err)
    assert "hunter2" not in err


@pytest.mark.servers
def test_the_demo_without_the_table_says_how_to_make_it(places):
    code, out, err = run_to_its_end("--store", places("mariadb://app:secret@127.0.0.1:3306/shop"), keys=KEY)
    assert (code, out) == (2, "")
    assert "python -m cookiesess migrate" in err


def test_the_table_of_promises_has_a_row_of_tests_for_each_cell():
    engines = [engine for engine, *_ in rows_below("| | nothing acknowledged")]
    assert [(engine, promise) for engine, promise, *_ in rows_below("| engine | promise |")] == [
        (engine, promise) for engine in engines for promise in PROMISES
    ]


@pytest.mark.parametrize("row", rows_below("| engine | promise |"), ids=lambda row: f"{row[0]}: {row[1]}")
def test_a_promise_names_tests_that_there_are(row):
    named = LINK.findall(row[3])
    assert named
    for name, file in named:
        kind = "class" if name.startswith("Test") else "def"
        assert re.search(rf"^\s*{kind} {name}\b", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), name


def test_each_file_of_fault_tests_is_behind_a_promise():
    files = {file for row in rows_below("| engine | promise |") for _, file in LINK.findall(row[3])}
    faults = {
        f"tests/engines/{path.name}"
        for kind in ("faults", "breakdowns", "failover", "connections", "limits")
        for path in (ROOT / "tests" / "engines").glob(f"test_*_{kind}.py")
    }
    assert faults
    assert faults <= files


class Down(MemoryStore):
    """A store that answers until it is said to be down."""

    down = False

    def load(self, key, *, now):
        if self.down:
            raise StoreUnavailable("no answer")
        return super().load(key, now=now)

    def update(self, key, record, *, expected_version, now):
        if self.down:
            raise StoreUnavailable("no answer")
        return super().update(key, record, expected_version=expected_version, now=now)


@pytest.mark.parametrize("when", ["it is read", "it is written"])
def test_a_failure_to_read_is_an_event_and_one_to_write_an_exception_alone(when):
    assert "The event `store.failed`: a session could not be read" in PAGE
    seen, cookies, store = [], CookieHeader(), Down()
    manager = SessionManager(KEY, store=store, on_event=seen.append)
    with session_transaction(manager, cookies) as session:
        session["a"] = 1
    seen.clear()
    session = manager.open(cookies.value)
    if when == "it is written":
        session["a"] = 2
    store.down = True
    with pytest.raises(StoreUnavailable):
        manager.commit(session) if when == "it is written" else session.get("a")
    assert [event.name for event in seen] == (["store.failed"] if when == "it is read" else [])


def number(text):
    return int(text.replace(",", ""))


def test_the_sizes_are_the_bytes_times_the_sessions():
    bytes_a_session = {engine: cells for engine, *cells in rows_below("| bytes a session", COSTS)}
    for engine, one, *totals in rows_below("| | bytes | 10^6", COSTS):
        name, _, without_owner = engine.partition(",")
        column = bytes_a_session[name][:2] if without_owner else bytes_a_session[name][2:]
        measured = [cell for cell in column if cell != "–"][-1]
        # They are measured anew now and then, and differ a little.
        assert number(one) == pytest.approx(number(measured), rel=0.02)
        for sessions, total in zip((1e6, 1e8, 1e9), totals, strict=True):
            gigabytes = number(one) * sessions / 1e9
            assert total == (f"{gigabytes:,.1f} GB" if sessions == 1e6 else f"{gigabytes:,.0f} GB")
