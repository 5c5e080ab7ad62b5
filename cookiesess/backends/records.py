"""How a session's record is named, sealed and described.

The cookie holds a token over the *ID*, 32 random bytes. Everything in the store derives from it one way::

    key      SHA-256("cookiesess v1 record key" ‖ ID): a leaked database names no session that could be replayed
    payload  0x01 ‖ kid[4] ‖ nonce[12] ‖ ciphertext ‖ tag[16], AES-256-GCM under HMAC-SHA256(server key, ID)
    summary  as a sealed token, without the base64url: for listings, which know no ID
    owner    HMAC-SHA256(server key, owner): equal for equal owners, and says nothing else

The payload's key belongs to one session, which is written far fewer than the 2^32 times that random 96-bit nonces allow
(NIST SP 800-38D section 8.3). Its associated data is what stands before the nonce, and the record's key, so that a
record put in another's place does not open. The database without the cookie opens nothing, nor does the server's key
with the database alone.
"""

import hashlib
import hmac
import os
from collections.abc import Callable
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cookiesess.errors import InvalidToken
from cookiesess.session.state import COUNTED_IDLE, LABEL, State
from cookiesess.tokens.encoding import purpose
from cookiesess.tokens.keys import Keyring
from cookiesess.tokens.sealing import Sealer
from cookiesess.tokens.values import ValueCodec

ID_BYTES = 32
_VERSION = b"\x01"
_HEADER_BYTES, _NONCE_BYTES = 5, 12
_SEALED_FROM = _HEADER_BYTES + _NONCE_BYTES
_SUMMARY_PURPOSE = purpose("summary")


class Summary(NamedTuple):
    """What a listing shows without the session's ID.

    Attributes:
        created_at: Unix seconds.
        authenticated_at: Unix seconds, or None.
        ends_at: The absolute deadline in Unix seconds, or None.
        idle_seconds: What the record's expiry was counted with.
        label: The user's name for it, or None.
    """

    created_at: int
    authenticated_at: int | None
    ends_at: int | None
    idle_seconds: int
    label: str | None


Description = tuple[int, int | None, int | None, int, str | None]
"""The fields of a `Summary`; compared at each write, so that the summary is sealed anew only where they changed."""


def describe(state: State) -> Description:
    """Return what the summary of `state` says."""
    extras = state.extras
    return (state.created_at, state.authenticated_at, state.ends_at, extras.get(COUNTED_IDLE, 0), extras.get(LABEL))


def key_of(session_id: bytes) -> bytes:
    """Return the store's key for a session: 32 bytes."""
    return hashlib.sha256(b"cookiesess v1 record key" + session_id).digest()


class RecordSealer:
    """Seals what stores keep, with a `Keyring`. Thread-safe.

    Args:
        keyring: Its current key seals, all of them unseal.
        sealer: Seals the summaries.
        codec: Encodes them.
        random_bytes: For nonces.
    """

    def __init__(
        self,
        keyring: Keyring,
        *,
        sealer: Sealer,
        codec: ValueCodec,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._secrets = {_VERSION + key.kid: key.derive("record") for key in keyring.keys}
        self._owner_secrets = [key.derive("owner") for key in keyring.keys]
        self._header = _VERSION + keyring.current.kid
        self._sealer = sealer
        self._codec = codec
        self._random_bytes = random_bytes

    def cipher(self, session_id: bytes, header: bytes) -> AESGCM | None:
        """Return the session's cipher under the key that `header` names (version and kid); None if it is not known."""
        secret = self._secrets.get(header)
        return None if secret is None else AESGCM(hmac.digest(secret, session_id, "sha256"))

    def seal(self, plaintext: bytes, session_id: bytes, key: bytes, *, cipher: AESGCM | None = None) -> bytes:
        """Return a payload, 33 bytes longer than `plaintext`; `cipher` saves deriving the session's once more."""
        header, nonce = self._header, self._random_bytes(_NONCE_BYTES)
        if cipher is None:
            cipher = AESGCM(hmac.digest(self._secrets[header], session_id, "sha256"))
        return header + nonce + cipher.encrypt(nonce, plaintext, header + key)

    def unseal(self, payload: bytes, session_id: bytes, key: bytes) -> tuple[bytes, AESGCM | None]:
        """Return what `seal` took, and the session's cipher; None for one that is not under the current key.

        Raises:
            InvalidToken: Another key's, another record's, or changed since.
        """
        header, nonce = payload[:_HEADER_BYTES], payload[_HEADER_BYTES:_SEALED_FROM]
        cipher = self.cipher(session_id, header)
        if cipher is None:
            reason = "unknown-key" if header[:1] == _VERSION else "version"
            raise InvalidToken(reason, header[1:].hex())
        try:
            plaintext = cipher.decrypt(nonce, payload[_SEALED_FROM:], header + key)
        except (InvalidTag, ValueError):
            # ValueError: too short to hold a nonce.
            raise InvalidToken("forged", header[1:].hex()) from None
        return plaintext, cipher if header == self._header else None

    def summarise(self, description: Description, key: bytes) -> bytes:
        """Return what `describe` returned, sealed for the record under `key`."""
        return self._sealer.seal_bytes(self._codec.pack(list(description)), _SUMMARY_PURPOSE + key)

    def open_summary(self, summary: bytes, key: bytes) -> Summary:
        """Return what `summarise` took.

        Raises:
            InvalidToken: As `unseal`.
        """
        plaintext, _ = self._sealer.unseal_bytes(summary, _SUMMARY_PURPOSE + key)
        try:
            return Summary(*self._codec.loads(plaintext)[: len(Summary._fields)])
        except TypeError as error:
            raise InvalidToken("plaintext") from error

    def owner_hash(self, owner: str | None) -> bytes | None:
        """Return what a record names its owner by, under the current key."""
        return None if owner is None else self.owner_hashes(owner)[0]

    def owner_hashes(self, owner: str) -> list[bytes]:
        """Return what records may name `owner` by, under each key of the ring, the current one first."""
        return [hmac.digest(secret, owner.encode(), "sha256") for secret in self._owner_secrets]
