"""The app that gunicorn runs in a campaign: a login, a number in the session, and a logout, in plain text.

``CAMPAIGN_STORE`` is the store's URL. An error of the library is its name, with the status 500.
"""

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from cookiesess import CookiePolicy, CookiesessError, Session, SessionMiddleware, get_session
from cookiesess.stores.base import Store
from cookiesess.stores.urls import open_store

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

KEY = "ckmJ0f0p7Xo3qz9TQw1vN5hKx3b8mZ1rYc7LpWd4sGf"
PLAIN = [("Content-Type", "text/plain; charset=utf-8")]


def login(session: Session, owner: str) -> str:
    """Log `owner` in, with the number 0."""
    session.login(owner)
    session["number"] = 0
    return "0"


def write(session: Session, number: str) -> str:
    """Store a number, where somebody is logged in."""
    if session.owner is None:
        return "none"
    session["number"] = int(number)
    session[f"line {int(number) % 8}"] = "x" * 40
    return number


def look(session: Session, _: str) -> str:
    """Return the number in the session."""
    return str(session["number"]) if session.owner is not None else "none"


def logout(session: Session, _: str) -> str:
    """End the session."""
    session.invalidate()
    return "none"


VIEWS: dict[str, Callable[[Session, str], str]] = {"/login": login, "/write": write, "/look": look, "/logout": logout}


def pages(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer by the path; the value is in the query."""
    value = parse_qs(environ["QUERY_STRING"]).get("v", [""])[0]
    body = VIEWS[environ["PATH_INFO"]](get_session(environ), value)
    start_response("200 OK", PLAIN)
    return [body.encode()]


def site(store: Store) -> "WSGIApplication":
    """Return the app, with its sessions in `store`."""
    inner = SessionMiddleware(pages, KEY, cookie=CookiePolicy("session", secure=False), store=store)

    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        try:
            return list(inner(environ, start_response))
        except CookiesessError as error:
            start_response("500 Internal Server Error", PLAIN)
            return [type(error).__name__.encode()]

    return app


def from_environment() -> "WSGIApplication":
    """Return the app with the store that ``CAMPAIGN_STORE`` names."""
    return site(open_store(os.environ["CAMPAIGN_STORE"]))
