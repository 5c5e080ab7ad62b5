"""Flask's session cookie: tagged JSON, compressed where that is shorter, signed by itsdangerous, readable by anyone.

::

    ["."] base64url(JSON, deflated behind a dot) "." base64url(Unix seconds, big-endian) "." base64url(HMAC)

JSON has no word for some types, so Flask writes such a value as an object with one key, its tag::

    " t"  tuple     " b"  bytes, base64        " u"  UUID, hex
    " m"  Markup    " d"  datetime, HTTP date  " di" a dict whose one key is itself such a tag, with "__" appended
"""

from base64 import b64decode
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final, Unpack
from uuid import UUID

from cookiesess.errors import InvalidToken
from cookiesess.readers.base import Common, Foreign, Reader
from cookiesess.readers.parts import digest_of, load_json, secrets_of, session_of, signer_of, unbase64, unfold, unsign


class FlaskCookie(Reader):
    """Reads the cookie of Flask's own sessions, with all types that Flask's serializer tags.

    ``Markup`` comes back as str. A value under a tag of your own comes back as a dict, as it is in the JSON.
    ``_flashes``, ``_permanent`` and the keys of extensions stay in the data. Flask's cookie does not say when the
    session began.

    Args:
        secret_key: Flask's ``SECRET_KEY``, at least 16 bytes.
        until: See `Reader`.
        fallbacks: Flask's ``SECRET_KEY_FALLBACKS``.
        salt: The session interface's ``salt``.
        digest: The name of the session interface's ``digest_method``.
        cookie_name: Flask's ``SESSION_COOKIE_NAME``.
        max_age: Flask's ``PERMANENT_SESSION_LIFETIME``. Default 31 days, as in Flask.
        **common: See `Reader`.

    Raises:
        ConfigurationError: A secret is short, the digest is unknown, or as in `Reader`.
    """

    def __init__(
        self,
        secret_key: str | bytes,
        *,
        until: datetime,
        fallbacks: Iterable[str | bytes] = (),
        salt: str = "cookie-session",
        digest: str = "sha1",
        cookie_name: str = "session",
        max_age: timedelta | None = timedelta(days=31),
        **common: Unpack[Common],
    ) -> None:
        super().__init__(cookie_name=cookie_name, until=until, max_age=max_age, **common)
        self._signer = signer_of(
            secrets_of(secret_key, fallbacks), salt=salt, digest=digest_of("digest", digest), derivation="hmac"
        )

    def read(self, value: str) -> Foreign:
        """See `Reader.read`."""
        payload, moment = unsign(self._signer, value)
        data = session_of(load_json(unfold(payload), object_hook=_untag))
        return Foreign(data, None, int.from_bytes(unbase64(moment)))


def _untag(tagged: dict[str, Any]) -> Any:
    """Return the value that an object stands for, or the object where it has no tag, or an unknown one."""
    if len(tagged) != 1:
        return tagged
    [(tag, value)] = tagged.items()
    if tag not in _TAGS:
        return tagged
    try:
        return _TAGS[tag](value)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        # What the parsers of these types raise differs from one Python to the next: beyond the calendar a date is an
        # OverflowError here and a ValueError there.
        raise InvalidToken("plaintext") from None


def _unescape(value: dict[str, Any]) -> dict[str, Any]:
    [(key, item)] = value.items()
    return {key[:-2]: item}


def _text(value: object) -> str:
    if type(value) is not str:
        raise TypeError
    return value


_TAGS: Final[dict[str, Callable[[Any], Any]]] = {
    " di": _unescape,
    " t": tuple,
    " b": b64decode,
    " m": _text,
    " u": UUID,
    " d": parsedate_to_datetime,
}
