"""The CSRF token that a request brings, in a header or in a form."""

from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from cookiesess.errors import without_locals
from cookiesess.wsgi.attachment import PASSIVE_KEY, SESSION_KEY, environ_of, get_session
from cookiesess.wsgi.cross_origin import SAFE_METHODS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_HEADER: Final = "HTTP_X_CSRF_TOKEN"
# In the place of the True that an app writes itself: here a token was wrong.
_REFUSED: Final = "refused"
_FORM_TYPE: Final = "application/x-www-form-urlencoded"
# A form with a token is short, and this much is held in memory for whoever sends it.
_MOST_BYTES: Final = 65_536
# Of so many fields nobody has a form; parsing them would cost a stranger's request a quarter of a second.
_MOST_FIELDS: Final = 1_000
# Where frameworks keep the form that they have parsed already: Werkzeug (Flask), WebOb and Django, Bottle.
_PARSED: Final = ("form", "POST", "forms")


@without_locals
def check_csrf(request: object, token: str | None = None, *, field: str = "csrf_token", key: str = SESSION_KEY) -> bool:
    """Whether a request brings a CSRF token of its own session. The comparison takes constant time.

    It looks for the token in the header ``X-CSRF-Token``, which scripts send, and then in the field `field` of a
    urlencoded form of at most 64 kB. Your app can still read the form afterwards. A multipart form is not read: parse
    it yourself, and pass its field as `token`.

    The user may not have sent a request without its token. So such a request does not put off the idle timeout, as
    after `Session.passive`, unless its method is GET, HEAD or OPTIONS, or a second call of this finds the token.

    Args:
        request: A WSGI environ, or an object with ``.environ`` or ``.env``, as in `get_session`.
        token: The token, if your app has it already.
        field: The name of the form's field, by default ``"csrf_token"``.
        key: The middleware's ``environ_key``.

    Returns:
        False if there is no token, if it is another session's, or if the body is not as its headers say.

    Raises:
        SessionError: The app is not wrapped in `SessionMiddleware`.
    """
    session, environ = get_session(request, key), environ_of(request)
    if token is None:
        token = environ.get(_HEADER) or _of_form(request, environ, field)
    good = session.check_csrf(token)
    if good and environ.get(PASSIVE_KEY) == _REFUSED:
        del environ[PASSIVE_KEY]
    elif not (good or environ.get(PASSIVE_KEY) or environ.get("REQUEST_METHOD") in SAFE_METHODS):
        environ[PASSIVE_KEY] = _REFUSED
    return good


def _of_form(request: object, environ: "WSGIEnvironment", field: str) -> str | None:
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != _FORM_TYPE:
        return None
    length = environ.get("CONTENT_LENGTH") or "0"
    # Python refuses to read a number of thousands of digits, leading zeros included.
    if not (length.isascii() and length.isdigit()) or len(length) > 9 or int(length) > _MOST_BYTES:
        return None
    for name in _PARSED:
        form: Any = None if request is environ else getattr(request, name, None)
        if form is not None:
            found = form.get(field)
            return found if type(found) is str else None
    if not environ.get("CONTENT_LENGTH"):
        return None  # how long a chunked body is nobody has said, and it stays the app's to read
    body = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = BytesIO(body)
    try:
        pairs = parse_qsl(body.decode("latin-1"), max_num_fields=_MOST_FIELDS)
    except ValueError:
        return None
    return next((text for name, text in pairs if name == field), None)
