"""Several browsers with overlapping requests, in any order, against plain dicts as the oracle.

After every step each cookie that was ever handed out must show exactly what the model says: a session that was ended
never answers again, and nothing that was written is lost. The cookie line of each commit is predicted as well.
"""

import contextlib
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore
from kit.constants import GRACE
from kit.lines import is_expiry
from kit.selection import examples
from kit.views import count
from kit.world import World

CLOSED_SECONDS = 60
MAX_HOPS = 2
WORKS = st.tuples(st.sampled_from(["put", "put", "drop", "count"]), st.sampled_from("abc"), st.integers(0, 3))
DELETED = object()


@dataclass(eq=False)
class Life:
    """One session, through all its IDs."""

    data: dict[str, Any]
    owner: str | None = None
    alive: bool = True


@dataclass(eq=False)
class Id:
    """One ID. A closed one leads to `target` until a moment, then reads as replaced, then is forgotten."""

    life: Life
    target: "Id | None" = None
    by_login: bool = False
    leads_until: float = 0
    forgotten_at: float = float("inf")


@dataclass(eq=False)
class Underway:
    """A request that has loaded its session: what the model says that it sees, and what it has done."""

    session: Any
    origin: str
    at: Id | None
    through_an_old_id: bool
    data: dict[str, Any] = field(default_factory=dict)
    owner: str | None = None
    base: dict[str, Any] = field(default_factory=dict)
    steps: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.at is not None:
            self.data, self.owner = dict(self.at.life.data), self.at.life.owner
        self.base, self.original = dict(self.data), dict(self.data)

    def changes(self) -> dict[str, Any]:
        deleted = {key: DELETED for key in self.base if key not in self.data}
        return deleted | {key: value for key, value in self.data.items() if self.base.get(key, DELETED) != value}

    def replayed(self, data: dict[str, Any]) -> dict[str, Any]:
        """The changes of this request, made again on `data`."""
        result = dict(data)
        for step in [*self.steps, self.changes()]:
            result = increase(result) if step is increase else result | step
            result = {key: value for key, value in result.items() if value is not DELETED}
        return result


def increase(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "n": data.get("n", 0) + 1}


class Requests(RuleBasedStateMachine):
    """The rules and the model."""

    requests = Bundle("requests")
    make_store: Any

    def __init__(self) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()
        self.world = World(self.make_store(self.stack))
        self.ids: dict[str, Id | None] = {"": None}
        self.events_left = 5  # so that most steps are those of requests

    @initialize(value=st.integers(0, 3))
    def begin(self, value: int) -> None:
        browser = self.world.browser(lambda session: session.update(a=value))
        self.ids[browser.header] = Id(Life({"a": value}))

    def teardown(self) -> None:
        self.stack.close()

    # The model

    @property
    def now(self) -> float:
        return self.world.clock()

    def resolve(self, at: Id | None) -> tuple[str, Id | None, bool]:
        """Return what a request meets under an ID, the ID that is open, and whether another one led to it."""
        for hop in range(MAX_HOPS + 1):
            if at is None or self.now >= at.forgotten_at:
                return "gone", None, False
            if at.target is None:
                return ("loaded", at, hop > 0) if at.life.alive else ("gone", None, False)
            if self.now >= at.leads_until:
                return "replaced", None, False
            at = at.target
        return "replaced", None, False

    def end(self, at: Id) -> bool:
        """End the session of an ID, wherever a renewal took it; False where it has ended or a login took its place."""
        while at.target is not None:
            if at.by_login or self.now >= at.forgotten_at:
                return False
            at = at.target
        was_alive, at.life.alive = at.life.alive, False
        return was_alive

    def commit(self, request: Underway, verb: str | None) -> str | Id | None:
        """Return the line that is to be sent: ``"expiry"``, none, or one with a new ID."""
        modified = request.data != request.original or verb == "login"
        owner = "ann" if verb == "login" else request.owner
        if request.origin != "loaded":
            filled = request.origin == "gone" and (request.data or owner is not None)
            return Id(Life(dict(request.data), owner)) if filled else None
        if not (modified or verb):
            return None
        origin, at, moved = self.resolve(request.at)
        if origin != "loaded" or at.life.owner != request.owner:
            return None
        moved = moved or request.through_an_old_id
        life = at.life
        merged = request.replayed(life.data)
        if not request.data and owner is None:
            life.data = merged
            life.alive = bool(merged)
            return None if life.alive or moved else "expiry"
        if verb is None or (moved and verb == "renew"):
            if modified:
                life.data = merged
            return None
        life.data = merged if request.owner in {None, owner} else {}
        life.owner = owner
        return self.close(at, by_login=verb == "login")

    def close(self, old: Id, *, by_login: bool) -> Id:
        grace = 0 if by_login else GRACE
        old.target, old.by_login = Id(old.life), by_login
        old.leads_until, old.forgotten_at = self.now + grace, self.now + grace + CLOSED_SECONDS
        return old.target

    # The rules

    @rule(target=requests, back=st.integers(0, 3), works=st.lists(WORKS, max_size=3))
    def open(self, back: int, works: list[Any]) -> Underway:
        header = list(self.ids)[-1 - min(back, len(self.ids) - 1)]
        session = self.world.manager.open(header)
        len(session)  # loads it now, not at the commit
        request = Underway(session, *self.resolve(self.ids[header]))
        for work in works:
            self.work(request, work)
        return request

    @rule(request=requests, work=WORKS)
    def work(self, request: Underway, work: Any) -> None:
        verb, key, value = work
        if verb == "put":
            request.session[key] = request.data[key] = value
        elif verb == "drop":
            request.session.pop(key, None)
            request.data.pop(key, None)
        else:
            count(request.session)
            request.steps += [request.changes(), increase]
            request.data = increase(request.data)
            request.base = dict(request.data)
        assert (dict(request.session), request.session.owner) == (request.data, request.owner)

    @rule(request=consumes(requests), verb=st.sampled_from([None, None, "renew", "login", "invalidate"]))
    def finish(self, request: Underway, verb: str | None) -> None:
        if verb == "invalidate":
            request.session.invalidate()
            ended = request.origin == "loaded" and self.end(request.at)
            expected: Any = "expiry" if ended else None
        else:
            if verb == "renew":
                request.session.renew()
            elif verb == "login":
                request.session.login("ann")
            expected = self.commit(request, verb)
        lines = list(self.world.manager.commit(request.session).cookies)
        if isinstance(expected, Id):
            (line,) = lines
            assert line.attributes.max_age is None
            self.ids[f"{line.name}={line.value}"] = expected
        else:
            assert is_expiry(lines) if expected == "expiry" else lines == []

    @precondition(lambda self: self.events_left)
    @rule(seconds=st.sampled_from([1, GRACE, CLOSED_SECONDS]))
    def wait(self, seconds: int) -> None:
        self.events_left -= 1
        self.world.clock.advance(seconds)

    @precondition(lambda self: self.events_left)
    @rule()
    def end_all(self) -> None:
        self.events_left -= 1
        lives = {at.life for at in self.ids.values() if at is not None}
        anns = [life for life in lives if life.alive and life.owner == "ann"]
        assert self.world.manager.end_all("ann") == len(anns)
        for life in anns:
            life.alive = False

    @invariant()
    def each_cookie_shows_what_the_model_says(self) -> None:
        for header, at in self.ids.items():
            _, present, _ = self.resolve(at)
            session = self.world.manager.open(header)
            expected = ({}, None) if present is None else (present.life.data, present.life.owner)
            assert (dict(session), session.owner) == expected


def _memory(stack: contextlib.ExitStack) -> MemoryStore:
    return MemoryStore()


def _sqlite(stack: contextlib.ExitStack) -> SQLiteStore:
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    return stack.enter_context(contextlib.closing(SQLiteStore(Path(folder) / "sessions.db")))


@pytest.mark.parametrize(("make_store", "number"), [(_memory, 120), (_sqlite, 60)], ids=["memory", "sqlite"])
def test_overlapping_requests_do_what_the_model_says(make_store, number):
    class Machine(Requests):
        pass

    Machine.make_store = staticmethod(make_store)
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=examples(number), stateful_step_count=40, deadline=None)
    )
