"""Sessions that Flask-Session keeps in Redis: ``SESSION_TYPE = "redis"``.

The cookie has the session's ID, with ``SESSION_USE_SIGNER`` signed. Redis has, under prefix and ID, msgpack or JSON
(``SESSION_SERIALIZATION_FORMAT``), as msgspec writes both, and the session's time as the key's own. Before 0.6, and
for sessions from before an update, it is pickle, which is refused.
"""

import re
import struct
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha1
from importlib import import_module
from typing import Any, Final, Unpack

import itsdangerous
import ormsgpack

from cookiesess.errors import ConfigurationError, InvalidToken
from cookiesess.readers.base import Common, Foreign
from cookiesess.readers.parts import load_json, refuse_pickle, secrets_of, session_of, signer_of, unbase64
from cookiesess.readers.stored import FADING_SECONDS, StoredReader
from cookiesess.stores.parameters import split

# `secrets.token_urlsafe` of 12 to 64 bytes, or a UUID before 0.6. Our own tokens, whose cookie may have the same name,
# are longer.
_ID: Final = re.compile(r"[A-Za-z0-9_-]{16,86}")
_TIMESTAMP: Final = -1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class FlaskSessionRedis(StoredReader):
    """Moves the sessions of Flask-Session's Redis interface, 0.6 and later.

    When a visitor comes, the session moves, and its key in Redis is deleted. ``_permanent`` and the keys of extensions
    stay in the data. Flask-Session stores UUIDs, naive datetimes and other types that its format lacks as text; they
    come back as text, as they do in Flask-Session. A pickled session of an older version is refused, and stays where it
    is.

    Args:
        url: The URL of Redis, as in `open_store`: ``redis://host:6379/0``. The reader connects when the first such
            cookie comes.
        until: See `StoredReader`.
        prefix: Flask-Session's ``SESSION_KEY_PREFIX``.
        secret_key: Flask's ``SECRET_KEY``, at least 16 bytes, if ``SESSION_USE_SIGNER`` is True; else None.
        fallbacks: Older secrets.
        cookie_name: Flask's ``SESSION_COOKIE_NAME``.
        **common: See `Reader`.

    Raises:
        ConfigurationError: A secret is short, the URL is of another kind, or as in `Reader`.
        MissingDependency: The Redis client is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        until: datetime | None = None,
        prefix: str = "session:",
        secret_key: str | bytes | None = None,
        fallbacks: Iterable[str | bytes] = (),
        cookie_name: str = "session",
        **common: Unpack[Common],
    ) -> None:
        super().__init__(cookie_name=cookie_name, until=until, **common)
        if not isinstance(url, str):
            raise ConfigurationError(f"the URL of Redis is text, not {type(url).__name__}; is the variable set?")
        parts = split(url)
        if parts.scheme.partition("+")[0] not in {"redis", "rediss"}:
            raise ConfigurationError(
                f"the URL of Redis begins with redis: or rediss:, and this one with {parts.scheme}:"
            )
        self._signer = None if secret_key is None else _signer(secret_key, fallbacks)
        self._prefix = prefix
        client = import_module("cookiesess.stores.redis.client")
        self._run: Callable[..., Any] = client.run
        self._open: Callable[[], Any] = lambda: import_module("cookiesess.stores.redis.url").client_of(parts)[0]

    @cached_property
    def _client(self) -> Any:
        return self._open()

    def id_of(self, value: str) -> str:
        """See `StoredReader.id_of`."""
        if self._signer is not None:
            value, _, signature = value.rpartition(".")
            unbase64(signature, reason="malformed")
            if not self._signer.verify_signature(value, signature):
                raise InvalidToken("forged")
        if _ID.fullmatch(value) is None:
            raise InvalidToken("malformed")
        return value

    def look_up(self, session_id: str) -> Foreign | None:
        """See `StoredReader.look_up`."""
        found = self._execute("GET", session_id)
        if found is None:
            return None
        data = session_of(_decoded(found))
        if not all(type(key) is str for key in data):
            raise InvalidToken("plaintext")
        return Foreign(data, None, None)

    def delete(self, session_id: str) -> None:
        """See `StoredReader.delete`."""
        self._execute("DEL", session_id)

    def shorten(self, session_id: str, *, now: int) -> None:  # noqa: ARG002 (Redis counts by its own clock)
        """See `StoredReader.shorten`."""
        if self._execute("TTL", session_id) not in range(FADING_SECONDS + 1):
            self._execute("EXPIRE", session_id, FADING_SECONDS)

    def _execute(self, verb: str, session_id: str, *arguments: int) -> Any:
        return self._run(self._client.execute_command, verb, self._prefix + session_id, *arguments)


def _signer(secret_key: str | bytes, fallbacks: Iterable[str | bytes]) -> itsdangerous.Signer:
    return signer_of(secrets_of(secret_key, fallbacks), salt="flask-session", digest=sha1, derivation="hmac")


def _decoded(data: bytes) -> Any:
    """Return what msgspec wrote: msgpack, or JSON, in which a session begins with a brace."""
    if data[:1] == b"{":
        return load_json(data)
    refuse_pickle(data)
    try:
        return ormsgpack.unpackb(data, ext_hook=_extension, option=ormsgpack.OPT_NON_STR_KEYS)
    except ValueError:
        raise InvalidToken("plaintext") from None


def _extension(code: int, data: bytes) -> datetime:
    """Return the aware datetime that msgpack's own extension holds: seconds, and nanoseconds where there are any."""
    if code != _TIMESTAMP or len(data) not in {4, 8, 12}:
        raise ValueError(code)
    if len(data) == 12:
        nanoseconds, seconds = struct.unpack(">Iq", data)
    else:
        both = int.from_bytes(data)
        nanoseconds, seconds = (0, both) if len(data) == 4 else (both >> 34, both & 0x3FFFFFFFF)
    try:
        return _EPOCH + timedelta(seconds=seconds, microseconds=nanoseconds // 1000)
    except OverflowError:
        raise ValueError(seconds) from None
