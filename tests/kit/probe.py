"""A store that can be watched, taken down, and interrupted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from cookiesess import StoreUnavailable
from cookiesess.stores.base import Store
from cookiesess.stores.memory import MemoryStore

CAUSE = "the test has taken the store down"


def _verb(name: str) -> Callable[..., Any]:
    def method(self: Probe, *args: Any, **keywords: Any) -> Any:
        return self.run(name, *args, **keywords)

    return method


class Probe(Store):
    """A store in front of another one: notes each call, can fail, and lets something happen around a call.

    Attributes:
        calls: The verbs that were called, in order.
        down: The verbs that raise `StoreUnavailable`.
        before: Verb to actions, each of which is run once, before one call of that verb.
        after: The same, after the call.
        answer: Takes verb, outcome and a function that makes the call again; returns what the caller gets.
    """

    create = _verb("create")
    load = _verb("load")
    load_many = _verb("load_many")
    update = _verb("update")
    touch = _verb("touch")
    delete = _verb("delete")
    delete_expired = _verb("delete_expired")
    records_of = _verb("records_of")
    count_of = _verb("count_of")
    oldest_of = _verb("oldest_of")
    VERBS = (
        *("create", "load", "load_many", "update", "touch", "delete", "delete_expired"),
        *("records_of", "count_of", "oldest_of"),
    )

    def __init__(self, inner: Store) -> None:
        self.inner = inner
        self.calls: list[str] = []
        self.down: set[str] = set()
        self.before: dict[str, deque[Callable[[], object]]] = {}
        self.after: dict[str, deque[Callable[[], object]]] = {}
        self.answer: Callable[[str, Any, Callable[[], Any]], Any] | None = None

    @property
    def indexes_owners(self) -> bool:  # type: ignore[override]  # other stores say so of their class
        """As the store behind it says."""
        return self.inner.indexes_owners

    def run(self, verb: str, *args: Any, **keywords: Any) -> Any:
        """Note a call of `verb`, and make it."""
        self.calls.append(verb)
        if verb in self.down:
            raise StoreUnavailable(CAUSE)
        _run_next(self.before.get(verb))
        call = getattr(self.inner, verb)
        outcome = call(*args, **keywords)
        _run_next(self.after.get(verb))
        if self.answer is not None:
            return self.answer(verb, outcome, lambda: call(*args, **keywords))
        return outcome

    def once_before(self, verb: str, action: Callable[[], object]) -> None:
        """Have `action` run in the middle of the next request that calls `verb`, just before the call."""
        self.before.setdefault(verb, deque()).append(action)

    def once_after(self, verb: str, action: Callable[[], object]) -> None:
        """As `once_before`, just after the call."""
        self.after.setdefault(verb, deque()).append(action)

    def taken(self) -> list[str]:
        """The calls since this was asked last."""
        calls, self.calls = self.calls, []
        return calls

    def close(self) -> None:
        """Close the store behind."""
        self.inner.close()


def _run_next(actions: deque[Callable[[], object]] | None) -> None:
    if actions:
        actions.popleft()()


def watched(store: Store | None) -> Probe:
    """Return `store` with a probe in front, where it has none yet; without a store, one in memory."""
    if isinstance(store, Probe):
        return store
    return Probe(MemoryStore() if store is None else store)
