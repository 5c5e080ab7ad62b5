"""Signed tokens: readable by whoever holds them, made only by a holder of the key.

``base64url(payload) "." base64url(HMAC-SHA256)`` by itsdangerous. A user chooses this format (``encrypt=False``) to let
other programs read the cookie; it is never a fallback of the sealed one.
"""

import hashlib
from functools import lru_cache

import itsdangerous
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from itsdangerous.signer import SigningAlgorithm

from cookiesess.errors import InvalidToken
from cookiesess.tokens.encoding import decode, encode
from cookiesess.tokens.keys import Keyring
from cookiesess.tokens.sealing import Opened

_SALT = b"cookiesess v1 sign "
_SIGNATURE_LENGTH = 43
ADDED_LENGTH = 1 + _SIGNATURE_LENGTH
"""How much longer than its payload's text a token is: a dot, and the 32 bytes of an HMAC-SHA256 as base64url."""


# Of how many purposes the signers are kept: of the session's cookie, and of the plain cookies that an app signs.
_KEPT_PURPOSES = 64


class Signer:
    """Signs and unsigns tokens with a `Keyring`. Thread-safe.

    The purpose is itsdangerous's salt: it enters the derivation of the key, so that a token moved to another cookie or
    purpose does not open.
    """

    def __init__(self, keyring: Keyring) -> None:
        # Derived, so that the sealing key and the signing key say nothing about each other.
        self._secrets = [key.derive("sign") for key in keyring.keys]
        self._algorithms = lru_cache(maxsize=_KEPT_PURPOSES)(self._set_up)

    def sign(self, plaintext: bytes, purpose: bytes) -> str:
        """Return `plaintext` as a token for `purpose`: ``len(plaintext) * 4 / 3 + 44`` characters, rounded up."""
        # Here and below the algorithm instead of its signer, whose checks of types cost half of what a signature does.
        payload, algorithm = encode(plaintext), self._algorithms(purpose)[0]
        return f"{payload}.{encode(algorithm.get_signature(b'', payload.encode()))}"

    def unsign(self, token: str, purpose: bytes) -> Opened:
        """Return what `sign` was given for the same `purpose`.

        Raises:
            InvalidToken: Anything else.
        """
        payload, _, signature = token.partition(".")
        try:
            plaintext, signed = decode(payload), decode(signature)
        except ValueError:
            raise InvalidToken("malformed") from None
        if len(signature) != _SIGNATURE_LENGTH:
            raise InvalidToken("malformed")
        text, current = payload.encode(), True
        for algorithm in self._algorithms(purpose):
            if algorithm.verify_signature(b"", text, signed):
                return plaintext, current
            current = False
        raise InvalidToken("forged")

    def _set_up(self, purpose: bytes) -> "list[_KeptHmac]":
        """Return the algorithm of itsdangerous's signer for `purpose`, with each of the keys that it derives."""
        signers = [
            itsdangerous.Signer(secret, _SALT + purpose, key_derivation="hmac", digest_method=hashlib.sha256)
            for secret in self._secrets
        ]
        return [_KeptHmac(signer.derive_key()) for signer in signers]


class _KeptHmac(SigningAlgorithm):
    """HMAC-SHA256 under one key, as an algorithm of itsdangerous; to copy it costs a quarter of setting it up."""

    def __init__(self, key: bytes) -> None:
        self._hmac = HMAC(key, SHA256())

    def get_signature(self, key: bytes, value: bytes) -> bytes:  # noqa: ARG002 (it has come to the constructor)
        """Return the HMAC of `value`."""
        mac = self._hmac.copy()
        mac.update(value)
        return mac.finalize()
