"""Somebody's browser in front of the account page, for the tests and for the pictures."""

from kit.account import PASSWORD

SHOWN_AGAIN = "() => document.dispatchEvent(new Event('visibilitychange'))"


class Device:
    """A browser of somebody's, and what went wrong in it."""

    def __init__(self, context, url):
        self.page, self.url, self.troubles = context.new_page(), url, []
        self.page.on("console", lambda message: self.troubles.append(message.text))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("request", lambda each: each.url.startswith(url) or self.troubles.append(each.url))

    def go(self, path):
        self.page.goto(self.url + path)
        return self

    def press(self, name):
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name, exact=True).first.click()
        return self

    def log_in(self, *, remember=False):
        self.go("/login")
        self.page.get_by_label("Name").fill("ann")
        self.page.get_by_label("Password").fill(PASSWORD)
        if remember:
            self.page.get_by_label("Remember me").check()
        return self.press("Log in")

    def show_again(self):
        """Have the page hear that its tab is shown again, so that it asks the server how long is left."""
        self.page.wait_for_load_state("networkidle")  # it also asks as it is loaded
        self.page.evaluate(SHOWN_AGAIN)

    @property
    def heading(self):
        return self.page.get_by_role("heading", level=1).inner_text()
