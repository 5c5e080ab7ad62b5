"""Sessions for Flask apps: `flask.session`, kept by this library.

::

    import os

    from flask import Flask

    from cookiesess.adapters.flask import Cookiesess, session

    app = Flask(__name__)
    keys = os.environ["COOKIESESS_KEYS"]
    Cookiesess(app, keys=keys)                                          # client-side, encrypted; or,
    Cookiesess(app, keys=keys, store=SQLiteStore("sessions.db"))        # in its place, server-side

Flask's own settings count, as they stand at each request; no middleware is needed.
"""

from typing import cast

from cookiesess.errors import MissingDependency

try:
    import flask
except ImportError as error:
    raise MissingDependency("flask", extra="flask") from error

from cookiesess.adapters.flask.config import PartitionedAlone, ShortSecretKey
from cookiesess.adapters.flask.flask_session import FlaskSession
from cookiesess.adapters.flask.interface import MARKUP, Cookiesess, CookiesessInterface
from cookiesess.adapters.flask.leftovers import UnreadSettings
from cookiesess.adapters.flask.login import bind_flask_login

session = cast("FlaskSession", flask.session)
"""`flask.session` itself, for editors and type checkers, which so know ``session.login(…)`` and the other verbs."""

__all__ = [
    "MARKUP",
    "Cookiesess",
    "CookiesessInterface",
    "FlaskSession",
    "PartitionedAlone",
    "ShortSecretKey",
    "UnreadSettings",
    "bind_flask_login",
    "session",
]
