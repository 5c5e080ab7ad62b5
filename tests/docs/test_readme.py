"""Every code block of the README is executed, and what it lists is compared with the code and the pages."""

import logging
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import pytest
from webob import Request, Response

import cookiesess
from benchmarks.deployed import IN_README, READ
from cookiesess import ConfigurationError, Key, Keyring, SessionManager
from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore
from cookiesess.testing import CookieHeader, session_transaction
from docs.pages import ROOT, blocks
from edge.test_examples import running
from examples.four_routes import ROUTES
from kit.constants import KEY

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = [code for language, _, code in blocks(ROOT / "README.md") if language == "python"]
# What each Python block holds, and no other.
BEGINNINGS = ("from flask import", "def whoami(environ", "get_cookies(environ)")
SHELL = [code for language, _, code in blocks(ROOT / "README.md") if language == "sh"]
ON_THE_SERVER = 'store="sqlite:///sessions.db"'
HTTPS = {"base_url": "https://shop.example"}


@pytest.fixture
def names(monkeypatch, tmp_path):
    """A module to run a block in: the environment has the key, and nothing else is there."""
    monkeypatch.setenv("COOKIESESS_KEYS", KEY)
    monkeypatch.chdir(tmp_path)
    return {"__name__": "__main__"}


def block(beginning):
    (code,) = [code for code in BLOCKS if beginning in code]
    return code


def run(names, beginning, *, instead=("", "")):
    """Run the one block that holds `beginning`, with what the text says to write `instead` of a part of it."""
    code = block(beginning)
    assert instead[0] in code
    exec(compile(code.replace(*instead, 1), "README.md", "exec"), names)


def ask(app, cookies, url="https://shop.example/", *, method="GET"):
    request = Request.blank(url, method=method, headers={"Cookie": cookies.value}, environ={"REMOTE_ADDR": "127.0.0.1"})
    response = request.get_response(app)
    cookies.follow(response.headers.getall("Set-Cookie"))
    return response


def walk(app):
    """Return what the plain app answers to a visitor who logs in, looks around, and logs out."""
    steps = [("GET", "/"), ("POST", "/login"), ("GET", "/any/page"), ("POST", "/logout"), ("GET", "/favicon.ico")]
    cookies = CookieHeader()
    answers = [ask(app, cookies, f"https://shop.example{path}", method=method) for method, path in steps]
    return [(answer.status_code, answer.text) for answer in answers]


WALKED = [(200, f"user: {user}\n") for user in (None, "user-42", "user-42", None, None)]


def test_the_flask_app_logs_in_and_out_and_knows_the_user_in_between(names):
    run(names, "from flask import")
    client = names["app"].test_client()
    assert client.get("/", **HTTPS).json == {"user": None}
    assert client.post("/login", **HTTPS).json == {"user": "user-42"}
    assert client.get("/", **HTTPS).json == {"user": "user-42"}
    assert client.post("/logout", **HTTPS).json == {"user": None}
    assert client.get("/", **HTTPS).json == {"user": None}


@pytest.mark.parametrize("path", ["/favicon.ico", "/any/page", "/login", "/"])
def test_the_flask_app_answers_every_path(names, path):
    run(names, "from flask import")
    assert names["app"].test_client().get(path, **HTTPS).status_code == 200


def test_the_flask_app_s_cookie_has_what_the_text_says(names):
    run(names, "from flask import")
    line = names["app"].test_client().post("/login", **HTTPS).headers["Set-Cookie"]
    (parts,) = re.findall(r"The cookie is (`__Host-[^.]*)\.", README)
    for part in re.findall("`(.*?)`", parts):
        assert part in line, part


def test_the_flask_app_has_the_timeouts_that_the_text_says_and_nothing_to_warn_of(names, caplog):
    run(names, "from flask import")
    client = names["app"].test_client()
    client.post("/login", **HTTPS)
    with client.session_transaction(**HTTPS) as session:
        assert session.expires_at - session.authenticated_at == 14 * 24 * 60 * 60
        session.idle = timedelta(days=30)
        with pytest.raises(ConfigurationError):  # longer than the absolute timeout
            session.idle = timedelta(days=30, seconds=1)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_the_app_answers_every_path_and_knows_who_has_logged_in(names):
    run(names, "def whoami(environ")
    assert walk(names["app"]) == WALKED


def test_the_apps_for_plain_http_set_a_cookie_that_is_kept_there(names):
    assert "`cookie=CookiePolicy.development()`" in README
    run(names, "from flask import", instead=("CookiePolicy()", "CookiePolicy.development()"))
    run(names | {"flask_app": names.pop("app")}, "def whoami(environ")
    run(names, "def whoami(environ", instead=("CookiePolicy()", "CookiePolicy.development()"))
    line = ask(names["app"], CookieHeader(), "http://localhost:8000/login", method="POST").headers["Set-Cookie"]
    assert line.startswith("session=")
    assert "Secure" not in line


def test_the_apps_keep_sessions_in_a_file(names, tmp_path):
    assert f"`{ON_THE_SERVER}`" in README
    run(names, "def whoami(environ", instead=("CookiePolicy())", f"CookiePolicy(), {ON_THE_SERVER})"))
    assert walk(names["app"]) == WALKED
    ask(names["app"], CookieHeader(), "https://shop.example/login", method="POST")
    names["app"].manager.close_stores()
    store = SQLiteStore(tmp_path / "sessions.db")
    assert store.delete_expired(now=1 << 62, limit=10) == 1
    store.close()


def test_the_flask_app_keeps_sessions_in_a_file_too(names, tmp_path):
    run(names, "from flask import", instead=("Lifetime())", f"Lifetime(), {ON_THE_SERVER})"))
    client = names["app"].test_client()
    client.post("/login", **HTTPS)
    assert client.get("/", **HTTPS).json == {"user": "user-42"}
    assert (tmp_path / "sessions.db").exists()


def in_a_view(manager, cookies):
    """Return the environ of a request with these cookies, and its session and jar."""
    session, jar = manager.open(cookies.value), manager.jar(cookies.value)
    return {"cookiesess.session": session, "cookiesess.cookies": jar, "cookiesess.manager": manager}, session, jar


def test_what_is_done_in_views(names, tmp_path):
    (tmp_path / "keys.txt").write_text(f"{KEY}\n")
    manager, cookies, elsewhere = SessionManager(KEY, store=MemoryStore()), CookieHeader(), CookieHeader()
    with session_transaction(manager, cookies) as session:
        session["old"] = True
    with session_transaction(manager, elsewhere) as session:
        session.login("user-42")
    names["environ"], session, jar = in_a_view(manager, cookies)
    names["app"] = Response("hello")
    run(names, "get_cookies(environ)")
    manager.commit(session)
    assert manager.open(cookies.value).is_new
    assert [line.name for line in jar.commit()] == ["theme"]
    assert len(names["devices"]) == 1
    assert manager.open(elsewhere.value).owner is None
    assert not names["form_is_ours"]
    assert [key.kid for key in names["keys"].keys] == [Key(KEY).kid]


def test_every_python_block_is_run_by_a_test():
    assert len(BLOCKS) == len(BEGINNINGS)
    assert all(beginning in code for beginning, code in zip(BEGINNINGS, BLOCKS, strict=True))


def test_each_block_with_an_app_is_complete():
    for code in BLOCKS[:2]:
        assert code.startswith("import os\n")
        assert 'os.environ["COOKIESESS_KEYS"]' in code
        assert "\napp = " in code


@pytest.mark.process
def test_the_demo_answers_its_five_routes_as_its_lines_say():
    ((lines, answers),) = [
        ([line.split("#")[0].rstrip() for line in code.splitlines()], re.findall(r"# (.*)", code))
        for code in SHELL
        if "curl" in code
    ]
    assert [urlsplit(line.split()[-1]).path for line in lines] == list(ROUTES)
    with TemporaryDirectory() as folder, running() as (banner, server):
        url = banner[0].split()[3]
        typed = "; echo; ".join(
            line.replace("http://127.0.0.1:8080", url).replace("curl", "curl -sS") for line in lines
        )
        done = subprocess.run(
            ["bash", "-c", typed], cwd=folder, capture_output=True, encoding="utf-8", timeout=30, check=True
        )
        assert done.stdout.splitlines() == answers
        server.stdout.readline()
        assert server.stdout.readline() == "username 萧兮\n"


def test_the_other_lines_of_the_shell_are_known():
    make, _curl, install = SHELL
    assert [line.split("#")[0].split() for line in make.splitlines()] == [["make", "demo"], ["make", "test"]]
    venv, pip, export = install.splitlines()
    assert venv == "python3 -m venv venv && . venv/bin/activate"
    assert pip.startswith('pip install ".[flask]" waitress ')
    printed = subprocess.run(
        ["bash", "-c", f'{export}; echo "$COOKIESESS_KEYS"'], cwd=ROOT, env=_with_this_python(), capture_output=True,
        encoding="utf-8", timeout=30, check=True,
    )  # fmt: skip
    assert Keyring.parse(printed.stdout).keys


def _with_this_python():
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(Path(cookiesess.__file__).parents[1])}


def test_make_serves_the_demo_on_another_port():
    (line,) = re.findall(r"make demo (PORT=\d+)", README)
    # These tests may run under a make of their own, which hands its flags on.
    outside = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
    for settings, environment, port in ([line], {}, line.split("=")[1]), ([], {"PORT": "81"}, "8080"):
        done = subprocess.run(
            ["make", "--no-print-directory", "--dry-run", "demo", *settings], cwd=ROOT, env={**outside, **environment},
            check=True, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        assert done.stdout.splitlines()[-1].endswith(f" -m examples --port {port}")


def test_it_is_short_and_says_first_how_to_start():
    lines = README.splitlines()
    assert len(lines) <= 200
    first_screen = "\n".join(lines[:30])
    for word in ("make demo", "make test", "PORT=", *ROUTES):
        assert word in first_screen, word


def test_make_knows_the_targets_that_the_readme_names():
    for target in {"demo", "test", *re.findall(r"`make ([\w-]+)`", README)}:
        subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True, timeout=30)


def test_the_files_that_the_readme_links_to_exist():
    targets = re.findall(r"\]\(([^)#:]+)\)", README) + re.findall(r'(?:src|srcset)="([^"]+)"', README)
    for target in targets:
        assert (ROOT / target).exists(), target


def test_every_page_is_linked_to():
    for path in (ROOT / "docs").glob("*.md"):
        assert f"(docs/{path.name})" in README, path.name


# The tables


def rows(text):
    """Yield the cells of each row of the tables in a text."""
    for line in text.splitlines():
        if line.startswith("| "):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def figures(text):
    """Yield the rows of the tables that `make bench` has put into a text, by column; ``""`` is the name."""
    for _, table in re.findall(r"<!-- make bench: ([^>]+) -->\n\n(\|.*?)\n\n<!-- end -->", text, re.DOTALL):
        (_, *head), *body = rows(table)
        yield from (dict(zip(["", *head], row, strict=True)) for row in body)


def test_the_figures_are_those_of_the_page_on_speed():
    measured = [*figures((ROOT / "docs" / "speed.md").read_text(encoding="utf-8"))]
    (sentence,) = re.findall("<!-- make bench: the README's sentence -->\n\n(.*?)\n\n<!-- end -->", README, re.DOTALL)
    shown = re.findall(r"([\d.]+) with \*([^*]+)\*", " ".join(sentence.split()))
    assert [name for _, name in shown] == [name for pair in IN_README for name in pair]
    for figure, name in shown:
        row = next(row for row in measured if row[""].strip("*") == name and READ in row)
        assert row[READ].strip("*") == figure, name


def test_peers_are_compared_in_the_versions_that_were_measured():
    head = next(row for row in rows(README) if row[1:2] == [f"cookiesess {cookiesess.__version__}"])
    measured = (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
    for peer in head[2:]:
        assert peer in measured, peer


def test_the_rows_of_peers_are_those_of_the_page_that_compares_and_leave_nothing_open():
    compared = [*rows((ROOT / "docs" / "peers.md").read_text(encoding="utf-8"))]
    head, *shown = [row for row in rows(README) if len(row) == 7]
    assert head in compared
    assert len(shown) == 6
    for row in shown:
        assert row in compared, row
        assert "?" not in row
