"""A site whose sessions are bound to devices: in a store, or in cookies with revocations."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest

from cookiesess import DeviceBinding, Session, SessionMiddleware, get_session
from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import BoundBrowser, ManualClock
from kit.constants import KEY, NAME

BOUND = f"{NAME}.bound"
KINDS = {"server": "store", "client": "revocations"}
BOUND_FOR = 300
SKEW = 60
LATE = BOUND_FOR + SKEW
"""After so many seconds a copy of all cookies is worth nothing."""


class KeptStore(MemoryStore):
    """One that is never full, as a store of revocations has to be."""

    evicts = False


class Site:
    """An app with a few pages, and its events."""

    def __init__(self, kind: str = "server", binding: DeviceBinding | None = None, **settings: Any) -> None:
        self.clock = ManualClock()
        self.events: list[Any] = []
        self.settings = {"clock": self.clock, "on_event": self.events.append, **settings}
        if kind in KINDS:
            self.store = self.settings.setdefault(KINDS[kind], KeptStore())
        self.seen: list[str] = []
        self.middleware = SessionMiddleware(self.app, KEY, binding=binding or DeviceBinding(), **self.settings)
        self.manager = self.middleware.manager

    def app(self, environ: Any, start_response: Any) -> list[bytes]:
        path, said = environ["PATH_INFO"], dict(parse_qsl(environ["QUERY_STRING"]))
        self.seen.append(path)
        session = get_session(environ)
        result = PAGES[path.lstrip("/")](session, said)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(result).encode()]

    def browser(self, *, knows: bool = True) -> BoundBrowser:
        return BoundBrowser(self.middleware, clock=self.clock, knows=knows)

    def named(self, name: str) -> list[Any]:
        """The events of a name."""
        return [event for event in self.events if event.name == name]


def begin(session: Session, said: dict[str, str]) -> None:
    session.login(said.get("owner", "ann"))


def write(session: Session, said: dict[str, str]) -> None:
    session.update(said)


def read(session: Session, _: Any) -> dict[str, Any]:
    return {"owner": session.owner, "data": dict(session), "bound": session.bound, "new": session.is_new}


def renew(session: Session, _: Any) -> None:
    session.renew()


def leave(session: Session, _: Any) -> None:
    session.invalidate()


def check(session: Session, said: dict[str, str]) -> bool:
    return session.check_csrf(said["token"])


def saved(session: Session, said: dict[str, str]) -> None:
    begin(session, said)
    session.save()


def sudo(session: Session, _: Any) -> list[bool]:
    hour = timedelta(hours=1)
    return [session.authenticated_within(hour), session.authenticated_within(hour, bound=True)]


def sudo_saved(session: Session, said: dict[str, str]) -> list[bool]:
    saved(session, said)
    return sudo(session, said)


PAGES = {
    "login": begin,
    "write": write,
    "read": read,
    "renew": renew,
    "logout": leave,
    "csrf": lambda session, _: session.csrf_token(),
    "check": check,
    "saved": saved,
    "sudo": sudo,
    "sudo_saved": sudo_saved,
    "nothing": lambda session, _: None,
}


def page(browser: BoundBrowser, path: str) -> Any:
    """What a page says."""
    answer = browser.get(f"/{path}")
    assert answer.status == 200
    return json.loads(answer.body)


def owner(browser: BoundBrowser) -> str | None:
    """Whose session a request sees."""
    seen: str | None = page(browser, "read")["owner"]
    return seen


def identifier(browser: BoundBrowser) -> str:
    """The name of the only binding that a browser keeps."""
    (only,) = browser.kept
    return only


def bound(site: Site) -> BoundBrowser:
    """A browser that is logged in and bound, with the binding in effect for longer than the grace."""
    browser = site.browser()
    page(browser, "login")
    page(browser, "write?cart=tea")
    site.clock.advance(11)
    assert page(browser, "read")["bound"]
    site.events.clear()
    return browser


@pytest.fixture(params=list(KINDS))
def site(request: Any) -> Site:
    return Site(request.param)
