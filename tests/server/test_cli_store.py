"""`python -m cookiesess sweep` and `sessions`, on real SQLite files."""

import time
from datetime import timedelta

import pytest

from cookiesess import Key, Lifetime, SessionManager
from cookiesess.cli import main
from cookiesess.stores.base import Record
from cookiesess.stores.sqlite import SQLiteStore
from cookiesess.testing import CookieHeader, ManualClock, session_transaction
from kit.constants import KEY


@pytest.fixture(autouse=True)
def keys_in_the_environment(monkeypatch):
    monkeypatch.setenv("COOKIESESS_KEYS", KEY)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sessions.db"


@pytest.fixture
def manager(path):
    store = SQLiteStore(path)
    yield SessionManager(KEY, store=store, lifetime=Lifetime(), max_sessions_per_owner=None)
    store.close()


def log_in(manager, owner, label=None):
    cookies = CookieHeader()
    with session_transaction(manager, cookies) as session:
        session.login(owner)
        session.label = label
    return cookies


def owner_of(manager, cookies):
    with session_transaction(manager, cookies) as session:
        return session.owner


def run(capsys, *arguments):
    code = main([*arguments])
    return code, capsys.readouterr()


def test_sessions_lists_an_owners_sessions_with_their_labels(capsys, manager, path):
    log_in(manager, "user-42", "Firefox on Linux")
    log_in(manager, "user-42", "phone")
    log_in(manager, "somebody else", "tablet")
    code, captured = run(capsys, "sessions", "--store", f"sqlite:///{path}", "user-42")
    lines = captured.out.splitlines()
    assert (code, len(lines), lines[-1]) == (0, 3, "2 sessions")
    assert {line.rsplit("  ", 1)[1] for line in lines[:-1]} == {"'Firefox on Linux'", "'phone'"}


def test_the_store_is_that_of_the_variable_where_none_is_given(capsys, manager, path, tmp_path, monkeypatch):
    log_in(manager, "user-42")
    monkeypatch.setenv("COOKIESESS_STORE", f"sqlite:///{path}")
    assert run(capsys, "sessions", "user-42")[1].out.endswith("1 session\n")
    assert run(capsys, "sweep")[1].out == "swept 0 expired sessions\n"
    code, captured = run(capsys, "sweep", "--store", f"sqlite:///{tmp_path}/missing.db")
    assert (code, "there is no file" in captured.err) == (2, True)


@pytest.mark.parametrize("value", [None, ""], ids=["unset", "empty"])
@pytest.mark.parametrize("command", [["sweep"], ["migrate"], ["sessions", "ann"], ["revocations", "renew-epoch"]])
def test_without_a_store_each_command_says_where_to_name_one(capsys, monkeypatch, command, value):
    monkeypatch.delenv("COOKIESESS_STORE", raising=False)
    if value is not None:
        monkeypatch.setenv("COOKIESESS_STORE", value)
    code, captured = run(capsys, *command)
    assert (code, captured.out) == (2, "")
    assert captured.err == "cookiesess: which store? Give --store, or set COOKIESESS_STORE\n"


def seen_by_another_app(path, *, absolute, days_ago):
    """Log user-42 in to an app with other timeouts than the default, and have the session seen 20 days later."""
    store, clock = SQLiteStore(path), ManualClock(time.time() - days_ago * 86_400)
    manager = SessionManager(KEY, store=store, clock=clock, lifetime=Lifetime(idle=absolute, absolute=absolute))
    cookies = log_in(manager, "user-42")
    clock.advance(timedelta(days=20))
    assert owner_of(manager, cookies) == "user-42"
    store.close()


def test_a_session_that_lives_longer_than_the_default_is_listed_and_ended(capsys, path):
    seen_by_another_app(path, absolute=timedelta(days=90), days_ago=40)
    _, listed = run(capsys, "sessions", "--store", f"sqlite:///{path}", "user-42")
    _, ended = run(capsys, "sessions", "--store", f"sqlite:///{path}", "user-42", "end", "--all")
    assert (listed.out.splitlines()[-1], ended.out) == ("1 session", "ended 1 session\n")


def test_a_session_whose_own_deadline_has_passed_is_not_listed(capsys, path):
    seen_by_another_app(path, absolute=timedelta(days=30), days_ago=40)
    code, captured = run(capsys, "sessions", "--store", f"sqlite:///{path}", "user-42")
    assert (code, captured.out.splitlines()[0]) == (0, "0 sessions")


def test_a_session_without_a_label_is_listed_with_none(capsys, manager, path):
    log_in(manager, "user-42")
    _, captured = run(capsys, "sessions", "--store", f"sqlite:///{path}", "user-42")
    assert captured.out.splitlines()[0].endswith("  None")


def test_a_label_cannot_speak_to_the_terminal(capsys, manager, path):
    log_in(manager, "user-42", "\x1b[2Jgone\n0 sessions")
    _, captured = run(capsys, "sessions", "--store", f"sqlite:///{path}", "user-42")
    assert "\x1b" not in captured.out
    assert captured.out.splitlines()[0].endswith(r"'\x1b[2Jgone\n0 sessions'")


def test_sessions_end_ends_the_session_with_that_handle_alone(capsys, manager, path):
    first, second = log_in(manager, "user-42"), log_in(manager, "user-42")
    handle = manager.handle_of(manager_open(manager, first))
    code, captured = run(capsys, "sessions", "--store", f"sqlite:///{path}", "user-42", "end", handle)
    assert (code, captured.out) == (0, "ended 1 session\n")
    assert (owner_of(manager, first), owner_of(manager, second)) == (None, "user-42")


def manager_open(manager, cookies):
    session = manager.open(cookies.value)
    assert session.owner == "user-42"
    return session


def test_sessions_end_all_ends_every_session_of_the_owner(capsys, manager, path):
    mine, others = [log_in(manager, "user-42"), log_in(manager, "user-42")], log_in(manager, "other")
    code, captured = run(capsys, "sessions", "--store", f"sqlite:///{path}", "user-42", "end", "--all")
    assert (code, captured.out) == (0, "ended 2 sessions\n")
    assert [owner_of(manager, cookies) for cookies in (*mine, others)] == [None, None, "other"]


def test_ending_a_handle_that_is_not_there_is_exit_code_1(capsys, manager, path):
    log_in(manager, "user-42")
    code, captured = run(capsys, "sessions", "--store", f"sqlite:///{path}", "user-42", "end", "00" * 32)
    assert (code, captured.out.splitlines()[0]) == (1, "ended 0 sessions")


@pytest.mark.parametrize(
    "arguments",
    [["user-42", "end"], ["user-42", "--all"], ["user-42", "end", "00" * 32, "--all"]],
    ids=["end without a handle", "all without end", "a handle and all"],
)
def test_an_unclear_order_ends_nothing(capsys, manager, path, arguments):
    cookies = log_in(manager, "user-42")
    code, captured = run(capsys, "sessions", "--store", f"sqlite:///{path}", *arguments)
    assert (code, captured.out) == (2, "")
    assert "end HANDLE" in captured.err
    assert owner_of(manager, cookies) == "user-42"


def test_sessions_without_keys_says_why_they_are_needed(capsys, monkeypatch, manager, path):
    monkeypatch.delenv("COOKIESESS_KEYS")
    code, captured = run(capsys, "sessions", "--store", f"sqlite:///{path}", "user-42")
    assert (code, captured.out) == (2, "")
    assert "COOKIESESS_KEYS" in captured.err


def test_sweep_deletes_what_has_expired_and_nothing_else(capsys, manager, path):
    cookies = log_in(manager, "user-42")
    store = SQLiteStore(path, sweep_batch=0)
    for number in range(5):
        store.create(number.to_bytes(32), Record(b"", expires_at=1000), now=0)
    store.close()
    code, captured = run(capsys, "sweep", "--store", f"sqlite:///{path}", "--batch", "2")
    assert (code, captured.out) == (0, "swept 5 expired sessions\n")
    assert owner_of(manager, cookies) == "user-42"


def test_sweep_of_a_store_that_cannot_be_opened_is_one_line_and_exit_code_2(capsys, tmp_path):
    code, captured = run(capsys, "sweep", "--store", f"sqlite:///{tmp_path}/missing/sessions.db")
    assert (code, captured.out, captured.err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("command", [["sweep"], ["sessions", "user-42"], ["sessions", "user-42", "end", "--all"]])
def test_a_file_that_does_not_exist_is_one_line_and_is_not_made(capsys, path, command):
    verb, *rest = command
    code, captured = run(capsys, verb, "--store", f"sqlite:///{path}", *rest)
    assert (code, captured.out) == (2, "")
    assert captured.err == f"cookiesess: there is no file {path}; the app makes it when it starts\n"
    assert not path.exists()


def test_a_file_that_does_not_exist_is_not_made_whatever_the_case_of_the_scheme(capsys, path):
    code, captured = run(capsys, "sweep", "--store", f"SQLITE:///{path}")
    assert (code, captured.out, captured.err.count("\n")) == (2, "", 1)
    assert not path.exists()


@pytest.mark.parametrize("url", ["sqlite:missing.db", "sqlite:/missing.db", " sqlite:///missing.db"])
def test_a_file_that_does_not_exist_is_not_made_however_the_url_is_written(capsys, tmp_path, monkeypatch, url):
    monkeypatch.chdir(tmp_path)
    code, captured = run(capsys, "sweep", "--store", url)
    assert (code, captured.out, captured.err.count("\n")) == (2, "", 1)
    assert [*tmp_path.iterdir()] == []


def test_a_url_that_cannot_be_parsed_is_one_line_and_exit_code_2(capsys):
    code, captured = run(capsys, "sweep", "--store", "sqlite://[x")
    assert (code, captured.out, captured.err.count("\n")) == (2, "", 1)


def test_a_file_whose_name_is_quoted_in_the_url_is_found(capsys, tmp_path):
    SQLiteStore(tmp_path / "my sessions.db").close()
    code, captured = run(capsys, "sweep", "--store", f"sqlite:///{tmp_path}/my%20sessions.db")
    assert (code, captured.out) == (0, "swept 0 expired sessions\n")


def test_a_batch_of_nothing_is_refused(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["sweep", "--store", "memory://", "--batch", "0"])
    assert exit_.value.code == 2
    assert "at least 1" in capsys.readouterr().err


@pytest.mark.parametrize("verb", [[], ["end", "--all"]], ids=["list", "end"])
def test_who_finds_nothing_is_told_under_which_keys(capsys, manager, path, monkeypatch, verb):
    log_in(manager, "user-42")
    other, older = Key.generate(), Key.generate()
    monkeypatch.setenv("COOKIESESS_KEYS", f"{other},{older}")
    _, captured = run(capsys, "sessions", "--store", f"sqlite:///{path}", "user-42", *verb)
    assert f"under the keys with the ids {Key(other).kid.hex()}, {Key(older).kid.hex()};" in captured.out


def test_who_finds_something_is_told_nothing_of_keys(capsys, manager, path):
    log_in(manager, "user-42")
    _, captured = run(capsys, "sessions", "--store", f"sqlite:///{path}", "user-42")
    assert "under the keys" not in captured.out


def test_the_keys_may_be_in_a_file(capsys, manager, path, monkeypatch, tmp_path):
    log_in(manager, "user-42")
    monkeypatch.delenv("COOKIESESS_KEYS")
    (tmp_path / "keys.txt").write_text(f"{KEY}\n{Key.generate()}\n", encoding="utf-8")
    monkeypatch.setenv("COOKIESESS_KEYS_FILE", str(tmp_path / "keys.txt"))
    _, captured = run(capsys, "sessions", "--store", f"sqlite:///{path}", "user-42")
    assert captured.out.splitlines()[-1] == "1 session"


def test_two_places_for_the_keys_are_one_too_many_as_in_the_app(capsys, path, monkeypatch):
    monkeypatch.setenv("COOKIESESS_KEYS_FILE", "keys.txt")
    code, captured = run(capsys, "sessions", "--store", f"sqlite:///{path}", "user-42")
    assert code == 2
    assert captured.err == "cookiesess: COOKIESESS_KEYS and COOKIESESS_KEYS_FILE are both set; remove one\n"


def test_a_list_that_is_not_all_says_so(capsys, manager, path):
    for _ in range(501):
        log_in(manager, "user-42")
    _, captured = run(capsys, "sessions", "--store", f"sqlite:///{path}", "user-42")
    assert captured.out.splitlines()[-1] == "500 sessions, and more that are not shown"


def test_a_keys_file_that_is_not_there_is_named_by_its_variable(capsys, path, monkeypatch):
    monkeypatch.delenv("COOKIESESS_KEYS", raising=False)
    monkeypatch.setenv("COOKIESESS_KEYS_FILE", "no-such-file")
    code, captured = run(capsys, "sessions", "--store", f"sqlite:///{path}", "user-42")
    assert code == 2
    assert captured.err.startswith("cookiesess: COOKIESESS_KEYS_FILE: there is no file that can be read")
