"""Every scenario of client-side sessions with a store runs over both stores."""

from contextlib import ExitStack, closing

import pytest

from cookiesess.stores.sqlite import SQLiteStore
from kit.accepting import KINDS
from kit.constants import SMALL
from kit.django_rows import DjangoFile, taking_over
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


# Sessions that Django keeps in its database, and a manager that takes them over


@pytest.fixture
def old(tmp_path):
    """Django's database."""
    return DjangoFile(tmp_path)


@pytest.fixture(params=KINDS)
def site(request, memory, old):
    """A manager of each kind, to which sessions of Django's move."""
    return taking_over(request.param, memory, old)


@pytest.fixture
def cookies(memory, old):
    """A manager whose sessions are in cookies."""
    return taking_over("client-side", memory, old)


@pytest.fixture
def stored(memory, old):
    """A manager whose sessions are in a store."""
    return taking_over("server-side", memory, old)
