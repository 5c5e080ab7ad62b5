"""Every code block of the README is executed, and what it lists is compared with the code."""

import os
import re
import subprocess
import sys
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from webob import Request, Response

import cookiesess
from cookiesess import (
    CookiePolicy,
    Lifetime,
    SessionManager,
    SessionMiddleware,
    events,
    get_cookies,
    get_manager,
    get_session,
)
from cookiesess.settings import Settings
from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore
from cookiesess.testing import CookieHeader, session_transaction

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {"README.md": README, "settings.md": (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")}
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
PYTHON = [code for language, code in BLOCKS if language == "python"]
KEYS = "a key of the tests that is longer than 32 bytes"


def block(beginning):
    """Return the one Python block that holds `beginning`."""
    (found,) = [code for code in PYTHON if beginning in code]
    return found


@pytest.fixture
def namespace(monkeypatch, tmp_path):
    """What the blocks take for granted: keys, an app, and the environ of a request with a server-side session."""
    monkeypatch.setenv("COOKIESESS_KEYS", KEYS)
    monkeypatch.chdir(tmp_path)
    store = MemoryStore()
    manager = SessionManager(KEYS, store=store)
    opened = []

    class Opened(SQLiteStore):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            opened.append(self)

    monkeypatch.setattr("cookiesess.stores.sqlite.SQLiteStore", Opened)
    names = {
        "os": os,
        "__name__": "__main__",
        "KEYS": KEYS,
        "CookiePolicy": CookiePolicy,
        "SessionMiddleware": SessionMiddleware,
        "UTC": UTC,
        "app": Response("hello"),
        "datetime": datetime,
        "environ": environ_of(manager),
        "get_cookies": get_cookies,
        "get_manager": get_manager,
        "get_session": get_session,
        "timedelta": timedelta,
    }
    yield names
    for sqlite_store in opened:
        sqlite_store.close()


def environ_of(manager):
    session = manager.open("")
    return {
        "cookiesess.session": session,
        "cookiesess.cookies": manager.jar("theme=dark"),
        "cookiesess.manager": manager,
    }


def ask(app, path, cookies):
    request = Request.blank(path, base_url="https://shop.example", headers={"Cookie": cookies.value})
    response = request.get_response(app)
    cookies.follow(response.headers.getall("Set-Cookie"))
    return response.text


def test_the_first_app_counts_visits(namespace):
    exec(block("visit number"), namespace)
    cookies = CookieHeader()
    assert [ask(namespace["app"], "/", cookies) for _ in range(3)] == [f"visit number {n}" for n in (1, 2, 3)]


def test_the_flask_app_logs_in(namespace):
    exec(block("from flask import"), namespace)
    cookies = CookieHeader()
    app = namespace["flask_app"]
    assert ask(app, "/login", cookies) == "hello"
    with session_transaction(app.wsgi_app.manager, cookies) as session:
        assert (session.owner, session.pop_flashes()) == ("user-42", [("welcome back", "message")])
    assert "theme=dark" in cookies.value


def test_the_server_side_app_keeps_sessions_in_a_file(namespace, tmp_path):
    exec(block("store=SQLiteStore"), namespace)
    cookies = CookieHeader()
    manager = namespace["app"].manager
    with session_transaction(manager, cookies) as session:
        session["a"] = 1
    with session_transaction(manager, cookies) as session:
        assert session["a"] == 1
    assert (tmp_path / "sessions.db").exists()


def test_a_client_side_session_moves_when_it_outgrows_its_cookie(namespace):
    exec(block("overflow=store"), namespace)
    manager, cookies = namespace["app"].manager, CookieHeader()
    with session_transaction(manager, cookies) as session:
        session["a"] = "x" * 10_000
    with session_transaction(manager, cookies) as session:
        assert len(session["a"]) == 10_000
        copied = cookies.value
        session.invalidate()
    assert not manager.open(copied)


def test_what_a_session_can_do(namespace):
    exec(block('session["cart"] = ["tea"]'), namespace)
    assert namespace["session"].is_new


def test_the_verbs_that_the_readme_names_exist():
    named = re.search(r"^Also (.*?), and everything", README, re.MULTILINE).group(1)
    for name in re.findall(r"`(\w+)`", named):
        assert isinstance(getattr(cookiesess.Session, name), property), name


def test_a_registered_type_comes_back(namespace):
    exec(block("from markupsafe"), namespace)
    cookies, markup = CookieHeader(), namespace["Markup"]
    with session_transaction(namespace["app"].manager, cookies) as session:
        session["html"] = markup("<b>")
    with session_transaction(namespace["app"].manager, cookies) as session:
        assert type(session["html"]) is markup


def test_the_plain_cookies(namespace):
    exec(block("cookies.sealed.get"), namespace)
    names = [cookie.name for cookie in namespace["cookies"].commit()]
    assert names == ["user_id", "old", "cart_id", "address"]


def test_the_owners_sessions_are_listed_and_ended(namespace, capsys):
    manager = namespace["environ"]["cookiesess.manager"]
    cookies = [CookieHeader(), CookieHeader()]
    for header in cookies:
        with session_transaction(manager, header) as session:
            session.login("user-42")
    kept = manager.open(cookies[0].value)
    namespace |= {"session": kept, "handle": manager.handle_of(manager.open(cookies[1].value))}
    exec(block("manager.end_all"), namespace)
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert [info.handle for info in manager.sessions_of("user-42")] == [manager.handle_of(kept)]


def test_the_block_on_testing_passes(namespace):
    exec(block("ManualClock()"), namespace)


def test_every_python_block_is_run_by_a_test():
    source = Path(__file__).read_text(encoding="utf-8")
    beginnings = re.findall(r"exec\(block\((['\"])(.*?)\1\), namespace\)", source)
    covered = [code for code in PYTHON if any(beginning in code for _, beginning in beginnings)]
    assert covered == PYTHON


def test_the_commands_run(tmp_path):
    (commands,) = [code for language, code in BLOCKS if language == "console"]
    environ = {**os.environ, "COOKIESESS_KEYS": KEYS, "PYTHONPATH": str(ROOT)}
    store = SQLiteStore(tmp_path / "sessions.db")
    manager, cookies = SessionManager(KEYS, store=store), CookieHeader()
    with session_transaction(manager, cookies) as session:
        session.login("user-42")
    handle = manager.handle_of(manager.open(cookies.value))
    lines = [line.removeprefix("$ ") for line in commands.splitlines()]
    outputs = []
    for line in lines:
        words = line.replace("TOKEN", cookies.value).replace("HANDLE", handle).split()
        assert words[:3] == ["python", "-m", "cookiesess"]
        done = subprocess.run(
            [sys.executable, *words[1:]], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 0, (line, done.stderr)
        outputs.append(done.stdout)
    store.close()
    assert [text.splitlines()[-1] for text in outputs[1:]] == [
        "holds: a reference to a record in a store",
        "1 sessions",
        "ended 1 sessions",
        "ended 0 sessions",
        "swept 0 expired sessions",
    ]


def test_make_knows_the_targets_that_the_readme_names():
    for target in {"demo", "test", *re.findall(r"`make ([\w-]+)`", README)}:
        subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True, timeout=30)


def table_after(words, page):
    """Return the first column of the table that follows `words`, without its head."""
    text = PAGES[page]
    lines = text[text.index(words) :].splitlines()
    rows = [line for line in lines[: next_heading(lines)] if line.startswith("| ")]
    return {name for row in rows[1:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}


def next_heading(lines):
    tables = [index for index, line in enumerate(lines) if line.startswith("|")]
    return next(index for index in range(tables[0], len(lines)) if not lines[index].startswith("|"))


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_of_the_middleware_is_in_the_table(page):
    settings = {"keys", "environ_key", "session_class", *Settings.__annotations__}
    assert table_after("Settings\n", page) == settings


@pytest.mark.parametrize("page", PAGES)
def test_every_field_of_the_cookie_policy_is_in_the_table(page):
    names = {f.name for f in fields(CookiePolicy) if f.init}
    assert table_after('`CookiePolicy(name="__Host-session", …)`', page) == names


@pytest.mark.parametrize("page", PAGES)
def test_every_field_of_the_lifetime_is_in_the_table(page):
    assert table_after("`Lifetime(…)`", page) == {field.name for field in fields(Lifetime) if field.init}


def own_events():
    """The library's own; other tests in this process may have made theirs."""
    return [cls for cls in events.Event.__subclasses__() if cls.__module__.startswith("cookiesess.")]


def test_every_event_is_listed():
    named = README[README.index("## Events") : README.index("## Testing your app")]
    for cls in own_events():
        prefix, _, rest = cls.name.partition(".")
        assert cls.name in named or (prefix == "session" and f"`.{rest}`" in named), cls.name


def test_every_event_is_in_the_table_of_the_page():
    page = (ROOT / "docs" / "sessions.md").read_text(encoding="utf-8")
    assert not {cls.name for cls in own_events() if f"`{cls.name}`" not in page}


def test_the_files_that_the_readme_links_to_exist():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
