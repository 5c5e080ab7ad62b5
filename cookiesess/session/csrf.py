"""CSRF tokens: each is the one secret of the session under a new random mask.

The mask keeps the token's bytes different in every response, so that compression does not give them away byte by byte
(BREACH; OWASP CSRF Prevention Cheat Sheet, "synchronizer token pattern").
"""

import hmac
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from cookiesess.session.state import CSRF, State
from cookiesess.tokens.encoding import decode, encode

SECRET_BYTES = 32

FORM_KEYS: Final = ("csrf_token", "_csrftoken", "csrf")
"""Where extensions keep a secret of their own for forms, among the session's data: Flask-WTF, Django with
``CSRF_USE_SESSIONS``, WTForms."""
# Those have 32 or 40 characters. What is longer is something else.
_MAX_LENGTH: Final = 128


Forms = tuple[tuple[str, str], ...]


class Secrets(NamedTuple):
    """What the forms of a session are made of.

    Attributes:
        csrf: The secret of its own tokens, or None where it has none.
        forms: What extensions keep among its data, key by key.
        bound: The ID of the binding that has to be proved before any of this counts; empty where there is none.
    """

    csrf: bytes | None
    forms: Forms = ()
    bound: bytes = b""

    def __repr__(self) -> str:
        return "<Secrets>"  # a repr ends up in error reports


def form_secrets(data: Mapping[str, Any]) -> Forms:
    """Return what extensions keep in `data` as the secrets of their forms, key by key."""
    pairs = [(key, data[key]) for key in FORM_KEYS if key in data]
    return tuple((key, value) for key, value in pairs if type(value) is str and len(value) <= _MAX_LENGTH)


def secrets_of(state: State) -> Secrets:
    """Return what the forms of a session are made of."""
    return Secrets(state.extras.get(CSRF), form_secrets(state.data))


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
