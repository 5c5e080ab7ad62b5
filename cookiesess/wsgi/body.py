"""Passes an app's response body to the server. If the body fails, later changes of the session are not saved."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, Final, Generic, Self, TypeVar

T = TypeVar("T")
_END: Final[Any] = object()


class Body(Iterator[T], Generic[T]):
    """Passes on the items of an app's body, and closes it. No ``len()``: the server must not ask for one.

    Args:
        body: The app's.
        failed: Called where the body raises, or its own close does; the error goes on.
        begins: Called once, when the first item or the end is there, before it is passed on.
        closed: Called after the app's own close.
    """

    __slots__ = ("_begins", "_close_app", "_closed", "_failed", "_iterator")

    def __init__(
        self,
        body: Iterable[T],
        *,
        failed: Callable[[], object],
        begins: Callable[[], object] | None = None,
        closed: Callable[[], object] | None = None,
    ) -> None:
        self._iterator = iter(body)
        self._close_app: Callable[[], object] | None = getattr(body, "close", None)
        self._failed = failed
        self._begins = begins
        self._closed = closed

    def __next__(self) -> T:
        done = False
        try:
            item = next(self._iterator, _END)
            done = True
        finally:
            if not done:
                self._failed()
        if self._begins is not None:
            begins, self._begins = self._begins, None
            begins()
        if item is _END:
            raise StopIteration
        return item

    def begun(self) -> Self:
        """Take the first item now, so that the server has status and headers before it asks for one."""
        for item in self:
            self._iterator = chain((item,), self._iterator)
            break
        return self

    def close(self) -> None:
        """Close the app's body first, where that can be closed."""
        done = False
        try:
            if self._close_app is not None:
                self._close_app()
            done = True
        finally:
            if not done:
                self._failed()
        if self._closed is not None:
            self._closed()
