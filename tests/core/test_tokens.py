"""What sealed and signed tokens have in common: they open as they were made, or not at all."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cookiesess import InvalidToken, Keyring
from cookiesess.tokens.encoding import decode, encode, purpose
from cookiesess.tokens.sealing import Sealer
from cookiesess.tokens.signing import Signer

OLD, NEW, FOREIGN = b"o" * 32, b"n" * 32, b"f" * 32
PURPOSE = purpose("session", "__Host-session")
PLAINTEXT = b"\x00what a session holds"
REASONS = {"malformed", "version", "unknown-key", "forged"}


class Tokens(NamedTuple):
    write: object
    read: object


def sealed(*keys):
    sealer = Sealer(Keyring(keys[0], keys[1:]))
    return Tokens(sealer.seal, sealer.unseal)


def signed(*keys):
    signer = Signer(Keyring(keys[0], keys[1:]))
    return Tokens(signer.sign, signer.unsign)


FORMATS = pytest.mark.parametrize("tokens", [sealed, signed])


def reason_of(read, token, purpose=PURPOSE):
    """Return why a token does not open; any other exception, or its opening, fails the test."""
    with pytest.raises(InvalidToken) as caught:
        read(token, purpose)
    assert caught.value.reason in REASONS
    return caught.value.reason


@FORMATS
@given(st.binary(), st.binary())
def test_a_token_opens_as_it_was_made(tokens, plaintext, purpose):
    write, read = tokens(OLD)
    assert read(write(plaintext, purpose), purpose) == (plaintext, True)


@FORMATS
def test_a_token_is_cookie_octets_alone(tokens):
    assert set(tokens(OLD).write(bytes(range(256)), PURPOSE)) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    )


@FORMATS
def test_no_flipped_bit_of_the_text_opens(tokens):
    write, read = tokens(OLD)
    token = write(PLAINTEXT, PURPOSE)
    for index, character in enumerate(token):
        for bit in range(8):
            reason_of(read, f"{token[:index]}{chr(ord(character) ^ 1 << bit)}{token[index + 1 :]}")


@FORMATS
def test_no_flipped_bit_of_the_bytes_opens(tokens):
    write, read = tokens(OLD)
    parts = [decode(part) for part in write(PLAINTEXT, PURPOSE).split(".")]
    for which, part in enumerate(parts):
        for bit in range(8 * len(part)):
            flipped = bytearray(part)
            flipped[bit // 8] ^= 1 << bit % 8
            reason_of(read, ".".join(encode(flipped if at == which else other) for at, other in enumerate(parts)))


@FORMATS
def test_no_truncation_opens_from_either_end(tokens):
    write, read = tokens(OLD)
    token = write(PLAINTEXT, PURPOSE)
    for length in range(len(token)):
        reason_of(read, token[:length])
        reason_of(read, token[len(token) - length :])


@FORMATS
@pytest.mark.parametrize("more", ["A", "AAAA", "=", ".", "\n", " ", "\0", ".AAAA"])
def test_no_prolonged_token_opens(tokens, more):
    write, read = tokens(OLD)
    token = write(PLAINTEXT, PURPOSE)
    reason_of(read, token + more)
    reason_of(read, more + token)


@FORMATS
@given(st.binary(min_size=1).filter(lambda other: other != PURPOSE))
def test_a_token_opens_for_no_other_purpose(tokens, other):
    write, read = tokens(OLD)
    assert reason_of(read, write(PLAINTEXT, PURPOSE), other) == "forged"
    assert reason_of(read, write(PLAINTEXT, other)) == "forged"


@FORMATS
@pytest.mark.parametrize(
    "other",
    [("session", "session"), ("cookie", "__Host-session"), ("signed-cookie", "__Host-session"), ("record",), ()],
)
def test_a_token_opens_under_no_other_name(tokens, other):
    write, read = tokens(OLD)
    assert reason_of(read, write(PLAINTEXT, PURPOSE), purpose(*other)) == "forged"


@FORMATS
@given(st.binary(min_size=32, max_size=64).filter(lambda key: key != OLD))
def test_a_token_opens_under_no_other_key(tokens, key):
    assert reason_of(tokens(key).read, tokens(OLD).write(PLAINTEXT, PURPOSE)) in {"unknown-key", "forged"}


@FORMATS
@given(st.text() | st.text("AQgw-_.=", max_size=90) | st.binary().map(encode))
def test_any_text_is_an_invalid_token(tokens, text):
    reason_of(tokens(OLD).read, text)


@given(st.binary(max_size=80))
def test_any_bytes_behind_a_real_header_are_an_invalid_token(body):
    write, read = sealed(OLD)
    header = decode(write(b"", PURPOSE))[:5]
    reason_of(read, encode(header + body))


@FORMATS
def test_a_token_of_an_accepted_key_opens_and_says_that_it_is_not_current(tokens):
    token = tokens(OLD).write(PLAINTEXT, PURPOSE)
    assert tokens(NEW, OLD).read(token, PURPOSE) == (PLAINTEXT, False)


@FORMATS
def test_the_current_key_makes_the_tokens(tokens):
    token = tokens(NEW, OLD).write(PLAINTEXT, PURPOSE)
    assert tokens(NEW).read(token, PURPOSE) == (PLAINTEXT, True)
    reason_of(tokens(OLD).read, token)


@FORMATS
def test_a_key_that_left_the_ring_opens_nothing(tokens):
    token = tokens(OLD).write(PLAINTEXT, PURPOSE)
    reason_of(tokens(NEW, FOREIGN).read, token)


@pytest.mark.parametrize(("one", "other"), [(sealed, signed), (signed, sealed)])
def test_neither_format_is_a_fallback_of_the_other(one, other):
    reason_of(other(OLD).read, one(OLD).write(PLAINTEXT, PURPOSE))


@FORMATS
def test_the_error_carries_nothing_of_the_token(tokens):
    write, read = tokens(OLD)
    token = write(PLAINTEXT, PURPOSE)[:-1]
    with pytest.raises(InvalidToken) as caught:
        read(token, PURPOSE)
    assert token[:8] not in f"{caught.value} {caught.value!r}"
