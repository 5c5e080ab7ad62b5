"""Settings as text, in environment variables and ini files.

Give either the keys, or a file of keys (parted by commas, or one on each line), and not both. `SessionManager`,
`CookiePolicy`, `Lifetime` and `DeviceBinding` describe the settings, their defaults and their dangers. Give a setting
that has no line here in code.

::
"""

import re
from collections.abc import Container, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from cookiesess.errors import ConfigurationError, MissingDependency, without_locals
from cookiesess.http.binding import DeviceBinding
from cookiesess.http.policy import ClearDirective
from cookiesess.manager.names import nearest
from cookiesess.manager.settings import GROUPS, SETTINGS, naming
from cookiesess.stores.base import Store
from cookiesess.stores.parameters import FLAG, TEXT, Reader
from cookiesess.stores.urls import open_store
from cookiesess.tokens.keys import Keyring

VARIABLE_PREFIX: Final = "COOKIESESS_"
INI_PREFIX: Final = "cookiesess."
_WHOLE: Final = r"[0-9]{1,9}"
_DURATION_WORDS: Final = "a whole number and its unit, such as 90 seconds, 15 minutes, 2 hours or 14 days"


@without_locals
def read_environment(environ: Mapping[str, str], *, given: Container[str] = ()) -> dict[str, Any]:
    """Return the settings that the variables ``COOKIESESS_…`` hold, as keyword arguments of `SessionMiddleware`.

    Args:
        environ: The variables. Only ``COOKIESESS_…`` are read.
        given: Keyword arguments that are known already. Their variables are not read.

    Raises:
        As in `read_settings`.
    """
    texts = {variable: text for variable, text in environ.items() if variable.startswith(VARIABLE_PREFIX)}
    return read_settings(texts, _VARIABLES, given=given)


@without_locals
def read_settings(texts: Mapping[str, str], names: Mapping[str, str], *, given: Container[str] = ()) -> dict[str, Any]:
    """Return the settings that `texts` hold, as keyword arguments of `SessionMiddleware`.

    Args:
        texts: The texts by their names, as somebody has written them. An error never shows a text: it may be a key in
            the wrong place.
        names: All allowed names, and the settings' names in the table; `INI` for an ini file.
        given: As in `read_environment`.

    Raises:
        ConfigurationError: A setting is unknown, given twice, empty or unreadable; or there are no keys, or two
            settings for them.
        MissingDependency: A store's URL needs a client that is not installed.
        StoreUnavailable: A store does not answer.
    """
    spellings: dict[str, str] = {}
    for spelling in texts:
        name = _name(spelling, names)
        if name in spellings:
            raise ConfigurationError(f"{spelling} is given twice, as {spellings[name]} as well; remove one")
        if _target(name) not in given:
            spellings[name] = spelling
    if "keys" not in given and len({"keys", "keys_file"} & spellings.keys()) != 1:
        places = " or ".join([spelling for spelling, name in names.items() if _target(name) == "keys"][:2])
        raise ConfigurationError(
            f"{places} is needed, and only one of them; `python -m cookiesess keygen` prints a good key"
        )
    values = {name: _value(name, spellings[name], texts[spellings[name]]) for name in NAMES if name in spellings}
    result: dict[str, Any] = {_target(name): value for name, value in values.items() if "." not in name}
    for group in GROUPS:
        parts = {name.partition(".")[2]: value for name, value in values.items() if name.startswith(f"{group}.")}
        written = ", ".join(spellings[f"{group}.{field}"] for field in parts)
        if parts and group in result and result[group] is None:
            raise ConfigurationError(f"{spellings[group]} says that there is none; remove it, or {written}")
        if parts:
            with naming(written):
                result[group] = GROUPS[group](**parts)
    return result


def _name(spelling: str, names: Mapping[str, str]) -> str:
    """Return the name of the setting that is written as `spelling`."""
    if spelling not in names:
        # In an ini file: with the prefix if that was written, else without.
        near = nearest(
            spelling,
            (
                known
                for known, name in names.items()
                if name in _READERS and known.startswith(INI_PREFIX) == spelling.startswith(INI_PREFIX)
            ),
        )
        remedy = "help(cookiesess.manager.flat_settings) lists them" if near is None else f"the nearest one is {near}"
        raise ConfigurationError(f"there is no setting {spelling}; {remedy}")
    name = names[spelling]
    if name not in _READERS:
        raise ConfigurationError(f"{spelling}: {name} is no text; give it to SessionMiddleware in code")
    return name


def _value(name: str, spelling: str, text: str) -> Any:
    read, words = _READERS[name]
    if not text.strip():
        raise ConfigurationError(f"{spelling} is empty; remove it, or give it a value")
    try:
        return read(text.strip())
    except MissingDependency:
        raise
    except ConfigurationError as error:
        raise ConfigurationError(f"{spelling}: {error}") from error
    except (ValueError, KeyError):
        # Not chained: the reader's own message quotes the text.
        raise ConfigurationError(f"{spelling} is not {words}") from None


def _target(name: str) -> str:
    """Return the keyword argument that a setting ends in."""
    return "keys" if name == "keys_file" else name.partition(".")[0]


def _variable(name: str) -> str:
    return VARIABLE_PREFIX + name.replace(".", "_").upper()


def _duration(text: str) -> timedelta:
    if re.fullmatch(_WHOLE, text):  # a key is longer than that, so it may be shown
        raise ConfigurationError(f"{text} has no unit; write {text} seconds, minutes, hours or days")
    match = re.fullmatch(r"([0-9]{1,8}) (second|minute|hour|day)s?", text)
    if match is None:
        raise ValueError
    return timedelta(**{f"{match[2]}s": int(match[1])})


def _count(text: str) -> int:
    if re.fullmatch(_WHOLE, text) is None:
        raise ValueError
    return int(text)


def _choice(*texts: str, **others: object) -> Reader:
    """Read one of `texts` as itself, and the names of `others` as their values."""
    choices = dict(zip(texts, texts, strict=True)) | others
    return choices.__getitem__, f"one of {', '.join(choices)}"


# How a text is read, by the setting's name or its kind; and what it has to be, in words.
_KINDS: Final[dict[object, Reader]] = {
    Keyring: (Keyring.parse, "keys, parted by commas"),
    Path: (Keyring.from_file, "a path"),
    str: TEXT,
    bool: (lambda text: FLAG[0](text.lower()), FLAG[1]),
    int: (_count, "a whole number"),
    timedelta: (_duration, _DURATION_WORDS),
    timedelta | None: (lambda text: None if text == "never" else _duration(text), f"{_DURATION_WORDS}; or never"),
    DeviceBinding: (lambda text: DeviceBinding() if FLAG[0](text.lower()) else None, FLAG[1]),
    Store: (open_store, "the URL of a store"),
    "cookie.secure": (
        lambda text: text if text in ("auto", "https") else FLAG[0](text.lower()),
        f"{FLAG[1]}, auto, https",
    ),
    "max_sessions_per_owner": (lambda text: None if text == "none" else _count(text), "a whole number; or none"),
    "cookie.clear_on_logout": (
        lambda text: tuple(_choice(*get_args(ClearDirective))[0](part.strip()) for part in text.split(",")),
        f"some of {', '.join(get_args(ClearDirective))}, parted by commas",
    ),
    "cookie.samesite": _choice("Strict", "Lax", "None", unset=None),
    **{kind: _choice(*get_args(kind)) for _, kind, _ in SETTINGS if get_origin(kind) is Literal},
}
# The stores come last, so that none is opened where something else is wrong.
_READERS: Final[dict[str, Reader]] = {
    name: _KINDS[name if name in _KINDS else kind]
    for name, kind, _ in sorted(SETTINGS, key=lambda setting: setting.kind is Store)
    if name in _KINDS or kind in _KINDS
}
NAMES: Final = tuple(_READERS)
"""All settings that text can hold, as an ini file names them."""

# Of a group its parts can be written, and the whole only where that is a switch.
_VARIABLES: Final = {_variable(name): name for name, *_ in SETTINGS if name in _READERS or name not in GROUPS}
INI: Final = {prefix + name: name for prefix in ("", INI_PREFIX) for name in _VARIABLES.values()}
"""All names that an ini file may have, with and without the prefix, and what they are in the table."""

__doc__ = "\n".join(
    [
        __doc__ or "",
        "    variable                                name in an ini file          text",
        *(f"    {_variable(name):40}{name:29}{words}" for name, (_, words) in _READERS.items()),
    ]
)
