"""What an old ID still leads to, with `revocations=`: the table of `cookiesess.session.closing`, cell by cell.

The rows are four ways to get a new ID, the columns two requests that still have the old one: one that arrives with it
afterwards, and one that had loaded the session before. In a cookie there is nothing to merge a write into, so where the
table says "merges" the write is dropped, with an event.
"""

from datetime import timedelta

import pytest

from cookiesess import Lifetime
from cookiesess.session.closing import CLOSED_SECONDS, LONGEST_REQUEST_SECONDS
from cookiesess.session.state import Origin
from kit.browser import lives
from kit.constants import ABSOLUTE, GRACE, IDLE, NAME, REFRESH
from kit.lines import expired, issued
from kit.marks import OWNERS
from kit.views import anonymous, clear, every, invalidate, login, owned, put, renew

RENEWING = Lifetime(
    idle=timedelta(seconds=IDLE),
    absolute=timedelta(seconds=ABSOLUTE),
    refresh_after=timedelta(seconds=REFRESH),
    renew_after=timedelta(seconds=REFRESH),
    renew_grace=timedelta(seconds=GRACE),
)


def cycle(session):
    session.cycle()


def formed(session):
    """Render a form, which needs a CSRF secret."""
    session["form"] = True
    session.csrf_token()


bob = every(login("bob"), put("b", 2))

# By name: how the session begins, and what gives it another ID.
LEADING_ON = {"renewal": (owned, renew), "login of the same owner": (owned, login("ann"))}
LEADING_NOWHERE = {
    "login of another owner": (owned, bob),
    "first login": (anonymous, login("ann")),
    "cycled": (owned, cycle),
}
ALL = {**LEADING_ON, **LEADING_NOWHERE}


def rows(table):
    return pytest.mark.parametrize(("begin", "verb"), list(table.values()), ids=list(table))


def replaced(world, begin, verb):
    """Return a browser that has got a new ID, and one that still has the old one."""
    browser = world.with_revocations().browser(begin)
    old = browser.copy()
    browser.visit(verb)
    world.forget()
    return browser, old


# A request that arrives with the old ID


@rows(ALL)
def test_the_old_id_reads_as_empty_without_a_line_or_an_event(world, begin, verb):
    _, old = replaced(world, begin, verb)
    request = old.open()
    assert (dict(request.session), request.session.owner) == ({}, None)
    assert request.session.origin is Origin.REPLACED
    assert request.finish() == []
    assert world.taken_events() == []


@rows(ALL)
@pytest.mark.parametrize(
    "write", [put("x", 1), renew, every(put("x", 1), renew), formed], ids=["assigned", "renewed", "both", "a form"]
)
def test_what_is_written_under_the_old_id_is_dropped(world, begin, verb, write):
    browser, old = replaced(world, begin, verb)
    before = browser.read()
    assert old.visit(write) == []
    assert "create" not in world.revocations.taken()
    assert browser.read() == before
    assert not lives(old)


@rows(ALL)
def test_a_dropped_write_is_an_event(world, begin, verb):
    _, old = replaced(world, begin, verb)
    old.visit(put("x", 1))
    assert [(event.name, event.reason) for event in world.events] == [("session.write_dropped", "replaced")]


@rows(LEADING_ON)
def test_a_logout_under_the_old_id_ends_what_took_its_place(world, begin, verb):
    browser, old = replaced(world, begin, verb)
    assert set(expired(old.visit(invalidate))) == {NAME}
    assert world.taken_names() == ["session.ended"]
    assert not lives(browser)


@rows(LEADING_NOWHERE)
def test_a_logout_under_a_planted_id_ends_nothing_but_forgets_the_cookie(world, begin, verb):
    browser, old = replaced(world, begin, verb)
    assert set(expired(old.visit(invalidate))) == {NAME}
    assert "session.ended" not in world.taken_names()
    assert lives(browser)


@rows(ALL)
def test_a_login_under_the_old_id_succeeds_and_brings_nothing_back(world, begin, verb):
    browser, old = replaced(world, begin, verb)
    assert issued(old.visit(every(login("carl"), put("x", 1)))) == [NAME]
    assert (old.owner(), old.read()) == ("carl", {"x": 1})
    assert lives(browser)


@rows(ALL)
def test_after_ten_minutes_an_old_id_is_ended_like_any_other(world, begin, verb):
    browser, old = replaced(world, begin, verb)
    world.clock.advance(CLOSED_SECONDS - 1)
    assert old.open().session.origin is Origin.REPLACED
    world.clock.advance(1)
    assert old.open().session.origin is Origin.GONE
    assert world.taken_names()[-1] == "session.revoked"
    assert set(expired(old.visit(invalidate))) == {NAME}
    assert lives(browser)


@OWNERS
@pytest.mark.parametrize("verb", [renew, login("ann"), login("bob"), cycle], ids=["renew", "again", "bob", "cycle"])
def test_an_old_id_never_opens_again_while_its_cookie_could(world, begin, verb):
    _, old = replaced(world, begin, verb)
    for _ in range(ABSOLUTE // REFRESH + 1):
        assert not lives(old)
        world.clock.advance(REFRESH)


# Its CSRF secret


@pytest.mark.parametrize("verb", [renew, login("ann"), login("bob"), cycle], ids=["renew", "again", "bob", "cycle"])
def test_the_second_post_of_a_double_click_has_a_valid_token(world, verb):
    browser = world.with_revocations().browser(formed)
    token = browser.read(lambda session: session.csrf_token())
    old = browser.copy()
    browser.visit(verb)
    assert old.read(lambda session: session.check_csrf(token))


@pytest.mark.parametrize("begin", [formed, anonymous], ids=["with a secret", "without one"])
def test_a_form_that_is_loaded_again_under_the_old_id_is_valid_when_it_comes_back(world, begin):
    browser = world.with_revocations().browser(begin)
    old = browser.copy()
    browser.visit(login("ann"))
    request = old.open()
    token = request.session.csrf_token()
    assert request.finish() == []
    assert old.read(lambda session: session.check_csrf(token))
    assert not browser.read(lambda session: session.check_csrf(token))


@rows(ALL)
@pytest.mark.parametrize("key", ["csrf_token", "_csrftoken", "csrf"])
def test_what_an_extension_keeps_for_its_forms_can_be_read_under_the_old_id(world, begin, verb, key):
    _, old = replaced(world, every(begin, put(key, "secret")), verb)
    assert (old.read(), old.owner()) == ({key: "secret"}, None)
    assert old.visit(len) == []
    assert world.taken_names() == []
    assert issued(old.visit(login("carl"))) == [NAME]
    assert old.read() == {}


def test_two_old_ids_without_a_secret_have_different_ones(world):
    tokens = []
    for _ in range(2):
        browser = world.with_revocations().browser(anonymous)
        old = browser.copy()
        browser.visit(login("ann"))
        tokens.append((old, old.read(lambda session: session.csrf_token())))
    (first, _), (_, second) = tokens
    assert not first.read(lambda session: session.check_csrf(second))


# Shown later than any request could take


def test_an_old_id_that_comes_late_is_said_once(world):
    _, old = replaced(world, owned, renew)
    world.clock.advance(LONGEST_REQUEST_SECONDS - 1)
    old.read()
    assert world.taken_names() == []
    world.clock.advance(1)
    for _ in range(3):
        old.read()
    assert world.taken_names() == ["session.replayed"]


def test_an_old_id_beside_a_session_that_lives_is_no_replay(world):
    browser, old = replaced(world, owned, renew)
    world.clock.advance(LONGEST_REQUEST_SECONDS)
    assert dict(world.manager.open(f"{old.header}; {browser.header}")) == {"a": 1, "b": 2}
    assert world.taken_names() == ["cookie.twins"]


# A request that had loaded before


@rows(ALL)
@pytest.mark.parametrize("write", [put("x", 1), clear, renew], ids=["put", "clear", "renewal"])
def test_a_slow_write_from_before_sets_no_cookie_and_undoes_nothing(world, begin, verb, write):
    browser = world.with_revocations().browser(begin)
    slow = browser.open(write)
    browser.visit(verb)
    before = (browser.owner(), browser.read())
    world.forget()
    assert slow.finish() == []
    assert [(event.name, event.reason) for event in world.events] == [("session.write_dropped", "replaced")]
    assert (browser.owner(), browser.read()) == before


@pytest.mark.parametrize("verb", [renew, login("ann"), cycle], ids=["renewal", "login", "cycled"])
def test_a_slow_request_that_empties_a_visitors_session_and_cycles_its_id_deletes_no_cookie(world, verb):
    browser = world.with_revocations().browser(anonymous)
    slow = browser.open(every(clear, cycle))
    browser.visit(verb)
    world.forget()
    assert slow.finish() == []
    assert [(event.name, event.reason) for event in world.events] == [("session.write_dropped", "replaced")]
    assert lives(browser)


@rows(LEADING_ON)
def test_a_slow_logout_from_before_ends_what_took_the_ids_place(world, begin, verb):
    browser = world.with_revocations().browser(begin)
    slow = browser.copy().open()
    browser.visit(verb)
    slow.finish(invalidate)
    assert not lives(browser)


@rows(LEADING_NOWHERE)
def test_a_slow_logout_from_before_ends_nothing_where_the_id_leads_nowhere(world, begin, verb):
    browser = world.with_revocations().browser(begin)
    slow = browser.copy().open()
    browser.visit(verb)
    world.forget()
    assert set(expired(slow.finish(invalidate))) == {NAME}
    assert "session.ended" not in world.taken_names()
    assert lives(browser)


@rows(ALL)
def test_a_slow_login_from_before_succeeds(world, begin, verb):
    browser = world.with_revocations().browser(begin)
    slow = browser.open(every(put("slow", 1), login("ann")))
    browser.visit(verb)
    assert issued(slow.finish()) == [NAME]
    assert browser.owner() == "ann"
    assert browser.read()["slow"] == 1


@rows({**LEADING_NOWHERE, "login of the same owner": LEADING_ON["login of the same owner"]})
def test_a_login_that_another_login_has_overtaken_takes_the_old_data_not_along(world, begin, verb):
    browser = world.with_revocations().browser(begin)
    slow = browser.open(every(put("slow", 1), login("ann")))
    browser.visit(verb)
    slow.finish()
    assert browser.read() == {"slow": 1}


def test_a_login_that_a_logout_has_overtaken_takes_the_old_data_not_along(world):
    browser = world.with_revocations().browser(owned)
    slow = browser.open(every(put("slow", 1), login("ann")))
    browser.copy().visit(invalidate)
    slow.finish()
    assert (browser.owner(), browser.read()) == ("ann", {"slow": 1})


def test_a_login_that_the_end_of_all_sessions_has_overtaken_takes_the_old_data_not_along(world):
    browser = world.with_revocations().browser(owned)
    slow = browser.open(every(put("slow", 1), login("ann")))
    world.manager.end_all("ann")
    slow.finish()
    assert (browser.owner(), browser.read()) == ("ann", {"slow": 1})
    world.clock.advance(REFRESH)
    browser.visit()
    assert browser.owner() == "ann"


def test_a_first_login_of_an_owner_whose_sessions_were_ended_before_takes_the_visitors_data_along(world):
    world.with_revocations().manager.end_all("ann")
    browser = world.browser(anonymous)
    browser.visit(login("ann"))
    assert browser.read() == {"a": 1, "b": 2}


def test_a_login_after_a_renewal_beside_it_takes_the_data_along_and_ends_what_was_renewed(world):
    browser = world.with_revocations().browser(anonymous)
    slow = browser.copy()
    request = slow.open(login("ann"))
    browser.visit(renew)
    request.finish()
    assert slow.read() == {"a": 1, "b": 2}
    assert not lives(browser)


def test_of_two_logins_that_had_both_read_the_session_before_either_may_be_kept(world):
    browser = world.with_revocations().browser(owned)
    first, second = browser.copy(), browser.copy()
    requests = [each.open(login("ann")) for each in (first, second)]
    assert [issued(request.finish()) for request in requests] == [[NAME], [NAME]]
    assert [each.owner() for each in (first, second)] == ["ann", "ann"]


@pytest.mark.parametrize("seconds", [0, 1, 60, CLOSED_SECONDS, ABSOLUTE])
def test_a_login_whose_answer_was_lost_succeeds_again(world, seconds):
    browser = world.with_revocations().browser(anonymous)
    before = browser.copy()
    browser.visit(login("ann"))
    world.clock.advance(seconds)
    assert issued(before.visit(login("ann"))) == [NAME]
    assert before.owner() == "ann"


def test_an_id_that_was_cycled_after_a_logout_beside_it_logs_nobody_in(world):
    browser = world.with_revocations().browser(owned)
    slow = browser.open(every(put("slow", 1), cycle))
    browser.copy().visit(invalidate)
    assert issued(slow.finish()) == [NAME]
    assert (browser.owner(), browser.read()) == (None, {"slow": 1})


def test_an_id_that_was_cycled_for_nothing_after_a_logout_beside_it_leaves_nothing(world):
    browser = world.with_revocations().browser(owned)
    slow = browser.open(cycle)
    browser.copy().visit(invalidate)
    world.forget()
    assert slow.finish() == []
    assert world.taken_names() == ["session.write_dropped"]


# Chains of renewals


@pytest.mark.parametrize("length", [2, 100])
def test_a_logout_ends_the_session_under_every_id_that_leads_on(world, length):
    browser = world.with_revocations().browser(owned)
    olds = []
    for number in range(length):
        olds.append(browser.copy())
        browser.visit(login("ann") if number % 2 else renew)
    olds[0].visit(invalidate)
    assert not lives(browser)
    assert not any(map(lives, olds))


def test_a_logout_ends_nothing_behind_a_login_in_the_chain(world):
    browser = world.with_revocations().browser(anonymous)
    oldest = browser.copy()
    browser.visit(renew)
    old = browser.copy()
    browser.visit(login("ann"))
    for each in (oldest, old):
        each.visit(invalidate)
    assert lives(browser)


def test_what_a_logout_ends_behind_an_old_id_is_dead_until_its_own_deadline(world):
    browser = world.with_revocations().browser(owned)
    world.clock.advance(IDLE - 1)
    old = browser.copy()
    browser.visit(login("ann"))
    old.visit(invalidate)
    for _ in range(ABSOLUTE // REFRESH + 1):
        assert not lives(browser)
        world.clock.advance(REFRESH)


def test_a_planted_session_learns_nothing_of_the_login_and_keeps_no_secret_of_it(world):
    planter = world.with_revocations().browser(formed)
    victim = planter.copy()
    victim.visit(login("ann"))
    known = planter.read(lambda session: session.csrf_token())
    assert not victim.read(lambda session: session.check_csrf(known))
    planter.visit(every(put("x", 1), renew))
    assert (planter.read(), victim.owner()) == ({}, "ann")


# Periodic renewal


@pytest.fixture
def renewing(world):
    world.settings["lifetime"] = RENEWING
    return world.with_revocations()


def aged(world, begin=owned):
    """Return a browser whose session's ID is due for another one."""
    browser = world.browser(begin)
    world.clock.advance(REFRESH)
    return browser


def test_an_id_is_renewed_by_itself_when_it_is_old(renewing):
    browser = aged(renewing)
    old = browser.copy()
    assert issued(browser.visit()) == [NAME]
    assert renewing.taken_names() == ["session.renewed"]
    renewing.clock.advance(GRACE)
    assert (lives(browser), lives(old)) == (True, False)
    assert browser.visit() == []


def test_within_the_grace_the_old_id_reads_and_gets_no_cookie(renewing):
    browser = aged(renewing)
    old = browser.copy()
    browser.visit()
    renewing.clock.advance(GRACE - 1)
    request = old.open()
    assert (dict(request.session), request.session.owner) == ({"a": 1, "b": 2}, "ann")
    renewing.forget()
    assert request.finish() == []
    assert renewing.taken_names() == []


@pytest.mark.parametrize(
    "write",
    [put("x", 1), clear, renew, every(renew, put("x", 1))],
    ids=["assigned", "cleared", "renewed", "renewed and assigned"],
)
def test_within_the_grace_a_write_is_dropped_with_an_event(renewing, write):
    browser = aged(renewing)
    old = browser.copy()
    browser.visit()
    renewing.forget()
    assert old.visit(write) == []
    assert [(event.name, event.reason) for event in renewing.events] == [("session.write_dropped", "replaced")]
    assert browser.read() == {"a": 1, "b": 2}


@pytest.mark.parametrize("view", [clear, every(clear, cycle)], ids=["cleared", "cleared and cycled"])
def test_within_the_grace_a_session_that_became_empty_keeps_its_cookie(renewing, view):
    browser = aged(renewing, put("a", 1))
    old = browser.copy()
    browser.visit()
    assert old.visit(view) == []
    assert lives(browser)


@pytest.mark.parametrize("seconds", [0, GRACE, CLOSED_SECONDS - 1])
def test_a_logout_under_an_id_that_was_renewed_in_time_ends_the_session(renewing, seconds):
    browser = aged(renewing)
    old = browser.copy()
    browser.visit()
    renewing.clock.advance(seconds)
    assert set(expired(old.visit(invalidate))) == {NAME}
    assert not lives(browser)


def test_within_the_grace_a_login_succeeds_and_ends_what_was_renewed(renewing):
    browser = aged(renewing)
    old = browser.copy()
    browser.visit()
    assert issued(old.visit(login("ann"))) == [NAME]
    assert (lives(old), lives(browser)) == (True, False)


@pytest.mark.parametrize("end", [invalidate, renew, login("ann"), login("bob")], ids=["out", "renew", "ann", "bob"])
@pytest.mark.parametrize("renewals", [1, 2])
def test_within_the_grace_the_old_id_is_dead_once_the_new_one_is(world, end, renewals):
    often, long = timedelta(seconds=10), timedelta(seconds=300)
    world.settings["lifetime"] = Lifetime(idle=long, refresh_after=often, renew_after=often, renew_grace=long)
    browser = world.with_revocations().browser(owned)
    old = browser.copy()
    for _ in range(renewals):
        world.clock.advance(10)
        browser.visit()
        assert lives(old)
    browser.visit(end)
    assert not lives(old)


def test_of_the_requests_of_one_page_one_renews_and_nobody_loses_anything(renewing):
    browser = aged(renewing)
    requests = [browser.open() for _ in range(4)]
    renewing.forget()
    assert [issued(request.finish()) for request in requests] == [[NAME], [], [], []]
    assert renewing.taken_names() == ["session.renewed"]
    assert browser.read() == {"a": 1, "b": 2}


def test_a_slow_write_beside_a_renewal_in_time_is_dropped_with_an_event(renewing):
    browser = aged(renewing)
    slow = browser.open(put("x", 1))
    browser.visit()
    renewing.forget()
    assert slow.finish() == []
    assert renewing.taken_names() == ["session.write_dropped"]


def test_a_refresh_beside_a_renewal_in_time_is_passed_over_in_silence(renewing):
    """By a server that renews nothing: for it a refresh is due, and no more."""
    browser = aged(renewing)
    there = renewing.make_manager(lifetime=Lifetime(idle=timedelta(seconds=IDLE), absolute=timedelta(seconds=ABSOLUTE)))
    slow = browser.open(manager=there)
    browser.visit()
    renewing.forget()
    assert slow.finish() == []
    assert renewing.taken_names() == []


def test_an_app_that_goes_on_after_a_renewal_was_passed_over_is_not_refused(renewing):
    browser = aged(renewing)
    slow = browser.open()
    browser.visit()
    slow.send_headers()
    slow.close()
    assert lives(browser)


def test_without_a_grace_the_old_id_is_dead_at_once(world):
    world.settings["lifetime"] = Lifetime(
        idle=timedelta(seconds=IDLE), renew_after=timedelta(seconds=IDLE // 2), renew_grace=timedelta(0)
    )
    browser = world.with_revocations().browser(owned)
    world.clock.advance(IDLE // 2)
    old = browser.copy()
    browser.visit()
    assert (lives(browser), lives(old)) == (True, False)


def test_a_session_goes_on_through_many_renewals_in_time(renewing):
    browser = renewing.browser(owned)
    for _ in range(ABSOLUTE // REFRESH - 1):
        renewing.clock.advance(REFRESH)
        assert issued(browser.visit()) == [NAME]
    assert lives(browser)
