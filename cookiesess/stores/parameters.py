"""Reads the parts of a store's URL, for all stores alike. A parameter that is unknown or given twice is an error."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NoReturn
from urllib.parse import SplitResult, parse_qsl, urlsplit

from cookiesess.errors import ConfigurationError

Reader = tuple[Callable[[str], object], str]
"""How a parameter is read: from text, raising ValueError or KeyError for what it does not understand; and in words."""

_FLAGS = {"1": True, "true": True, "0": False, "false": False}
FLAG: Reader = (_FLAGS.__getitem__, "one of " + ", ".join(_FLAGS))
COUNT: Reader = (int, "a whole number")
SECONDS: Reader = (lambda text: timedelta(seconds=float(text)), "a number of seconds")
TEXT: Reader = (str, "text")


def split(url: str) -> SplitResult:
    """Split a store's URL into its parts.

    A password with a ``/``, ``?`` or ``#`` that is not percent-encoded ends the host early. What follows would be taken
    for a path or a parameter, and be quoted in some message; the @ that comes behind it gives it away.

    Raises:
        ConfigurationError: It cannot be split; the message holds nothing of it.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        # Not chained: the parser's own message quotes the part of the URL that may hold a password.
        raise ConfigurationError("the store URL cannot be parsed; write it as sqlite:///sessions.db") from None
    is_file = parts.scheme == "sqlite" and not parts.netloc
    if "@" in parts.path + parts.query + parts.fragment and not is_file:
        raise ConfigurationError(
            "the store URL has an @ behind its host; in a user name or password write @ as %40, / as %2F, ? as %3F,"
            " # as %23 and % as %25, and in a parameter @ as %40"
        )
    return parts


def refuse_form(parts: SplitResult, form: str) -> NoReturn:
    """Raise for a URL that is not written as `form`; without the URL, which may hold a password."""
    raise ConfigurationError(f"a {parts.scheme}: URL is written as {form}")


def read_parameters(parts: SplitResult, **readers: Reader) -> dict[str, Any]:
    """Return the query as keyword arguments.

    Raises:
        ConfigurationError: A parameter is not one of `readers`, given twice, or unreadable.
    """
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
