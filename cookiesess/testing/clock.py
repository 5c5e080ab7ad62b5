"""A clock that a test drives by hand."""

from datetime import timedelta


class ManualClock:
    """A clock that stands still until it is moved; goes wherever ``clock=time.time`` would.

    >>> clock = ManualClock()
    >>> clock.advance(timedelta(minutes=5))
    >>> clock()
    1700000300.0

    Args:
        start: Unix seconds of the first reading; some second in November 2023 by default.
    """

    def __init__(self, start: float = 1_700_000_000) -> None:
        self._now = float(start)

    def __call__(self) -> float:
        """Return the time, in Unix seconds, as `time.time` does."""
        return self._now

    def __repr__(self) -> str:
        return f"ManualClock({self._now})"

    def advance(self, by: timedelta | float) -> None:
        """Move on by a duration or by seconds; a negative one sets the clock back."""
        self._now += by.total_seconds() if isinstance(by, timedelta) else by
