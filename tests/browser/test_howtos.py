"""The apps of docs/howto in a real browser, by HTTPS: their forms are filled in, and their scripts run."""

import time

import pytest

from browser.conftest import SHOP, listed
from docs.pages import ROOT, blocks
from kit.constants import KEY, SECONDS

FOLDER = ROOT / "docs" / "howto"


@pytest.fixture
def open_app(page, serve_tls, monkeypatch, tmp_path):
    """Serve the last app of a how-to, and return a tab in front of it."""
    monkeypatch.setenv("COOKIESESS_KEYS", KEY)
    monkeypatch.chdir(tmp_path)

    def open_app(name, path="/"):
        codes = [code for language, _, code in blocks(FOLDER / f"{name}.md") if language == "python"]
        module = {"__name__": "myapp"}
        exec(compile([code for code in codes if "\napp = " in code][-1], name, "exec"), module)
        page.goto(f"https://{SHOP}:{serve_tls(module['app'])}{path}")
        return page

    return open_app


def log_in(page, **fields):
    for name, text in fields.items():
        page.fill(f"[name={name}]", text)
    page.get_by_role("button").click()


def test_a_user_logs_in_by_the_form_and_out_by_the_button(open_app):
    page = open_app("login", "/account")
    log_in(page, name="ann", password="coffee")
    page.get_by_text("The name or the password is wrong.").wait_for()
    log_in(page, name="ann", password="tea")
    page.get_by_text("Your account, user-42.").wait_for()
    page.get_by_role("button").click()
    page.get_by_text("Welcome").wait_for()
    assert listed(page) == {}


def test_a_form_and_a_script_send_the_token_along(open_app):
    page = open_app("csrf")
    for number in ("1", "2"):
        page.get_by_role("button", name="Like").click()
        page.locator("output", has_text=number).wait_for()
    page.fill("[name=city]", "Wien")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("saved Wien").wait_for()


def test_a_ticked_box_keeps_the_cookie_for_sixty_days(open_app):
    page = open_app("remember-me")
    page.check("[name=remember]")
    log_in(page, user="ann", password="tea")
    page.get_by_text("Hello user-42").wait_for()
    assert listed(page)["__Host-session"]["expires"] == pytest.approx(time.time() + 60 * 24 * 60 * 60, abs=SECONDS * 10)


def test_nothing_of_a_user_is_shown_by_the_back_button(open_app):
    page = open_app("back-button", "/account")
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("The account of user-42").wait_for()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/")
    page.go_back()
    page.get_by_text("Please log in").wait_for()


def test_a_device_ends_another_by_its_button(open_app, other_page):
    page = open_app("devices")
    for each in (page, other_page):
        each.goto(page.url)
        each.get_by_role("button", name="Log in").click()
        each.get_by_text("(this one)").wait_for()
    end = other_page.locator("form").filter(has_not_text="(this one)").get_by_role("button", name="End", exact=True)
    with other_page.expect_navigation():
        end.click()
    page.reload()
    page.get_by_role("button", name="Log in").wait_for()


def test_a_user_changes_the_password_by_the_form(open_app):
    page = open_app("password-change")
    log_in(page, user="user-42", password="tea")
    log_in(page, old="tea", new="honey")
    page.get_by_text("changed").wait_for()


def test_a_user_pays_by_the_button(open_app):
    page = open_app("sudo", "/account")
    log_in(page, user="ann", password="tea")
    page.get_by_role("button", name="Pay").click()
    page.get_by_text("user-42 has paid").wait_for()


def test_the_button_of_the_warning_asks_to_stay_and_then_how_long_is_left(open_app):
    page = open_app("timeout-warning")
    page.get_by_role("button", name="Log in").click()
    page.locator("#stay").wait_for(state="attached")
    with page.expect_response("**/session/left"), page.expect_response("**/session/stay"):
        page.evaluate("document.getElementById('stay').click()")


def test_a_page_that_a_cdn_may_keep_shows_the_visitor_s_own_cart(open_app):
    page = open_app("cdn", "/tea")
    page.get_by_text("0 in your cart").wait_for()
    page.get_by_role("button").click()
    page.get_by_text("1 in your cart").wait_for()
    page.reload()
    page.get_by_text("1 in your cart").wait_for()


def test_a_supporter_acts_as_a_user_and_as_nobody(open_app):
    page = open_app("impersonate")
    page.get_by_role("button", name="Log in as support-7").click()
    page.get_by_role("button", name="Act as user-42").click()
    page.get_by_text("The orders of user-42 (seen by support-7)").wait_for()
    page.get_by_role("button", name="Act as nobody").click()
    page.get_by_text("The orders of support-7").wait_for()
