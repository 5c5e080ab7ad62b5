"""What a command answers: lines for people, or with ``--json`` the same facts for programs."""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Answer(NamedTuple):
    """What came of a command.

    Attributes:
        lines: For people.
        facts: For programs; times are Unix seconds.
        code: The exit code.
    """

    lines: Sequence[str]
    facts: Mapping[str, object]
    code: int = 0

    def text(self, *, as_json: bool) -> str:
        """Return what to print. JSON is one line, in ASCII: nothing in it can speak to a terminal."""
        return json.dumps(_plain(self.facts)) if as_json else "\n".join(self.lines)


def counted(number: int, noun: str) -> str:
    """Return such as ``1 session``, ``2 sessions``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _plain(value: object) -> object:
    """Return what JSON has for a value of a session; what JSON lacks, a float without a value too, as Python's text."""
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else repr(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if value - value == 0 else repr(value)
    return value if value is None or isinstance(value, str | int) else repr(value)
