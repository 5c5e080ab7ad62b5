"""The table of old IDs, cell by cell, in each engine."""

import pytest

from server.test_old_ids import *  # noqa: F403


@pytest.fixture
def world(stored):
    """Takes the place of the stores in the process."""
    return stored
