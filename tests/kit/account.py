"""Somebody with a device in front of the account page, without a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import webtest

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

LAPTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.5 Mobile/15E148 Safari/604.1"
)
PASSWORD = "green tea"


class Device:
    """A browser without scripts.

    Attributes:
        page: The answer that is looked at, a `webtest.TestResponse`.
    """

    def __init__(self, app: WSGIApplication, agent: str = LAPTOP) -> None:
        self.app = webtest.TestApp(app, extra_environ={"REMOTE_ADDR": "127.0.0.1", "HTTP_USER_AGENT": agent})
        self.page: Any = None

    def look(self, path: str = "/") -> Device:
        """Go to a page, and on to where it leads."""
        self.page = self.app.get(path, expect_errors=True).maybe_follow(expect_errors=True)
        return self

    def send(self, path: str, **fields: str) -> Any:
        """Post a form with the token of the page that is looked at, unless another is given; return the answer."""
        fields.setdefault("csrf_token", self.token)
        return self.app.post(path, fields, expect_errors=True)

    def fill_in(self, path: str, **fields: str) -> Device:
        """Go to the page of a form, send it, and go on to where the answer leads."""
        self.look(path)
        self.page = self.send(path.partition("?")[0], **fields).maybe_follow(expect_errors=True)
        return self

    def log_in(self, user: str = "ann", password: str = PASSWORD, **fields: str) -> Device:
        """Log in by the form; with ``remember="on"`` for long."""
        return self.fill_in("/login", user=user, password=password, **fields)

    @property
    def token(self) -> str:
        """The CSRF token of the first form of the page."""
        found = self.page.html.find("input", {"name": "csrf_token"})
        return str(found["value"]) if found else ""

    @property
    def path(self) -> str:
        """Where the device has come to."""
        return str(self.page.request.path)

    @property
    def heading(self) -> str:
        """What the page says it is."""
        return str(self.page.html.find("h1").get_text(strip=True))

    @property
    def messages(self) -> list[str]:
        """The flash messages."""
        return [each.get_text(strip=True) for each in self.page.html.find_all(class_="message")]

    @property
    def rows(self) -> list[str]:
        """The devices on the list, with single blanks."""
        rows = self.page.html.find(class_="rows").find_all("li")
        return [" ".join(row.get_text(" ").split()) for row in rows]

    @property
    def logged_in(self) -> bool:
        """Whether the account page knows whose it is."""
        return self.look("/").heading == "Your account"

    @property
    def cookie(self) -> str | None:
        """The session's cookie."""
        value: str | None = self.app.cookies.get("session")
        return value

    def copy(self, app: WSGIApplication) -> Device:
        """Return another device with a copy of the cookie."""
        thief = Device(app)
        if self.cookie:
            thief.app.set_cookie("session", self.cookie)
        return thief
