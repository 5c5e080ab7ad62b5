"""The cookie of Pyramid's ``SignedCookieSessionFactory``: JSON, readable by anyone.

::

    base64url( HMAC | JSON of [written at, created at, {…}], Unix seconds )

The HMAC's key is the salt with the secret behind it.
"""

import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Unpack

from cookiesess.errors import InvalidToken
from cookiesess.readers.base import Common, Foreign, Reader
from cookiesess.readers.parts import digest_of, load_json, moment_of, secrets_of, session_of, unbase64


class PyramidSignedCookie(Reader):
    """Reads the cookie of Pyramid's ``SignedCookieSessionFactory`` with its ``JSONSerializer``.

    ``JSONSerializer`` is the default since Pyramid 2.0. Pickled cookies of older versions are refused with the reason
    ``"pickle"``. Flashes (``_f_…``) and the CSRF token (``_csrft_``) stay in the data.

    Args:
        secret_key: The factory's ``secret``, at least 16 bytes.
        until: See `Reader`.
        fallbacks: Older secrets.
        salt: The factory's ``salt``.
        hashalg: The factory's ``hashalg``.
        cookie_name: The factory's ``cookie_name``.
        max_age: The factory's ``timeout``. Default 20 minutes, as in Pyramid; None if the factory's is None.
        **common: See `Reader`.

    Raises:
        ConfigurationError: A secret is short, `hashalg` is unknown, or as in `Reader`.
    """

    def __init__(
        self,
        secret_key: str | bytes,
        *,
        until: datetime,
        fallbacks: Iterable[str | bytes] = (),
        salt: str = "pyramid.session.",
        hashalg: str = "sha512",
        cookie_name: str = "session",
        max_age: timedelta | None = timedelta(minutes=20),
        **common: Unpack[Common],
    ) -> None:
        super().__init__(cookie_name=cookie_name, until=until, max_age=max_age, **common)
        self._digest = digest_of("hashalg", hashalg)
        self._size_bytes: int = self._digest().digest_size
        self._keys = [_key(salt, secret) for secret in secrets_of(secret_key, fallbacks)]

    def read(self, value: str) -> Foreign:
        """See `Reader.read`."""
        raw = unbase64(value, reason="malformed")
        signature, text = raw[: self._size_bytes], raw[self._size_bytes :]
        if not any(hmac.compare_digest(signature, hmac.digest(key, text, self._digest)) for key in self._keys):
            raise InvalidToken("forged")
        array = load_json(text)
        if type(array) is not list or len(array) != 3:
            raise InvalidToken("plaintext")
        written_at, created_at, data = array
        return Foreign(session_of(data), moment_of(created_at), moment_of(written_at))


def _key(salt: str, secret: str | bytes) -> bytes:
    """Return salt and secret as Pyramid joins them: in Latin-1 where that suffices, else in UTF-8."""
    text = salt if isinstance(secret, bytes) else salt + secret
    try:
        key = text.encode("latin-1")
    except UnicodeEncodeError:
        key = text.encode()
    return key + secret if isinstance(secret, bytes) else key
