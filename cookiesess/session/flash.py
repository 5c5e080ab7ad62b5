"""Flash messages: shown once, on the next page that asks. Of those that no page asks for, the newest are kept."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

MOST: Final = 50
"""How many messages wait at most: an app that flashes and never shows any must not have its sessions grow."""


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


def merge(base: list[Any], mine: list[Any], theirs: list[Any], *, encode: Callable[[Any], bytes]) -> list[Any]:
    """Return the messages that wait after two requests, which both began with `base`.

    They are what the other request has left (`theirs`), less what this one has shown (in `base`, and no longer in
    `mine`), and then what this one has added; of all that, the newest.
    """
    shown = _without(base, mine, encode)
    added = _without(mine, base, encode)
    return (_without(theirs, shown, encode) + added)[-MOST:]


def _without(flashes: list[Any], taken: list[Any], encode: Callable[[Any], bytes]) -> list[Any]:
    """Return `flashes` less those in `taken`, one for one: a message that waits twice is two messages."""
    left = [encode(flash) for flash in taken]
    kept = []
    for flash in flashes:
        encoding = encode(flash)
        if encoding in left:
            left.remove(encoding)
        else:
            kept.append(flash)
    return kept
