"""Sessions for Flask apps: `flask.session`, kept by this library.

::

    import os

    from flask import Flask, session

    from cookiesess.adapters.flask import Cookiesess

    app = Flask(__name__)
    keys = os.environ["COOKIESESS_KEYS"]
    Cookiesess(app, keys=keys)                                          # client-side, encrypted
    Cookiesess(app, keys=keys, store=SQLiteStore("sessions.db"))        # server-side

Flask's own settings count, as they stand at each request; no middleware is needed.
"""

from cookiesess.errors import MissingDependency

try:
    import flask  # noqa: F401 (said before the files below need it)
except ImportError as error:
    raise MissingDependency("flask", extra="flask") from error

from cookiesess.adapters.flask.config import ShortSecretKey
from cookiesess.adapters.flask.interface import MARKUP, Cookiesess, CookiesessInterface
from cookiesess.adapters.flask.session import FlaskSession

__all__ = ["MARKUP", "Cookiesess", "CookiesessInterface", "FlaskSession", "ShortSecretKey"]
