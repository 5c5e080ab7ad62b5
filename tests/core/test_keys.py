"""Keys and rings: refused when they are built, silent about their secrets."""

import hashlib
import hmac
import traceback

import pytest

from cookiesess import ConfigurationError, Key, Keyring
from cookiesess.tokens.encoding import decode
from cookiesess.tokens.sealing import Sealer

SECRET = bytes(range(32))
OTHER = bytes(range(1, 33))
TEXT = "a text that is long enough for a key"


def test_thirty_two_bytes_are_enough():
    assert len(Key(SECRET).kid) == 4


@pytest.mark.parametrize("secret", [b"", "", b"x" * 31, "x" * 31, "é" * 15])
def test_a_short_secret_is_refused_with_its_size_and_the_command_that_makes_a_good_one(secret):
    size = len(secret.encode() if isinstance(secret, str) else secret)
    with pytest.raises(ConfigurationError, match=rf"{size} bytes is too short.* at least 32.*keygen"):
        Key(secret)


def test_a_text_counts_by_its_utf8_bytes():
    assert Key("é" * 16).kid == Key("é".encode() * 16).kid


@pytest.mark.parametrize("secret", [None, 5, bytearray(SECRET), memoryview(SECRET), [1] * 32])
def test_a_secret_of_another_type_is_refused_by_name(secret):
    with pytest.raises(ConfigurationError, match=type(secret).__name__):
        Key(secret)


@pytest.mark.parametrize("text", [f"{TEXT},{TEXT}", f" {TEXT}", f"{TEXT}\n"])
def test_a_key_text_with_a_comma_or_blanks_around_it_is_refused_and_pointed_to_parse(text):
    with pytest.raises(ConfigurationError, match=r"Keyring\.parse"):
        Key(text)


def test_bytes_are_taken_verbatim_commas_and_blanks_included():
    assert Key(b" ,\n" + SECRET).kid != Key(SECRET).kid


def test_a_text_that_is_not_utf8_is_a_configuration_error_that_does_not_show_it():
    secret = "\udcff" + "q" * 40
    with pytest.raises(ConfigurationError) as caught:
        Key(secret)
    assert "qqq" not in repr(caught.value) + "".join(traceback.format_exception(caught.value))


def test_derived_keys_are_hkdf_sha256_as_rfc_5869_writes_it():
    extracted = hmac.digest(bytes(32), SECRET, "sha256")
    assert Key(SECRET).derive("seal") == hmac.digest(extracted, b"cookiesess v1 seal\x01", "sha256")


def test_each_purpose_and_each_secret_derives_another_key():
    derived = {Key(secret).derive(purpose) for secret in (SECRET, OTHER) for purpose in ("seal", "sign")}
    assert len(derived) == 4


def test_a_kid_is_four_bytes_of_a_hash_over_the_derived_key():
    key = Key(SECRET)
    assert key.kid == hashlib.sha256(b"cookiesess v1 kid" + key.derive("seal")).digest()[:4]


def test_a_generated_key_is_256_random_bits_that_a_ring_accepts():
    text = Key.generate()
    assert len(decode(text)) == 32
    assert Keyring.parse(text).current.kid != Keyring.parse(Key.generate()).current.kid


def test_a_repr_shows_the_kid_and_nothing_of_the_secret():
    key = Key(TEXT)
    assert repr(key) == f"Key(kid={key.kid.hex()})"
    assert repr(Keyring(key, [SECRET])) == f"Keyring({key!r}, {Key(SECRET)!r})"


def test_a_ring_holds_the_current_key_first():
    ring = Keyring(SECRET, accepted=[OTHER, TEXT])
    assert [key.kid for key in ring.keys] == [ring.current.kid, Key(OTHER).kid, Key(TEXT).kid]


def test_a_ring_takes_ready_keys():
    key = Key(SECRET)
    assert Keyring(key, [Key(OTHER)]).current is key


@pytest.mark.parametrize("accepted", [TEXT, SECRET, Key(SECRET)])
def test_one_bare_key_as_accepted_is_refused(accepted):
    with pytest.raises(ConfigurationError, match=r"accepted=\[key\]"):
        Keyring(OTHER, accepted=accepted)


@pytest.mark.parametrize("accepted", [[SECRET], [OTHER, OTHER]])
def test_a_key_that_is_listed_twice_is_refused(accepted):
    with pytest.raises(ConfigurationError, match="twice"):
        Keyring(SECRET, accepted=accepted)


def test_two_keys_that_share_a_kid_are_refused_since_only_one_could_be_found():
    class Colliding(Key):
        def __init__(self, secret):
            super().__init__(secret)
            self.kid = b"same"

    with pytest.raises(ConfigurationError, match="share a key id"):
        Keyring(Colliding(SECRET), accepted=[Colliding(OTHER)])


def test_one_text_holds_a_whole_ring():
    ring = Keyring.parse(f" {TEXT} , {'n' * 32}\n")
    assert [key.kid for key in ring.keys] == [Key(TEXT).kid, Key("n" * 32).kid]


@pytest.mark.parametrize("text", ["", "  ", ",", f",{TEXT}"])
def test_a_ring_without_a_current_key_is_refused(text):
    with pytest.raises(ConfigurationError, match="empty"):
        Keyring.parse(text)


@pytest.mark.parametrize("text", [f"{TEXT},", f"{TEXT},,{'n' * 32}", f"{TEXT}, ,{'n' * 32}"])
def test_a_ring_with_nothing_between_two_commas_is_refused(text):
    with pytest.raises(ConfigurationError, match=r"^a key is empty; .*keygen"):
        Keyring.parse(text)


def test_a_ring_with_a_short_accepted_key_is_refused():
    text = f"{TEXT},short"
    with pytest.raises(ConfigurationError, match="too short"):
        Keyring.parse(text)


@pytest.mark.parametrize("text", [None, SECRET], ids=["None", "bytes"])
def test_parsing_what_is_not_text_is_a_configuration_error_as_for_an_unset_variable(text):
    with pytest.raises(ConfigurationError, match=type(text).__name__):
        Keyring.parse(text)


def test_a_ring_is_taken_as_it_is():
    ring = Keyring(SECRET)
    assert Keyring.of(ring) is ring


def test_text_is_always_parsed():
    assert len(Keyring.of(f"{TEXT},{'n' * 32}").keys) == 2


def test_bytes_and_ready_keys_are_one_key():
    assert Keyring.of(SECRET).current.kid == Keyring.of(Key(SECRET)).current.kid == Key(SECRET).kid


@pytest.mark.parametrize("keys", [None, 7, [SECRET]])
def test_anything_else_is_refused_by_name(keys):
    with pytest.raises(ConfigurationError, match=type(keys).__name__):
        Keyring.of(keys)


def test_a_key_rolled_out_as_accepted_first_opens_what_its_successor_seals():
    before, after = Keyring(SECRET, accepted=[OTHER]), Keyring(OTHER, accepted=[SECRET])
    assert Sealer(before).unseal(Sealer(after).seal(b"x", b"p"), b"p") == (b"x", False)
    assert Sealer(after).unseal(Sealer(before).seal(b"x", b"p"), b"p") == (b"x", False)
