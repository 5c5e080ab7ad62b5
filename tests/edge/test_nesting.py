"""Two middlewares around each other: what they share, and the errors where they would get into each other's way."""

import pytest

from cookiesess import (
    ConfigurationError,
    CookiePolicy,
    Session,
    SessionError,
    SessionManager,
    SessionMiddleware,
    get_cookies,
    get_manager,
    get_session,
)
from cookiesess.stores.memory import MemoryStore
from kit.constants import KEY, OTHER_KEY, PLAIN
from kit.wsgi import Server, WebBrowser, answering, environ_of, hidden

ADMIN = "admin.session"


def wrap(app, name="session", *, environ_key="cookiesess.session", **policy):
    return SessionMiddleware(app, OTHER_KEY, environ_key=environ_key, cookie=CookiePolicy(name, **policy))


def run(app):
    return Server().run(app, environ_of())


def clash(app):
    with pytest.raises(SessionError) as raised:
        run(app)
    return str(raised.value)


def test_the_error_names_both_middlewares_and_what_to_do():
    message = clash(wrap(hidden(wrap(answering(len), "inner")), "outer"))
    assert message == (
        "environ['cookiesess.session'] holds the open session of another SessionMiddleware around this one, with the"
        " cookie 'outer', and this one has environ_key 'cookiesess.session' and the cookie 'inner'; remove one, or give"
        " one of them its own environ_key= and cookie name"
    )


def test_one_cookie_name_under_two_environ_keys_is_an_error_that_names_both():
    message = clash(wrap(hidden(wrap(answering(len), environ_key=ADMIN))))
    for part in ("'cookiesess.session'", "'admin.session'", "the cookie 'session', and", "the cookie 'session';"):
        assert part in message


def test_one_middleware_twice_is_an_error():
    app = wrap(answering(len))
    outer = SessionMiddleware(hidden(app), app.manager)
    assert "around this one" in clash(outer)


relatives = pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ({"name": "session", "chunks": 3}, {"name": "session.2"}),
        ({"name": "session.2"}, {"name": "session", "chunks": 3}),
        ({"name": "session"}, {"name": "session.ref"}),
        ({"name": "session.ref"}, {"name": "session"}),
        ({"name": "session", "chunks": 2}, {"name": "session", "chunks": 3}),
    ],
    ids=repr,
)


@relatives
def test_a_name_out_of_the_others_family_is_an_error(outer, inner):
    message = clash(wrap(hidden(wrap(answering(len), environ_key=ADMIN, **inner)), **outer))
    assert f"the cookie {outer['name']!r}" in message
    assert f"the cookie {inner['name']!r}" in message


def refusal(app, *names, **settings):
    with pytest.raises(ConfigurationError) as raised:
        wrap(app, *names, **settings)
    return str(raised.value)


def test_a_second_middleware_directly_around_the_first_is_refused_at_once():
    assert refusal(wrap(answering(len), "inner"), "outer") == (
        "this app is wrapped already, by a SessionMiddleware with environ_key 'cookiesess.session' and the cookie"
        " 'inner'; give both settings to one SessionMiddleware, or this one its own environ_key= and cookie name"
    )


@relatives
def test_names_of_one_family_directly_around_each_other_are_refused_at_once(outer, inner):
    assert f"the cookie {inner['name']!r}" in refusal(wrap(answering(len), environ_key=ADMIN, **inner), **outer)


def test_a_third_middleware_directly_around_two_others_is_compared_with_both():
    first, second = wrap(answering(len), "first", environ_key="first.session"), "second"
    assert "'first.session'" in refusal(wrap(first, second), "third", environ_key="first.session")


def test_a_name_that_only_looks_like_a_piece_of_the_others_is_none():
    inner = wrap(answering(lambda session: session.update(a=1)), "session.2", environ_key=ADMIN)
    both = []

    def app(environ, start_response):
        both.append((get_session(environ), get_session(environ, ADMIN)))
        return answering(len)(environ, start_response)

    inner.app = app
    run(wrap(inner, chunks=2))
    assert both[0][0] is not both[0][1]


def test_a_third_middleware_is_compared_with_both_others():
    third = wrap(answering(len), "second.1", environ_key="third.session")
    second = wrap(hidden(third), "second", environ_key=ADMIN, chunks=2)
    message = clash(wrap(second, "first"))
    assert "environ['admin.session']" in message
    assert "'second'" in message
    assert "'second.1'" in message


def test_the_shared_jar_refuses_all_names_of_both_families():
    refused = []

    def app(environ, start_response):
        for name in ("inner", "inner.1", "inner.ref", "outer"):
            with pytest.raises(ValueError, match="is the session's cookie"):
                get_cookies(environ).set(name, "x")
            refused.append(name)
        return answering(len)(environ, start_response)

    run(wrap(wrap(app, "inner", environ_key=ADMIN, chunks=2), "outer"))
    assert len(refused) == 4


def test_pieces_and_references_of_two_sessions_live_side_by_side():
    """Both sessions outgrow their cookies: the outer one into pieces, the inner one into a store."""

    def app(environ, start_response):
        outer, inner = get_session(environ), get_session(environ, ADMIN)
        if environ["PATH_INFO"] == "/write":
            outer["text"], inner["text"] = "o" * 6000, "i" * 6000
        start_response("200 OK", [*PLAIN])
        return [f"{outer.get('text', '')[:1]}{inner.get('text', '')[:1]}".encode()]

    manager = SessionManager(KEY, cookie=CookiePolicy("inner"), overflow=MemoryStore())
    browser = WebBrowser(wrap(SessionMiddleware(app, manager, environ_key=ADMIN), "outer", chunks=3))
    browser.get("/write")
    assert sorted(browser.cookies) == ["inner.ref", "outer", "outer.1", "outer.2"]
    assert browser.get("/read").text == "oi"


def test_an_app_that_keeps_its_session_under_a_second_key_is_no_second_middleware():
    def alias(app):
        def layer(environ, start_response):
            environ["myapp.session"] = get_session(environ)
            return app(environ, start_response)

        return layer

    inner = wrap(answering(len), "inner", environ_key=ADMIN)
    assert run(wrap(alias(inner))).status == "200 OK"


def test_a_second_run_of_the_inner_app_after_an_error_is_fine():
    failures = [LookupError()]

    def app(environ, start_response):
        if failures:
            raise failures.pop()
        return answering(len)(environ, start_response)

    inner = wrap(app, "inner", environ_key=ADMIN, chunks=2)

    def retrying(environ, start_response):
        try:
            return inner(environ, start_response)
        except LookupError:
            return inner(environ, start_response)

    assert run(wrap(retrying)).status == "200 OK"


def test_the_inner_middleware_leaves_the_outer_session_where_it_was():
    sessions = []

    def app(environ, start_response):
        sessions.append([environ["cookiesess.session"], get_manager(environ).cookie.name])
        return answering(len)(environ, start_response)

    run(wrap(wrap(app, "inner", environ_key=ADMIN), "outer"))
    [[session, name]] = sessions
    assert type(session) is Session
    assert name == "outer"


def test_a_server_that_reads_the_headers_early_gets_them_with_a_stream_too():
    """Granian does: it looks at status and headers before it asks for the first item."""
    steps = []

    def app(environ, start_response):
        get_session(environ)["a"] = 1
        start_response("404 Not Found", [*PLAIN])
        for item in (b"one", b"two"):
            steps.append(item)
            yield item

    server = Server()
    body = wrap(app)(environ_of(SERVER_SOFTWARE="Granian"), server.start_response)
    assert server.status == "404 Not Found"
    assert [line.partition("=")[0] for line in server.lines()] == ["session"]
    assert (steps, list(body)) == ([b"one", b"two"], [b"one", b"two"])


def test_such_a_server_gets_an_empty_stream_and_its_headers():
    def app(environ, start_response):
        get_session(environ)["a"] = 1
        start_response("200 OK", [*PLAIN])
        yield from ()

    server = Server().run(wrap(app), environ_of(SERVER_SOFTWARE="Granian"))
    assert (server.body, len(server.lines())) == (b"", 1)


def test_such_a_servers_app_that_fails_before_its_first_item_saves_nothing_and_is_closed():
    closed = []

    class Body:
        def __iter__(self):
            raise LookupError

        def close(self):
            closed.append(True)

    class Late(Body):
        def __iter__(self):
            return self

        __next__ = Body.__iter__

    for kind in (Body, Late):

        def app(environ, start_response, kind=kind):
            get_session(environ)["a"] = 1
            start_response("200 OK", [*PLAIN])
            return kind()

        server = Server()
        with pytest.raises(LookupError):
            wrap(app)(environ_of(SERVER_SOFTWARE="Granian"), server.start_response)
        assert server.calls == []
    assert closed == [True, True]
