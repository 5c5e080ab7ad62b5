"""Every scenario of client-side sessions with a store runs over both stores."""

import contextlib

import pytest
from server.helpers import Probe

from client.helpers import World
from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore


@pytest.fixture(params=["memory", "sqlite"])
def world(request, tmp_path):
    """Two stores of each kind and, until a test asks for them, a manager without."""
    if request.param == "memory":
        yield World(Probe(MemoryStore()), Probe(MemoryStore()))
        return
    stores = [SQLiteStore(tmp_path / f"{name}.db") for name in ("overflow", "revocations")]
    with contextlib.closing(stores[0]), contextlib.closing(stores[1]):
        yield World(*map(Probe, stores))


@pytest.fixture
def memory():
    """The same in memory alone, where the store makes no difference."""
    return World(Probe(MemoryStore()), Probe(MemoryStore()))
