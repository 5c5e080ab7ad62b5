"""The proofs that browsers send: what is read, and every way in which one can be wrong."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from cookiesess import InvalidToken
from cookiesess.testing.bound_browser import proof
from cookiesess.tokens.encoding import decode, encode
from cookiesess.tokens.proofs import MOST_PROOF_BYTES, read_proof

OWN, OTHER = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
POINT = OWN.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
GOOD = proof(OWN, "challenge", brings_key=True)
HEADER = {"alg": "ES256", "typ": "dbsc+jwt"}
KNOWN = proof(OWN, "challenge")


def refused(text, *, key=None):
    with pytest.raises(InvalidToken) as refusal:
        read_proof(text, key=key)
    return refusal.value.reason


def with_part(at, part):
    """`GOOD` with another part: text as it stands, or an object to encode."""
    parts = GOOD.split(".")
    parts[at] = (
        part if isinstance(part, str) else encode(part if isinstance(part, bytes) else json.dumps(part).encode())
    )
    return ".".join(parts)


def jwk(**changes):
    header, _, _ = GOOD.split(".")
    own = json.loads(decode(header))["jwk"]
    return proof(OWN, "challenge", header={"jwk": {k: v for k, v in {**own, **changes}.items() if v is not None}})


def test_the_first_proof_brings_its_key():
    assert read_proof(GOOD) == ("challenge", POINT)


def test_a_later_one_is_checked_with_the_key_that_is_known():
    assert read_proof(KNOWN, key=POINT) == ("challenge", POINT)


def test_double_quotes_around_it_do_not_count():
    assert read_proof(f'"{GOOD}"') == read_proof(GOOD)


def test_what_else_a_payload_says_is_passed_over():
    """RFC 7519 section 4: claims that are not understood are ignored."""
    said = [encode(json.dumps(each).encode()) for each in (HEADER, {"jti": "challenge", "aud": "https://shop.example"})]
    numbers = decode_dss_signature(OWN.sign(".".join(said).encode(), ECDSA(SHA256())))
    signature = encode(b"".join(number.to_bytes(32) for number in numbers))
    assert read_proof(".".join((*said, signature)), key=POINT).challenge == "challenge"


def test_another_keys_signature_is_forged():
    assert refused(proof(OTHER, "challenge"), key=POINT) == "forged"


def test_a_key_that_comes_with_a_later_proof_does_not_count():
    assert refused(GOOD, key=POINT) == "malformed"
    assert refused(proof(OTHER, "challenge", brings_key=True), key=POINT) == "malformed"


def test_a_first_proof_without_a_key_proves_nothing():
    assert refused(KNOWN) == "malformed"


def test_a_signature_over_something_else_is_forged():
    assert refused(with_part(1, {"jti": "another"})) == "forged"


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "es256"},
        {"alg": ["ES256"]},
        {"alg": "RS256"},
        {"typ": "JWT"},
        {"typ": "DBSC+JWT"},
        {"typ": None},
        {"kid": "1"},
        {"crit": ["exp"]},
        {"jku": "https://evil.example/keys"},
    ],
    ids=str,
)
def test_nothing_in_a_header_chooses_how_it_is_checked(header):
    assert refused(proof(OWN, "challenge", brings_key=True, header=header)) == "malformed"
    assert refused(proof(OWN, "challenge", header=header), key=POINT) == "malformed"


@pytest.mark.parametrize("signature", ["", encode(bytes(63)), encode(bytes(65)), "=", "A", "a+b/"])
def test_a_signature_of_another_form_is_malformed(signature):
    assert refused(with_part(2, signature)) == "malformed"


@pytest.mark.parametrize("signature", [bytes(64), b"\xff" * 64, bytes(32) + b"\x01" * 32])
def test_a_signature_of_impossible_numbers_is_forged(signature):
    assert refused(with_part(2, signature)) == "forged"


@pytest.mark.parametrize(
    "changes",
    [
        {"kty": "RSA"},
        {"kty": "OKP"},
        {"crv": "P-384"},
        {"crv": "secp256k1"},
        {"x": None},
        {"y": None},
        {"x": 5},
        {"x": "AA"},
        {"x": encode(bytes(33))},
        {"x": encode(bytes(31) + b"\x01")},
        {"y": encode(b"\xff" * 32)},
        {"x": encode(bytes(32)), "y": encode(bytes(32))},
        {"d": encode(bytes(32))},
        {"kid": "1"},
    ],
    ids=str,
)
def test_a_key_of_another_curve_or_beside_the_curve_is_malformed(changes):
    assert refused(jwk(**changes)) == "malformed"


def test_a_key_of_another_curve_altogether_is_malformed():
    numbers = generate_private_key(SECP384R1()).public_key().public_numbers()
    coordinates = {name: encode(getattr(numbers, name).to_bytes(48)) for name in ("x", "y")}
    assert refused(jwk(**coordinates)) == "malformed"
    assert refused(jwk(**coordinates, crv="P-384")) == "malformed"


@pytest.mark.parametrize("value", ["key", 5, [], True])
def test_a_key_that_is_no_object_is_malformed(value):
    assert refused(proof(OWN, "challenge", header={"jwk": value})) == "malformed"


@pytest.mark.parametrize(
    "part",
    [
        [],
        "text",
        5,
        None,
        b"",
        b"{",
        b"\xff",
        b'{"jti": "a", "jti": "challenge"}',
        b"[" * 3000,
        b'{"jti": ' + b"1" * 5000 + b"}",
        {},
        {"jti": 5},
        {"jti": None},
    ],
    ids=repr,
)
def test_a_payload_that_says_no_challenge_is_malformed(part):
    text = with_part(1, encode(json.dumps(part).encode()) if isinstance(part, str) else part)
    assert refused(text) == "malformed"


@pytest.mark.parametrize(
    "text", ["", ".", "..", "...", "a.b", f"{GOOD}.", f".{GOOD}", GOOD[:-1], GOOD.replace(".", " ", 1)]
)
def test_what_has_another_form_is_malformed(text):
    assert refused(text) == "malformed"


def test_what_is_too_long_is_malformed():
    assert refused(GOOD + "A" * MOST_PROOF_BYTES) == "malformed"


@given(st.text(max_size=300))
def test_whatever_comes_is_refused_quietly(text):
    assert refused(text) in {"malformed", "forged"}


@given(st.integers(0, len(GOOD) - 1), st.characters(codec="utf-8"))
def test_no_changed_character_is_let_through(at, character):
    if GOOD[at] != character:
        text = GOOD[:at] + character + GOOD[at + 1 :]
        if text.strip(' "') != GOOD:
            assert refused(text) in {"malformed", "forged"}
