"""The session cookie of Starlette and FastAPI: JSON, signed by itsdangerous, readable by anyone.

::

    base64(JSON), padded "." base64url(Unix seconds, big-endian) "." base64url(HMAC-SHA1)
"""

import hashlib
from base64 import b64decode
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Unpack

from cookiesess.errors import InvalidToken
from cookiesess.readers.base import Common, Foreign, Reader
from cookiesess.readers.parts import load_json, secrets_of, session_of, signer_of, unbase64, unsign


class StarletteCookie(Reader):
    """Reads the cookie of Starlette's ``SessionMiddleware``. The cookie does not say when the session began.

    Args:
        secret_key: The middleware's ``secret_key``, at least 16 bytes. If yours is a ``Secret``, give its ``str()``.
        until: See `Reader`.
        fallbacks: Older secrets.
        cookie_name: The middleware's ``session_cookie``.
        max_age: The middleware's ``max_age``. Default 14 days, as in Starlette.
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
        cookie_name: str = "session",
        max_age: timedelta | None = timedelta(days=14),
        **common: Unpack[Common],
    ) -> None:
        super().__init__(cookie_name=cookie_name, until=until, max_age=max_age, **common)
        # itsdangerous's own salt and derivation, since Starlette names none.
        self._signer = signer_of(
            secrets_of(secret_key, fallbacks),
            salt="itsdangerous.Signer",
            digest=hashlib.sha1,
            derivation="django-concat",
        )

    def read(self, value: str) -> Foreign:
        """See `Reader.read`."""
        payload, moment = unsign(self._signer, value)
        try:
            text = b64decode(payload, validate=True)
        except ValueError:
            raise InvalidToken("plaintext") from None
        return Foreign(session_of(load_json(text)), None, int.from_bytes(unbase64(moment)))
