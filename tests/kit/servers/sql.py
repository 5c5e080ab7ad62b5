"""What the tests of SQLStore share: a database of either kind, with what differs between the two."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import psycopg

from cookiesess.stores.base import Record, Store
from cookiesess.stores.sql import SQLStore
from cookiesess.stores.urls import open_store
from kit.constants import NOW
from kit.servers import mariadb, postgresql
from kit.servers.process import Server

PATIENT = "?timeout=20&connect_timeout=20"  # where nothing hangs, a busy machine should not fail a test
KINDS: dict[str, ModuleType] = {"postgresql": postgresql, "mariadb": mariadb}


@dataclass
class Database:
    """A database of its own on a server."""

    kind: str
    server: Server
    name: str

    @property
    def engine(self) -> ModuleType:
        """The module that starts such servers."""
        return KINDS[self.kind]

    def url(self, query: str = "", *, port: int | None = None) -> str:
        """The URL of a store on it, through another port where one is given."""
        return str(self.engine.url(port or self.server.port, self.name, query))

    @property
    def store_url(self) -> str:
        """As SQLAlchemy takes it."""
        return self.url().replace("postgresql:", "postgresql+psycopg:")

    def open(self, query: str = PATIENT, *, port: int | None = None) -> SQLStore:
        """A store on it, through another port where one is given."""
        store = open_store(self.url(query, port=port))
        assert isinstance(store, SQLStore)
        return store

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """Run one statement, with all privileges."""
        return list(self.engine.run(self.server.port, sql, self.name))

    def connections(self) -> int:
        """How many others are connected to it now."""
        if self.kind == "mariadb":
            others = f"information_schema.processlist WHERE db = '{self.name}' AND id <> connection_id()"
        else:
            others = f"pg_stat_activity WHERE datname = '{self.name}' AND pid <> pg_backend_pid()"
        return int(self.run(f"SELECT count(*) FROM {others}")[0][0])

    def connect(self) -> Any:
        """A plain connection in a transaction, whose `commit` and `rollback` end it."""
        if self.kind == "mariadb":
            return mariadb.connect(self.server.port, self.name, autocommit=False)
        return psycopg.connect(postgresql.dsn(self.server.port, self.name))


def key(number: int) -> bytes:
    """A record's key."""
    return number.to_bytes(32, "big")


def record(payload: bytes = b"payload", *, lives: int = 3600, owner: bytes | None = None) -> Record:
    """A record that lives so many seconds."""
    return Record(payload, NOW + lives, b"summary", owner)


def create(store: Store, *numbers: int, lives: int = 3600) -> None:
    """Create records of such keys."""
    for number in numbers:
        store.create(key(number), record(lives=lives), now=NOW)


def loaded(store: Store, number: int) -> Record:
    """The record of that key, which must be there."""
    found = store.load(key(number), now=NOW)
    assert found is not None, "the record is missing"
    return found


def update(store: Store, number: int, payload: bytes, *, version: object = None) -> object:
    """Update a record, by default at the version it has."""
    expected = loaded(store, number).version if version is None else version
    return store.update(key(number), record(payload), expected_version=expected, now=NOW)
