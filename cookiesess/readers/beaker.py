"""The cookie of Beaker's cookie-only sessions (``session.type = cookie``) with JSON data.

::

    hex(HMAC-SHA1 over the rest) base64(deflated JSON)                                    signed, readable by anyone
    hex(HMAC-SHA1 over the rest) base64(nonce) base64( iv[12] | tag[16] | AES-256-GCM )   encrypted, by `cryptography`
    hex(HMAC-SHA1 over the rest) base64(nonce) base64( AES-256-CTR, counting from 0 )     encrypted, by PyCryptodome

The HMAC's key is ``validate_key``. The cipher's is PBKDF2-HMAC-SHA1 over ``encrypt_key``, in one round, with
``validate_key`` and the nonce's text as salt: one key for each cookie, which is why counting from 0 is no flaw.
"""

import hashlib
import hmac
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Literal, Unpack

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from cookiesess.errors import ConfigurationError, InvalidToken
from cookiesess.readers.base import Common, Foreign, Reader
from cookiesess.readers.parts import (
    as_bytes,
    check_secret,
    inflate,
    load_json,
    moment_of,
    refuse_pickle,
    session_of,
)

_SIGNATURE_CHARACTERS: Final = 40
_KEY_BYTES: Final = 32
_IV_BYTES, _TAG_BYTES = 12, 16
# What Beaker keeps among the session's own keys. Read here, or of no use without it.
_INTERNAL: Final = frozenset({"_id", "_creation_time", "_accessed_time", "_domain", "_path"})


class BeakerCookie(Reader):
    """Reads the cookie of Beaker's cookie-only sessions, signed or encrypted, with ``data_serializer = json``.

    Beaker's default serializer is pickle. Reading a pickle can run code of its writer, so pickled cookies are refused:
    another `data_serializer` when the reader is made, and a pickled cookie with the reason ``"pickle"``. This reader
    cannot read sessions that Beaker keeps in a store. Beaker knows no older keys; if you have cookies under several
    keys, list a reader for each.

    Args:
        validate_key: Beaker's option, at least 16 bytes.
        until: See `Reader`.
        encrypt_key: Beaker's option, at least 16 bytes; None if the cookies are only signed.
        data_serializer: Beaker's option. Only ``"json"`` is allowed.
        crypto_type: Beaker's option: ``"cryptography"``, or ``"pycryptodome"`` (also called ``"pycrypto"``).
            ``"default"`` reads cookies of both, because Beaker's own default depends on its version and on the
            installed packages.
        encrypt_nonce_bits: Beaker's option. Default 128; before Beaker 1.8 it was 48.
        cookie_name: Beaker's ``key``.
        max_age: Beaker's ``timeout``. Default None, as in Beaker.
        **common: See `Reader`.

    Raises:
        ConfigurationError: A key is short, the serializer is another one, `crypto_type` is unknown, or as in `Reader`.
    """

    def __init__(
        self,
        validate_key: str | bytes,
        *,
        until: datetime,
        encrypt_key: str | bytes | None = None,
        data_serializer: Literal["json"] = "json",
        crypto_type: str = "default",
        encrypt_nonce_bits: int = 128,
        cookie_name: str = "beaker.session.id",
        max_age: timedelta | None = None,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(cookie_name=cookie_name, until=until, max_age=max_age, **common)
        _check_serializer(data_serializer)
        check_secret("validate_key", validate_key)
        if encrypt_key is not None:
            check_secret("encrypt_key", encrypt_key)
        if crypto_type not in _CIPHERS:
            raise ConfigurationError(f"crypto_type is {crypto_type!r}; choose one of {', '.join(_CIPHERS)}")
        if type(encrypt_nonce_bits) is not int or encrypt_nonce_bits not in range(8, 1025, 8):
            raise ConfigurationError(
                f"encrypt_nonce_bits is {encrypt_nonce_bits!r}; it is a multiple of 8, and what Beaker had: 128 or 48"
            )
        self._validate_key = as_bytes(validate_key)
        self._encrypt_key = None if encrypt_key is None else as_bytes(encrypt_key)
        self._ciphers = _CIPHERS[crypto_type]
        self._nonce_characters = (encrypt_nonce_bits // 8 + 2) // 3 * 4

    def read(self, value: str) -> Foreign:
        """See `Reader.read`."""
        signature, body = value[:_SIGNATURE_CHARACTERS], value[_SIGNATURE_CHARACTERS:]
        if not hmac.compare_digest(signature, hmac.new(self._validate_key, body.encode(), hashlib.sha1).hexdigest()):
            raise InvalidToken("forged")
        data = session_of(load_json(self._text_of(body)))
        times = moment_of(data.get("_creation_time")), moment_of(data.get("_accessed_time"))
        return Foreign({key: item for key, item in data.items() if key not in _INTERNAL}, *times)

    def _text_of(self, body: str) -> bytes:
        if self._encrypt_key is None:
            return inflate(refuse_pickle(_unbase64(body)))
        nonce, sealed = body[: self._nonce_characters], _unbase64(body[self._nonce_characters :])
        salt = self._validate_key + nonce.encode()
        key = hashlib.pbkdf2_hmac("sha1", self._encrypt_key, salt, 1, _KEY_BYTES)
        # The signature holds already, so trying a second cipher gives nothing away.
        for decrypt in self._ciphers:
            plain = decrypt(key, sealed)
            if plain is not None:
                return inflate(refuse_pickle(plain))
        raise InvalidToken("plaintext")


def _check_serializer(data_serializer: object) -> None:
    if data_serializer == "json":
        return
    came = data_serializer if isinstance(data_serializer, str) else type(data_serializer).__name__
    raise ConfigurationError(
        f"data_serializer is {came!r}, and only 'json' can be read: unpickling runs whatever code the data asks for."
        " Leave the reader out, or switch Beaker to data_serializer='json' some time before"
    )


def _unbase64(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise InvalidToken("plaintext") from None


def _gcm(key: bytes, sealed: bytes) -> bytes | None:
    iv, tag, ciphertext = sealed[:_IV_BYTES], sealed[_IV_BYTES:][:_TAG_BYTES], sealed[_IV_BYTES + _TAG_BYTES :]
    try:
        return AESGCM(key).decrypt(iv, ciphertext + tag, None)
    except (InvalidTag, ValueError):  # ValueError: an initialisation vector that is too short
        return None


def _ctr(key: bytes, sealed: bytes) -> bytes:
    cipher = Cipher(AES(key), CTR(bytes(16))).decryptor()
    return cipher.update(sealed) + cipher.finalize()


_CIPHERS: Final[dict[str, tuple[Callable[[bytes, bytes], bytes | None], ...]]] = {
    "default": (_gcm, _ctr),
    "cryptography": (_gcm,),
    "pycryptodome": (_ctr,),
    "pycrypto": (_ctr,),
}
