"""SQLStore behind PgBouncer in transaction mode: each statement may run on another connection of the server's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from cookiesess.errors import ConfigurationError
from cookiesess.stores.sql import SQLStore, migrate
from cookiesess.stores.urls import open_store
from kit.constants import NOW
from kit.servers import postgresql
from kit.servers.pgbouncer import pgbouncer
from kit.servers.process import Server
from kit.servers.sql import key, record
from kit.threads import in_threads
from kit.views import ann, count, invalidate, put, renew
from kit.world import World

BEHIND = "?pgbouncer=1&timeout=20&connect_timeout=20"


@pytest.fixture(scope="module")
def bouncer(postgresql_server: Server) -> Iterator[Server]:
    """In front of the server that the tests share."""
    with pgbouncer(postgresql_server) as server:
        yield server


@pytest.fixture
def url(bouncer: Server, postgresql_database: str) -> str:
    """Of a database of its own, through PgBouncer."""
    return postgresql.url(bouncer.port, postgresql_database, BEHIND)


@pytest.fixture
def store(url: str) -> Iterator[SQLStore]:
    migrate(url)
    with contextlib.closing(open_store(url)) as opened:
        yield opened


def test_every_method_works_again_and_again_on_whatever_connection(store):
    def use(number):
        for turn in range(10):
            mine = key(100 * number + turn)
            store.create(mine, record(owner=b"ann"), now=NOW)
            version = store.load(mine, now=NOW).version
            assert store.touch(mine, expires_at=NOW + 60, expected_version=version, now=NOW)
            outcome = store.update(mine, record(b"new"), expected_version=version, now=NOW)
            assert set(store.load_many([mine, key(9999)], now=NOW)) == {mine}
            store.records_of(b"ann", now=NOW, limit=9)
            assert store.delete_many({mine: outcome.version}) == 1
        store.delete_expired(now=NOW, limit=9)

    in_threads(*[lambda number=number: use(number) for number in range(8)])


def test_sessions_are_kept_merged_renewed_and_ended(store):
    world = World(store)
    browser = world.browser(ann, put("n", 0))
    in_threads(*[lambda: world.browser(header=browser.header).visit(count)] * 4)
    browser.visit(renew)
    assert browser.read() == {"a": 1, "n": 4}
    browser.visit(invalidate)
    assert world.manager.sessions_of("ann") == []


def test_a_url_that_does_not_say_so_is_refused_and_the_error_says_what_to_add(url):
    with pytest.raises(ConfigurationError, match=r"PgBouncer: add \?pgbouncer=1"):
        open_store(url.replace("pgbouncer=1&", ""))


def test_an_engine_of_ones_own_works_without_prepared_statements(store, url):
    plain = url.partition("?")[0].replace("postgresql:", "postgresql+psycopg:")
    engine = sa.create_engine(plain, isolation_level="AUTOCOMMIT", connect_args={"prepare_threshold": None})
    with contextlib.closing(SQLStore(engine)) as opened:
        opened.create(key(1), record(), now=NOW)
    assert store.load(key(1), now=NOW).payload == b"payload"
