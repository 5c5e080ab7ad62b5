"""Signed tokens: readable by everybody, and by itsdangerous alone."""

import hashlib
import math

import itsdangerous
import pytest

from cookiesess import InvalidToken, Key, Keyring
from cookiesess.tokens.encoding import decode, encode
from cookiesess.tokens.signing import Signer


def test_the_payload_stands_in_front_readable(keyring):
    payload, _, signature = Signer(keyring).sign(b"plain", b"p").partition(".")
    assert decode(payload) == b"plain"
    assert len(decode(signature)) == 32


def test_the_signature_is_itsdangerous_hmac_sha256_under_the_derived_key_and_the_purpose(key):
    theirs = itsdangerous.Signer(
        key.derive("sign"), salt=b"cookiesess v1 sign purpose", key_derivation="hmac", digest_method=hashlib.sha256
    )
    token = Signer(Keyring(key)).sign(b"plain", b"purpose")
    assert theirs.unsign(token) == encode(b"plain").encode()


@pytest.mark.parametrize("size", [0, 1, 2, 3, 275])
def test_a_token_is_as_long_as_the_docstring_says(size, keyring):
    assert len(Signer(keyring).sign(bytes(size), b"")) == math.ceil(size * 4 / 3) + 44


def test_one_plaintext_gives_one_token(keyring):
    assert Signer(keyring).sign(b"x", b"p") == Signer(keyring).sign(b"x", b"p")


def refused(keyring, token):
    with pytest.raises(InvalidToken) as caught:
        Signer(keyring).unsign(token, b"p")
    return caught.value.reason, caught.value.kid


@pytest.mark.parametrize("token", ["A.A", "AA==.AAAA", "AAAA.AB", "é.AAAA", "AAAA.A A", "AAAA.AAAA.AAAA"])
def test_what_is_not_canonical_base64url_is_malformed(keyring, token):
    assert refused(keyring, token) == ("malformed", None)


@pytest.mark.parametrize("token", ["", ".", "AAAA", "AAAA.", ".AAAA", "AAAA.AAAA"])
def test_what_has_no_signature_of_the_right_length_is_malformed(keyring, token):
    assert refused(keyring, token) == ("malformed", None)


def test_what_nobody_signed_is_forged(keyring):
    assert refused(keyring, f"AAAA.{encode(bytes(32))}") == ("forged", None)


def test_a_signature_with_another_spelling_is_malformed(keyring):
    token = Signer(keyring).sign(b"x", b"p")
    # 32 bytes leave two unused bits in the last character: four letters stand for the same bytes, three are refused.
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".index(token[-1])
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for extra in (1, 2, 3):
        assert refused(keyring, token[:-1] + letters[last + extra]) == ("malformed", None)


@pytest.mark.parametrize(("digest", "reason"), [("sha1", "malformed"), ("sha512", "malformed"), ("sha3_256", "forged")])
def test_a_signature_by_another_digest_does_not_open(key, digest, reason):
    theirs = itsdangerous.Signer(
        key.derive("sign"), salt=b"cookiesess v1 sign p", key_derivation="hmac", digest_method=getattr(hashlib, digest)
    )
    assert refused(Keyring(key), theirs.sign(encode(b"plain")).decode()) == (reason, None)


def test_the_secret_itself_signs_nothing(key):
    theirs = itsdangerous.Signer(
        bytes(range(32)), salt=b"cookiesess v1 sign p", key_derivation="hmac", digest_method=hashlib.sha256
    )
    assert refused(Keyring(key), theirs.sign(encode(b"plain")).decode()) == ("forged", None)


def test_all_keys_of_the_ring_are_tried_in_order():
    keys = [Key(bytes([number]) * 32) for number in range(4)]
    ring = Keyring(keys[0], keys[1:])
    opened = [Signer(ring).unsign(Signer(Keyring(key)).sign(b"x", b"p"), b"p") for key in keys]
    assert [current for _, current in opened] == [True, False, False, False]
