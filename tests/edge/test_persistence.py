"""The cookie's Max-Age and Expires: what the session has left, where it is to outlive the browser window."""

import re
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest

from cookiesess import CookiePolicy, Lifetime, SessionManager
from cookiesess.stores.memory import MemoryStore
from kit.browser import Browser
from kit.constants import DAY, KEY
from kit.views import put

LIFETIME = Lifetime(idle=timedelta(days=10), absolute=timedelta(days=30))


@pytest.fixture
def make(clock):
    def make(*, persistent=True, lifetime=LIFETIME):
        return SessionManager(KEY, clock=clock, lifetime=lifetime, cookie=CookiePolicy(persistent=persistent))

    return make


def max_age(cookies):
    (cookie,) = cookies
    age = cookie.attributes.max_age
    assert (f"; Max-Age={age}" in cookie.line) is (age is not None)
    return age


def expires(cookies):
    """Return when a client that knows no Max-Age forgets one line's cookie, in Unix seconds; None: with the window."""
    (cookie,) = cookies
    found = re.search("; Expires=([^;]*);", cookie.line)
    return None if found is None else int(parsedate_to_datetime(found[1]).timestamp())


def remember(session):
    session["a"] = 1
    session.persistent = True


def forget(session):
    session["a"] = 1
    session.persistent = False


def test_a_cookie_lasts_as_long_as_the_window_by_default(make):
    assert max_age(Browser(make(persistent=False)).visit(put("a", 1))) is None


def test_a_persistent_cookie_lasts_as_long_as_the_session(make):
    assert max_age(Browser(make()).visit(put("a", 1))) == 10 * DAY


@pytest.mark.parametrize("settings", [{}, {"store": MemoryStore()}], ids=["client-side", "server-side"])
@pytest.mark.parametrize("persistent", [True, False])
def test_its_end_is_said_as_a_date_too(clock, settings, persistent):
    """For clients that know no Max-Age, or take a Set-Cookie without Expires for one of another time (Java)."""
    cookie = CookiePolicy(persistent=persistent)
    visitor = Browser(SessionManager(KEY, clock=clock, lifetime=LIFETIME, cookie=cookie, **settings))
    assert expires(visitor.visit(remember)) == clock() + 10 * DAY
    clock.advance(timedelta(days=5))
    assert expires(visitor.visit()) == clock() + 10 * DAY


def test_a_cookie_of_the_window_has_no_such_date(make):
    assert expires(Browser(make()).visit(forget)) is None


@pytest.mark.parametrize("persistent", [True, False])
def test_every_expiry_is_dated_in_the_past(make, persistent):
    visitor = Browser(make(persistent=persistent))
    visitor.visit(put("a", 1))
    lines = visitor.visit(lambda session: session.invalidate())
    assert {expires([line]) for line in lines} == {0}


def test_each_refresh_prolongs_it(make, clock):
    visitor = Browser(make())
    visitor.visit(put("a", 1))
    clock.advance(timedelta(days=5))
    assert max_age(visitor.visit()) == 10 * DAY


def test_it_never_outlasts_the_absolute_timeout(make, clock):
    visitor = Browser(make())
    visitor.visit(put("a", 1))
    for days in (9, 9, 9):
        clock.advance(timedelta(days=days))
        age = max_age(visitor.visit())
    assert age == 3 * DAY


def test_it_follows_a_shorter_lifetime(make, clock):
    visitor = Browser(make())
    visitor.visit(put("a", 1))
    clock.advance(timedelta(days=1))
    visitor.manager = make(lifetime=Lifetime(idle=timedelta(days=2), absolute=timedelta(days=2)))
    assert max_age(visitor.visit(put("a", 2))) == DAY


def test_it_follows_the_sessions_own_idle_timeout(make):
    def view(session):
        session["a"] = 1
        session.idle = timedelta(hours=1)

    assert max_age(Browser(make()).visit(view)) == 3600


def test_without_an_absolute_timeout_it_is_the_idle_one(make):
    lifetime = Lifetime(idle=timedelta(days=10), absolute=None)
    assert max_age(Browser(make(lifetime=lifetime)).visit(put("a", 1))) == 10 * DAY


def test_a_session_can_be_persistent_under_a_policy_that_is_not(make):
    visitor = Browser(make(persistent=False))
    assert max_age(visitor.visit(remember)) == 10 * DAY
    assert visitor.read(lambda session: session.persistent) is True
    assert max_age(visitor.visit(put("a", 2))) == 10 * DAY


def test_a_session_can_last_as_long_as_the_window_under_a_policy_that_is_persistent(make):
    visitor = Browser(make())
    assert max_age(visitor.visit(forget)) is None
    assert visitor.read(lambda session: session.persistent) is False
    assert max_age(visitor.visit(put("a", 2))) is None


def test_a_session_can_go_back_to_the_policys_setting(make):
    visitor = Browser(make())
    visitor.visit(forget)
    assert max_age(visitor.visit(lambda session: setattr(session, "persistent", None))) == 10 * DAY
    assert visitor.read(lambda session: session.persistent) is None


def test_setting_persistent_to_what_it_is_writes_nothing(make):
    visitor = Browser(make(persistent=False))
    visitor.visit(remember)
    assert visitor.visit(lambda session: setattr(session, "persistent", True)) == []


def test_every_expiry_of_a_persistent_cookie_has_max_age_zero(make):
    visitor = Browser(make())
    visitor.visit(put("a", 1))
    lines = visitor.visit(lambda session: session.invalidate())
    assert {max_age([line]) for line in lines} == {0}


def test_a_session_that_is_written_after_its_own_end_was_cut_lasts_no_negative_time(make, clock):
    """A view that takes longer than the session has left."""
    visitor = Browser(make())
    visitor.visit(put("a", 1))
    session = visitor.manager.open(visitor.header)
    session["a"] = 2
    clock.advance(timedelta(days=31))
    assert max_age(visitor.manager.commit(session).cookies) == 0


@pytest.mark.parametrize("value", ["no", 0, 1, [], timedelta(days=30)], ids=repr)
def test_whether_a_session_is_persistent_is_true_false_or_none(make, value):
    session = make().open("")
    with pytest.raises(ValueError, match=f"^persistent is True, False or None, not of type {type(value).__name__}$"):
        session.persistent = value
    assert session.persistent is None
