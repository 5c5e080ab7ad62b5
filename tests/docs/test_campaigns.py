"""The campaigns' ledger finds what it is there for; the campaigns themselves are for `make campaigns`."""

import subprocess
import sys
from pathlib import Path

import pytest

from campaigns.__main__ import selected
from campaigns.faults import FAULTS
from campaigns.ledger import Account, Ledger
from campaigns.site import site
from campaigns.visitors import Visitor, look_at_all
from cookiesess.errors import StoreUnavailable
from cookiesess.stores.base import Updated
from cookiesess.stores.memory import MemoryStore
from kit.probe import Probe
from kit.serving import serving

ROOT = Path(__file__).parents[2]


class Liar(MemoryStore):
    """Says that it has done what it has not, for the verbs in `lies`."""

    lies = ()

    def update(self, key, record, *, expected_version, now):
        if "update" in self.lies:
            return Updated(expected_version)
        return super().update(key, record, expected_version=expected_version, now=now)

    def delete(self, key, *, expected_version=None):
        return "delete" in self.lies or super().delete(key, expected_version=expected_version)


@pytest.fixture
def store():
    return Probe(Liar())


@pytest.fixture
def visitor(store):
    """Somebody who has logged in and written three numbers."""
    with serving(site(store)) as url:
        visitor = Visitor(int(url.rpartition(":")[2]), Ledger(), "ann")
        visitor.log_in()
        for _ in range(3):
            visitor.write()
        yield visitor


def test_where_nothing_happens_nothing_is_lost_and_nothing_comes_back(visitor):
    visitor.look()
    visitor.log_out()
    visitor.log_in()
    look_at_all([visitor], visitor._ledger)
    ledger = visitor._ledger
    assert (ledger.requests, ledger.acknowledged, ledger.lost, ledger.came_back) == (9, 6, 0, 0)
    assert not ledger.errors


def test_a_lost_session_is_found_and_counted_once(visitor, store):
    store.inner = MemoryStore()
    look_at_all([visitor], visitor._ledger)
    look_at_all([visitor], visitor._ledger)
    assert visitor._ledger.lost == 1


def test_a_lost_session_is_found_by_the_next_write(visitor, store):
    store.inner = MemoryStore()
    visitor.write()
    assert visitor._ledger.lost == 1


def test_a_lost_write_is_found(visitor, store):
    store.inner.lies = ("update",)
    visitor.write()
    visitor.look()
    assert visitor._ledger.lost == 1


def test_a_session_that_comes_back_is_found(visitor, store):
    store.inner.lies = ("delete",)
    visitor.log_out()
    look_at_all([visitor], visitor._ledger)
    assert (visitor._ledger.lost, visitor._ledger.came_back) == (0, 1)


def test_a_write_that_was_not_acknowledged_may_be_there_or_not(visitor, store):
    def lose(verb, outcome, again):
        raise StoreUnavailable("the answer was lost")

    store.answer = lose
    visitor.write()
    store.answer = None
    visitor.look()
    assert visitor._ledger.errors == {"StoreUnavailable": 1}
    assert visitor._ledger.lost == 0


@pytest.mark.parametrize(("seen", "right"), [(2, False), (3, True), (4, True), (5, False), (None, False)])
def test_what_a_session_may_hold(seen, right):
    assert Account(acknowledged=3, attempted=4).allows(seen) is right


def test_nothing_is_promised_to_who_has_no_session():
    assert Account().allows(None)


def test_names_select_campaigns():
    assert selected([]) == list(FAULTS)
    assert {fault.engine for fault in selected(["SQLite"])} == {"sqlite"}
    assert {fault.name for fault in selected(["killed"])} == {"killed", "a worker killed", "a primary killed"}


def test_a_campaign_kills_workers_and_prints_its_row():
    command = [sys.executable, "-m", "campaigns", "sqlite, a worker killed", "--seconds", "2.5", "--visitors", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    cells = [cell.strip() for cell in done.stdout.splitlines()[-2].strip("|").split("|")]
    assert cells[0] == "sqlite, a worker killed"
    assert int(cells[1].replace(",", "")) > 10
    assert cells[3:5] == ["0", "0"]
