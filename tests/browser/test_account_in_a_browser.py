"""The account page in a real browser: two devices, phone and desktop, light and dark, its script, and the keyboard."""

import re
from datetime import timedelta

import pytest

from browser.looks import POOR_CONTRAST
from examples.account import flask_app, wsgi_app
from examples.account.shared import Users
from kit.account import LAPTOP, PASSWORD, PHONE
from kit.constants import KEY

APPS = {"flask": flask_app.make_app, "wsgi": wsgi_app.make_app}
NARROW, WIDE = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
PAGES = ["/", "/devices", "/password", "/email", "/confirm", "/nowhere"]
# WCAG 2.2, success criterion 2.5.5: what a finger hits. Links in a line of text may be smaller.
SMALL_TARGETS = """() => [...document.querySelectorAll(
    'button, nav a, .button, .rows a, .check, input:not([type=checkbox])')]
  .filter(each => each.checkVisibility() && each.getBoundingClientRect().height < 44)
  .map(each => each.outerHTML)"""
CUT = """() => [...document.querySelectorAll('body *')]
  .filter(each => each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).display !== 'inline'
    && !['INPUT', 'svg'].includes(each.tagName) && each.checkVisibility())
  .map(each => each.outerHTML.slice(0, 80))"""


@pytest.fixture(params=APPS)
def url(request, serve, store, clock):
    return serve(APPS[request.param](KEY, store=store, users=Users(cost=2), clock=clock))


@pytest.fixture
def flask_url(serve, store, clock):
    """The pages look the same with either app."""
    return serve(flask_app.make_app(KEY, store=store, users=Users(cost=2), clock=clock))


def test_one_of_two_devices_ends_the_other_which_hears_of_it(open_device, url):
    laptop, phone = open_device(url, user_agent=LAPTOP).log_in(), open_device(url, user_agent=PHONE).log_in()
    laptop.go("/devices").press("End Safari on iOS")
    assert laptop.page.get_by_role("status").inner_text() == "That device is logged out."
    with phone.page.expect_navigation():
        phone.show_again()
    assert phone.heading == "Log in"
    assert "You were logged out" in phone.page.get_by_role("status").inner_text()
    assert laptop.go("/").heading == "Your account"


def test_all_other_devices_are_ended(open_device, url):
    laptop, phone = open_device(url).log_in(), open_device(url).log_in(remember=True)
    laptop.go("/devices").press("End all others")
    assert phone.go("/").heading == "Log in"
    assert laptop.go("/").heading == "Your account"


def test_the_warning_comes_before_the_timeout_and_a_click_prolongs_the_login(open_device, url, clock):
    device = open_device(url).log_in()
    warning = device.page.get_by_role("alert")
    clock.advance(timedelta(minutes=4))
    device.show_again()
    warning.wait_for()
    assert re.search(r"Time left: (1:00|0:5\d)", warning.inner_text())
    with device.page.expect_response("**/session/stay") as stayed:
        device.page.get_by_role("button", name="Stay logged in").click()
    assert stayed.value.status == 200
    warning.wait_for(state="hidden")
    clock.advance(timedelta(minutes=2))
    assert device.go("/devices").heading == "Your devices"
    assert device.troubles == []


def test_a_page_whose_login_has_ended_leads_to_the_login_and_back(open_device, flask_url, clock):
    device = open_device(flask_url).log_in().go("/devices")
    clock.advance(timedelta(minutes=5))
    with device.page.expect_navigation():
        device.show_again()
    assert device.heading == "Log in"
    device.page.get_by_label("Name").fill("ann")
    device.page.get_by_label("Password").fill(PASSWORD)
    assert device.press("Log in").heading == "Your devices"


def test_the_script_says_nothing_while_there_is_no_connection(open_device, flask_url):
    device = open_device(flask_url).log_in()
    device.page.context.set_offline(True)
    with device.page.expect_event("requestfailed"):
        device.show_again()
    assert device.heading == "Your account"
    assert device.page.get_by_role("alert").is_hidden()


def test_the_back_button_shows_nothing_after_a_logout(open_device, flask_url):
    device = open_device(flask_url).log_in().go("/devices").press("Log out")
    device.page.go_back()
    assert device.heading == "Log in"


def test_a_remembered_login_outlives_the_window(open_device, flask_url):
    device = open_device(flask_url).log_in(remember=True)
    (cookie,) = device.page.context.cookies()
    assert cookie["httpOnly"]
    assert cookie["expires"] > 0
    (cookie,) = open_device(flask_url).log_in().page.context.cookies()
    assert cookie["expires"] == -1


def test_all_but_the_warning_works_without_scripts(open_device, url, clock):
    device = open_device(url, java_script_enabled=False).log_in()
    device.go("/password").page.get_by_label("Current password").fill(PASSWORD)
    device.page.get_by_label("New password").fill("white tea")
    assert device.press("Change password").heading == "Your account"
    clock.advance(timedelta(minutes=3))
    assert device.go("/email").heading == "Confirm that it is you"
    device.page.get_by_label("Password").fill("white tea")
    assert device.press("Go on").heading == "Change your e-mail address"
    assert device.press("Log out").heading == "Log in"


def test_the_keyboard_is_enough(open_device, flask_url):
    device = open_device(flask_url).go("/login")
    device.page.locator("#user:focus").wait_for()
    device.page.keyboard.type("ann")
    device.page.keyboard.press("Tab")
    device.page.keyboard.type(PASSWORD)
    with device.page.expect_navigation():
        device.page.keyboard.press("Enter")
    assert device.heading == "Your account"
    reached = set()
    for _ in range(device.page.locator("a:visible, button:visible").count()):
        device.page.keyboard.press("Tab")
        reached.add(device.page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
        assert device.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert len(reached) == device.page.locator("a:visible, button:visible").count()


def shown(device, clock):
    """Go to every page there is, each with what it may show; yield after each."""
    device.go("/login")
    yield
    device.page.get_by_label("Name").fill("ann")
    device.page.get_by_label("Password").fill("wrong")
    device.press("Log in")
    yield
    device.log_in(remember=True)
    for path in PAGES:
        device.go(path)
        yield
    device.go("/password").page.get_by_label("Current password").fill("wrong")
    device.page.get_by_label("New password").fill("x")
    device.press("Change password")
    yield


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["phone", "desktop"])
def test_every_page_can_be_read_and_pressed(open_device, flask_url, clock, size, scheme):
    for agent in (LAPTOP, PHONE):
        open_device(flask_url, user_agent=agent).log_in()
    device = open_device(flask_url, viewport=size, color_scheme=scheme)
    for _ in shown(device, clock):
        assert device.page.evaluate("document.documentElement.scrollWidth") == size["width"], device.page.url
        assert device.page.evaluate(CUT) == []
        assert device.page.evaluate(POOR_CONTRAST) == []
        if size is NARROW:
            assert device.page.evaluate(SMALL_TARGETS) == []


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["phone", "desktop"])
def test_the_warning_fits_the_screen(open_device, flask_url, clock, size):
    device = open_device(flask_url, viewport=size).log_in()
    clock.advance(timedelta(minutes=4))
    device.show_again()
    device.page.get_by_role("alert").wait_for()
    box = device.page.locator("#warning").bounding_box()
    assert 0 <= box["x"] <= box["x"] + box["width"] <= size["width"]
    assert box["y"] + box["height"] <= size["height"]
    assert device.page.evaluate(POOR_CONTRAST) == []


def test_light_and_dark_are_two_papers(open_device, flask_url):
    papers = {
        open_device(flask_url, color_scheme=scheme)
        .go("/login")
        .page.evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    }
    assert len(papers) == 2
