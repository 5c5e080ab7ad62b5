"""The app that the servers of these tests run: the demo's routes and a login, client-side and server-side.

Below ``/client`` sessions are kept in cookies, below ``/server`` in the SQLite file that ``SITE_DATABASE`` names.
"""

import os
from collections.abc import Callable

from webob import Request, Response

from cookiesess import CookiePolicy, Session, SessionMiddleware, get_session
from cookiesess.stores.sqlite import SQLiteStore
from examples.four_routes import routes

KEY = "the key of the site that the servers run"


def login(session: Session) -> object:
    session.login("ann")
    return session.owner


def logout(session: Session) -> object:
    session.invalidate()
    return session.owner


def count(session: Session) -> object:
    session.mutate(lambda data: data.update(n=data.get("n", 0) + 1))
    return ""


VIEWS: dict[str, Callable[[Session], object]] = {
    "/login": login,
    "/logout": logout,
    "/owner": lambda session: session.owner,
    "/count": count,
    "/n": lambda session: session.get("n"),
    "/begun": lambda session: session.get("begun"),
}


def pages(environ, start_response):
    view = VIEWS.get(environ["PATH_INFO"])
    if view is None:
        return routes(environ, start_response)
    return Response(str(view(get_session(environ))), content_type="text/plain")(environ, start_response)


def stream(environ, start_response):
    """Count while the body is being sent, where the session can be saved without a cookie."""
    get_session(environ)["begun"] = True
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"counting"
    count(get_session(environ))


def client_or_server(environ, start_response):
    request = Request(environ)
    app = MOUNTS[request.path_info_pop()]
    return app(environ, start_response)


def switch(environ, start_response):
    return (stream if environ["PATH_INFO"] == "/stream" else pages)(environ, start_response)


MOUNTS = {
    "client": SessionMiddleware(pages, KEY, cookie=CookiePolicy("client", secure="auto")),
    "server": SessionMiddleware(
        switch, KEY, cookie=CookiePolicy("server", secure="auto"), store=SQLiteStore(os.environ["SITE_DATABASE"])
    ),
}
app = client_or_server
