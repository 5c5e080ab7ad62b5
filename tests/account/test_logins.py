"""The account page's login and logout, and how long a login lasts."""

from datetime import timedelta

import pytest

from kit.account import Device

ELSEWHERE = [
    "//evil.test", "https://evil.test/", "/\\evil.test", "\\\\evil.test", "/\t/evil.test", "/\n/evil.test", "evil.test",
    "javascript:alert(1)", "///evil.test", "/%2f/evil.test", "/devices\r\nX: y", "/devices?x", "",
]  # fmt: skip


def test_a_visitor_is_sent_to_the_login_and_back_to_where_they_wanted_to_go(laptop):
    assert laptop.look("/devices").page.request.path_qs == "/login?next=/devices"
    hidden = laptop.page.html.find("input", {"name": "next"})["value"]
    assert laptop.log_in(next=hidden).path == "/devices"


def test_the_login_that_the_page_shows_is_one(laptop):
    name, password = [code.text for code in laptop.look("/login").page.html.find_all("code")]
    assert laptop.log_in(name, password).heading == "Your account"


@pytest.mark.parametrize(
    ("user", "password"), [("ann", "wrong"), ("ann", ""), ("nobody", "green tea"), ("", ""), ("ann\0", "green tea")]
)
def test_a_wrong_name_or_password_logs_nobody_in(laptop, user, password):
    laptop.log_in(user, password)
    assert laptop.page.status_int == 403
    assert laptop.page.html.find(class_="error").text == "Wrong name or password."
    assert laptop.page.html.find("input", {"name": "user"})["value"] == user.strip()
    assert not laptop.logged_in


def test_a_login_gives_the_browser_another_cookie(app, laptop):
    before = laptop.look("/login").copy(app)
    laptop.log_in()
    assert laptop.cookie != before.cookie
    assert not before.logged_in


def test_a_second_click_on_log_in_logs_in_as_well(app, laptop):
    second = laptop.look("/login").copy(app)
    second.page = laptop.page
    laptop.send("/login", user="ann", password="green tea")
    second.send("/login", user="ann", password="green tea")
    assert second.logged_in


def test_who_is_logged_in_needs_no_login(laptop):
    assert laptop.log_in().look("/login?next=/devices").path == "/devices"


def test_a_login_ends_with_the_window_unless_it_is_to_be_remembered(laptop, phone):
    plain = laptop.look("/login").send("/login", user="ann", password="green tea")
    kept = phone.look("/login").send("/login", user="ann", password="green tea", remember="on")
    assert "Max-Age" not in plain.headers["Set-Cookie"]
    assert f"Max-Age={60 * 24 * 60 * 60}" in kept.headers["Set-Cookie"]


def test_a_login_ends_after_five_minutes_of_nothing_and_a_remembered_one_after_sixty_days(laptop, phone, clock):
    laptop.log_in()
    phone.log_in(remember="on")
    clock.advance(timedelta(minutes=6))
    assert not laptop.logged_in
    clock.advance(timedelta(days=59))
    assert phone.logged_in
    clock.advance(timedelta(days=1))
    assert not phone.logged_in


def test_a_logout_ends_the_login_and_what_a_copy_of_its_cookie_opens(app, laptop):
    copy = laptop.log_in().copy(app)
    laptop.page = laptop.send("/logout").follow()
    assert (laptop.heading, laptop.messages) == ("Log in", ["You are logged out."])
    assert not laptop.logged_in
    assert not copy.logged_in


def test_a_message_is_shown_once(laptop):
    assert laptop.log_in().messages == ["Welcome, ann."]
    assert laptop.look().messages == []


@pytest.mark.parametrize("path", ELSEWHERE)
@pytest.mark.parametrize("form", ["/login", "/confirm"])
def test_no_link_has_a_login_lead_to_another_site(laptop, form, path):
    if form == "/confirm":
        laptop.log_in()
    laptop.look(form)
    answer = laptop.send(form, user="ann", password="green tea", next=path)
    assert answer.status_int == 303
    assert answer.location in {"/", "http://localhost/"}


def test_nor_does_one_that_leads_to_the_login_page(laptop):
    laptop.page = laptop.app.get("/login", {"next": "//evil.test"})
    assert laptop.page.html.find("input", {"name": "next"})["value"] == "/"


# Before something that matters


def test_right_after_a_login_nobody_is_asked_again(laptop):
    assert laptop.log_in().look("/email").path == "/email"


def test_two_minutes_later_the_password_is_asked_for_again(laptop, clock):
    laptop.log_in()
    clock.advance(timedelta(minutes=2, seconds=1))
    assert laptop.look("/email").page.request.path_qs == "/confirm?next=/email"
    laptop.page = laptop.send("/confirm", password="wrong", next="/email")
    assert (laptop.page.status_int, laptop.heading) == (403, "Confirm that it is you")
    assert laptop.page.html.find(class_="error").text == "That is not your password."
    before = laptop.cookie
    laptop.page = laptop.send("/confirm", password="green tea", next="/email").follow()
    assert (laptop.path, laptop.heading) == ("/email", "Change your e-mail address")
    assert laptop.cookie != before


def test_a_form_that_was_open_too_long_changes_nothing_before_that(laptop, clock):
    laptop.log_in().look("/email")
    clock.advance(timedelta(minutes=3))
    assert laptop.send("/email", email="other@example.com").location.endswith("/confirm?next=/email")
    assert "ann@teahouse.example" in laptop.look("/").rows[2]


def test_a_remembered_login_stays_one_after_that(laptop, clock):
    laptop.log_in(remember="on")
    clock.advance(timedelta(days=30))
    laptop.look("/confirm")
    answer = laptop.send("/confirm", password="green tea")
    assert f"Max-Age={60 * 24 * 60 * 60}" in answer.headers["Set-Cookie"]
    clock.advance(timedelta(days=59))
    assert laptop.logged_in


@pytest.mark.parametrize(("address", "status"), [("new@example.com", 303), ("none", 422), ("@" * 300, 422), ("", 422)])
def test_an_address_is_changed_or_the_page_says_what_is_wrong_with_it(laptop, address, status):
    laptop.log_in().look("/email")
    answer = laptop.send("/email", email=address)
    assert answer.status_int == status
    assert laptop.look("/").rows[2].endswith(address if status == 303 else "ann@teahouse.example")


def test_what_a_user_types_is_text_on_the_page(laptop):
    laptop.log_in().fill_in("/email", email="<script>alert(1)</script>@x")
    assert "<script>alert" not in laptop.look("/").page.text
    assert "<script>alert(1)</script>@x" in laptop.rows[2]


def test_the_page_says_how_long_it_remembers(laptop, phone):
    assert "ends with the browser window" in laptop.log_in().page.text
    assert "remembers you for 60 days." in phone.log_in(remember="on").page.text


def test_a_device_that_says_nothing_of_itself_is_on_the_list_too(app):
    silent = Device(app, "")
    assert silent.log_in().look("/devices").rows[0].startswith("unknown device This device")
