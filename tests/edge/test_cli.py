"""`python -m cookiesess`: keys for an app, and a look into its tokens."""

import io
import os
import runpy
import stat
import subprocess
import sys
from importlib.metadata import entry_points

import pytest
import sqlalchemy as sa

import cookiesess
from cookiesess import CookiePolicy, Key, Keyring, Lifetime, SessionManager, SessionMiddleware, ValueType
from cookiesess.cli import main
from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import ManualClock
from kit.browser import Browser
from kit.constants import KEY, NAME, OTHER_KEY
from kit.views import put
from kit.wsgi import WebBrowser, answering


@pytest.fixture(autouse=True)
def no_keys_in_the_environment(monkeypatch):
    monkeypatch.delenv("COOKIESESS_KEYS", raising=False)


def token_of(view=lambda session: None, **settings):
    def fill(session):
        session["username"] = "萧兮"
        view(session)

    visitor = Browser(SessionManager(KEY, clock=ManualClock(), **settings))
    visitor.visit(fill)
    return visitor.token


@pytest.fixture
def inspect(capsys):
    """Run ``inspect`` and return its exit code and what it printed."""

    def inspect(*arguments):
        code = main(["inspect", *arguments])
        captured = capsys.readouterr()
        assert captured.err == ""
        return code, captured.out

    return inspect


@pytest.mark.process
def test_keygen_prints_one_key_and_nothing_else():
    done = subprocess.run([sys.executable, "-m", "cookiesess", "keygen"], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    (line,) = done.stdout.splitlines()
    assert line == line.strip()
    browser = WebBrowser(SessionMiddleware(answering(lambda session: session.setdefault("n", 5)), line))
    assert browser.get().text == "5"


def test_a_reader_that_has_seen_enough_is_no_error(monkeypatch):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as nobody_reads:
        monkeypatch.setattr(sys, "stdout", nobody_reads)
        assert main(["keygen"]) == 0


def test_keygen_prints_another_key_each_time(capsys):
    assert main(["keygen"]) == main(["keygen"]) == 0
    keys = capsys.readouterr().out.split()
    assert len(set(keys)) == 2
    assert {len(key) for key in keys} == {43}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277], ids=oct)
def test_keygen_writes_a_file_that_its_owner_alone_can_read(umask, tmp_path, capsys):
    path = tmp_path / "keys.txt"
    before = os.umask(umask)
    try:
        assert main(["keygen", "--file", str(path)]) == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(Keyring.from_file(str(path)).keys) == 1
    out = capsys.readouterr().out
    assert out == f"a new key is in {path}, which its owner alone can read\n"


def test_keygen_replaces_no_file_and_follows_no_link(tmp_path, capsys):
    path, link = tmp_path / "keys.txt", tmp_path / "link"
    path.write_text(KEY)
    link.symlink_to(tmp_path / "elsewhere")
    for taken in (path, link, tmp_path / "missing" / "keys.txt"):
        assert main(["keygen", "--file", str(taken)]) == 2
        assert f"no key was written to {taken}: " in capsys.readouterr().err
    assert path.read_text() == KEY
    assert not link.exists()


def test_the_package_has_a_console_script():
    (script,) = entry_points(group="console_scripts", name="cookiesess")
    assert script.load() is main


def test_the_version_is_the_package_s(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert (caught.value.code, capsys.readouterr().out) == (0, f"cookiesess {cookiesess.__version__}\n")


def test_a_compressed_session_is_shown_too(inspect):
    _, out = inspect(token_of(lambda session: session.setdefault("text", "x" * 500), compress=True), "--keys", KEY)
    assert "x" * 60 in out


def test_help_names_both_commands(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert all(command in capsys.readouterr().out for command in ["keygen"])


@pytest.mark.parametrize("arguments", [[], ["unknown"], ["inspect"], ["inspect", "a", "b"], ["keygen", "x"]])
def test_wrong_usage_is_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: cookiesess" in capsys.readouterr().err


def test_with_the_key_inspect_shows_everything(inspect):
    token = token_of(lambda session: session.login("user-1"))
    code, out = inspect(token, "--keys", KEY)
    assert code == 0
    for line in (
        f"sealed token, {len(token)} characters, version 01, kid {Key(KEY).kid.hex()}",
        "opens: yes, with the current key",
        "created: 2023-11-14T22:13:20+00:00",
        "authenticated: 2023-11-14T22:13:20+00:00",
        "refreshed: 2023-11-14T22:13:20+00:00",
        "ends at the latest: 2023-12-14T22:13:20+00:00",
        "owner: 'user-1'",
        "data: {'username': '萧兮'}",
    ):
        assert line in out.splitlines()


def test_an_anonymous_sessions_authentication_and_owner_are_shown_as_missing(inspect):
    lines = inspect(token_of(), "--keys", KEY)[1].splitlines()
    assert "authenticated: -" in lines
    assert "owner: None" in lines


def test_the_keys_can_come_from_the_environment(monkeypatch, inspect):
    monkeypatch.setenv("COOKIESESS_KEYS", f"{OTHER_KEY}, {KEY}")
    code, out = inspect(token_of())
    assert code == 0
    assert "opens: yes, with an accepted key" in out
    assert "萧兮" in out


@pytest.mark.parametrize("settings", [{}, {"encrypt": False}], ids=["sealed", "signed"])
def test_without_a_key_nothing_of_the_content_is_shown(inspect, settings):
    code, out = inspect(token_of(**settings))
    assert code == 0
    assert "opens: not tried; give --keys, or set COOKIESESS_KEYS or COOKIESESS_KEYS_FILE" in out
    assert "username" not in out
    assert "萧兮" not in out
    assert len(out.splitlines()) == 2


@pytest.mark.parametrize("settings", [{}, {"encrypt": False}], ids=["sealed", "signed"])
def test_with_a_wrong_key_nothing_of_the_content_is_shown(inspect, settings):
    code, out = inspect(token_of(**settings), "--keys", OTHER_KEY)
    assert code == 1
    assert "opens: no (" in out
    assert "username" not in out


def test_a_signed_token_opens_with_its_key(inspect):
    token = token_of(encrypt=False)
    code, out = inspect(token, "--keys", f"{OTHER_KEY},{KEY}")
    assert code == 0
    assert f"signed token, {len(token)} characters" in out
    assert "opens: yes, with an accepted key" in out
    assert "'username'" in out


def test_a_session_cookie_of_the_policy_for_development_opens(inspect):
    code, out = inspect(token_of(cookie=CookiePolicy.development()), "--keys", KEY)
    assert code == 0
    assert "'username'" in out


@pytest.mark.parametrize("how", ["name=value", "--name"])
def test_a_cookie_of_another_name_opens_where_the_name_is_given(inspect, how):
    token = token_of(cookie=CookiePolicy("sid"))
    assert inspect(token, "--keys", KEY)[0] == 1
    arguments = [f"sid={token}"] if how == "name=value" else [token, "--name", "sid"]
    assert inspect(*arguments, "--keys", KEY)[0] == 0


def test_the_name_in_front_of_the_value_counts(inspect):
    assert inspect(f"{NAME}={token_of()}", "--keys", KEY)[0] == 0
    assert inspect(f"other={token_of()}", "--keys", KEY)[0] == 1


def test_a_token_can_come_from_standard_input(inspect, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{NAME}={token_of()}\n"))
    code, out = inspect("-", "--keys", KEY)
    assert code == 0
    assert "萧兮" in out


@pytest.mark.parametrize("text", ["garbage!", "é" * 40, "a b", "="])
def test_what_is_no_token_is_said_to_be_none_and_not_repeated(inspect, text):
    code, out = inspect(text, "--keys", KEY)
    assert code == 1
    assert out.startswith(("no token: ", "no token of a known version: "))
    assert "opens: no (malformed)" in out
    assert len(text) < 5 or text not in out


@pytest.mark.parametrize("text", ["AQ", "AQIDBAUG"])
def test_a_short_token_is_described_as_far_as_it_goes(inspect, text):
    code, out = inspect(text, "--keys", KEY)
    assert code == 1
    assert out.startswith(f"sealed token, {len(text)} characters, version 0")


@pytest.mark.parametrize("text", ["AAAA", "AgIDBAUG", "_____w"])
def test_bytes_of_another_version_are_said_to_be_no_token_of_a_known_one(inspect, text):
    code, out = inspect(text, "--keys", KEY)
    assert code == 1
    assert out.startswith(f"no token of a known version: {len(text)} characters\n")


def test_a_token_from_the_future_is_shown_with_its_times(inspect):
    visitor = Browser(SessionManager(KEY, clock=ManualClock(9_000_000_000)))
    visitor.visit(put("a", 1))
    code, out = inspect(visitor.token, "--keys", KEY)
    assert code == 0
    assert "created: 2255-03-" in out


def test_a_session_without_an_absolute_deadline_shows_a_dash(inspect):
    assert "ends at the latest: -" in inspect(token_of(lifetime=Lifetime(absolute=None)), "--keys", KEY)[1]


@pytest.mark.parametrize("keys", ["short", ",", f"{KEY},{KEY}"])
def test_bad_keys_are_one_line_and_exit_code_2(keys, capsys):
    assert main(["inspect", token_of(), "--keys", keys]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("cookiesess: ")
    assert len(captured.err.splitlines()) == 1
    assert "username" not in captured.out
    assert KEY not in captured.err


def test_a_session_with_a_type_of_the_apps_own_is_not_said_both_to_open_and_not_to_open(inspect):
    """The tool does not know the app's types; the times could still be shown."""
    price = ValueType(1, complex, encode=lambda value: [value.real, value.imag], decode=lambda body: complex(*body))
    _, out = inspect(token_of(put("z", 1j), types=[price]), "--keys", KEY)
    assert "opens: yes" in out
    assert "opens: no" not in out


@pytest.mark.process
def test_inspect_prints_no_traceback_when_run_as_a_process():
    done = subprocess.run(
        [sys.executable, "-m", "cookiesess", "inspect", "garbage!", "--keys", KEY], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr == ""


def test_a_server_side_sessions_token_is_shown_as_a_reference(inspect):
    token = token_of(store=MemoryStore())
    code, out = inspect(token, "--keys", KEY)
    assert code == 0
    assert "holds: a reference to a record in a store" in out
    assert "username" not in out


def test_the_module_can_be_run(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["cookiesess", "keygen"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("cookiesess", run_name="__main__")
    assert caught.value.code == 0
    assert len(capsys.readouterr().out) == 44


def test_the_module_can_be_imported_without_running(capsys):
    runpy.run_module("cookiesess.__main__", run_name="imported")
    assert capsys.readouterr().out == ""


def test_migrate_says_which_table_is_there(monkeypatch, capsys, tmp_path):
    """On SQLite, which needs no server; no URL leads there, since SQLiteStore makes a table of its own."""
    engine = sa.create_engine(f"sqlite:///{tmp_path}/sessions.db", isolation_level="AUTOCOMMIT")
    monkeypatch.setattr("cookiesess.stores.sql.store.engine_of", lambda parts: (engine, "mine"))
    assert main(["migrate", "--store", "postgresql://host/shop?table=mine"]) == 0
    assert capsys.readouterr().out == "the table mine is there\n"
    assert sa.inspect(engine).has_table("mine")
    engine.dispose()
