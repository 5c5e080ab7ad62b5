"""The cookie of Django's ``signed_cookies`` session engine: JSON, compressed where that is shorter, readable by anyone.

::

    ["."] base64url(JSON, deflated behind a dot) ":" Unix seconds in base 62 ":" base64url(HMAC-SHA256)

The key is SHA-256 over salt, ``signer`` and secret, which itsdangerous calls ``django-concat``, where it has it from.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Final, Unpack

from cookiesess.errors import InvalidToken
from cookiesess.readers.base import Common, Foreign, Reader
from cookiesess.readers.parts import load_json, secrets_of, session_of, signer_of, unfold, unsign

_BASE_62: Final = digits + ascii_uppercase + ascii_lowercase


class DjangoSignedCookie(Reader):
    """Reads the cookie of ``django.contrib.sessions.backends.signed_cookies`` with JSON data, Django 3.1 and later.

    ``_auth_user_id`` and Django's other keys stay in the data, so users stay logged in to Django. ``_session_expiry``,
    from ``set_expiry``, stays there too, but as in Django only `max_age` decides how old a cookie may be. Django's
    cookie does not say when the session began.

    Args:
        secret_key: Django's ``SECRET_KEY``, at least 16 bytes.
        until: See `Reader`.
        fallbacks: Django's ``SECRET_KEY_FALLBACKS``.
        cookie_name: Django's ``SESSION_COOKIE_NAME``.
        max_age: Django's ``SESSION_COOKIE_AGE``. Default 14 days, as in Django.
        **common: See `Reader`.

    Raises:
        ConfigurationError: A secret is short, or as in `Reader`.
    """

    def __init__(
        self,
        secret_key: str | bytes,
        *,
        until: datetime,
        fallbacks: Iterable[str | bytes] = (),
        cookie_name: str = "sessionid",
        max_age: timedelta | None = timedelta(days=14),
        **common: Unpack[Common],
    ) -> None:
        super().__init__(cookie_name=cookie_name, until=until, max_age=max_age, **common)
        self._signer = signer_of(
            secrets_of(secret_key, fallbacks),
            salt="django.contrib.sessions.backends.signed_cookies",
            digest=hashlib.sha256,
            derivation="django-concat",
            sep=":",
        )

    def read(self, value: str) -> Foreign:
        """See `Reader.read`."""
        payload, moment = unsign(self._signer, value)
        return Foreign(session_of(load_json(unfold(payload))), None, _base_62(moment))


def _base_62(text: str) -> int:
    number = 0
    for digit in text:
        value = _BASE_62.find(digit)
        if value < 0:
            raise InvalidToken("plaintext")
        number = number * 62 + value
    return number
