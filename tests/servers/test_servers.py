"""The site under the WSGI servers that people use, with two processes or threads, by real HTTP."""

import os
import select
import signal
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection
from http.cookiejar import CookieJar
from importlib.util import find_spec
from pathlib import Path

import pytest

from kit.servers.process import Server, free_port

TESTS = Path(__file__).parents[1]
SECONDS = 20

PYTHON, UWSGI = (sys.executable, "-m"), str(Path(sys.executable).with_name("uwsgi"))
GUNICORN = (*PYTHON, "gunicorn", "--bind", "127.0.0.1:{port}", "--workers", "2", "--graceful-timeout", "5")
MASTER = ("--master", "--processes", "2", "--need-app")
# The packages that a server needs, and how it is started; with two processes where it has such, else with two threads.
SERVERS = {
    "waitress": (["waitress"], (*PYTHON, "waitress", "--listen", "127.0.0.1:{port}", "--threads", "2")),
    "gunicorn-sync": (["gunicorn"], (*GUNICORN, "--worker-class", "sync")),
    "gunicorn-gthread": (["gunicorn"], (*GUNICORN, "--worker-class", "gthread", "--threads", "2")),
    "gunicorn-gevent": (["gunicorn", "gevent"], (*GUNICORN, "--worker-class", "gevent")),
    "cheroot": (["cheroot"], (*PYTHON, "cheroot", "--bind", "127.0.0.1:{port}", "--threads", "2")),
    # The app is loaded once, and then forked.
    "uwsgi": (["uwsgi"], (UWSGI, "--http-socket", "127.0.0.1:{port}", "--die-on-term", *MASTER, "--module")),
    "granian": (
        ["granian"],
        (*PYTHON, "granian", "--interface", "wsgi", "--port", "{port}", "--workers", "2", "--no-ws"),
    ),
}
WITHOUT_PROCESSES = {"waitress", "cheroot"}

ANSWERS = {
    "/": "cookie和session的设置!",
    "/set_cookie": "cookie 设置",
    "/get_cookie": "获取cookie",
    "/set_session": "session设置成功!",
    "/get_session": "session 获取成功!",
}
both = pytest.mark.parametrize("side", ["client", "server"])


class Browser:
    """Asks one server, and keeps its cookies."""

    def __init__(self, server: Server, side: str) -> None:
        self.jar = CookieJar()
        self._open = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self.jar), urllib.request.ProxyHandler({})
        ).open
        self._url = f"http://127.0.0.1:{server.port}/{side}"

    def get(self, path: str) -> str:
        with self._open(self._url + path, timeout=SECONDS) as response:
            return response.read().decode()


def answers(port: int, folder: Path) -> bool:
    # Granian loses a signal that comes while a worker is on its way up, so that it could not be stopped.
    log = (folder / "server.log").read_text("utf-8")
    if log.count("Spawning worker-") > log.count("Started worker-"):
        return False
    with closing(HTTPConnection("127.0.0.1", port, timeout=2)) as connection:
        connection.request("GET", "/client/")
        return connection.getresponse().status == 200


def descendants(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            yield child
            yield from descendants(child)


def all_end(watched: list[int]) -> bool:
    """Whether the processes behind these file descriptors end within the time."""
    poll, left = select.poll(), len(watched)
    for watch in watched:
        poll.register(watch, select.POLLIN)
    while left:
        ended = poll.poll(SECONDS * 1000)
        if not ended:
            return False
        for watch, _ in ended:
            poll.unregister(watch)
        left -= len(ended)
    return True


@pytest.fixture(scope="module", params=SERVERS)
def server(request, tmp_path_factory):
    """A running server; when it is stopped, none of its processes is left."""
    packages, command = SERVERS[request.param]
    if not Path(command[0]).exists() or (command[0] == sys.executable and not all(map(find_spec, packages))):
        pytest.skip(f"{request.param} is not installed: pip install {' '.join(packages)}")
    port, folder = free_port(), tmp_path_factory.mktemp(request.param)
    variables = {
        "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]),
        "PYTHONIOENCODING": "utf-8",
        "SITE_DATABASE": str(folder / "sessions.db"),
    }
    words = [word.format(port=port) for word in (*command, "servers.site:app")]
    running = Server(
        ["env", *(f"{name}={value}" for name, value in variables.items()), *words],
        port=port,
        folder=folder,
        ready=lambda: answers(port, folder),
    )
    watched: list[int] = []
    try:
        running.start()
        watched = [os.pidfd_open(pid) for pid in descendants(running.process.pid)]
        assert len(watched) >= 2 or request.param in WITHOUT_PROCESSES
        yield running
    finally:
        running.stop()
        ended = all_end(watched)
        for watch in watched:
            if not ended:
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(watch, signal.SIGKILL)
            os.close(watch)
    assert ended, f"{request.param} has left processes behind"


@both
def test_the_routes_of_the_demo_answer_to_the_letter(server, side):
    browser = Browser(server, side)
    assert {path: browser.get(path) for path in ANSWERS} == ANSWERS
    assert {cookie.name for cookie in browser.jar} == {"user_id", side}


@both
def test_what_the_demo_keeps_comes_back(server, side):
    browser = Browser(server, side)
    log = server.folder / "server.log"
    lines = log.read_text("utf-8").count("username 萧兮\n")
    for path in ("/set_session", "/get_session"):
        browser.get(path)
    assert log.read_text("utf-8").count("username 萧兮\n") == lines + 1


@both
def test_a_login_lasts_until_the_logout(server, side):
    browser = Browser(server, side)
    asked = [browser.get(path) for path in ("/owner", "/login", "/owner", "/owner", "/logout", "/owner")]
    assert asked == ["None", "ann", "ann", "ann", "None", "None"]
    assert len(browser.jar) == 0


def test_a_login_with_one_worker_holds_with_the_others(server):
    """A connection for each request, many at once, so that all of them are asked."""
    browser = Browser(server, "server")
    browser.get("/login")
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(browser.get("/owner"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert found == ["ann"] * 8


def test_parallel_requests_lose_no_change(server):
    browser = Browser(server, "server")
    browser.get("/count")
    threads = [threading.Thread(target=lambda: [browser.get("/count") for _ in range(5)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert browser.get("/n") == "21"


def test_a_body_that_is_produced_as_it_is_sent_brings_its_session_along(server):
    browser = Browser(server, "server")
    assert browser.get("/stream") == "counting"
    assert browser.get("/begun") == "True"


def test_what_changes_while_the_body_is_sent_is_saved(server):
    browser = Browser(server, "server")
    browser.get("/stream")
    # Servers close a body after they have sent the last of it, so a fast browser may be back before that.
    assert "1" in (browser.get("/n") for _ in range(200))
