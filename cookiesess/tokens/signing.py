"""Signed tokens: readable by whoever holds them, made only by a holder of the key.

``base64url(payload) "." base64url(HMAC-SHA256)`` by itsdangerous. A user chooses this format (``encrypt=False``) to let
other programs read the cookie; it is never a fallback of the sealed one.
"""

import hashlib

import itsdangerous

from cookiesess.errors import InvalidToken
from cookiesess.tokens.encoding import decode, encode
from cookiesess.tokens.keys import Keyring
from cookiesess.tokens.sealing import Opened

_SALT = b"cookiesess v1 sign "
_SIGNATURE_LENGTH = 43
ADDED_LENGTH = 1 + _SIGNATURE_LENGTH
"""How much longer than its payload's text a token is: a dot, and the 32 bytes of an HMAC-SHA256 as base64url."""


class Signer:
    """Signs and unsigns tokens with a `Keyring`. Thread-safe.

    The purpose is itsdangerous's salt: it enters the derivation of the key, so that a token moved to another cookie or
    purpose does not open.
    """

    def __init__(self, keyring: Keyring) -> None:
        # Derived, so that the sealing key and the signing key say nothing about each other.
        self._secrets = [key.derive("sign") for key in keyring.keys]

    def sign(self, plaintext: bytes, purpose: bytes) -> str:
        """Return `plaintext` as a token for `purpose`: ``len(plaintext) * 4 / 3 + 44`` characters, rounded up."""
        return self._signer(0, purpose).sign(encode(plaintext)).decode()

    def unsign(self, token: str, purpose: bytes) -> Opened:
        """Return what `sign` was given for the same `purpose`.

        Raises:
            InvalidToken: Anything else.
        """
        payload, _, signature = token.partition(".")
        try:
            plaintext = decode(payload)
            # itsdangerous skips what is not base64; refused here, so that one token has one spelling.
            decode(signature)
        except ValueError:
            raise InvalidToken("malformed") from None
        if len(signature) != _SIGNATURE_LENGTH:
            raise InvalidToken("malformed")
        for index in range(len(self._secrets)):
            if self._signer(index, purpose).verify_signature(payload, signature):
                return plaintext, index == 0
        raise InvalidToken("forged")

    def _signer(self, index: int, purpose: bytes) -> itsdangerous.Signer:
        return itsdangerous.Signer(
            self._secrets[index], salt=_SALT + purpose, key_derivation="hmac", digest_method=hashlib.sha256
        )
