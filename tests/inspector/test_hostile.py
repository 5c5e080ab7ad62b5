"""What a browser, or somebody who plays one, can send: nothing of it makes the page fail, grow or lie."""

import threading
from datetime import timedelta
from wsgiref.util import setup_testing_defaults

import pytest
import webtest

from cookiesess import CookiePolicy, Lifetime, SessionManager, ValueType
from cookiesess.testing import CookieHeader, session_transaction
from examples.inspector import actions
from examples.inspector.app import LIFETIME, make_inspector
from examples.inspector.notes import Notebook
from kit.constants import KEY
from kit.inspector import HERE, Person, look

POLICY = CookiePolicy.development()


def cookie_of(person, name="session"):
    return f"{name}={person.cookies[name]}"


# Cookies


@pytest.mark.parametrize("value", ["!!!", "", "~~~~", '"'])
def test_a_bit_of_nothing_cannot_be_flipped(client_side, value):
    person = Person(client_side)
    fields = {"csrf_token": person.button("Set")[1].find("input")["value"], "cookie": "session.ref"}
    header = f"session.ref={value}; {cookie_of(person)}; {cookie_of(person, 'inspector')}"
    person.app.post("/inspect/flip", fields, {"Cookie": header})
    person.look()
    assert person.logged == "Flip a bit: there is nothing in that cookie to flip a bit of"


@pytest.mark.parametrize("planted", ["session=AAAA; {}", "{}; session.ref=AAAA", "session.ref=; session=!; {}"])
def test_the_page_shows_the_cookie_that_the_library_took(client_side, planted):
    person = Person(client_side)
    person.press("Set", key="name", value="x")
    page = look(client_side, planted.format(cookie_of(person)))
    assert "this request goes on with its session" in page.part("server")
    assert "Where it is in the cookie Protection sealed" in page.part("server")
    assert "current key" in page.part("server")


def test_what_is_kept_for_a_replay_is_the_cookie_that_opened(client_side):
    person = Person(client_side)
    person.press("Set", key="name", value="old")
    header = f"session=AAAA; {cookie_of(person)}; {cookie_of(person, 'inspector')}"
    person.app.get("/inspect", headers={"Cookie": header})
    person.press("Set", key="name", value="new")
    person.press("Replay")
    assert "name 'old'" in person.part("server")


def test_the_size_of_a_cookie_is_counted_in_bytes(client_side):
    value = "萧".encode() * 300
    page = look(client_side, f"note={value.decode('latin-1')}")
    assert "note a plain cookie 905 of 4,093 bytes" in page.part("browser")
    assert "萧萧" in page.part("browser")


def test_a_cookie_whose_attributes_are_not_known_is_said_to_have_some(client_side):
    assert "note a plain cookie 6 of 4,093 bytes, and its attributes" in look(client_side, "note=1").part("browser")


def test_a_full_piece_is_not_near_the_limit_but_all_of_them_together_are():
    person = Person(make_inspector(KEY, cookie=CookiePolicy("session", secure="auto", chunks=3)))
    for _ in range(5):
        person.press("Grow by 1 KB")
    assert "piece 2 of 2" in person.part("browser")
    assert "near the limit" not in person.part("browser")
    for _ in range(3):
        person.press("Grow by 1 KB")
    assert "session.near_limit" in person.outcome
    assert "near the limit" in person.part("browser")


def test_a_session_with_the_apps_own_types_is_read(store):
    class Colour:
        def __repr__(self):
            return "<a colour>"

    types = [ValueType(1, Colour, encode=lambda _: "red", decode=lambda _: Colour())]
    settings = {"types": types, "cookie": POLICY, "lifetime": LIFETIME}
    cookies = CookieHeader()
    with session_transaction(SessionManager(KEY, **settings), cookies) as session:
        session["colour"] = Colour()
    page = look(make_inspector(KEY, **settings), cookies.value)
    assert "colour <a colour> Colour" in page.part("server")


# Text


@pytest.mark.parametrize(("sign", "shown"), [("\u202e", r"\u202e"), ("\x00", r"\x00"), ("\x1b", r"\x1b")])
def test_what_cannot_be_seen_is_shown_as_an_escape(person, sign, shown):
    person.press("Set", key=f"{sign}gpj.exe", value=f"{sign}value")
    person.press("Flash", message=f"{sign}message")
    assert f"{shown}gpj.exe" in person.part("server")
    assert f"{shown}message" in person.outcome or f"{shown}message" in person.page.text
    page = person.app.get("/inspect", headers={"Cookie": f"{sign}evil=1; {cookie_of(person)}"})
    assert sign not in page.text.replace("\n", "")


@pytest.mark.parametrize("text", ['"><script>alert(1)</script>', "'><b>", "&lt;b&gt;"])
def test_no_text_breaks_out_of_an_attribute(server_side, store, text):
    """A cookie's name, and a session's label, stand in attributes too."""
    person = Person(server_side)
    person.press("Log in as ann")
    manager = SessionManager(KEY, store=store, cookie=POLICY)
    with session_transaction(manager, CookieHeader(cookie_of(person))) as session:
        session.label = text
    page = person.app.get("/inspect", headers={"Cookie": f"{text.replace(';', '')}=1; {cookie_of(person)}"})
    assert not page.html.find_all(["script", "b"], string="alert(1)")
    assert any(each.get("aria-label") == f"End: {text}" for each in page.html.find_all("button"))


def test_long_keys_paths_and_errors_are_cut():
    person = Person(make_inspector(KEY))
    person.press("Set", key="k" * 3000, value="x")
    assert "k" * 41 not in person.part("server")
    person.press("Set", key="k" * 8000, value="x")
    assert len(person.outcome) < 500
    person.app.post("/" + "p" * 100_000, expect_errors=True)
    assert len(person.look().text) < 20_000


@pytest.mark.parametrize("path", ["/\xff", "/inspect/\xff", "/\xe8\x90"])
def test_a_path_that_is_no_text_is_not_found(app, path):
    environ, statuses = {**HERE, "PATH_INFO": path, "HTTP_HOST": "localhost"}, []
    setup_testing_defaults(environ)
    app(environ, lambda status, headers, exc_info=None: statuses.append(status))
    assert statuses == ["404 Not Found"]


def test_a_path_is_shown_as_the_text_it_is(person):
    person.app.post("/%E8%90%A7", expect_errors=True)
    person.look()
    assert "POST /萧 404" in person.part("events")


# Many at once


def test_parallel_requests_of_one_browser_are_all_answered(client_side):
    """With cookies of 3 KB, since hashing these lets other threads run."""
    manager = SessionManager(KEY, cookie=POLICY, lifetime=LIFETIME)
    own = cookie_of(Person(client_side), "inspector")
    headers = []
    for index in range(24):
        cookies = CookieHeader()
        with session_transaction(manager, cookies) as session:
            session["n"] = f"{index}" + "x" * 2000
        headers.append(f"{own}; {cookies.value}")
    barrier, failures = threading.Barrier(8), []

    def ask(mine):
        app = webtest.TestApp(client_side, extra_environ=HERE)
        barrier.wait(30)
        for header in mine:
            try:
                app.get("/inspect", headers={"Cookie": header})
            except Exception as error:  # noqa: BLE001 (it is looked at below, in the test's own thread)
                failures.append(error)

    threads = [threading.Thread(target=ask, args=(headers[index::8] * 3,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []


def test_only_so_many_browsers_are_remembered():
    notebook = Notebook()
    first = notebook.of("0")
    for index in range(99):
        notebook.of(str(index))
    assert notebook.of("0") is first
    for index in range(1, 101):
        notebook.of(str(index))
    assert notebook.of("0") is not first


def test_only_the_last_requests_and_cookies_are_remembered(client_side):
    person = Person(client_side)
    for index in range(20):
        person.press("Set", key="n", value=str(index))
    assert len(person.page.html.select(".events ol > li")) <= 13
    assert len(person.page.html.select("button[name=kept]")) <= 5


def test_a_cookie_that_comes_again_is_kept_once(client_side):
    person = Person(client_side)
    person.press("Set", key="n", value="1")
    for _ in range(3):
        person.look()
    person.press("Set", key="n", value="2")
    assert len(person.page.html.select("button[name=kept]")) == 2


# Time


def test_a_server_side_session_that_is_used_shows_when_it_was_used_last(server_side_store_app, clock):
    person = Person(server_side_store_app)
    person.press("Log in as ann")
    for _ in range(3):
        clock.advance(timedelta(minutes=7))
        person.look()
    person.look()
    assert "refreshed 22:34:20 now" in person.part("server")
    assert "ends if nobody comes 22:44:20 in 10 min" in person.part("server")


def test_the_idle_deadline_is_never_after_the_absolute_one(store, clock):
    lifetime = Lifetime(idle=timedelta(minutes=10), absolute=timedelta(minutes=20), refresh_after=timedelta(minutes=1))
    person = Person(make_inspector(KEY, store=store, clock=clock, lifetime=lifetime))
    person.press("Log in as ann")
    for _ in range(2):
        clock.advance(timedelta(minutes=8))
        person.look()
        person.look()
    assert "ends if nobody comes 22:33:20 in 4 min" in person.part("server")
    assert "ends at the latest 22:33:20 in 4 min" in person.part("server")


@pytest.fixture
def server_side_store_app(store, clock):
    return make_inspector(KEY, store=store, clock=clock)


def test_a_cookie_from_before_a_renewal_shows_a_record_that_was_closed(server_side):
    person = Person(server_side)
    person.press("Set", key="name", value="x")
    old = cookie_of(person)
    person.press("Renew")
    page = look(server_side, old)
    assert "This session was ended, or has another ID by now" in page.part("server")
    assert "the ID in the cookie is dead" in page.part("server")


def test_a_cookie_from_before_a_periodic_renewal_is_followed_while_the_grace_lasts(store, clock):
    lifetime = Lifetime(renew_after=timedelta(days=2), renew_grace=timedelta(seconds=10))
    app = make_inspector(KEY, store=store, clock=clock, lifetime=lifetime)
    person = Person(app)
    person.press("Set", key="name", value="x")
    old = cookie_of(person)
    clock.advance(timedelta(days=2))
    person.look()
    assert cookie_of(person) != old
    page = look(app, old)
    assert "the cookie has an older ID, which still leads there" in page.part("server")
    assert "name 'x'" in page.part("server")
    assert "ends if nobody comes" in page.part("server")


# What is said


def test_a_request_that_failed_is_not_taken_for_this_page(server_side, monkeypatch):
    person = Person(server_side)
    monkeypatch.setitem(actions.ACTIONS, "shrink", _fails)
    with pytest.raises(ZeroDivisionError):
        person.post("Shrink")
    person.look()
    assert "POST /inspect/shrink failed" in person.part("events")


def _fails(_):
    raise ZeroDivisionError


def test_a_refused_form_is_said_to_have_been_refused(person):
    person.app.post("/inspect/set", {"key": "a"}, expect_errors=True)
    person.look()
    assert person.logged == "Set: the form's token is missing, or not this session's; nothing was done"
    assert person.page.html.find(role="alert")


def test_a_head_request_takes_no_message_away(person):
    person.post("Flash", message="It is saved.")
    assert person.app.head("/inspect").status_int == 200
    page = person.look()
    assert "It is saved." in page.text
    assert person.logged.startswith("Flash: ")


def test_a_cookie_that_came_with_a_button_can_be_replayed(person):
    """From before the login, too: that is what session fixation would need."""
    person.press("Log in as ann")
    assert "nobody: no data" in person.part("actions")
