"""SQLStore keeps the store contract, on each of its databases."""

from __future__ import annotations

from functools import cache
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from cookiesess.stores.base import Store
from cookiesess.stores.sql import SQLStore, create_schema
from cookiesess.stores.sql.urls import engine_of
from cookiesess.stores.urls import open_store
from cookiesess.testing import StoreContract
from kit.servers.sql import PATIENT


@cache
def engine(url: str) -> sa.Engine:
    """One engine for all cases, which asks the server once what it is."""
    return engine_of(urlsplit(url + PATIENT))[0]


class _Emptied:
    """A store on a table that all cases share, and each finds empty: a database for each would take far longer."""

    url: str

    def make_store(self) -> Store:
        with engine(self.url).connect() as connection:
            connection.execute(sa.text("DELETE FROM cookiesess_sessions"))
        return SQLStore(engine(self.url))

    def open_again(self, store: Store) -> Store:
        return open_store(self.url + PATIENT)


class TestOnPostgreSQL(_Emptied, StoreContract):
    @pytest.fixture(autouse=True)
    def _url(self, postgresql_store_url: str) -> None:
        self.url = postgresql_store_url


class TestOnMariaDB(_Emptied, StoreContract):
    @pytest.fixture(autouse=True)
    def _url(self, mariadb_store_url: str) -> None:
        self.url = mariadb_store_url


class TestOnSQLite(StoreContract):
    @pytest.fixture(autouse=True)
    def _url(self, tmp_path) -> None:
        self.url = f"sqlite:///{tmp_path}/sessions.db"

    def make_store(self) -> Store:
        create_schema(sa.create_engine(self.url, poolclass=sa.NullPool))
        return self.open_again(None)

    def open_again(self, store: Store | None) -> Store:
        engine = sa.create_engine(self.url, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True)
        sa.event.listen(engine, "connect", self._sync_less)
        return SQLStore(engine)

    @staticmethod
    def _sync_less(connection, _) -> None:
        # Each of the thousands of writes of some cases would wait for the disk twice.
        connection.execute("PRAGMA synchronous=OFF")


@cache
def plain_engine(url: str) -> sa.Engine:
    """As SQLAlchemy makes one by default: no autocommit."""
    return sa.create_engine(url)


class TestOnAPlainEngine(StoreContract):
    @pytest.fixture(autouse=True, params=["postgresql", "mariadb"])
    def _url(self, request: pytest.FixtureRequest) -> None:
        url = request.getfixturevalue(f"{request.param}_store_url")
        self.url = url.replace("postgresql:", "postgresql+psycopg:")

    def make_store(self) -> Store:
        with plain_engine(self.url).begin() as connection:
            connection.execute(sa.text("DELETE FROM cookiesess_sessions"))
        return SQLStore(plain_engine(self.url))

    def open_again(self, store: Store) -> Store:
        return SQLStore(sa.create_engine(self.url))
