"""The names of the settings, and which setting somebody probably meant who wrote an unknown name."""

import re
from collections.abc import Iterable
from datetime import timedelta
from difflib import get_close_matches
from typing import Final

from cookiesess.errors import ConfigurationError
from cookiesess.manager.beaker_names import refuse_options
from cookiesess.manager.settings import GROUPS, SETTINGS, Settings

# What may be given in code; of a group its fields. A binding is given as a whole as well: by default there is none.
_PLACES: Final = [setting.name for setting in SETTINGS if setting.name not in {"keys_file", *GROUPS} - {"binding"}]
_DURATIONS: Final = {setting.name for setting in SETTINGS if setting.kind in (timedelta, timedelta | None)}
# What other libraries call them, in the spelling of `_word`.
_ALIASES: Final = {
    **dict.fromkeys(("secret", "secretkey", "key"), "keys"),
    **dict.fromkeys(("lifetime", "timeout", "maxage", "expires", "ttl"), "idle"),
    "cookie": "name",
}


def check_names(call: str, names: Iterable[str], *, others: Iterable[str] = ()) -> None:
    """Raise for the first of `names` that is not a setting, with what to write instead.

    Args:
        call: What was called, up to its keys: ``"SessionManager(keys"``.
        names: The keywords that it was given.
        others: Further names that it knows.

    Raises:
        ConfigurationError: There is no such setting.
    """
    names = list(names)
    refuse_options(names)
    for name in names:
        if name not in Settings.__optional_keys__ and name not in others:
            raise ConfigurationError(f"there is no setting {name!r} of {call.partition('(')[0]}; {_remedy(name, call)}")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return which of `known` is meant by `name`: what other libraries call so, or what is spelled like it, or None.

    Args:
        name: A name that is none, as a keyword, a variable or a line of an ini file has it.
        known: All names, spelled so: ``store``, ``cookie.name``, ``COOKIESESS_LIFETIME_IDLE``.
    """
    words = {_word(each): each for each in known}
    words |= {alias: words[word] for alias, word in _ALIASES.items() if word in words}
    return next((words[word] for word in get_close_matches(_word(name), words, n=1)), None)


def _remedy(name: str, call: str) -> str:
    if any(name == setting.name and setting.scope == "middleware" for setting in SETTINGS):
        adapters = ", of Flask's Cookiesess and of Pyramid's session_factory" if name == "session_class" else " alone"
        return f"it is an argument of SessionMiddleware{adapters}"
    place, every = nearest(name, _PLACES), "help(cookiesess.SessionManager) lists them"
    return every if place is None else f"did you mean {_form(place, call)}? {every}"


def _word(name: str) -> str:
    """Return what counts of a name: ``SESSION_COOKIE_SAMESITE``, ``cookie.samesite`` and ``sameSite`` are one word."""
    return re.sub("^(cookiesess_)?(session_)?(cookie_)?(lifetime_)?|_", "", name.lower().replace(".", "_"))


def _form(place: str, call: str) -> str:
    """Return how the setting at `place` is written in `call`."""
    group, _, field = place.partition(".")
    if field:
        return f"{group}={GROUPS[group].__name__}({field}={'timedelta(…)' if place in _DURATIONS else '…'})"
    return f"{call}, …)" if place == "keys" else f"{place}=…"
