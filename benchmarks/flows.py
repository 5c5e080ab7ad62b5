"""What a visitor does, in a session of which content: the columns of the tables, and the requests that are timed.

Each request has shown that it does its work before it is timed; what it wrote was read back.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import thread_time
from typing import Final, NamedTuple

from benchmarks.harness import DATES, LINES, TYPICAL, App, Cell, Contestant, Data, Environ, among_others, ask, environ

DATA: Final[Mapping[str, Data]] = {"typical": TYPICAL, "dates": DATES, "lines": LINES}
_ANSWERS: Final = {"untouched": "ok", "read": "1000", "first": "ok", "listed": "3"}


class Flow(NamedTuple):
    """One request, and the visit before it, which has set the session's cookie.

    Attributes:
        route: What it asks for.
        data: The name of what the session holds.
        visit: The route of the visit before it; None: it is the first.
    """

    route: str
    data: str = "typical"
    visit: str | None = "first"


FLOWS: Final[Mapping[str, Flow]] = {
    "untouched": Flow("untouched"),
    "read one key": Flow("read"),
    "write one key": Flow("write"),
    "write, logged in": Flow("write", visit="login"),
    "first visit": Flow("first", visit=None),
    "ten datetimes: read": Flow("read", data="dates"),
    "ten datetimes: write": Flow("write", data="dates"),
    "a list: read": Flow("listed"),
    "200 dicts: write a field": Flow("nested", data="lines"),
}
"""By the head of its column."""

USUAL: Final = ("untouched", "read one key", "write one key", "first visit")
OURS: Final = (*USUAL[:3], "write, logged in", "first visit")
HELD: Final = (*FLOWS,)[5:]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A row: who, under which scheme, doing what, and which row of ours it is compared with.

    Attributes:
        contestant: Who.
        flows: The columns; in all others of its table it has a dash.
        scheme: ``"https"`` or ``"http"``.
        against: The name of our row, for a peer's.
    """

    contestant: Contestant
    flows: tuple[str, ...] = USUAL
    scheme: str = "https"
    against: str = ""


class Costs(NamedTuple):
    """What a row costs: microseconds over the bare app by column, and how long its cookie's value is."""

    us: Mapping[str, float]
    cookie_bytes: int


def prepared(app: App, flow: Flow, *, scheme: str) -> Environ:
    """Return a flow's request, having seen that `app` answers it as it should.

    Raises:
        AssertionError: It does not.
    """
    cookie = ""
    if flow.visit is not None:
        cookie = ask(app, f"/{flow.visit}", among_others(), scheme=scheme).cookie or ""
        assert cookie, "the visit before it set no cookie"
    answer = ask(app, f"/{flow.route}", among_others(cookie), scheme=scheme)
    wanted = _ANSWERS.get(flow.route) or _held(app, flow, among_others(answer.cookie or cookie), scheme)
    assert answer.text == wanted, f"{flow}: answered {answer.text!r} instead of {wanted!r}"
    return environ(f"/{flow.route}", among_others(cookie), scheme=scheme)


def _held(app: App, flow: Flow, cookies: str, scheme: str) -> str:
    """Return what a session holds in the place that the flow has just written."""
    if flow.route == "nested":
        return str(json.loads(ask(app, "/dump", cookies, scheme=scheme).text)["lines"][100]["n"])
    return ask(app, "/read", cookies, scheme=scheme).text


class Race:
    """The cells of many rows, and those of their bare apps, each of which is there once.

    They are timed by the time that the processor gave to this thread: other programs on a shared machine lengthen it
    less than they lengthen the clock's.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._apps: dict[tuple[str, str], App] = {}
        self._bare: dict[tuple[App, str, str], Cell] = {}
        self._pairs: dict[tuple[str, str], tuple[Cell, Cell]] = {}
        self._cookie_bytes: dict[str, int] = {}
        for entry in entries:
            for name in entry.flows:
                if (entry.contestant.name, name) not in self._pairs:
                    self._add(entry, name)

    def _add(self, entry: Entry, name: str) -> None:
        flow, contestant = FLOWS[name], entry.contestant
        place = contestant.name, flow.data
        app = self._apps[place] = self._apps.get(place) or contestant.build(DATA[flow.data])
        request = prepared(app, flow, scheme=entry.scheme)
        bare = Cell(contestant.bare, request, thread_time)
        bare = self._bare.setdefault((contestant.bare, flow.route, entry.scheme), bare)
        self._pairs[contestant.name, name] = Cell(app, request, thread_time), bare
        if name == "read one key":
            session = request["HTTP_COOKIE"].split("; ")[1]  # between the two others
            self._cookie_bytes[contestant.name] = len(session.partition("=")[2])

    @property
    def cells(self) -> list[Cell]:
        """All that is to be timed."""
        return [*(cell for cell, _ in self._pairs.values()), *self._bare.values()]

    def costs(self, entry: Entry) -> Costs:
        """Return what a row costs, once the cells have been timed."""
        name = entry.contestant.name
        pairs = {flow: self._pairs[name, flow] for flow in entry.flows}
        us = {flow: cell.us - bare.us for flow, (cell, bare) in pairs.items()}
        return Costs(us, self._cookie_bytes.get(name, 0))
