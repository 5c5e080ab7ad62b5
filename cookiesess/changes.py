"""Exact change detection: what differs from what was loaded, and how to do it again on newer data.

Assignments and deletions are seen as they happen. A value that can change inside (a list, a dict, a tuple that holds
one) is watched from the moment it is handed out: its encoding then is compared with its encoding at commit. So a
request that reads scalars pays nothing, ``session["cart"].append(x)`` is never lost, and a request that changed
nothing, or changed something and changed it back, writes nothing.
"""

from collections.abc import Callable
from typing import Any, Final

from cookiesess.values import SCALARS, ValueCodec

ABSENT: Final = object()
"""Stands for a deleted key in `Tracked.changes`."""

Mutation = Callable[[dict[str, Any]], object]


class Tracked:
    """A dict with a memory of what it was.

    Args:
        data: The dict; changed in place.
        codec: Encodes values, and refuses what cannot be stored.

    Attributes:
        data: The dict as it is now.
        steps: What happened before the last `mutate`, in order: changes as `changes` returns them, and functions.
    """

    __slots__ = ("_aside", "_before", "_codec", "_original", "data", "steps")

    def __init__(self, data: dict[str, Any], codec: ValueCodec) -> None:
        self.data = data
        self._codec = codec
        # Per key: the encoding when it was first assigned, deleted or handed out; None where it was absent.
        self._before: dict[str, bytes | None] = {}
        self._original: bytes | None = None
        self.steps: list[dict[str, Any] | Mutation] = []
        self._aside: list[tuple[str, Any, bytes]] = []

    def watch(self, key: str) -> None:
        """Remember how `data[key]` was, before it is handed out or changed."""
        if key not in self._before:
            self._before[key] = self._codec.pack(self.data[key]) if key in self.data else None

    def set(self, key: str, value: object) -> None:
        """Assign. Raises `NotSerializable` before anything has changed."""
        self._codec.dumps(value, path_of(key))
        self.watch(key)
        self.data[key] = value

    def remove(self, key: str) -> None:
        """Delete. Raises KeyError where there is nothing."""
        self.watch(key)
        del self.data[key]

    def mutate(self, function: Mutation) -> None:
        """Apply `function` to the dict, and remember that it has to be applied again on newer data.

        It may change or keep anything, so everything is watched. If it raises, what it did until then counts as
        ordinary changes.
        """
        for key in self.data:
            self.watch(key)
        if self._original is None:
            self._original = self._codec.pack(self._restored())
        pending = self.changes()
        function(self.data)
        for key, value in self.data.items():
            self._codec.dumps(value, path_of(key))
        self.steps += [pending, function]
        self._rebase()

    def changes(self) -> dict[str, Any]:
        """Return what differs since the last step: key to value, or to `ABSENT`.

        Raises:
            NotSerializable: A value that was handed out now holds something that cannot be stored.
        """
        found = {key: value for key, value, before in self._aside if self._codec.dumps(value, path_of(key)) != before}
        self.data.update(found)
        for key, before in self._before.items():
            if key not in self.data:
                if before is not None:
                    found[key] = ABSENT
            elif self._codec.dumps(self.data[key], path_of(key)) != before:
                found[key] = self.data[key]
        return found

    @property
    def modified(self) -> bool:
        """Whether the encoding differs from what was loaded."""
        if self._original is None:
            return bool(self._before or self._aside) and bool(self.changes())
        self.changes()  # refuses what cannot be stored, with its path
        return self._codec.pack(self.data) != self._original

    def log(self) -> list[dict[str, Any] | Mutation]:
        """Return all that happened since loading, in order, for `replay`."""
        return [*self.steps, self.changes()]

    def overwritten(self, theirs: dict[str, Any]) -> int:
        """Count the keys that are changed here and differ in `theirs` from what was loaded here."""
        pack = self._codec.pack
        return sum((pack(theirs[key]) if key in theirs else None) != self._before[key] for key in self.changes())

    def before(self, key: str) -> Any:
        """Return what was loaded under `key`, or None; only for keys that have changed."""
        before = self._before.get(key)
        return None if before is None else self._codec.loads(before)

    def adopt(self, merged: dict[str, Any]) -> None:
        """Go on from `merged`, which has been written: newer data with this dict's changes replayed.

        Values that the app still holds stay those that the session watches. Where the newer data has another value
        under such a key, the app's is put aside, and counts as assigned should it change after all.
        """
        for key in self._before:
            mine = self.data.get(key, ABSENT)
            if mine is ABSENT or type(mine) in SCALARS or merged.get(key, ABSENT) is mine:
                continue
            encoding = self._codec.pack(mine)
            if key in merged and self._codec.pack(merged[key]) == encoding:
                merged[key] = mine
            else:
                self._aside.append((key, mine, encoding))
        self.data = merged
        self.settle()

    def settle(self) -> None:
        """Take what is there now as what was loaded: it has been written."""
        self.steps = []
        self._original = None
        self._before = {key: self._codec.pack(self.data[key]) for key in self._before if key in self.data}

    def _restored(self) -> dict[str, Any]:
        """The dict as it was, in its old order as far as the memory goes; for comparing only."""
        restored = dict(self.data)
        for key, before in self._before.items():
            if before is None:
                restored.pop(key, None)
            else:
                restored[key] = self._codec.loads(before)
        return restored

    def _rebase(self) -> None:
        self._before = {key: self._codec.pack(value) for key, value in self.data.items() if type(value) not in SCALARS}


def replay(log: list[dict[str, Any] | Mutation], data: dict[str, Any]) -> None:
    """Do again on `data` what `log` says: assign and delete key by key, and apply the functions."""
    for step in log:
        if callable(step):
            step(data)
            continue
        for key, value in step.items():
            if value is ABSENT:
                data.pop(key, None)
            else:
                data[key] = value


def path_of(key: str) -> str:
    """How errors call what stands under `key`."""
    return f'session["{key}"]'
