"""A pool of the store's own, beside the engine's.

An app holds one of its engine's connections for as long as its transaction lasts, which is mostly the request. If the
session's statement needed a second one of the same pool, as many such requests as there are connections would wait for
each other, until all of them fail. A statement of the store's holds its connection and waits for nothing else, so a
pool that only the store uses always gets on.
"""

import sqlalchemy as sa

from cookiesess.errors import ConfigurationError

_OTHERS = "give an engine with SQLAlchemy's own QueuePool (the default), or NullPool"


def own_pool(engine: sa.Engine) -> sa.Pool:
    """Return a new pool that is made, set and listened to as the engine's.

    Raises:
        ConfigurationError: The engine's pool is one connection for everybody, or one for each thread.
    """
    if isinstance(engine.pool, sa.StaticPool):
        raise ConfigurationError(
            "the engine has a StaticPool, which is one connection for all threads: each request would commit the"
            f" changes of all others; {_OTHERS}"
        )
    if isinstance(engine.pool, sa.SingletonThreadPool):
        raise ConfigurationError(
            "the engine has a SingletonThreadPool, as SQLite's in-memory databases have: each thread would have"
            " sessions of its own; take a MemoryStore, or a file"
        )
    return engine.pool.recreate()


def engine_from(given: object) -> sa.Engine:
    """Return what a store was given, if it is an engine.

    Raises:
        ConfigurationError: It is something else, and the message says what to give instead.
    """
    if isinstance(given, sa.Engine) and not given.dialect.is_async:
        return given
    name = type(given).__name__
    remedy = "make one with create_engine(…), or the store with open_store(URL)"
    if hasattr(given, "sync_engine") or isinstance(given, sa.Engine):
        name = "an asynchronous one" if isinstance(given, sa.Engine) else name
        remedy = "the store is synchronous; make an engine for it with create_engine(…) and a synchronous driver"
    elif isinstance(given, sa.Connection):
        remedy = "a Connection serves one thread at a time; give its .engine"
    elif isinstance(given, str | sa.URL):
        remedy = "a URL's store is made with open_store(URL), its engine with create_engine(URL)"
    elif hasattr(given, "get_bind"):
        remedy = "a Session is one request's; give the engine that it is bound to, session.get_bind()"
    raise ConfigurationError(f"an SQLStore needs an sqlalchemy.Engine, not {name}; {remedy}")
