"""A short label for a visitor's device, from the name that its browser gives itself: "Firefox on Windows".

::

    from cookiesess.adapters.devices import describe_client

    app = SessionMiddleware(app, keys, store=SQLiteStore("sessions.db"), login_label=describe_client)

or, at a login: ``session.login(str(user.id), label=describe_client(environ))``. The names are `ua-parser's
<https://github.com/ua-parser>`_.
"""

from typing import Final

from cookiesess.errors import MissingDependency
from cookiesess.wsgi.attachment import environ_of

try:
    # Made here, since it takes half a second that no login should wait for.
    from ua_parser import parser
except ImportError as error:
    raise MissingDependency("ua-parser", extra="devices") from error

__all__ = ["describe_client"]

# Browsers stay below 300. The parser tries some hundred patterns, and the longer the text the longer each may take.
_LONGEST_USER_AGENT: Final = 500
# A name can hold what the client made up.
_LONGEST_NAME: Final = 40
# What tells apart the builds of a browser, and means nothing to its user.
_BUILDS: Final = {"Mobile", "iOS", "UI/WKWebView"}
_NAMES: Final = {"Mac OS X": "macOS", "HeadlessChrome": "Chrome"}
_UNKNOWN: Final = "unknown device"


def describe_client(request: object) -> str:
    """Return a label for `Session.label`: browser and system, from the User-Agent header.

    The label holds no address and no version. Danger: whoever sends the request chooses the header, so the label helps
    users to recognise their devices, but proves nothing. Escape it when you show it, like any text.

    Args:
        request: A WSGI environ, or an object with ``.environ`` or ``.env``, as in `get_session`.

    Returns:
        A text such as ``"Firefox on Windows"`` or ``"curl"``, at most 84 characters; ``"unknown device"`` if the header
        does not say.

    Raises:
        SessionError: `request` has no environ.
    """
    user_agent = str(environ_of(request).get("HTTP_USER_AGENT") or "")[:_LONGEST_USER_AGENT]
    browser, system = parser.parse_user_agent(user_agent), parser.parse_os(user_agent)
    names = [_name(known.family) for known in (browser, system) if known is not None]
    return " on ".join(filter(None, names)) or _UNKNOWN


def _name(family: str) -> str:
    family = _NAMES.get(family, family)
    words = [word for word in family.split() if word not in _BUILDS]
    name = " ".join(words) or family
    return "".join(filter(str.isprintable, name))[:_LONGEST_NAME]
