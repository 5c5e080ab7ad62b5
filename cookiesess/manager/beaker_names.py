"""The names of Beaker's options in this library, for somebody who gives a Beaker configuration to the middleware."""

from collections.abc import Iterable, Mapping
from typing import Final

from cookiesess.errors import ConfigurationError

_PREFIXES: Final = ("beaker.session.", "session.")
_KEYS: Final = "keys, the text that `python -m cookiesess keygen` prints"
_NOTHING: Final = "nothing"
_OPTIONS: Final = {
    "type": 'store="sqlite:///sessions.db" or another URL; without it a session is in its cookie, encrypted',
    "data_dir": "the path in store=",
    "url": "store=URL",
    "table_name": "?table=… in store=URL",
    "secret": _KEYS,
    "validate_key": _KEYS,
    "encrypt_key": _KEYS,
    "key": "cookie=CookiePolicy(name)",
    "cookie_expires": "cookie=CookiePolicy(persistent=True)",
    "cookie_domain": "cookie=CookiePolicy(name, domain=…)",
    "cookie_path": "cookie=CookiePolicy(name, path=…)",
    "secure": "cookie=CookiePolicy(secure=…), True by default",
    "httponly": "cookie=CookiePolicy(httponly=…), True by default",
    "samesite": "cookie=CookiePolicy(samesite=…), Lax by default",
    "timeout": "lifetime=Lifetime(idle=timedelta(seconds=…))",
    "auto": "nothing: what has changed is saved by itself",
    "lock_dir": "nothing: no request waits for another one's",
    "data_serializer": "nothing: values keep their types, and nothing is pickled",
}


def options_in(keys: object) -> list[str]:
    """Return the names of Beaker's options in what was given in the place of the keys."""
    return [name for name in keys if _option(name) is not None] if isinstance(keys, Mapping) else []


def refuse_options(names: Iterable[str]) -> None:
    """Raise where Beaker's options are among `names`, with what each is called here; values are never shown.

    Raises:
        ConfigurationError: There is one.
    """
    rows = [f"  {name}: {_OPTIONS.get(option, _NOTHING)}" for name in names if (option := _option(name)) is not None]
    if rows:
        raise ConfigurationError(
            "these are options of a Beaker configuration; write SessionMiddleware(app, keys, …), with\n"
            + "\n".join(rows)
            + "\ndocs/migrating.md tells the rest, also how users stay logged in"
        )


def _option(name: object) -> str | None:
    """Return Beaker's name of an option, without its prefix; None for what is none of its session."""
    if not isinstance(name, str):
        return None
    return next((name.removeprefix(prefix) for prefix in _PREFIXES if name.startswith(prefix)), None)
