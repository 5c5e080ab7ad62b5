"""A store by URL, for the command line, the examples, and apps that take their set-up from the environment."""

from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, unquote

from cookiesess.errors import ConfigurationError, MissingDependency
from cookiesess.stores.base import Store
from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.parameters import COUNT, FLAG, SECONDS, read_parameters, refuse_form, split
from cookiesess.stores.sqlite.store import SQLiteStore

Opener = Callable[[SplitResult, bool], Store]
"""Opens the store that a split URL names; the flag is `must_exist`."""

# The driver of an SQL database, and the extra that brings it together with SQLAlchemy.
_SQL: Final = {
    "postgresql": ("psycopg", "postgresql"),
    **dict.fromkeys(("mysql", "mariadb"), ("pymysql", "mysql")),
}


def open_store(url: str, *, must_exist: bool = False) -> Store:
    """Open the store that `url` names.

    ========================================  ======================================  =================================
    URL                                       opens                                   parameters
    ========================================  ======================================  =================================
    ``sqlite:///sessions.db``                 `SQLiteStore`, by a relative path       ``durable`` (1 or 0),
    ``sqlite:////var/sessions.db``            the same, absolute: four slashes, as    ``busy_timeout`` (seconds),
                                              SQLAlchemy has it                       ``sweep_batch``
    ``memory://``                             `MemoryStore`: empty, of this process   ``max_sessions``
    ``redis://user:password@host:6379/0``     `RedisStore`, one server                ``connect_timeout``, ``timeout``,
    ``redis+cluster://host:6379,host:6379``   a Cluster, by some of its nodes         ``prefix``, ``max_connections``
    ``redis+sentinel://host,host/service/0``  the server that the Sentinels name
    ``rediss:``, ``rediss+cluster:``, …       each of these three with TLS            and ``ca_file``
    ``redis+unix:///run/redis.sock``          one server on this machine, by its      the same, and ``database``
                                              socket
    ``postgresql://user:password@host/db``    `SQLStore`, with psycopg 3              ``connect_timeout``, ``timeout``,
    ``mysql://user:password@host/db``         `SQLStore`, with PyMySQL                ``pool_size``, ``table``, and the
    ``mariadb://user:password@host/db``       the same                                driver's own for TLS and sockets;
                                                                                      ``pgbouncer`` (1 or 0)
    ``memcached://host:11211,host:11211``     `MemcachedStore`, on all these servers  ``connect_timeout``, ``timeout``,
                                                                                      ``prefix``
    ========================================  ======================================  =================================

    Write parameters as a query: ``sqlite:///sessions.db?durable=1&busy_timeout=2.5``. Percent-encode a ``?``, ``#`` or
    ``%`` in a path, and special characters in a user name or password. ``connect_timeout`` and ``timeout`` are in
    seconds, 2 each by default. The docstring of `open_url` in each store's module has further details.

    Args:
        url: A URL as in the table.
        must_exist: True: refuse a file that does not exist, instead of making it, and a Memcached server that does not
            answer. For tools, whose users may mistype a URL.

    Raises:
        ConfigurationError: `url` is not text (it is None if an environment variable is not set); its scheme or a
            parameter is unknown, given twice or unreadable; or the store refuses. The message holds neither the URL nor
            a part of it that may be a password.
        MissingDependency: The store's client is not installed. The message holds the line to type for all packages that
            the URL needs.
        StoreUnavailable: The store does not answer.
    """
    if not isinstance(url, str):
        raise ConfigurationError(f"the store URL is text, not {type(url).__name__}; is the variable set?")
    parts = split(url.strip())  # a blank, or the end of a line, is part of no path
    opener = _OPENERS.get(parts.scheme.partition("+")[0])
    if opener is None:
        raise _unknown_scheme(parts.scheme, parts.path)
    if parts.fragment:
        raise ConfigurationError(f"a {parts.scheme}: URL has no fragment; write a # in a path as %23")
    return opener(parts, must_exist)


def _unknown_scheme(scheme: str, path: str) -> ConfigurationError:
    """Return the error of a scheme that no store has, with the one that it may have been meant to be."""
    if len(scheme) == 1:  # a drive's letter
        scheme = ""
    base, plus, rest = scheme.partition("+")
    # A scheme has letters. With digits in it, it is perhaps the end of a password that somebody has cut out of a URL.
    came, remedy = f"{scheme}:" if scheme.replace("+", "").isalpha() else "another scheme", "take one of these"
    if not scheme:
        came = "no scheme"
        remedy = f"write it as {path}://" if path in _OPENERS else "write it as sqlite:///sessions.db"
    for meant in get_close_matches(base, [*_OPENERS, *_ALIASES], n=1):
        remedy = f"did you mean {_ALIASES.get(meant, meant)}{plus}{rest}://…?"
    every = " or ".join(f"{each}:" for each in _OPENERS)
    return ConfigurationError(f"a store URL begins with {every}, and this one with {came}; {remedy}")


def _open_sqlite(parts: SplitResult, must_exist: bool) -> Store:
    path = unquote(parts.path.removeprefix("/"))
    if parts.netloc or not path or parts.scheme != "sqlite":
        refuse_form(parts, "sqlite:///relative/path.db or sqlite:////absolute/path.db")
    if must_exist and not Path(path).exists():
        raise ConfigurationError(f"there is no file {path}; the app makes it when it starts")
    return SQLiteStore(path, **read_parameters(parts, durable=FLAG, busy_timeout=SECONDS, sweep_batch=COUNT))


def _open_memory(parts: SplitResult, _: bool) -> Store:
    if parts.netloc or parts.path or parts.scheme != "memory":
        refuse_form(parts, "memory://")
    return MemoryStore(**read_parameters(parts, max_sessions=COUNT))


def _engine(module: str) -> Opener:
    """Open with ``open_url`` of a module that is imported then: its client is an extra, which few have installed."""

    def open_it(parts: SplitResult, must_exist: bool) -> Store:
        store: Store = import_for(parts.scheme, f"cookiesess.stores.{module}.store").open_url(parts, must_exist)
        return store

    return open_it


def import_for(scheme: str, module: str) -> Any:
    """Import the `module` that opens URLs of that scheme.

    Raises:
        MissingDependency: What it needs is not installed. An SQL database needs SQLAlchemy and a driver: the error
            names both where both are missing, and one line to type.
    """
    if scheme.partition("+")[0] in _SQL and find_spec("sqlalchemy") is None:
        driver, extra = _SQL[scheme.partition("+")[0]]
        raise MissingDependency("sqlalchemy", *([driver] if find_spec(driver) is None else []), extra=extra)
    return import_module(module)


# By the scheme before its "+": what stands after it names a driver or a topology, which the store's own module reads.
_OPENERS: dict[str, Opener] = {
    "sqlite": _open_sqlite,
    "memory": _open_memory,
    **dict.fromkeys(("redis", "rediss"), _engine("redis")),
    **dict.fromkeys(("postgresql", "mysql", "mariadb"), _engine("sql")),
    "memcached": _engine("memcached"),
}

# What other libraries call them.
_ALIASES = {
    "file": "sqlite",
    "postgres": "postgresql",
    "psql": "postgresql",
    "memcache": "memcached",
    "valkey": "redis",
    "valkeys": "rediss",
    "unix": "redis+unix",
}
