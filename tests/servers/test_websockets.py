"""WebSockets of Flask-Sock and Flask-SocketIO, under two real servers and with real clients."""

import os
import sys
import urllib.request
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest
import simple_websocket
import socketio

from kit.servers.process import Server, free_port

TESTS = Path(__file__).parents[1]
SECONDS = 20
REFUSED = "refused: the session was changed by the handler of a WebSocket"
SITE = "kit.websocket_site:app_of_the_environment"
PYTHON = (sys.executable, "-m")
SERVERS = {
    "werkzeug": (*PYTHON, "flask", "--app", SITE, "run", "--port", "{port}"),
    "gevent": (*PYTHON, "gunicorn", "--bind", "127.0.0.1:{port}", "--worker-class", "gevent", f"{SITE}()"),
    "gunicorn": (*PYTHON, "gunicorn", "--bind", "127.0.0.1:{port}", "--threads", "9", f"{SITE}()"),
}


def answers(port):
    with closing(HTTPConnection("127.0.0.1", port, timeout=2)) as connection:
        connection.request("GET", "/show")
        return connection.getresponse().status == 200


@pytest.fixture(scope="module", params=[(name, side) for name in SERVERS for side in ("cookie", "store")], ids="-".join)
def site(request, tmp_path_factory):
    """The port of a running server, and whether its sessions are in a store."""
    name, side = request.param
    port, folder = free_port(), tmp_path_factory.mktemp(name)
    variables = {"PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])}
    if side == "store":
        variables["SITE_STORE"] = f"sqlite:///{folder}/sessions.db"
    words = [word.format(port=port) for word in SERVERS[name]]
    command = ["env", *(f"{name}={value}" for name, value in variables.items()), *words]
    server = Server(command, port=port, folder=folder, ready=lambda: answers(port))
    try:
        server.start()
        yield port, side == "store"
    finally:
        server.stop()


class Visitor:
    """Has a session, and opens WebSockets with its cookie."""

    def __init__(self, port):
        self.address = f"127.0.0.1:{port}"
        with urllib.request.urlopen(f"http://{self.address}/begin", timeout=SECONDS) as response:
            self.headers = {"Cookie": response.headers["Set-Cookie"].partition(";")[0]}

    def show(self):
        request = urllib.request.Request(f"http://{self.address}/show", headers=self.headers)
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            return response.read().decode()

    @contextmanager
    def sock(self):
        """Flask-Sock's connection: what it is told, and what it answers."""
        connection = simple_websocket.Client(f"ws://{self.address}/sock", headers=self.headers)

        def do(word):
            connection.send(word)
            return connection.receive(timeout=SECONDS)

        try:
            yield do
        finally:
            connection.close()

    @contextmanager
    def socketio(self, transport):
        """Flask-SocketIO's."""
        with socketio.SimpleClient() as connection:
            connection.connect(f"http://{self.address}", headers=self.headers, transports=[transport])
            yield lambda word: connection.call("do", word, timeout=SECONDS)

    def connection(self, kind):
        return self.sock() if kind == "sock" else self.socketio(kind)


@pytest.mark.parametrize("word", ["put", "flash", "end"])
@pytest.mark.parametrize("kind", ["sock", "websocket", "polling"])
def test_a_write_is_kept_or_refused_at_its_line(site, kind, word):
    port, server_side = site
    visitor = Visitor(port)
    with visitor.connection(kind) as do:
        assert do("show") == "{'a': 1, 'cart': []}"
        answer = do(word)
    assert answer == "done" if server_side else answer.startswith(REFUSED)


@pytest.mark.parametrize("kind", ["sock", "websocket", "polling"])
def test_what_was_saved_is_there_for_the_next_request(site, kind):
    port, server_side = site
    visitor = Visitor(port)
    with visitor.connection(kind) as do:
        assert (do("save") == "done") is server_side
        assert visitor.show() == ("{'a': 1, 'cart': [], 'b': 2}" if server_side else "{'a': 1, 'cart': []}")


@pytest.mark.parametrize("kind", ["sock", "websocket", "polling"])
def test_a_login_is_refused_and_the_connection_goes_on(site, kind):
    with Visitor(site[0]).connection(kind) as do:
        assert do("login").startswith(REFUSED)
        assert do("read") == "done"
