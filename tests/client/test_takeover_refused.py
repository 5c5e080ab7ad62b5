"""Sessions that another library keeps in its store, and that do not move: the old row stays, and an event says why."""

import pytest

from cookiesess import ConfigurationError, StoreUnavailable
from cookiesess.errors import InvalidToken
from cookiesess.readers import DjangoStore, FlaskSessionRedis, ImportedSessions
from cookiesess.stores.memory import MemoryStore
from kit.browser import Browser
from kit.constants import DAY, NAME, SECRET, UNTIL
from kit.django_rows import DATA, OLD, OLD_ID, old_visitor, taking_over
from kit.views import invalidate, login, put
from kit.world import World

# Slower requests


def meanwhile(old, *steps):
    """A reader for whose looks something happens before the first, after it, before the second, and so on."""
    left = iter(steps)

    class Slow(DjangoStore):
        def look_up(self, session_id):
            next(left, len)(())
            found = super().look_up(session_id)
            next(left, len)(())
            return found

    return Slow(f"sqlite:///{old.path}", secret_key=SECRET, until=UNTIL)


def test_a_slow_request_brings_no_session_back_that_has_moved_and_ended_meanwhile(stored, old):
    faster = old_visitor(stored)
    manager = stored.make_manager()
    reader = meanwhile(old, len, lambda _: [faster.visit(view, manager=manager) for view in (dict, invalidate)])
    stored.use(accept=[reader])
    slow = old_visitor(stored)
    assert slow.visit(dict) == []
    assert slow.read() == old_visitor(stored).read() == {}


@pytest.mark.parametrize("steps", [[len], [len, len]], ids=["before it is created", "just after"])
def test_a_slow_request_goes_on_with_what_a_faster_one_has_moved(stored, old, steps):
    faster = old_visitor(stored)
    manager = stored.make_manager()
    stored.use(accept=[meanwhile(old, *steps, lambda _: faster.visit(put("a", 1), manager=manager))])
    slow = old_visitor(stored)
    slow.visit(put("b", 2))
    assert slow.read() == faster.read() == {**DATA, "a": 1, "b": 2}


def test_what_nobody_has_seen_does_not_come_back_where_it_has_moved_on_meanwhile(stored, old):
    """The record was created, another request has logged in with it, and closed it."""
    faster = old_visitor(stored)
    manager = stored.make_manager()
    stored.use(accept=[meanwhile(old, len, len, lambda _: faster.visit(login("ann"), manager=manager))])
    slow = old_visitor(stored)
    assert slow.visit(put("late", 1)) == []
    assert (faster.owner(), slow.read()) == ("ann", {})


def test_where_the_second_look_fails_nothing_has_moved(stored, old):
    stored.use(accept=[meanwhile(old, len, lambda _: old.take_down())])
    with pytest.raises(StoreUnavailable):
        old_visitor(stored).visit(dict)
    old.bring_up()
    old.run("DELETE FROM django_session")
    assert old_visitor(stored).read() == {}


# What does not open


def test_an_expired_row_opens_nothing_and_stays(site, old):
    site.clock.advance(DAY)
    browser = old_visitor(site)
    assert (browser.visit(dict), browser.read()) == ([], {})
    assert old.keys == [OLD_ID]
    assert "session.expired" in site.taken_names()


def test_an_id_that_the_old_store_does_not_know_opens_nothing(site):
    browser = Browser(site, {OLD: "0" * 32})
    assert (browser.visit(dict), browser.read()) == ([], {})
    assert "session.expired" in site.taken_names()


BAD_ROWS = {
    "stored-forged": ({"secret": "not the secret of the old app"}, "secret_key"),
    "stored-plaintext": ({"text": b"[1]"}, "not in the form"),
    "stored-pickle": ({"text": b"\x80\x05}."}, "pickle is never read"),
    "foreign": ({"text": b'{"half": "\\ud800"}'}, ""),
}


@pytest.mark.parametrize("reason", BAD_ROWS)
def test_a_row_that_does_not_open_stays_and_an_event_says_why(site, old, reason):
    row, words = BAD_ROWS[reason]
    old.put(site.now + DAY, key="1" * 32, **row)
    browser = Browser(site, {OLD: "1" * 32})
    assert (browser.visit(dict), browser.read()) == ([], {})
    (event, *_) = [event for event in site.taken_events() if event.name == "session.rejected"]
    assert (event.reason, words in event.cause) == (reason, True)
    assert len(old.keys) == 2


def test_where_both_cookies_have_one_name_the_event_says_what_the_old_store_has(site, old):
    site.use(accept=[old.reader(cookie_name=NAME, secret_key="not the secret of the old app")])
    Browser(site, {NAME: OLD_ID}).visit(dict)
    (event, *_) = [event for event in site.taken_events() if event.name == "session.rejected"]
    assert event.reason == "stored-forged"


def test_a_row_beyond_the_size_of_a_record_stays_and_an_event_says_why(stored, old):
    stored.use(max_record_bytes=1000)
    old.put(stored.now + DAY, b'{"a": "%s"}' % (b"a" * 1000), key="1" * 32)
    assert Browser(stored, {OLD: "1" * 32}).visit(dict) == []
    assert stored.taken_events()[0].reason == "stored-size"
    assert len(old.keys) == 2


def test_text_that_is_no_id_asks_no_store(site, old):
    old.take_down()
    assert Browser(site, {OLD: "junk"}).read() == {}


def test_a_live_session_counts_before_one_that_does_not_open(site):
    header = f"{OLD}={'0' * 32}; {OLD}=junk; {OLD}={OLD_ID}"
    assert dict(site.manager.open(header)) == DATA


def test_while_the_old_store_is_down_it_is_as_if_ours_were(site, old):
    old.take_down()
    browser = old_visitor(site)
    with pytest.raises(StoreUnavailable):
        browser.visit(dict)
    assert site.taken_names() == ["store.failed"]


def test_an_empty_session_in_its_place_cannot_be_written(site, old):
    old.take_down()
    browser = old_visitor(site)
    site.use(on_store_error="anonymous")
    assert (browser.visit(dict), browser.cookies) == ([], {OLD: OLD_ID})


def test_a_table_that_is_missing_is_named(site, old):
    site.use(accept=[old.reader(table="sessions")])
    with pytest.raises(StoreUnavailable, match=r"no such table: sessions; give the name of the table .* as table="):
        old_visitor(site).visit(dict)


def test_the_owner_of_a_session_that_was_ended_everywhere_comes_not_back_by_revocations(memory, old):
    site = taking_over("revocations", memory, old)
    site.use(accept=[old.reader(owner=lambda data: data.get("_auth_user_id"))])
    site.manager.end_all("7")
    assert old_visitor(site).read() == {}


def test_a_session_that_timed_out_by_its_own_times_is_gone(memory, old):
    class Told(type(old.reader())):
        def look_up(self, session_id):
            return super().look_up(session_id)._replace(created_at=0, refreshed_at=0)

    site = taking_over("client-side", memory, old)
    site.use(accept=[Told(f"sqlite:///{old.path}", secret_key=SECRET, until=UNTIL)])
    assert old_visitor(site).read() == {}
    assert "session.expired" in site.taken_names()


def test_our_own_token_is_no_id_of_any_other_library(stored):
    """Else each login would ask the old store, where both cookies have one name."""
    browser = Browser(stored)
    browser.visit(put("a", 1))
    readers = [
        FlaskSessionRedis("redis://127.0.0.1:9/0", until=UNTIL),
        ImportedSessions(cookie_name=NAME, until=UNTIL),
        DjangoStore("sqlite:////nowhere", secret_key=SECRET, until=UNTIL),
    ]
    for reader in readers:
        with pytest.raises(InvalidToken):
            reader.identify(browser.token, now=0)


def test_imported_sessions_need_a_store():
    reader = ImportedSessions(cookie_name=OLD, until=UNTIL)
    with pytest.raises(ConfigurationError, match=r"ImportedSessions.* give that store as store="):
        World(accept=[reader])
    World(MemoryStore(), accept=[reader])
