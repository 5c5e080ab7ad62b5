"""What the inspector remembers of each browser: its last requests, its last cookies, and what the page showed last."""

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock
from typing import Final

from examples.inspector.visits import Visit

# A page for one person at a time: what is kept stays small whoever comes.
_BROWSERS, _VISITS, _KEPT = 100, 12, 5
# Characters of a cookie: enough to tell two apart, too little to use.
_TAIL: Final = 4


@dataclass(frozen=True, slots=True)
class Kept:
    """The session's cookies as a browser once sent them.

    Attributes:
        handle: A short name for forms, which says nothing of the cookies.
        cookies: Their values by name.
        at: When they first came, in Unix seconds.
        says: What the session was then, in words.
    """

    handle: str
    cookies: Mapping[str, str] = field(repr=False)
    at: int
    says: str

    @property
    def looks(self) -> str:
        """What tells these cookies from others: how long they are together, and the last letters of the first."""
        length = sum(map(len, self.cookies.values()))
        return f"{length:,} characters, …{next(iter(self.cookies.values()))[-_TAIL:]}"


@dataclass(frozen=True, slots=True)
class Changes:
    """How two looks differ.

    Attributes:
        marks: ``"new"`` or ``"changed"``, by what it is about.
        gone: What the page showed before, and no longer does.
    """

    marks: Mapping[str, str] = field(default_factory=dict)
    gone: tuple[str, ...] = ()


class Notes:
    """What is remembered of one browser. Thread-safe: a browser sends several requests at once.

    Attributes:
        suffixes: The attributes that this server set last for a cookie, by its name.
        pressed: The buttons that have done something, by the names of their actions.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._visits: deque[Visit] = deque(maxlen=_VISITS)
        self._kept: deque[Kept] = deque(maxlen=_KEPT)
        self._shown: Mapping[str, str] = {}
        self.suffixes: dict[str, str] = {}
        self.pressed: set[str] = set()

    @property
    def visits(self) -> tuple[Visit, ...]:
        """Its last requests, newest first."""
        with self._lock:
            return tuple(reversed(self._visits))

    @property
    def kept(self) -> tuple[Kept, ...]:
        """Its last session cookies, newest first."""
        with self._lock:
            return tuple(reversed(self._kept))

    def untold(self) -> Visit | None:
        """Return the button's request that the browser comes from, once."""
        with self._lock:
            last = self._visits[-1] if self._visits else None
            if last is None or last.told or last.method != "POST":
                return None
            last.told = True
            return last

    def add(self, visit: Visit) -> None:
        """Remember a request that is over."""
        with self._lock:
            self.suffixes.update((sent.name, sent.suffix) for sent in visit.sent if not sent.deletes)
            if not visit.quiet:
                self._visits.append(visit)
            if visit.says and not visit.error:
                self.pressed.add(visit.path.rpartition("/")[2])

    def compare(self, shown: Mapping[str, str]) -> "Changes":
        """Return how what the page is about to show differs from what it showed last, and remember it."""
        with self._lock:
            before, self._shown = self._shown, shown
        if not before:
            return Changes()  # where everything is new, a mark says nothing
        marks = {name: "changed" if name in before else "new" for name in shown if before.get(name) != shown[name]}
        return Changes(marks, tuple(name for name in before if name not in shown))

    def keep(self, cookies: Mapping[str, str], *, at: int, says: str) -> None:
        """Remember the session's cookies, once."""
        kept = Kept(handle_of(cookies), dict(cookies), at, says)
        with self._lock:
            if cookies and kept.handle not in {each.handle for each in self._kept}:
                self._kept.append(kept)


def handle_of(cookies: Mapping[str, str]) -> str:
    """Return a short name for some cookies, which says nothing of them."""
    return sha256(repr(sorted(cookies.items())).encode()).hexdigest()[:16]


class Notebook:
    """The notes of all browsers, by the names that the inspector gave them. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._notes: OrderedDict[str, Notes] = OrderedDict()

    def of(self, browser: str) -> Notes:
        """Return the notes of `browser`; empty ones where it is new, or was forgotten for others."""
        with self._lock:
            notes = self._notes.setdefault(browser, Notes())
            self._notes.move_to_end(browser)
            if len(self._notes) > _BROWSERS:
                self._notes.popitem(last=False)
        return notes
