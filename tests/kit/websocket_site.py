"""A Flask app with WebSockets, by Flask-Sock and by Flask-SocketIO, whose handlers do what they are told."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import flask
import flask_sock
import flask_socketio

from cookiesess import SessionCommitted
from cookiesess.adapters.flask import Cookiesess, session
from kit.constants import KEY

WRITES: dict[str, Callable[[], object]] = {
    "read": lambda: session.get("a"),
    "put": lambda: session.update(b=2),
    "append": lambda: session["cart"].append("tea"),
    "flash": lambda: flask.flash("saved"),
    "login": lambda: session.login("ann"),
    "end": lambda: session.invalidate(),
    "save": lambda: [session.update(b=2), session.save()],  # type: ignore[func-returns-value]
    "permanent": lambda: setattr(session, "permanent", True),
}


def do(word: str) -> str:
    """Do something to the session, and say whether that was refused; or show it."""
    if word == "show":
        return show()
    try:
        WRITES[word]()
    except SessionCommitted as error:
        return f"refused: {error}"
    return "done"


def begin() -> str:
    """A view that begins a session."""
    session.update(a=1, cart=[])
    return "begun"


def show() -> str:
    """A view that answers with the session's data."""
    return repr(dict(session))


def make_app(*, manage_session: bool = False, **settings: Any) -> flask.Flask:
    """Return the app; ``app.extensions["socketio"]`` is its Socket.IO."""
    app = flask.Flask("shop")
    app.config["SECRET_KEY"] = KEY
    Cookiesess(app, **settings)
    app.add_url_rule("/begin", "begin", begin)
    app.add_url_rule("/show", "show", show)
    app.add_url_rule("/do", "do", lambda: do(flask.request.args["word"]), websocket=True)

    @flask_sock.Sock(app).route("/sock")
    def sock(ws: Any) -> None:
        while True:
            ws.send(do(ws.receive()))

    socketio = flask_socketio.SocketIO(app, manage_session=manage_session, async_mode="threading")
    socketio.on("do")(do)
    return app


def app_of_the_environment() -> flask.Flask:
    """Return the app as a server's own process makes it."""
    return make_app(store=os.environ["SITE_STORE"]) if "SITE_STORE" in os.environ else make_app()
