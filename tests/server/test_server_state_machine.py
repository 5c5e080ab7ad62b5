"""Several browsers with overlapping requests, on two hosts, in any order, against plain dicts as the oracle.

The rules are those of `server.machine`, the tables those of `server.oracle`.
"""

import contextlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore
from kit.selection import examples
from server.machine import Requests


def _memory(stack: contextlib.ExitStack) -> MemoryStore:
    return MemoryStore()


def _sqlite(stack: contextlib.ExitStack) -> SQLiteStore:
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    return stack.enter_context(contextlib.closing(SQLiteStore(Path(folder) / "sessions.db")))


@pytest.mark.parametrize(("make_store", "number"), [(_memory, 120), (_sqlite, 60)], ids=["memory", "sqlite"])
def test_overlapping_requests_do_what_the_model_says(make_store, number):
    class Machine(Requests):
        pass

    Machine.make_store = staticmethod(make_store)
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=examples(number), stateful_step_count=40, deadline=None)
    )
