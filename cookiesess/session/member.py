"""Enums whose members are keys of the tables that decide about each request."""

from collections.abc import Callable
from enum import Enum


class Member(Enum):
    """An enum whose members hash by their identity, in C; Enum's own hash runs Python code at each look-up."""

    # The annotation is for pyright, which calls an override without one ambiguous; mypy binds `self` by itself.
    __hash__: Callable[[object], int] = object.__hash__  # type: ignore[assignment]
