"""What an old ID still leads to, by the tests that the stores in the process pass, on the server of each engine."""

from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from cookiesess.stores.base import Store
from cookiesess.stores.sql import SQLStore
from cookiesess.stores.sql.urls import engine_of
from kit.constants import SMALL
from kit.servers.sql import PATIENT
from kit.world import World


@cache
def engine(url: str) -> sa.Engine:
    """One engine for all tests."""
    return engine_of(urlsplit(url + PATIENT))[0]


@cache
def shared(url: str) -> Store:
    """One store for all tests."""
    return SQLStore(engine(url))


def emptied(url: str) -> Store:
    """The store that all tests share, and each finds empty."""
    with engine(url).begin() as connection:
        connection.execute(sa.text("DELETE FROM cookiesess_sessions"))
    return shared(url)


def store_of(request: Any) -> Store:
    """The store of the engine that is asked for."""
    if request.param in {"redis", "memcached"}:
        store: Store = request.getfixturevalue(f"{request.param}_store")
        return store
    return emptied(request.getfixturevalue(f"{request.param}_store_url"))


@pytest.fixture(params=["redis", "memcached", "postgresql", "mariadb"])
def stored(request):
    """Server-side sessions on an engine."""
    return World(store_of(request))


@pytest.fixture(params=["redis", "postgresql"])
def world(request):
    """The same, on those that list an owner's sessions."""
    return World(store_of(request))


@pytest.fixture(params=["redis", "postgresql"])
def revocable(request):
    """Client-side sessions whose ends an engine remembers."""
    return World(cookie=SMALL, revocations=store_of(request))
