"""Sessions that another library keeps in its store move to ours, once, and nobody is logged out."""

from datetime import UTC, datetime
from functools import partial

import pytest

from cookiesess import StoreUnavailable
from cookiesess.errors import CookieTooLarge
from cookiesess.readers import DjangoStore
from kit.browser import Browser
from kit.constants import ABSOLUTE, DAY, NAME, SECRET
from kit.django_rows import DATA, OLD, OLD_ID, old_visitor
from kit.lines import expired, issued
from kit.threads import in_threads
from kit.views import every, invalidate, login, put, renew

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


def test_a_session_that_no_cookie_holds_is_read_where_it_is(cookies, old):
    old.put(cookies.now + DAY, b'{"a": "%s"}' % (b"a" * 1000), key="1" * 32)
    browser = Browser(cookies, {OLD: "1" * 32})
    assert (browser.visit(dict), browser.read()) == ([], {"a": "a" * 1000})
    assert "session.near_limit" in cookies.taken_names()
    with pytest.raises(CookieTooLarge):
        browser.visit(put("b", 1))
    assert old.expires_at("1" * 32) == cookies.now + DAY


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


@pytest.mark.thorough
def test_sixteen_threads_with_the_old_cookie_are_one_session(stored):
    browsers = [old_visitor(stored) for _ in range(16)]
    in_threads(*(partial(browser.visit, put(f"key {number}", 1)) for number, browser in enumerate(browsers)))
    whole = {**DATA, **{f"key {number}": 1 for number in range(16)}}
    assert [browser.read() for browser in browsers] == [whole] * 16


@pytest.mark.thorough
def test_beside_requests_in_threads_a_logout_ends_all_that_the_old_cookie_leads_to(stored, old):
    browsers = [old_visitor(stored) for _ in range(8)]
    in_threads(
        *(partial(browser.visit, view) for browser, view in zip(browsers, [invalidate, *[dict] * 7], strict=True))
    )
    assert [browser.read() for browser in (*browsers, old_visitor(stored))] == [{}] * 9
    assert old.keys == []


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
