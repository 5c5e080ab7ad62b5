"""The inspector without a browser: its buttons, what it refuses, and what it never shows."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import webtest

from cookiesess import CookiePolicy, Lifetime
from cookiesess.errors import StoreUnavailable
from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore
from edge.kit import KEY
from examples.inspector.app import is_loopback, make_inspector

ROOT = Path(__file__).parents[2]
HERE = {"REMOTE_ADDR": "127.0.0.1"}


class Person:
    """Somebody in front of the page, who presses its buttons."""

    def __init__(self, app, agent="Mozilla/5.0 (X11; Linux) Firefox/140.0"):
        self.app = webtest.TestApp(app, extra_environ={**HERE, "HTTP_USER_AGENT": agent})
        self.look()

    def look(self):
        self.page = self.app.get("/inspect")
        return self.page

    def button(self, text):
        """Return the first button of that text, and the first form around it."""
        button = next(each for each in self.page.html.find_all("button") if each.text == text)
        return button, button.find_parent("form")

    def post(self, text, **fields):
        """Press a button, with other fields than the page's where some are given; return the answer."""
        button, form = self.button(text)
        sent = {each["name"]: each["value"] for each in form.find_all("input")}
        if "name" in button.attrs:
            sent[button["name"]] = button["value"]
        return self.app.post(button.get("formaction") or form["action"], {**sent, **fields}, expect_errors=True)

    def press(self, text, **fields):
        """The same, and follow it back to the page."""
        answer = self.post(text, **fields)
        assert answer.status_int == 303
        assert answer.location.endswith("//localhost/inspect")
        self.page = answer.follow()
        return self.page

    def part(self, name):
        """Return the text of one section of the page, with single blanks."""
        return " ".join(self.page.html.find("section", class_=name).get_text(" ").split())

    @property
    def outcome(self):
        return " ".join(self.page.html.find(class_="outcome").get_text(" ").split())

    @property
    def cookies(self):
        return dict(self.app.cookies)


@pytest.fixture
def store(tmp_path):
    store = SQLiteStore(tmp_path / "sessions.db")
    yield store
    store.close()


@pytest.fixture
def client_side(store):
    """The page as it is served by default."""
    return make_inspector(KEY, overflow=store, revocations=store)


@pytest.fixture
def server_side(store):
    return make_inspector(KEY, store=store)


@pytest.fixture(params=["client_side", "server_side"])
def app(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def person(app):
    return Person(app)


# Looking


def test_a_first_look_finds_no_cookie_and_sets_two(person):
    assert "No cookie came" in person.part("browser")
    assert "No session came with this request" in person.part("server")
    assert sorted(person.cookies) == ["inspector", "session"]


def test_a_second_look_finds_an_empty_session(person):
    person.look()
    assert "It opens, and this request goes on with it" in person.part("server")
    assert "The session holds no data" in person.part("server")
    assert "Path=/ HttpOnly SameSite=Lax" in person.part("browser")


def test_a_look_that_changes_nothing_sets_no_cookie(person):
    person.look()
    assert "Set-Cookie" not in person.look().headers


def test_each_value_is_shown_with_its_type_and_size(person):
    person.press("Set", key="name", value="萧兮")
    assert "name '萧兮' str 7" in person.part("server")


def test_what_people_type_is_shown_as_text(person):
    text = "<script>alert(1)</script>"
    page = person.press("Set", key=text, value=text)
    person.press("Flash", message=text)
    assert text in person.part("server")
    assert text in person.outcome or text in person.page.html.get_text()
    for each in (page, person.page):
        assert "<script" not in each.text.lower()


def test_neither_keys_nor_whole_tokens_are_shown(app):
    person = Person(app)
    for text in ("Set", "Log in as ann", "Grow by 1 KB"):
        page = person.press(text)
        assert KEY not in page.text
        for value in person.cookies.values():
            assert value not in page.text
            assert value[10:-4] not in page.text


def test_a_long_text_is_cut(person):
    person.press("Set", key="long", value="x" * 1000)
    assert "x" * 120 + "'… 1,000 characters" in person.part("server")
    assert "x" * 121 not in person.page.text


def test_the_times_are_those_of_the_settings(store, clock):
    lifetime = Lifetime(idle=timedelta(minutes=10), absolute=timedelta(hours=3))
    person = Person(make_inspector(KEY, overflow=store, revocations=store, lifetime=lifetime, clock=clock))
    person.press("Log in as ann")
    clock.advance(timedelta(minutes=5))
    person.look()
    times = [" ".join(each.get_text(" ").split()) for each in person.page.html.select(".moments li")]
    assert [time.partition(" ")[0] for time in times] == ["created", "logged", "refreshed", "now", "ends", "ends"]
    assert times[4].endswith("in 5 min")
    assert times[5].endswith("in 3 h")


def test_a_session_whose_time_is_over_is_said_to_be(store, clock):
    person = Person(make_inspector(KEY, overflow=store, revocations=store, clock=clock))
    clock.advance(timedelta(minutes=11))
    person.look()
    assert "Its time is over (idle timeout)" in person.part("server")


def test_the_demos_own_requests_are_among_the_events(person):
    person.app.get("/set_cookie")
    person.look()
    assert "GET /set_cookie 200 cookie set user_id" in person.part("events")
    assert "user_id a plain cookie" in person.part("browser")


def test_one_browser_does_not_see_the_events_of_another(app):
    ann, bob = Person(app), Person(app)
    ann.press("Set", key="mine", value="secret")
    bob.look()
    assert "/inspect/set" not in bob.part("events")


# The buttons


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


def test_a_flash_message_is_shown_once(person):
    page = person.press("Flash", message="It is saved.")
    assert "It is saved." in page.text
    assert "It is saved." not in person.look().text


def test_a_flipped_bit_makes_the_token_unreadable(person):
    person.press("Set", key="name", value="x")
    person.press("Flip a bit")
    assert "It does not open (forged)" in person.part("server")
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
    refused = {"It was ended before: this is a copy", "The store has no record of it"}
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
    assert "The store has no record of it" in laptop.part("server")


def test_all_other_sessions_of_the_owner_can_be_ended(app):
    laptop, phone = Person(app), Person(app)
    for each in (laptop, phone):
        each.press("Log in as ann")
    phone.press("End all others")
    assert "Owner ann" in phone.part("server")
    assert "goes on with it" in phone.part("server")
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


# Sizes and kinds


def test_a_session_that_outgrows_its_cookie_is_followed_into_the_store(client_side):
    person = Person(client_side)
    for _ in range(4):
        person.press("Grow by 1 KB")
    assert "a reference to a record" in person.part("server")
    assert "bytes in the store" in person.part("server")
    assert "session.overflowed" in person.part("events")


def test_a_session_near_the_limit_says_so(client_side):
    person = Person(client_side)
    person.press("Grow by 1 KB")
    person.press("Grow by 1 KB")
    person.press("Set", value="x" * 500)
    assert "near the limit" in person.part("browser")
    assert "session.near_limit" in person.outcome


def test_a_session_that_fits_nowhere_is_an_error_that_the_page_shows():
    person = Person(make_inspector(KEY))
    before = person.press("Grow by 1 KB")
    for _ in range(3):
        person.press("Grow by 1 KB")
    assert "largest keys: 'filler'" in person.outcome
    assert person.page.html.find(role="alert")
    assert "2,048 characters" in person.part("server")
    assert before is not person.page


def test_pieces_are_numbered():
    person = Person(make_inspector(KEY, cookie=CookiePolicy("session", secure="auto", chunks=3)))
    for _ in range(4):
        person.press("Grow by 1 KB")
    assert "session the session, piece 1 of 2" in person.part("browser")
    assert "session.1 the session, piece 2 of 2" in person.part("browser")
    assert "4,096 characters" in person.part("server")


def test_a_compressed_session_is_called_so():
    person = Person(make_inspector(KEY, compress=True))
    person.press("Set", value="x" * 1000)
    assert "inline, compressed" in person.part("server")


def test_a_signed_session_is_called_so():
    person = Person(make_inspector(KEY, encrypt=False))
    person.look()
    assert "signed: authenticated; anybody can read it" in person.part("server")
    person.press("Flip a bit")
    assert "It does not open" in person.part("server")


# What is refused


@pytest.mark.parametrize("token", [None, "", "x" * 86])
def test_a_form_without_the_sessions_token_is_refused(person, token):
    fields = {"key": "name", "value": "planted"} | ({} if token is None else {"csrf_token": token})
    assert person.app.post("/inspect/set", fields, expect_errors=True).status_int == 403
    assert "planted" not in person.look().text


def test_the_token_of_another_session_is_refused(app):
    ann, bob = Person(app), Person(app)
    token = ann.button("Set")[1].find("input")["value"]
    assert bob.post("Set", csrf_token=token).status_int == 403


@pytest.mark.parametrize("body", ["{}", "x" * 70_000], ids=["JSON", "too much"])
def test_a_body_that_is_no_form_of_ours_is_refused(person, body):
    content_type = "application/json" if body == "{}" else "application/x-www-form-urlencoded"
    answer = person.app.post("/inspect/set", body, content_type=content_type, expect_errors=True)
    assert answer.status_int == 403


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/inspect/set", 405), ("GET", "/inspect/x", 404)])
def test_a_buttons_address_is_no_page(person, method, path, status):
    assert person.app.request(path, method=method, expect_errors=True).status_int == status


def test_bytes_that_are_no_text_are_shown_as_far_as_they_are(person):
    token = person.button("Set")[1].find("input")["value"]
    body = f"csrf_token={token}&key=k&value=%FF%00".encode()
    person.app.post("/inspect/set", body, content_type="application/x-www-form-urlencoded")
    assert "k '\ufffd\\x00'" in " ".join(person.look().html.get_text(" ").split())


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "192.0.2.1", "localhost.evil.example"])
def test_a_request_by_another_name_is_refused(client_side, host):
    app = webtest.TestApp(client_side, extra_environ={**HERE, "HTTP_HOST": host})
    answer = app.get("/inspect", expect_errors=True)
    assert answer.status_int == 421
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]:8080", "[::1]", "demo.localhost:80"])
def test_this_machines_names_are_answered(client_side, host):
    app = webtest.TestApp(client_side, extra_environ={**HERE, "HTTP_HOST": host})
    assert app.get("/inspect").status_int == 200


def test_anyone_can_be_let_in_by_name():
    app = webtest.TestApp(make_inspector(KEY, anyone=True), extra_environ={"HTTP_HOST": "shop.example"})
    assert app.get("/inspect").status_int == 200


class Down(MemoryStore):
    """A store that does not answer once `down` is set."""

    down = False

    def load(self, key, *, now):
        if self.down:
            raise StoreUnavailable("the store did not answer")
        return super().load(key, now=now)


def test_a_store_that_is_down_is_one_clear_page():
    store = Down()
    person = Person(make_inspector(KEY, store=store))
    store.down = True
    answer = person.app.get("/inspect", expect_errors=True)
    assert answer.status_int == 503
    assert "StoreUnavailable: the store did not answer" in answer.text


# Headers


def test_nothing_may_load_but_this_servers_own_stylesheet_and_icon(person):
    headers = person.page.headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(("path", "kind"), [("/inspect.css", "text/css"), ("/inspect.svg", "image/svg+xml")])
def test_stylesheet_and_icon_set_no_cookie(person, path, kind):
    answer = person.app.get(path)
    assert answer.content_type == kind
    assert "Set-Cookie" not in answer.headers


def test_the_page_has_neither_scripts_nor_styles_within(person):
    person.press("Grow by 1 KB")
    assert not person.page.html.find_all(["script", "style"])
    assert not [each for each in person.page.html.find_all(True) for name in each.attrs if name[:2] in {"on", "st"}]


# The command line


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "a.localhost", "127.0.0.1", "127.8.9.1", "::1"])
def test_hosts_that_mean_this_machine(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "0.0.0.0", "::", "192.0.2.1", "example.com", "localhost.example.com", "127.1.evil"]
)
def test_hosts_that_mean_more_than_this_machine(host):
    assert not is_loopback(host)


def refused(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "examples", "--port", "0", *arguments],
        cwd=ROOT,
        capture_output=True,
        timeout=30,
        text=True,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    return done.stderr


def test_the_inspector_is_not_served_to_other_machines_unasked():
    message = refused("--inspect", "--host", "0.0.0.0")
    assert "shows what is in sessions" in message
    assert "--inspect-anyone" in message


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--inspect-anyone"], "give --inspect as well"),
        (["--overflow", "memory://"], "give --inspect as well"),
        (["--inspect", "--server-side", "--compress"], "--compress is for sessions in cookies"),
        (["--inspect", "--overflow", "memory://"], "revocations needs a store that forgets nothing"),
        (["--inspect", "--chunks", "9"], "chunks is 9"),
    ],
)
def test_options_that_do_not_fit_are_one_clear_line(arguments, says):
    assert says in refused(*arguments)
