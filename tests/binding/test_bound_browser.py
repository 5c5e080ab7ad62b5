"""The browser that `cookiesess.testing` has for tests of bound sessions: it does what a real one does."""

import json

import pytest

from binding.conftest import LATE, Site, bound, identifier, owner, page
from binding.exchange import REFUSALS
from cookiesess.session.binding import Binding, merged_binding
from cookiesess.testing import BoundBrowser

ONE, OTHER = b"1" * 16, b"2" * 16
KEY, OTHER_KEY = b"k" * 33, b"o" * 33


def answering(status, headers=(), body=b""):
    """A server that says the same to everything, and notes what it was sent."""
    seen = []

    def app(environ, start_response):
        seen.append(environ)
        start_response(status, list(headers))(b"")
        return [body]

    return app, seen


def test_it_posts_a_form():
    app, seen = answering("200 OK", [("X-Said", "yes")])
    answer = BoundBrowser(app).post("/form?a=1", b"b=2")
    assert (answer.status, answer.header("x-said"), answer.header("other")) == (200, "yes", None)
    assert (seen[0]["QUERY_STRING"], seen[0]["wsgi.input"].read(), seen[0]["CONTENT_LENGTH"]) == ("a=1", b"b=2", "3")


def test_it_brings_no_key_that_nobody_asked_for():
    app, seen = answering("200 OK")
    assert BoundBrowser(app).register() is None
    assert seen == []


def test_it_keeps_a_cookie_for_as_long_as_it_is_told():
    app, _ = answering(
        "200 OK", [("Set-Cookie", "a=1; Max-Age=10"), ("Set-Cookie", "b=2"), ("Set-Cookie", "c=; Max-Age=0")]
    )
    site = Site("server")
    browser = BoundBrowser(app, clock=site.clock)
    browser.get("/")
    assert [browser.has(name) for name in "abc"] == [True, True, False]
    site.clock.advance(10)
    assert [browser.has(name) for name in "abc"] == [False, True, False]


def test_it_gives_up_on_a_server_that_always_asks_again():
    browser = bound(Site("server"))
    browser.app, seen = answering("403 Forbidden", [("Secure-Session-Challenge", '"again";id="x"')])
    browser.refresh(identifier(browser))
    assert (len(seen), browser.kept) == (4, {})


def test_it_keeps_its_binding_where_the_server_is_in_trouble_and_says_so():
    site = Site("server")
    browser = bound(site)
    own, (browser.app, seen) = browser.app, answering("503 Service Unavailable")
    site.clock.advance(LATE)
    browser.get("/read")
    assert seen[-1]["HTTP_SECURE_SESSION_SKIPPED"] == "server_error"
    browser.app = own
    assert page(browser, "read")["bound"]


@pytest.mark.parametrize(("status", "goes_on"), REFUSALS.items())
def test_it_makes_of_a_refusal_what_a_real_one_does(status, goes_on):
    site = Site("server")
    browser = bound(site)
    own, (browser.app, _) = browser.app, answering(f"{status} Refused")
    site.clock.advance(LATE)
    browser.get("/read")
    browser.app = own
    assert page(browser, "read")["bound"] is goes_on


def test_it_lets_go_where_it_is_told_to():
    browser = bound(Site("server"))
    browser.app, _ = answering("200 OK", body=json.dumps({"continue": False}).encode())
    browser.refresh(identifier(browser))
    assert browser.kept == {}


def test_an_app_that_raises_raises_through():
    with pytest.raises(KeyError):
        Site("server").browser().get("/no-such-page")


# What is written about a binding by requests at once


@pytest.mark.parametrize(
    ("mine", "theirs", "stands"),
    [
        (Binding(ONE), Binding(ONE, KEY), "theirs"),
        (Binding(ONE, KEY), Binding(ONE), "mine"),
        (Binding(ONE, KEY), Binding(ONE, OTHER_KEY), "theirs"),
        (Binding(ONE, KEY, 5), Binding(ONE, KEY), "mine"),
        (Binding(ONE, KEY), Binding(ONE, KEY, 5), "theirs"),
        (Binding(ONE, KEY, 6), Binding(ONE, KEY, 5), "theirs"),
        (Binding(ONE, KEY, 6), Binding(ONE, OTHER_KEY), "theirs"),
        (Binding(ONE, KEY), Binding(OTHER, KEY, 5), "mine"),
    ],
)
def test_of_two_values_the_one_that_has_come_further_stands(mine, theirs, stands):
    assert merged_binding(mine.packed(), theirs.packed()) == {"mine": mine, "theirs": theirs}[stands].packed()
    assert merged_binding(mine.packed(), None) == mine.packed()


def test_a_binding_shows_no_key():
    assert repr(Binding(ONE, KEY)) == "<Binding, registered>"
    assert repr(Binding(ONE)) == "<Binding, offered>"


def test_what_is_no_binding_is_none():
    assert [Binding.unpack(value) for value in (None, b"", b"x" * 56, "x" * 57)] == [None] * 4


# What the log says


def test_a_bound_cookie_that_does_not_open_or_is_anothers_is_told(site):
    browser, other = bound(site), bound(site)
    site.clock.advance(11)
    name = site.manager.cookie.bound_name
    for value in ("junk", other.cookies[name][0]):
        browser.cookies[name] = (value, None)
        assert owner(browser) is None
    assert [event.reason for event in site.named("session.unbound")] == ["invalid", "other"]


def test_what_was_said_is_remembered_of_so_many_sessions_and_no_more(site):
    browser = bound(site)
    site.clock.advance(LATE)
    browser.skips = "unreachable"
    site.manager.operations.parts.bound._said.update((bytes([at % 256, at // 256]), "") for at in range(1000))
    owner(browser)
    assert len(site.manager.operations.parts.bound._said) == 1
