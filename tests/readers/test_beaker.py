"""BeakerCookie against cookies that Beaker has just made, by either of its ciphers."""

import json
import zlib
from typing import Any, ClassVar

import pytest
from beaker.middleware import SessionMiddleware
from webob import Request, Response

from cookiesess.errors import ConfigurationError
from cookiesess.readers import BeakerCookie, Foreign
from kit.constants import SECRET, UNTIL
from readers.suite import OTHER_SECRET, ReaderSuite, reason_of, value_of

NOW = 4_000_000_000
ENCRYPT_KEY = "the key that Beaker encrypts with"


def write(data, secret=SECRET, **options):
    """Return the cookie of an app behind Beaker's middleware that saves `data`."""

    def app(environ, start_response):
        environ["beaker.session"].update(data)
        environ["beaker.session"].save()
        return Response("")(environ, start_response)

    options: ClassVar[dict[str, Any]] = {"type": "cookie", "validate_key": secret, "data_serializer": "json", **options}
    return value_of(Request.blank("/").get_response(SessionMiddleware(app, **options)).headers["Set-Cookie"].strip())


class Raw:
    """A serializer that writes `text` whatever the session holds."""

    def __init__(self, text):
        self.text = text

    def dumps(self, session):
        return self.text


def reader_of(secret=SECRET, **settings):
    return BeakerCookie(secret, **{"until": UNTIL, **settings})


class TestSigned(ReaderSuite):
    options: ClassVar[dict[str, Any]] = {}
    settings: ClassVar[dict[str, Any]] = {}

    def write(self, data, secret=SECRET):
        return write(data, secret, **self.options)

    def reader(self, secret=SECRET, **settings):
        return reader_of(secret, **{**self.settings, **settings})

    def test_the_time_of_creation_is_told(self, value, at):
        assert self.reader().open(value, now=at).created_at == at

    def test_pickle_is_refused_by_name(self, at):
        options = {**self.options, "data_serializer": "pickle"}
        assert reason_of(self.reader(), write({"a": 1}, **options), now=at) == "pickle"


class TestEncryptedByDefault(TestSigned):
    options: ClassVar[dict[str, Any]] = {"encrypt_key": ENCRYPT_KEY}
    settings: ClassVar[dict[str, Any]] = {"encrypt_key": ENCRYPT_KEY}

    def test_another_encrypt_key_opens_nothing(self, value, at):
        assert reason_of(self.reader(encrypt_key=OTHER_SECRET), value, now=at) == "plaintext"

    def test_without_encrypt_key_nothing_opens(self, value, at):
        assert reason_of(self.reader(encrypt_key=None), value, now=at) == "plaintext"

    def test_a_signed_cookie_does_not_open_in_the_place_of_an_encrypted_one(self, at):
        assert reason_of(self.reader(), write(self.SESSION), now=at) == "plaintext"


class TestEncryptedByCryptography(TestEncryptedByDefault):
    options: ClassVar[dict[str, Any]] = {"encrypt_key": ENCRYPT_KEY, "crypto_type": "cryptography"}
    settings: ClassVar[dict[str, Any]] = options


class TestEncryptedByPyCryptodome(TestEncryptedByDefault):
    options: ClassVar[dict[str, Any]] = {"encrypt_key": ENCRYPT_KEY, "crypto_type": "pycryptodome"}
    settings: ClassVar[dict[str, Any]] = options


class TestEncryptedByPyCryptoUnderTheOlderName(TestEncryptedByDefault):
    options: ClassVar[dict[str, Any]] = {"encrypt_key": ENCRYPT_KEY, "crypto_type": "pycrypto"}
    settings: ClassVar[dict[str, Any]] = {"encrypt_key": ENCRYPT_KEY}


class TestEncryptedWithTheOlderNonce(TestEncryptedByDefault):
    options: ClassVar[dict[str, Any]] = {
        "encrypt_key": ENCRYPT_KEY,
        "encrypt_nonce_bits": 48,
        "crypto_type": "pycryptodome",
    }
    settings: ClassVar[dict[str, Any]] = {"encrypt_key": ENCRYPT_KEY, "encrypt_nonce_bits": 48}


def test_the_named_cipher_alone_is_tried():
    value = write({"a": 1}, encrypt_key=ENCRYPT_KEY, crypto_type="pycryptodome")
    reader = reader_of(encrypt_key=ENCRYPT_KEY, crypto_type="cryptography")
    assert reason_of(reader, value, now=NOW) == "plaintext"


@pytest.mark.parametrize("bits", [8, 24, 40, 56, 64, 256])
def test_nonces_of_any_length_are_found(bits):
    value = write({"a": 1}, encrypt_key=ENCRYPT_KEY, encrypt_nonce_bits=bits)
    assert reader_of(encrypt_key=ENCRYPT_KEY, encrypt_nonce_bits=bits).open(value, now=NOW).data == {"a": 1}


def test_beakers_own_keys_are_left_out():
    value = write({"a": 1, "_mine": 2}, cookie_path="/shop", cookie_domain="shop.example")
    assert reader_of().open(value, now=NOW).data == {"a": 1, "_mine": 2}


@pytest.mark.parametrize("missing", ["_creation_time", "_accessed_time"])
def test_a_session_without_its_times_is_refused(missing):
    session = {"_creation_time": 1.5, "_accessed_time": 2.5, "a": 1}
    whole = write({"a": 1}, data_serializer=Raw(zlib.compress(json.dumps(session).encode())))
    assert reader_of().open(whole, now=NOW) == Foreign({"a": 1}, 1, 2)
    del session[missing]
    value = write({"a": 1}, data_serializer=Raw(zlib.compress(json.dumps(session).encode())))
    assert reason_of(reader_of(), value, now=NOW) == "plaintext"


TIMES = b'{"_creation_time": 1, "_accessed_time": 1}'
LONGEST = zlib.compress(TIMES.rjust(64 * 1024))


def test_the_longest_text_opens():
    assert reader_of().open(write({"a": 1}, data_serializer=Raw(LONGEST)), now=NOW).data == {}


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", zlib.compress(b"\xff"), zlib.compress(b"[]"), LONGEST[:-1], zlib.compress(TIMES.rjust(64 * 1024 + 1))],
    ids=["nothing", "not deflated", "not UTF-8", "no session", "cut off", "a bomb"],
)
@pytest.mark.parametrize("encrypt_key", [None, ENCRYPT_KEY])
def test_signed_bytes_of_another_form_are_refused(data, encrypt_key):
    value = write({"a": 1}, data_serializer=Raw(data), encrypt_key=encrypt_key)
    assert reason_of(reader_of(encrypt_key=encrypt_key), value, now=NOW) == "plaintext"


def test_a_value_too_short_for_a_cipher_is_refused():
    value = write({"a": 1}, data_serializer=Raw(b"short"))
    assert reason_of(reader_of(encrypt_key=ENCRYPT_KEY), value, now=NOW) == "plaintext"


def test_pickle_is_refused_at_construction_and_the_error_says_why():
    with pytest.raises(
        ConfigurationError, match="'pickle', and only 'json' can be read: unpickling runs whatever code"
    ):
        reader_of(data_serializer="pickle")


def test_a_serializer_of_the_apps_own_is_refused():
    with pytest.raises(ConfigurationError, match="'Raw', and only 'json'"):
        reader_of(data_serializer=Raw(b""))


def test_an_unknown_cipher_is_refused():
    with pytest.raises(ConfigurationError, match="crypto_type is 'nss'; choose one of default, cryptography, "):
        reader_of(crypto_type="nss")


@pytest.mark.parametrize("bits", [0, -8, 47, 128.0, "128", 2048])
def test_a_nonce_of_no_whole_bytes_is_refused(bits):
    with pytest.raises(ConfigurationError, match=r"encrypt_nonce_bits is .*; it is a multiple of 8"):
        reader_of(encrypt_nonce_bits=bits)


@pytest.mark.parametrize("name", ["validate_key", "encrypt_key"])
def test_a_short_key_is_refused_by_name(name):
    keys = {"validate_key": SECRET, "encrypt_key": ENCRYPT_KEY, name: "tiny"}
    with pytest.raises(ConfigurationError, match=rf"^{name} has 4 bytes and needs at least 16"):
        BeakerCookie(keys.pop("validate_key"), until=UNTIL, **keys)
