"""The table of decisions, client-side, end to end: the rows where nothing was loaded, and what the lines look like."""

import pytest

from cookiesess import CookiePolicy, SessionManager
from cookiesess.events import SessionCreated, SessionExpired, SessionRejected
from cookiesess.http.places import CookieIdentity
from cookiesess.testing import ManualClock
from kit.browser import Browser
from kit.constants import ABSOLUTE, GARBAGE, IDLE, KEY, LIFETIME, NAME
from kit.lines import is_expiry, is_issue, places
from kit.views import drop, fill, login, put


def nothing(session):
    """Not touched at all: repr is no look."""
    repr(session)


@pytest.mark.parametrize("header", ["", GARBAGE, "valid"])
def test_never_touched_nothing(known, events, header):
    visitor = known if header == "valid" else Browser(known.manager, header)
    assert visitor.visit(nothing) == []
    assert events == []


EMPTY = {
    "read": len,
    "set and deleted": lambda session: put("a", 1)(session) or drop("a")(session),
    "renewed": lambda session: session.renew(),
    "cleared": lambda session: session.clear(),
    "settings only": lambda session: setattr(session, "persistent", True),
    "flashes shown at once": lambda session: session.flash("hi") or session.pop_flashes(),
}
LOGOUTS = {
    "invalidated": lambda session: session.invalidate(),
    "login taken back": lambda session: session.login("user-1") or session.invalidate(),
}
FILLED = {
    "data": put("a", 1),
    "login": login("user-1"),
    "flash": lambda session: session.flash("hi"),
    "CSRF secret": lambda session: session.csrf_token(),
}


@pytest.mark.parametrize("view", EMPTY.values(), ids=EMPTY)
def test_no_cookie_touched_and_still_empty_nothing(visitor, events, view):
    assert visitor.visit(view) == []
    assert events == []


@pytest.mark.parametrize("view", EMPTY.values(), ids=EMPTY)
@pytest.mark.parametrize("late", [IDLE, ABSOLUTE], ids=["idle", "absolute"])
def test_gone_touched_and_still_empty_nothing(known, clock, events, view, late):
    clock.advance(late)
    assert known.visit(view) == []
    assert [type(event) for event in events] == [SessionExpired]


@pytest.mark.parametrize("view", EMPTY.values(), ids=EMPTY)
def test_rejected_touched_and_still_empty_nothing(make, events, view):
    assert Browser(make(), GARBAGE).visit(view) == []
    assert [type(event) for event in events] == [SessionRejected]


@pytest.mark.parametrize("view", LOGOUTS.values(), ids=LOGOUTS)
def test_no_cookie_and_a_logout_nothing(visitor, events, view):
    assert visitor.visit(view) == []
    assert events == []


@pytest.mark.parametrize("view", LOGOUTS.values(), ids=LOGOUTS)
@pytest.mark.parametrize("late", [IDLE, ABSOLUTE], ids=["idle", "absolute"])
def test_gone_and_a_logout_expires_the_cookie(known, clock, events, view, late):
    clock.advance(late)
    assert is_expiry(known.visit(view))
    assert [type(event) for event in events] == [SessionExpired]


@pytest.mark.parametrize("view", LOGOUTS.values(), ids=LOGOUTS)
def test_rejected_and_a_logout_expires_the_cookie(make, events, view):
    assert is_expiry(Browser(make(), GARBAGE).visit(view))
    assert [type(event) for event in events] == [SessionRejected]


@pytest.mark.parametrize("view", FILLED.values(), ids=FILLED)
@pytest.mark.parametrize("origin", ["none", "rejected", "gone"])
def test_nothing_loaded_and_now_not_empty_sets_the_cookie(known, clock, events, view, origin):
    if origin == "gone":
        clock.advance(IDLE)
    visitor = known if origin == "gone" else Browser(known.manager, GARBAGE if origin == "rejected" else "")
    assert is_issue(visitor.visit(view))
    assert events[-1] == SessionCreated(login=view is FILLED.get("login"))
    assert visitor.read(lambda session: session.created_at) == clock()
    assert visitor.read(lambda session: not session.is_new)


@pytest.mark.parametrize("origin", ["none", "rejected", "gone"])
def test_nothing_loaded_ended_and_then_written_sets_the_cookie_after_the_expiries(known, clock, events, origin):
    if origin == "gone":
        clock.advance(IDLE)
    visitor = known if origin == "gone" else Browser(known.manager, GARBAGE if origin == "rejected" else "")
    *expiries, line = visitor.visit(lambda session: session.invalidate() or put("a", 1)(session))
    assert is_issue([line])
    assert is_expiry(expiries) is (origin != "none")
    assert CookieIdentity(NAME, "/", None, False) not in places(expiries)
    assert events[-1] == SessionCreated()
    assert visitor.read() == {"a": 1}


def test_a_commit_says_whether_the_response_varies_and_is_private(make):
    manager = make()
    answers = []
    for view in (nothing, len, put("a", 1)):
        session = manager.open("")
        view(session)
        commit = manager.commit(session)
        answers.append((commit.vary, commit.private))
    assert answers == [(False, False), (True, False), (True, True)]


def test_the_cookie_has_the_policys_attributes(make):
    manager = make(cookie=CookiePolicy("sid", path="/shop", domain="shop.example", samesite="Strict"))
    cookie = Browser(manager).visit(fill)[0]
    assert cookie.line == (f"sid={cookie.value}; Path=/shop; Domain=shop.example; Secure; HttpOnly; SameSite=Strict")


def test_an_expiry_has_the_attributes_of_the_cookie_it_ends(make):
    visitor = Browser(make(cookie=CookiePolicy("sid", path="/shop", domain="shop.example")))
    visitor.visit(fill)
    line = visitor.visit(lambda session: session.invalidate())[-1].line
    assert line == (
        "sid=; Path=/shop; Domain=shop.example; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; HttpOnly;"
        " SameSite=Lax"
    )


def test_the_default_clock_is_the_worlds():
    visitor = Browser(SessionManager(KEY, lifetime=LIFETIME, clock=ManualClock(0)))
    visitor.visit(fill)
    visitor.manager = SessionManager(KEY, lifetime=LIFETIME)
    assert visitor.read() == {}
