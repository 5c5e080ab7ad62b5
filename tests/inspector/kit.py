"""Somebody in front of the inspector, without a browser."""

import webtest

HERE = {"REMOTE_ADDR": "127.0.0.1"}


def look(app, cookie):
    """Return somebody whose page answers a request with this Cookie header, and who keeps no cookies."""
    person = object.__new__(Person)
    person.page = webtest.TestApp(app, extra_environ={**HERE, "HTTP_COOKIE": cookie}).get("/inspect")
    return person


class Person:
    """Somebody in front of the page, who presses its buttons."""

    def __init__(self, app, agent="Mozilla/5.0 (X11; Linux) Firefox/140.0"):
        self.app = webtest.TestApp(app, extra_environ={**HERE, "HTTP_USER_AGENT": agent})
        self.look()

    def look(self):
        self.page = self.app.get("/inspect")
        return self.page

    def button(self, text):
        """Return the first button of that text, and the first form around it."""
        button = next(each for each in self.page.html.find_all("button") if each.text == text)
        return button, button.find_parent("form")

    def post(self, text, **fields):
        """Press a button, with other fields than the page's where some are given; return the answer."""
        button, form = self.button(text)
        sent = {each["name"]: each["value"] for each in form.find_all("input")}
        if "name" in button.attrs:
            sent[button["name"]] = button["value"]
        return self.app.post(button.get("formaction") or form["action"], {**sent, **fields}, expect_errors=True)

    def press(self, text, **fields):
        """The same, and follow it back to the page."""
        answer = self.post(text, **fields)
        assert answer.status_int == 303
        assert answer.location.endswith("//localhost/inspect")
        self.page = answer.follow()
        return self.page

    def part(self, name):
        """Return the text of one section of the page, with single blanks."""
        return " ".join(self.page.html.find("section", class_=name).get_text(" ").split())

    @property
    def outcome(self):
        return " ".join(self.page.html.find(class_="outcome").get_text(" ").split())

    @property
    def cookies(self):
        return dict(self.app.cookies)
