"""What the tests of the edge get from pytest."""

import pytest

from cookiesess import SessionManager
from cookiesess.events import Event
from kit.browser import Browser
from kit.constants import KEY, LIFETIME
from kit.views import fill


@pytest.fixture
def events() -> list[Event]:
    """What `on_event=events.append` was told."""
    return []


@pytest.fixture
def make(clock, events):
    """Managers that share the clock and the list of events."""

    def make(keys=KEY, **settings):
        return SessionManager(keys, clock=clock, on_event=events.append, **{"lifetime": LIFETIME, **settings})

    return make


@pytest.fixture
def visitor(make):
    """A visitor without a session."""
    return Browser(make())


@pytest.fixture
def known(visitor, events):
    """A visitor who has a session."""
    visitor.visit(fill)
    events.clear()
    return visitor


@pytest.fixture
def keys_in_the_environment(monkeypatch):
    """What somebody has set who types commands: the keys, and no store."""
    monkeypatch.setenv("COOKIESESS_KEYS", KEY)
    monkeypatch.delenv("COOKIESESS_STORE", raising=False)


@pytest.fixture
def url(tmp_path):
    """The URL of a store in a file."""
    return f"sqlite:///{tmp_path / 'sessions.db'}"
