"""Flash messages: shown once, on the next page that asks."""

from typing import Any, NamedTuple


class Flash(NamedTuple):
    """A message for the next page.

    Attributes:
        message: Text, or anything that sessions carry.
        category: What `Session.pop_flashes` selects by; ``"message"`` by default.
    """

    message: Any
    category: str


def take(flashes: list[Any], category: str | None) -> tuple[list[Flash], list[Any]]:
    """Part `flashes` into those of `category` (None: all) and the rest, each in order."""
    taken = [Flash(message, kind) for message, kind in flashes if category is None or kind == category]
    return taken, [flash for flash in flashes if category is not None and flash[1] != category]
