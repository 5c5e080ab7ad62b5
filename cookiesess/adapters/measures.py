"""Which facts of an event are counted, and under which names: the common part of the adapters for metrics.

Derived from the events' own classes, so that an event which is added later is counted without an edit here:

- each event is counted, under its name;
- its flags, and those of its texts that are one word out of a few (`LABELS`), tell its kinds apart;
- its numbers (sizes, tries, counts) are measured, all but the settings among them (`SETTINGS`).

Every other text stays out: what a label holds is kept for ever by whoever collects it, once for each value that it ever
had. A key id comes out of the visitor's cookie, so a visitor could make millions of them; a cause is for the log.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, fields
from inspect import getdoc
from threading import Lock
from typing import Final

from cookiesess.events import Event
from cookiesess.events.base import logger

LABELS: Final = frozenset({"attribute", "deadline", "reader", "reason"})
"""The texts of events that are one word out of a few, which are the library's own or the app's, never a visitor's."""

SETTINGS: Final = frozenset({"limit_bytes"})
"""The numbers of events that are the same each time."""

# Where one cookie becomes tight, and where each of five is full.
_BYTES: Final = (256, 512, 1024, 2048, 3072, 3328, 3584, 3840, 4096, 8192, 12288, 16384, 20480)
_COUNTS: Final = (0, 1, 2, 3, 5, 8, 16, 32, 64, 128, 256, 512, 1024)

_NUMBERS: Final = ("int", "float")
_WORD: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class Shape:
    """What is counted and measured of one class of events.

    Attributes:
        name: The event's own, dots and all.
        help: What it is, in one line.
        labels: Fields that tell its kinds apart.
        amounts: Fields that are measured.
    """

    name: str
    help: str
    labels: tuple[str, ...]
    amounts: tuple[str, ...]

    @classmethod
    def of(cls, event: type[Event]) -> "Shape":
        """Return the shape of a class of events."""
        # A type is a text where the class's module has postponed its annotations.
        types = {field.name: getattr(field.type, "__name__", field.type) for field in fields(event)}
        return cls(
            event.name,
            " ".join((getdoc(event) or event.name).partition("\n\n")[0].replace("`", "").split()),
            tuple(name for name, kind in types.items() if kind == "bool" or (kind == "str" and name in LABELS)),
            tuple(name for name, kind in types.items() if kind in _NUMBERS and name not in SETTINGS),
        )

    def values(self, event: Event) -> dict[str, str]:
        """Return the labels of `event`, each a word of at most 32 characters; ``"other"`` for what is none."""
        return {name: _word(getattr(event, name, None)) for name in self.labels}

    def measured(self, event: Event) -> Iterator[tuple[str, float]]:
        """Yield the amounts of `event`, as far as they are numbers."""
        for name in self.amounts:
            amount = getattr(event, name, None)
            if isinstance(amount, int | float):
                yield name, amount


def bounds(field: str) -> tuple[int, ...]:
    """Return the upper bounds of the buckets that an amount is sorted into."""
    return _BYTES if field.endswith("_bytes") else _COUNTS


class Instrument(ABC):
    """Counts one class of events in one system of metrics."""

    @abstractmethod
    def count(self, labels: dict[str, str]) -> None:
        """Count one event of this kind."""

    @abstractmethod
    def measure(self, field: str, amount: float) -> None:
        """Note the amount that one field of an event has."""


class CountedEvents(ABC):
    """Takes events and hands each to its instrument. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._instruments: dict[str, tuple[Shape, Instrument | None]] = {}
        for event in _known(Event):
            self._add(event)

    @abstractmethod
    def _instrument(self, shape: Shape) -> Instrument:
        """Return a new instrument.

        Raises:
            ValueError: Its names are taken.
        """

    def __call__(self, event: Event) -> None:
        """Count `event`; one of a class that was defined after this object was made, too."""
        shape, instrument = self._instruments.get(event.name) or self._add_late(type(event))
        if instrument is None:
            return
        instrument.count(shape.values(event))
        for field, amount in shape.measured(event):
            instrument.measure(field, amount)

    def _add(self, event: type[Event]) -> None:
        # By name: two classes of one name are one event, and have the labels of the first.
        if event.name not in self._instruments:
            shape = Shape.of(event)
            self._instruments[event.name] = shape, self._instrument(shape)

    def _add_late(self, event: type[Event]) -> tuple[Shape, Instrument | None]:
        with self._lock:
            try:
                self._add(event)
            except ValueError:
                # A request is being answered: one counter less is better than an error in it.
                logger.warning("events %s are not counted, because another metric has that name already", event.name)
                self._instruments[event.name] = Shape.of(event), None
            return self._instruments[event.name]


def _known(event: type[Event]) -> Iterator[type[Event]]:
    for each in event.__subclasses__():
        yield each
        yield from _known(each)


def _word(value: object) -> str:
    text = str(value).lower() if value is None or type(value) is bool else value
    return text if isinstance(text, str) and _WORD.fullmatch(text) else "other"
