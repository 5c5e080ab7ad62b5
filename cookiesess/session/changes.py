"""Exact change detection: which values differ from the loaded ones, and how to make the changes again on newer data.

Assignments and deletions are seen as they happen. A value that can change inside (a list, a dict, a tuple that holds
one) is watched from the moment it is handed out: its encoding then is compared with its encoding at commit. So a
request that reads scalars pays nothing, ``session["cart"].append(x)`` is never lost, and a request that changed
nothing, or changed something and changed it back, writes nothing.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from cookiesess.errors import NotSerializable
from cookiesess.tokens.encoding import is_utf8
from cookiesess.tokens.values import ALWAYS_STORABLE, SCALARS, ValueCodec

ABSENT: Final = object()
"""Stands for a deleted key in `Tracked.changes`."""

# Equal values of these types always have equal encodings, so they are kept and compared as they are: `ABSENT`'s type
# and all natives but float, whose 0.0 equals -0.0. (Equal datetimes may have different zones, equal Decimals digits.)
_COMPARABLE: Final[frozenset[type]] = frozenset({object, type(None), bool, int, str, bytes})

_Snapshot = bytes | tuple[type, Any]
"""How a value was: its encoding, or its type and itself where it is comparable or `ABSENT`."""

_NOTHING: Final[_Snapshot] = (object, ABSENT)

Mutation = Callable[[dict[str, Any]], object]

Step = dict[str, Any] | Mutation
"""Changes as `Tracked.changes` returns them, or a function that was applied."""


class Tracked:
    """A dict with a memory of what it was.

    Args:
        data: The dict; changed in place.
        codec: Encodes values, and refuses what cannot be stored.

    Attributes:
        data: The dict as it is now.
        steps: What happened up to the last `mutate`, in order: assignments and deletions, the function, and so on.
    """

    __slots__ = ("_aside", "_before", "_codec", "_original", "data", "steps")

    def __init__(self, data: dict[str, Any], codec: ValueCodec) -> None:
        self.data: dict[str, Any] = data
        self.steps: Sequence[Step] = ()
        self._codec = codec
        # Per key, how it was when it was first assigned, deleted or handed out.
        self._before: dict[str, _Snapshot] = {}
        self._aside: Sequence[tuple[str, Any, bytes]] = ()
        self._original: dict[str, _Snapshot] | None = None

    def watch(self, key: str) -> None:
        """Remember how `data[key]` was, before it is handed out or changed."""
        if key not in self._before:
            self._before[key] = _snapshot(self._codec, self.data[key]) if key in self.data else _NOTHING

    def set(self, key: str, value: Any) -> None:
        """Assign. Raises `NotSerializable` before anything has changed."""
        cls = type(value)
        if cls not in ALWAYS_STORABLE and not (cls is str and value.isascii()):
            self._codec.check(key, value)
        if key not in self._before:
            self._before[key] = _snapshot(self._codec, self.data[key]) if key in self.data else _NOTHING
        self.data[key] = value
        if self._aside:
            self._forget(key)

    def remove(self, key: str) -> None:
        """Delete. Raises KeyError where there is nothing."""
        self.watch(key)
        del self.data[key]
        self._forget(key)

    def mutate(self, function: Mutation) -> None:
        """Apply `function` to the dict, and remember that it has to be applied again on newer data.

        It may keep references to anything, so everything is watched from here on. If it raises, or leaves something
        that cannot be stored, the dict is as it was before.
        """
        for key in self.data:
            self.watch(key)
        pending = self._copy(self.changes())
        before = {key: _snapshot(self._codec, value) for key, value in self.data.items()}
        if self._original is None:
            self._original = dict(self._before)
        done = False
        try:
            function(self.data)
            check_all(self.data, self._codec)
            done = True
        finally:
            if not done:
                self._go_back(before)
        self.steps = [*self.steps, pending, function]
        # Nothing is pending any more; what can change inside is watched from here on.
        watched = ((key, value) for key, value in self.data.items() if type(value) not in SCALARS)
        self._before = {key: _snapshot(self._codec, value) for key, value in watched}

    def _go_back(self, before: "dict[str, _Snapshot]") -> None:
        """Make the dict what it was; values that did not change stay the objects that the app may hold."""
        now = dict(self.data)
        self.data.clear()
        for key, snapshot in before.items():
            with suppress(NotSerializable):
                if key in now and self._snapshot_of(key, now[key]) == snapshot:
                    self.data[key] = now[key]
                    continue
            self.data[key] = self._codec.loads(snapshot) if isinstance(snapshot, bytes) else snapshot[1]

    def _snapshot_of(self, key: str, value: object) -> "_Snapshot":
        self._codec.check(key, value)
        return _snapshot(self._codec, value)

    def changes(self) -> dict[str, Any]:
        """Return what differs since the last step: key to value, or to `ABSENT`.

        Raises:
            NotSerializable: A value that was handed out now holds something that cannot be stored.
        """
        if self._aside:
            self._take_back()
        found = {}
        for key, before in self._before.items():
            value = self.data.get(key, ABSENT)
            if value is not ABSENT and type(value) not in ALWAYS_STORABLE:
                self._codec.check(key, value)
            if _snapshot(self._codec, value) != before:
                found[key] = value
        return found

    @property
    def modified(self) -> bool:
        """Whether the encoding differs from what was loaded."""
        if self._original is not None:
            return self._differs_from(self._original)
        # Whether there are `changes`; what can change inside is encoded once, and walked only where it has changed.
        if self._aside:
            self._take_back()
        differs, data = False, self.data
        for key, before in self._before.items():
            value = data.get(key, ABSENT)
            if type(value) in _COMPARABLE:
                differs = differs or before != (type(value), value)
            elif type(before) is tuple or self._pack(key, value) != before:
                self._codec.check(key, value)
                differs = True
        return differs

    def _differs_from(self, original: dict[str, _Snapshot]) -> bool:
        self.changes()  # refuses what cannot be stored, with its path
        # Key by key: the order in which keys were assigned is no content.
        keys = self.data.keys() | original
        now = {key: _snapshot(self._codec, self.data.get(key, ABSENT)) for key in keys}
        return any(now[key] != original.get(key, _NOTHING) for key in keys)

    def _pack(self, key: str, value: object) -> bytes:
        try:
            return self._codec.pack(value)
        except (LookupError, TypeError, ValueError):
            return self._codec.dumps(value, f'session["{key}"]')  # whose error says where in it the trouble is

    def log(self) -> list[Step]:
        """Return all that happened since loading, in order, for `replay`."""
        # Copies, since the functions that follow change what they find, and a log may be replayed several times.
        return [*(step if callable(step) else self._copy(step) for step in self.steps), self.changes()]

    def overwritten(self, theirs: dict[str, Any]) -> int:
        """Count the keys that both requests have changed, where this one's value stands and the other's is lost."""
        return sum(
            _snapshot(self._codec, theirs.get(key, ABSENT)) != self._before.get(key, _NOTHING) for key in self.changes()
        )

    def before(self, key: str) -> Any:
        """Return what was loaded under `key`, or None where there was nothing."""
        before = self._before.get(key, _NOTHING)
        if isinstance(before, bytes):
            return self._codec.loads(before)
        return None if before[1] is ABSENT else before[1]

    def loaded(self, *keys: str) -> dict[str, Any]:
        """Return what was loaded under `keys`, whatever has become of it since; None where there was nothing."""
        changes = self.changes()
        return {key: self.before(key) if key in changes else self.data.get(key) for key in keys}

    def original(self) -> dict[str, Any]:
        """Return a new dict of what was loaded. What was handed out may have changed inside, so it is decoded again."""
        known = self._before if self._original is None else self._original
        # What was never handed out nor assigned is as it was; after a mutate, everything is known.
        data = {key: value for key, value in self.data.items() if self._original is None and key not in known}
        for key, snapshot in known.items():
            value = self._codec.loads(snapshot) if isinstance(snapshot, bytes) else snapshot[1]
            if value is not ABSENT:
                data[key] = value
        return data

    def assigned(self) -> dict[str, Any]:
        """Return what differs from what was loaded, as it is now; deleted keys are not in it."""
        if self._original is None:
            return {key: value for key, value in self.changes().items() if value is not ABSENT}
        return {
            key: value
            for key, value in self.data.items()
            if _snapshot(self._codec, value) != self._original.get(key, _NOTHING)
        }

    def adopt(self, merged: dict[str, Any]) -> None:
        """Go on from `merged`, which the store has by now: another request's data with this one's changes made again.

        The app may still hold a list that it took out of this dict, and append to it later. Where `merged` has an equal
        list, the app's own takes its place, so that the change is seen. Where it has another value, the app's list is
        put aside; if the app changes it after all, it is assigned.
        """
        for key in self._before:
            mine = self.data.get(key, ABSENT)
            if mine is ABSENT or type(mine) in SCALARS or merged.get(key, ABSENT) is mine:
                continue
            encoding = self._codec.pack(mine)
            if key in merged and self._codec.pack(merged[key]) == encoding:
                merged[key] = mine
            else:
                self._aside = [*self._aside, (key, mine, encoding)]
        self.data = merged
        self.rebase()

    def rebase(self) -> None:
        """Take what is there now as what was loaded: it has been written."""
        self.steps = ()
        self._original = None
        self._before = {key: _snapshot(self._codec, self.data[key]) for key in self._before if key in self.data}

    def _take_back(self) -> None:
        """Assign what was put aside by a merge and has changed since."""
        aside, self._aside = self._aside, ()
        for key, value, before in aside:
            self._codec.check(key, value)
            if self._codec.pack(value) == before:
                self._aside = [*self._aside, (key, value, before)]
            else:
                self.watch(key)
                self.data[key] = value

    def _forget(self, key: str) -> None:
        """The app has assigned or deleted `key`: what it held under it before does not count any more."""
        self._aside = [entry for entry in self._aside if entry[0] != key]

    def _copy(self, changes: dict[str, Any]) -> dict[str, Any]:
        codec = self._codec
        return {key: value if value is ABSENT else codec.loads(codec.pack(value)) for key, value in changes.items()}


def _snapshot(codec: ValueCodec, value: object) -> _Snapshot:
    return (type(value), value) if type(value) in _COMPARABLE else codec.pack(value)


def check_all(data: dict[str, Any], codec: ValueCodec) -> None:
    """Raise where a key or a value of `data` cannot be stored."""
    for key, value in data.items():
        check_key(key)
        codec.check(key, value)


def check_key(key: object) -> None:
    """Raise TypeError where `key` is not exactly text, and ValueError where the text cannot be encoded."""
    if type(key) is not str:
        raise TypeError(f"a session's key is text, not {type(key).__name__} ({key!r}); use str(…)")
    if not is_utf8(key):
        raise ValueError(f"the key {key!r} holds half a surrogate pair, which no encoding carries; use another")


def replay(log: list[Step], data: dict[str, Any], codec: ValueCodec) -> None:
    """Do again on `data` what `log` says: assign and delete key by key, and apply the functions.

    Raises:
        NotSerializable, TypeError: A function left something else on this data than it did on the first.
    """
    for step in log:
        if callable(step):
            step(data)
            check_all(data, codec)
            continue
        for key, value in step.items():
            if value is ABSENT:
                data.pop(key, None)
            else:
                data[key] = value
