"""Somebody in front of the inspector, in a real browser."""

import re

from browser.conftest import listed

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


class Desk:
    """A page of the inspector, and what went wrong in it."""

    def __init__(self, page, url):
        self.page = page
        self.troubles = []
        page.on("console", lambda message: self.troubles.append(message.text))
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("request", lambda request: request.url.startswith(url) or self.troubles.append(request.url))
        page.on("response", lambda answer: answer.status < 400 or self.troubles.append(f"{answer.status} {answer.url}"))
        page.goto(f"{url}/inspect")

    def press(self, *texts):
        for text in texts:
            with self.page.expect_navigation():
                self.page.get_by_role("button", name=re.compile(f"^{re.escape(text)}(:|$)")).first.click()
        return self

    def set(self, key, value):
        self.page.get_by_label("Key", exact=True).fill(key)
        self.page.get_by_label("Value", exact=True).fill(value)
        return self.press("Set")

    def look(self):
        with self.page.expect_navigation():
            self.page.get_by_role("link", name="Look again").click()
        return self

    def part(self, heading):
        return self.page.get_by_role("region", name=heading).inner_text()

    @property
    def server(self):
        return self.page.locator("section.server").inner_text()

    @property
    def cookies(self):
        return {name: cookie["value"] for name, cookie in listed(self.page).items()}
