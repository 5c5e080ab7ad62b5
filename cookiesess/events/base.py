"""What all events share, and how they reach the log and the user's callable."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import ClassVar

logger: logging.Logger = logging.getLogger("cookiesess")


@dataclass(frozen=True, slots=True)
class Event:
    """What all events share.

    Attributes:
        name: A dotted name, stable across releases, for counters.
        level: The `logging` level at which it is logged.
        advice: What to do about it, where there is something to do; it follows in the log line.
        repeats: One cause may have it happen at each request, so that it is logged once a minute, with a count.
    """

    name: ClassVar[str] = "event"
    level: ClassVar[int] = logging.INFO
    advice: ClassVar[str] = ""
    repeats: ClassVar[bool] = False

    def __str__(self) -> str:
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        text = " ".join([self.name, *(f"{name}={value}" for name, value in values if value != "")])
        remedy = self.remedy()
        return f"{text}: {remedy}" if remedy else text

    def remedy(self) -> str:
        """Return what to do about it in this very case, which is the `advice` as a rule."""
        return self.advice


# How long the log keeps silent about a cause that it has named, and how many causes are remembered.
_SILENT_SECONDS = 60
_MOST_CAUSES = 256


class Emitter:
    """Hands events to the user's callable and to the logger, and never lets either break a request.

    Args:
        on_event: The user's callable, or None. It gets every event.
        clock: Returns Unix seconds: the log has what repeats once a minute.
    """

    def __init__(
        self, on_event: Callable[[Event], object] | None = None, *, clock: Callable[[], float] | None = None
    ) -> None:
        self._on_event = on_event
        self._clock = clock
        # By event and cause: up to when it is not logged again, and how often it has happened since.
        self._silent: dict[tuple[str, str], tuple[float, int]] = {}

    def __call__(self, event: Event) -> None:
        """Emit `event`. An exception of the callable is logged with its traceback and goes no further."""
        if logger.isEnabledFor(event.level):
            self._log(event)
        if self._on_event is None:
            return
        try:
            self._on_event(event)
        except Exception:  # the only broad one: a metrics callback must not log a user out
            logger.exception("on_event failed for %s", event.name)

    def _log(self, event: Event) -> None:
        if not event.repeats or self._clock is None:
            logger.log(event.level, "%s", event)
            return
        cause = event.name, str(getattr(event, "reason", ""))
        now = self._clock()
        until_at, count = self._silent.get(cause, (0.0, 0))
        if now < until_at:
            self._silent[cause] = until_at, count + 1
            return
        if len(self._silent) >= _MOST_CAUSES:
            self._silent.clear()
        self._silent[cause] = now + _SILENT_SECONDS, 0
        if count:
            logger.log(event.level, "%s (and %d more since it was logged last)", event, count)
        else:
            logger.log(event.level, "%s", event)
