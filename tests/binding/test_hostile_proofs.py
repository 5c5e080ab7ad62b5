"""What an attacker sends to the two paths: never a 500, nothing given away, and the owner's browser goes on.

Each kind of hostile proof goes to both paths, by a browser that is otherwise honest.
"""

import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256K1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from binding.conftest import BOUND, LATE, Site, bound, page
from binding.exchange import REFRESH, START, challenge, key, offered, own_key, refreshed, started
from cookiesess.testing.bound_browser import proof
from cookiesess.tokens.encoding import encode
from kit.constants import NAME

USUAL = {"alg": "ES256", "typ": "dbsc+jwt"}


def jwk_of(own, **more):
    """The public half, as a browser sends it."""
    numbers = own.public_key().public_numbers()
    size = (own.key_size + 7) // 8
    coordinates = {name: encode(getattr(numbers, name).to_bytes(size)) for name in ("x", "y")}
    return {"kty": "EC", "crv": "P-256", **coordinates, **more}


def signed(own, header, payload):
    """A proof of any two parts, each an object or its bytes, with a right signature."""
    parts = [encode(each if isinstance(each, bytes) else json.dumps(each).encode()) for each in (header, payload)]
    numbers = decode_dss_signature(own.sign(".".join(parts).encode(), ECDSA(SHA256())))
    return ".".join((*parts, encode(b"".join(number.to_bytes((own.key_size + 7) // 8) for number in numbers))))


def hostile(build):
    """Return a function of a key, a challenge, and whether the proof is a first one, which brings its key."""

    def made(own, asked, *, first):
        header = {**USUAL, "jwk": jwk_of(own)} if first else dict(USUAL)
        return build(own, asked, header)

    return made


def with_header(**changes):
    return hostile(lambda own, asked, header: signed(own, {**header, **changes}, {"jti": asked}))


def with_jwk(change):
    def build(own, asked, header):
        return signed(own, {**USUAL, "jwk": change(own)}, {"jti": asked})

    return hostile(build)


def with_parts(change):
    """The three parts of a right proof, as `change` makes others of them."""
    return hostile(lambda own, asked, header: ".".join(change(*signed(own, header, {"jti": asked}).split("."))))


def raw(header=None, payload=None):
    """Bytes in place of a part, made of the right JSON."""

    def build(own, asked, said):
        parts = [json.dumps(each).encode() for each in (said, {"jti": asked})]
        return signed(own, *(each(part) if each else part for each, part in zip((header, payload), parts, strict=True)))

    return hostile(build)


def confused(own, asked, header):
    """HS256 with the public key as the secret (RFC 8725 section 2.1)."""
    parts = [encode(json.dumps(each).encode()) for each in ({**header, "alg": "HS256"}, {"jti": asked})]
    secret = own.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    return ".".join((*parts, encode(hmac.digest(secret, ".".join(parts).encode(), hashlib.sha256))))


def nested(depth):
    return b"[" * depth + b"]" * depth


def spread(own):
    """A coordinate with a zero byte in front, which is none of the 32 (RFC 7518 section 6.2.1.2)."""
    numbers = own.public_key().public_numbers()
    return jwk_of(own, x=encode(numbers.x.to_bytes(33)))


PROOFS = {
    "alg none, unsigned": hostile(lambda own, asked, header: signed(own, {**header, "alg": "none"}, {"jti": asked})),
    "alg none, without a signature": with_parts(lambda header, payload, _: (encode(b'{"alg":"none"}'), payload, "")),
    "alg HS256 with the public key": hostile(confused),
    "alg ES384": with_header(alg="ES384"),
    "typ JWT": with_header(typ="JWT"),
    "crit": with_header(crit=["exp"], exp=0),
    "b64": with_header(b64=False, crit=["b64"]),
    "zip": with_header(zip="DEF"),
    "jku": with_header(jku="https://evil.example/keys"),
    "x5c": with_header(x5c=["AAAA"]),
    "kid": with_header(kid="../../dev/null"),
    "a signature of P-384": hostile(
        lambda own, asked, header: signed(generate_private_key(SECP384R1()), header, {"jti": asked})
    ),
    "a key of P-384 that says P-256": with_jwk(lambda own: jwk_of(generate_private_key(SECP384R1()))),
    "a key of secp256k1 that says P-256": with_jwk(lambda own: jwk_of(generate_private_key(SECP256K1()))),
    "a key of P-384 that says so": with_jwk(lambda own: jwk_of(generate_private_key(SECP384R1()), crv="P-384")),
    "a swapped key": with_jwk(lambda own: jwk_of(key())),
    "a key with its private half": with_jwk(
        lambda own: jwk_of(own, d=encode(own.private_numbers().private_value.to_bytes(32)))
    ),
    "a zero byte in front of a coordinate": with_jwk(spread),
    "a coordinate that is cut": with_jwk(lambda own: jwk_of(own, x=jwk_of(own)["x"][:-2])),
    "coordinates of zero": with_jwk(lambda own: jwk_of(own, x=encode(bytes(32)), y=encode(bytes(32)))),
    "a symmetric key": with_jwk(lambda own: {"kty": "oct", "k": "AAAA"}),
    "a truncated signature": with_parts(lambda header, payload, signature: (header, payload, signature[:-4])),
    "a signature of zeros": with_parts(lambda header, payload, _: (header, payload, encode(bytes(64)))),
    "a signature beyond the order": with_parts(lambda header, payload, _: (header, payload, encode(b"\xff" * 64))),
    "no payload": with_parts(lambda header, payload, signature: (header, "", signature)),
    "no header": with_parts(lambda header, payload, signature: ("", payload, signature)),
    "nothing but dots": with_parts(lambda header, payload, signature: ("", "", "")),
    "two parts": with_parts(lambda header, payload, signature: (header, payload)),
    "four parts": with_parts(lambda header, payload, signature: (header, payload, signature, signature)),
    "two proofs that a server has joined": with_parts(
        lambda *parts: (*parts[:2], f"{parts[2]}, {parts[0]}", *parts[1:])
    ),
    "padding": with_parts(lambda header, payload, signature: (header, payload, f"{signature}==")),
    "beyond ASCII": with_parts(lambda header, payload, signature: (header, f"{payload[:-1]}\xe9", signature)),
    "a control character": with_parts(lambda header, payload, signature: (header, f"{payload}\x00", signature)),
    "a name twice in the header": raw(header=lambda said: said.replace(b"{", b'{"alg": "none", ', 1)),
    "a name twice in the payload": raw(payload=lambda said: said.replace(b"{", b'{"jti": "x", ', 1)),
    "a header that is a list": raw(header=lambda said: b"[" + said + b"]"),
    "a payload that is a list": raw(payload=lambda said: b"[" + said + b"]"),
    "a nested bomb in the header": raw(header=lambda said: said[:-1] + b', "a": ' + nested(2500) + b"}"),
    "a nested bomb in the payload": raw(payload=lambda said: said[:-1] + b', "a": ' + nested(2500) + b"}"),
    "an open bomb": raw(payload=lambda said: b'{"jti": ' + b"[" * 5000),
    "a bomb of objects": raw(payload=lambda said: b'{"a":' * 1000),
    "a number of 4,000 digits in the header": raw(header=lambda said: said[:-1] + b', "n": ' + b"9" * 4000 + b"}"),
    "a number for a challenge": raw(payload=lambda said: b'{"jti": ' + b"9" * 5000 + b"}"),
    "a number beyond all floats": raw(payload=lambda said: b'{"jti": 1e999}'),
    "not a number": raw(payload=lambda said: b'{"jti": NaN}'),
    "a list for a challenge": raw(payload=lambda said: said.replace(b": ", b": [").replace(b"}", b"]}")),
    "no JSON": raw(payload=lambda said: said[:-1]),
    "UTF-16": raw(payload=lambda said: said.decode().encode("utf-16")),
    "a byte order mark": raw(payload=lambda said: b"\xef\xbb\xbf" + said),
    "no UTF-8": raw(payload=lambda said: said.replace(b"jti", b"jt\xff")),
}
FOREIGN = {
    "a surrogate": "\ud800",
    "a nul": "\x00",
    "a blank": " ",
    "Chinese": "萧兮",
    "long": "A" * 4000,
}


def refused_quietly(answer):
    """A 4xx, which sets no cookie, and says nothing."""
    assert 400 <= answer.status < 500, answer
    assert answer.header("Set-Cookie") is None
    assert answer.body == b""
    return answer.status


@pytest.mark.parametrize("name", PROOFS)
def test_a_hostile_first_proof_binds_nothing_and_the_browsers_own_still_does(site, name):
    browser, asked = offered(site)
    assert refused_quietly(started(browser, PROOFS[name](key(), asked, first=True))) == 400
    assert browser.register().status == 200
    assert page(browser, "read")["bound"]


@pytest.mark.parametrize("name", PROOFS)
def test_a_hostile_proof_refreshes_nothing_and_the_browsers_own_still_does(site, name):
    browser = bound(site)
    own = own_key(browser)
    assert refused_quietly(refreshed(browser, PROOFS[name](own, challenge(browser), first=False))) == 400
    site.clock.advance(LATE)
    assert page(browser, "read") == {"owner": "ann", "data": {"cart": "tea"}, "bound": True, "new": False}


@pytest.mark.parametrize("said", FOREIGN.values(), ids=FOREIGN)
def test_a_challenge_of_anything_is_refused_by_both(site, said):
    browser, asked = offered(site)
    for each in (said, said + asked, asked + said):
        assert refused_quietly(started(browser, proof(key(), each, brings_key=True))) == 403
    browser.register()
    own, right = own_key(browser), challenge(browser)
    for each in (said, said + right, right + said):
        assert refused_quietly(refreshed(browser, proof(own, each))) == 403


def test_a_challenge_for_the_one_is_none_for_the_other(site):
    browser, asked = offered(site)
    browser.register()
    own = own_key(browser)
    assert refused_quietly(started(browser, proof(own, challenge(browser), brings_key=True))) == 403
    assert refused_quietly(refreshed(browser, proof(own, asked))) == 403


def test_a_sealed_token_of_another_purpose_is_no_challenge(site):
    browser = bound(site)
    own = own_key(browser)
    for name in (NAME, BOUND):
        assert refused_quietly(refreshed(browser, proof(own, browser.cookies[name][0]))) == 403


@pytest.mark.parametrize("size", [8193, 100_000])
@pytest.mark.parametrize("path", [START, REFRESH])
def test_a_proof_beyond_eight_kilobytes_is_not_read(site, path, size):
    browser = bound(site)
    answer = browser.send(path, method="POST", HTTP_SECURE_SESSION_RESPONSE="." * size)
    assert refused_quietly(answer) == 431


def test_a_coordinate_that_begins_with_a_zero_byte_counts_at_its_full_length(site):
    browser, asked = offered(site)
    own = next(each for each in iter(key, None) if each.public_key().public_numbers().x >> 248 == 0)
    short = own.public_key().public_numbers().x.to_bytes(31)
    cut = signed(own, {**USUAL, "jwk": jwk_of(own, x=encode(short))}, {"jti": asked})
    assert refused_quietly(started(browser, cut)) == 400
    assert started(browser, proof(own, asked, brings_key=True)).status == 200


HEADERS = st.text(st.characters(max_codepoint=255), max_size=200)


@given(st.sampled_from([START, REFRESH]), HEADERS, HEADERS, HEADERS, HEADERS)
def test_whatever_stands_in_any_header_is_answered_quietly(path, said, named, mount, skipped):
    site = Site("server")
    browser = bound(site)
    answer = browser.copied().send(
        path,
        method="POST",
        HTTP_SECURE_SESSION_RESPONSE=said,
        HTTP_SEC_SECURE_SESSION_ID=named,
        HTTP_SECURE_SESSION_SKIPPED=skipped,
        SCRIPT_NAME=mount,
    )
    assert answer.status in {200, 400, 403}
    assert not any(character in value for _, value in answer.headers for character in "\r\n")
    site.clock.advance(LATE)
    assert page(browser, "read")["bound"]
