"""`python -m cookiesess revocations renew-epoch`, on a real SQLite file."""

import pytest

from cookiesess import SessionManager
from cookiesess.cli import main
from cookiesess.stores.sqlite import SQLiteStore
from cookiesess.testing import CookieHeader, session_transaction
from kit.constants import KEY


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'revocations.db'}"


@pytest.fixture
def manager(tmp_path, url):
    store = SQLiteStore(tmp_path / "revocations.db")
    yield SessionManager(KEY, revocations=store)
    store.close()


def log_in(manager):
    cookies = CookieHeader()
    with session_transaction(manager, cookies) as session:
        session.login("ann")
    return cookies


def owner_of(manager, cookies):
    with session_transaction(manager, cookies) as session:
        return session.owner


def test_sessions_from_before_are_logged_out_and_later_ones_live(capsys, manager, url):
    before = log_in(manager)
    assert main(["revocations", "renew-epoch", "--store", url]) == 0
    after = log_in(manager)
    assert (owner_of(manager, before), owner_of(manager, after)) == (None, "ann")
    assert capsys.readouterr().out.startswith("the epoch is renewed: ")


def test_it_may_be_run_any_number_of_times(capsys, manager, url):
    for _ in range(3):
        cookies = log_in(manager)
        assert main(["revocations", "renew-epoch", "--store", url]) == 0
        assert owner_of(manager, cookies) is None


def test_a_store_that_is_not_there_is_not_made(capsys, url):
    assert main(["revocations", "renew-epoch", "--store", url]) == 2
    assert "there is no file" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--store", "x"], ["forget", "--store", "x"]])
def test_what_it_needs_is_said(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        main(["revocations", *arguments])
    assert caught.value.code == 2
    assert "renew-epoch" in capsys.readouterr().err
