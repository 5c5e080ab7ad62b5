"""Sealed tokens: text that nobody but a holder of the key can read or make.

Layout, version 1, as base64url without padding (`cookiesess.tokens.encoding`)::

    0x01     version: first, so that everything behind it may change one day
    kid[4]   which key sealed it: one lookup and one decryption at most, never trial by trial
    nonce[24]
    ciphertext, as long as the plaintext
    tag[16]

The cipher is XAES-256-GCM as C2SP specifies it (https://c2sp.org/XAES-256-GCM): AES-256-GCM under a key that the first
12 bytes of the nonce derive. Plain AES-GCM's 96-bit random nonces are spent after 2^32 messages under one key (NIST SP
800-38D section 8.3), ten days at 5,000 cookies a second; 192-bit ones are safe for 2^80.

Associated data is version, kid and purpose, each of fixed length or with its length in front, so that a token moved to
another cookie, purpose, key or version does not open.
"""

import os
from collections.abc import Callable
from threading import Lock
from typing import TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from cookiesess.errors import InvalidToken
from cookiesess.tokens.encoding import decode, encode
from cookiesess.tokens.keys import Keyring

VERSION = b"\x01"
_PREFIX_BYTES, _NONCE_BYTES, _TAG_BYTES = 12, 24, 16
_HEADER_BYTES = 1 + 4 + _NONCE_BYTES
# How many tokens one process seals under one nonce prefix. Within a prefix the other 12 nonce bytes are random, which
# 2^32 messages may share at most; 2^20 leave room for 4,096 forked children that go on with their parent's prefix.
_SEALS_PER_PREFIX = 1 << 20
# Derived keys kept for opening: one per prefix, so one per process that sealed lately. About 1 KB each.
_CACHED_CIPHERS = 1024


Opened: TypeAlias = tuple[bytes, bool]
"""What a token held: the bytes that went in, and whether the ring's current key made it (if not, write it anew)."""


class Xaes256Gcm:
    """XAES-256-GCM under one 32-byte key. Thread-safe.

    Derived ciphers are cached by nonce prefix; a prefix enters the cache only after something authentic was opened
    with it, so that invented tokens cannot push the useful ones out.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._ciphers: dict[bytes, AESGCM] = {}
        self._lock = Lock()
        # L = AES(0^128), K1 = L << 1 in GF(2^128): the first subkey of CMAC (NIST SP 800-38B section 6.1).
        doubled = int.from_bytes(self._encrypt_blocks(bytes(16))) << 1
        self._k1 = doubled if doubled < 1 << 128 else (doubled ^ 0x87) & ((1 << 128) - 1)

    def encrypt(self, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """Return ciphertext and tag. `nonce`, 24 bytes, must never come twice under one key."""
        return self.cipher(nonce[:_PREFIX_BYTES]).encrypt(nonce[_PREFIX_BYTES:], plaintext, associated_data)

    def decrypt(self, nonce: bytes, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Return the plaintext.

        Raises:
            cryptography.exceptions.InvalidTag: Made by another key, for other associated data, or changed since.
        """
        prefix = nonce[:_PREFIX_BYTES]
        cached = self._ciphers.get(prefix)
        cipher = cached or self.cipher(prefix)
        plaintext = cipher.decrypt(nonce[_PREFIX_BYTES:], ciphertext, associated_data)
        if cached is None:
            self._keep(prefix, cipher)
        return plaintext

    def cipher(self, prefix: bytes) -> AESGCM:
        """Derive the AES-256-GCM cipher for the first 12 bytes of a nonce (the C2SP document's Kx)."""
        blocks = (int.from_bytes(head + prefix) ^ self._k1 for head in (b"\x00\x01X\x00", b"\x00\x02X\x00"))
        return AESGCM(self._encrypt_blocks(b"".join(block.to_bytes(16) for block in blocks)))

    def _encrypt_blocks(self, blocks: bytes) -> bytes:
        # ECB is the bare block cipher that the derivation is specified with; no message is encrypted by it.
        return Cipher(AES(self._key), ECB()).encryptor().update(blocks)  # noqa: S305 (see the line above)

    def _keep(self, prefix: bytes, cipher: AESGCM) -> None:
        with self._lock:
            if len(self._ciphers) >= _CACHED_CIPHERS:
                del self._ciphers[next(iter(self._ciphers))]  # the oldest; dicts keep the order of insertion
            self._ciphers[prefix] = cipher


class Sealer:
    """Seals and unseals tokens with a `Keyring`. Thread-safe.

    Args:
        keyring: Its current key seals, all of them unseal.
        random_bytes: For the tests' vectors alone; a nonce that repeats reveals both plaintexts.
    """

    def __init__(self, keyring: Keyring, *, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self._random_bytes = random_bytes
        # By version and kid, as they stand in front of a token.
        self._ciphers = {VERSION + key.kid: Xaes256Gcm(key.derive("seal")) for key in keyring.keys}
        self._header = VERSION + keyring.current.kid
        self._current = self._ciphers[self._header]
        self._renew_prefix()

    def _renew_prefix(self) -> None:
        prefix = self._random_bytes(_PREFIX_BYTES)
        self._prefix = (prefix, self._current.cipher(prefix))
        self._seals_left = _SEALS_PER_PREFIX

    def seal(self, plaintext: bytes, purpose: bytes) -> str:
        """Return `plaintext` as a token for `purpose`: ``(45 + len(plaintext)) * 4 / 3`` characters, rounded up."""
        return encode(self.seal_bytes(plaintext, purpose))

    def seal_bytes(self, plaintext: bytes, purpose: bytes) -> bytes:
        """As `seal`, without the base64url."""
        if self._seals_left <= 0:
            # Two threads may both renew the prefix here, or count a little past the bound: both are harmless.
            self._renew_prefix()
        self._seals_left -= 1
        prefix, cipher = self._prefix
        suffix = self._random_bytes(_NONCE_BYTES - _PREFIX_BYTES)
        header = self._header
        return header + prefix + suffix + cipher.encrypt(suffix, plaintext, header + purpose)

    def unseal(self, token: str, purpose: bytes) -> Opened:
        """Return what `seal` was given for the same `purpose`.

        Raises:
            InvalidToken: Anything else, for one of the reasons in its docstring.
        """
        try:
            raw = decode(token)
        except ValueError:
            raise InvalidToken("malformed") from None
        return self.unseal_bytes(raw, purpose)

    def unseal_bytes(self, raw: bytes, purpose: bytes) -> Opened:
        """As `unseal`, for what `seal_bytes` made."""
        header = raw[:5]
        cipher = self._ciphers.get(header)
        if cipher is None or len(raw) < _HEADER_BYTES + _TAG_BYTES:
            raise _unopened(raw)
        try:
            plaintext = cipher.decrypt(raw[5:_HEADER_BYTES], raw[_HEADER_BYTES:], header + purpose)
        except InvalidTag:
            raise InvalidToken("forged", header[1:].hex()) from None
        return plaintext, header == self._header


def _unopened(raw: bytes) -> InvalidToken:
    """Say why there was nothing to decrypt."""
    if len(raw) < _HEADER_BYTES + _TAG_BYTES:
        return InvalidToken("malformed")
    return InvalidToken("version") if raw[:1] != VERSION else InvalidToken("unknown-key", raw[1:5].hex())
