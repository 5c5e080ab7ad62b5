"""Which tests are quick: those that carry no other marker, and therefore start nothing outside of their process.

A plugin of pytest. The markers stand in pyproject.toml; a whole folder has the one it has here. It also names tests:
the same in each process of a run, since pytest-xdist refuses to begin where two of them have found different ones.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

FOLDERS = {"browser": "browser", "docs": "docs", "engines": "servers", "servers": "process"}
OTHERS = ("browser", "docs", "process", "servers", "thorough")

MAX_ID_LENGTH = 60

_TESTS = Path(__file__).parents[1]
_STARTS = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "socket.bind"})
_running: list[pytest.Item] = []


def examples(number: int) -> int:
    """How many examples Hypothesis tries where a test has a number of its own: so many, fewer in the quick loop."""
    return max(1, number * settings().max_examples // 100)


def _folder(path: Path) -> str:
    return path.relative_to(_TESTS).parts[0] if path.is_relative_to(_TESTS) and path != _TESTS else ""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even read the folders of which the quick loop runs nothing."""
    return True if config.getoption("markexpr") == "quick" and _folder(collection_path) in FOLDERS else None


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a long or unreadable text by its parameter: it may be a token, of which no two are the same."""
    return argname if isinstance(val, str | bytes) and not _readable(val) else None


def _readable(text: str | bytes) -> bool:
    if len(text) > MAX_ID_LENGTH or not text.isascii():
        return False
    return (text if isinstance(text, str) else text.decode()).isprintable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test of a folder the folder's marker, and `quick` to those that have none."""
    if addressed := sorted({item.nodeid.partition("[")[0] for item in items if " at 0x" in item.nodeid}):
        raise pytest.UsageError(f"an address is no id, each process has another; give ids= to {', '.join(addressed)}")
    for item in items:
        if marker := FOLDERS.get(_folder(item.path)):
            item.add_marker(marker)
        if not any(item.get_closest_marker(name) for name in OTHERS):
            item.add_marker("quick")
        if item.get_closest_marker("thorough"):
            # Measuring takes as long again, and by its luck a long search may reach a line that nothing else tests.
            item.add_marker("no_cover")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Know which test runs."""
    _running[:] = [item]
    try:
        return (yield)
    finally:
        _running.clear()


def _refuse(event: str, _arguments: tuple[Any, ...]) -> None:
    """Let no quick test start what takes its time, since `make quick` goes by the markers."""
    if event in _STARTS and _running and _running[0].get_closest_marker("quick"):
        raise AssertionError(f"{event} in a quick test: give it @pytest.mark.process, or do without")


sys.addaudithook(_refuse)
