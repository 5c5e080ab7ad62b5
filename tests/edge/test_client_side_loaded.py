"""The table of decisions, client-side, end to end: the rows where a session was loaded, by a clock driven by hand."""

from datetime import timedelta

import pytest

from cookiesess import Keyring
from cookiesess.events import SessionCreated, SessionEnded, SessionRefreshed, SessionRenewed
from kit.browser import Browser
from kit.constants import KEY, OTHER_KEY, REFRESH
from kit.lines import is_expiry, is_issue
from kit.views import append, drop, fill, login, put

READS = {
    "len": len,
    "get": lambda session: session.get("cart"),
    "is_new": lambda session: session.is_new,
    "check_csrf": lambda session: session.check_csrf("x"),
    "pop_flashes": lambda session: session.pop_flashes(),
    "changed and changed back": lambda session: append("cart", 2)(session) or session["cart"].pop(),
    "equal value": put("cart", [1]),
    "deleted and set again": lambda session: drop("a")(session) or put("a", 1)(session),
    "mutate that changes nothing": lambda session: session.mutate(lambda data: None),
    "save": lambda session: session.save(),
}


@pytest.mark.parametrize("view", READS.values(), ids=READS)
def test_loaded_and_read_only_nothing(known, clock, events, view):
    clock.advance(REFRESH - 1)
    assert known.visit(view) == []
    assert events == []


@pytest.mark.parametrize("view", READS.values(), ids=READS)
def test_loaded_read_only_and_refresh_due_sets_the_cookie_with_the_same_created_at(known, clock, events, view):
    created_at = known.read(lambda session: session.created_at)
    clock.advance(REFRESH)
    assert is_issue(known.visit(view))
    assert events == [SessionRefreshed()]
    assert known.read(lambda session: session.created_at) == created_at


def test_loaded_read_only_under_an_old_key_nothing_before_refresh_is_due(make, clock, events):
    visitor = Browser(make(OTHER_KEY))
    visitor.visit(fill)
    clock.advance(REFRESH - 1)
    assert visitor.visit(manager=make(Keyring(KEY, [OTHER_KEY]))) == []


@pytest.mark.parametrize(
    ("view", "wait", "event"),
    [
        (len, REFRESH, SessionRefreshed()),
        (put("a", 2), 0, None),
        (lambda session: session.renew(), 0, SessionRenewed(login=False)),
        (login("user-1"), 0, SessionRenewed(login=True)),
    ],
    ids=["refresh", "write", "renew", "login"],
)
def test_a_session_under_an_old_key_is_sealed_again_when_it_is_refreshed_or_written(
    make, clock, events, view, wait, event
):
    visitor = Browser(make(OTHER_KEY))
    visitor.visit(fill)
    events.clear()
    clock.advance(wait)
    assert is_issue(visitor.visit(view, manager=make(Keyring(KEY, [OTHER_KEY]))))
    assert events == ([event] if event else [])
    visitor.manager = make(KEY)
    assert visitor.read(lambda session: session["cart"]) == [1]


WRITES = {
    "assignment": put("a", 2),
    "new key": put("b", 1),
    "deletion": drop("a"),
    "nested": append("cart", 2),
    "flash": lambda session: session.flash("hi"),
    "CSRF secret": lambda session: session.csrf_token(),
    "persistent": lambda session: setattr(session, "persistent", False),
    "idle": lambda session: setattr(session, "idle", timedelta(hours=2)),
    "mutate": lambda session: session.mutate(lambda data: data.update(a=2)),
    "assignment and save": lambda session: put("a", 2)(session) or session.save(),
    "another type of an equal value": put("a", True),
}


@pytest.mark.parametrize("view", WRITES.values(), ids=WRITES)
def test_loaded_and_modified_sets_the_cookie(known, clock, view):
    created_at = known.read(lambda session: session.created_at)
    before = known.token
    clock.advance(1)
    assert is_issue(known.visit(view))
    assert known.token != before
    assert known.read(lambda session: session.created_at) == created_at


@pytest.mark.parametrize("view", WRITES.values(), ids=WRITES)
def test_a_write_counts_as_a_refresh(known, clock, view):
    clock.advance(REFRESH)
    known.visit(view)
    assert known.visit() == []


def test_loaded_and_became_empty_expires_the_cookie(known, events):
    assert is_expiry(known.visit(lambda session: session.clear()))
    assert events == [SessionEnded(emptied=True)]


def test_loaded_renewed_and_became_empty_expires_the_cookie(known, events):
    assert is_expiry(known.visit(lambda session: session.renew() or session.clear()))
    assert events == [SessionEnded(emptied=True)]


def test_the_last_flash_shown_expires_the_cookie(visitor):
    visitor.visit(lambda session: session.flash("hi"))
    assert is_expiry(visitor.visit(lambda session: session.pop_flashes()))


def test_popping_the_last_key_of_a_logged_in_session_does_not_log_it_out(known):
    known.visit(login("user-1"))
    assert is_issue(known.visit(lambda session: session.clear()))
    assert known.read(lambda session: (session.owner, dict(session))) == ("user-1", {})


@pytest.mark.parametrize(("view", "by_login"), [(lambda session: session.renew(), False), (login("user-1"), True)])
def test_renew_and_login_set_a_new_cookie(known, events, view, by_login):
    before = known.token
    assert is_issue(known.visit(view))
    assert known.token != before
    assert events == [SessionRenewed(login=by_login)]
    assert known.read() == {"a": 1, "cart": [1]}


def test_renew_keeps_created_at_owner_and_authentication(known, clock):
    known.visit(login("user-1"))
    before = known.read(lambda session: (session.created_at, session.owner, session.authenticated_at))
    clock.advance(5)
    known.visit(lambda session: session.renew())
    assert known.read(lambda session: (session.created_at, session.owner, session.authenticated_at)) == before


def test_invalidate_expires_the_cookie(known, events):
    assert is_expiry(known.visit(lambda session: session.invalidate()))
    assert events == [SessionEnded(emptied=False)]


def test_invalidate_twice_expires_the_cookie_once(known, events):
    assert is_expiry(known.visit(lambda session: session.invalidate() or session.invalidate()))
    assert events == [SessionEnded(emptied=False)]


def test_invalidate_outranks_a_login_before_it(known):
    assert is_expiry(known.visit(lambda session: session.login("user-1") or session.invalidate()))


def test_invalidate_and_then_a_write_make_another_session(known, clock, events):
    clock.advance(60)

    def view(session):
        session.invalidate()
        assert session.is_new
        assert session == {}
        session["b"] = 2

    *expiries, line = known.visit(view)
    assert is_issue([line])
    assert is_expiry(expiries)
    assert events == [SessionEnded(emptied=False), SessionCreated()]
    assert known.read() == {"b": 2}
    assert known.read(lambda session: session.created_at) == clock()


def test_invalidate_keeps_nothing_of_the_old_session(known, clock):
    known.visit(login("user-1"))
    known.visit(lambda session: session.csrf_token() and session.flash("hi"))
    known.visit(lambda session: session.invalidate() or put("b", 1)(session))
    assert known.read(lambda session: (session.owner, session.authenticated_at, session.pop_flashes())) == (
        None,
        None,
        [],
    )


def test_a_request_without_a_change_writes_nothing_and_with_one_writes_once(known):
    assert [len(known.visit(view)) for view in (len, put("a", 2), len, put("a", 2), put("a", 3))] == [0, 1, 0, 0, 1]
