"""What a session is that is bound to a device, and comes without its proof: row by row."""

import pytest

from binding.conftest import LATE, bound, owner, page
from cookiesess.events import SessionUnbound, WriteDropped
from kit.constants import NAME

# Unbound: the table


def stolen(site):
    """The owner's browser, and a thief's with a copy of its cookies, after the bound one has ended."""
    browser = bound(site)
    thief = browser.copied()
    site.clock.advance(LATE)
    return browser, thief


def test_an_unbound_session_reads_as_empty(site):
    browser, thief = stolen(site)
    assert page(thief, "read") == {"owner": None, "data": {}, "bound": False, "new": True}
    assert page(browser, "read")["data"] == {"cart": "tea"}


def test_what_is_written_to_an_unbound_session_is_dropped_and_no_cookie_comes(site):
    browser, thief = stolen(site)
    answer = thief.get("/write?cart=mine")
    assert answer.header("Set-Cookie") is None
    assert site.named("session.write_dropped") == [WriteDropped("unbound")]
    assert page(browser, "read")["data"] == {"cart": "tea"}


@pytest.mark.parametrize("path", ["renew", "nothing", "csrf", "sudo"])
def test_nothing_else_of_an_unbound_session_sends_a_cookie(site, path):
    browser, thief = stolen(site)
    assert thief.get(f"/{path}").header("Set-Cookie") is None
    assert owner(browser) == "ann"


def test_a_login_while_unbound_makes_a_new_session_and_leaves_the_old_one(site):
    browser, thief = stolen(site)
    thief.at_once = False
    page(thief, "login?owner=eve")
    assert owner(thief) == "eve"
    assert page(browser, "read") == {"owner": "ann", "data": {"cart": "tea"}, "bound": True, "new": False}


def test_a_login_while_unbound_that_is_saved_at_once_is_not_bound(site):
    _, thief = stolen(site)
    thief.at_once = False
    assert page(thief, "sudo_saved") == [True, False]
    assert thief.offered is not None


def test_what_was_written_before_a_login_while_unbound_is_lost_with_an_event(site):
    browser, thief = stolen(site)
    session = site.manager.open(
        "; ".join(f"{name}={value}" for name, (value, _) in thief.cookies.items() if name == NAME)
    )
    session["cart"] = "mine"
    session.login("eve")
    assert dict(session) == {}
    assert site.named("session.write_dropped") == [WriteDropped("unbound")]
    assert owner(browser) == "ann"


def test_a_logout_while_unbound_ends_nothing_on_the_server_and_forgets_the_cookies(site):
    browser, thief = stolen(site)
    thief.cookies = {name: (value, None) for name, (value, _) in thief.cookies.items()}
    page(thief, "logout")
    assert thief.cookies == {}
    assert page(browser, "read")["data"] == {"cart": "tea"}
    assert not site.named("session.ended")


def test_a_csrf_token_of_an_unbound_session_is_worth_nothing_for_the_owner(site):
    browser, thief = stolen(site)
    token = page(thief, "csrf")
    assert page(thief, f"check?token={token}") is True
    assert page(browser, f"check?token={token}") is False
    theirs = page(browser, "csrf")
    assert page(thief, f"check?token={theirs}") is False
    assert site.named("session.write_dropped") == []


def test_an_owner_whose_binding_broke_for_good_can_log_in(site):
    browser = bound(site)
    browser.kept.clear()
    site.clock.advance(LATE)
    assert owner(browser) is None
    page(browser, "login")
    site.clock.advance(LATE)
    assert page(browser, "read")["bound"]


def test_the_event_is_said_once_a_session_with_the_reason_that_the_browser_gives(site):
    browser = bound(site)
    site.clock.advance(LATE)
    browser.skips = "quota_exceeded"
    for _ in range(3):
        assert owner(browser) is None
    browser.skips = "a reason that nobody knows"
    owner(browser)
    assert site.events == [SessionUnbound("quota_exceeded"), SessionUnbound("missing")]


def test_a_quota_that_is_spent_costs_a_moment_and_no_login(site):
    browser = bound(site)
    site.clock.advance(LATE)
    browser.skips = "quota_exceeded"
    assert owner(browser) is None
    browser.skips = ""
    assert page(browser, "read") == {"owner": "ann", "data": {"cart": "tea"}, "bound": True, "new": False}


def test_no_session_that_was_not_bound_is_unbound(site):
    browser = site.browser(knows=False)
    page(browser, "write?a=1")
    site.clock.advance(100_000)
    assert page(browser, "read") == {"owner": None, "data": {"a": "1"}, "bound": False, "new": False}
    page(browser, "login")
    site.clock.advance(100_000)
    assert page(browser, "read") == {"owner": "ann", "data": {"a": "1"}, "bound": False, "new": False}


# Twins


def test_a_logout_with_somebody_elses_unbound_session_beside_ones_own_ends_ones_own_alone(site):
    victim = bound(site)
    thief = site.browser(knows=False)
    site.clock.advance(LATE)
    page(thief, "login?owner=eve")
    header = f"{NAME}={victim.cookies[NAME][0]}; {NAME}={thief.cookies[NAME][0]}"
    session = site.manager.open(header)
    assert session.owner == "eve"
    session.invalidate()
    site.manager.commit(session)
    assert page(victim, "read")["data"] == {"cart": "tea"}
