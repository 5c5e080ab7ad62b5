"""What the tests of server-side sessions share: browsers, requests that overlap, and a store that can be watched."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cookiesess import CookiePolicy, Keyring, Lifetime, Session, SessionManager, SetCookie, StoreUnavailable
from cookiesess.events import Event
from cookiesess.stores.base import Store
from cookiesess.testing import ManualClock

KEY = "the current key of the tests: more than 32 bytes"
OTHER_KEY = "another key which is as long as it has to be"
NAME = "__Host-session"
PERSISTENT = CookiePolicy(persistent=True)
LIFETIME = Lifetime(idle=timedelta(hours=10), absolute=timedelta(hours=20), refresh_after=timedelta(hours=1))
REFRESH, IDLE, ABSOLUTE, GRACE = 3600, 36_000, 72_000, 10
CAUSE = "the test has taken the store down"
SECONDS = 30  # for how long a thread waits for another before its test fails

View = Callable[[Session], Any]


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

    indexes_owners = True
    create = _verb("create")
    load = _verb("load")
    load_many = _verb("load_many")
    update = _verb("update")
    touch = _verb("touch")
    delete = _verb("delete")
    delete_expired = _verb("delete_expired")
    records_of = _verb("records_of")
    VERBS = ("create", "load", "load_many", "update", "touch", "delete", "delete_expired", "records_of")

    def __init__(self, inner: Store) -> None:
        self.inner = inner
        self.calls: list[str] = []
        self.down: set[str] = set()
        self.before: dict[str, deque[Callable[[], object]]] = {}
        self.after: dict[str, deque[Callable[[], object]]] = {}
        self.answer: Callable[[str, Any, Callable[[], Any]], Any] | None = None

    def run(self, verb: str, *args: Any, **keywords: Any) -> Any:
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
        self.inner.close()


def _run_next(actions: deque[Callable[[], object]] | None) -> None:
    if actions:
        actions.popleft()()


@dataclass
class World:
    """One store with its clock, its events and a manager in front of it."""

    probe: Probe
    clock: ManualClock = field(default_factory=ManualClock)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.manager = self.make_manager()

    @property
    def now(self) -> int:
        return int(self.clock())

    def make_manager(self, keys: Any = KEY, **settings: Any) -> SessionManager:
        settings = {"lifetime": LIFETIME, "store": self.probe, **settings}
        return SessionManager(keys, clock=self.clock, on_event=self.events.append, **settings)

    def use(self, keys: Any = KEY, **settings: Any) -> SessionManager:
        """Go on with a manager of other settings."""
        self.manager = self.make_manager(keys, **settings)
        return self.manager

    def browser(self, view: View | None = None, *, header: str = "") -> Browser:
        """A browser, with the session that `view` has filled."""
        browser = Browser(self, header)
        if view is not None:
            browser.visit(view)
        self.probe.taken()
        self.events.clear()
        return browser

    def names(self) -> list[str]:
        """The names of the events so far."""
        return [event.name for event in self.events]

    def taken_events(self) -> list[Event]:
        events = self.events[:]
        self.events.clear()
        return events


class Browser:
    """Keeps the session cookie as a browser does, and may have several requests underway."""

    def __init__(self, world: World, header: str = "") -> None:
        self.world = world
        self.header = header

    def open(self, view: View = len) -> Request:
        """Begin a request and run `view` in it; it loads the session now and is committed later."""
        return Request(self, view)

    def visit(self, view: View = len) -> list[SetCookie]:
        """A whole request; returns its Set-Cookie lines."""
        return self.open(view).finish()

    def read(self) -> dict[str, Any]:
        """What a request would see; nothing is committed."""
        return dict(self.world.manager.open(self.header))

    def keep(self, lines: list[SetCookie]) -> None:
        for line in lines:
            self.header = "" if line.attributes.max_age == 0 else f"{line.name}={line.value}"


class Request:
    """A request underway."""

    def __init__(self, browser: Browser, view: View = len) -> None:
        self.browser = browser
        self.manager = browser.world.manager
        self.session = self.manager.open(browser.header)
        view(self.session)

    def finish(self, view: View | None = None) -> list[SetCookie]:
        """Run `view`, commit, and return the Set-Cookie lines, which the browser keeps."""
        if view is not None:
            view(self.session)
        lines = list(self.manager.commit(self.session).cookies)
        self.browser.keep(lines)
        return lines

    def send_headers(self) -> list[SetCookie]:
        """As `finish`, with a body to follow."""
        lines = self.finish()
        self.manager.stream(self.session)
        return lines

    def close(self) -> None:
        """The body is done."""
        self.manager.close(self.session)


# Views


def put(key: str, value: Any) -> View:
    return lambda session: session.__setitem__(key, value)


def drop(key: str) -> View:
    return lambda session: session.__delitem__(key)


def append(key: str, value: Any) -> View:
    return lambda session: session[key].append(value)


def login(owner: str) -> View:
    return lambda session: session.login(owner)


def renew(session: Session) -> None:
    session.renew()


def invalidate(session: Session) -> None:
    session.invalidate()


def clear(session: Session) -> None:
    session.clear()


def persist(session: Session) -> None:
    session.persistent = True


def count(session: Session, key: str = "n") -> None:
    session.mutate(lambda data: data.update({key: data.get(key, 0) + 1}))


def every(*views: View) -> View:
    def view(session: Session) -> None:
        for each in views:
            each(session)

    return view


def ann(session: Session) -> None:
    """A session of Ann's with something in it."""
    session.login("ann")
    session["a"] = 1


def is_expiry(lines: list[SetCookie]) -> bool:
    return len(lines) == 1 and lines[0].attributes.max_age == 0


def in_threads(*actions: Callable[[], object]) -> list[object]:
    """Run each action in a thread of its own, all let go at once; return what they returned, in their order."""
    outcomes: dict[int, object] = {}
    errors: list[BaseException] = []
    gate = threading.Barrier(len(actions))

    def run(index: int, action: Callable[[], object]) -> None:
        try:
            gate.wait(SECONDS)
            outcomes[index] = action()
        except BaseException as error:  # noqa: BLE001 (it is raised again below, in the test's own thread)
            errors.append(error)

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    if errors:
        raise errors[0]
    assert len(outcomes) == len(actions), "a thread did not come back"
    return [outcomes[index] for index in range(len(actions))]


def rotated() -> Keyring:
    """The ring after a rotation: another key is current, the first one still accepted."""
    return Keyring(OTHER_KEY, accepted=[KEY])
