"""While the store is down: `on_store_error` decides, nobody is logged in, nothing is written, no cookie is touched."""

from datetime import timedelta

import pytest

from cookiesess import ConfigurationError, Lifetime, SessionError, SessionManager, SessionReadOnly, StoreUnavailable
from cookiesess.events import SessionRefreshed, StoreFailed
from kit.constants import PERSISTENT, REFRESH
from kit.probe import CAUSE
from kit.views import ann, append, clear, count, every, invalidate, login, persist, put, renew
from kit.world import rotated

WRITES = [
    put("b", 2),
    login("ann"),
    renew,
    invalidate,
    count,
    persist,
    lambda s: s.csrf_token(),
    lambda s: s.flash("x"),
    lambda s: s.save(),
    lambda s: setattr(s, "label", "phone"),
]


@pytest.fixture
def down(world):
    """A browser whose session cannot be loaded, with the policy ``"anonymous"``."""
    world.use(on_store_error="anonymous")
    browser = world.browser(ann)
    world.probe.down = set(world.probe.VERBS)
    return browser


@pytest.mark.parametrize("view", [len, dict, lambda s: s.owner, lambda s: s.check_csrf("x"), *WRITES])
def test_by_default_the_first_touch_raises(world, view):
    browser = world.browser(ann)
    world.probe.down = {"load"}
    with pytest.raises(StoreUnavailable):
        view(world.manager.open(browser.header))
    assert world.taken_events() == [StoreFailed(CAUSE)]


def test_by_default_available_is_false_and_does_not_raise(world):
    browser = world.browser(ann)
    world.probe.down = {"load"}
    assert not world.manager.open(browser.header).available


def test_a_visitor_without_a_cookie_does_not_notice_until_something_is_written(world):
    world.probe.down = set(world.probe.VERBS)
    browser = world.browser()
    assert browser.visit(dict) == []
    with pytest.raises(StoreUnavailable):
        browser.visit(put("a", 1))
    assert browser.header == ""


def test_an_anonymous_request_reads_an_empty_session_of_nobody(down, world):
    session = world.manager.open(down.header)
    assert (dict(session), session.owner, session.authenticated_at) == ({}, None, None)
    assert (session.is_new, session.available, session.pop_flashes()) == (True, False, [])
    assert world.taken_events() == [StoreFailed(CAUSE)]


@pytest.mark.parametrize("view", WRITES)
def test_an_anonymous_request_that_writes_is_refused(down, world, view):
    with pytest.raises(SessionReadOnly):
        view(world.manager.open(down.header))


def test_the_refusal_is_an_error_of_the_app_and_of_the_store(down, world):
    with pytest.raises(StoreUnavailable) as refusal:
        world.manager.open(down.header)["b"] = 2
    assert isinstance(refusal.value, SessionError)


def test_no_csrf_token_is_right_while_the_store_is_down(world):
    world.use(on_store_error="anonymous")
    tokens = []
    browser = world.browser(every(ann, lambda s: tokens.append(s.csrf_token())))
    assert world.manager.open(browser.header).check_csrf(tokens[0])
    world.probe.down = {"load"}
    assert not world.manager.open(browser.header).check_csrf(tokens[0])


@pytest.mark.parametrize("view", [len, dict, clear, *WRITES])
def test_no_cookie_line_is_sent_while_the_store_is_down(down, view):
    def view_of_an_app_that_can_do_without(session):
        try:
            view(session)
        except StoreUnavailable:
            assert view in WRITES

    assert down.visit(view_of_an_app_that_can_do_without) == []


def test_the_session_is_there_again_when_the_store_is(down, world):
    down.visit(dict)
    world.probe.down = set()
    session = world.manager.open(down.header)
    assert (session.available, session.owner, dict(session)) == (True, "ann", {"a": 1})


@pytest.mark.parametrize("policy", ["raise", "anonymous"])
@pytest.mark.parametrize("view", [put("b", 2), append("cart", 1), count, renew, login("ann"), clear])
def test_a_store_that_goes_down_before_the_commit_fails_it_aloud(world, policy, view):
    world.use(on_store_error=policy)
    browser = world.browser(put("cart", []))
    before = browser.header
    world.clock.advance(REFRESH)
    request = browser.open(view)
    world.probe.down = set(world.probe.VERBS)
    with pytest.raises(StoreUnavailable):
        request.finish()
    world.probe.down = set()
    assert browser.header == before
    assert browser.read() == {"cart": []}


def test_invalidate_raises_where_the_record_could_not_be_deleted(world):
    browser = world.browser(ann)
    request = browser.open()
    world.probe.down = {"delete"}
    with pytest.raises(StoreUnavailable):
        invalidate(request.session)
    assert request.finish() == []
    assert browser.read() == {"a": 1}


@pytest.mark.parametrize(
    "ask", [lambda m: m.sessions_of("ann"), lambda m: m.end("ann", "a" * 64), lambda m: m.end_all("ann")]
)
def test_the_owners_sessions_cannot_be_listed_or_ended_while_the_store_is_down(down, world, ask):
    with pytest.raises(StoreUnavailable):
        ask(world.manager)


def test_another_policy_is_refused(world):
    with pytest.raises(ConfigurationError, match="choose 'raise' or 'anonymous'"):
        world.make_manager(on_store_error="ignore")


def test_a_policy_without_a_store_is_refused(world):
    with pytest.raises(ConfigurationError, match="store="):
        SessionManager(b"k" * 32, on_store_error="anonymous")


def test_something_else_than_a_store_is_refused(world):
    with pytest.raises(ConfigurationError, match=r"store is .*; write store=SQLiteStore\(path\), or a URL"):
        world.make_manager(store={})


# A refresh of a request that only read


@pytest.mark.parametrize("policy", ["raise", "anonymous"])
@pytest.mark.parametrize("view", [len, dict])
def test_a_store_that_goes_down_before_a_refresh_costs_the_request_nothing(world, policy, view):
    world.use(on_store_error=policy, cookie=PERSISTENT)
    browser = world.browser(ann)
    world.clock.advance(REFRESH)
    request = browser.open(view)
    world.probe.down = set(world.probe.VERBS)
    assert request.finish() == []
    assert world.taken_events() == [StoreFailed(CAUSE)]


@pytest.mark.parametrize("policy", ["raise", "anonymous"])
def test_a_store_that_goes_down_before_another_key_is_taken_costs_the_request_nothing(world, policy):
    browser = world.browser(ann)
    world.use(rotated(), on_store_error=policy)
    world.clock.advance(REFRESH)
    request = browser.open()
    world.probe.down = set(world.probe.VERBS)
    assert request.finish() == []
    assert world.taken_events() == [StoreFailed(CAUSE)]


def test_a_store_that_goes_down_before_a_refresh_with_another_idle_timeout_costs_the_request_nothing(world):
    browser = world.browser(ann)
    world.use(lifetime=Lifetime(idle=timedelta(hours=9), refresh_after=timedelta(hours=1)))
    world.clock.advance(REFRESH)
    request = browser.open()
    world.probe.down = {"update"}
    assert request.finish() == []
    assert world.taken_events() == [StoreFailed(CAUSE)]


def test_the_next_request_does_a_refresh_that_the_store_was_down_for(world):
    browser = world.browser(ann)
    world.clock.advance(REFRESH)
    request = browser.open()
    world.probe.down = {"touch"}
    request.finish()
    world.probe.down = set()
    world.taken_events()
    browser.visit()
    assert world.taken_events() == [SessionRefreshed()]
