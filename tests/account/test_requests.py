"""What every request to the account page meets: tokens, headers, the questions of the script, and kind errors."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from account.conftest import APPS
from cookiesess.stores.memory import MemoryStore
from examples.account.shared import Users
from kit.account import Device
from kit.constants import KEY
from kit.probe import Probe

FOLDER = Path(__file__).parents[2] / "examples" / "account"
PAGES = ["/", "/devices", "/password", "/email", "/confirm", "/login", "/nowhere"]
POSTS = ["/login", "/logout", "/confirm", "/devices", "/password", "/email", "/session/stay"]
MOST_LINES = 200


# Tokens


@pytest.mark.parametrize("path", POSTS)
def test_a_post_without_a_token_or_with_another_sessions_does_nothing(app, laptop, path):
    other = Device(app).log_in().token
    laptop.log_in()
    for token in ("", "x" * 86, other):
        laptop.page = laptop.app.post(path, {"csrf_token": token, "others": "all"}, expect_errors=True)
        assert (laptop.page.status_int, laptop.heading) == (403, "This form is too old")
    assert laptop.logged_in


def test_a_form_of_too_many_or_too_strange_bytes_is_refused_kindly(laptop):
    laptop.log_in()
    form = "application/x-www-form-urlencoded"
    for body in (b"\xff\xfe=%ff", b"csrf_token=" + b"x" * 70_000, b"&" * 5_000, b"a=b"):
        answer = laptop.app.post("/password", body, {"Content-Type": form}, expect_errors=True)
        assert answer.status_int == 403
    token = {"X-CSRF-Token": laptop.look().token}
    for kind, body in ((form, b"old=%ff\xff&new=\x00"), ("multipart/form-data; boundary=x", b"--x\r\n"), ("x", b"{")):
        answer = laptop.app.post("/password", body, {"Content-Type": kind, **token}, expect_errors=True)
        assert answer.status_int == 403
    assert laptop.logged_in


@pytest.mark.parametrize("query", ["next=%ff%fe", "next=\\", "&&&=;", "next=/devices&next=//evil.test", "timeout"])
def test_a_strange_query_is_no_error(laptop, query):
    assert laptop.look(f"/login?{query}").heading == "Log in"


# The script's questions


def seconds_left(device):
    return device.app.get("/session/left").json["seconds"]


def test_a_visitor_has_no_time_left(laptop):
    assert seconds_left(laptop) == 0
    assert laptop.cookie is None


def test_asking_how_long_is_left_prolongs_nothing(laptop, clock):
    laptop.log_in()
    assert seconds_left(laptop) == 300
    for minute in range(1, 5):
        clock.advance(timedelta(minutes=1))
        answer = laptop.app.get("/session/left")
        assert answer.json["seconds"] == 300 - 60 * minute
        assert "Set-Cookie" not in answer.headers
    clock.advance(timedelta(minutes=1))
    assert seconds_left(laptop) == 0
    assert not laptop.logged_in


def test_nor_does_it_in_a_login_that_is_remembered(laptop, phone, clock):
    phone.log_in(remember="on")
    for _ in range(3):
        clock.advance(timedelta(minutes=1))
        assert "Set-Cookie" not in phone.app.get("/session/left").headers
    (row,) = [row for row in laptop.log_in().look("/devices").rows if row.startswith("Safari")]
    assert "last seen 3 minutes ago" in row


def test_to_stay_takes_the_token_in_the_header_and_prolongs(laptop, clock):
    token = laptop.log_in().page.html.find("meta", {"name": "csrf-token"})["content"]
    clock.advance(timedelta(minutes=4))
    assert seconds_left(laptop) == 60
    assert laptop.app.post("/session/stay", headers={"X-CSRF-Token": token}).json == {}
    assert seconds_left(laptop) == 300


# Pages and errors


@pytest.mark.parametrize("path", [*PAGES, "/session/left"])
def test_every_answer_has_the_headers_that_keep_it_to_its_user(laptop, path):
    laptop.log_in()
    answer = laptop.app.get(path, expect_errors=True)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("account.css", "text/css"), ("account.js", "text/javascript"), ("account.svg", "image/svg+xml")],
)
def test_a_file_is_for_every_cache_and_sets_no_cookie(laptop, name, kind):
    answer = laptop.app.get(f"/static/{name}")
    assert answer.content_type.replace("application/javascript", "text/javascript") == kind
    assert answer.headers["Cache-Control"] == "max-age=3600"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers
    assert answer.body == (FOLDER / "static" / name).read_bytes()


@pytest.mark.parametrize("path", ["/nowhere", "/static/", "/static/../shared.py", "/static/nothing.css", "/%ff"])
def test_what_is_not_there_is_said_kindly(laptop, path):
    laptop.look(path)
    assert (laptop.page.status_int, laptop.heading) == (404, "There is no such page")
    assert laptop.page.html.find("a", class_="button")["href"] == "/"


def test_a_buttons_address_is_no_page(laptop):
    laptop.look("/logout")
    assert (laptop.page.status_int, laptop.heading) == (405, "That is not a page")
    assert "POST" in laptop.page.headers["Allow"]


@pytest.mark.parametrize("path", ["/", "/devices", "/password", "/email", "/confirm"])
def test_a_page_can_be_asked_for_its_headers_alone(laptop, path):
    answer = laptop.log_in().app.head(path)
    assert (answer.status_int, answer.body) == (200, b"")


@pytest.mark.parametrize("name", APPS)
@pytest.mark.parametrize("operation", ["load", "update"])
def test_while_the_store_is_down_the_page_asks_for_patience_and_nobody_is_logged_out(name, operation, clock):
    store = Probe(MemoryStore())
    laptop = Device(APPS[name](KEY, store=store, users=Users(cost=2), clock=clock)).log_in()
    store.down.add(operation)
    laptop.page = laptop.send("/email", email="new@example.com")
    assert (laptop.page.status_int, laptop.heading) == (503, "Please try again in a moment")
    assert laptop.page.headers["Retry-After"] == "5"
    store.down.clear()
    assert laptop.logged_in


# Both apps


def without_tokens(page):
    return re.sub(r'(value|content)="[\w-]{64,}"', "", page.text)


@pytest.mark.parametrize("path", PAGES)
def test_both_apps_show_the_same_pages(make, path):
    shown = []
    for name in APPS:
        device = Device(make(name)).log_in().look(path)
        shown.append(without_tokens(device.page).replace("\n\n", "\n").strip())
        device.look("/devices").send("/logout")
    assert shown[0] == shown[1]


@pytest.mark.parametrize("name", APPS)
def test_an_app_is_short(name):
    app, shared = ((FOLDER / each).read_text(encoding="utf-8").splitlines() for each in (f"{name}_app.py", "shared.py"))
    assert len(app) <= MOST_LINES
    assert sum(1 for line in (*app, *shared) if line.strip()) <= MOST_LINES
