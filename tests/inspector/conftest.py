"""The inspector in front of both kinds of sessions."""

import pytest

from examples.inspector.app import make_inspector
from kit.constants import KEY
from kit.inspector import Person


@pytest.fixture
def client_side(store):
    """The page as it is served by default."""
    return make_inspector(KEY, overflow=store, revocations=store)


@pytest.fixture
def server_side(store):
    return make_inspector(KEY, store=store)


@pytest.fixture(params=["client_side", "server_side"])
def app(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def person(app):
    return Person(app)
