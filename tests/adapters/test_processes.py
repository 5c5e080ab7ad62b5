"""A store in one process's memory, on a server that runs several: said once, by each edge that sees the request."""

import flask
import pytest
from pyramid.config import Configurator
from pyramid.response import Response
from webob import Request

from cookiesess import SessionManager, SessionMiddleware, get_session
from cookiesess.adapters.flask import Cookiesess
from cookiesess.adapters.pyramid import session_factory
from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore
from kit.constants import KEY


def plain(manager):
    def app(environ, start_response):
        get_session(environ).get("n")
        start_response("200 OK", [])
        return [b"ok"]

    return SessionMiddleware(app, manager)


def in_flask(manager):
    app = flask.Flask(__name__)
    Cookiesess(app, keys=manager)
    app.add_url_rule("/", view_func=lambda: str(flask.session.get("n")))
    return app


def in_pyramid(manager):
    with Configurator(session_factory=session_factory(manager)) as config:
        config.add_route("index", "/")
        config.add_view(lambda request: Response(str(request.session.get("n"))), route_name="index")
    return config.make_wsgi_app()


class Unforgetting(MemoryStore):
    """A store as somebody may write it for one process: it drops nothing."""

    evicts = False


EDGES = [plain, in_flask, in_pyramid]


def warnings(make_app, *, several, **settings):
    events = []
    app = make_app(SessionManager(KEY, on_event=events.append, **settings))
    for _ in range(3):
        Request.blank("/", environ={"wsgi.multiprocess": several}).get_response(app)
    return [event.name for event in events if event.name == "store.not_shared"]


@pytest.mark.parametrize("make_app", EDGES)
@pytest.mark.parametrize("setting", ["store", "overflow", "revocations"])
def test_several_processes_with_a_store_of_one_are_warned_of_once(make_app, setting):
    assert warnings(make_app, several=True, **{setting: Unforgetting()}) == ["store.not_shared"]


@pytest.mark.parametrize("make_app", EDGES)
def test_one_process_with_a_store_of_its_own_is_no_warning(make_app):
    assert warnings(make_app, several=False, store=MemoryStore()) == []


@pytest.mark.parametrize("make_app", EDGES)
def test_a_store_that_processes_share_is_no_warning(make_app, tmp_path):
    store = SQLiteStore(tmp_path / "sessions.db")
    assert warnings(make_app, several=True, store=store) == []
    store.close()


@pytest.mark.parametrize("make_app", EDGES)
def test_sessions_in_cookies_are_no_warning(make_app):
    assert warnings(make_app, several=True) == []
