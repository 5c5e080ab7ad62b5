"""Proofs of Device Bound Session Credentials: small JWTs by which a browser shows that it holds a private key.

A proof is ``base64url(header) . base64url(payload) . base64url(r || s)`` (RFC 7515 section 7.1, RFC 7518 section 3.4),
and what may stand in it is fixed (W3C Device Bound Session Credentials)::

    header   {"alg": "ES256", "typ": "dbsc+jwt", "jwk": {"kty": "EC", "crv": "P-256", "x": "…", "y": "…"}}
    payload  {"jti": "<the challenge>"}

The ``jwk`` stands in the first proof of a key alone. Nothing in a proof chooses how it is checked (RFC 8725 section
3.1): the algorithm is ES256, whatever is said, and a later proof is checked with the key that is known already. A name
that comes twice, another curve, a point beside the curve, padding, and whatever else is odd opens nothing.
"""

import json
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cookiesess.errors import InvalidToken
from cookiesess.tokens.encoding import decode

MOST_PROOF_BYTES: Final = 8192
"""How long a proof may be; browsers send less than a tenth of it."""
KEY_BYTES: Final = 33
"""The length of a P-256 key as a compressed point (SEC 1 section 2.3.3)."""

_COORDINATE_BYTES: Final = 32
_USUAL: Final = {"alg": "ES256", "typ": "dbsc+jwt"}
_CURVE: Final = {"kty": "EC", "crv": "P-256"}


class Proof(NamedTuple):
    """What a proof says.

    Attributes:
        challenge: What the server had asked to be signed.
        key: Whose private half has signed it, as a compressed point.
    """

    challenge: str
    key: bytes


def read_proof(text: str, *, key: bytes | None = None) -> Proof:
    """Return what a proof says, whose signature was checked.

    Args:
        text: As it stands in the request's header, perhaps in double quotes.
        key: The compressed point that has to have signed it. None: the one in the proof, which then proves no more
            than that its sender holds the private half.

    Raises:
        InvalidToken: ``"malformed"``, or ``"forged"`` where the signature is another key's.
    """
    text = text.strip(' "')
    if len(text) > MOST_PROOF_BYTES or text.count(".") != 2:
        raise InvalidToken("malformed")
    header, payload, signature = text.split(".")
    known = _known_key(_object(header), key)
    challenge = _object(payload).get("jti")
    if type(challenge) is not str:
        raise InvalidToken("malformed")
    raw = _decoded(signature)
    if len(raw) != 2 * _COORDINATE_BYTES:
        raise InvalidToken("malformed")
    numbers = (int.from_bytes(half) for half in (raw[:_COORDINATE_BYTES], raw[_COORDINATE_BYTES:]))
    try:
        known.verify(encode_dss_signature(*numbers), f"{header}.{payload}".encode(), ECDSA(SHA256()))
    except InvalidSignature:
        raise InvalidToken("forged") from None
    return Proof(challenge, known.public_bytes(Encoding.X962, PublicFormat.CompressedPoint))


def _known_key(header: dict[str, Any], key: bytes | None) -> EllipticCurvePublicKey:
    """Return the key that a proof is to be checked with."""
    jwk = header.pop("jwk", None)
    if header != _USUAL or (jwk is None) is (key is None):
        raise InvalidToken("malformed")
    point = key or _point(jwk)
    try:
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)  # raises for what is not on the curve
    except ValueError:
        raise InvalidToken("malformed") from None


def _point(jwk: object) -> bytes:
    """Return the uncompressed point of a JWK (RFC 7518 section 6.2.1)."""
    if type(jwk) is not dict or {name: jwk[name] for name in jwk if name not in {"x", "y"}} != _CURVE:
        raise InvalidToken("malformed")
    coordinates = [_decoded(jwk.get(name)) for name in ("x", "y")]
    if any(len(each) != _COORDINATE_BYTES for each in coordinates):
        raise InvalidToken("malformed")
    return b"\x04" + b"".join(coordinates)


def _object(part: str) -> dict[str, Any]:
    """Return a JSON object with unique names out of its base64url."""
    try:
        value = json.loads(_decoded(part).decode(), object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise InvalidToken("malformed") from None
    if type(value) is not dict:
        raise InvalidToken("malformed")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of some pairs; which of two that have one name counts would be anybody's guess."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name that comes twice")
    return found


def _decoded(part: object) -> bytes:
    try:
        return decode(part) if type(part) is str and part.isascii() else b""
    except ValueError:
        raise InvalidToken("malformed") from None
