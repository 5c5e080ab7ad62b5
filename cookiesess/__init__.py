"""Cookies and sessions for any WSGI app.

::

    import os

    from cookiesess import SessionMiddleware, get_session

    app = SessionMiddleware(app, os.environ["COOKIESESS_KEYS"])     # what `python -m cookiesess keygen` printed
"""

from cookiesess import events
from cookiesess.backends.owners import SessionInfo
from cookiesess.errors import (
    ConfigurationError,
    CookiesessError,
    CookieTooLarge,
    InvalidToken,
    MissingDependency,
    NotSerializable,
    RecordExists,
    RecordTooLarge,
    ResponseStarted,
    SessionCommitted,
    SessionConflict,
    SessionError,
    SessionReadOnly,
    StoreError,
    StoreUnavailable,
    TooManySessions,
)
from cookiesess.http.binding import DeviceBinding
from cookiesess.http.cookies import CookieAttributes
from cookiesess.http.headers import Commit, SetCookie
from cookiesess.http.jar import Cookies
from cookiesess.http.policy import CookiePolicy, Transport
from cookiesess.manager.manager import SessionManager
from cookiesess.session.flash import Flash
from cookiesess.session.lifetime import Lifetime
from cookiesess.session.session import Session
from cookiesess.stores.urls import open_store
from cookiesess.tokens.keys import Key, Keyring
from cookiesess.tokens.values import ValueType
from cookiesess.wsgi.attachment import get_cookies, get_manager, get_session
from cookiesess.wsgi.cross_origin import CrossOriginProtection
from cookiesess.wsgi.form_token import check_csrf
from cookiesess.wsgi.logins import begin_login, finish_login
from cookiesess.wsgi.middleware import SessionMiddleware

__version__ = "0.1.0"

__all__ = [
    "Commit",
    "ConfigurationError",
    "CookieAttributes",
    "CookiePolicy",
    "CookieTooLarge",
    "Cookies",
    "CookiesessError",
    "CrossOriginProtection",
    "DeviceBinding",
    "Flash",
    "InvalidToken",
    "Key",
    "Keyring",
    "Lifetime",
    "MissingDependency",
    "NotSerializable",
    "RecordExists",
    "RecordTooLarge",
    "ResponseStarted",
    "Session",
    "SessionCommitted",
    "SessionConflict",
    "SessionError",
    "SessionInfo",
    "SessionManager",
    "SessionMiddleware",
    "SessionReadOnly",
    "SetCookie",
    "StoreError",
    "StoreUnavailable",
    "TooManySessions",
    "Transport",
    "ValueType",
    "begin_login",
    "check_csrf",
    "events",
    "finish_login",
    "get_cookies",
    "get_manager",
    "get_session",
    "open_store",
]
