"""What all tests share."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from cookiesess import Key, Keyring
from cookiesess.stores.sqlite import SQLiteStore
from cookiesess.testing import ManualClock

pytest_plugins = ["kit.selection", "kit.floor"]

with warnings.catch_warnings():
    # webob imports `cgi`, which warns on Python 3.11 and 3.12; imported here once, so that no test has to say so.
    warnings.simplefilter("ignore", DeprecationWarning)
    import webob  # noqa: F401 (for its side effect, see above)

# No deadline: a busy machine would make a test fail that is right.
settings.register_profile("cookiesess", max_examples=100, deadline=None)
settings.register_profile("quick", max_examples=10, deadline=None)
settings.load_profile("cookiesess")


@pytest.fixture
def key() -> Key:
    """A key that is always the same."""
    return Key(bytes(range(32)))


@pytest.fixture
def keyring(key: Key) -> Keyring:
    """A ring of that one key."""
    return Keyring(key)


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still until a test moves it."""
    return ManualClock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    """A store in a file of its own."""
    store = SQLiteStore(tmp_path / "sessions.db")
    yield store
    store.close()
