"""An SQLStore on the app's own engine: neither keeps a connection from the other; and what is no such engine."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session, sessionmaker

from cookiesess.errors import ConfigurationError
from cookiesess.stores.sql import SQLStore, create_schema, migrate
from kit.browser import Browser
from kit.constants import NOW, SECONDS
from kit.servers.sql import KINDS, PATIENT, Database, create, key, loaded
from kit.threads import in_threads
from kit.views import put
from kit.world import World

THREADS = 4


@pytest.fixture(params=KINDS)
def engine(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    """The app's own, with as many connections as the app has threads."""
    server = request.getfixturevalue(f"{request.param}_server")
    database = Database(request.param, server, request.getfixturevalue(f"{request.param}_database"))
    migrate(database.url(PATIENT))
    url = database.store_url.replace("mariadb:", "mariadb+pymysql:")
    made = sa.create_engine(url, pool_size=THREADS, max_overflow=0, pool_timeout=1)
    yield made
    made.dispose()


def test_requests_that_each_hold_one_of_the_apps_connections_all_get_their_session(engine):
    with contextlib.closing(SQLStore(engine)) as store:
        world = World(store)
        browser = world.browser(put("n", 0))
        held = threading.Barrier(THREADS)

        def request(number: int) -> None:
            with engine.begin() as transaction:
                transaction.execute(sa.text("SELECT 1"))
                held.wait(SECONDS)
                Browser(world, browser.header).visit(put(str(number), number))
                held.wait(SECONDS)

        in_threads(*[lambda number=number: request(number) for number in range(THREADS)])
        assert browser.read() == {"n": 0, **{str(number): number for number in range(THREADS)}}


def test_what_the_app_rolls_back_is_not_the_session(engine):
    with contextlib.closing(SQLStore(engine)) as store:
        with engine.connect() as connection:
            transaction = connection.begin()
            create(store, 1)
            transaction.rollback()
        assert loaded(store, 1).payload == b"payload"


def test_closing_the_store_leaves_the_apps_connections_alone(engine):
    with engine.connect() as connection:
        store = SQLStore(engine)
        create(store, 1)
        pool = engine.pool
        store.close()
        assert engine.pool is pool
        assert connection.execute(sa.text("SELECT 1")).scalar() == 1
        assert store.load(key(1), now=NOW) is not None
        store.close()


def test_an_engine_without_a_pool_works(engine):
    with contextlib.closing(SQLStore(sa.create_engine(engine.url, poolclass=sa.NullPool))) as store:
        create(store, 1)
        assert loaded(store, 1).payload == b"payload"


@pytest.mark.parametrize(
    ("url", "pool", "words"),
    [("sqlite://", sa.StaticPool, "one connection for all threads"), ("sqlite://", None, "MemoryStore, or a file")],
)
def test_a_pool_that_threads_do_not_share_well_is_refused(url, pool, words):
    engine = sa.create_engine(url, poolclass=pool)
    create_schema(engine)
    with contextlib.closing(engine.raw_connection()), pytest.raises(ConfigurationError, match=words):
        SQLStore(engine)
    engine.dispose()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: create_async_engine("postgresql+psycopg://host/db"), "AsyncEngine; the store is synchronous"),
        (lambda: sa.create_engine("sqlite://").connect(), r"Connection serves one thread at a time; give its \.engine"),
        (lambda: Session(sa.create_engine("sqlite://")), r"Session is one request's; give .* session\.get_bind\(\)"),
        (lambda: sessionmaker(sa.create_engine("sqlite://"))(), "Session is one request's"),
        (lambda: "postgresql://host/db", r"not str; a URL's store is made with open_store\(URL\)"),
        (lambda: None, r"not NoneType; make one with create_engine\(…\), or the store with open_store\(URL\)"),
    ],
    ids=["async", "connection", "session", "sessionmaker", "url", "nothing"],
)
def test_what_is_no_engine_is_refused_and_the_error_says_what_to_give(make, words):
    given = make()
    with pytest.raises(ConfigurationError, match=words):
        SQLStore(given)
    for each in (given, getattr(given, "engine", None)):
        if isinstance(each, sa.Connection | Session):
            each.close()
        elif isinstance(each, sa.Engine):
            each.dispose()


def test_the_engine_below_an_asynchronous_one_is_refused_as_well():
    with pytest.raises(ConfigurationError, match="not an asynchronous one; the store is synchronous"):
        SQLStore(create_async_engine("postgresql+psycopg://host/db").sync_engine)
