"""One request of the state machine of overlapping requests: by the library, and by the model."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from hypothesis.stateful import (
    RuleBasedStateMachine,
)

from cookiesess import Lifetime, Session, SessionManager
from cookiesess.events import WriteDropped
from kit.constants import ABSOLUTE, IDLE
from kit.lines import is_expiry, is_issue
from kit.probe import Probe
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


@dataclass(eq=False)
class Underway:
    """A request that has loaded its session, and the model of it."""

    host: int
    session: Session
    model: Request


class Exchanges(RuleBasedStateMachine):
    """Where the sessions are, and how one request is made by the library and by the model.

    Attributes:
        interruptible: The steps at the store before which another request may run.
        ids: What each Cookie header is in the model.
        browsers: The headers that browsers have, the last one last.
        tokens: Each token that was rendered, and its secret in the model.
    """

    interruptible: ClassVar[Sequence[str]] = ("update", "delete", "touch")
    make_store: Any

    def __init__(self) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()
        self.world = self.make_world()
        self.ids: dict[str, Id | None] = {"": None}
        self.browsers = [""]
        self.tokens: list[tuple[str, object]] = []
        self.events_left = 5  # so that most steps are those of requests
        self.steps = 0

    def teardown(self) -> None:
        self.stack.close()

    # Where the sessions are

    def make_world(self) -> World:
        return World(self.make_store(self.stack), lifetime=LIFETIME)

    @property
    def probe(self) -> Probe:
        return self.world.probe

    def identified(self, life: Life) -> Id:
        return Id(life)

    def model(self, at: Any, host: int) -> Request:
        return Request(at, self.now(host))

    def met(self, at: Any, host: int) -> Any:
        return arrive(at, self.now(host))

    def end_in_the_model(self, owner: str) -> int | None:
        """End all sessions of an owner; return how many that were, if anybody can know."""
        lives = {at.life for at in self.ids.values() if at is not None}
        theirs = [life for life in lives if life.alive and life.owner == owner]
        for life in theirs:
            life.alive = False
        return len(theirs)

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
        return Underway(host, session, self.model(self.ids[header], host))

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
        elif verb == "clear":
            session.clear()
            model.data.clear()
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
