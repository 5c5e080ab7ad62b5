"""The middleware and what an app may return: when the session is committed, and what the server gets to see."""

import io
from contextlib import closing
from wsgiref.util import FileWrapper

import pytest
from waitress.buffers import ReadOnlyFileBasedBuffer
from webob import Request, Response

from cookiesess import get_cookies, get_session
from kit.browser import cookie_of
from kit.constants import NAME, PLAIN
from kit.views import put
from kit.wsgi import Server, WebBrowser, answering, environ_of, handle, streaming, wrap


class Body:
    """An iterable of one's own, closable, that runs `step` before its only item."""

    def __init__(self, step, *, closed=lambda: None):
        self.step = step
        self.close = closed
        self.items = iter([b"item"])

    def __iter__(self):
        return self

    def __next__(self):
        self.step()
        return next(self.items)


def returning(make_body, *, before=lambda session: None):
    """An app that calls start_response at once and returns ``make_body(session)``."""

    def app(environ, start_response):
        start_response("200 OK", [*PLAIN])
        session = get_session(environ)
        before(session)
        return make_body(session)

    return app


def then(step, result):
    """Run `step` on the session after start_response and before the body, then return `result`."""

    def make_body(session):
        step(session)
        return result(session) if callable(result) else result

    return make_body


def items_of(session):
    yield b"item"


BODIES = {
    "list": [b"item"],
    "tuple": (b"item",),
    "generator": items_of,
    "iterator": iter([b"item"]),
    "empty list": [],
    "empty generator": iter(()),
    "empty first item": iter([b"", b"item"]),
    "list subclass": type("Items", (list,), {})([b"item"]),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_change_after_start_response_and_before_the_body_counts(body):
    if not isinstance(body, list | tuple) and not callable(body):
        body = iter(list(body))  # a fresh one for each run
    server = Server().run(wrap(returning(then(put("a", 1), body))), environ_of())
    assert len(server.lines()) == 1
    assert server.lines()[0].startswith(f"{NAME}=")


def test_a_change_that_a_generator_makes_before_its_first_item_counts():
    server = Server().run(wrap(streaming(put("a", 1))), environ_of())
    assert len(server.lines()) == 1
    assert server.body == b"item"


def test_a_generator_that_ends_without_an_item_is_committed_at_its_end():
    def app(environ, start_response):
        start_response("200 OK", [*PLAIN])
        get_session(environ)["a"] = 1
        return
        yield b""

    server = Server().run(wrap(app), environ_of())
    assert len(server.lines()) == 1
    assert server.body == b""


@pytest.mark.parametrize("body", [[b"item"], (b"item",)])
def test_a_list_and_a_tuple_reach_the_server_as_the_same_object(body):
    server = Server().run(wrap(returning(lambda session: body)), environ_of())
    assert server.result is body


@pytest.mark.parametrize("wrapper", [FileWrapper, ReadOnlyFileBasedBuffer], ids=["wsgiref", "waitress"])
def test_a_file_wrapper_reaches_the_server_as_the_same_object(wrapper):
    made = []

    def make_body(session):
        session["a"] = 1
        made.append(wrapper(io.BytesIO(b"content")))
        return made[0]

    environ = environ_of(**{"wsgi.file_wrapper": wrapper})
    server = Server().run(wrap(returning(make_body)), environ)
    assert server.result is made[0]
    assert server.body == b"content"
    assert len(server.lines()) == 1


def test_a_file_wrapper_that_is_a_function_is_treated_as_any_iterator():
    environ = environ_of(**{"wsgi.file_wrapper": lambda file: iter(file.readline, b"")})
    app = returning(then(put("a", 1), lambda session: environ["wsgi.file_wrapper"](io.BytesIO(b"content"))))
    server = Server().run(wrap(app), environ)
    assert server.body == b"content"
    assert len(server.lines()) == 1


def test_the_iterator_around_a_streamed_body_has_no_length():
    result = wrap(returning(lambda session: type("Sized", (list,), {})([b"item"])))(
        environ_of(), Server().start_response
    )
    with closing(result), pytest.raises(TypeError):
        len(result)


def test_the_headers_wait_for_the_first_item_of_a_stream():
    server = Server()
    result = wrap(streaming(len, len))(environ_of(), server.start_response)
    assert server.calls == []
    next(result)
    assert server.calls == ["200 OK"]
    result.close()


def test_an_app_may_call_start_response_after_its_first_next():
    def app(environ, start_response):
        get_session(environ)["a"] = 1
        start_response("201 Created", [*PLAIN])
        yield b"one"
        yield b"two"

    server = Server().run(wrap(app), environ_of())
    assert server.status == "201 Created"
    assert server.body == b"onetwo"
    assert len(server.lines()) == 1


def test_the_first_write_commits():
    server = Server()

    def app(environ, start_response):
        write = start_response("200 OK", [*PLAIN])
        get_session(environ)["a"] = 1
        assert server.calls == []
        write(b"one")
        write(b"two")
        return [b"three"]

    server.run(wrap(app), environ_of())
    assert server.calls == ["200 OK", "write", "write"]
    assert server.body == b"onetwothree"
    assert len(server.lines()) == 1


def test_write_followed_by_a_generator_delivers_both():
    def app(environ, start_response):
        start_response("200 OK", [*PLAIN])(b"one")
        return iter([b"two"])

    server = Server().run(wrap(app), environ_of())
    assert server.calls == ["200 OK", "write"]
    assert server.body == b"onetwo"


@pytest.mark.parametrize("body", [[b"item"], iter([b"item"])], ids=["list", "iterator"])
def test_an_app_that_never_calls_start_response_gets_the_servers_own_error(body):
    def app(environ, start_response):
        return body

    _, log = handle(wrap(app), environ_of())
    assert "AssertionError: write() before start_response()" in log


def test_close_of_the_apps_body_is_called_exactly_once():
    closed = []
    app = returning(lambda session: Body(lambda: None, closed=lambda: closed.append(True)))
    Server().run(wrap(app), environ_of())
    assert closed == [True]


def test_an_error_of_the_apps_close_propagates():
    def close():
        raise LookupError("the app's own")

    with pytest.raises(LookupError, match="the app's own"):
        Server().run(wrap(returning(lambda session: Body(lambda: None, closed=close))), environ_of())


def test_a_body_without_close_is_fine():
    assert Server().run(wrap(returning(lambda session: iter([b"item"]))), environ_of()).body == b"item"


def test_a_response_that_nobody_iterated_can_be_closed():
    closed = []
    body = Body(lambda: None, closed=lambda: closed.append(True))
    server = Server()
    wrap(returning(then(put("a", 1), lambda session: body)))(environ_of(), server.start_response).close()
    assert closed == [True]
    assert server.calls == []


def test_a_header_list_shared_by_all_requests_is_never_appended_to():
    shared = [*PLAIN]

    def app(environ, start_response):
        get_session(environ)["a"] = 1
        get_cookies(environ).set("b", "2")
        start_response("200 OK", shared)
        return [b""]

    for _ in range(2):
        assert len(Server().run(wrap(app), environ_of()).lines()) == 2
    assert shared == PLAIN


def test_an_untouched_session_leaves_the_headers_as_they_are():
    server = Server().run(wrap(returning(lambda session: [b""])), environ_of(HTTP_COOKIE=cookie_of(put("a", 1))))
    assert server.headers == PLAIN


def test_head_requests_set_cookies_too():
    app = wrap(answering(put("a", 1)))
    response = Request.blank("/", method="HEAD", base_url="https://shop.example").get_response(app)
    assert len(response.headers.getall("Set-Cookie")) == 1
    assert WebBrowser(app).get().status_int == 200


def test_a_304_carries_the_cookie():
    def app(environ, start_response):
        get_session(environ)["a"] = 1
        return Response(status=304)(environ, start_response)

    response = WebBrowser(wrap(app)).get()
    assert response.status_int == 304
    assert len(response.headers.getall("Set-Cookie")) == 1


def test_the_jars_cookies_follow_the_sessions():
    def app(environ, start_response):
        get_cookies(environ).set("b", "2")
        get_session(environ)["a"] = 1
        start_response("200 OK", [*PLAIN, ("Set-Cookie", "own=1")])
        return []

    names = [line.partition("=")[0] for line in Server().run(wrap(app), environ_of()).lines()]
    assert names == ["own", NAME, "b"]
