"""What the page says of the store: it is watched, and otherwise what it was."""

import re
from datetime import timedelta

from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import StoreContract
from examples.inspector.app import make_inspector
from examples.inspector.watching import WatchedStore
from kit.constants import KEY
from kit.inspector import Person


class TestWatchedStore(StoreContract):
    def make_store(self):
        return WatchedStore(MemoryStore())


def test_a_first_session_is_a_record_that_was_created(server_side):
    person = Person(server_side)
    person.look()
    assert re.search(
        r"GET /inspect 200 record created \d+ bytes session\.created .* cookie set session", person.part("events")
    )


def test_a_change_updates_the_record_and_sets_no_cookie(server_side):
    person = Person(server_side)
    person.press("Set", key="name", value="x" * 1000)
    sized = re.fullmatch(r"Set: record updated, ([\d,]+) bytes", person.logged)
    assert int(sized[1].replace(",", "")) > 1000


def test_a_logout_deletes_the_record(server_side):
    person = Person(server_side)
    person.press("Log in as ann")
    person.press("Log out")
    assert person.logged == "Log out: record deleted; session.ended; cookie session deleted"


def test_a_refresh_keeps_the_record_longer(store, clock):
    person = Person(make_inspector(KEY, store=store, clock=clock))
    clock.advance(timedelta(minutes=2))
    person.look()
    person.look()
    assert "record kept longer" in person.part("events")


def test_what_a_client_side_session_needs_of_the_store_is_shown_as_well(client_side):
    Person(client_side).press("Set", key="name", value="x")  # the first session of all begins the store's epoch
    person = Person(client_side)
    person.press("Set", key="name", value="x")
    assert "record" not in person.part("events")
    person.press("Log in as ann")
    assert "record created, " in person.outcome
    assert "; session.renewed" in person.outcome
    for _ in range(4):
        person.press("Grow by 1 KB")
    assert "record updated, 4," in person.outcome


def test_a_button_that_changes_nothing_writes_nothing(person):
    person.post("Shrink")
    person.look()
    assert person.logged == "Shrink: nothing was set or written, and there was no event"


def test_a_full_store_still_tells_whom_it_drops():
    store = MemoryStore(max_sessions=1)
    app = make_inspector(KEY, store=store)
    Person(app)
    other = Person(app)
    other.look()
    assert "store.evicted" in other.part("events")
