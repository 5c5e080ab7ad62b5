"""Sessions that Django keeps in its database: the engines ``db`` and ``cached_db``.

The cookie has the session's key, 32 letters and digits. The table has, under that key, what Django's ``signing.dumps``
made of the session, with ``compress=True`` and a salt of its own: the form of `cookiesess.readers.django`.
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from typing import Final, Unpack

from cookiesess.errors import ConfigurationError, InvalidToken
from cookiesess.readers.base import Common, Foreign
from cookiesess.readers.django_rows import Rows, rows_of
from cookiesess.readers.parts import MAX_STORED_BYTES, load_json, secrets_of, session_of, signer_of, unfold, unsign
from cookiesess.readers.stored import FADING_SECONDS, StoredReader

_KEY: Final = re.compile(r"[a-z0-9]{32,40}")


class DjangoStore(StoredReader):
    """Moves the sessions of ``django.contrib.sessions.backends.db`` and ``cached_db``, Django 3.1 and later.

    The data must be JSON, Django's default. When a visitor comes, the session moves, and its row is deleted. Expired
    rows open nothing. ``_auth_user_id`` and Django's other keys stay in the data, so users stay logged in to Django. A
    row does not say when its session began or was used last, so both timeouts count from the move.

    Args:
        url: The URL of Django's database, as in `open_store`: ``sqlite:///db.sqlite3``, ``postgresql://…``,
            ``mysql://…``. Its user needs SELECT, UPDATE and DELETE on the table. The reader connects when the first
            such cookie comes.
        secret_key: Django's ``SECRET_KEY``, at least 16 bytes.
        until: See `StoredReader`.
        table: The name of Django's table.
        fallbacks: Django's ``SECRET_KEY_FALLBACKS``.
        zone: Needed if Django's ``USE_TZ`` is False and the database is not PostgreSQL: the ``ZoneInfo`` of Django's
            ``TIME_ZONE``, in which the table has its times. Default UTC.
        cookie_name: Django's ``SESSION_COOKIE_NAME``.
        **common: See `Reader`.

    Raises:
        ConfigurationError: A secret is short, the URL is of another kind, or as in `Reader`.
        MissingDependency: The database's driver is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        secret_key: str | bytes,
        until: datetime | None = None,
        table: str = "django_session",
        fallbacks: Iterable[str | bytes] = (),
        zone: tzinfo = UTC,
        cookie_name: str = "sessionid",
        **common: Unpack[Common],
    ) -> None:
        super().__init__(cookie_name=cookie_name, until=until, **common)
        if not isinstance(zone, tzinfo):
            raise ConfigurationError(f"zone is a tzinfo, not a {type(zone).__name__}; write ZoneInfo(TIME_ZONE)")
        self._signer = signer_of(
            secrets_of(secret_key, fallbacks),
            salt="django.contrib.sessions.SessionStore",
            digest=hashlib.sha256,
            derivation="django-concat",
            sep=":",
        )
        self._open = rows_of(url, table, zone=zone)

    @cached_property
    def _rows(self) -> Rows:
        return self._open()

    def id_of(self, value: str) -> str:
        """See `StoredReader.id_of`."""
        if _KEY.fullmatch(value) is None:
            raise InvalidToken("malformed")
        return value

    def look_up(self, session_id: str) -> Foreign | None:
        """See `StoredReader.look_up`."""
        row = self._rows.load(session_id)
        if row is None:
            return None
        payload, _ = unsign(self._signer, row.data)
        data = session_of(load_json(unfold(payload, most=MAX_STORED_BYTES)))
        return Foreign(data, None, None, expires_at=row.expires_at)

    def delete(self, session_id: str) -> None:
        """See `StoredReader.delete`."""
        self._rows.delete(session_id)

    def shorten(self, session_id: str, *, now: int) -> None:
        """See `StoredReader.shorten`."""
        self._rows.end_by(session_id, datetime.fromtimestamp(now + FADING_SECONDS, UTC))
