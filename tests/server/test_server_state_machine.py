"""Several browsers with overlapping requests, on two hosts, in any order, against plain dicts as the oracle.

After every step each cookie that was ever handed out, also by an answer that was lost, must show exactly what the model
says: whose session it is, what is in it, and which forms are valid. A session that was ended never answers again,
nothing that was acknowledged is lost, and every login succeeds. The cookie lines and the dropped writes of each commit
are predicted as well. `server.oracle` knows the design's tables.
"""

import contextlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
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

from cookiesess import Lifetime, Session, SessionManager
from cookiesess.events import WriteDropped
from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore
from cookiesess.testing import ManualClock
from kit.constants import ABSOLUTE, IDLE
from kit.lines import is_expiry, is_issue
from kit.selection import examples
from kit.views import count
from kit.world import World
from server.oracle import GRACE, RENEW_AFTER, Id, Life, Outcome, Request, arrive

LIFETIME = Lifetime(
    idle=timedelta(seconds=IDLE),
    absolute=timedelta(seconds=ABSOLUTE),
    refresh_after=timedelta(seconds=RENEW_AFTER),
    renew_after=timedelta(seconds=RENEW_AFTER),
    renew_grace=timedelta(seconds=GRACE),
)
SKEW = 300
# Together less than a closed record lasts by any clock, or more by every clock: between them nobody could tell.
DUE = 1000
WAITS = st.sampled_from([1, GRACE, 50, DUE])
WORKS = st.tuples(st.sampled_from(["put", "put", "drop", "count", "form"]), st.sampled_from("abc"), st.integers(0, 3))
WORK_LISTS = st.lists(WORKS, max_size=3)
OWNERS = st.sampled_from(["ann", "bob"])
VERBS = st.sampled_from([None, None, "renew", "cycle", "ann", "bob", "invalidate"])
BACK, HOSTS = st.integers(0, 3), st.sampled_from([0, 1])
TOKENS = 4
"""How many of the tokens that were rendered last are tried with every cookie after every step."""


@dataclass(eq=False)
class Underway:
    """A request that has loaded its session, and the model of it."""

    host: int
    session: Session
    model: Request


class Requests(RuleBasedStateMachine):
    """The rules, of which each does the same to the library and to the model."""

    requests = Bundle("requests")
    make_store: Any

    def __init__(self) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()
        self.world = World(self.make_store(self.stack), lifetime=LIFETIME)
        self.ids: dict[str, Id | None] = {"": None}
        self.browsers = [""]
        self.tokens: list[tuple[str, object]] = []
        self.events_left = 5  # so that most steps are those of requests
        self.steps = 0

    @initialize(value=st.integers(0, 3), skew=st.sampled_from([0, SKEW, -SKEW]))
    def begin(self, value: int, skew: int) -> None:
        self.clocks = [self.world.clock, ManualClock(self.world.clock() + skew)]
        self.hosts = [self.world.manager, self.world.make_manager(clock=self.clocks[1])]
        browser = self.world.browser(lambda session: session.update(a=value))
        self.keep(browser.header, Id(Life({"a": value}, None, None, self.now(0))))

    def teardown(self) -> None:
        self.stack.close()

    # Both sides

    def now(self, host: int) -> float:
        return self.clocks[host]()

    def keep(self, header: str, at: Id, *, lost: bool = False) -> None:
        self.ids[header] = at
        if not lost:
            self.browsers.append(header)

    def load(self, header: str, host: int) -> Underway:
        manager: SessionManager = self.hosts[host]
        session = manager.open(header)
        len(session)  # loads it now, not at the commit
        return Underway(host, session, Request(self.ids[header], self.now(host)))

    def header(self, back: int) -> str:
        return self.browsers[-1 - min(back, len(self.browsers) - 1)]

    def do(self, request: Underway, work: Any) -> None:
        verb, key, value = work
        session, model = request.session, request.model
        if verb == "put":
            session[key] = model.data[key] = value
        elif verb == "drop":
            session.pop(key, None)
            model.data.pop(key, None)
        elif verb == "count":
            count(session)
            model.count()
        else:
            self.render(request)
        assert (dict(session), session.owner) == (model.data, model.owner)

    def render(self, request: Underway) -> None:
        token, secret = request.session.csrf_token(), request.model.token()
        assert request.session.check_csrf(token)
        self.tokens.append((token, secret))

    def end(
        self, request: Underway, verb: str | None, *, page: bool = False, lost: bool = False, prepare: Any = None
    ) -> str | None:
        """Have a request do `verb`, render a page, and be committed; return the header that its browser has then.

        `prepare` is called before the commit, and its result once the library has committed, before the model does.
        """
        session, model, manager = request.session, request.model, self.hosts[request.host]
        now = self.now(request.host)
        if verb == "invalidate":
            session.invalidate()
            expected = model.invalidate(now)
        else:
            model.ask(verb, now)
            if verb in {"renew", "cycle"}:
                getattr(session, verb)()
            elif verb is not None:
                session.login(verb)
            if page:
                self.render(request)
        settle: Callable[[], object] | None = None if prepare is None else prepare()
        lines = list(manager.commit(session).cookies)
        if settle is not None:
            settle()
        if verb != "invalidate":
            expected = model.commit(now)
        return self.compare(expected, lines, lost=lost)

    def compare(self, expected: Outcome, lines: list[Any], *, lost: bool) -> str | None:
        reasons = sorted(event.reason for event in self.world.taken_events() if isinstance(event, WriteDropped))
        assert reasons == sorted(expected.dropped)
        if not isinstance(expected.line, Id):
            assert is_expiry(lines) if expected.line == "expiry" else lines == []
            return None
        assert is_issue(lines)
        header = f"{lines[0].name}={lines[0].value}"
        self.keep(header, expected.line, lost=lost)
        return header

    # The rules

    @rule(target=requests, back=BACK, host=HOSTS, works=WORK_LISTS)
    def open(self, back: int, host: int, works: list[Any]) -> Underway:
        request = self.load(self.header(back), host)
        for work in works:
            self.do(request, work)
        return request

    @rule(request=requests, work=WORKS)
    def work(self, request: Underway, work: Any) -> None:
        self.do(request, work)

    @rule(request=consumes(requests), verb=VERBS, page=st.booleans(), lost=st.sampled_from([False, False, True]))
    def finish(self, request: Underway, verb: str | None, page: bool, lost: bool) -> None:
        self.end(request, verb, page=page, lost=lost)

    @rule(slow=consumes(requests), fast=consumes(requests), verb=VERBS, other=VERBS)
    def finish_in_the_middle_of_another(
        self, slow: Underway, fast: Underway, verb: str | None, other: str | None
    ) -> None:
        """The fast one runs between the steps of the slow one, just before that takes its effect at the store."""
        if slow is fast or verb == "invalidate":
            self.end(slow, verb)
            if fast is not slow:
                self.end(fast, other)
            return
        before = self.world.probe.before

        def interrupt() -> None:
            before.clear()
            self.end(fast, other)

        def prepare() -> Callable[[], object]:
            for step in ("update", "delete", "touch"):
                self.world.probe.once_before(step, interrupt)
            return settle

        def settle() -> None:
            self.interrupted = not before
            before.clear()

        self.end(slow, verb, prepare=prepare)
        if not self.interrupted:
            self.end(fast, other)

    @rule(
        back=BACK,
        hosts=st.tuples(HOSTS, HOSTS),
        works=st.tuples(WORK_LISTS, WORK_LISTS),
        verbs=st.tuples(VERBS, VERBS),
        page=st.booleans(),
        due=st.booleans(),
    )
    def race(self, back: int, hosts: Any, works: Any, verbs: Any, page: bool, due: bool) -> None:
        """Two requests of one browser load the same session, which may be due for a new ID."""
        if due and self.events_left:
            self.wait(DUE)
        requests = [self.load(self.header(back), host) for host in hosts]
        for request, steps, verb in zip(requests, works, verbs, strict=True):
            for work in steps:
                self.do(request, work)
            self.end(request, verb, page=page)

    @rule(back=BACK, hosts=st.tuples(HOSTS, HOSTS), works=WORK_LISTS, owner=OWNERS, lost=st.booleans())
    def double_click(self, back: int, hosts: tuple[int, int], works: list[Any], owner: str, lost: bool) -> None:
        """Both POSTs have loaded the session before either is committed; each logs the visitor in."""
        requests = [self.load(self.header(back), host) for host in hosts]
        for request, last in zip(requests, (False, True), strict=True):
            for work in works:
                self.do(request, work)
            header = self.end(request, owner, page=True, lost=lost and not last)
            assert header is not None
            assert self.hosts[request.host].open(header).owner == owner

    @rule(back=BACK, host=HOSTS, owner=OWNERS, times=st.integers(1, 3), seconds=WAITS)
    def lose_the_answer_of_a_login_and_try_again(
        self, back: int, host: int, owner: str, times: int, seconds: int
    ) -> None:
        header = self.header(back)
        for _ in range(times):
            assert self.end(self.load(header, host), owner, lost=True) is not None
        if self.events_left:
            self.wait(seconds)
        form = self.load(header, host)
        self.render(form)
        self.end(form, None)
        request = self.load(header, host)
        assert request.session.check_csrf(self.tokens[-1][0]) or request.model.met.origin != "replaced"
        assert self.end(request, owner) is not None

    @rule(back=BACK, host=HOSTS, owner=OWNERS, early=WORK_LISTS, late=VERBS, again=VERBS)
    def plant_an_id(
        self, back: int, host: int, owner: str, early: list[Any], late: str | None, again: str | None
    ) -> None:
        """Whoever planted an ID has requests underway while the victim logs in with it, and makes another one then."""
        header = self.header(back)
        planter, victim = self.load(header, host), self.load(header, host)
        leads_on = victim.model.loaded.owner == owner
        first = self.load(header, host)
        for work in early:
            self.do(first, work)
        self.end(first, None)
        self.do(planter, ("put", "b", 3))
        self.do(planter, ("form", "", 0))
        kept = self.end(victim, owner, page=True)
        assert kept is not None
        before = dict(self.hosts[host].open(kept))
        self.end(planter, late)
        second = self.load(header, host)
        self.do(second, ("put", "c", 3))
        self.end(second, again)
        session = self.hosts[host].open(kept)
        ended = leads_on and "invalidate" in (late, again)
        assert (session.owner, dict(session)) == ((None, {}) if ended else (owner, before))

    @precondition(lambda self: self.events_left)
    @rule(seconds=WAITS)
    def wait(self, seconds: int) -> None:
        self.events_left -= 1
        for clock in dict.fromkeys(self.clocks):
            clock.advance(seconds)

    @precondition(lambda self: self.events_left)
    @rule(owner=OWNERS, host=HOSTS)
    def end_all(self, owner: str, host: int) -> None:
        self.events_left -= 1
        lives = {at.life for at in self.ids.values() if at is not None}
        theirs = [life for life in lives if life.alive and life.owner == owner]
        assert self.hosts[host].end_all(owner) == len(theirs)
        for life in theirs:
            life.alive = False

    @invariant()
    def each_cookie_shows_what_the_model_says(self) -> None:
        self.steps += 1
        host = self.steps % 2
        for header, at in self.ids.items():
            met = arrive(at, self.now(host))
            session = self.hosts[host].open(header)
            loaded = met.at.life if met.origin == "loaded" else Life({}, None, None, 0)
            assert (dict(session), session.owner) == (loaded.data, loaded.owner)
            for token, secret in self.tokens[-TOKENS:]:
                assert session.check_csrf(token) is (met.secret is secret)
        self.world.forget()


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
