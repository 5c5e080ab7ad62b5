"""Settings as flat text, as environment variables and ini files have them.

::

    variable                             name in an ini file         text
    COOKIESESS_KEYS                      keys                        keys, parted by commas; the first is current
    COOKIESESS_KEYS_FILE                 keys_file                   the path of a file with keys, parted by commas or
                                                                     one to a line; instead of the one before
    COOKIESESS_ENVIRON_KEY               environ_key                 such as myapp.session
    COOKIESESS_ENCRYPT                   encrypt                     a switch
    COOKIESESS_COMPRESS                  compress                    a switch
    COOKIESESS_ON_STORE_ERROR            on_store_error              raise or anonymous
    COOKIESESS_MAX_SESSIONS_PER_OWNER    max_sessions_per_owner      a whole number
    COOKIESESS_ON_OWNER_LIMIT            on_owner_limit              end_oldest or refuse
    COOKIESESS_REVOCATION_CACHE_SECONDS  revocation_cache_seconds    a whole number
    COOKIESESS_COOKIE_NAME               cookie.name                 such as __Host-session
    COOKIESESS_COOKIE_PATH               cookie.path                 such as /
    COOKIESESS_COOKIE_DOMAIN             cookie.domain               such as shop.example
    COOKIESESS_COOKIE_SECURE             cookie.secure               a switch, or auto
    COOKIESESS_COOKIE_HTTPONLY           cookie.httponly             a switch
    COOKIESESS_COOKIE_SAMESITE           cookie.samesite             Strict, Lax or None; or unset: no such attribute
    COOKIESESS_COOKIE_PARTITIONED        cookie.partitioned          a switch
    COOKIESESS_COOKIE_PERSISTENT         cookie.persistent           a switch
    COOKIESESS_COOKIE_MAX_BYTES          cookie.max_bytes            a whole number
    COOKIESESS_COOKIE_CHUNKS             cookie.chunks               a whole number
    COOKIESESS_LIFETIME_IDLE             lifetime.idle               a duration
    COOKIESESS_LIFETIME_ABSOLUTE         lifetime.absolute           a duration, or never
    COOKIESESS_LIFETIME_REFRESH_AFTER    lifetime.refresh_after      a duration
    COOKIESESS_LIFETIME_RENEW_GRACE      lifetime.renew_grace        a duration
    COOKIESESS_STORE                     store                       a URL, as `open_store` takes it
    COOKIESESS_OVERFLOW                  overflow                    the same
    COOKIESESS_REVOCATIONS               revocations                 the same

A duration is a whole number and its unit: ``90 seconds``, ``15 minutes``, ``2 hours``, ``14 days``. A switch is
``true`` or ``false`` (``1`` or ``0``). Defaults and dangers are those of `SessionManager`, `CookiePolicy` and
`Lifetime`. What is no text (``accept``, ``types``, ``on_event``, ``session_class``, ``clock``, ``random_bytes``) is
given in code.
"""

import re
from collections.abc import Callable, Container, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from cookiesess.errors import ConfigurationError, MissingDependency
from cookiesess.http.policy import CookiePolicy
from cookiesess.manager.settings import nearest
from cookiesess.session.lifetime import Lifetime
from cookiesess.stores.parameters import FLAG, TEXT, Reader
from cookiesess.stores.urls import open_store
from cookiesess.tokens.keys import Keyring

_PREFIX: Final = "COOKIESESS_"
_DURATION: Final = re.compile(r"([0-9]{1,8}) (second|minute|hour|day)s?")
_WHOLE: Final = re.compile(r"[0-9]{1,9}")
_DURATION_WORDS: Final = "a whole number and its unit, such as 90 seconds, 15 minutes, 2 hours or 14 days"


class Entry(NamedTuple):
    """A setting as somebody has written it.

    Attributes:
        spelling: Its name there, for errors.
        text: Its value, which no error repeats: it may be a key in the wrong place.
    """

    spelling: str
    text: str


def read_environment(environ: Mapping[str, str], *, given: Container[str] = ()) -> dict[str, Any]:
    """Return the settings that the variables ``COOKIESESS_…`` hold, as keyword arguments of `SessionMiddleware`.

    Args:
        environ: The variables; others are passed over.
        given: Keyword arguments that are known already; what the variables say of them is not read.

    Raises:
        As `read_settings`.
    """
    entries = {}
    for variable, text in environ.items():
        if variable.startswith(_PREFIX):
            if variable not in _VARIABLES:
                raise unknown(variable, name=variable.removeprefix(_PREFIX).lower(), spell=_variable)
            entries[_VARIABLES[variable]] = Entry(variable, text)
    return read_settings(entries, given=given, keys_names="COOKIESESS_KEYS or COOKIESESS_KEYS_FILE")


def read_settings(
    entries: Mapping[str, Entry], *, given: Container[str] = (), keys_names: str = "keys or keys_file"
) -> dict[str, Any]:
    """Return the settings that `entries` hold, as keyword arguments of `SessionMiddleware`.

    Args:
        entries: By their names in an ini file; all of them known.
        given: As `read_environment` takes it.
        keys_names: How the two settings that hold the keys are spelled.

    Raises:
        ConfigurationError: A value is empty or unreadable, or there are no keys, or two settings hold them.
        MissingDependency: The client of a store's URL is not installed.
        StoreUnavailable: A store cannot be reached.
    """
    entries = {name: entry for name, entry in entries.items() if _target(name) not in given}
    if "keys" not in given and len({"keys", "keys_file"} & entries.keys()) != 1:
        raise ConfigurationError(
            f"{keys_names} is needed, and only one of them; `python -m cookiesess keygen` prints a good key"
        )
    # In the table's order: the stores come last, so that none is opened where something else is wrong.
    values = {name: _value(name, entries[name]) for name in _READERS if name in entries}
    result: dict[str, Any] = {_target(name): value for name, value in values.items() if "." not in name}
    for group, make in (("cookie", CookiePolicy), ("lifetime", Lifetime)):
        fields = {name.partition(".")[2]: values[name] for name in values if name.startswith(f"{group}.")}
        if fields:
            spellings = [entries[f"{group}.{field}"].spelling for field in fields]
            result[group] = _make(make, fields, spellings)
    return result


def unknown(spelling: str, *, name: str, spell: Callable[[str], str]) -> ConfigurationError:
    """Return the error of a setting that does not exist, with the nearest of those that do.

    Args:
        spelling: As somebody wrote it.
        name: Its name in an ini file.
        spell: Returns how another name would be spelled there.
    """
    if name in _IN_CODE:
        return ConfigurationError(f"{spelling}: {name} is no text; give it to SessionMiddleware in code")
    known = nearest(name, NAMES)
    remedy = (
        "help(cookiesess.manager.flat_settings) lists them" if known is None else f"the nearest one is {spell(known)}"
    )
    return ConfigurationError(f"there is no setting {spelling}; {remedy}")


def _value(name: str, entry: Entry) -> Any:
    read, words = _READERS[name]
    text = entry.text.strip()
    if not text:
        raise ConfigurationError(f"{entry.spelling} is empty; remove it, or give it a value")
    try:
        return read(text)
    except MissingDependency:
        raise
    except ConfigurationError as error:
        raise ConfigurationError(f"{entry.spelling}: {error}") from error
    except (ValueError, KeyError):
        # Not chained: the reader's own message quotes the text.
        raise ConfigurationError(f"{entry.spelling} is not {words}") from None


def _make(make: Callable[..., Any], fields: dict[str, Any], spellings: list[str]) -> Any:
    try:
        return make(**fields)
    except ConfigurationError as error:
        raise ConfigurationError(f"{', '.join(spellings)}: {error}") from error


def _target(name: str) -> str:
    """Return the keyword argument that a setting ends in."""
    return "keys" if name == "keys_file" else name.partition(".")[0]


def read_keys_file(path: str) -> Keyring:
    """Return the ring that a file holds: keys parted by commas or one to a line, the current one first.

    Raises:
        ConfigurationError: There is no such file of text, or a bad key in it.
    """
    try:
        text = Path(path).read_text("utf-8-sig")  # some editors begin it with a mark
    except (OSError, UnicodeDecodeError) as error:
        # By its class alone: an error of decoding quotes what is in the file, and the path may be a key.
        raise ConfigurationError(
            f"there is no file that can be read as text ({type(error).__name__}); write a path, and into the file the"
            " keys, parted by commas or one to a line"
        ) from None
    return Keyring.parse(",".join(line for line in text.splitlines() if line.strip()))


def _duration(text: str) -> timedelta:
    if _WHOLE.fullmatch(text):  # a key is longer than that, so it may be shown
        raise ConfigurationError(f"{text} has no unit; write {text} seconds, minutes, hours or days")
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError
    return timedelta(**{f"{match[2]}s": int(match[1])})


def _count(text: str) -> int:
    if _WHOLE.fullmatch(text) is None:
        raise ValueError
    return int(text)


def _choice(*texts: str, **others: object) -> Reader:
    """Read one of `texts` as itself, and the names of `others` as their values."""
    choices = dict(zip(texts, texts, strict=True)) | others
    return choices.__getitem__, f"one of {', '.join(choices)}"


_SWITCH: Final[Reader] = (lambda text: FLAG[0](text.lower()), FLAG[1])
_SECURE: Final[Reader] = (lambda text: text if text == "auto" else _SWITCH[0](text), f"{FLAG[1]}, auto")
_WHOLE_NUMBER: Final[Reader] = (_count, "a whole number")
_TIME: Final[Reader] = (_duration, _DURATION_WORDS)
_DEADLINE: Final[Reader] = (lambda text: None if text == "never" else _duration(text), f"{_DURATION_WORDS}; or never")
_URL: Final[Reader] = (open_store, "the URL of a store")
_SAMESITE: Final[Reader] = _choice("Strict", "Lax", "None", unset=None)

_READERS: Final[dict[str, Reader]] = {
    "keys": (Keyring.parse, "keys, parted by commas"),
    "keys_file": (read_keys_file, "a path"),
    "environ_key": TEXT,
    "encrypt": _SWITCH,
    "compress": _SWITCH,
    "on_store_error": _choice("raise", "anonymous"),
    "max_sessions_per_owner": _WHOLE_NUMBER,
    "on_owner_limit": _choice("end_oldest", "refuse"),
    "revocation_cache_seconds": _WHOLE_NUMBER,
    "cookie.name": TEXT,
    "cookie.path": TEXT,
    "cookie.domain": TEXT,
    "cookie.secure": _SECURE,
    "cookie.httponly": _SWITCH,
    "cookie.samesite": _SAMESITE,
    "cookie.partitioned": _SWITCH,
    "cookie.persistent": _SWITCH,
    "cookie.max_bytes": _WHOLE_NUMBER,
    "cookie.chunks": _WHOLE_NUMBER,
    "lifetime.idle": _TIME,
    "lifetime.absolute": _DEADLINE,
    "lifetime.refresh_after": _TIME,
    "lifetime.renew_grace": _TIME,
    "store": _URL,
    "overflow": _URL,
    "revocations": _URL,
}
NAMES: Final = tuple(_READERS)
"""All settings, as an ini file names them."""


def _variable(name: str) -> str:
    return _PREFIX + name.replace(".", "_").upper()


_VARIABLES: Final = {_variable(name): name for name in NAMES}
_IN_CODE: Final = ("accept", "types", "on_event", "clock", "random_bytes", "session_class")
