"""A store by URL, for the command line, the examples, and apps that take their set-up from the environment."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from cookiesess.errors import ConfigurationError
from cookiesess.stores.base import Store
from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore

# How a parameter is read: from text, raising ValueError or KeyError for what it does not understand, and in words.
_Reader = tuple[Callable[[str], object], str]

_FLAGS = {"1": True, "true": True, "0": False, "false": False}
_FLAG: _Reader = (_FLAGS.__getitem__, "one of " + ", ".join(_FLAGS))
_COUNT: _Reader = (int, "a whole number")
_SECONDS: _Reader = (lambda text: timedelta(seconds=float(text)), "a number of seconds")


def open_store(url: str, *, must_exist: bool = False) -> Store:
    """Open the store that `url` names.

    ==============================  =======================================================  ==========================
    URL                             opens                                                    parameters
    ==============================  =======================================================  ==========================
    ``sqlite:///sessions.db``       `SQLiteStore`, relative to the current directory         ``durable`` (1 or 0),
    ``sqlite:////var/sessions.db``  the same, absolute: four slashes, as SQLAlchemy has it   ``busy_timeout`` (seconds),
                                                                                             ``sweep_batch``
    ``memory://``                   `MemoryStore`: empty, and of this process alone          ``max_sessions``
    ==============================  =======================================================  ==========================

    Parameters come as a query: ``sqlite:///sessions.db?durable=1&busy_timeout=2.5``. A path may be percent-encoded (a
    ``?`` or ``#`` or ``%`` in it must be).

    Args:
        url: As in the table.
        must_exist: Refuse a file that is not there, instead of making it: for tools, whose paths may be mistyped.

    Raises:
        ConfigurationError: The scheme or a parameter is unknown, given twice or unreadable, or the store refuses. The
            message holds neither the URL nor what may be a password in it.
        StoreUnavailable: The store cannot be reached.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        # Not chained: the parser's own message quotes the part of the URL that may hold a password.
        raise ConfigurationError("the store URL cannot be parsed; write it as sqlite:///sessions.db") from None
    opener = _OPENERS.get(parts.scheme)
    if opener is None:
        raise ConfigurationError(
            f"a store URL begins with {' or '.join(f'{scheme}:' for scheme in _OPENERS)}, and this one with"
            f" {parts.scheme + ':' if parts.scheme else 'no scheme'}; write it as sqlite:///sessions.db"
        )
    if parts.fragment:
        raise ConfigurationError(f"a {parts.scheme}: URL has no fragment; write a # in a path as %23")
    return opener(parts, must_exist)


def _open_sqlite(parts: SplitResult, must_exist: bool) -> Store:
    path = unquote(parts.path.removeprefix("/"))
    if parts.netloc or not path:
        _refuse_form(parts, "sqlite:///relative/path.db or sqlite:////absolute/path.db")
    if must_exist and not Path(path).exists():
        raise ConfigurationError(f"there is no file {path}; the app makes it when it starts")
    return SQLiteStore(path, **_parameters(parts, durable=_FLAG, busy_timeout=_SECONDS, sweep_batch=_COUNT))


def _open_memory(parts: SplitResult, _: bool) -> Store:
    if parts.netloc or parts.path:
        _refuse_form(parts, "memory://")
    return MemoryStore(**_parameters(parts, max_sessions=_COUNT))


_OPENERS: dict[str, Callable[[SplitResult, bool], Store]] = {"sqlite": _open_sqlite, "memory": _open_memory}


def _refuse_form(parts: SplitResult, form: str) -> NoReturn:
    raise ConfigurationError(f"a {parts.scheme}: URL is written as {form}")


def _parameters(parts: SplitResult, **readers: _Reader) -> dict[str, Any]:
    """Read the query as keyword arguments; nothing unknown, nothing twice, nothing left out of the reading."""
    try:
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True) if parts.query else []
    except ValueError:
        raise ConfigurationError(
            f"the parameters of a {parts.scheme}: URL are written as ?name=value&name=value"
        ) from None
    parameters: dict[str, object] = {}
    for name, text in pairs:
        if name not in readers:
            raise ConfigurationError(f"a {parts.scheme}: URL has no parameter {name!r}; it knows {', '.join(readers)}")
        if name in parameters:
            raise ConfigurationError(f"the parameter {name!r} is given twice")
        read, words = readers[name]
        try:
            parameters[name] = read(text)
        except (ValueError, KeyError, OverflowError) as error:
            raise ConfigurationError(f"the parameter {name!r} is {text!r}, which is not {words}") from error
    return parameters
