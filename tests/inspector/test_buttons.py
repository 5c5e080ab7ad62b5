"""What the buttons do."""

import re

import pytest

from examples.inspector.app import make_inspector
from kit.constants import KEY
from kit.inspector import Person


def test_set_and_nested_append(person):
    person.press("Append to a nested list")
    person.press("Append to a nested list")
    assert "cart {'items': ['a cup of tea', 'an apple']} dict" in person.part("server")


def test_append_makes_a_new_list_where_there_is_something_else(person):
    person.press("Set", key="cart", value="text")
    person.press("Append to a nested list")
    assert "cart {'items': ['a cup of tea']} dict" in person.part("server")


def test_growing_and_shrinking(person):
    for text, size in [
        ("Grow ×2", "128"),
        ("Grow ×2", "256"),
        ("Grow by 1 KB", "1,280"),
        ("Shrink", "640"),
        ("Shrink", "320"),
    ]:
        person.press(text)
        assert f"{size} characters" in person.part("server")
    person.press("Shrink")
    person.look()
    assert "filler" not in person.part("server")


def test_growing_ends_somewhere(server_side):
    person = Person(server_side)
    for _ in range(13):
        page = person.press("Grow ×2")
    assert "256 KB are enough" in person.outcome
    assert page.html.find(role="alert")


def test_a_login_names_the_owner_and_the_device(person):
    before = person.cookies["session"]
    person.press("Log in as ann")
    assert "Owner ann" in person.part("server")
    assert "Firefox on Linux" in person.part("server")
    assert "session.renewed login: True" in person.part("events")
    assert person.cookies["session"] != before


def test_only_the_users_of_the_page_can_log_in(person):
    person.press("Log in as ann", owner="mallory")
    assert "the users here are ann and bob" in person.outcome
    assert "Owner nobody" in person.part("server")


def test_renewing_keeps_the_data(person):
    person.press("Set", key="name", value="x")
    before = person.cookies["session"]
    person.press("Renew")
    assert "session.renewed" in person.outcome
    assert "name 'x'" in person.part("server")
    assert person.cookies["session"] != before


def test_logging_out_ends_the_session(person):
    person.press("Log in as bob")
    person.press("Log out")
    assert "session.ended" in person.outcome
    assert "No session came with this request" in person.part("server")


def test_what_came_of_a_button_is_said_once(person):
    person.press("Log in as ann")
    assert person.said.startswith("You are now logged in as ann. ")
    assert re.fullmatch(
        r"Log in: record created.*; session\.renewed; cookie session set, \d+ characters", person.logged
    )
    for _ in range(2):
        assert person.look().html.find(class_="outcome") is None


def test_a_flash_message_is_shown_once(person):
    page = person.press("Flash", message="It is saved.")
    assert "It is saved." in page.text
    assert "It is saved." not in person.look().text


def test_a_flipped_bit_makes_the_token_unreadable(person):
    person.press("Set", key="name", value="x")
    person.press("Flip a bit")
    assert "The cookie does not open (forged)" in person.part("server")
    assert "session.rejected" in person.part("events")
    assert "name" not in person.part("server").partition("The session holds no data")[2]


def test_only_the_sessions_cookies_can_be_flipped(person):
    person.look()
    person.press("Flip a bit", cookie="inspector")
    assert "did not come with this request" in person.outcome


def test_a_cookie_from_before_a_logout_is_refused(person):
    person.press("Log in as ann")
    person.press("Log out")
    person.look()
    person.press("Replay")
    refused = {"This session was ended before, and this is a copy", "The store has no record for this cookie"}
    assert any(text in person.part("server") for text in refused)
    assert "Owner ann" not in person.part("sessions")


def test_an_old_cookie_brings_an_old_state_back_client_side(client_side):
    """As long as it was not ended: this is what server-side sessions are for."""
    person = Person(client_side)
    person.press("Set", key="name", value="old")
    person.press("Set", key="name", value="new")
    person.press("Replay")
    assert "name 'old'" in person.part("server")


def test_a_replay_forgets_the_cookies_that_were_not_there_then(client_side):
    person = Person(client_side)
    person.look()
    for _ in range(4):
        person.press("Grow by 1 KB")
    assert "session.ref" in person.cookies
    person.press("Replay")
    assert "session.ref" not in person.cookies


def test_the_cookies_of_another_browser_cannot_be_replayed(app):
    ann, bob = Person(app), Person(app)
    ann.press("Set", key="a", value="1")
    ann.press("Renew")
    bob.press("Renew")
    bob.press("Renew")
    handle = ann.button("Replay")[0]["value"]
    bob.press("Replay", kept=handle)
    assert "not kept any more" in bob.outcome


def test_a_browsers_own_name_cannot_be_made_up(app):
    ann = Person(app)
    ann.press("Set", key="a", value="1")
    other = Person(app)
    other.app.set_cookie("inspector", "A" * 94)
    other.look()
    assert "/inspect/set" not in other.part("events")


# The owner's sessions


def test_the_sessions_of_the_owner_can_be_ended_one_by_one(server_side):
    laptop, phone = Person(server_side), Person(server_side, "Mozilla/5.0 (iPhone) Version/18 Safari/605")
    laptop.press("Log in as ann")
    phone.press("Log in as ann")
    assert "Firefox on Linux" in phone.part("sessions")
    assert phone.part("sessions").count("this one") == 1
    row = next(each for each in phone.page.html.select(".sessions tbody tr") if "this one" not in each.text)
    phone.press("End", handle=row.find("button")["value"])
    assert "Firefox on Linux" not in phone.part("sessions")
    laptop.look()
    assert "The store has no record for this cookie" in laptop.part("server")


def test_all_other_sessions_of_the_owner_can_be_ended(app):
    laptop, phone = Person(app), Person(app)
    for each in (laptop, phone):
        each.press("Log in as ann")
    phone.press("End all others")
    assert "Owner ann" in phone.part("server")
    assert "goes on with its session" in phone.part("server")
    laptop.look()
    assert "Nobody is logged in" in laptop.part("sessions")


@pytest.mark.parametrize("action", ["end", "end-others"])
def test_who_is_nobody_ends_nothing(person, action):
    token = person.button("Set")[1].find("input")["value"]
    assert person.app.post(f"/inspect/{action}", {"csrf_token": token, "handle": "00"}).status_int == 303


def test_without_revocations_nobody_offers_to_end_the_others():
    person = Person(make_inspector(KEY))
    person.press("Log in as ann")
    assert "End all others" not in person.page.text
