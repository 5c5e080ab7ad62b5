"""What several formats are made of: secrets, itsdangerous signatures with a time, compressed JSON."""

import hashlib
import json
import math
import re
import zlib
from collections.abc import Callable, Iterable
from typing import Any, Final

import itsdangerous

from cookiesess.errors import ConfigurationError, InvalidToken
from cookiesess.tokens.encoding import decode, is_utf8

# 128 bits, if it is random: below that, whoever holds one cookie finds the secret offline and writes any session he
# likes, which the switch would carry over.
MIN_SECRET_BYTES: Final = 16
# A cookie is 4 KB at most, and what a session holds rarely shrinks to less than a tenth. Deflate can turn 4 KB into
# 4 MB (a ratio of 1,032), many times for each page: not even with a leaked secret should that be cheap.
MAX_TEXT_BYTES: Final = 64 * 1024
# The same for what a store has, which no visitor can write: beyond any record of ours, and still bounded.
MAX_STORED_BYTES: Final = 16 * 1024 * 1024
# How pickle's protocols 2 to 5 begin and end; neither JSON nor zlib does.
_PICKLED: Final = re.compile(rb"\x80[\x02-\x05].*\.", re.DOTALL)
_DIGESTS: Final = ("sha1", "sha224", "sha256", "sha384", "sha512")


def secrets_of(secret_key: str | bytes, fallbacks: Iterable[str | bytes]) -> list[str | bytes]:
    """Return the secrets of a reader, the newest first.

    Raises:
        ConfigurationError: One is of a wrong type or short, or `fallbacks` is one text instead of a list.
    """
    if isinstance(fallbacks, str | bytes):
        raise ConfigurationError("fallbacks is a list of secrets; write fallbacks=[secret]")
    older = list(fallbacks)
    check_secret("secret_key", secret_key)
    for index, secret in enumerate(older):
        check_secret(f"fallbacks[{index}]", secret)
    return [secret_key, *older]


def check_secret(name: str, secret: object) -> None:
    """Raise `ConfigurationError` where `secret` cannot be what the other library signed with, or is guessable."""
    if not isinstance(secret, str | bytes):
        raise ConfigurationError(f"{name} is text or bytes, not {type(secret).__name__}; is the variable set?")
    if isinstance(secret, str) and not is_utf8(secret):
        raise ConfigurationError(f"{name} holds half a surrogate pair, which no encoding carries")
    size = len(as_bytes(secret))
    if size < MIN_SECRET_BYTES:
        raise ConfigurationError(
            f"{name} has {size} bytes and needs at least {MIN_SECRET_BYTES}: others can guess a shorter one,"
            " and forge sessions with it; leave the reader out, and those users log in again"
        )


def as_bytes(secret: str | bytes) -> bytes:
    """Return text as its UTF-8."""
    return secret.encode() if isinstance(secret, str) else secret


def digest_of(name: str, digest: str) -> Callable[..., Any]:
    """Return the hash function called `digest`.

    Raises:
        ConfigurationError: `digest` (given as the argument `name`) is not SHA-1 or of the SHA-2 family.
    """
    if digest not in _DIGESTS:
        raise ConfigurationError(f"{name} is {digest!r}; choose one of {', '.join(_DIGESTS)}")
    function: Callable[..., Any] = getattr(hashlib, digest)
    return function


def signer_of(
    secrets: Iterable[str | bytes], *, salt: str, digest: Callable[..., Any], derivation: str, sep: str = "."
) -> itsdangerous.Signer:
    """Return the signer that knows all `secrets`."""
    # The last one is tried first.
    keys = [as_bytes(secret) for secret in secrets][::-1]
    return itsdangerous.Signer(keys, salt=salt, sep=sep, key_derivation=derivation, digest_method=digest)


def unsign(signer: itsdangerous.Signer, value: str) -> tuple[str, str]:
    """Return payload and time of ``payload sep time sep signature``, both as text; the signature is over both.

    Raises:
        InvalidToken: Another form (``"malformed"``), or none of the signer's secrets made it (``"forged"``).
    """
    sep = signer.sep.decode()
    signed, _, signature = value.rpartition(sep)
    payload, found, moment = signed.rpartition(sep)
    # Decoders of signatures are lenient; refused here, so that one cookie has one spelling.
    unbase64(signature, reason="malformed")
    if not found:
        raise InvalidToken("malformed")
    if not signer.verify_signature(signed, signature):
        raise InvalidToken("forged")
    return payload, moment


def unbase64(text: str, *, reason: str = "plaintext") -> bytes:
    """Return the bytes of canonical unpadded base64url.

    Raises:
        InvalidToken: With `reason`, for anything else.
    """
    try:
        return decode(text)
    except ValueError:
        raise InvalidToken(reason) from None


def unfold(payload: str, *, most: int = MAX_TEXT_BYTES) -> bytes:
    """Return the bytes of base64url, deflated where a dot stands in front; then at most `most`.

    Raises:
        InvalidToken: Anything else (``"plaintext"``).
    """
    return inflate(unbase64(payload[1:]), most=most) if payload[:1] == "." else unbase64(payload)


def inflate(data: bytes, *, most: int = MAX_TEXT_BYTES) -> bytes:
    """Return what zlib deflated.

    Raises:
        InvalidToken: Not zlib's, cut off, or longer than `most` (``"plaintext"``).
    """
    engine = zlib.decompressobj()
    try:
        text = engine.decompress(data, most)
    except zlib.error:
        raise InvalidToken("plaintext") from None
    if not engine.eof:
        raise InvalidToken("plaintext")
    return text


def refuse_pickle(data: bytes) -> bytes:
    """Return `data` if it is not a pickle, which could run code of its writer's when it is loaded.

    Raises:
        InvalidToken: It is one (``"pickle"``).
    """
    if _PICKLED.fullmatch(data):
        raise InvalidToken("pickle")
    return data


def load_json(data: bytes, *, object_hook: Callable[[dict[str, Any]], Any] | None = None) -> Any:
    """Return what JSON in UTF-8 says.

    Args:
        data: The text.
        object_hook: Is shown every object, the inner ones first, and returns what to put in its place.

    Raises:
        InvalidToken: Something else (``"plaintext"``), or pickle (``"pickle"``).
    """
    try:
        return json.loads(refuse_pickle(data).decode(), object_hook=object_hook)
    except (ValueError, RecursionError):
        raise InvalidToken("plaintext") from None


def session_of(data: object) -> dict[str, Any]:
    """Return `data` if it is a dict: a session. (JSON's keys are always text.)

    Raises:
        InvalidToken: It is not (``"plaintext"``).
    """
    if type(data) is not dict:
        raise InvalidToken("plaintext")
    return data


def moment_of(value: object) -> int:
    """Return a time that JSON carried, in whole Unix seconds.

    Raises:
        InvalidToken: No finite number (``"plaintext"``).
    """
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return int(value)
    raise InvalidToken("plaintext")
