"""Somebody in front of the inspector, without a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import webtest

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

HERE = {"REMOTE_ADDR": "127.0.0.1"}


def look(app: WSGIApplication, cookie: str) -> Person:
    """Return somebody whose page answers a request with this Cookie header, and who keeps no cookies."""
    person = object.__new__(Person)
    person.page = webtest.TestApp(app, extra_environ={**HERE, "HTTP_COOKIE": cookie}).get("/inspect")
    return person


class Person:
    """Somebody in front of the page, who presses its buttons.

    Attributes:
        page: The answer that is looked at, a `webtest.TestResponse`.
    """

    def __init__(self, app: WSGIApplication, agent: str = "Mozilla/5.0 (X11; Linux) Firefox/140.0") -> None:
        self.app = webtest.TestApp(app, extra_environ={**HERE, "HTTP_USER_AGENT": agent})
        self.page: Any = self.look()

    def look(self) -> Any:
        """Load the page again, and return it."""
        self.page = self.app.get("/inspect")
        return self.page

    def button(self, text: str) -> tuple[Any, Any]:
        """Return the first button of that text, and the first form around it."""
        button = next(each for each in self.page.html.find_all("button") if each.text == text)
        return button, button.find_parent("form")

    def post(self, text: str, **fields: str) -> Any:
        """Press a button, with other fields than the page's where some are given; return the answer."""
        button, form = self.button(text)
        sent = {each["name"]: each["value"] for each in form.find_all("input")}
        if "name" in button.attrs:
            sent[button["name"]] = button["value"]
        return self.app.post(button.get("formaction") or form["action"], {**sent, **fields}, expect_errors=True)

    def press(self, text: str, **fields: str) -> Any:
        """The same, of a button that is on, and follow it back to the page, to where the button is."""
        assert "disabled" not in self.button(text)[0].attrs
        answer = self.post(text, **fields)
        assert answer.status_int == 303
        address, _, place = answer.location.partition("#")
        assert address.endswith("//localhost/inspect")
        assert self.look().html.find(id=place)
        return self.page

    def part(self, name: str) -> str:
        """Return the text of one section of the page, with single blanks."""
        return _words(self.page.html.find("section", class_=name))

    @property
    def outcome(self) -> str:
        """What the page says came of the button: for its user, and as the log has it."""
        return _words(self.page.html.find(class_="outcome"))

    @property
    def said(self) -> str:
        """What it says for its user."""
        return _words(self.page.html.select_one(".outcome p"))

    @property
    def logged(self) -> str:
        """What it says as the log has it."""
        return _words(self.page.html.select_one(".outcome .log"))

    @property
    def marked(self) -> list[str]:
        """What the page marks as new or changed: each row's text."""
        return [_words(each.find_parent(["tr", "li", "div"])) for each in self.page.html.find_all("mark")]

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies by name."""
        return dict(self.app.cookies)


def _words(element: Any) -> str:
    return " ".join(element.get_text(" ").split())
