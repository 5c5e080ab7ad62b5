"""Who and what is refused, and what the page may load."""

import subprocess
import sys
from pathlib import Path

import pytest
import webtest
from edge.kit import KEY

from cookiesess.errors import StoreUnavailable
from cookiesess.stores.memory import MemoryStore
from examples.inspector.app import is_loopback, make_inspector
from inspector.kit import HERE, Person

ROOT = Path(__file__).parents[2]


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
