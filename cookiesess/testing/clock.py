"""A clock that a test sets."""

from datetime import timedelta


class ManualClock:
    """A clock that stands still until you move it. Give it as ``clock=``, in place of `time.time`.

    >>> clock = ManualClock()
    >>> clock.advance(timedelta(minutes=5))
    >>> clock()
    1700000300.0

    Args:
        start: The time that the clock shows first, in Unix seconds; by default in November 2023.
    """

    def __init__(self, start: float = 1_700_000_000) -> None:
        self._now = float(start)

    def __call__(self) -> float:
        """Return the time, in Unix seconds, as `time.time` does."""
        return self._now

    def __repr__(self) -> str:
        return f"ManualClock({self._now})"

    def advance(self, by: timedelta | float) -> None:
        """Move the clock on by a timedelta or by seconds. A negative value sets it back."""
        self._now += by.total_seconds() if isinstance(by, timedelta) else by
