"""Who is measured on the servers: this library on each of them, and its peers, each in its fastest configuration."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from benchmarks.apps import (
    BARE_WSGI,
    SECRET,
    Handler,
    available,
    django_app,
    flask_app,
    flask_handler,
    named,
    plain_app,
)
from benchmarks.beaker_apps import ENDLESS, PICKLED, WITH_TIMEOUT, beaker_contestant
from benchmarks.harness import App, Contestant, Data
from benchmarks.stores_servers import Servers

OURS = "cookiesess, "
REDIS, PURE_REDIS = f"{OURS}Redis", f"{OURS}Redis without hiredis"
POSTGRESQL, MARIADB, MEMCACHED = f"{OURS}PostgreSQL", f"{OURS}MariaDB", f"{OURS}Memcached"
MEMORY = f"{OURS}memory of the process"
FLASK_SESSION = "Flask-Session, Redis"
DJANGO_CACHE, DJANGO_DB = "Django, cache on Redis", "Django, PostgreSQL"
BEAKER, BEAKER_ENDLESS = "Beaker, Redis", "Beaker, Redis, no timeout"
REDIS_PEERS = (FLASK_SESSION, DJANGO_CACHE, BEAKER, BEAKER_ENDLESS)

# Takes the ports, and what to do when all is over.
Builder = Callable[[Servers, ExitStack], Contestant]


def pure_python_redis(port: int) -> Any:
    """Return a client of redis-py as it is where hiredis is not installed, but for that as `open_store` makes it."""
    import redis
    from redis._parsers import _RESP2Parser
    from redis.backoff import NoBackoff
    from redis.connection import PythonRespSerializer
    from redis.retry import Retry

    encode = redis.Redis().get_encoder().encode
    pool = redis.ConnectionPool(
        host="127.0.0.1",
        port=port,
        socket_timeout=2,
        socket_connect_timeout=2,
        retry=Retry(NoBackoff(), 1),
        protocol=2,
        parser_class=_RESP2Parser,
        command_packer=PythonRespSerializer(6000, encode),
    )
    return redis.Redis(connection_pool=pool)


def cookiesess_redis(servers: Servers, cleanup: ExitStack) -> Contestant:
    return _by_url(REDIS, "redis", servers, cleanup)


def cookiesess_pure_redis(servers: Servers, cleanup: ExitStack) -> Contestant:
    from cookiesess.stores.redis import RedisStore

    assert servers.redis is not None
    return _ours(PURE_REDIS, RedisStore(pure_python_redis(servers.redis)), cleanup)


def cookiesess_postgresql(servers: Servers, cleanup: ExitStack) -> Contestant:
    return _by_url(POSTGRESQL, "postgresql", servers, cleanup)


def cookiesess_mariadb(servers: Servers, cleanup: ExitStack) -> Contestant:
    return _by_url(MARIADB, "mariadb", servers, cleanup)


def cookiesess_memcached(servers: Servers, cleanup: ExitStack) -> Contestant:
    return _by_url(MEMCACHED, "memcached", servers, cleanup)


def cookiesess_memory(servers: Servers, cleanup: ExitStack) -> Contestant:
    from cookiesess.stores.memory import MemoryStore

    return _ours(MEMORY, MemoryStore(max_sessions=10_000_000), cleanup)


def _by_url(name: str, engine: str, servers: Servers, cleanup: ExitStack) -> Contestant:
    from cookiesess.stores.urls import open_store

    return _ours(name, open_store(servers.urls()[engine]), cleanup)


def _ours(name: str, store: Any, cleanup: ExitStack) -> Contestant:
    from cookiesess import SessionMiddleware, get_session

    cleanup.callback(store.close)

    def build(data: Data) -> App:
        return SessionMiddleware(plain_app(Handler(data, get_session)), SECRET, store=store)

    return Contestant(name, BARE_WSGI, build)


def flask_session(servers: Servers, cleanup: ExitStack) -> Contestant:
    import redis
    from flask_session import Session

    client = redis.Redis("127.0.0.1", servers.redis)
    cleanup.callback(client.close)

    def build(data: Data) -> App:
        app = flask_app(
            flask_handler(data),
            SESSION_TYPE="redis",
            SESSION_REDIS=client,
            SESSION_PERMANENT=False,  # a browser-session cookie, as all others here set; spares it a date
            SESSION_REFRESH_EACH_REQUEST=False,  # by default each request writes the session anew
        )
        Session(app)
        return app

    return Contestant(FLASK_SESSION, flask_app(), build)


def django_cache(servers: Servers, cleanup: ExitStack) -> Contestant:
    return _django(DJANGO_CACHE, "django.contrib.sessions.backends.cache", servers, cleanup)


def django_db(servers: Servers, cleanup: ExitStack) -> Contestant:
    contestant = _django(DJANGO_DB, "django.contrib.sessions.backends.db", servers, cleanup)

    from django.contrib.sessions.models import Session
    from django.db import connection

    with connection.cursor() as cursor:
        exists = Session._meta.db_table in connection.introspection.table_names(cursor)
    if not exists:
        with connection.schema_editor() as editor:
            editor.create_model(Session)
    cleanup.callback(connection.close)
    return contestant


def _django(name: str, session_engine: str, servers: Servers, cleanup: ExitStack) -> Contestant:
    """Return Django with one of its engines.

    Django has one set of settings a process, so both engines' are in it; which one an app uses is chosen when it is
    built.
    """
    from django.test.utils import override_settings

    settings: dict[str, Any] = {
        "INSTALLED_APPS": ["django.contrib.sessions"],
        "CACHES": {
            "default": {
                "BACKEND": "django.core.cache.backends.redis.RedisCache",
                "LOCATION": f"redis://127.0.0.1:{servers.redis}",
            }
        },
        "DATABASES": {
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "HOST": "127.0.0.1",
                "PORT": servers.postgresql,
                "USER": "cookiesess",
                "PASSWORD": "hunter2",
                "NAME": "postgres",
                "CONN_MAX_AGE": None,  # the connection is kept; by default each request opens one
                # Django turns both off; with them the server keeps the statements prepared.
                "OPTIONS": {"server_side_binding": True, "prepare_threshold": 5},
            }
        },
    }

    def build(data: Data) -> App:
        with override_settings(SESSION_ENGINE=session_engine):
            return django_app(Handler(data, lambda request: request.session), **settings)

    return Contestant(name, django_app(**settings), build)


def _in_redis(servers: Servers) -> dict[str, Any]:
    return {"session.type": "ext:redis", "session.url": f"redis://127.0.0.1:{servers.redis}/0"}


def beaker(servers: Servers, cleanup: ExitStack) -> Contestant:
    return beaker_contestant(BEAKER, PICKLED, _in_redis(servers), WITH_TIMEOUT)


def beaker_endless(servers: Servers, cleanup: ExitStack) -> Contestant:
    return beaker_contestant(BEAKER_ENDLESS, PICKLED, _in_redis(servers), ENDLESS)


# With the servers that each needs.
CONTESTANTS: tuple[tuple[Builder, frozenset[str]], ...] = (
    (cookiesess_redis, frozenset({"redis"})),
    (cookiesess_pure_redis, frozenset({"redis"})),
    (flask_session, frozenset({"redis"})),
    (django_cache, frozenset({"redis"})),
    (beaker, frozenset({"redis"})),
    (beaker_endless, frozenset({"redis"})),
    (cookiesess_memcached, frozenset({"memcached"})),
    (cookiesess_postgresql, frozenset({"postgresql"})),
    (django_db, frozenset({"postgresql"})),
    (cookiesess_mariadb, frozenset({"mariadb"})),
    (cookiesess_memory, frozenset()),
)


def build_all(servers: Servers, cleanup: ExitStack, *, with_memory: bool) -> tuple[list[Contestant], list[str]]:
    """Build those whose servers run; what is left out for want of a library is named.

    Args:
        servers: What runs.
        cleanup: Is told what to do in the end.
        with_memory: Also the one that needs no server.
    """
    there = {name for name, port in servers._asdict().items() if port is not None}
    wanted = [build for build, needs in CONTESTANTS if (needs <= there if needs else with_memory)]
    return available(*[named(build, servers, cleanup) for build in wanted])
