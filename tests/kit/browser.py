"""A browser straight in front of a manager, without HTTP: keeps cookies, and may have several requests underway."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from cookiesess import Session, SessionManager, SetCookie
from kit.constants import KEY
from kit.views import View


class Place(Protocol):
    """What has a manager, which may be another one later."""

    manager: SessionManager


class Browser:
    """Keeps cookies by name, and forgets them when it is told to.

    Args:
        place: The manager that it visits, or a world, whose manager may change.
        cookies: What it begins with: by name, or as a Cookie header.
    """

    def __init__(self, place: Place | SessionManager, cookies: Mapping[str, str] | str = "") -> None:
        self.place = place
        self.cookies: dict[str, str] = {}
        if isinstance(cookies, str):
            self.header = cookies
        else:
            self.cookies |= cookies

    @property
    def manager(self) -> SessionManager:
        """The manager it visits now."""
        return self.place if isinstance(self.place, SessionManager) else self.place.manager

    @manager.setter
    def manager(self, manager: SessionManager) -> None:
        self.place = manager

    @property
    def header(self) -> str:
        """The Cookie header of the next request."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    @header.setter
    def header(self, header: str) -> None:
        pairs = (pair.partition("=") for pair in header.split("; ") if pair)
        self.cookies = {name: value for name, _, value in pairs}
        assert self.header == header, f"a browser would not send {header!r}; give it to `manager.open` as it is"

    @property
    def token(self) -> str:
        """The value of its only cookie, or ``""``."""
        return self.header.partition("=")[2]

    def copy(self) -> Browser:
        """Another browser with the same cookies: a thief's, or this one's as it is now."""
        return Browser(self.place, self.cookies)

    def open(self, view: View = len, *, manager: SessionManager | None = None) -> Request:
        """Begin a request and run `view` in it; it loads the session now and is committed later."""
        return Request(self, view, manager or self.manager)

    def visit(self, view: View = len, *, manager: SessionManager | None = None) -> list[SetCookie]:
        """A whole request, by default to its own manager; returns the Set-Cookie lines."""
        return self.open(view, manager=manager).finish()

    def read(self, view: View = dict) -> Any:
        """What `view` would return in a request, by default all data; nothing is committed."""
        return view(self.manager.open(self.header))

    def owner(self) -> str | None:
        """Whose session a request would see."""
        return self.manager.open(self.header).owner

    def keep(self, lines: Iterable[SetCookie]) -> None:
        """Take over what a response sets, and forget what it expires."""
        for line in lines:
            if line.attributes.max_age == 0:
                self.cookies.pop(line.name, None)
            else:
                self.cookies[line.name] = line.value


class Request:
    """A request underway."""

    def __init__(self, browser: Browser, view: View, manager: SessionManager) -> None:
        self.browser = browser
        self.manager = manager
        self.session: Session = manager.open(browser.header)
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


def cookie_of(view: View, **settings: Any) -> str:
    """Return the Cookie header of a session that `view` filled."""
    browser = Browser(SessionManager(KEY, **settings))
    browser.visit(view)
    return browser.header


def lives(browser: Browser) -> bool:
    """Whether a request would see a session with something in it."""
    return bool(browser.read())
