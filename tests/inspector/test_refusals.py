"""Who and what is refused, and what the page may load."""

import os
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import pytest
import webtest

from cookiesess.errors import StoreUnavailable
from cookiesess.stores.memory import MemoryStore
from examples.__main__ import _without_secrets
from examples.inspector.app import is_loopback, make_inspector
from kit.constants import KEY
from kit.inspector import HERE, Person

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


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("GET", "/inspect/set", 405, "POST"),
        ("POST", "/inspect", 405, "GET, HEAD"),
        ("OPTIONS", "/inspect", 405, "GET, HEAD"),
        ("GET", "/inspect/x", 404, None),
    ],
)
def test_a_buttons_address_is_no_page_and_the_page_no_button(person, method, path, status, allowed):
    answer = person.app.request(path, method=method, expect_errors=True)
    assert (answer.status_int, answer.headers.get("Allow")) == (status, allowed)


def test_bytes_that_are_no_text_are_shown_as_far_as_they_are(person):
    token = person.button("Set")[1].find("input")["value"]
    body = f"csrf_token={token}&key=k&value=%FF%00".encode()
    person.app.post("/inspect/set", body, content_type="application/x-www-form-urlencoded")
    assert "k '\ufffd\\x00'" in " ".join(person.look().html.get_text(" ").split())


HOSTS_OF_OTHERS = [
    "evil.example",
    "evil.example:8080",
    "192.0.2.1",
    "localhost.evil.example",
    "evillocalhost",
    "[127.0.0.1].evil.example",
    "evil.example#.localhost",
    "evil.example/.localhost",
    "localhost:evil.example",
    "user@localhost",
    "",
]


@pytest.mark.parametrize("host", HOSTS_OF_OTHERS)
def test_a_request_by_another_name_is_refused(client_side, host):
    app = webtest.TestApp(client_side, extra_environ={**HERE, "HTTP_HOST": host})
    answer = app.get("/inspect", expect_errors=True)
    assert answer.status == "421 Misdirected Request"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:8080", "[::1]:8080", "[::1]", "demo.localhost:80", "localhost."]
)
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
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_a_buttons_answer_is_as_strict_as_the_page(person):
    answer = person.post("Set")
    for name in ("Content-Security-Policy", "Cache-Control", "Referrer-Policy"):
        assert answer.headers[name].startswith(person.page.headers[name])


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user:secret@127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("postgresql://a:b@host/db?password=c", "postgresql://host/db"),
        ("sqlite:///sessions.db", "sqlite:///sessions.db"),
    ],
)
def test_a_stores_url_is_printed_without_its_secrets(url, shown):
    assert _without_secrets(url) == shown


@pytest.mark.parametrize(("path", "kind"), [("/inspect.css", "text/css"), ("/inspect.svg", "image/svg+xml")])
def test_stylesheet_and_icon_set_no_cookie(person, path, kind):
    answer = person.app.get(path)
    assert answer.content_type == kind
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
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
    "host", ["", "0.0.0.0", "::", "192.0.2.1", "example.com", "localhost.example.com", "127.1.evil", "evillocalhost"]
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


@pytest.mark.process
def test_the_inspector_is_not_served_to_other_machines_unasked():
    message = refused("--inspect", "--host", "0.0.0.0")
    assert "shows what is in sessions" in message
    assert "--inspect-anyone" in message


@pytest.mark.process
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--inspect-anyone"], "give --inspect as well"),
        (["--overflow", "memory://"], "give --inspect as well"),
        (["--inspect", "--server-side", "--compress"], "--compress is for sessions in cookies"),
        (["--inspect", "--overflow", "memory://"], "--overflow memory:// may forget what has ended"),
        (["--inspect", "--overflow", ""], "URL"),
        (["--store", ""], "URL"),
        (["--inspect", "--chunks", "9"], "chunks is 9"),
        (["--inspect", "--chunks", "0"], "chunks is 0"),
        (["--inspect", "--server-side", "--chunks", "0"], "--chunks is for sessions in cookies"),
    ],
)
def test_options_that_do_not_fit_are_one_clear_line(arguments, says):
    assert says in refused(*arguments)


@pytest.mark.process
@pytest.mark.parametrize("side", [[], ["--server-side"]], ids=["client-side", "server-side"])
@pytest.mark.parametrize(("option", "status"), [([], 421), (["--inspect-anyone"], 200)], ids=["itself", "anyone"])
def test_as_it_is_served_the_page_answers_to_this_machines_names_unless_told_otherwise(tmp_path, side, option, status):
    command = [sys.executable, "-m", "examples", "--inspect", "--port", "0", *side, *option]
    with subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            port = int(server.stdout.readline().rpartition(":")[2].split()[0])
            connection = HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/inspect", headers={"Host": "evil.example"})
            assert connection.getresponse().status == status
            connection.close()
        finally:
            server.terminate()
