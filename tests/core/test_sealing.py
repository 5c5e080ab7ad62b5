"""Sealed tokens: XAES-256-GCM by the public vectors, and the layout around it."""

import hashlib
import json
import math
import os
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFCMAC, CounterLocation, Mode
from hypothesis import given
from hypothesis import strategies as st

from cookiesess import InvalidToken, Key, Keyring
from cookiesess.tokens import sealing
from cookiesess.tokens.encoding import decode, encode
from cookiesess.tokens.sealing import Sealer, Xaes256Gcm

FILE = json.loads((Path(__file__).parents[1] / "vectors" / "xaes-256-gcm.json").read_text())
# Between them the two fixed vectors take both ways of doubling L: the top bit of 72… is 0, that of 91… is 1.
VECTORS = pytest.mark.parametrize("vector", FILE["vectors"], ids=lambda vector: f"L={vector['L'][:4]}")


def inputs(vector):
    nonce, plaintext, data = (vector[f"{name}_ascii"].encode() for name in ("N", "plaintext", "aad"))
    return bytes.fromhex(vector["K"]), nonce, plaintext, data


@VECTORS
def test_a_fixed_vector_is_encrypted_to_the_published_bytes(vector):
    key, nonce, plaintext, data = inputs(vector)
    assert Xaes256Gcm(key).encrypt(nonce, plaintext, data).hex() == vector["ciphertext_and_tag"]


@VECTORS
def test_a_fixed_vector_is_decrypted_from_the_published_bytes(vector):
    key, nonce, plaintext, data = inputs(vector)
    assert Xaes256Gcm(key).decrypt(nonce, bytes.fromhex(vector["ciphertext_and_tag"]), data) == plaintext


@VECTORS
def test_the_derived_cipher_is_aes_gcm_under_the_published_kx(vector):
    key, nonce, plaintext, data = inputs(vector)
    published = AESGCM(bytes.fromhex(vector["Kx"])).encrypt(nonce[12:], plaintext, data)
    assert Xaes256Gcm(key).cipher(nonce[:12]).encrypt(nonce[12:], plaintext, data) == published


def accumulated(rounds):
    """Do what the vector file says under "how"; return the result and how many round trips failed."""
    lengths = hashlib.shake_128()
    stream = memoryview(lengths.digest(rounds * (32 + 24 + 1 + 255 + 1 + 255)))
    at = 0

    def read(count):
        nonlocal at
        at += count
        return bytes(stream[at - count : at])

    results, failures = hashlib.shake_128(), 0
    for _ in range(rounds):
        cipher, nonce = Xaes256Gcm(read(32)), read(24)
        plaintext = read(read(1)[0])
        data = read(read(1)[0])
        ciphertext = cipher.encrypt(nonce, plaintext, data)
        failures += cipher.decrypt(nonce, ciphertext, data) != plaintext
        results.update(ciphertext)
    return results.digest(32).hex(), failures


def test_the_random_source_of_the_accumulated_vector_is_the_published_one():
    assert hashlib.shake_128().hexdigest(16) == "7f9c2ba4e88f827d616045507605853e"


@pytest.mark.thorough
def test_ten_thousand_accumulated_vectors_give_the_published_result():
    assert accumulated(10_000) == (FILE["accumulated"]["10000"], 0)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=24, max_size=24), st.binary(), st.binary())
def test_the_derivation_is_the_nist_counter_kdf_over_cmac(key, nonce, plaintext, data):
    label = b"X\0" + nonce[:12]
    derived = KBKDFCMAC(AES, Mode.CounterMode, 32, 2, None, CounterLocation.BeforeFixed, None, None, label).derive(key)
    assert Xaes256Gcm(key).encrypt(nonce, plaintext, data) == AESGCM(derived).encrypt(nonce[12:], plaintext, data)


class CountingCipher(Xaes256Gcm):
    """Counts how often a key is derived."""

    derived = 0

    def cipher(self, prefix):
        self.derived += 1
        return super().cipher(prefix)


def nonces(count):
    return [number.to_bytes(24, "little") for number in range(count)]


def test_a_key_is_derived_once_for_tokens_of_one_prefix():
    cipher = CountingCipher(bytes(32))
    tokens = [(b"p" * 12 + suffix[:12], Xaes256Gcm(bytes(32))) for suffix in nonces(5)]
    for nonce, other in tokens:
        assert cipher.decrypt(nonce, other.encrypt(nonce, b"x", b""), b"") == b"x"
    assert cipher.derived == 1


def test_invented_tokens_do_not_enter_the_cache():
    cipher = CountingCipher(bytes(32))
    for _ in range(3):
        with pytest.raises(InvalidTag):
            cipher.decrypt(bytes(24), bytes(16), b"")
    assert cipher.derived == 3


def test_the_cache_is_bounded_and_forgets_the_oldest():
    cipher, maker = CountingCipher(bytes(32)), Xaes256Gcm(bytes(32))
    tokens = [(nonce, maker.encrypt(nonce, b"x", b"")) for nonce in nonces(2000)]
    for nonce, ciphertext in tokens:
        assert cipher.decrypt(nonce, ciphertext, b"") == b"x"
    assert cipher.derived == 2000
    cipher.decrypt(*tokens[-1], b"")
    assert cipher.derived == 2000
    cipher.decrypt(*tokens[0], b"")
    assert cipher.derived == 2001


# The token around it


def test_a_token_is_laid_out_as_the_module_says():
    key = Key(bytes(32))
    random = iter([b"prefix------", b"suffix------"])
    token = Sealer(Keyring(key), random_bytes=lambda count: next(random)).seal(b"plain", b"purpose")
    header, nonce = b"\x01" + key.kid, b"prefix------suffix------"
    ciphertext = Xaes256Gcm(key.derive("seal")).encrypt(nonce, b"plain", header + b"purpose")
    assert decode(token) == header + nonce + ciphertext


@pytest.mark.parametrize("size", [0, 1, 2, 3, 275])
def test_a_token_is_as_long_as_the_docstring_says(size, keyring):
    assert len(Sealer(keyring).seal(bytes(size), b"")) == math.ceil((45 + size) * 4 / 3)


def test_one_plaintext_gives_another_token_each_time(keyring):
    sealer = Sealer(keyring)
    assert len({sealer.seal(b"x", b"p") for _ in range(100)}) == 100


def test_two_sealers_of_one_key_share_no_nonce_prefix(keyring):
    prefixes = {decode(Sealer(keyring).seal(b"x", b"p"))[5:17] for _ in range(20)}
    assert len(prefixes) == 20


def test_the_nonce_prefix_is_renewed_after_its_bound(keyring, monkeypatch):
    monkeypatch.setattr(sealing, "_SEALS_PER_PREFIX", 3)  # 2^20 would take seconds
    sealer = Sealer(keyring)
    prefixes = [decode(sealer.seal(b"x", b"p"))[5:17] for _ in range(7)]
    assert [prefixes.index(prefix) for prefix in prefixes] == [0, 0, 0, 3, 3, 3, 6]


def test_a_token_opens_in_the_process_that_made_it_after_the_prefix_was_renewed(keyring, monkeypatch):
    monkeypatch.setattr(sealing, "_SEALS_PER_PREFIX", 1)
    sealer = Sealer(keyring)
    tokens = [sealer.seal(bytes([number]), b"p") for number in range(4)]
    assert [sealer.unseal(token, b"p") for token in tokens] == [(bytes([number]), True) for number in range(4)]


def refused(keyring, raw):
    with pytest.raises(InvalidToken) as caught:
        Sealer(keyring).unseal(encode(raw), b"p")
    return caught.value.reason, caught.value.kid


def test_less_than_a_header_and_a_tag_is_malformed(keyring):
    assert refused(keyring, b"\x01" + bytes(43)) == ("malformed", None)


@pytest.mark.parametrize("version", [0, 2, 255])
def test_another_version_is_refused_as_such(keyring, version):
    token = decode(Sealer(keyring).seal(b"x", b"p"))
    assert refused(keyring, bytes([version]) + token[1:]) == ("version", None)


def test_an_unknown_key_is_refused_with_the_kid_it_names(keyring):
    token = decode(Sealer(Keyring(os.urandom(32))).seal(b"x", b"p"))
    assert refused(keyring, token) == ("unknown-key", token[1:5].hex())


def test_a_forgery_is_refused_with_the_kid_it_names(keyring, key):
    assert refused(keyring, b"\x01" + key.kid + bytes(40)) == ("forged", key.kid.hex())


def test_a_token_relabelled_with_the_kid_of_another_key_of_the_ring_does_not_open(key):
    other = Key(b"o" * 32)
    token = decode(Sealer(Keyring(key)).seal(b"x", b"p"))
    assert refused(Keyring(key, [other]), token[:1] + other.kid + token[5:]) == ("forged", other.kid.hex())


def test_the_plaintext_does_not_show_in_the_token(keyring):
    assert b"secret words" not in decode(Sealer(keyring).seal(b"secret words", b"p"))
