"""Every code block of the README is executed, and what it lists is compared with the code and the pages."""

import re
import subprocess

import pytest
from webob import Request

import cookiesess
from cookiesess import SessionManager
from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore
from cookiesess.testing import CookieHeader, session_transaction
from docs.pages import ROOT, blocks
from kit.constants import KEY

README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST, *OTHERS = (code for language, _, code in blocks(ROOT / "README.md") if language == "python")


@pytest.fixture
def names(monkeypatch, tmp_path):
    """What the first block leaves behind, but for its last line: each other block is put in the place of that."""
    monkeypatch.setenv("COOKIESESS_KEYS", KEY)
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__", "KEYS": KEY}
    exec(FIRST.rpartition("\napp = ")[0], names)
    return names


def run(names, beginning):
    """Run the one block after the first that holds `beginning`."""
    (code,) = [code for code in OTHERS if beginning in code]
    exec(compile(code, "README.md", "exec"), names)


def ask(app, cookies, url="https://shop.example/"):
    request = Request.blank(url, headers={"Cookie": cookies.value}, environ={"REMOTE_ADDR": "127.0.0.1"})
    response = request.get_response(app)
    cookies.follow(response.headers.getall("Set-Cookie"))
    return response


def test_the_first_app_counts_visits(names):
    exec(FIRST, names)
    cookies = CookieHeader()
    assert [ask(names["app"], cookies).text for _ in range(3)] == [f"visit number {n}" for n in (1, 2, 3)]


def test_the_first_app_answers_every_path_at_a_first_visit_too(names):
    exec(FIRST, names)
    cookies = CookieHeader()
    answers = [ask(names["app"], cookies, f"https://shop.example{path}") for path in ("/favicon.ico", "/any", "/")]
    assert [(answer.status_code, answer.text) for answer in answers] == [
        (200, "visit number 0"),
        (200, "visit number 0"),
        (200, "visit number 1"),
    ]


def test_the_flask_app_logs_in_and_knows_the_user_afterwards(names):
    run(names, "from flask import")
    client = names["app"].test_client()
    base = {"base_url": "https://shop.example"}
    assert client.get("/favicon.ico", **base).status_code == 404
    assert client.get("/", **base).json == {"user": None}
    assert client.post("/login", **base).json == {"user": "user-42"}
    assert client.get("/", **base).json == {"user": "user-42"}


def test_the_app_for_plain_http_sets_a_cookie_that_is_kept_there(names):
    run(names, "CookiePolicy.development()")
    line = ask(names["app"], CookieHeader(), "http://localhost:8000/").headers["Set-Cookie"]
    assert line.startswith("session=")
    assert "Secure" not in line


def test_the_server_side_app_keeps_sessions_in_a_file(names, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(names, 'store="sqlite:')
    cookies = CookieHeader()
    assert [ask(names["app"], cookies).text for _ in range(2)] == ["visit number 1", "visit number 2"]
    names["app"].manager.close_stores()
    store = SQLiteStore(tmp_path / "sessions.db")
    assert store.delete_expired(now=1 << 62, limit=10) == 1
    store.close()


def test_what_is_done_in_views(names):
    manager, cookies = SessionManager(KEY, store=MemoryStore()), CookieHeader()
    with session_transaction(manager, cookies) as session:
        session["old"] = True
    session, jar = manager.open(cookies.value), manager.jar(cookies.value)
    names["environ"] = {"cookiesess.session": session, "cookiesess.cookies": jar, "cookiesess.manager": manager}
    run(names, "get_cookies(environ)")
    manager.commit(session)
    assert manager.open(cookies.value).is_new
    assert [line.name for line in jar.commit()] == ["theme"]


def test_every_python_block_is_run_by_a_test():
    beginnings = ["CookiePolicy.development()", 'store="sqlite:', "get_cookies(environ)", "from flask import"]
    assert len(OTHERS) == len(beginnings)
    assert all(beginning in code for beginning, code in zip(beginnings, OTHERS, strict=True))


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
    shown = [*figures(README)]
    assert len(shown) == 13
    for row in shown:
        assert any(row.items() <= other.items() for other in measured), row


def test_peers_are_compared_in_the_versions_that_were_measured():
    head = next(row for row in rows(README) if row[1:2] == [f"cookiesess {cookiesess.__version__}"])
    measured = (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
    for peer in head[2:]:
        assert peer in measured, peer
