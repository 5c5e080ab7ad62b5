"""The pages of the documentation in a real browser: how long they are, and whether they fit a phone.

How high a page is depends on the machine's fonts. Of those that are common, DejaVu Sans is the widest.
"""

import pytest

from browser.inspecting import DESKTOP
from docs.building import built_once
from docs.pages import PAGES, name_of

NARROW = {"width": 375, "height": 812}
SCREENS = {"api/manager": 2.44}
"""How many screens a page may be long that cannot do with two: that class has all settings."""
SHORT = ["index", "api", *(name_of(path) for path in PAGES if path.parent.name == "api")]
SIDEWAYS = "document.querySelector('.content').scrollWidth - document.querySelector('.content').clientWidth"
CUT = """[...document.querySelectorAll('.stacked, .stacked-on-a-phone')].filter(
  each => each.scrollWidth > each.clientWidth).map(each => each.textContent.slice(0, 60))"""


@pytest.fixture(scope="module")
def open_page(chromium, tmp_path_factory):
    """Show a page of the site in a window of that size, of which there is one for all pages."""
    *_, site = built_once(tmp_path_factory)
    windows = {}

    def open_page(name, size):
        if size["width"] not in windows:
            windows[size["width"]] = chromium.new_context(viewport=size).new_page()
        windows[size["width"]].goto(f"file://{site}/{name}.html")
        return windows[size["width"]]

    yield open_page
    for window in windows.values():
        window.context.close()


@pytest.mark.parametrize("name", SHORT)
def test_the_front_page_and_each_page_of_the_api_is_two_screens_at_most(open_page, name):
    height = open_page(name, DESKTOP).evaluate("document.documentElement.scrollHeight")
    assert height <= SCREENS.get(name, 2) * DESKTOP["height"], "split the page, or say less on it"


@pytest.mark.parametrize("name", [name_of(path) for path in PAGES])
def test_on_a_phone_a_page_does_not_scroll_sideways_and_a_table_with_much_text_is_not_cut(open_page, name):
    page = open_page(name, NARROW)
    assert page.evaluate(SIDEWAYS) == 0
    assert page.evaluate(CUT) == []
