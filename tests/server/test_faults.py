"""A real file that is locked, and a real server that is killed in the middle of its work."""

import contextlib
import http.client
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest

from cookiesess import CookiePolicy, SessionManager, SessionReadOnly, StoreUnavailable
from cookiesess.events import StoreFailed
from cookiesess.stores.sqlite import SQLiteStore
from kit.constants import KEY, LIFETIME, REFRESH, SECONDS
from kit.views import count, login, put, renew
from kit.world import World

BUSY = timedelta(milliseconds=50)
RENEWED_AT = 5
"""With each so manieth request the server below renews the session's ID."""

SERVER = """
import sys
import waitress
from cookiesess import CookiePolicy, SessionMiddleware, get_session
from cookiesess.stores.sqlite import SQLiteStore

def app(environ, start_response):
    session = get_session(environ)
    session["n"] = session.get("n", 0) + 1
    session["padding"] = "x" * 2000
    if session["n"] % int(sys.argv[3]) == 0:
        session.renew()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"%d" % session["n"]]

path, key = sys.argv[1:3]
app = SessionMiddleware(app, key, store=SQLiteStore(path), cookie=CookiePolicy("session", secure=False))
server = waitress.create_server(app, host="127.0.0.1", port=0, threads=4)
print(server.effective_port, flush=True)
server.run()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sessions.db"


@pytest.fixture
def world(path):
    """A world whose store gives up quickly."""
    with contextlib.closing(SQLiteStore(path, busy_timeout=BUSY)) as store:
        yield World(store)


@contextlib.contextmanager
def locked(path, kind="EXCLUSIVE"):
    """Another program, a backup say, that holds the file."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        if kind == "EXCLUSIVE":
            other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute(f"BEGIN {kind}")
        other.execute("DELETE FROM sessions WHERE key = x''")
        yield
        other.execute("ROLLBACK")


@pytest.mark.parametrize("view", [put("b", 2), count, renew, login("ann"), lambda s: s.clear()])
@pytest.mark.parametrize("policy", ["raise", "anonymous"])
def test_a_file_that_is_locked_at_the_commit_fails_it_within_the_timeout(world, path, policy, view):
    world.use(on_store_error=policy)
    browser = world.browser(put("a", 1))
    world.clock.advance(REFRESH)
    request = browser.open(view)
    started = time.monotonic()
    with locked(path, "IMMEDIATE"), pytest.raises(StoreUnavailable, match="busy_timeout") as error:
        request.finish()
    assert isinstance(error.value.__cause__, sqlite3.OperationalError)
    assert time.monotonic() - started < SECONDS
    assert browser.read() == {"a": 1}


@pytest.mark.parametrize("policy", ["raise", "anonymous"])
def test_a_file_that_is_locked_at_a_refresh_costs_the_request_nothing(world, path, policy):
    world.use(on_store_error=policy)
    browser = world.browser(put("a", 1))
    world.clock.advance(REFRESH)
    request = browser.open()
    with locked(path, "IMMEDIATE"):
        assert request.finish() == []
    (event,) = world.taken_events()
    assert isinstance(event, StoreFailed)
    assert "busy_timeout" in event.cause
    assert browser.read() == {"a": 1}


def test_a_file_that_is_locked_at_an_invalidate_raises_and_the_session_lives(world, path):
    browser = world.browser(put("a", 1))
    request = browser.open()
    with locked(path, "IMMEDIATE"), pytest.raises(StoreUnavailable):
        request.session.invalidate()
    assert browser.read() == {"a": 1}


def test_readers_do_not_notice_that_somebody_writes(world, path):
    browser = world.browser(put("a", 1))
    with locked(path, "IMMEDIATE"):
        assert browser.visit(dict) == []
        assert browser.read() == {"a": 1}


def test_a_file_that_cannot_be_read_raises_at_the_first_touch(world, path):
    browser = world.browser(put("a", 1))
    world.probe.close()
    with locked(path), pytest.raises(StoreUnavailable, match="busy_timeout"):
        browser.open()
    assert browser.read() == {"a": 1}


def test_a_file_that_cannot_be_read_gives_an_anonymous_session_where_that_was_chosen(world, path):
    world.use(on_store_error="anonymous")
    browser = world.browser(login("ann"))
    world.probe.close()
    with locked(path):
        session = world.manager.open(browser.header)
        assert (session.available, session.owner, dict(session)) == (False, None, {})
        with pytest.raises(SessionReadOnly):
            session["a"] = 1
        assert world.manager.commit(session).cookies == ()
    assert world.manager.open(browser.header).owner == "ann"


# kill -9


class Client(threading.Thread):
    """Sends requests until the server is gone; begins a new session every few requests, and notes what it was told.

    Attributes:
        told: Cookie header to the counter that came with it, of every response that arrived.
    """

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        self.told: dict[str, int] = {}
        self.answers = 0

    def run(self) -> None:
        header = ""
        with contextlib.suppress(OSError, http.client.HTTPException):
            while True:
                if self.told.get(header, 0) % RENEWED_AT == RENEWED_AT - 1:
                    self.told.pop(header)  # the old ID is dead before the answer is out
                self.connection.request("GET", "/", headers={"Cookie": header} if self.answers % 7 else {})
                response = self.connection.getresponse()
                number = int(response.read())
                line = response.getheader("Set-Cookie")
                if line is not None:
                    header = line.partition(";")[0]
                self.told[header] = number
                self.answers += 1
        self.connection.close()


@pytest.mark.process
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kill -9 is a Unix matter")
@pytest.mark.parametrize("answers", [1, 40, 200])
def test_every_session_whose_response_had_arrived_survives_kill_9(path, answers):
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, path, KEY, str(RENEWED_AT)], stdout=subprocess.PIPE, text=True
    ) as server:
        port = int(server.stdout.readline())
        clients = [Client(port) for _ in range(4)]
        for client in clients:
            client.start()
        deadline = time.monotonic() + SECONDS
        while sum(client.answers for client in clients) < answers and time.monotonic() < deadline:
            clients[0].join(0.001)
        os.kill(server.pid, signal.SIGKILL)
        for client in clients:
            client.join(SECONDS)
    told = {header: number for client in clients for header, number in client.told.items()}
    assert len(told) >= 1
    with contextlib.closing(SQLiteStore(path)) as store:
        cookie = CookiePolicy("session", secure=False)
        manager = SessionManager(KEY, store=store, cookie=cookie, lifetime=LIFETIME)
        found = {header: manager.open(header).get("n", 0) for header in told}
    assert {header: number for header, number in told.items() if found[header] < number} == {}
