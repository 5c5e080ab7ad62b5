"""Thousands of mixed requests leave nothing behind in memory, whatever keeps the sessions."""

import logging

import pytest

from benchmarks import soak

VISITORS = 180
# The smallest object that a request could forget.
LEAST_BYTES = 48


@pytest.fixture(autouse=True)
def silence():
    """The log of what the requests do wrong is kept by pytest, and would grow."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.thorough
@pytest.mark.parametrize("backend", soak.BACKENDS)
def test_thousands_of_mixed_requests_leave_not_one_object_for_each_visitor(backend):
    assert soak.grown_bytes(backend, VISITORS) < VISITORS * LEAST_BYTES
