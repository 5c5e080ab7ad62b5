"""A planned switchover: the old primary becomes read-only and stays up, and new connections lead to another server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pymysql
import pytest
import sqlalchemy as sa

from cookiesess.errors import StoreUnavailable
from cookiesess.stores.base import Page, Updated
from cookiesess.stores.sql import SQLStore, migrate
from kit.constants import NOW
from kit.servers import mariadb, postgresql
from kit.servers.sql import KINDS, PATIENT, Database, key, loaded, record, update
from kit.threads import in_threads, until
from kit.views import ann, put
from kit.world import World


class Pair:
    """An old primary and a new one, and the address that leads to one of them."""

    def __init__(self, old: Database, new: Database) -> None:
        self.old, self.new, self.kind = old, new, old.kind
        self.target = old

    def connect(self) -> object:
        """Connect as the app would: without the privilege to write on a server that is read-only."""
        port, name = self.target.server.port, self.target.name
        if self.kind == "postgresql":
            return postgresql.psycopg.connect(postgresql.dsn(port, name), autocommit=True)
        return pymysql.connect(
            host="127.0.0.1", port=port, user="plain", password="hunter2", database=name, autocommit=True
        )

    def store(self, **settings: object) -> SQLStore:
        """A store behind the address."""
        driver = {"postgresql": "postgresql+psycopg", "mariadb": "mariadb+pymysql"}[self.kind]
        engine = sa.create_engine(
            f"{driver}://",
            creator=self.connect,
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            **settings,
        )
        return SQLStore(engine)

    def switch(self) -> None:
        """Make the old primary read-only, with its connections open, and have new ones lead to the new one."""
        self.read_only(self.old)
        self.target = self.new

    def read_only(self, database: Database) -> None:
        """Make a server read-only, for the connections that are open too."""
        if self.kind == "mariadb":
            database.run("SET GLOBAL read_only = 1")
            return
        # A reload changes it for connections that are open; a setting of the database's own does not.
        database.run("ALTER SYSTEM SET default_transaction_read_only = on")
        database.run("SELECT pg_reload_conf()")
        until(lambda: database.run("SHOW default_transaction_read_only") == [("on",)])

    def restore(self) -> None:
        """Make both servers writable again."""
        for database in (self.old, self.new):
            if self.kind == "mariadb":
                database.run("SET GLOBAL read_only = 0")
            else:
                with contextlib.closing(database.connect()) as connection:
                    connection.autocommit = True
                    connection.execute("SET default_transaction_read_only = off")
                    connection.execute("ALTER SYSTEM RESET default_transaction_read_only")
                    connection.execute("SELECT pg_reload_conf()")
                until(lambda database=database: database.run("SHOW default_transaction_read_only") == [("off",)])


@pytest.fixture(scope="module", params=KINDS)
def servers(request: pytest.FixtureRequest) -> Iterator[tuple[str, object, object]]:
    """Two servers of one kind."""
    make = {"postgresql": lambda: postgresql.postgresql(**postgresql.FAST), "mariadb": mariadb.mariadb}[request.param]
    with make() as old, make() as new:
        yield request.param, old, new


@pytest.fixture
def pair(servers: tuple[str, object, object]) -> Iterator[Pair]:
    """Both with the same record 1, whose payload tells them apart."""
    kind, *both = servers
    databases = []
    for server, name in zip(both, ("old", "new"), strict=True):
        KINDS[kind].run(server.port, "CREATE DATABASE shop")
        found = Database(kind, server, "shop")
        migrate(found.url(PATIENT))
        if kind == "mariadb":
            found.run("CREATE USER 'plain'@'127.0.0.1' IDENTIFIED BY 'hunter2'")
            found.run("GRANT ALL ON shop.* TO 'plain'@'127.0.0.1'")
        with contextlib.closing(found.open()) as store:
            store.create(key(1), record(name.encode()), now=NOW)
        databases.append(found)
    made = Pair(*databases)
    yield made
    made.restore()
    for database in databases:
        force = " WITH (FORCE)" if kind == "postgresql" else ""
        KINDS[kind].run(database.server.port, f"DROP DATABASE shop{force}")
        if kind == "mariadb":
            KINDS[kind].run(database.server.port, "DROP USER 'plain'@'127.0.0.1'")


@pytest.fixture
def store(pair: Pair) -> Iterator[SQLStore]:
    """A store with connections to the old primary."""
    with contextlib.closing(pair.store()) as opened:
        in_threads(*[lambda: loaded(opened, 1)] * 4)
        yield opened


READS = {
    "load": lambda store: store.load(key(1), now=NOW),
    "load of what is not there": lambda store: store.load(key(2), now=NOW),
    "load_many": lambda store: store.load_many([key(1), key(2)], now=NOW),
    "an empty page": lambda store: store.records_of(b"ann", now=NOW, limit=9),
}


def test_the_next_read_comes_from_the_new_primary(pair, store):
    assert loaded(store, 1).payload == b"old"
    pair.switch()
    assert [loaded(store, 1).payload for _ in range(6)] == [b"new"] * 6


@pytest.mark.parametrize("read", READS)
def test_every_read_notices(pair, store, read):
    pair.switch()
    found = READS[read](store)
    assert found == Page({}, None) or b"old" not in str(found).encode()
    assert store._connections._generation == 1


def test_the_next_write_goes_to_the_new_primary(pair, store):
    version = loaded(store, 1).version
    pair.switch()
    assert not isinstance(update(store, 1, b"written", version=version), Updated)  # the new one has its own versions
    assert store.delete(key(1))
    assert pair.old.run("SELECT count(*) FROM cookiesess_sessions") == [(1,)]


def test_connections_that_others_use_are_dropped_as_well(pair, store):
    pair.switch()
    payloads = in_threads(*[lambda: [loaded(store, 1).payload for _ in range(5)]] * 8)
    assert payloads == [[b"new"] * 5] * 8


def test_a_session_that_was_ended_on_the_new_primary_is_not_shown_by_the_old_one(pair, store):
    world = World(store)
    browser = world.browser(ann, put("a", 1))
    pair.switch()
    assert browser.read() == {}


@pytest.mark.parametrize("call", [lambda store: loaded(store, 1), lambda store: store.delete(key(1))])
def test_where_no_server_takes_writes_the_store_is_unavailable_and_says_so(pair, store, call):
    pair.read_only(pair.old)
    with pytest.raises(StoreUnavailable, match="primary server, writable"):
        call(store)
    pair.restore()
    assert loaded(store, 1).payload == b"old"
