"""Keys: their checks, their order, and the keys for single purposes that are derived from them."""

import hashlib
import os
import re
import secrets
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cookiesess.errors import ConfigurationError, without_locals
from cookiesess.tokens.encoding import encode, is_utf8
from cookiesess.tokens.mistakes import PLACEHOLDER_REMEDY, is_placeholder, mistake_in, weakness_of

# 256 bits: what XAES-256-GCM and HMAC-SHA256 are built for; shorter text is nearly always a password or a placeholder.
MIN_SECRET_BYTES = 32

KEYS_VARIABLE: Final = "COOKIESESS_KEYS"
KEYS_FILE_VARIABLE: Final = "COOKIESESS_KEYS_FILE"

_HINT = "`python -m cookiesess keygen` prints a good one"
_GENERATED: Final = rb"\s*[A-Za-z0-9_-]{43}\s*"
_RING: Final = re.compile(_GENERATED + rb"(," + _GENERATED + rb")+")
_LINES: Final = re.compile(rb"[ -~\t\r]*\n[ -~\t\r\n]*")
# Unicode's controls, invisible signs (a byte order mark is one), and separators of lines and paragraphs.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})


class Key:
    """One secret. Its repr shows only the key id.

    Args:
        secret: At least 32 bytes, used verbatim; text counts as its UTF-8 bytes. It should be random. A sentence of 32
            letters is accepted, but whoever holds one cookie can try to guess it offline.

    Attributes:
        kid: The key id, 4 bytes. Every sealed token names it, so that the right key is found without trying. It is
            derived from the key by a one-way function, and is no secret.
        weakness: Why others could guess the key, in a few words that show nothing of it; ``""`` if no reason is known.
            A manager warns of a weakness when it is built (`WeakKey`).

    Raises:
        ConfigurationError: The secret is empty or too short; or it cannot be the key that you meant: the placeholder of
            the documentation, a variable that was not filled in, a path or an address; text with a comma, a line break
            or another invisible character in it, or with blanks or quotes around it; bytes that are lines of ASCII
            text, or several generated keys.
    """

    __slots__ = ("_secret", "kid", "weakness")

    @without_locals
    def __init__(self, secret: bytes | str) -> None:
        if isinstance(secret, str):
            secret = _bytes_of(secret)
        elif type(secret) is not bytes:
            raise _wrong_type("a key is bytes or text", secret)
        elif _RING.fullmatch(secret) or _LINES.fullmatch(secret):
            raise ConfigurationError(
                "a key's bytes hold a line break or several keys, so it looks like text: decode it (keys.decode()),"
                " or name its file in COOKIESESS_KEYS_FILE"
            )
        if mistake := mistake_in(secret):
            raise ConfigurationError(mistake)
        self._take(secret)

    @classmethod
    @without_locals
    def of_secret_key(cls, secret: bytes) -> Self:
        """Return a framework's own ``SECRET_KEY`` as a key: exactly these bytes, with line breaks, quotes and all.

        The framework itself signs with these bytes. So a path or a variable's name is accepted here, as a `weakness`.

        Raises:
            ConfigurationError: The secret is too short, the placeholder of the documentation, or several generated
                keys. (You mean to rotate, and as one key they would log everybody out.)
        """
        if _RING.fullmatch(secret):
            raise ConfigurationError(
                "it looks like a ring of keys, and would be taken as one key; pass it as keys= (COOKIESESS_KEYS in"
                " Django), and leave one key here"
            )
        if is_placeholder(secret):
            raise ConfigurationError(PLACEHOLDER_REMEDY)
        key = cls.__new__(cls)
        key._take(secret)
        return key

    def _take(self, secret: bytes) -> None:
        if len(secret) < MIN_SECRET_BYTES:
            raise ConfigurationError(
                f"a key of {len(secret)} bytes is too short, it needs at least {MIN_SECRET_BYTES}; {_HINT}"
            )
        self._secret = secret
        self.weakness: str = weakness_of(secret)
        # Over the derived key and a label of its own: the id can then not be mistaken for, or reveal, anything else.
        self.kid: bytes = hashlib.sha256(b"cookiesess v1 kid" + self.derive("seal")).digest()[:4]

    @classmethod
    def generate(cls) -> str:
        """Return a new random key as text for `Keyring.parse`: 43 characters, with at least 255 random bits."""
        text = "-"
        while text[0] in "-_":  # a leading "-" looks like an option where the key is typed on a command line
            text = encode(secrets.token_bytes(MIN_SECRET_BYTES))
        return text

    def derive(self, purpose: str) -> bytes:
        """Return the 32-byte key for `purpose`, by HKDF-SHA256 (RFC 5869) with info ``cookiesess v1 <purpose>``.

        One secret never serves two algorithms or two purposes: what an attacker learns of one says nothing of another.
        No salt is needed, since the secret itself is uniformly random (RFC 5869 section 3.1).
        """
        return HKDF(SHA256(), 32, salt=None, info=f"cookiesess v1 {purpose}".encode()).derive(self._secret)

    def __repr__(self) -> str:
        return f"Key(kid={self.kid.hex()})"


class Keyring:
    """The key that seals, and further keys that still (or already) open.

    To rotate without logging anybody out, deploy ``Keyring(old, accepted=[new])`` everywhere. Then deploy
    ``Keyring(new, accepted=[old])``. Remove `old` when the last session that it sealed has ended.

    Args:
        current: The key that seals everything new. A `Key`, or bytes or text for one.
        accepted: Further keys that open. When a session that one of them opened is next written, `current` seals it.

    Attributes:
        current: The `Key` that seals.
        keys: All keys, `current` first.
        path: The file that the keys were read from, and that a running process looks at again; else None.

    Raises:
        ConfigurationError: A key is bad, or comes twice; or `accepted` is a bare string, of which each letter would be
            a key.
    """

    __slots__ = ("current", "keys", "path")

    @without_locals
    def __init__(self, current: Key | bytes | str, accepted: Iterable[Key | bytes | str] = ()) -> None:
        if isinstance(accepted, str | bytes | Key):
            raise ConfigurationError("accepted is a list of keys; write accepted=[key]")
        self.current: Key = _key(current)
        self.keys: tuple[Key, ...] = (self.current, *map(_key, accepted))
        if len({key.kid for key in self.keys}) < len(self.keys):
            raise ConfigurationError("one key is listed twice (or two share a key id); list each key once")
        self.path: Path | None = None

    @classmethod
    @without_locals
    def parse(cls, text: str) -> Self:
        """Return the ring in one setting's text: keys parted by commas, the current one first. Blanks do not count.

        Raises:
            ConfigurationError: There is no key, or a bad one.
        """
        if type(text) is not str:
            raise _wrong_type("the keys are text", text)
        _refuse_quotes(text.strip())
        current, *accepted = (part.strip() for part in text.split(","))
        if not current or not all(accepted):
            raise ConfigurationError(f"a key is empty; {_HINT}")
        return cls(current, accepted)

    @classmethod
    @without_locals
    def from_file(cls, path: "str | os.PathLike[str]") -> Self:
        """Return the ring in a file: keys parted by commas, or one on each line, the current one first.

        A running process looks at the file again once a minute. A key that you add opens at once. If it is the first
        one, it seals after two minutes, when all processes can open it. A key that you remove stops at once; if it was
        the current one, the new one seals at once. The process then emits `cookiesess.events.KeysChanged`. If it cannot
        use the file, it keeps its keys, and emits `cookiesess.events.KeysFileRejected`.

        Args:
            path: A text file that only its owner can read, as ``python -m cookiesess keygen --file`` writes it.

        Raises:
            ConfigurationError: There is no such text file, or a bad key in it.
        """
        if not isinstance(path, str | os.PathLike):
            raise _wrong_type("the path of the keys' file is text, or a Path", path)
        try:
            text = Path(path).read_text("utf-8-sig")  # some editors begin it with a mark
        except (OSError, ValueError) as error:
            # By its class alone: an error of decoding quotes what is in the file, and the path may be a key.
            raise ConfigurationError(
                f"there is no file that can be read as text ({type(error).__name__}); write a path, and into the file"
                " the keys, parted by commas or one to a line"
            ) from None
        keyring = cls.parse(",".join(line for line in text.splitlines() if line.strip()))
        keyring.path = Path(path)
        return keyring

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Return the ring in ``COOKIESESS_KEYS``, or in the file that ``COOKIESESS_KEYS_FILE`` names.

        Args:
            environ: The variables, by default those of the process.

        Raises:
            ConfigurationError: Neither variable is set, both are set, or the keys are bad.
        """
        if environ is not None and not isinstance(environ, Mapping):
            raise _wrong_type("environ is a mapping such as os.environ", environ)
        keyring = cls.found_in(os.environ if environ is None else environ)
        if keyring is None:
            raise ConfigurationError(
                f"neither {KEYS_VARIABLE} nor {KEYS_FILE_VARIABLE} is set; `python -m cookiesess keygen` prints a good"
                " key"
            )
        return keyring

    @classmethod
    def found_in(cls, variables: Mapping[str, str]) -> Self | None:
        """Return the same ring as `from_env`; None if neither variable is set."""
        texts = {name: variables[name] for name in (KEYS_VARIABLE, KEYS_FILE_VARIABLE) if name in variables}
        if len(texts) > 1:
            raise ConfigurationError(f"{' and '.join(texts)} are both set; remove one")
        for name, text in texts.items():
            try:
                return cls.parse(text) if name == KEYS_VARIABLE else cls.from_file(text.strip())
            except ConfigurationError as error:
                raise ConfigurationError(f"{name}: {error}") from None
        return None

    @classmethod
    @without_locals
    def of(cls, keys: "Keyring | Key | bytes | str") -> "Keyring":
        """Return `keys` as a ring: bytes are one key, verbatim; `parse` reads text.

        Raises:
            ConfigurationError: `keys` is None, a list or of another type, or a key is bad.
        """
        if isinstance(keys, Keyring):
            return keys
        return cls.parse(keys) if isinstance(keys, str) else cls(keys)

    def __repr__(self) -> str:
        return f"Keyring({', '.join(map(repr, self.keys))})"


def _key(key: Key | bytes | str) -> Key:
    return key if isinstance(key, Key) else Key(key)


def _wrong_type(expected: str, came: object) -> ConfigurationError:
    remedy = f"is the variable set? {_HINT}"
    if isinstance(came, list | tuple):
        remedy = "join them by commas, or write Keyring(current, accepted=[…])"
    elif isinstance(came, os.PathLike):
        remedy = "write Keyring.from_file(path)"
    return ConfigurationError(f"{expected}, not {type(came).__name__}; {remedy}")


def _bytes_of(text: str) -> bytes:
    """Return a key's text as bytes, if what is written there can only be the key."""
    if "," in text or text != text.strip():
        raise ConfigurationError(
            "a key's text holds a comma or blanks around it; Keyring.parse(text) splits several keys"
        )
    if not is_utf8(text):
        raise ConfigurationError(f"a key's text holds half a surrogate pair; {_HINT}")
    if not _UNSEEN.isdisjoint(map(unicodedata.category, text)):
        raise ConfigurationError(
            "a key's text holds a line break or another character that cannot be seen; part keys by commas, or name"
            " their file in COOKIESESS_KEYS_FILE"
        )
    _refuse_quotes(text)
    return text.encode()


def _refuse_quotes(text: str) -> None:
    """Raise where a shell, or a reader of ``.env`` files, has left the quotes around a value."""
    if text[:1] in {"'", '"'} and text[:1] == text[-1:]:
        raise ConfigurationError("a key's text stands in quotes, which would be part of the key; remove the quotes")
