"""What the tests of the adapters get from pytest."""

import pytest

from adapters.django_project import Site, server_side
from cookiesess.stores.memory import MemoryStore


@pytest.fixture(params=[True, False], ids=["store", "cookie"])
def site(request):
    """A Django site with either kind of session."""
    with Site(MemoryStore() if request.param else None).running() as site:
        yield site


@pytest.fixture
def stored():
    """A Django site with sessions on the server."""
    with server_side().running() as site:
        yield site
