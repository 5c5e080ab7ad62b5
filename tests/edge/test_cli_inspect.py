"""`python -m cookiesess inspect` of a whole Cookie header, and of the record behind a cookie."""

import time
from datetime import timedelta

import pytest

from cookiesess import CookiePolicy, Key, Lifetime, SessionManager, ValueType
from cookiesess.cli import main
from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore
from cookiesess.testing import CookieHeader, ManualClock, session_transaction
from kit.constants import KEY, NAME

pytestmark = pytest.mark.usefixtures("keys_in_the_environment")


@pytest.fixture
def run(capsys):
    def run(*arguments):
        code = main(["inspect", *arguments])
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return run


@pytest.fixture
def store(tmp_path):
    store = SQLiteStore(tmp_path / "sessions.db")
    yield store
    store.close()


def filled(manager, act=lambda session: None):
    cookies = CookieHeader()
    with session_transaction(manager, cookies) as session:
        session["n"] = 5
        act(session)
    return cookies


def header_of(**settings):
    return filled(SessionManager(KEY, **settings)).value


@pytest.mark.parametrize("form", ["a=1; {}; b=2", "Cookie: a=1; {}", "cookie:{}; b=2", "  {};"])
def test_a_whole_header_is_taken(run, form):
    code, out = run(form.format(header_of()))
    assert (code, "data: {'n': 5}" in out) == (0, True)


def test_of_a_header_the_cookie_that_is_named_is_taken(run):
    header = f"{header_of()}; {header_of(cookie=CookiePolicy('sid'))}"
    assert run(header, "--name", "sid")[0] == 0


def test_a_header_without_the_session_s_cookie_says_what_it_has_and_what_to_write(run):
    code, out = run("a=secret; b=2")
    assert (code, "secret" in out) == (2, False)
    assert out == (
        "cookiesess: the header has no cookie named __Host-session or session; it has 'a', 'b'; name the"
        " session's cookie with --name\n"
    )


def test_of_a_header_with_very_many_cookies_ten_are_named(run):
    code, out = run("; ".join(f"c{number}=1" for number in range(12)), "--name", "sid")
    assert (code, "no cookie named sid; it has 'c0', " in out, "'c9' and 2 more; name" in out) == (2, True, True)


def test_a_header_cannot_speak_to_the_terminal(run):
    code, out = run("\x1b[2J=1; b=2")
    assert (code, "\x1b" in out) == (2, False)


def test_a_session_over_several_cookies_is_put_together(run):
    manager = SessionManager(KEY, cookie=CookiePolicy(chunks=3))
    header = filled(manager, lambda session: session.update(text="x" * 5000)).value
    assert header.count(";") == 1
    code, out = run(header)
    assert (code, "x" * 60 in out) == (0, True)


def test_a_bare_token_of_another_name_gets_a_hint_at_name(run):
    token = header_of(cookie=CookiePolicy("sid")).partition("=")[2]
    code, out = run(token)
    assert (code, out.splitlines()[-1]) == (
        1,
        "hint: a token opens only under its cookie's name; tried __Host-session and session; give another with --name",
    )
    assert "hint" not in run(token, "--name", "other")[1]


def test_the_record_is_shown_where_the_store_is_given(run, store, url):
    header = filled(SessionManager(KEY, store=store), lambda session: session.login("ann")).value
    code, out = run(header)
    assert (code, out.splitlines()[-1]) == (
        0,
        "holds: a reference to a record in a store; to see the record, give --store, or set COOKIESESS_STORE",
    )
    code, out = run(header, "--store", url)
    assert code == 0
    for line in ("holds: a reference to a record in the store", "owner: 'ann'", "data: {'n': 5}"):
        assert line in out.splitlines()
    assert "ends if not used: " in out


def test_the_store_may_be_that_of_the_variable(run, store, url, monkeypatch):
    monkeypatch.setenv("COOKIESESS_STORE", url)
    assert "data: {'n': 5}" in run(filled(SessionManager(KEY, store=store)).value)[1]


def test_a_session_that_has_moved_to_the_overflow_store_is_shown(run, store, url):
    manager = SessionManager(KEY, overflow=store)
    header = filled(manager, lambda session: session.update(text="x" * 5000)).value
    assert header.startswith(f"{NAME}.ref=")
    code, out = run(f"a=1; {header}", "--store", url)
    assert (code, "x" * 60 in out) == (0, True)


def test_looking_changes_nothing(run, store, url):
    manager = SessionManager(KEY, store=store)
    header = filled(manager).value
    before = [*store._file.rows("SELECT * FROM sessions", (), 0)]
    run(header, "--store", url)
    assert [*store._file.rows("SELECT * FROM sessions", (), 0)] == before


def test_a_session_with_longer_timeouts_than_the_default_is_shown(run, store, url):
    long = Lifetime(idle=timedelta(days=90), absolute=None)
    clock = ManualClock()
    clock.advance(timedelta(seconds=time.time() - clock() - 40 * 86_400))
    header = filled(SessionManager(KEY, store=store, lifetime=long, clock=clock)).value
    assert run(header, "--store", url)[0] == 0


def test_a_session_that_has_ended_is_said_to_be_gone(run, store, url):
    manager = SessionManager(KEY, store=store)
    cookies = filled(manager)
    header = cookies.value
    with session_transaction(manager, cookies) as session:
        session.invalidate()
    code, out = run(header, "--store", url)
    assert (code, out.splitlines()[-1]) == (
        1,
        "record: none; the session has ended or timed out, or it is in another store",
    )


def test_an_old_id_is_said_to_be_closed(run, store, url):
    manager = SessionManager(KEY, store=store)
    cookies = filled(manager)
    header = cookies.value
    with session_transaction(manager, cookies) as session:
        session.login("ann")
    code, out = run(header, "--store", url)
    assert (code, out.splitlines()[-1]) == (1, "record: closed; the session has another ID since a login or a renewal")


def test_a_record_with_the_app_s_own_types_is_said_to_be_there(run, store, url):
    price = ValueType(1, complex, encode=lambda value: [value.real, value.imag], decode=lambda body: complex(*body))
    manager = SessionManager(KEY, store=store, types=[price])
    header = filled(manager, lambda session: session.update(z=1j)).value
    code, out = run(header, "--store", url)
    assert (code, "record: unreadable; it does not open (" in out, "(types=)" in out) == (1, True, True)


@pytest.mark.parametrize("text", ["", "  ", "Cookie: "], ids=repr)
def test_nothing_is_wrong_usage(run, text):
    code, out = run(text)
    assert (code, "the text is empty; give a cookie's value, or a header" in out) == (2, True)


def test_a_store_that_is_not_there_is_one_line(run, tmp_path):
    header = filled(SessionManager(KEY, store=MemoryStore())).value
    code, out = run(header, "--store", f"sqlite:///{tmp_path}/missing.db")
    assert (code, "there is no file" in out) == (2, True)


def test_where_the_cookie_has_it_all_no_store_is_asked(run, tmp_path):
    assert run(header_of(), "--store", f"sqlite:///{tmp_path}/missing.db")[0] == 0


def test_a_record_of_other_keys_is_not_reached(run, store, url, monkeypatch):
    header = filled(SessionManager(KEY, store=store)).value
    monkeypatch.setenv("COOKIESESS_KEYS", Key.generate())
    code, out = run(header, "--store", url)
    assert (code, "opens: no (unknown-key)" in out) == (1, True)
