"""What an operator is told, and what shared caches are told."""

import logging

import pytest

from cookiesess import SessionManager, get_cookies, get_session
from cookiesess import events as all_events
from cookiesess.events import (
    Event,
    SessionCreated,
    SessionEnded,
    SessionExpired,
    SessionRefreshed,
    SessionRejected,
    SessionRenewed,
    SharedCachingPrevented,
)
from kit.browser import Browser, cookie_of
from kit.constants import KEY, NAME, OTHER_KEY, PLAIN
from kit.views import put
from kit.wsgi import Server, environ_of, wrap

SECRET = "the-secret-value"


def life(manager, clock):
    """A session's whole life, from a rejected cookie to the end, with secrets everywhere."""
    visitor = Browser(manager, f"{NAME}=AQID{SECRET}")
    tokens = []
    visits = [
        lambda session: session.update({SECRET: SECRET}),
        lambda session: session.login(SECRET),
        lambda session: session.renew(),
        lambda session: session.flash(SECRET),
        lambda session: tokens.append(session.csrf_token()),
    ]
    for view in visits:
        visitor.visit(view)
        tokens.append(visitor.token)
    clock.advance(3 * 86_400)
    visitor.visit()
    tokens.append(visitor.token)
    visitor.visit(lambda session: session.invalidate())
    visitor.visit(put("a", SECRET))
    clock.advance(60 * 86_400)
    visitor.visit()
    return tokens


LIFE = [
    SessionRejected("malformed", None),
    SessionCreated(),
    SessionRenewed(login=True),
    SessionRenewed(login=False),
    SessionRefreshed(),
    SessionEnded(emptied=False),
    SessionCreated(),
    SessionExpired("idle"),
]


def test_a_sessions_life_as_on_event_hears_it(events, clock):
    life(SessionManager(KEY, clock=clock, on_event=events.append), clock)
    assert events == LIFE


def test_a_sessions_life_as_the_logger_has_it(caplog, clock):
    with caplog.at_level(logging.DEBUG, logger="cookiesess"):
        life(SessionManager(KEY, clock=clock), clock)
    assert caplog.messages == [str(event) for event in LIFE]
    assert {record.name for record in caplog.records} == {"cookiesess"}
    assert [record.levelno for record in caplog.records] == [event.level for event in LIFE]


def test_no_event_and_no_log_line_holds_a_secret(events, caplog, clock):
    with caplog.at_level(logging.DEBUG, logger="cookiesess"):
        tokens = life(SessionManager(KEY, clock=clock, on_event=events.append), clock)
    text = caplog.text + repr(events) + "".join(map(str, events))
    for secret in (SECRET, KEY, *tokens):
        assert secret not in text


def test_an_event_says_what_it_is():
    assert str(SessionRejected("forged", "0a0b0c0d")) == "session.rejected reason=forged kid=0a0b0c0d"
    assert str(SessionCreated()) == "session.created login=False"


def test_an_event_cannot_be_changed():
    with pytest.raises(AttributeError):
        SessionExpired("idle").deadline = "absolute"


def test_every_event_has_a_name_of_its_own():
    kinds = [kind for kind in vars(all_events).values() if isinstance(kind, type) and issubclass(kind, Event)]
    assert len(kinds) > 9
    assert len({kind.name for kind in kinds}) == len(kinds)


class CallbackError(Exception):
    """What a broken metrics callback raises."""


def broken(event):
    raise CallbackError(event.name)


def test_an_error_in_on_event_never_breaks_a_request(caplog, clock):
    visitor = Browser(SessionManager(KEY, clock=clock, on_event=broken))
    visitor.visit(put("a", 1))
    assert visitor.read() == {"a": 1}
    visitor.visit(lambda session: session.login("user-1"))
    assert visitor.visit(lambda session: session.invalidate())[0].attributes.max_age == 0


def test_an_error_in_on_event_is_logged_with_its_traceback(caplog):
    Browser(SessionManager(KEY, on_event=broken)).visit(put("a", 1))
    assert "on_event failed for session.created" in caplog.text
    assert "CallbackError" in caplog.text


def test_two_managers_have_two_callables(events):
    other = []
    Browser(SessionManager(KEY, on_event=events.append)).visit(put("a", 1))
    Browser(SessionManager(OTHER_KEY, on_event=other.append)).visit(put("a", 1))
    assert (len(events), len(other)) == (1, 1)


# Caches


def served(view, headers=(), *, cookie="", on_event=None):
    """Return the server that got the response of an app with these headers."""

    def app(environ, start_response):
        view(environ)
        start_response("200 OK", [*PLAIN, *headers])
        return [b""]

    return Server().run(wrap(app, on_event=on_event), environ_of(HTTP_COOKIE=cookie))


def no_look(environ):
    get_session(environ)
    get_cookies(environ)


def look(environ):
    get_session(environ).get("a")


def log_out(environ):
    get_session(environ).invalidate()


def look_at_cookies(environ):
    get_cookies(environ).get("a")


def write(environ):
    get_session(environ)["a"] = 1


def set_cookie(environ):
    get_cookies(environ).set("a", "1")


LOOKS = {"session": look, "cookies": look_at_cookies, "session written": write}
LOOKS |= {
    "one cookie": lambda environ: get_cookies(environ)["language"],
    "signed": lambda environ: get_cookies(environ).signed.get("a"),
    "sealed": lambda environ: get_cookies(environ).sealed.get("a"),
    "in": lambda environ: "a" in get_cookies(environ),
    "rejected": look,
}


@pytest.mark.parametrize("view", LOOKS.values(), ids=LOOKS)
def test_a_response_whose_session_or_cookies_were_looked_at_varies_by_cookie(view):
    assert served(view, cookie="language=de").lines("Vary") == ["Cookie"]


def test_a_response_that_looked_at_nothing_does_not_vary():
    server = served(no_look, cookie=cookie_of(put("a", 1)))
    assert server.headers == PLAIN


@pytest.mark.parametrize(
    ("vary", "merged"),
    [
        ("Accept", "Accept, Cookie"),
        ("Accept, cookie", "Accept, cookie"),
        ("Cookie", "Cookie"),
        ("*", "*"),
        ("", "Cookie"),
        ("Cookie-Consent", "Cookie-Consent, Cookie"),
    ],
)
def test_vary_is_merged_and_never_doubled(vary, merged):
    assert served(look, [("Vary", vary)]).lines("Vary") == [merged]


@pytest.mark.parametrize("view", [look, look_at_cookies, no_look])
def test_a_response_without_a_cookie_of_ours_keeps_its_cache_control(view):
    server = served(view, [("Cache-Control", "public, max-age=60"), ("CDN-Cache-Control", "max-age=60")])
    assert server.lines("Cache-Control") == ["public, max-age=60"]
    assert server.lines("CDN-Cache-Control") == ["max-age=60"]


@pytest.mark.parametrize(
    ("given", "sent", "prevented"),
    [
        ([], "private", False),
        ([("Cache-Control", "max-age=60")], "max-age=60, private", False),
        ([("Cache-Control", "no-store")], "no-store", False),
        ([("Cache-Control", "private, max-age=60")], "private, max-age=60", False),
        ([("Cache-Control", "public, max-age=60")], "max-age=60, private", True),
        ([("cache-control", "S-MaxAge=60")], "private", True),
        ([("Cache-Control", 'private="x-user"')], 'private="x-user", private', False),
        ([("Cache-Control", "public"), ("Cache-Control", "max-age=60")], "max-age=60, private", True),
        ([("CDN-Cache-Control", "max-age=60")], "private", True),
        ([("Surrogate-Control", "max-age=60"), ("Cache-Control", "no-store")], "no-store", True),
    ],
)
@pytest.mark.parametrize("view", [write, set_cookie], ids=["session", "cookie"])
def test_a_response_with_a_cookie_of_ours_is_kept_out_of_shared_caches(events, view, given, sent, prevented):
    server = served(view, given, on_event=events.append)
    assert server.lines("Cache-Control") == [sent]
    assert server.lines("CDN-Cache-Control") == server.lines("Surrogate-Control") == []
    assert (SharedCachingPrevented() in events) is prevented


def test_an_expiry_is_kept_out_of_shared_caches_too():
    server = served(log_out, [("Cache-Control", "public")], cookie=f"{NAME}=garbage")
    assert server.lines()
    assert server.lines("Cache-Control") == ["private"]
