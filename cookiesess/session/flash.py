"""Flash messages: shown once, on the next page that asks. Of those that no page asks for, the newest are kept."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from cookiesess.tokens.values import MAX_DEPTH

MOST: Final = 50
"""How many messages wait at most: an app that flashes and never shows any must not have its sessions grow."""


_NESTED: Final = frozenset({list, tuple, dict})


class Flash(NamedTuple):
    """A message for the next page.

    Attributes:
        message: Text, or any other value that sessions carry.
        category: A word by which `Session.pop_flashes` can select; ``"message"`` by default.
    """

    message: Any
    category: str


def take(flashes: list[Any], category: str | None) -> tuple[list[Flash], list[Any]]:
    """Part `flashes` into those of `category` (None: all) and the rest, each in order."""
    taken = [Flash(message, kind) for message, kind in flashes if category is None or kind == category]
    return taken, [flash for flash in flashes if category is not None and flash[1] != category]


def plain(message: Any, text_of: Callable[[Any], str | None]) -> Any:
    """Return `message` with plain text in place of whatever is text of another class, also in what it is nested in.

    Args:
        message: What sessions do not carry as it is.
        text_of: Returns the text that a value stands for, or None where it is none.
    """
    done: dict[int, Any] = {}

    def convert(value: Any, depth: int) -> Any:
        cls = type(value)
        if cls not in _NESTED or not depth:
            text = text_of(value)
            return value if text is None else str.__str__(text)
        if id(value) not in done:
            done[id(value)] = value  # which counts where it holds itself
            parts = [convert(part, depth - 1) for part in value]
            if cls is dict:
                done[id(value)] = dict(zip(parts, (convert(part, depth - 1) for part in value.values()), strict=True))
            else:
                done[id(value)] = cls(parts)
        return done[id(value)]

    return convert(message, MAX_DEPTH)


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
