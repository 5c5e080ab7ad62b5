"""CONTRIBUTING.md: its code runs, what it names is there, and its hour of reading is an hour."""

import re
import subprocess
from pathlib import Path

import pytest
from webob import Request

import cookiesess
from cookiesess import SessionManager, get_session
from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import CookieHeader, session_transaction
from docs.pages import ROOT, blocks
from kit.constants import KEY, PLAIN

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MOST_LINES = 2_500


def place(name: str) -> Path:
    """Where a file that the page names is: the package may be installed elsewhere than the tests are."""
    return (Path(cookiesess.__file__).parents[1] if name.startswith("cookiesess") else ROOT) / name


def test_the_hour_of_reading_is_short_enough():
    section = PAGE.partition("\n## An hour of reading\n")[2].partition("\n## ")[0]
    files = re.findall(r"^\d+\. `(\S+)`", section, re.MULTILINE)
    assert len(files) > 8
    lines = {name: len(place(name).read_text(encoding="utf-8").splitlines()) for name in files}
    assert sum(lines.values()) <= MOST_LINES, f"take one out of the list, or part it: {lines}"


def test_make_knows_its_targets():
    targets = {*re.findall(r"make ([\w-]+)", PAGE)}
    assert len(targets) > 5
    for target in targets:
        subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True, timeout=30)


def test_the_files_that_it_names_exist():
    paths = re.findall(r"`((?:cookiesess|tests|examples)/?[\w/.]*)`", PAGE) + re.findall(r"\]\(([^)#]+)", PAGE)
    assert len(paths) > 30
    missing = [path for path in paths if not place(path).exists() and path != "cookiesess.testing"]
    assert missing == []


@pytest.fixture
def with_sessions():
    """The adapter that the page shows."""
    ((_, _, code),) = [block for block in blocks(ROOT / "CONTRIBUTING.md") if block[0] == "python"]
    names = {}
    exec(compile(code, "CONTRIBUTING.md", "exec"), names)
    return names["with_sessions"]


def handle(environ):
    """Count visits, once more while the body is produced; or fail."""
    session = get_session(environ)
    session["visits"] = session.get("visits", 0) + 1
    if environ["PATH_INFO"] == "/fail":
        raise LookupError("the app failed")

    def body():
        yield f"visit {session['visits']}".encode()
        session["late"] = True

    return "200 OK", PLAIN, body()


def test_the_adapter_that_it_shows_keeps_sessions(with_sessions):
    manager, cookies = SessionManager(KEY, store=MemoryStore()), CookieHeader()
    app = with_sessions(handle, manager)

    def ask(path):
        request = Request.blank(f"https://shop.example{path}", headers={"Cookie": cookies.value})
        response = request.get_response(app)
        cookies.follow(response.headers.getall("Set-Cookie"))
        return response

    assert [ask("/").text for _ in range(2)] == ["visit 1", "visit 2"]
    with pytest.raises(LookupError):
        ask("/fail")
    assert ask("/").text == "visit 3"
    with session_transaction(manager, cookies) as session:
        assert session["late"] is True
