"""Where things are on the inspector's page: buttons, what came of them, marks, and what words mean."""

from datetime import timedelta
from itertools import pairwise

import pytest

from browser.inspecting import DESKTOP, PHONE, Desk
from examples.inspector.app import make_inspector
from kit.constants import KEY

IN_SIGHT = """button => {
  const [box, told] = [button, document.querySelector('.outcome')].map(each => each.getBoundingClientRect());
  const seen = each => each.top >= 0 && each.bottom <= innerHeight;
  return seen(box) && seen(told) && told.bottom <= box.top;
}"""


@pytest.fixture
def url(serve, store, clock):
    return serve(make_inspector(KEY, overflow=store, revocations=store, clock=clock))


@pytest.fixture
def open_desk(chromium, url):
    """A page of that size, without JavaScript."""
    contexts = []

    def open_desk(size):
        contexts.append(chromium.new_context(viewport=size, java_script_enabled=False))
        return Desk(contexts[-1].new_page(), url)

    yield open_desk
    for context in contexts:
        context.close()


def test_on_a_phone_the_buttons_come_before_what_they_change(open_desk):
    page = open_desk(PHONE).set("name", "x").page
    parts = ["details.start", "section.actions", "section.browser", "section.server", "section.events"]
    tops = [page.locator(part).bounding_box()["y"] for part in parts]
    assert tops == sorted(tops)
    order = page.evaluate("parts => [...document.querySelectorAll(parts.join())].map(each => each.className)", parts)
    assert order == ["start", "actions", "browser", "server", "events"]  # for who has it read aloud


@pytest.mark.parametrize("text", ["Set", "Grow by 1 KB", "Log in as ann", "Renew", "Flash", "Replay", "Flip a bit"])
def test_on_a_phone_the_page_stays_where_the_button_was_pressed_and_says_what_it_did(open_desk, text):
    desk = open_desk(PHONE).set("name", "x").set("name", "y")
    desk.press(text)
    button = desk.page.get_by_role("button", name=text).first
    assert button.evaluate(IN_SIGHT)


def test_on_a_phone_a_session_is_ended_without_losing_ones_place(open_desk):
    desk = open_desk(PHONE).press("Log in as ann", "End all others")
    assert desk.page.get_by_role("button", name="End all others").evaluate(IN_SIGHT)


@pytest.mark.parametrize("text", ["Set", "Log in as ann", "Flip a bit"])
def test_on_a_desktop_the_page_does_not_move_for_a_button_of_the_first_screen(open_desk, text):
    desk = open_desk(DESKTOP).set("name", "x")
    desk.press(text)
    assert desk.page.evaluate("scrollY") == 0
    assert desk.page.locator(".outcome").is_visible()


@pytest.mark.parametrize("minutes", [0, 0.5, 1, 5, 9])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_mark_on_the_time_line_covers_another(open_desk, clock, width, minutes):
    desk = open_desk({"width": width, "height": 900}).press("Log in as ann")
    clock.advance(timedelta(minutes=minutes))
    page = desk.look().page
    boxes = sorted((each.bounding_box() for each in page.locator(".line .marker").all()), key=lambda box: box["x"])
    assert len(boxes) == 6
    for left, right in pairwise(boxes):
        assert left["x"] + left["width"] <= right["x"]
    line = page.locator(".line").bounding_box()
    assert line["x"] - 10 <= boxes[0]["x"]
    assert boxes[-1]["x"] <= line["x"] + line["width"] + 10


def test_what_the_words_mean_is_folded_and_opens_without_javascript(open_desk):
    page = open_desk(PHONE).set("name", "x").page
    for words in page.locator("details.words").all():
        if not words.is_visible():
            continue  # within a start that is folded itself
        assert not words.locator("dl").is_visible()
        words.locator("summary").click()
        assert words.locator("dl").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_where_to_start_is_open_until_something_was_tried(open_desk):
    desk = open_desk(DESKTOP)
    steps = desk.page.locator(".start > ol")
    assert steps.is_visible()
    desk.page.get_by_role("link", name="Log in as ann").click()
    assert desk.page.url.endswith("#do-identity")
    desk.press("Log in as ann")
    assert not steps.is_visible()
    assert desk.page.get_by_text("1 of 4 tried").is_visible()
