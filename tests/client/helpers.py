"""What the tests of client-side sessions share: stores that can be watched, and a browser with several cookies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from server.helpers import KEY, LIFETIME, Probe, View, every, login, put

from cookiesess import CookiePolicy, Session, SessionManager, SetCookie
from cookiesess.events import Event
from cookiesess.testing import ManualClock

NAME = "__Host-session"
REF = f"{NAME}.ref"
MAX_BYTES = 512
SMALL = CookiePolicy(max_bytes=MAX_BYTES)
LIMIT_BYTES = 4093
BIG = "x" * 1000
"""More than a cookie of `SMALL` holds."""


@dataclass
class World:
    """One overflow store, one store of revocations, a clock, the events, and a manager in front of it all."""

    overflow: Probe
    revocations: Probe
    settings: dict[str, Any] = field(default_factory=dict)
    clock: ManualClock = field(default_factory=ManualClock)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.manager = self.make_manager()

    @property
    def now(self) -> int:
        return int(self.clock())

    @property
    def probes(self) -> tuple[Probe, Probe]:
        return self.overflow, self.revocations

    def make_manager(self, keys: Any = KEY, **settings: Any) -> SessionManager:
        defaults = {"lifetime": LIFETIME, "cookie": SMALL, "clock": self.clock, "on_event": self.events.append}
        return SessionManager(keys, **{**defaults, **self.settings, **settings})

    def use(self, keys: Any = KEY, **settings: Any) -> SessionManager:
        """Go on with a manager of other settings."""
        self.manager = self.make_manager(keys, **settings)
        return self.manager

    def with_overflow(self, **settings: Any) -> World:
        return self._with(overflow=self.overflow, **settings)

    def with_revocations(self, **settings: Any) -> World:
        return self._with(revocations=self.revocations, **settings)

    def with_both(self, **settings: Any) -> World:
        return self._with(overflow=self.overflow, revocations=self.revocations, **settings)

    def _with(self, **settings: Any) -> World:
        self.settings |= settings
        self.manager = self.make_manager()
        return self

    def browser(self, *views: View) -> Browser:
        """A browser that has made one request for each of `views`; what these called and emitted is forgotten."""
        browser = Browser(self)
        for view in views:
            browser.visit(view)
        self.forget()
        return browser

    def forget(self) -> None:
        """Forget the calls and the events so far."""
        for probe in self.probes:
            probe.taken()
        self.events.clear()

    def names(self) -> list[str]:
        """The names of the events since they were asked for last."""
        names = [event.name for event in self.events]
        self.events.clear()
        return names


class Browser:
    """Keeps cookies by name as a browser does, and may have several requests underway."""

    def __init__(self, world: World, cookies: dict[str, str] | None = None) -> None:
        self.world = world
        self.cookies = dict(cookies or {})

    def copy(self) -> Browser:
        """Another browser with the same cookies: a thief's, or this one's as it is now."""
        return Browser(self.world, self.cookies)

    @property
    def header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def open(self, view: View = len) -> Request:
        """Begin a request and run `view` in it; it loads the session now and is committed later."""
        return Request(self, view)

    def visit(self, view: View = len) -> list[SetCookie]:
        """A whole request; returns its Set-Cookie lines."""
        return self.open(view).finish()

    def read(self) -> dict[str, Any]:
        """What a request would see; nothing is committed."""
        return dict(self.world.manager.open(self.header))

    def owner(self) -> str | None:
        """Whose session a request would see."""
        return self.world.manager.open(self.header).owner

    def keep(self, lines: list[SetCookie]) -> None:
        for line in lines:
            if line.attributes.max_age == 0:
                self.cookies.pop(line.name, None)
            else:
                self.cookies[line.name] = line.value


class Request:
    """A request underway."""

    def __init__(self, browser: Browser, view: View = len) -> None:
        self.browser = browser
        self.manager = browser.world.manager
        self.session: Session = self.manager.open(browser.header)
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


def sizes(lines: list[SetCookie]) -> list[int]:
    """How long each line is, as it goes out."""
    return [len(line.line) for line in lines]


def issued(lines: list[SetCookie]) -> list[str]:
    """The names of the cookies that are set."""
    return [line.name for line in lines if line.attributes.max_age != 0]


def expired(lines: list[SetCookie]) -> list[str]:
    """The names of the cookies that are to be forgotten."""
    return [line.name for line in lines if line.attributes.max_age == 0]


def lives(browser: Browser) -> bool:
    """Whether a request would see a session with something in it."""
    return browser.read() != {}


def signed_in(world: World, count: int = 1, owner: str = "ann") -> list[Browser]:
    """So many browsers of one owner."""
    return [world.browser(every(login(owner), put("a", 1))) for _ in range(count)]


anonymous = every(put("a", 1), put("b", 2))
owned = every(login("ann"), anonymous)
OWNERS = pytest.mark.parametrize("begin", [anonymous, owned], ids=["anonymous", "ann's"])
"""Of a session without an owner, and of one with; in both there are two keys."""
