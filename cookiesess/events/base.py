"""The base class of all events, and how events reach the log and the app's own function."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import ClassVar

logger: logging.Logger = logging.getLogger("cookiesess")


@dataclass(frozen=True, slots=True)
class Event:
    """The base class of all events.

    Attributes:
        name: A dotted name for counters. It stays the same in later releases.
        level: The `logging` level of the log line.
        advice: What you can do about the event, at the end of the log line; empty if there is nothing to do.
        repeats: True: one cause may repeat the event at each request. The log then has it once a minute, with a count.
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
        """Return what you can do about this very event: mostly the `advice` of its class."""
        return self.advice


# How long the log keeps silent about a cause that it has named, and how many causes are remembered.
_SILENT_SECONDS = 60
_MOST_CAUSES = 256


class Emitter:
    """Hands events to the app's function and to the logger, and lets neither of them break a request.

    Args:
        on_event: The app's function, or None. It gets every event.
        clock: Returns Unix seconds, so that the log has a repeated event only once a minute.
    """

    def __init__(
        self, on_event: Callable[[Event], object] | None = None, *, clock: Callable[[], float] | None = None
    ) -> None:
        self._on_event = on_event
        self._clock = clock
        # By event and cause: up to when it is not logged again, and how often it has happened since.
        self._silent: dict[tuple[str, str], tuple[float, int]] = {}

    def __call__(self, event: Event) -> None:
        """Emit `event`. If the app's function raises, the exception is logged, and the request goes on."""
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
