"""CSRF tokens: one secret, a fresh mask each time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cookiesess.session.csrf import SECRET_BYTES, Secrets, form_secrets, mask, matches
from cookiesess.tokens.encoding import decode, encode

SECRETS = st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES)
SECRET, PAD = b"s" * 32, bytes(range(32))


@given(SECRETS, SECRETS)
def test_a_masked_secret_matches(secret, pad):
    assert matches(secret, mask(secret, pad))


@given(SECRETS, SECRETS, SECRETS)
def test_a_token_of_another_secret_does_not_match(secret, other, pad):
    assert matches(secret, mask(other, pad)) == (secret == other)


def test_a_token_has_86_characters():
    assert len(mask(SECRET, PAD)) == 86


def test_a_token_is_the_pad_and_the_masked_secret():
    assert decode(mask(SECRET, PAD)) == PAD + bytes(a ^ b for a, b in zip(SECRET, PAD, strict=True))


@given(SECRETS, SECRETS.filter(any))
def test_the_secret_does_not_show_in_the_token(secret, pad):
    assert secret not in decode(mask(secret, pad))[SECRET_BYTES:]


def test_no_flipped_bit_matches():
    raw = decode(mask(SECRET, PAD))
    for bit in range(8 * len(raw)):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not matches(SECRET, encode(flipped))


def test_no_truncation_matches():
    token = mask(SECRET, PAD)
    assert not any(matches(SECRET, token[:length]) for length in range(len(token)))


@given(st.text())
def test_any_text_is_no_token_and_no_error(text):
    assert not matches(SECRET, text)


@pytest.mark.parametrize("token", ["", "x", "é" * 86, "=" * 86, encode(bytes(63)), encode(bytes(65)), encode(SECRET)])
def test_what_is_no_token_does_not_match(token):
    assert not matches(SECRET, token)


def test_the_secrets_of_forms_show_nothing_of_themselves():
    assert repr(Secrets(b"of its own", (("csrf_token", "of an extension"),))) == "<Secrets>"


@pytest.mark.parametrize("length", [0, 128])
def test_what_extensions_keep_for_their_forms_is_text_under_keys_of_theirs(length):
    data = {"csrf_token": "x" * length, "_csrftoken": 7, "csrf": "x" * 129, "cart": "tea"}
    assert form_secrets(data) == (("csrf_token", "x" * length),)
