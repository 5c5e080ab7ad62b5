"""Which cookies of other libraries are opened, how the browser is told to forget them, and which are left alone."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from webob import Request

from cookiesess import ConfigurationError, CookiePolicy, InvalidToken, SessionManager, SessionMiddleware, Transport
from cookiesess.events import SessionRejected
from cookiesess.http.places import CookieIdentity
from cookiesess.readers import FlaskCookie, StarletteCookie
from kit.accepting import DATA, OLD, flask, flask_cookie, visitor
from kit.arrival import Came
from kit.browser import Browser
from kit.constants import KEY, LIFETIME, NAME, SECRET, UNTIL
from kit.lines import expired, issued, places
from kit.views import clear, invalidate, login, put, renew
from kit.wsgi import answering


@pytest.fixture
def plain(memory):
    """A client-side one."""
    memory.settings["accept"] = [flask()]
    memory.use()
    return memory


# One name for both


@pytest.fixture
def same(memory):
    """Our cookie has the name, path and domain that Flask's had."""
    memory.settings |= {"accept": [flask()], "cookie": CookiePolicy(OLD)}
    memory.use()
    return memory


def test_under_one_name_ours_takes_the_place_of_theirs_in_one_line(same):
    browser = visitor(same)
    assert browser.read() == DATA
    lines = browser.visit(put("a", 1))
    assert [line.name for line in lines] == [OLD]
    assert browser.read() == DATA | {"a": 1}


def test_under_one_name_a_logout_says_nothing_twice(same):
    browser = visitor(same)
    lines = browser.visit(invalidate)
    assert places(lines) == [CookieIdentity(OLD, "/", None, partitioned) for partitioned in (True, False)]


def test_under_one_name_at_another_path_theirs_is_forgotten_there(memory):
    memory.settings |= {"accept": [flask(path="/shop")], "cookie": CookiePolicy(OLD)}
    memory.use()
    lines = visitor(memory).visit(put("a", 1))
    assert [(line.name, line.attributes.path, line.attributes.max_age) for line in lines] == [
        (OLD, "/shop", 0),
        (OLD, "/", None),
    ]


# How theirs is forgotten


@pytest.mark.parametrize(
    "place",
    [
        {"path": "/shop"},
        {"domain": "shop.example"},
        {"partitioned": True},
        {"cookie_name": "other", "path": "/shop", "domain": "shop.example", "partitioned": True},
    ],
)
def test_theirs_is_forgotten_by_its_own_name_path_domain_and_partition(plain, place):
    plain.use(accept=[flask(**place)])
    browser = Browser(plain, {place.get("cookie_name", OLD): flask_cookie(plain.now)})
    line, _ = browser.visit(put("a", 1))
    attributes = line.attributes
    assert (line.name, line.value, attributes.max_age) == (place.get("cookie_name", OLD), "", 0)
    assert (attributes.path, attributes.domain) == (place.get("path", "/"), place.get("domain"))
    assert attributes.partitioned is place.get("partitioned", False)


@pytest.mark.parametrize(
    ("settings", "transport", "secure"),
    [
        ({}, Transport.HTTPS, True),
        ({}, Transport.PLAIN, False),
        ({}, Transport.LOOPBACK, False),
        ({"partitioned": True}, Transport.PLAIN, True),
        ({"cookie_name": "__Secure-session"}, Transport.PLAIN, True),
        ({"cookie_name": "__session"}, Transport.PLAIN, False),
    ],
)
def test_the_line_that_forgets_is_one_that_the_browser_takes(plain, settings, transport, secure):
    """A Secure one is refused over plain HTTP, and one without Secure for what must have it."""
    reader = flask(**settings)
    manager = plain.use(accept=[reader])
    for _ in range(2):  # the first one of a process over plain HTTP is one that it warns of
        session = manager.open(f"{reader.cookie_name}={flask_cookie(plain.now)}")
        session["a"] = 1
        line, _ = manager.commit(session, arrival=Came(transport=transport)).cookies
        assert line.attributes.secure is secure


@pytest.mark.parametrize(
    ("samesite", "transport", "expected"),
    [("None", Transport.HTTPS, "None"), ("Strict", Transport.HTTPS, "Strict"), ("None", Transport.PLAIN, "Lax")],
)
def test_theirs_is_forgotten_wherever_ours_can_be_set(plain, samesite, transport, expected):
    """A page that is embedded in another site can set and forget cookies with SameSite=None alone."""
    manager = plain.use(cookie=CookiePolicy(samesite=samesite))
    session = manager.open(f"{OLD}={flask_cookie(plain.now)}")
    session["a"] = 1
    line, _ = manager.commit(session, arrival=Came(transport=transport)).cookies
    assert line.attributes.samesite == expected


# What does not open


@pytest.mark.parametrize(
    ("reader", "value", "reason"),
    [
        (flask(), lambda now: flask_cookie(now, secret="another secret, which nobody knows"), "forged"),
        (flask(), lambda now: "not-flask's", "malformed"),
        (flask(max_age=timedelta(hours=1)), lambda now: flask_cookie(now - 3601), "expired"),
        (flask(), lambda now: flask_cookie(now + 301), "future"),
        (flask(until=datetime(2001, 1, 1, tzinfo=UTC)), flask_cookie, "retired"),
    ],
    ids=["forged", "malformed", "expired", "future", "retired"],
)
@pytest.mark.parametrize("view", [len, lambda session: session.get("a"), invalidate], ids=["len", "get", "invalidate"])
def test_a_cookie_that_does_not_open_is_said_and_left_alone(plain, reader, value, reason, view):
    """It may be the cookie of another app that is still in use."""
    plain.use(accept=[reader])
    browser = Browser(plain, {OLD: value(plain.now)})
    assert browser.visit(view) == []
    assert [event.reason for event in plain.events] == [reason]


def test_a_cookie_that_does_not_open_keeps_nobody_from_beginning(plain):
    browser = Browser(plain, {OLD: "nothing"})
    lines = browser.visit(put("a", 1))
    assert (issued(lines), expired(lines)) == ([NAME], [])
    assert browser.read() == {"a": 1}


@pytest.mark.parametrize("view", [put("a", 2), login("ann"), renew, clear, invalidate])
def test_a_cookie_that_does_not_open_stays_beside_our_own_session_whatever_becomes_of_that(plain, view):
    browser = Browser(plain)
    browser.visit(put("a", 1))
    browser.cookies[OLD] = "another app's"
    browser.visit(view)
    assert browser.cookies[OLD] == "another app's"


def test_without_a_cookie_nothing_is_said(plain):
    browser = Browser(plain)
    assert browser.visit(dict) == []
    assert plain.taken_names() == []


def test_where_neither_ours_nor_theirs_opens_it_is_said_once_and_both_are_left_alone(plain):
    browser = Browser(plain, {NAME: "AQIDBAUGBwgJ", OLD: "nothing"})
    assert browser.visit(dict) == []
    assert plain.events == [SessionRejected("malformed", None)]


def test_where_ours_alone_does_not_open_it_is_left_alone(plain):
    browser = Browser(plain, {NAME: "AQIDBAUGBwgJ"})
    assert browser.visit(dict) == []


def test_where_ours_does_not_open_a_logout_forgets_ours_and_what_would_have_opened(plain):
    browser = visitor(plain, **{NAME: "AQIDBAUGBwgJ"})
    assert sorted(expired(browser.visit(invalidate))) == sorted([NAME, OLD])


def test_an_old_cookie_that_came_back_beside_ours_does_not_outlive_a_logout_and_a_lapse(plain):
    """The answer that took it over was lost in part, say, so that the browser has both."""
    browser = visitor(plain)
    browser.visit(put("a", 1))
    browser.cookies |= visitor(plain).cookies
    browser.visit(invalidate)
    assert browser.cookies == {}
    assert browser.read() == {}


def test_of_several_cookies_the_first_that_opens_counts(plain):
    planted = flask_cookie(plain.now, {"user": "eve"}, secret="another secret, which nobody knows")
    session = plain.manager.open(f"{OLD}={planted}; {OLD}=x; {OLD}={flask_cookie(plain.now)}")
    assert dict(session) == DATA


def test_at_most_four_of_them_are_tried(plain):
    header = "; ".join([f"{OLD}=x"] * 4 + [f"{OLD}={flask_cookie(plain.now)}"])
    assert dict(plain.manager.open(header)) == {}


# Several readers


def test_readers_are_asked_in_their_order(plain):
    plain.use(accept=[flask(cookie_name="second"), flask(cookie_name="first")])
    cookies = {"first": flask_cookie(plain.now, {"a": 1}), "second": flask_cookie(plain.now, {"a": 2})}
    browser = Browser(plain, cookies)
    assert browser.read() == {"a": 2}
    lines = browser.visit(put("b", 3))
    assert sorted(expired(lines)) == ["first", "second"]
    assert browser.read() == {"a": 2, "b": 3}


def test_where_one_reader_refuses_the_next_is_asked(plain):
    plain.use(accept=[StarletteCookie(SECRET, until=UNTIL), flask("another secret, which nobody knows"), flask()])
    assert visitor(plain).read() == DATA


def test_where_all_refuse_the_first_reason_is_said(plain):
    plain.use(accept=[flask("another secret, which nobody knows"), flask(until=datetime(2001, 1, 1, tzinfo=UTC))])
    assert visitor(plain).read() == {}
    assert plain.events == [SessionRejected("forged", None)]


# A reader of somebody else's


class Found(NamedTuple):
    data: dict
    created_at: int | None = None
    refreshed_at: int | None = None
    owner: str | None = None


class UserCookie:
    """Knows nothing of this library but the error; its cookie holds a user's name in the clear."""

    cookie_name, path, domain, partitioned = "user", "/", None, False

    def __init__(self, found=Found):
        self.found = found

    def open(self, value, *, now):
        if not value.isalpha():
            raise InvalidToken("malformed")
        return self.found({"user": value})


def test_a_reader_need_not_be_one_of_ours(plain):
    plain.use(accept=[UserCookie()])
    browser = Browser(plain, {"user": "ann"})
    assert browser.read() == {"user": "ann"}
    assert plain.events[0].reader == "UserCookie"


def test_a_session_without_a_time_is_taken_over_at_the_first_touch(plain):
    plain.use(accept=[UserCookie()])
    browser = Browser(plain, {"user": "ann"})
    lines = browser.visit(dict)
    assert (issued(lines), expired(lines)) == ([NAME], ["user"])
    assert browser.read() == {"user": "ann"}


def test_the_time_that_it_began_is_kept_where_the_format_says_so(plain):
    began = plain.now - 7200
    plain.use(accept=[UserCookie(lambda data: Found(data, began, plain.now, "ann"))])
    session = plain.manager.open("user=ann")
    assert (session.created_at, session.authenticated_at, session.owner) == (began, began, "ann")


# Settings


@pytest.mark.parametrize(
    "reader", [FlaskCookie, "session", None, SECRET, object()], ids=lambda value: type(value).__name__
)
def test_what_is_no_reader_is_refused_with_what_to_write(reader):
    kind = type(reader).__name__
    with pytest.raises(ConfigurationError, match=rf"of type {kind}; write accept=\[FlaskCookie\(") as raised:
        SessionManager(KEY, accept=[reader])
    assert SECRET not in str(raised.value)


# The whole way


def test_an_app_behind_the_middleware_goes_on_with_the_others_session(plain):
    view = answering(lambda session: session.setdefault("n", len(session)))
    app = SessionMiddleware(view, KEY, accept=[flask()], clock=plain.clock, lifetime=LIFETIME)
    request = Request.blank(
        "/", base_url="https://shop.example", headers={"Cookie": f"{OLD}={flask_cookie(plain.now)}"}
    )
    response = request.get_response(app)
    theirs, ours = response.headers.getall("Set-Cookie")
    assert response.text == "2"
    assert ours.startswith(f"{NAME}=")
    assert theirs.startswith(f"{OLD}=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure")
    assert (response.headers["Vary"], response.headers["Cache-Control"]) == ("Cookie", "private")


def test_a_request_that_only_read_it_answers_with_vary_and_no_cookie(plain):
    app = SessionMiddleware(answering(len), KEY, accept=[flask()], clock=plain.clock, lifetime=LIFETIME)
    request = Request.blank(
        "/", base_url="https://shop.example", headers={"Cookie": f"{OLD}={flask_cookie(plain.now)}"}
    )
    response = request.get_response(app)
    assert response.headers.getall("Set-Cookie") == []
    assert response.headers["Vary"] == "Cookie"
