"""The inspector in a real browser: phone and desktop, light and dark, with sessions of every size."""

from itertools import product

import pytest

from browser.inspecting import DESKTOP, PHONE, Desk
from browser.looks import POOR_CONTRAST
from examples.inspector.app import make_inspector
from kit.constants import KEY

LOOKS = list(product([PHONE, DESKTOP], ["light", "dark"]))
NAMES = [f"{size['width']} {scheme}" for size, scheme in LOOKS]
# WCAG 2.2, success criterion 1.4.12: what readers may set, without anything being lost.
SPACED = "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }"
OVERLAPS = """() => {
  const boxes = row => [...row.children].map(each => each.getBoundingClientRect());
  const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const wide = each => each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).display !== 'inline';
  return [...document.querySelectorAll('.moments li, .listing tr, .rows li')]
    .filter(row => boxes(row).some((a, i, all) => all.some((b, j) => i < j && meet(a, b)))
      || [...row.children].some(wide))
    .map(row => row.textContent);
}"""


# What can be pressed or typed into now: not what is folded, and not what is off.
REACHABLE = """() => [...document.querySelectorAll('a, button:enabled, input:not([type=hidden]), summary')]
  .filter(each => each.checkVisibility()).length"""


@pytest.fixture
def url(serve, store):
    """The page as it is served by default."""
    return serve(make_inspector(KEY, overflow=store, revocations=store))


@pytest.fixture
def server_side_url(serve, store):
    return serve(make_inspector(KEY, store=store))


@pytest.fixture
def desk(chromium, url):
    with chromium.new_context(java_script_enabled=False) as context:
        yield Desk(context.new_page(), url)


def empty(desk):
    desk.look()


def small(desk):
    desk.set("<script>alert(1)</script>", "<script>alert(1)</script> 萧兮")
    desk.press("Append to a nested list", "Log in as ann")


def nearly_full(desk):
    desk.press("Grow by 1 KB", "Grow by 1 KB").set("note", "word " * 80)


def overflowing(desk):
    desk.press("Grow by 1 KB")


# What it takes to get there from the state before, what the page says then, and the session's cookie.
STATES = {
    empty: ("The session holds no data", "session"),
    small: ("<script>alert(1)</script> 萧兮", "session"),
    nearly_full: ("400 characters", "session"),
    overflowing: ("in the store; the cookie has its ID", "session.ref"),
}


@pytest.mark.parametrize(("size", "scheme"), LOOKS, ids=NAMES)
def test_the_page_is_whole_and_readable_whatever_the_session_holds(chromium, url, size, scheme):
    with chromium.new_context(viewport=size, color_scheme=scheme) as context:
        desk = Desk(context.new_page(), url)
        for reach, (text, cookie) in STATES.items():
            reach(desk)
            assert text in desk.server
            assert sorted(desk.cookies) == ["inspector", cookie]
            assert ("near the limit" in desk.part("In the browser")) == (reach is nearly_full)
            assert desk.page.evaluate("document.documentElement.scrollWidth") == size["width"]
            assert desk.page.evaluate(POOR_CONTRAST) == []
        assert desk.troubles == []


@pytest.mark.parametrize("width", [320, 390])
def test_nothing_overlaps_or_is_cut_on_a_narrow_screen_and_with_wider_text(chromium, server_side_url, width):
    size = {"width": width, "height": 800}
    with chromium.new_context(viewport=size, bypass_csp=True) as context:
        desk = Desk(context.new_page(), server_side_url)
        small(desk)
        for style in ("* {}", SPACED):
            desk.page.add_style_tag(content=style)
            assert desk.page.evaluate("document.documentElement.scrollWidth") == width
            assert desk.page.evaluate(OVERLAPS) == []


def test_light_and_dark_are_two_papers(chromium, url):
    papers = set()
    for scheme in ("light", "dark"):
        with chromium.new_context(color_scheme=scheme) as context:
            page = Desk(context.new_page(), url).page
            papers.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(papers) == 2


def test_each_marker_stands_on_the_line(desk):
    desk.look()
    line = desk.page.locator(".line").bounding_box()
    boxes = [marker.bounding_box() for marker in desk.page.locator(".line .marker").all()]
    assert len(boxes) == 5
    for box in boxes:
        assert line["x"] - 10 <= box["x"] <= line["x"] + line["width"] + 10


# Without JavaScript, in all that follows


def test_values_that_are_set_appended_grown_and_shrunk_are_in_the_browsers_cookie(desk):
    lengths = [len(desk.cookies["session"])]
    for step in (
        lambda: desk.set("name", "萧兮"),
        lambda: desk.press("Append to a nested list"),
        lambda: desk.press("Grow ×2"),
        lambda: desk.press("Grow by 1 KB"),
    ):
        step()
        lengths.append(len(desk.cookies["session"]))
    assert lengths == sorted(set(lengths))
    desk.press("Shrink")
    assert len(desk.cookies["session"]) < lengths[-1]


@pytest.mark.parametrize("button", ["Log in as ann", "Log in as bob", "Renew"])
def test_buttons_that_give_the_browser_a_new_session(desk, button):
    before = desk.set("name", "x").cookies
    after = desk.press(button).cookies
    assert after["session"] != before["session"]
    assert after["inspector"] == before["inspector"]
    assert "session.renewed" in desk.part("Events")


def test_after_a_logout_the_browser_has_another_session(desk):
    before = desk.press("Log in as ann").cookies
    after = desk.press("Log out").cookies
    assert after["session"] != before["session"]  # the page's forms need one
    assert "No session came with this request" in desk.server


def test_a_flash_message_is_shown_once(desk):
    desk.page.get_by_label("Text").fill("It is saved.")
    desk.press("Flash")
    assert desk.page.get_by_text("It is saved.").is_visible()
    assert desk.look().page.get_by_text("It is saved.").count() == 0


def test_a_flipped_bit_reaches_the_browser_and_is_found(desk):
    before = desk.set("name", "x").cookies["session"]
    with desk.page.expect_request(lambda request: request.is_navigation_request() and request.method == "GET") as next_:
        desk.press("Flip a bit")
    sent = next_.value.all_headers()["cookie"]
    (damaged,) = (pair.removeprefix("session=") for pair in sent.split("; ") if pair.startswith("session="))
    assert len([1 for a, b in zip(before, damaged, strict=True) if a != b]) == 1
    assert "The cookie does not open (forged)" in desk.server


def test_a_cookie_from_before_a_logout_is_refused(desk):
    desk.press("Log in as ann", "Log out")
    desk.look().press("Replay")
    assert "This session was ended before, and this is a copy of its cookie" in desk.server


def test_an_old_cookie_is_in_the_browser_again(desk):
    old = desk.set("name", "old").cookies["session"]
    assert desk.set("name", "new").cookies["session"] != old
    desk.press("Replay")
    assert desk.cookies["session"] == old
    assert "'old'" in desk.server


def test_a_session_is_ended_from_another_browser(chromium, server_side_url):
    with chromium.new_context() as one, chromium.new_context() as two:
        first, second = Desk(one.new_page(), server_side_url), Desk(two.new_page(), server_side_url)
        first.press("Log in as ann")
        second.press("Log in as ann")
        others = second.page.get_by_role("row").filter(has_text="Chrome on Linux").filter(has_not_text="this one")
        with second.page.expect_navigation():
            others.get_by_role("button", name="End").click()
        assert second.part("Sessions of ann").count("Chrome on Linux") == 1
        assert "The store has no record for this cookie" in first.look().server


def test_all_other_sessions_are_ended(chromium, url):
    with chromium.new_context() as one, chromium.new_context() as two:
        first, second = Desk(one.new_page(), url), Desk(two.new_page(), url)
        first.press("Log in as ann")
        second.press("Log in as ann", "End all others")
        assert "goes on with its session" in second.server
        assert "This session was ended before" in first.look().server


def test_everything_that_can_be_pressed_is_reached_by_the_tab_key(chromium, url):
    with chromium.new_context() as context:
        page = Desk(context.new_page(), url).set("name", "x").look().page
        count = page.evaluate(REACHABLE)
        page.locator("body").press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
        seen = set()
        for _ in range(count):
            seen.add(page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline == "solid"
            page.keyboard.press("Tab")
        assert len(seen) == count


def test_a_form_is_sent_by_the_keyboard_alone(desk):
    desk.page.get_by_label("Value", exact=True).fill("typed")
    with desk.page.expect_navigation():
        desk.page.keyboard.press("Enter")
    assert "'typed'" in desk.server
