"""Every scenario of client-side sessions with a store runs over both stores."""

from contextlib import ExitStack, closing

import pytest

from cookiesess.stores.sqlite import SQLiteStore
from kit.constants import SMALL
from kit.world import World


@pytest.fixture(params=["memory", pytest.param("sqlite", marks=pytest.mark.thorough)])
def world(request, tmp_path):
    """Two stores of each kind and, until a test asks for them, a manager without."""
    with ExitStack() as stack:
        names = ("overflow", "revocations") if request.param == "sqlite" else ()
        stores = {name: stack.enter_context(closing(SQLiteStore(tmp_path / f"{name}.db"))) for name in names}
        yield World(cookie=SMALL, **stores)


@pytest.fixture
def memory():
    """The same in memory alone, where the store makes no difference."""
    return World(cookie=SMALL)
