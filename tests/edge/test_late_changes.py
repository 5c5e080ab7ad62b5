"""After the headers are out a client-side session cannot change any more, and nobody loses a change silently."""

from datetime import timedelta

import pytest

from cookiesess import (
    Keyring,
    ResponseStarted,
    SessionCommitted,
    SessionManager,
    SessionMiddleware,
    get_cookies,
    get_session,
)
from cookiesess.events import TouchedLate
from kit.browser import cookie_of
from kit.constants import KEY, NAME, PLAIN
from kit.views import append, drop, put
from kit.wsgi import Server, answering, environ_of, streaming, wrap


def fill(session):
    session.update(a=1, cart=[1], pair=(1, [2]))
    session.flash("waiting")


def set_persistent(session):
    session.persistent = True


def set_idle(session):
    session.idle = timedelta(minutes=1)


def set_label(session):
    session.label = "phone"


LATE_WRITES = {
    "assignment": put("a", 2),
    "assignment of an equal value": put("a", 1),
    "deletion": drop("a"),
    "pop": lambda session: session.pop("a"),
    "clear": lambda session: session.clear(),
    "update": lambda session: session.update(b=2),
    "setdefault": lambda session: session.setdefault("b", 2),
    "mutate": lambda session: session.mutate(lambda data: data.update(b=2)),
    "flash": lambda session: session.flash("late"),
    "pop_flashes": lambda session: session.pop_flashes(),
    "csrf_token of a new secret": lambda session: session.csrf_token(),
    "login": lambda session: session.login("user-1"),
    "renew": lambda session: session.renew(),
    "invalidate": lambda session: session.invalidate(),
    "persistent": set_persistent,
    "idle": set_idle,
    "label": set_label,
}


@pytest.mark.parametrize("write", LATE_WRITES.values(), ids=LATE_WRITES)
def test_a_late_write_raises_at_its_line(write):
    lines = []

    def late(session):
        with pytest.raises(SessionCommitted, match="before the body's first byte"):
            write(session)
        lines.append("raised")

    Server().run(wrap(streaming(len, late)), environ_of(HTTP_COOKIE=cookie_of(fill)))
    assert lines == ["raised"]


@pytest.mark.parametrize("write", [put("a", 1), lambda session: session.login("user-1")], ids=["put", "login"])
def test_a_visitor_without_a_session_cannot_get_one_late(write):
    with pytest.raises(SessionCommitted):
        Server().run(wrap(streaming(len, write)), environ_of())


def test_a_late_write_raises_even_where_the_session_was_never_touched_before():
    with pytest.raises(SessionCommitted):
        Server().run(wrap(streaming(lambda session: None, put("a", 1))), environ_of())


def test_a_late_write_raises_after_write_as_well():
    def app(environ, start_response):
        start_response("200 OK", [*PLAIN])(b"out")
        get_session(environ)["a"] = 1
        return []

    with pytest.raises(SessionCommitted):
        Server().run(wrap(app), environ_of())


def test_a_write_after_a_list_was_returned_raises():
    """Code around the middleware: an outer layer that believes it can still change the session."""
    environ = environ_of(HTTP_COOKIE=cookie_of(fill))
    Server().run(wrap(answering(len)), environ)
    with pytest.raises(SessionCommitted):
        get_session(environ)["a"] = 2


def test_a_write_after_a_list_was_returned_raises_even_on_an_untouched_session():
    environ = environ_of(HTTP_COOKIE=cookie_of(fill))
    Server().run(wrap(answering(lambda session: None)), environ)
    with pytest.raises(SessionCommitted):
        get_session(environ)["a"] = 2


@pytest.mark.parametrize(
    "change",
    [append("cart", 2), lambda session: session["pair"][1].append(3), lambda session: session.get("cart").clear()],
    ids=["list", "list in a tuple", "clear"],
)
def test_a_nested_late_change_raises_at_close(change):
    server = Server()
    with pytest.raises(SessionCommitted):
        server.run(wrap(streaming(len, change)), environ_of(HTTP_COOKIE=cookie_of(fill)))
    assert server.body == b"itemitem", "the body itself was delivered"


def test_a_nested_late_change_of_what_was_handed_out_in_time_raises_at_close():
    def app(environ, start_response):
        start_response("200 OK", [*PLAIN])
        cart = get_session(environ)["cart"]
        yield b"item"
        cart.append(2)

    with pytest.raises(SessionCommitted):
        Server().run(wrap(app), environ_of(HTTP_COOKIE=cookie_of(fill)))


def test_a_nested_late_change_of_what_this_request_set_raises_at_close():
    with pytest.raises(SessionCommitted):
        Server().run(wrap(streaming(put("cart", []), append("cart", 1))), environ_of())


def test_a_nested_late_change_of_a_session_that_was_untouched_until_then_raises_at_close():
    step = streaming(lambda session: None, append("cart", 2))
    with pytest.raises(SessionCommitted):
        Server().run(wrap(step), environ_of(HTTP_COOKIE=cookie_of(fill)))


def test_a_nested_late_change_behind_write_raises():
    def app(environ, start_response):
        cart = get_session(environ)["cart"]
        start_response("200 OK", [*PLAIN])(b"out")
        cart.append(2)
        return []

    with pytest.raises(SessionCommitted):
        Server().run(wrap(app), environ_of(HTTP_COOKIE=cookie_of(fill)))


def test_a_nested_late_change_that_is_taken_back_is_none():
    def late(session):
        session["cart"].append(2)
        session["cart"].pop()

    server = Server().run(wrap(streaming(len, late)), environ_of(HTTP_COOKIE=cookie_of(fill)))
    assert server.body == b"itemitem"


def test_reading_late_is_fine():
    seen = []
    late = streaming(put("a", 5), lambda session: seen.append((session["a"], session["cart"], session.owner)))
    Server().run(wrap(late), environ_of(HTTP_COOKIE=cookie_of(fill)))
    assert seen == [(5, [1], None)]


def test_a_csrf_token_of_a_secret_that_is_there_is_fine_late():
    tokens = []
    app = streaming(lambda session: session.csrf_token(), lambda session: tokens.append(session.csrf_token()))
    Server().run(wrap(app), environ_of())
    assert len(tokens[0]) == 86


def test_pop_flashes_with_nothing_waiting_is_fine_late():
    popped = []
    Server().run(wrap(streaming(len, lambda session: popped.append(session.pop_flashes()))), environ_of())
    assert popped == [[]]


@pytest.mark.parametrize("setting", [set_persistent, set_idle, set_label], ids=["persistent", "idle", "label"])
def test_a_setting_of_a_session_that_stayed_empty_is_no_late_change(setting):
    """The setting was made in time; there was just nothing worth a cookie."""
    server = Server().run(wrap(streaming(setting)), environ_of())
    assert server.body == b"item"
    assert server.lines() == []


@pytest.mark.parametrize(
    "first",
    [
        lambda session: session.login("user-1"),
        lambda session: session.renew(),
        lambda session: session.invalidate(),
        lambda session: session.clear() or session.pop_flashes(),
        lambda session: session.mutate(lambda data: data.update(b=2)),
        lambda session: session.flash("more"),
        put("cart", [1, 2]),
    ],
    ids=["login", "renew", "invalidate", "emptied", "mutate", "flash", "put"],
)
def test_what_was_changed_in_time_is_not_taken_for_a_late_change(first):
    server = Server().run(wrap(streaming(first, len)), environ_of(HTTP_COOKIE=cookie_of(fill)))
    assert server.body == b"itemitem"
    assert {line.partition("=")[0] for line in server.lines()} == {NAME}


def test_the_first_touch_after_the_headers_emits_touched_late(events):
    app = streaming(lambda session: None, len)
    server = Server().run(wrap(app, on_event=events.append), environ_of(HTTP_COOKIE=cookie_of(fill)))
    assert events == [TouchedLate()]
    assert server.headers == PLAIN


def test_a_touch_in_time_and_another_one_late_emit_nothing(events):
    Server().run(wrap(streaming(len, len), on_event=events.append), environ_of(HTTP_COOKIE=cookie_of(fill)))
    assert events == []


def test_the_first_look_at_the_cookies_after_the_headers_emits_touched_late(events):
    def app(environ, start_response):
        start_response("200 OK", [*PLAIN])
        yield b"item"
        get_cookies(environ).get("language")

    server = Server().run(wrap(app, on_event=events.append), environ_of(HTTP_COOKIE="language=de"))
    assert server.headers == PLAIN
    assert events == [TouchedLate()]


@pytest.mark.parametrize(
    "write",
    [
        lambda cookies: cookies.set("a", "1"),
        lambda cookies: cookies.delete("a"),
        lambda cookies: cookies.signed.set("a", "1"),
        lambda cookies: cookies.sealed.set("a", "1"),
    ],
    ids=["set", "delete", "signed.set", "sealed.set"],
)
def test_a_cookie_set_after_the_headers_raises_at_its_line(write):
    def app(environ, start_response):
        start_response("200 OK", [*PLAIN])
        yield b"item"
        write(get_cookies(environ))

    with pytest.raises(ResponseStarted, match="'a'"):
        Server().run(wrap(app), environ_of())


def test_a_cookie_set_after_a_list_was_returned_raises():
    environ = environ_of()
    Server().run(wrap(answering(lambda session: None)), environ)
    with pytest.raises(ResponseStarted):
        get_cookies(environ).set("a", "1")


def test_closed_tells_whether_the_headers_are_out():
    seen = []
    app = streaming(lambda session: seen.append(session.closed), lambda session: seen.append(session.closed))
    Server().run(wrap(app), environ_of())
    assert seen == [False, True]


@pytest.mark.parametrize(
    ("cookie", "first"),
    [("", put("a", 1)), ("valid", lambda session: session.invalidate())],
    ids=["written", "invalidated"],
)
def test_a_session_is_new_until_the_end_of_the_request_that_made_it(cookie, first):
    """A template that is streamed sees the same answer as one that is not."""
    seen = []
    app = streaming(first, lambda session: seen.append(session.is_new))
    Server().run(wrap(app), environ_of(HTTP_COOKIE=cookie and cookie_of(fill)))
    assert seen == [True]


def test_a_look_at_the_session_after_an_error_of_the_app_is_not_reported_as_touched_late(events):
    """Nothing has been sent: the error page of an outer layer may look at who is there."""

    def app(environ, start_response):
        raise LookupError

    environ = environ_of(HTTP_COOKIE=cookie_of(fill))
    with pytest.raises(LookupError):
        Server().run(SessionMiddleware(app, SessionManager(Keyring(KEY), on_event=events.append)), environ)
    assert get_session(environ)["a"] == 1
    assert events == []
