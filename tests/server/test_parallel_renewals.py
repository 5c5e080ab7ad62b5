"""Several renewals and logins of one session, one after the other and at once."""

import pytest

from cookiesess.events import SessionRenewed, WriteDropped
from kit.browser import Browser
from kit.constants import PERSISTENT
from kit.lines import is_expiry
from kit.threads import in_threads
from kit.views import append, count, every, invalidate, login, persist, put, renew


@pytest.fixture
def browser(world):
    world.use(cookie=PERSISTENT)
    return world.browser(put("a", 1))


def test_of_many_renewals_only_the_last_id_opens(world, browser):
    headers = [browser.header]
    for _ in range(100):
        browser.visit(renew)
        headers.append(browser.header)
    assert [dict(world.manager.open(header)) for header in headers] == [{}] * 100 + [{"a": 1}]


@pytest.mark.parametrize("renewals", [1, 2, 100])
def test_what_a_slow_request_writes_is_merged_through_any_number_of_renewals(world, browser, renewals):
    slow = browser.copy().open(put("b", 2))
    for _ in range(renewals):
        browser.visit(renew)
    assert slow.finish() == []
    assert browser.read() == {"a": 1, "b": 2}


def test_what_a_slow_request_writes_is_not_merged_through_a_login_behind_renewals(world, browser):
    slow = browser.copy().open(put("b", 2))
    for view in (renew, renew, login("ann")):
        browser.visit(view)
    world.taken_events()
    assert slow.finish() == []
    assert world.taken_events() == [WriteDropped("replaced")]
    assert browser.read() == {"a": 1}


def test_parallel_renewals_give_one_new_id(world, browser):
    requests = [Browser(world, browser.header).open(renew) for _ in range(3)]
    assert [len(request.finish()) for request in requests] == [1, 0, 0]
    assert requests[0].browser.read() == {"a": 1}
    assert world.taken_events().count(SessionRenewed(login=False)) == 1


def test_parallel_renewals_in_threads_give_one_new_id(world, browser):
    requests = [Browser(world, browser.header).open(every(renew, put(key, key))) for key in "xyz"]
    lines = in_threads(*[request.finish for request in requests])
    assert sorted(map(len, lines)) == [0, 0, 1]
    (renewed,) = [request.browser for request, line in zip(requests, lines, strict=True) if line]
    assert renewed.read() == {"a": 1, "x": "x", "y": "y", "z": "z"}


@pytest.mark.parametrize(
    ("fast", "slow", "expected"),
    [
        (put("b", 2), put("c", 3), {"a": 1, "b": 2, "c": 3}),
        (count, count, {"a": 1, "n": 2}),
        (put("cart", ["tea"]), len, {"a": 1, "cart": ["tea"]}),
        (lambda s: s.flash("x"), put("c", 3), {"a": 1, "c": 3}),
    ],
)
def test_what_two_parallel_renewals_have_written_is_merged(world, browser, fast, slow, expected):
    request = Browser(world, browser.header).open(every(slow, renew))
    browser.visit(every(fast, renew))
    assert request.finish() == []
    assert browser.read() == expected


def test_a_renewal_and_a_login_at_once_leave_the_login(world, browser):
    renewal = Browser(world, browser.header).open(every(renew, put("b", 2)))
    browser.visit(login("ann"))
    assert renewal.finish() == []
    assert world.manager.open(browser.header).owner == "ann"


def test_a_login_that_meets_a_renewal_ends_the_renewed_id(world, browser):
    slow = Browser(world, browser.header).open(login("ann"))
    browser.visit(every(renew, append_to_new_list))
    assert len(slow.finish()) == 1
    session = world.manager.open(slow.browser.header)
    assert (session.owner, dict(session)) == ("ann", {"a": 1, "list": ["x"]})
    assert browser.read() == {}


def append_to_new_list(session):
    session["list"] = []
    append("list", "x")(session)


def test_invalidate_and_then_renew_gives_no_session(world, browser):
    assert is_expiry(browser.visit(every(invalidate, renew)))
    assert browser.read() == {}


def test_a_login_over_another_owner_shows_nothing_of_that_one(world):
    browser = world.browser(every(login("ann"), put("secret", 1), lambda s: s.flash("x"), persist))
    browser.visit(login("bob"))
    session = world.manager.open(browser.header)
    assert (session.owner, dict(session), session.pop_flashes(), session.persistent) == ("bob", {}, [], None)
