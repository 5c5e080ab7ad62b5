"""base64url: one text for each byte string, and no other."""

import base64
import itertools
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cookiesess.tokens.encoding import decode, encode, purpose

ALPHABET = string.ascii_letters + string.digits + "-_"


@given(st.binary())
def test_what_is_encoded_decodes_to_itself(data):
    assert decode(encode(data)) == data


@given(st.binary())
def test_the_text_is_rfc_4648_base64url_without_its_padding(data):
    assert encode(data) == base64.urlsafe_b64encode(data).decode().rstrip("=")


@given(st.text() | st.text(ALPHABET + "=+/ \n"))
def test_any_text_is_either_refused_or_the_only_one_for_its_bytes(text):
    try:
        data = decode(text)
    except ValueError:
        return
    assert encode(data) == text


def test_every_short_text_is_either_refused_or_the_only_one_for_its_bytes():
    accepted = set()
    for length in range(4):
        for letters in itertools.product(ALPHABET[::5] + "AQg_-=+/\n ", repeat=length):
            text = "".join(letters)
            try:
                data = decode(text)
            except ValueError:
                continue
            assert encode(data) == text
            accepted.add(text)
    assert {"", "AA", "AAA"} <= accepted


@pytest.mark.parametrize(
    "text",
    ["A", "AAAAA", "AB", "AAB", "AA==", "AAA=", "AA=A", "A=AA", "=AAA", "+AAA", "/AAA", "AA AA", "AAAA\n", "\nAAAA"],
)
def test_what_no_encoder_writes_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        decode(text)


@pytest.mark.parametrize("text", ["é", "AAA萧", "\ud800AAA", "AAAA\0AAA", "Ａ" * 4])
def test_what_is_not_ascii_is_a_value_error_too(text):
    with pytest.raises(ValueError, match=r".+"):
        decode(text)


def test_a_purpose_is_its_parts_behind_their_lengths():
    assert purpose("session", "萧") == b"\x00\x07session\x00\x03\xe8\x90\xa7"


@given(st.lists(st.text("ab\0\1", max_size=4)), st.lists(st.text("ab\0\1", max_size=4)))
def test_different_parts_are_different_purposes(left, right):
    assert (purpose(*left) == purpose(*right)) == (left == right)
