"""What the handler of a WebSocket does to `flask.session`: kept, or refused at the line that does it."""

import flask
import pytest
from flask import session

from cookiesess import SessionCommitted
from cookiesess.adapters.flask import Cookiesess
from cookiesess.stores.memory import MemoryStore
from kit.constants import KEY
from kit.flask_site import lines
from kit.websocket_site import make_app

UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket"}
REFUSED = "refused: the session was changed by the handler of a WebSocket"
UNTOUCHED = "{'a': 1, 'cart': []}"

on_the_server = pytest.mark.parametrize("server_side", [True, False], ids=["store", "cookie"])


class Rule:
    """A rule of Werkzeug's with ``websocket=True``, which is what Flask-Sock makes."""

    def __init__(self, **settings):
        self.app = make_app(**settings)
        self.client = self.app.test_client()

    def do(self, word):
        self.response = self.client.get(f"/do?word={word}", headers=UPGRADE)
        return self.response.text


class SocketIO:
    """An event of Flask-SocketIO, with Flask's session."""

    def __init__(self, **settings):
        self.app = make_app(**settings)
        self.client = self.app.test_client()

    def do(self, *words):
        socketio = self.app.extensions["socketio"]
        connection = socketio.test_client(self.app, flask_test_client=self.client)
        answers = [connection.emit("do", word, callback=True) for word in words]
        connection.disconnect()
        return answers[-1]


@pytest.fixture(params=[Rule, SocketIO], ids=["rule", "socketio"])
def kind(request):
    return request.param


def made(kind, *, server_side):
    return kind(store=MemoryStore()) if server_side else kind()


def begun(kind, *, server_side):
    site = made(kind, server_side=server_side)
    site.client.get("/begin")
    return site


@pytest.mark.parametrize("word", ["put", "flash", "login", "end", "save"])
def test_without_a_store_a_write_is_refused_at_its_line(kind, word):
    site = begun(kind, server_side=False)
    assert site.do(word).startswith(REFUSED)
    assert site.client.get("/show").text == UNTOUCHED


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("put", "{'a': 1, 'cart': [], 'b': 2}"),
        ("save", "{'a': 1, 'cart': [], 'b': 2}"),
        ("append", "{'a': 1, 'cart': ['tea']}"),
        ("end", "{}"),
    ],
)
def test_with_a_store_what_an_existing_session_is_given_is_kept(kind, word, shown):
    site = begun(kind, server_side=True)
    assert site.do(word) == "done"
    assert site.client.get("/show").text == shown


def test_a_login_is_refused_with_a_store_too(kind):
    site = begun(kind, server_side=True)
    assert site.do("login").startswith(REFUSED)
    assert site.client.get("/show").text == UNTOUCHED


@pytest.mark.parametrize("word", ["put", "flash", "login"])
@on_the_server
def test_no_session_begins_in_a_handler(kind, server_side, word):
    site = made(kind, server_side=server_side)
    assert site.do(word).startswith(REFUSED)


@on_the_server
def test_reading_is_allowed(kind, server_side):
    site = begun(kind, server_side=server_side)
    assert site.do("read") == "done"
    assert site.client.get("/show").text == UNTOUCHED


@on_the_server
def test_that_a_session_is_permanent_may_be_said_in_a_hook(kind, server_side):
    site = made(kind, server_side=server_side)
    assert site.do("permanent") == "done"
    site.client.get("/begin")
    assert site.do("permanent") == "done"


def test_with_a_store_a_session_becomes_permanent_in_a_handler(kind):
    site = made(kind, server_side=True)
    site.app.add_url_rule("/permanent", "permanent", lambda: str(session.permanent))
    site.client.get("/begin")
    site.do("permanent")
    assert site.client.get("/permanent").text == "True"


def test_without_a_store_a_nested_change_raises_as_the_handler_ends():
    site = begun(Rule, server_side=False)
    site.app.testing = True
    with pytest.raises(SessionCommitted, match="handler of a WebSocket"):
        site.do("append")
    assert site.client.get("/show").text == UNTOUCHED


def test_an_idle_session_with_a_store_is_refreshed_by_its_handler(kind):
    site = begun(kind, server_side=True)
    site.do("read")
    assert lines(site.client.get("/show")) == []


@on_the_server
def test_a_session_that_flask_refreshes_at_each_request_stays_as_it_is(server_side):
    site = made(Rule, server_side=server_side)
    site.app.add_url_rule("/keep", "keep", lambda: setattr(session, "permanent", True) or "")
    site.app.add_url_rule("/idle", "idle", lambda: "", websocket=True)
    site.client.get("/begin")
    site.client.get("/keep")
    response = site.client.get("/idle", headers=UPGRADE)
    assert (response.status_code, lines(response)) == (200, [])
    assert site.client.get("/show").text == UNTOUCHED


def test_a_hook_before_the_handler_is_refused_as_the_handler_is():
    site = Rule()
    site.app.testing = True
    site.app.before_request(lambda: session.update(seen=1))
    with pytest.raises(SessionCommitted, match="handler of a WebSocket"):
        site.do("read")


@pytest.mark.parametrize("path", ["/nowhere", "/show"])
def test_an_error_page_for_a_handshake_may_write(path):
    site = Rule()

    @site.app.errorhandler(404)
    @site.app.errorhandler(400)
    def missing(error):
        session["missing"] = True
        return "missing", error.code

    assert site.client.get(path, headers=UPGRADE).status_code in {400, 404}
    assert "missing" in site.client.get("/show").text


def test_a_server_that_has_answered_the_handshake_says_so():
    app = flask.Flask("shop")
    app.config["SECRET_KEY"] = KEY
    Cookiesess(app)
    with app.test_request_context(environ_overrides={"wsgi.websocket": object()}):
        assert session.get("a") is None
        with pytest.raises(SessionCommitted, match="handler of a WebSocket"):
            session["a"] = 1


def test_a_context_that_the_app_pushes_itself_may_write():
    app = flask.Flask("shop")
    app.config["SECRET_KEY"] = KEY
    Cookiesess(app)
    with app.test_request_context("/nowhere"):
        session["a"] = 1
        assert session["a"] == 1


def test_a_request_that_keeps_itself_to_itself_may_write():
    class Shallow(flask.Request):
        def __init__(self, environ, populate_request=True, shallow=False):
            super().__init__(environ, populate_request=False)

    app = flask.Flask("shop")
    app.request_class = Shallow
    app.config["SECRET_KEY"] = KEY
    Cookiesess(app)
    app.add_url_rule("/", "put", lambda: session.update(a=1) or "put")
    assert lines(app.test_client().get("/"))


def test_flask_socketios_own_sessions_are_its_own():
    site = SocketIO(manage_session=True)
    site.client.get("/begin")
    assert site.do("put", "show") == "{'a': 1, 'cart': [], 'b': 2}"
    assert site.client.get("/show").text == UNTOUCHED
