"""`python -m cookiesess … --json`: the same facts for programs, on one line of ASCII."""

import json
import time
from datetime import date

import pytest

from cookiesess import Key, SessionManager
from cookiesess.cli import main
from cookiesess.stores.sqlite import SQLiteStore
from cookiesess.testing import CookieHeader, session_transaction
from kit.constants import KEY

pytestmark = pytest.mark.usefixtures("keys_in_the_environment")


@pytest.fixture
def run(capsys):
    def run(*arguments, code=0):
        assert main([*arguments, "--json"]) == code
        captured = capsys.readouterr()
        assert (captured.err, captured.out.count("\n"), captured.out.isascii()) == ("", 1, True)
        return json.loads(captured.out)

    return run


@pytest.fixture
def manager(tmp_path):
    store = SQLiteStore(tmp_path / "sessions.db")
    yield SessionManager(KEY, store=store)
    store.close()


def log_in(manager, **data):
    cookies = CookieHeader()
    with session_transaction(manager, cookies) as session:
        session.login("ann")
        session.label = "\x1b[2J萧兮"
        session.update(data)
    return cookies.value


def test_keygen_prints_a_key(run):
    assert len(run("keygen")["key"]) == 43


def test_the_word_may_stand_before_the_command(capsys):
    assert main(["--json", "keygen"]) == 0
    assert len(json.loads(capsys.readouterr().out)["key"]) == 43


def test_keygen_with_a_file_names_it_and_not_the_key(run, tmp_path):
    assert run("keygen", "--file", str(tmp_path / "k")) == {"file": str(tmp_path / "k")}


def test_inspect_shows_what_the_cookie_holds(run):
    before = int(time.time())
    shown = run("inspect", log_in(SessionManager(KEY), name="萧兮"))
    assert shown["token"] == {
        "kind": "sealed",
        "characters": shown["token"]["characters"],
        "version": "01",
        "kid": Key(KEY).kid.hex(),
    }
    assert (shown["opens"], shown["key"], shown["holds"]) == (True, "current", "session")
    assert shown["session"]["data"] == {"name": "萧兮"}
    assert shown["session"]["owner"] == "ann"
    assert before <= shown["session"]["authenticated_at"] <= time.time()


def test_values_that_json_lacks_are_python_s_text(run):
    data = {
        "day": date(2030, 1, 2),
        "pair": (1, {2: b"x"}),
        "nan": float("nan"),
        "half": 0.5,
        "none": None,
        "yes": True,
    }
    assert run("inspect", log_in(SessionManager(KEY), **data))["session"]["data"] == {
        "day": "datetime.date(2030, 1, 2)",
        "pair": [1, {"2": "b'x'"}],
        "nan": "nan",
        "half": 0.5,
        "none": None,
        "yes": True,
    }


def test_inspect_says_why_a_token_does_not_open(run):
    shown = run("inspect", log_in(SessionManager(Key.generate())), code=1)
    assert (shown["opens"], shown["reason"]) == (False, "unknown-key")
    assert "session" not in shown


def test_inspect_without_keys_shows_no_content(run, monkeypatch):
    monkeypatch.delenv("COOKIESESS_KEYS")
    shown = run("inspect", log_in(SessionManager(KEY)))
    assert (shown["opens"], set(shown)) == (None, {"token", "opens"})


def test_inspect_shows_the_record(run, manager, url):
    cookie = log_in(manager, cart=[1, 2])
    assert run("inspect", cookie)["holds"] == "reference"
    shown = run("inspect", cookie, "--store", url)
    assert (shown["holds"], shown["record"], shown["session"]["data"]) == ("reference", "found", {"cart": [1, 2]})
    assert shown["expires_at"] > time.time()


def test_sessions_are_listed_and_ended(run, manager, url):
    log_in(manager)
    (info,) = run("sessions", "--store", url, "ann")["sessions"]
    assert (info["label"], set(info)) == ("\x1b[2J萧兮", {"handle", "created_at", "last_seen_at", "label"})
    assert run("sessions", "--store", url, "ann", "end", info["handle"]) == {"ended": 1}
    assert run("sessions", "--store", url, "ann") == {"sessions": [], "more": False, "kids": [Key(KEY).kid.hex()]}
    assert run("sessions", "--store", url, "ann", "end", info["handle"], code=1)["ended"] == 0


@pytest.mark.usefixtures("manager")
def test_sweep_and_renew_epoch_say_what_they_did(run, url):
    assert run("sweep", "--store", url) == {"swept": 0}
    assert run("revocations", "renew-epoch", "--store", url) == {"renewed": True}


def test_an_error_is_a_line_of_words_with_json_too(capsys, url):
    assert main(["sweep", "--store", url, "--json"]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err.startswith("cookiesess: there is no file")) == ("", True)
