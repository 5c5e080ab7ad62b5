"""Every scenario of server-side sessions runs over both stores."""

import contextlib

import pytest

from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore
from kit.world import World


@pytest.fixture(params=["memory", pytest.param("sqlite", marks=pytest.mark.thorough)])
def world(request, tmp_path):
    """A store of each kind, with a manager in front of it."""
    store = MemoryStore() if request.param == "memory" else SQLiteStore(tmp_path / "sessions.db")
    with contextlib.closing(store):
        yield World(store)
