"""Threads that must come back, and whose errors are the test's own; and waiting for what others do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

from kit.constants import SECONDS


class Call:
    """A call in a thread of its own.

    Args:
        action: What to call.
        gate: What the thread waits for first, if anything.
    """

    def __init__(self, action: Callable[[], object], gate: threading.Barrier | None = None) -> None:
        self._action, self._gate = action, gate
        self._outcome: object = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            if self._gate is not None:
                self._gate.wait(SECONDS)
            self._outcome = self._action()
        except BaseException as error:  # noqa: BLE001 (it is raised again in the test's own thread)
            self._error = error

    def wait(self) -> None:
        """Wait for its end, whatever that is."""
        self._thread.join(SECONDS)
        assert not self._thread.is_alive(), "the call hangs past its timeout"

    def result(self) -> Any:
        """Wait for it, and return what it returned, or raise what it raised."""
        self.wait()
        if self._error is not None:
            raise self._error
        return self._outcome


def in_threads(*actions: Callable[[], object]) -> list[Any]:
    """Run each action in a thread of its own, all let go at once; return what they returned, in their order."""
    gate = threading.Barrier(len(actions))
    calls = [Call(action, gate) for action in actions]
    for call in calls:
        call.wait()
    return [call.result() for call in calls]


def until(condition: Callable[[], object], *, but: type[Exception] | tuple[type[Exception], ...] = ()) -> None:
    """Ask again and again, as others have to do something first.

    Args:
        condition: Returns something true once it is so.
        but: What it may raise while it is not so yet.
    """
    pause = threading.Event()
    end = monotonic() + SECONDS
    while monotonic() < end:
        try:
            if condition():
                return
        except but:
            pass
        pause.wait(0.01)
    raise AssertionError("what the test waits for has not come to pass")
