"""What Set-Cookie lines say."""

from __future__ import annotations

from collections.abc import Sequence

from cookiesess import SetCookie


def sizes(lines: Sequence[SetCookie]) -> list[int]:
    """How long each line is, as it goes out."""
    return [len(line.line) for line in lines]


def issued(lines: Sequence[SetCookie]) -> list[str]:
    """The names of the cookies that are set."""
    return [line.name for line in lines if line.attributes.max_age != 0]


def expired(lines: Sequence[SetCookie]) -> list[str]:
    """The names of the cookies that are to be forgotten."""
    return [line.name for line in lines if line.attributes.max_age == 0]


def is_expiry(lines: Sequence[SetCookie]) -> bool:
    """Whether they make the browser forget the session, wherever its cookie may stand, and set nothing."""
    return bool(lines) and all(line.value == "" and line.attributes.max_age == 0 for line in lines)


def is_issue(lines: Sequence[SetCookie]) -> bool:
    """Whether that is one line, which gives the browser a session until its window closes."""
    return len(lines) == 1 and lines[0].value != "" and lines[0].attributes.max_age is None
