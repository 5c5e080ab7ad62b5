"""A session engine for Django: ``request.session``, kept by this library.

::

    SESSION_ENGINE = "cookiesess.adapters.django"
    COOKIESESS_STORE = "sqlite:////var/lib/shop/sessions.db"    # a URL, a Store, or the dotted path of one
    COOKIESESS_STORE = None                                     # or client-side: encrypted, in the cookie itself

The keys are ``SECRET_KEY`` and ``SECRET_KEY_FALLBACKS``, or ``COOKIESESS_KEYS`` where that is set.
``SESSION_COOKIE_…``, ``SESSION_SAVE_EVERY_REQUEST`` and ``SESSION_EXPIRE_AT_BROWSER_CLOSE`` mean what Django's
documentation says, and ``COOKIESESS_OPTIONS`` is a dict of further settings of `SessionManager`. You need no table, and
no middleware but Django's own; with ``binding``, the one of `cookiesess.adapters.django.middleware` in its place. A
``session_key`` is the cookie's text: 104 characters with a store; without a store another text after each save.
"""

from cookiesess.errors import MissingDependency

try:
    import django  # noqa: F401 (said before the files below need it)
except ImportError as error:
    raise MissingDependency("django", extra="django") from error

from cookiesess.adapters.django.engine import SessionStore
from cookiesess.adapters.django.settings import SAFE_STRING
from cookiesess.adapters.django.shared import session_manager

__all__ = ["SAFE_STRING", "SessionStore", "session_manager"]
