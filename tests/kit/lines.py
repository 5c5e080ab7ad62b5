"""What Set-Cookie lines say."""

from __future__ import annotations

from collections.abc import Sequence

from cookiesess import SetCookie
from cookiesess.http.places import CookieIdentity


def sizes(lines: Sequence[SetCookie]) -> list[int]:
    """How long each line is, as it goes out."""
    return [len(line.line) for line in lines]


def issued(lines: Sequence[SetCookie]) -> list[str]:
    """The names of the cookies that are set."""
    return [line.name for line in lines if line.attributes.max_age != 0]


def expired(lines: Sequence[SetCookie]) -> list[str]:
    """The names of the cookies that are to be forgotten, each of them once, wherever it is forgotten."""
    return list(dict.fromkeys(line.name for line in lines if line.attributes.max_age == 0))


def is_expiry(lines: Sequence[SetCookie]) -> bool:
    """Whether that makes the browser forget one cookie, wherever it may stand, and does nothing else."""
    return len({line.name for line in lines}) == 1 and all(not line.value and _is_zero(line) for line in lines)


def places(lines: Sequence[SetCookie]) -> list[CookieIdentity]:
    """The cookies that are to be forgotten, by what browsers tell them apart."""
    return [
        CookieIdentity(line.name, line.attributes.path, line.attributes.domain, line.attributes.partitioned)
        for line in lines
        if _is_zero(line)
    ]


def _is_zero(line: SetCookie) -> bool:
    return line.attributes.max_age == 0


def is_issue(lines: Sequence[SetCookie]) -> bool:
    """Whether that is one line, which gives the browser a session until its window closes."""
    return len(lines) == 1 and lines[0].value != "" and lines[0].attributes.max_age is None
