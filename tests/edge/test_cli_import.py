"""`python -m cookiesess import`: sessions of another library's store, as JSON lines, into the app's own."""

import io
import json
import os
import sys
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from cookiesess import Keyring, SessionManager
from cookiesess.cli import main
from cookiesess.manager.importing import Importer, OldSession, Outcome
from cookiesess.readers import ImportedSessions
from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore
from cookiesess.testing import CookieHeader, session_transaction
from kit.constants import KEY, OTHER_KEY, UNTIL
from kit.probe import Probe

OLD_ID = "k3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3"
DAY = 86_400


@pytest.fixture(autouse=True)
def set_up(monkeypatch, tmp_path):
    monkeypatch.setenv("COOKIESESS_KEYS", KEY)
    monkeypatch.setenv("COOKIESESS_STORE", f"sqlite:///{tmp_path / 'sessions.db'}")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def manager(tmp_path):
    """The app's, which knows the old cookie."""
    store = SQLiteStore(tmp_path / "sessions.db")
    yield SessionManager(KEY, store=store, accept=[ImportedSessions(cookie_name="old", until=UNTIL)])
    store.close()


@pytest.fixture
def run(capsys, tmp_path):
    """Import some lines, and return what was said: lines, or with ``--json`` the facts."""

    def run(*lines, options=("--json",), code=0):
        texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        (tmp_path / "old.jsonl").write_bytes(b"\n".join(texts))
        assert main(["import", "old.jsonl", *options]) == code
        captured = capsys.readouterr()
        assert captured.err == ""
        return json.loads(captured.out) if "--json" in options else captured.out.splitlines()

    return run


def line(**changes):
    return {"id": OLD_ID, "data": {"user": "ann"}, "expires_at": int(time.time()) + DAY, **changes}


def visitor():
    return CookieHeader(f"old={OLD_ID}")


def counts(facts):
    return facts["imported"], facts["there"], facts["expired"], len(facts["bad"])


def test_the_old_cookie_leads_to_what_was_imported(run, manager):
    run(line())
    cookies = visitor()
    with session_transaction(manager, cookies) as session:
        assert (dict(session), session.owner, session.is_new) == ({"user": "ann"}, None, False)
    assert "old" not in cookies
    with session_transaction(manager, cookies) as session:
        assert dict(session) == {"user": "ann"}


def test_it_says_how_many(run):
    facts = run(line(), b"", line(), line(id="e" * 32, expires_at=1), line(id="short"), code=1)
    assert counts(facts) == (1, 1, 1, 1)
    assert facts["bad"][0]["line"] == 5
    assert run(line(id="n" * 32), options=()) == ["imported 1 session; 0 imported before, 0 expired, 0 bad lines"]


def test_a_dry_run_writes_nothing(run, manager):
    assert run(line(), options=["--dry-run"])[0].startswith("would import 1 session;")
    assert dict(manager.open(visitor().value)) == {}
    assert counts(run(line())) == (1, 0, 0, 0)


def test_a_second_run_does_not_undo_what_the_visitor_did(run, manager):
    run(line())
    with session_transaction(manager, visitor()) as session:
        session["user"] = "bob"
    assert counts(run(line())) == (0, 1, 0, 0)
    assert manager.open(visitor().value)["user"] == "bob"


@pytest.mark.parametrize("end", [lambda session: session.invalidate(), lambda session: session.login("ann")])
def test_a_second_run_brings_back_nobody_who_has_logged_out_or_in(run, manager, end):
    run(line())
    with session_transaction(manager, visitor()) as session:
        end(session)
    assert counts(run(line())) == (0, 1, 0, 0)
    assert dict(manager.open(visitor().value)) == {}


def test_of_two_imports_at_the_same_time_one_writes():
    store, now, ring = Probe(MemoryStore()), int(time.time()), Keyring(KEY)
    mine, theirs = (Importer(ring, each, now=now, random_bytes=os.urandom) for each in (store, store.inner))
    store.once_before("create", lambda: theirs.add(OldSession(OLD_ID, {"user": "bob"}, now + DAY)))
    old = OldSession(OLD_ID, {"user": "ann"}, now + DAY)
    assert (repr(old), mine.add(old)) == ("<OldSession of 1 keys>", Outcome.THERE)
    manager = SessionManager(ring, store=store, accept=[ImportedSessions(cookie_name="old", until=UNTIL)])
    assert manager.open(visitor().value)["user"] == "bob"


def test_its_owner_finds_it_in_the_list(run, manager):
    run(line(owner="ann"))
    assert manager.open(visitor().value).owner == "ann"
    assert len(manager.sessions_of("ann")) == 1
    manager.end_all("ann")
    assert dict(manager.open(visitor().value)) == {}


def test_it_ends_when_the_old_one_would_have(run, manager):
    run(line(expires_at=int(time.time()) + 100))
    before, after = (
        SessionManager(
            KEY,
            store=manager.operations.parts.owners._store,
            accept=[ImportedSessions(cookie_name="old", until=UNTIL)],
            clock=lambda seconds=seconds: time.time() + seconds,
        )
        for seconds in (50, 101)
    )
    assert dict(before.open(visitor().value)) == {"user": "ann"}
    assert dict(after.open(visitor().value)) == {}


def test_the_absolute_timeout_counts_from_when_it_began(run, manager):
    run(line(created_at=int(time.time()) - 29 * DAY))
    assert manager.open(visitor().value).created_at <= time.time() - 29 * DAY
    run(line(id="a" * 32, created_at=int(time.time()) - 31 * DAY))
    assert dict(manager.open(f"old={'a' * 32}")) == {}


def test_what_json_lacks_is_spelled_out(run, manager):
    data = {
        "at": {"__datetime__": "2024-02-29T12:00:00+00:00"},
        "day": {"__date__": "2024-02-29"},
        "price": {"__Decimal__": "2.50"},
        "id": {"__UUID__": str(UUID(int=7))},
        "raw": {"__bytes__": "AP8="},
        "ids": [{"__set__": [1, 2]}],
        "other": {"__other__": 1},
    }
    run(line(data=data))
    assert dict(manager.open(visitor().value)) == {
        "at": datetime(2024, 2, 29, 12, tzinfo=UTC),
        "day": date(2024, 2, 29),
        "price": Decimal("2.50"),
        "id": UUID(int=7),
        "raw": b"\x00\xff",
        "ids": [{1, 2}],
        "other": {"__other__": 1},
    }


@pytest.mark.parametrize(
    "at",
    ["2099-01-31T12:00:00+00:00", "2099-01-31T12:00:00Z", 4_000_000_000.5, {"__datetime__": "2099-01-31T12:00:00Z"}],
)
def test_a_time_is_a_number_or_a_date_with_its_zone(run, at):
    assert counts(run(line(expires_at=at))) == (1, 0, 0, 0)


BAD = {
    "not JSON": (b"{", "it is not JSON in UTF-8"),
    "not UTF-8": (b'"\xff"', "it is not JSON in UTF-8"),
    "too deep": (b"[" * 100_000, "it is not JSON in UTF-8"),
    "no object": ([1], "it is not an object"),
    "no id": ({"data": {}, "expires_at": 1}, "id is missing"),
    "a short id": (line(id="a" * 15), "id is text of 16 to 86"),
    "an id with blanks": (line(id="a b" * 9), "id is text of 16 to 86"),
    "a number as id": (line(id=1), "id is text of 16 to 86"),
    "a list as data": (line(data=[1]), "data is the session, an object"),
    "half a surrogate pair": (line(data={"a": "\ud800"}), "data holds what sessions do not carry"),
    "no date": (line(expires_at="soon"), "expires_at is a time"),
    "a date beyond all calendars": (line(expires_at=float("inf")), "expires_at is a time"),
    "true as a date": (line(expires_at=True), "expires_at is a time"),
    "a date without a zone": (line(expires_at="2099-01-31T12:00:00"), "expires_at has no zone"),
    "begun in the future": (line(created_at=4_000_000_000), "created_at is in the future"),
    "an empty owner": (line(owner=""), "owner is text that is not empty"),
    "more keys": (line(secret="x"), "it has keys beside id, data, expires_at, created_at, owner"),
    "a date that is none": (line(data={"a": {"__date__": "2023-02-29"}}), "__date__ is not followed by one"),
    "a set of lists": (line(data={"a": {"__set__": [[1]]}}), "__set__ is not followed by one"),
    "a number that is none": (line(data={"a": {"__Decimal__": "x"}}), "__Decimal__ is not followed by one"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_is_named_by_its_number_and_the_others_are_imported(run, name):
    bad, words = BAD[name]
    facts = run(line(), bad, line(id="n" * 32), code=1)
    assert counts(facts) == (2, 0, 0, 1)
    assert facts["bad"][0]["line"] == 2
    assert facts["bad"][0]["reason"].startswith(words)


def test_a_session_that_is_too_large_is_a_bad_line(run):
    facts = run(line(data={"a": "x" * 1_100_000}), code=1)
    assert facts["bad"][0]["reason"].endswith("and a session in a store at most 1048576")


def test_of_many_bad_lines_twenty_are_shown(run):
    lines = run(*[b"{"] * 23, options=(), code=1)
    assert lines[0] == "imported 0 sessions; 0 imported before, 0 expired, 23 bad lines"
    assert (len(lines), lines[-1]) == (22, "and 3 more bad lines")


def test_standard_input_will_do(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(line()).encode())))
    assert main(["import", "-", "--json"]) == 0
    assert counts(json.loads(capsys.readouterr().out)) == (1, 0, 0, 0)


def test_under_other_keys_nobody_finds_it(run, manager):
    run(line(), options=["--json", "--keys", OTHER_KEY])
    assert dict(manager.open(visitor().value)) == {}


def test_a_file_that_is_not_there_is_said_so(capsys):
    assert main(["import", "nowhere.jsonl"]) == 2
    assert capsys.readouterr().err == "cookiesess: nowhere.jsonl cannot be read: No such file or directory\n"


def test_without_keys_it_says_what_to_set(monkeypatch, capsys):
    monkeypatch.delenv("COOKIESESS_KEYS")
    assert main(["import", "old.jsonl"]) == 2
    assert "sessions are sealed under the app's keys; give --keys, or set COOKIESESS_KEYS" in capsys.readouterr().err


def test_the_store_has_no_old_id(run, tmp_path):
    run(line())
    assert all(OLD_ID.encode() not in path.read_bytes() for path in tmp_path.glob("sessions.db*"))
