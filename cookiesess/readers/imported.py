"""Opens sessions that ``python -m cookiesess import`` has put into the app's store, by their old cookie."""

import hashlib
import hmac
from datetime import datetime
from typing import ClassVar, Final, TypedDict, Unpack

from cookiesess.errors import InvalidToken
from cookiesess.manager.importing import is_old_id
from cookiesess.readers.base import Foreign
from cookiesess.readers.parts import as_bytes, check_secret
from cookiesess.readers.stored import StoredReader

_SIGNATURE_CHARACTERS: Final = 40


class Place(TypedDict, total=False):
    """Where the old cookie is; see `cookiesess.readers.Reader`."""

    path: str
    domain: str | None
    partitioned: bool


class ImportedSessions(StoredReader):
    """Opens sessions that ``python -m cookiesess import`` has put into your store, by their old cookie.

    Needs ``store=``. The value of the old cookie must be the ID that the session had in the old store, as with Django's
    cache sessions, and with Beaker without a ``secret``.

    Args:
        cookie_name: The name of the old cookie, such as Django's ``sessionid`` or Beaker's ``beaker.session.id``.
        until: See `StoredReader`.
        beaker_secret: Beaker's ``session.secret``, at least 16 bytes, if Beaker signed the ID; else None.
        **place: See `Reader`.

    Raises:
        ConfigurationError: The secret is short, or as in `Reader`. The manager raises it too if it has no ``store=``.
    """

    needs_store: ClassVar[bool] = True

    def __init__(
        self,
        *,
        cookie_name: str,
        until: datetime | None = None,
        beaker_secret: str | bytes | None = None,
        **place: Unpack[Place],
    ) -> None:
        super().__init__(cookie_name=cookie_name, until=until, **place)
        if beaker_secret is not None:
            check_secret("beaker_secret", beaker_secret)
        self._secret = None if beaker_secret is None else as_bytes(beaker_secret)

    def id_of(self, value: str) -> str:
        """See `StoredReader.id_of`."""
        if self._secret is not None:
            signature, value = value[:_SIGNATURE_CHARACTERS], value[_SIGNATURE_CHARACTERS:]
            expected = hmac.new(self._secret, value.encode(), hashlib.sha1).hexdigest()
            if not hmac.compare_digest(signature, expected):
                raise InvalidToken("forged")
        if not is_old_id(value):
            raise InvalidToken("malformed")
        return value

    def look_up(self, session_id: str) -> Foreign | None:  # noqa: ARG002 (there is nothing to ask)
        """Return None: the imported sessions are already in the app's store."""
        return None

    def delete(self, session_id: str) -> None:
        """Do nothing: an imported session ends like any other."""

    def shorten(self, session_id: str, *, now: int) -> None:
        """Do nothing: there is no session in another store."""
