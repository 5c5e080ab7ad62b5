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

import hashlib
import os
from binascii import a2b_base64, b2a_base64
from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from cookiesess.errors import InvalidToken
from cookiesess.tokens.encoding import LAST, PADDING, decode
from cookiesess.tokens.keys import Keyring

VERSION = b"\x01"
_PREFIX_BYTES, _NONCE_BYTES, _TAG_BYTES = 12, 24, 16
_KID_BYTES = 4
_HEADER_BYTES = 1 + _KID_BYTES + _NONCE_BYTES
# So many characters hold version and kid, and a byte more.
_RECOGNISED = 8
_RECORD_HEADER_BYTES, _RECORD_NONCE_BYTES = 1 + _KID_BYTES, 12
_RECORD_SEALED_FROM = _RECORD_HEADER_BYTES + _RECORD_NONCE_BYTES
ADDED_BYTES = _HEADER_BYTES + _TAG_BYTES
"""How much longer than its plaintext a token is, before it becomes text."""
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
        # Encryptors that no thread is using: to set one up costs ten times what it then does.
        self._idle: deque[CipherContext] = deque()
        # L = AES(0^128), K1 = L << 1 in GF(2^128): the first subkey of CMAC (NIST SP 800-38B section 6.1).
        doubled = int.from_bytes(self._encrypt_blocks(bytes(16))) << 1
        k1 = doubled if doubled < 1 << 128 else (doubled ^ 0x87) & ((1 << 128) - 1)
        self._both_k1 = k1 << 128 | k1

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
        blocks = int.from_bytes(b"\x00\x01X\x00" + prefix + b"\x00\x02X\x00" + prefix) ^ self._both_k1
        return AESGCM(self._encrypt_blocks(blocks.to_bytes(32)))

    def _encrypt_blocks(self, blocks: bytes) -> bytes:
        try:
            encryptor = self._idle.pop()
        except IndexError:
            # ECB is the bare block cipher that the derivation is specified with; no message is encrypted by it. It
            # keeps nothing from one whole block to the next.
            encryptor = Cipher(AES(self._key), ECB()).encryptor()  # noqa: S305 (see the lines above)
        encrypted = encryptor.update(blocks)
        self._idle.append(encryptor)
        return encrypted

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
        # `encoding.encode`, spelled out: every request that writes a session comes by here.
        text = b2a_base64(self.seal_bytes(plaintext, purpose), newline=False)
        return text.rstrip(b"=").replace(b"+", b"-").replace(b"/", b"_").decode()

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
        # `encoding.decode`, spelled out: every request with a session comes by here. A test has both agree.
        remainder = len(token) & 3
        if not token or token[-1] not in LAST[remainder] or "+" in token or "/" in token:
            raise InvalidToken("malformed")
        try:
            raw = a2b_base64(token.replace("-", "+").replace("_", "/") + PADDING[remainder], strict_mode=True)
        except ValueError:
            raise InvalidToken("malformed") from None
        return self.unseal_bytes(raw, purpose)

    def recognise(self, token: str) -> None:
        """Say by its first characters alone whether a key of the ring can have made a token, whole or not.

        Raises:
            InvalidToken: None of them has.
        """
        try:
            header = decode(token[:_RECOGNISED])[:5]
        except ValueError:
            raise InvalidToken("malformed") from None
        if header not in self._ciphers:
            raise InvalidToken("version") if header[:1] != VERSION else InvalidToken("unknown-key", header[1:].hex())

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


RECORD_KEY_LABEL = b"cookiesess v1 record key"


def record_key_of(session_id: bytes) -> bytes:
    """Return the store's key for a session's record: 32 bytes, of which nobody learns the ID."""
    return hashlib.sha256(RECORD_KEY_LABEL + session_id).digest()


class RecordSealer:
    """Seals what stores keep, with a `Keyring`. Thread-safe.

    The cookie holds a token over the *ID*, 32 random bytes. Everything in the store derives from it one way::

        key      SHA-256("cookiesess v1 record key" ‖ ID): a leaked database names no session that could be replayed
        payload  0x01 ‖ kid[4] ‖ nonce[12] ‖ ciphertext ‖ tag[16], AES-256-GCM under HMAC-SHA256(server key, ID)
        owner    HMAC-SHA256(server key, owner): equal for equal owners, and says nothing else

    The payload's key belongs to one session, which is written far fewer than the 2^32 times that random 96-bit nonces
    allow (NIST SP 800-38D section 8.3). Its associated data is what stands before the nonce, and the record's key, so
    that a record put in another's place does not open. The database without the cookie opens nothing, nor does the
    server's key with the database alone.

    Args:
        keyring: Its current key seals, all of them unseal.
        random_bytes: For nonces.
    """

    def __init__(self, keyring: Keyring, *, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self._macs = {VERSION + key.kid: HMAC(key.derive("record"), SHA256()) for key in keyring.keys}
        self._owner_macs = [HMAC(key.derive("owner"), SHA256()) for key in keyring.keys]
        self._header = VERSION + keyring.current.kid
        self._random_bytes = random_bytes

    def seal(self, plaintext: bytes, session_id: bytes, key: bytes, *, cipher: AESGCM | None = None) -> bytes:
        """Return a payload, 33 bytes longer than `plaintext`; `cipher` saves deriving the session's once more."""
        header, nonce = self._header, self._random_bytes(_RECORD_NONCE_BYTES)
        if cipher is None:
            cipher = AESGCM(_digest(self._macs[header], session_id))
        return header + nonce + cipher.encrypt(nonce, plaintext, header + key)

    def unseal(self, payload: bytes, session_id: bytes, key: bytes) -> tuple[bytes, AESGCM | None]:
        """Return what `seal` took, and the session's cipher; None for one that is not under the current key.

        Raises:
            InvalidToken: Another key's, another record's, or changed since.
        """
        header, nonce = payload[:_RECORD_HEADER_BYTES], payload[_RECORD_HEADER_BYTES:_RECORD_SEALED_FROM]
        mac = self._macs.get(header)
        if mac is None:
            reason = "unknown-key" if header[:1] == VERSION else "version"
            raise InvalidToken(reason, header[1:].hex())
        mac = mac.copy()  # `_digest`, spelled out: every request with a record comes by here
        mac.update(session_id)
        cipher = AESGCM(mac.finalize())
        try:
            plaintext = cipher.decrypt(nonce, payload[_RECORD_SEALED_FROM:], header + key)
        except (InvalidTag, ValueError):
            # ValueError: too short to hold a nonce.
            raise InvalidToken("forged", header[1:].hex()) from None
        return plaintext, cipher if header == self._header else None

    def owner_hash(self, owner: str | None) -> bytes | None:
        """Return what a record names its owner by, under the current key."""
        return None if owner is None else _digest(self._owner_macs[0], owner.encode())

    def owner_hashes(self, owner: str) -> list[bytes]:
        """Return what records may name `owner` by, under each key of the ring, the current one first."""
        return [_digest(mac, owner.encode()) for mac in self._owner_macs]


def _digest(mac: HMAC, message: bytes) -> bytes:
    """Return the HMAC of `message` by a copy of `mac`, which has hashed its key: half of what `hmac.digest` takes."""
    copy = mac.copy()
    copy.update(message)
    return copy.finalize()
