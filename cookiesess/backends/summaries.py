"""What a list of devices shows of a record. The server's key alone opens it, since a listing has no session's ID."""

from collections.abc import Collection
from typing import NamedTuple

from cookiesess.errors import InvalidToken
from cookiesess.session.state import Description
from cookiesess.stores.base import Record
from cookiesess.tokens.encoding import purpose
from cookiesess.tokens.sealing import Sealer
from cookiesess.tokens.values import ValueCodec

_PURPOSE = purpose("summary")


class Summary(NamedTuple):
    """What a listing shows without the session's ID.

    Attributes:
        created_at: Unix seconds.
        authenticated_at: Unix seconds, or None.
        ends_at: The absolute deadline in Unix seconds, or None.
        idle_seconds: What the record's expiry was counted with.
        label: The user's name for it, or None.
        replaces: What names the ID whose place it took, where the owner's sessions are limited; else None.
        absolute_seconds: Its own absolute timeout, or None.
        bound: Whether it is bound to a device, and the binding in effect.
    """

    created_at: int
    authenticated_at: int | None
    ends_at: int | None
    idle_seconds: int
    label: str | None
    replaces: bytes | None = None
    absolute_seconds: int | None = None
    bound: bool = False

    def last_seen_at(self, record: Record) -> int:
        """Return when its visitor was there last, in Unix seconds."""
        return record.expires_at - self.idle_seconds

    def took_the_place_of(self, keys: Collection[bytes]) -> bool:
        """Whether the ID whose place it took is one of those of `keys`."""
        return self.replaces is not None and any(key.startswith(self.replaces) for key in keys)


class Summaries:
    """Seals and opens summaries: as a sealed token without its base64url, bound to the record's key. Thread-safe.

    Args:
        sealer: Seals them.
        codec: Encodes them.
    """

    def __init__(self, sealer: Sealer, codec: ValueCodec) -> None:
        self._sealer = sealer
        self._codec = codec

    def seal(self, description: Description, key: bytes) -> bytes:
        """Return what `describe` returned, sealed for the record under `key`."""
        return self._sealer.seal_bytes(self._codec.pack(list(description)), _PURPOSE + key)

    def open(self, summary: bytes, key: bytes) -> Summary:
        """Return what `seal` took.

        Raises:
            InvalidToken: Another key's, another record's, or changed since.
        """
        plaintext, _ = self._sealer.unseal_bytes(summary, _PURPOSE + key)
        try:
            return Summary(*self._codec.loads(plaintext)[: len(Summary._fields)])
        except TypeError as error:
            raise InvalidToken("plaintext") from error
