"""Draws the pictures of the inspector and of the account page that README and docs show: `make pictures`."""

import logging
import tempfile
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import sync_playwright

from browser.account import Device
from browser.conftest import ARGUMENTS, CHROMIUM
from cookiesess.stores.sqlite import SQLiteStore
from cookiesess.testing import ManualClock
from examples.account.flask_app import make_app
from examples.inspector.app import make_inspector
from kit.account import LAPTOP, PHONE
from kit.constants import KEY
from kit.serving import serving

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PICTURES = {
    "inspector": ({"width": 1280, "height": 1370}, "light"),
    "inspector-dark": ({"width": 1280, "height": 1370}, "dark"),
    "inspector-phone": ({"width": 390, "height": 844}, "dark"),
}

DESKTOP, NARROW = {"width": 960, "height": 560}, {"width": 360}
OFFICE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"


def live_through(page, clock):
    """Leave behind what there is to see in the fifth minute of a visit: what was just pressed, and what came before."""

    def press(*texts):
        for text in texts:
            with page.expect_navigation():
                page.get_by_role("button", name=text, exact=True).first.click()

    def pass_seconds(seconds):
        clock.advance(timedelta(seconds=seconds))

    pass_seconds(40)
    press("Set")
    pass_seconds(35)
    press("Append to a nested list")
    pass_seconds(75)
    press("Append to a nested list")
    pass_seconds(95)
    press("Log in as ann")


def draw(browser, name, folder):
    size, scheme = PICTURES[name]
    store, clock = SQLiteStore(folder / f"{name}.db"), ManualClock()
    inspector = make_inspector(KEY, overflow=store, revocations=store, clock=clock)
    with serving(inspector) as url, browser.new_context(viewport=size, color_scheme=scheme) as context:
        page = context.new_page()
        page.goto(f"{url}/inspect")
        live_through(page, clock)
        page.screenshot(path=IMAGES / f"{name}.png")
    store.close()


# The account page


def login(device, clock):
    device.page.get_by_label("Name").fill("ann")
    device.page.get_by_label("Remember me").check()


def overview(device, clock):
    device.log_in()


def devices(device, clock):
    device.log_in().go("/").go("/devices")


def confirm(device, clock):
    device.log_in()
    clock.advance(timedelta(minutes=3))
    device.go("/email")


def warning(device, clock):
    device.log_in().go("/").go("/devices")
    clock.advance(timedelta(seconds=215))
    device.show_again()
    device.page.get_by_role("alert").wait_for()


ACCOUNT_PICTURES = {
    "account": (DESKTOP, "light", overview),
    "account-devices": (DESKTOP, "light", devices),
    "account-devices-dark": (DESKTOP, "dark", devices),
    "account-login-phone": ({**NARROW, "height": 600}, "light", login),
    "account-confirm-phone": ({**NARROW, "height": 460}, "light", confirm),
    "account-warning-phone": ({**NARROW, "height": 700}, "dark", warning),
}


def draw_account(browser, name, folder):
    size, scheme, act = ACCOUNT_PICTURES[name]
    store, clock = SQLiteStore(folder / f"{name}.db"), ManualClock()
    with serving(make_app(KEY, store=store, clock=clock)) as url:
        for agent in (OFFICE, PHONE):  # ann's other devices, of some time ago
            with browser.new_context(user_agent=agent) as context:
                Device(context, url).log_in(remember=True)
            clock.advance(timedelta(hours=26))
        with browser.new_context(viewport=size, color_scheme=scheme, user_agent=LAPTOP) as context:
            device = Device(context, url).go("/login")
            act(device, clock)
            device.page.evaluate("document.activeElement.blur()")
            device.page.mouse.move(0, 0)
            device.page.screenshot(path=IMAGES / f"{name}.png")
    store.close()


def main():
    logging.disable()  # that a session is near its limit is meant to be so
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name in PICTURES:
            draw(browser, name, Path(folder))
        for name in ACCOUNT_PICTURES:
            draw_account(browser, name, Path(folder))
        browser.close()


if __name__ == "__main__":
    main()
