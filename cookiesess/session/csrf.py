"""CSRF tokens: one secret in the session, a fresh mask around it in every page.

The mask keeps the token's bytes different in every response, so that compression does not give them away byte by byte
(BREACH; OWASP CSRF Prevention Cheat Sheet, "synchronizer token pattern").
"""

import hmac

from cookiesess.tokens.encoding import decode, encode

SECRET_BYTES = 32


def mask(secret: bytes, pad: bytes) -> str:
    """Return a token for `secret`: 86 characters. `pad` is as long as the secret, random, and used once."""
    return encode(pad + _xor(secret, pad))


def matches(secret: bytes, token: str) -> bool:
    """Whether `token` was made from `secret`. Takes the same time wherever they differ."""
    try:
        raw = decode(token)
    except ValueError:
        return False
    return hmac.compare_digest(_xor(raw[:SECRET_BYTES], raw[SECRET_BYTES:]), secret)


def _xor(left: bytes, right: bytes) -> bytes:
    # Unequal lengths give bytes that no secret equals, never an error: the token comes from outside.
    return bytes(a ^ b for a, b in zip(left, right, strict=False)) if len(left) == len(right) else b""
