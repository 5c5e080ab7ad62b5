"""The table of old IDs, cell by cell, where an engine remembers which client-side sessions have ended."""

import pytest

from client.test_revocations_old_ids import *  # noqa: F403


@pytest.fixture
def world(revocable):
    """Takes the place of the stores in the process."""
    return revocable
