"""Sessions that another library keeps in its store move to ours, once, and nobody is logged out."""

from datetime import UTC, datetime

import pytest

from cookiesess import ConfigurationError, StoreUnavailable
from cookiesess.errors import InvalidToken
from cookiesess.readers import DjangoStore, FlaskSessionRedis, ImportedSessions
from cookiesess.stores.memory import MemoryStore
from kit.accepting import KINDS
from kit.browser import Browser
from kit.constants import ABSOLUTE, DAY, NAME, SECRET, UNTIL
from kit.django_rows import DATA, OLD, OLD_ID, DjangoFile, old_visitor
from kit.lines import expired, issued
from kit.views import every, invalidate, login, put, renew
from kit.world import World

SERVER_SIDE = {"server-side"}


@pytest.fixture
def old(tmp_path):
    return DjangoFile(tmp_path)


def site_of(kind, memory, old, **settings):
    memory.settings |= {"accept": [old.reader()], **KINDS[kind](memory), **settings}
    memory.use()
    old.put(memory.now + DAY)
    return memory


@pytest.fixture(params=KINDS)
def site(request, memory, old):
    """A manager of each kind, to which sessions of Django's move."""
    return site_of(request.param, memory, old)


@pytest.fixture
def cookies(memory, old):
    """A manager whose sessions are in cookies."""
    return site_of("client-side", memory, old)


@pytest.fixture
def stored(memory, old):
    """A manager whose sessions are in a store."""
    return site_of("server-side", memory, old)


# Moving


def test_the_session_is_there_at_the_first_request(site):
    session = site.manager.open(old_visitor(site).header)
    assert dict(session) == DATA
    assert (session.is_new, session.owner, session.modified) == (False, None, False)


def test_it_becomes_ours_with_the_answer_to_a_request_that_only_read_it(site):
    browser = old_visitor(site)
    lines = browser.visit(dict)
    assert (issued(lines), expired(lines)) == ([NAME], [OLD])
    assert browser.read() == DATA
    assert site.taken_names()[0] == "session.accepted"


def test_what_the_request_writes_moves_with_it(site):
    browser = old_visitor(site)
    browser.visit(lambda session: session["cart"].append("honey"))
    assert browser.read() == {**DATA, "cart": ["tea", "honey"]}


def test_who_it_belongs_to_is_the_sessions_owner(site, old):
    site.use(accept=[old.reader(owner=lambda data: data.get("_auth_user_id"))])
    browser = old_visitor(site)
    browser.visit(dict)
    assert browser.owner() == "7"


def test_its_timeouts_count_from_the_move(site, old):
    old.run("UPDATE django_session SET expire_date = ?", "2199-01-01 00:00:00")
    site.clock.advance(10 * ABSOLUTE)
    browser = old_visitor(site)
    browser.visit(dict)
    assert browser.read() == DATA


def test_a_request_that_does_not_touch_the_session_moves_nothing(site, old):
    browser = old_visitor(site)
    assert browser.visit(id) == []
    assert old.keys == [OLD_ID]


def test_ours_is_not_looked_for_in_the_old_store(site, old):
    browser = old_visitor(site)
    browser.visit(dict)
    old.take_down()
    browser.visit(put("a", 1))
    assert browser.read()["a"] == 1


# The old row


def test_with_a_store_the_old_row_is_deleted_by_the_answer(stored, old):
    old_visitor(stored).visit(dict)
    assert old.keys == []


def test_with_cookies_the_old_row_ends_in_ten_minutes(cookies, old):
    old_visitor(cookies).visit(dict)
    assert old.expires_at() == cookies.now + 600


def test_a_row_that_ends_sooner_is_not_prolonged(cookies, old):
    cookies.clock.advance(DAY - 60)
    ends_at = old.expires_at()
    old_visitor(cookies).visit(dict)
    assert old.expires_at() == ends_at


def test_the_old_row_stays_where_the_app_fails(site, old):
    request = old_visitor(site).open(put("a", 1))
    site.manager.abandon(request.session)
    assert old.keys == [OLD_ID]
    assert old_visitor(site).read() == DATA


def test_the_old_row_stays_where_our_store_fails(stored, old):
    browser = old_visitor(stored)
    for verb in ("create", "load", "update"):
        stored.overflow.down = {verb}
        with pytest.raises(StoreUnavailable):
            browser.visit(put("a", 1))
        assert (old.keys, browser.header) == ([OLD_ID], f"{OLD}={OLD_ID}")
    stored.overflow.down = set()
    browser.visit(put("a", 1))
    assert browser.read() == {**DATA, "a": 1}


def test_only_reading_makes_no_error_page_while_our_store_fails_at_the_end(stored, old):
    browser = old_visitor(stored)
    stored.overflow.down = {"update"}
    assert browser.visit(dict) == []
    assert old.keys == [OLD_ID]


def meanwhile(old, *actions):
    """A reader for whose looks something happens just after each, as long as there are `actions`."""
    left = list(actions)

    class Slow(DjangoStore):
        def look_up(self, session_id):
            found = super().look_up(session_id)
            if left:
                left.pop(0)()
            return found

    return Slow(f"sqlite:///{old.path}", secret_key=SECRET, until=UNTIL)


def test_a_slow_request_brings_no_session_back_that_has_moved_and_ended_meanwhile(stored, old):
    faster = old_visitor(stored)
    manager = stored.make_manager()
    reader = meanwhile(old, lambda: [faster.visit(view, manager=manager) for view in (dict, invalidate)])
    stored.use(accept=[reader])
    slow = old_visitor(stored)
    assert slow.visit(dict) == []
    assert slow.read() == old_visitor(stored).read() == {}


def test_a_slow_request_goes_on_with_what_a_faster_one_has_moved(stored, old):
    faster = old_visitor(stored)
    manager = stored.make_manager()
    stored.use(accept=[meanwhile(old, lambda: faster.visit(put("a", 1), manager=manager))])
    slow = old_visitor(stored)
    slow.visit(put("b", 2))
    assert slow.read() == faster.read() == {**DATA, "a": 1, "b": 2}


def test_where_the_second_look_fails_nothing_has_moved(stored, old):
    stored.use(accept=[meanwhile(old, old.take_down)])
    with pytest.raises(StoreUnavailable):
        old_visitor(stored).visit(dict)
    old.bring_up()
    old.run("DELETE FROM django_session")
    assert old_visitor(stored).read() == {}


# The old cookie again


def test_with_a_store_a_lost_answer_is_made_up_for_by_the_next_one(stored):
    old_visitor(stored).visit(put("a", 1))
    stored.clock.advance(DAY // 4)
    browser = old_visitor(stored)
    assert issued(browser.visit(put("b", 2))) == [NAME]
    assert browser.read() == {**DATA, "a": 1, "b": 2}


def test_with_cookies_a_lost_answer_is_made_up_for_within_ten_minutes(cookies):
    old_visitor(cookies).visit(dict)
    cookies.clock.advance(599)
    assert old_visitor(cookies).read() == DATA
    cookies.clock.advance(1)
    assert old_visitor(cookies).read() == {}


def test_with_a_store_two_requests_at_the_same_time_are_one_session(stored):
    one, two = old_visitor(stored), old_visitor(stored)
    first, second = one.open(put("a", 1)), two.open(put("b", 2))
    first.finish()
    second.finish()
    assert one.read() == two.read() == {**DATA, "a": 1, "b": 2}


def test_from_until_on_the_old_cookie_leads_nowhere(site, old):
    site.use(accept=[old.reader(until=datetime.fromtimestamp(site.now + 60, UTC))])
    old_visitor(site).visit(dict)
    site.clock.advance(60)
    assert old_visitor(site).read() == {}


def test_without_until_the_old_cookie_leads_there_for_as_long_as_the_reader_is_listed(stored, old):
    reader = DjangoStore(f"sqlite:///{old.path}", secret_key=SECRET)
    stored.use(accept=[reader])
    old_visitor(stored).visit(dict)
    assert old_visitor(stored).read() == DATA
    assert reader.identify(OLD_ID, now=200_000_000_000) == OLD_ID


# Ending


def test_a_logout_deletes_the_old_row_at_once(site, old):
    browser = old_visitor(site)
    lines = browser.visit(invalidate)
    assert (issued(lines), old.keys) == ([], [])
    assert OLD in expired(lines)
    assert old_visitor(site).read() == {}


def test_a_logout_after_the_move_ends_what_the_old_cookie_leads_to(stored):
    browser, copy = old_visitor(stored), old_visitor(stored)
    browser.visit(dict)
    browser.visit(invalidate)
    assert copy.read() == {}


def test_a_session_that_became_empty_leaves_no_old_row(site, old):
    browser = old_visitor(site)
    browser.visit(lambda session: session.clear())
    assert (old.keys, old_visitor(site).read()) == ([], {})


def test_a_logout_beside_an_old_cookie_deletes_its_row_too(site, old):
    browser = Browser(site)
    browser.visit(put("a", 1))
    browser.cookies[OLD] = OLD_ID
    lines = browser.visit(invalidate)
    assert OLD in expired(lines)
    assert old.keys == []


def test_a_logout_while_the_old_store_is_down_is_an_error_and_ends_nothing(site, old):
    browser = old_visitor(site)
    request = browser.open()
    old.take_down()
    with pytest.raises(StoreUnavailable, match=r"the table django_session of .*; see whether"):
        request.session.invalidate()
    old.bring_up()
    assert old_visitor(site).read() == DATA


# Logging in


def test_a_login_ends_the_old_id(site, old):
    browser, planter = old_visitor(site), old_visitor(site)
    browser.visit(login("ann"))
    assert (browser.owner(), browser.read()) == ("ann", DATA)
    assert (old.keys, planter.read(), planter.owner()) == ([], {}, None)


def test_who_planted_the_old_id_cannot_log_the_victim_out(stored):
    browser, planter = old_visitor(stored), old_visitor(stored)
    browser.visit(login("ann"))
    planter.visit(invalidate)
    assert browser.owner() == "ann"


def test_a_request_beside_the_login_sets_no_cookie_over_it(stored):
    browser, slow = old_visitor(stored), old_visitor(stored)
    browser.visit(login("ann"))
    assert slow.visit(put("late", 1)) == []


def test_a_login_beside_an_old_cookie_deletes_its_row(site, old):
    browser = Browser(site, {OLD: "x" * 32})
    browser.visit(every(login("bob"), put("a", 1)))
    browser.cookies[OLD] = OLD_ID
    browser.visit(login("ann"))
    assert old.keys == []


def test_a_renewal_of_a_session_that_is_moving_ends_the_old_id(stored, old):
    browser = old_visitor(stored)
    browser.visit(renew)
    assert (old.keys, browser.read(), old_visitor(stored).read()) == ([], DATA, {})


def test_a_login_goes_on_where_the_old_row_cannot_be_deleted_and_an_event_says_why(site, old):
    browser = old_visitor(site)
    request = browser.open(login("ann"))
    old.take_down()
    request.finish()
    (event,) = [event for event in site.taken_events() if event.name == "session.old_kept"]
    assert "unable to open database file" in event.reason
    assert browser.owner() == "ann"


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
    site = site_of("revocations", memory, old)
    site.use(accept=[old.reader(owner=lambda data: data.get("_auth_user_id"))])
    site.manager.end_all("7")
    assert old_visitor(site).read() == {}


def test_a_session_that_timed_out_by_its_own_times_is_gone(memory, old):
    class Told(type(old.reader())):
        def look_up(self, session_id):
            return super().look_up(session_id)._replace(created_at=0, refreshed_at=0)

    site = site_of("client-side", memory, old)
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
