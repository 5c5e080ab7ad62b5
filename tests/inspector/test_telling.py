"""What the page tells its user: where to start, what a button did, what has changed, and what the words mean."""

import pytest

from examples.inspector.app import make_inspector
from examples.inspector.terms import TERMS
from kit.constants import KEY
from kit.inspector import Person


@pytest.fixture
def without_revocations():
    return make_inspector(KEY)


# What came of a button


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("server_side", "You are now logged in as ann. The old session ID is dead."),
        ("client_side", "You are now logged in as ann. The cookie that you had before is dead."),
    ],
)
def test_a_login_is_told_in_a_users_words_and_it_is_true(request, kind, says):
    person = Person(request.getfixturevalue(kind))
    person.press("Set", key="name", value="x")
    person.press("Log in as ann")
    assert person.said == says
    assert "session.renewed" in person.logged
    person.press("Replay")
    assert "A new, empty session takes its place" in person.said


def test_without_revocations_a_login_says_that_copies_live_on_and_they_do(without_revocations):
    person = Person(without_revocations)
    person.press("Set", key="name", value="x")
    person.press("Log in as ann")
    assert "still works until its time is over" in person.said
    person.press("Replay")
    assert "goes on with its session" in person.said
    person.press("Log in as ann")
    person.press("Log out")
    assert "A copy of the cookie still works" in person.said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Set", "note is in your session now."),
        ("Append to a nested list", "A cup of tea is in your cart now. The code only appended to a list,"),
        ("Grow ×2", "Your session is 128 characters longer."),
        ("Log in as bob", "You are now logged in as bob. The "),
        ("Renew", "Your session goes on under a new ID, with the same data. The "),
        ("Flash", "Your message waited in the session for this page. It is shown once."),
        ("Flip a bit", "One bit of your cookie has been changed, and your browser has sent it back. The cookie"),
    ],
)
def test_each_button_says_what_it_did(person, text, says):
    person.look()
    person.press(text)
    assert person.said.startswith(says)


@pytest.mark.parametrize("text", ["Log out", "End all others"])
def test_ending_says_who_is_logged_out(app, text):
    person, other = Person(app), Person(app)
    for each in (other, person):
        each.press("Log in as ann")
    person.press(text)
    assert person.said.startswith(
        {"Log out": "You are logged out, and what was", "End all others": "All other sessions of ann have ended"}[text]
    )


def test_ending_one_session_says_so_once(server_side):
    person = Person(server_side)
    person.press("Log in as ann")
    handle = person.page.html.find("button", {"name": "handle"})["value"]
    other = Person(server_side)
    other.press("Log in as ann")
    other.press("End", handle=handle)
    assert other.said == "That session of ann has ended. Whoever has its cookie is logged out."
    other.press("End", handle=handle)
    assert other.said == "There is no such session any more. Nothing has changed."


def test_a_session_that_moves_to_the_store_is_told_of(client_side):
    person = Person(client_side)
    for _ in range(2):
        person.press("Grow by 1 KB")
    person.press("Set", value="x" * 500)
    assert person.said == "note is in your session now. The cookie is nearly full."
    person.press("Grow by 1 KB")
    assert "It no longer fits into its cookie, so it is in the server's store now." in person.said


def test_what_was_refused_says_that_nothing_has_changed(without_revocations):
    person = Person(without_revocations)
    for _ in range(4):
        person.press("Grow by 1 KB")
    assert person.said == "That did not work, and your session is as it was. The reason is below."
    assert person.logged.startswith("Grow by 1 KB: ")


# Where to start


@pytest.mark.parametrize(("kind", "step"), [("client_side", "Grow by 1 KB"), ("server_side", "End")])
def test_the_page_says_where_to_start_for_its_kind(request, kind, step):
    person = Person(request.getfixturevalue(kind))
    start = person.page.html.find("details", class_="start")
    assert "Start here 4 things to try" in " ".join(start.find("summary").get_text(" ").split())
    assert start.has_attr("open")
    assert step in [each.text for each in start.find_all("em")]
    for link in start.find_all("a"):
        assert link["href"] == "#do-end" or person.page.html.find(id=link["href"].removeprefix("#"))


def test_what_has_been_tried_is_ticked_and_the_start_is_folded(person):
    person.press("Append to a nested list")
    start = person.page.html.find("details", class_="start")
    assert not start.has_attr("open")
    assert "1 of 4 tried" in start.text
    assert [each.text.partition(".")[0] for each in start.select("li.done")] == ["Press Append to a nested list twice"]


def test_a_button_that_was_refused_has_not_been_tried(person):
    person.press("Log in as ann", owner="mallory")
    assert not person.page.html.select("li.done")


# What has changed


def test_what_is_new_and_what_has_changed_is_marked_once(person):
    person.look()
    assert person.marked == []
    person.press("Set", key="a", value="1")
    person.press("Set", key="b", value="1")
    assert [row for row in person.marked if row[:1] in "ab"] == ["b '1' str 2 new"]
    person.press("Set", key="a", value="2")
    assert [row for row in person.marked if row[:1] in "ab"] == ["a '2' str 2 changed"]
    person.look()
    assert person.marked == []


def test_a_new_owner_and_another_cookie_are_marked(person):
    person.look()
    person.press("Log in as ann")
    assert "Owner ann changed" in person.marked
    assert "session the session changed" in person.marked


def test_what_is_gone_is_named(person):
    person.press("Grow ×2")
    person.press("Shrink")
    assert "Gone since the last look: filler" in person.part("server")
    person.look()
    assert "Gone since" not in person.part("server")


def test_a_head_request_takes_no_mark_away(person):
    person.look()
    person.post("Set", key="a", value="1")
    person.app.head("/inspect")
    person.look()
    assert "a '1' str 2 new" in person.marked


# Which kind of session it is


def test_of_a_session_in_its_cookie_the_page_does_not_say_that_it_is_on_the_server(client_side):
    person = Person(client_side)
    person.press("Set", key="name", value="x")
    assert person.part("browser").startswith("In the browser The session's cookie holds the whole session.")
    assert person.part("server").startswith("What the server reads What the cookie holds, opened for this request.")
    assert "keeps nothing of it, but which sessions have ended." in person.part("server")


def test_of_a_session_in_a_store_the_page_says_that_the_cookie_holds_an_id(server_side):
    person = Person(server_side)
    person.press("Set", key="name", value="x")
    assert person.part("browser").startswith("In the browser The session's cookie holds an ID and no data")
    assert person.part("server").startswith("On the server The record in the server's store")


def test_a_session_that_has_moved_to_the_store_is_on_the_server_from_then_on(client_side):
    person = Person(client_side)
    for _ in range(4):
        person.press("Grow by 1 KB")
    assert person.part("browser").startswith("In the browser The session's cookie holds an ID and no data")
    assert person.part("server").startswith("On the server")


def test_without_a_session_the_page_does_not_say_where_it_is(app):
    person = Person(app)
    assert person.part("server").startswith("What the server reads What became of the cookie")


# What the words mean


def terms_of(page):
    """Return the terms that stand on a page, by section."""
    for section in page.html.find_all(["section", "details"], class_=["browser", "server", "actions", "events"]):
        shown = [each.get_text() for each in section.select(".facts dt, .moments li > span:not(.distance), .events b")]
        shown += [each.get_text() for each in section.select("button") if section["class"] != ["events"]]
        shown += [each.get_text() for each in section.select(".cookies .chips li")]
        yield section, [text for text in shown if text not in {"now", ""}]


@pytest.mark.parametrize("texts", [[], ["Log in as ann"], ["Grow by 1 KB"] * 4, ["Log in as ann", "Log out", "Replay"]])
def test_each_term_of_the_page_is_explained_in_its_section(person, texts):
    for text in texts:
        person.press(text)
    for section, shown in terms_of(person.look()):
        explained = {each.get_text() for each in section.select(".words dt")}
        for text in shown:
            assert any(text == name or text.startswith((f"{name}=", f"{name} as ")) for name in explained), text


def test_the_set_up_is_explained_where_one_starts(app):
    page = Person(app).page
    explained = {each.get_text() for each in page.html.select(".start .words dt")}
    assert {each.get_text() for each in page.html.select("header .chips li")} <= explained


def test_an_explanation_is_one_or_two_short_sentences():
    for name, meaning in TERMS.items():
        assert meaning.endswith("."), name
        assert len(meaning) <= 160, name


# Buttons that cannot do anything


def off(person):
    return [each.text for each in person.page.html.find_all("button", disabled=True)]


def test_buttons_that_can_do_nothing_for_nobody_are_off_and_say_why(person):
    assert off(person) == ["Shrink", "Log out"]
    assert "Log out is off: nobody is logged in." in person.part("actions")
    person.press("Log in as ann")
    person.press("Grow ×2")
    assert "Log out" not in off(person)
    assert "Shrink" not in off(person)


def test_who_is_logged_in_nowhere_else_cannot_end_the_others(server_side):
    person = Person(server_side)
    person.press("Log in as ann")
    assert "End all others" in off(person)
    assert "End all others is off: ann is logged in nowhere else." in person.part("sessions")
    Person(server_side).press("Log in as ann")
    person.look()
    assert "End all others" not in off(person)


# Old cookies


def test_each_old_cookie_can_be_told_from_the_others(client_side):
    person = Person(client_side)
    for value in "1234":
        person.press("Set", key="same", value=value)  # within one second, of one length
    rows = [" ".join(each.get_text(" ").split()) for each in person.page.html.select(".rows li")]
    assert len(rows) >= 3
    assert len({*rows}) == len(rows)
    assert all("nobody: same" in row for row in rows[:-1])
    labels = [each["aria-label"] for each in person.page.html.select(".rows button")]
    assert len({*labels}) == len(labels)


def test_an_old_cookie_with_many_keys_names_the_first_of_them(client_side):
    person = Person(client_side)
    for key in "abcde":
        person.press("Set", key=key, value="1")
    person.press("Renew")
    assert "nobody: a, b, c and 2 more" in person.part("actions")
