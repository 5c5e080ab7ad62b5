"""HTML as function calls. Text is escaped unless it is `Html`, so that forgetting it cannot happen."""

from collections.abc import Iterable
from html import escape
from typing import Final
from unicodedata import category

_VOID: Final = frozenset({"circle", "input", "line", "link", "meta", "path", "rect"})


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


Child = str | int | None | Iterable["Child"]


def tag(name: str, /, *children: Child, **attributes: str | int | bool | None) -> Html:
    """Return an element.

    Args:
        name: Of the element.
        *children: Text, which is escaped; `Html`, which is not; None, which is nothing; or lists of such.
        **attributes: ``class_`` is ``class``, and other underscores are hyphens. True: its name alone. None,
            False: nothing.
    """
    start = name + "".join(_attribute(key, value) for key, value in attributes.items())
    # With a slash: within <svg> an element that is not closed would hold what follows.
    return Html(f"<{start} />" if name in _VOID else f"<{start}>{join(children)}</{name}>")


def join(children: Iterable[Child]) -> Html:
    """Return children one after the other."""
    return Html("".join(map(_text, children)))


def printable(text: str) -> str:
    """Return `text` with escapes for what cannot be seen: a NUL would vanish, a U+202E turn what follows around."""
    return "".join(each if each == "\n" or category(each)[0] != "C" else ascii(each)[1:-1] for each in text)


def _text(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, str):
        return child if isinstance(child, Html) else escape(printable(child))
    return str(child) if isinstance(child, int) else join(child)


def _attribute(key: str, value: str | int | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(printable(str(value)))}"'
