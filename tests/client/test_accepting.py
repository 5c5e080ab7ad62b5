"""Sessions in another library's cookie, through a manager: read, taken over, ended."""

from datetime import timedelta

import pytest

from cookiesess import ConfigurationError, SessionCommitted, StoreUnavailable
from kit.accepting import DATA, KINDS, OLD, calls, flask, visitor
from kit.browser import Browser
from kit.constants import BIG, NAME, REF, REFRESH
from kit.lines import expired, issued
from kit.views import clear, every, invalidate, login, put, renew


@pytest.fixture(params=KINDS)
def site(request, memory):
    """A manager of each kind that accepts Flask's sessions."""
    memory.settings |= {"accept": [flask()], **KINDS[request.param](memory)}
    memory.use()
    return memory


# Reading


def test_a_session_of_the_other_library_is_read(site):
    browser = visitor(site)
    session = site.manager.open(browser.header)
    assert dict(session) == DATA
    assert not session.is_new
    assert (session.created_at, session.owner, session.modified) == (site.now, None, False)


def test_reading_it_writes_nothing_and_says_who_opened_it(site):
    browser = visitor(site)
    assert browser.visit(dict) == []
    assert site.taken_names() == ["session.accepted"]
    assert calls(site) == []


def test_what_changes_inside_a_value_is_seen(site):
    browser = visitor(site)
    browser.visit(lambda session: session["cart"].append("honey"))
    assert browser.read()["cart"] == ["tea", "honey"]


def test_who_it_belongs_to_is_the_sessions_owner(site):
    site.use(accept=[flask(owner=lambda data: data["user"])])
    browser = visitor(site)
    session = site.manager.open(browser.header)
    assert (session.owner, session.authenticated_at) == ("ann", site.now)
    browser.visit(put("a", 1))
    assert browser.owner() == "ann"


# Taking over


def test_once_a_refresh_is_due_it_becomes_ours(site):
    browser = visitor(site)
    site.clock.advance(REFRESH - 1)
    assert browser.visit() == []
    site.clock.advance(1)
    lines = browser.visit()
    assert (issued(lines), expired(lines)) == ([NAME], [OLD])
    assert list(browser.cookies) == [NAME]
    assert browser.read() == DATA


def test_it_keeps_the_time_that_it_began(site):
    browser, began = visitor(site), site.now
    site.clock.advance(REFRESH)
    browser.visit()
    site.clock.advance(REFRESH)
    assert site.manager.open(browser.header).created_at == began


def test_its_absolute_timeout_counts_from_when_it_began(site):
    browser = visitor(site)
    for _ in range(3):
        site.clock.advance(timedelta(hours=6))
        browser.visit()
    site.clock.advance(timedelta(hours=2))
    assert browser.read() == {}


@pytest.mark.parametrize("hours", [10, 20])
def test_a_session_beyond_our_timeouts_is_over(site, hours):
    browser = visitor(site)
    site.clock.advance(timedelta(hours=hours))
    assert browser.visit(len) == []
    assert site.taken_names() == ["session.expired"]
    assert browser.read() == {}


@pytest.mark.parametrize("change", [put("a", 1), renew, login("ann"), lambda session: session.flash("hello")])
def test_a_change_makes_it_ours_at_once(site, change):
    browser = visitor(site)
    lines = browser.visit(change)
    assert (issued(lines), expired(lines)) == ([NAME], [OLD])
    assert browser.read() == DATA | browser.read()
    assert site.taken_names()[:2] == ["session.accepted", "session.created"]


def test_a_login_keeps_a_guests_data(site):
    browser = visitor(site)
    browser.visit(login("ann"))
    assert (browser.owner(), browser.read()) == ("ann", DATA)


def test_a_login_over_another_owner_drops_that_ones_data(site):
    site.use(accept=[flask(owner=lambda data: data["user"])])
    browser = visitor(site)
    browser.visit(login("eve"))
    assert (browser.owner(), browser.read()) == ("eve", {})


@pytest.mark.parametrize("verb", [invalidate, clear])
def test_ending_it_has_the_browser_forget_it(site, verb):
    browser = visitor(site)
    lines = browser.visit(verb)
    assert (issued(lines), expired(lines)) == ([], [OLD])
    assert browser.cookies == {}


def test_clearing_the_data_of_an_owner_does_not_log_out(site):
    site.use(accept=[flask(owner=lambda data: data["user"])])
    browser = visitor(site)
    lines = browser.visit(clear)
    assert (issued(lines), expired(lines)) == ([NAME], [OLD])
    assert (browser.owner(), browser.read()) == ("ann", {})


def test_what_is_written_after_ending_it_is_another_session(site):
    browser = visitor(site)
    lines = browser.visit(every(invalidate, put("b", 2)))
    assert (issued(lines), expired(lines)) == ([NAME], [OLD])
    assert browser.read() == {"b": 2}
    assert site.taken_names()[:2] == ["session.accepted", "session.ended"]


def test_an_app_that_fails_leaves_it_as_it_was(site):
    browser = visitor(site)
    request = browser.open(put("a", 1))
    site.manager.abandon(request.session)
    assert browser.read() == DATA
    assert calls(site) == []


def test_save_takes_it_over(site):
    browser = visitor(site)
    lines = browser.visit(every(put("a", 1), lambda session: session.save()))
    assert (issued(lines), expired(lines)) == ([NAME], [OLD])
    assert browser.read() == DATA | {"a": 1}


def test_after_the_headers_it_cannot_be_taken_over(site):
    request = visitor(site).open()
    request.send_headers()
    with pytest.raises(SessionCommitted):
        request.session["a"] = 1


def test_a_session_that_has_no_room_in_our_cookie_moves_to_the_overflow_store(memory):
    memory.settings |= {"accept": [flask()], "overflow": memory.overflow}
    memory.use()
    browser = visitor(memory)
    lines = browser.visit(put("text", BIG))
    assert (issued(lines), expired(lines)) == ([REF], [OLD])
    assert browser.read() == DATA | {"text": BIG}


def test_a_session_that_was_taken_over_can_be_revoked(memory):
    memory.settings |= {"accept": [flask()], "revocations": memory.revocations}
    memory.use()
    browser = visitor(memory)
    browser.visit(put("a", 1))
    thief = browser.copy()
    browser.visit(invalidate)
    assert thief.read() == {}


def test_it_is_counted_and_listed_once_it_is_ours(memory):
    memory.settings |= {"accept": [flask(owner=lambda data: data["user"])], "store": memory.overflow}
    manager = memory.use()
    browser = visitor(memory)
    browser.visit()
    assert manager.sessions_of("ann") == []
    browser.visit(put("a", 1))
    [info] = manager.sessions_of("ann")
    assert info.created_at == memory.now


# Ours and theirs


def both_cookies(world):
    """A browser with a session of ours, in which the other library's cookie was left over."""
    browser = Browser(world)
    browser.visit(put("ours", True))
    browser.cookies |= visitor(world).cookies
    world.forget()
    return browser


def test_our_own_session_comes_first(site):
    browser = both_cookies(site)
    assert browser.visit(dict) == []
    assert browser.read() == {"ours": True}
    assert "session.accepted" not in site.taken_names()


@pytest.mark.parametrize("change", [renew, login("ann")])
def test_what_was_left_over_is_forgotten_with_our_next_cookie(site, change):
    browser = both_cookies(site)
    lines = browser.visit(change)
    assert (issued(lines), expired(lines)) == ([NAME], [OLD])
    assert list(browser.cookies) == [NAME]


@pytest.mark.parametrize("verb", [invalidate, clear])
def test_a_logout_forgets_both_so_that_nothing_comes_back(site, verb):
    browser = both_cookies(site)
    lines = browser.visit(verb)
    assert (issued(lines), sorted(expired(lines))) == ([], sorted([NAME, OLD]))
    assert browser.read() == {}


def test_where_ours_has_expired_theirs_is_not_taken_instead(site):
    browser = both_cookies(site)
    site.clock.advance(timedelta(hours=10))
    browser.cookies |= visitor(site).cookies
    assert browser.read() == {}


def test_where_ours_was_ended_elsewhere_theirs_is_not_taken_instead(memory):
    memory.settings |= {"accept": [flask()], "store": memory.overflow}
    memory.use()
    browser = both_cookies(memory)
    memory.manager.open(browser.header).invalidate()
    assert browser.read() == {}


def test_where_ours_does_not_open_theirs_is_taken(site):
    browser = visitor(site, **{NAME: "AQIDBAUGBwgJ"})
    assert browser.read() == DATA
    browser.visit(put("a", 1))
    assert list(browser.cookies) == [NAME]
    assert browser.read() == DATA | {"a": 1}


# Beside revocations, and while the store is down


def test_ending_all_of_an_owners_sessions_ends_one_in_the_old_format_too(memory):
    memory.use(accept=[flask(owner=lambda data: data["user"])], revocations=memory.revocations)
    browser = visitor(memory)
    assert browser.owner() == "ann"
    memory.manager.end_all("ann")
    assert browser.owner() is None
    assert browser.visit(dict) == []


def test_a_refresh_while_the_store_is_down_is_left_for_later(memory):
    memory.use(accept=[flask()], store=memory.overflow)
    browser = visitor(memory)
    memory.clock.advance(REFRESH)
    memory.overflow.down.add("create")
    assert browser.visit(dict) == []
    assert "store.failed" in memory.taken_names()
    memory.overflow.down.clear()
    assert issued(browser.visit(dict)) == [NAME]


@pytest.mark.parametrize("view", [put("a", 1), renew, login("ann")])
def test_a_write_while_the_store_is_down_is_not(memory, view):
    memory.use(accept=[flask()], store=memory.overflow)
    browser = visitor(memory)
    memory.clock.advance(REFRESH)
    memory.overflow.down.add("create")
    with pytest.raises(StoreUnavailable):
        browser.visit(view)


@pytest.mark.parametrize(
    "readers", [flask(), (reader for reader in [flask()]), {"a": flask()}], ids=["one", "it", "map"]
)
def test_what_is_no_list_of_readers_is_refused(memory, readers):
    with pytest.raises(ConfigurationError, match="accept must be a list of readers"):
        memory.use(accept=readers)
