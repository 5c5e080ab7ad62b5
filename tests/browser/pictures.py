"""Draws the pictures of the inspector that README and docs show: `make pictures`."""

import logging
import tempfile
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import sync_playwright

from browser.conftest import ARGUMENTS, CHROMIUM
from cookiesess.stores.sqlite import SQLiteStore
from cookiesess.testing import ManualClock
from examples.inspector.app import make_inspector
from kit.constants import KEY
from kit.serving import serving

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PICTURES = {
    "inspector": ({"width": 1280, "height": 1370}, "light"),
    "inspector-dark": ({"width": 1280, "height": 1370}, "dark"),
    "inspector-phone": ({"width": 390, "height": 844}, "dark"),
}


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


def main():
    logging.disable()  # that a session is near its limit is meant to be so
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name in PICTURES:
            draw(browser, name, Path(folder))
        browser.close()


if __name__ == "__main__":
    main()
