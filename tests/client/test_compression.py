"""Smaller cookies where somebody asked for them, and a bound on what may come out of one."""

import itertools
import random
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cookiesess import ConfigurationError, Keyring, SessionManager
from cookiesess.errors import InvalidToken
from cookiesess.session.compression import MAX_EXPANDED_BYTES, compress, expand
from cookiesess.session.state import COMPRESSED, INLINE, REFERENCE
from cookiesess.stores.memory import MemoryStore
from cookiesess.tokens.encoding import purpose
from cookiesess.tokens.sealing import Sealer
from kit.browser import Browser
from kit.constants import BIG, KEY, NAME
from kit.views import every, login, put
from kit.world import World

TEXT = "the same words again and again, " * 20
NOISE = random.Random(1).randbytes(MAX_EXPANDED_BYTES)


@pytest.fixture
def browser():
    return World(compress=True).browser()


def kind(browser):
    """Which kind of plaintext the browser's cookie holds."""
    plaintext, _ = Sealer(Keyring(KEY)).unseal(browser.cookies[NAME], purpose("session", NAME))
    return plaintext[:1]


def deflate(data):
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


def planted(world, plaintext):
    """A browser whose cookie holds `plaintext`, sealed with the right key: a former colleague's, say."""
    return Browser(world, {NAME: Sealer(Keyring(KEY)).seal(plaintext, purpose("session", NAME))})


# Where it is done


def test_by_default_nothing_is_compressed():
    browser = World().browser(put("text", TEXT))
    assert kind(browser) == INLINE


def test_a_session_that_repeats_itself_takes_less_room(browser):
    browser.visit(put("text", TEXT))
    assert kind(browser) == COMPRESSED
    plain = World().browser(put("text", TEXT))
    assert len(browser.cookies[NAME]) < len(plain.cookies[NAME]) / 3


def test_what_was_compressed_comes_back(browser):
    browser.visit(every(login("ann"), put("text", TEXT), put("n", 1)))
    assert (browser.owner(), browser.read()) == ("ann", {"text": TEXT, "n": 1})


def test_a_session_that_would_not_become_shorter_is_left_as_it_is(browser):
    browser.visit(put("noise", NOISE[:500]))
    assert kind(browser) == INLINE
    assert browser.read() == {"noise": NOISE[:500]}


def test_a_session_that_is_too_large_without_it_fits(browser):
    browser.visit(put("big", BIG * 20))
    assert browser.read() == {"big": BIG * 20}


def test_signed_cookies_are_compressed_too():
    browser = World(compress=True, encrypt=False).browser(put("text", TEXT))
    assert len(browser.cookies[NAME]) < 300
    assert browser.read() == {"text": TEXT}


def test_compressed_sessions_open_after_it_was_switched_off(browser):
    browser.visit(put("text", TEXT))
    browser.place.use(compress=False)
    assert browser.read() == {"text": TEXT}
    browser.visit(put("n", 1))
    assert kind(browser) == INLINE


def test_sessions_from_before_it_was_switched_on_open():
    browser = World().browser(put("text", TEXT))
    browser.place.use(compress=True)
    assert browser.read() == {"text": TEXT}


@given(st.binary(max_size=2000) | st.binary(max_size=50).map(lambda data: data * 40))
def test_what_is_compressed_is_expanded_and_never_longer(data):
    compressed = compress(INLINE + data)
    assert len(compressed) <= len(data) + 1
    assert expand(compressed) == INLINE + data


# The bound


@pytest.mark.parametrize(("size", "is_compressed"), [(MAX_EXPANDED_BYTES, True), (MAX_EXPANDED_BYTES + 1, False)])
def test_what_could_not_be_expanded_again_is_not_compressed(size, is_compressed):
    plaintext = INLINE.ljust(size, b"x")
    compressed = compress(plaintext)
    assert (compressed[:1] == COMPRESSED) == is_compressed
    assert expand(compressed) == plaintext


def test_a_bomb_under_the_right_key_is_rejected(browser):
    assert planted(browser.place, COMPRESSED + deflate(bytes(1 << 20))).read() == {}
    assert [(event.name, event.reason) for event in browser.place.events] == [("session.rejected", "plaintext")]


@pytest.mark.thorough
def test_a_bomb_does_not_take_memory():
    bomb = COMPRESSED + deflate(bytes(1 << 26))  # 64 MiB in 65 KB
    tracemalloc.start()
    try:
        with pytest.raises(InvalidToken):
            expand(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * MAX_EXPANDED_BYTES


@pytest.mark.parametrize("size", [MAX_EXPANDED_BYTES + 1, 1 << 20])
def test_more_than_the_bound_does_not_come_out(size):
    with pytest.raises(InvalidToken):
        expand(COMPRESSED + deflate(bytes(size)))


# Streams that are none


@pytest.mark.parametrize("garbage", [b"", b"x", b"\xff" * 40, NOISE[:100], bytes(10)])
def test_garbage_is_rejected(browser, garbage):
    assert planted(browser.place, COMPRESSED + garbage).read() == {}
    assert [event.reason for event in browser.place.events] == ["plaintext"]


def test_a_stream_that_was_cut_anywhere_is_rejected():
    stream = COMPRESSED + deflate(TEXT.encode())
    for length in range(1, len(stream)):
        with pytest.raises(InvalidToken):
            expand(stream[:length])


def test_a_stream_with_something_behind_it_is_rejected():
    with pytest.raises(InvalidToken):
        expand(COMPRESSED + deflate(TEXT.encode()) + b"x")


def test_a_zlib_stream_with_its_header_is_rejected():
    with pytest.raises(InvalidToken):
        expand(COMPRESSED + zlib.compress(TEXT.encode()))


def test_a_compressed_stream_in_a_compressed_stream_opens_nothing(browser):
    inner = COMPRESSED + deflate(TEXT.encode())
    assert planted(browser.place, COMPRESSED + deflate(inner)).read() == {}


@pytest.mark.parametrize("plaintext", [REFERENCE + bytes(32), b"\x03" + bytes(40), b"\x07", b""])
def test_another_kind_is_handed_on_as_it_is(plaintext):
    assert expand(plaintext) == plaintext


def test_a_stream_of_a_single_bit_changed_never_raises_anything_else(browser):
    stream = bytearray(deflate(TEXT.encode()))
    for at, bit in itertools.product(range(len(stream)), range(0, 8, 3)):
        changed = bytearray(stream)
        changed[at] ^= 1 << bit
        planted(browser.place, COMPRESSED + bytes(changed)).read()


# Settings


def test_compression_is_refused_for_sessions_on_the_server():
    with pytest.raises(ConfigurationError, match="compress is for sessions in cookies"):
        SessionManager(KEY, store=MemoryStore(), compress=True)


@pytest.mark.parametrize("wrong", ["yes", 1, None])
def test_compression_is_true_or_false(wrong):
    with pytest.raises(ConfigurationError, match="compress must be True or False"):
        SessionManager(KEY, compress=wrong)
