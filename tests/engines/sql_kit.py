"""What the tests of SQLStore share: a database of either kind, with what differs between the two."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from types import ModuleType
from typing import Any

from cookiesess.stores.base import Record, Store
from cookiesess.stores.sql import SQLStore
from cookiesess.stores.urls import open_store
from engines import mariadb_server, postgresql_server
from engines.process import Server

NOW = 1_700_000_000
SECONDS = 30  # for how long a call may last before its test fails: far longer than any timeout in these tests
PATIENT = "?timeout=20&connect_timeout=20"  # where nothing hangs, a busy machine should not fail a test
KINDS: dict[str, ModuleType] = {"postgresql": postgresql_server, "mariadb": mariadb_server}


@dataclass
class Database:
    """A database of its own on a server."""

    kind: str
    server: Server
    name: str

    @property
    def engine(self) -> ModuleType:
        return KINDS[self.kind]

    def url(self, query: str = "", *, port: int | None = None) -> str:
        return self.engine.url(port or self.server.port, self.name, query)

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
        return self.engine.run(self.server.port, sql, self.name)

    def connections(self) -> int:
        """How many others are connected to it now."""
        if self.kind == "mariadb":
            others = f"information_schema.processlist WHERE db = '{self.name}' AND id <> connection_id()"
        else:
            others = f"pg_stat_activity WHERE datname = '{self.name}' AND pid <> pg_backend_pid()"
        return self.run(f"SELECT count(*) FROM {others}")[0][0]

    def connect(self) -> Any:
        """A plain connection in a transaction, whose `commit` and `rollback` end it."""
        if self.kind == "mariadb":
            return mariadb_server.connect(self.server.port, self.name, autocommit=False)
        return postgresql_server.psycopg.connect(postgresql_server.dsn(self.server.port, self.name))


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


def record(payload: bytes = b"payload", *, lives: int = 3600, owner: bytes | None = None) -> Record:
    return Record(payload, NOW + lives, b"summary", owner)


def create(store: Store, *numbers: int, lives: int = 3600) -> None:
    for number in numbers:
        store.create(key(number), record(lives=lives), now=NOW)


def loaded(store: Store, number: int) -> Record:
    found = store.load(key(number), now=NOW)
    assert found is not None, "the record is missing"
    return found


def update(store: Store, number: int, payload: bytes, *, version: object = None) -> object:
    """Update a record, by default at the version it has."""
    expected = loaded(store, number).version if version is None else version
    return store.update(key(number), record(payload), expected_version=expected, now=NOW)


def until(condition: Callable[[], object]) -> None:
    """Ask again and again, as others have to do something first."""
    end = monotonic() + SECONDS
    while not condition():
        assert monotonic() < end, "it has not come to pass"


class Call:
    """A call in a thread of its own, which must come back."""

    def __init__(self, action: Callable[[], object]) -> None:
        self._outcome: object = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(action,), daemon=True)
        self._thread.start()

    def _run(self, action: Callable[[], object]) -> None:
        try:
            self._outcome = action()
        except BaseException as error:  # noqa: BLE001 (it is raised again in the test's own thread)
            self._error = error

    def result(self) -> Any:
        self._thread.join(SECONDS)
        assert not self._thread.is_alive(), "the call hangs past its timeout"
        if self._error is not None:
            raise self._error
        return self._outcome
