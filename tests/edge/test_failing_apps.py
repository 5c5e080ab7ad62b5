"""Apps that fail, and sessions that cannot be saved: what is sent, what is closed, and what can be tried again."""

import io
from wsgiref.util import FileWrapper

import pytest

from cookiesess import CookieTooLarge, NotSerializable, SessionCommitted, get_session
from kit.browser import cookie_of
from kit.constants import KEY, PLAIN
from kit.views import append, put
from kit.wsgi import Server, WebBrowser, environ_of, handle, wrap

TOO_MUCH = "x" * 5000


class AppError(Exception):
    """What the app raises."""


def failing(*, at):
    """An app that changes its session and fails, before or after start_response, or at the n-th item of its body."""

    def body():
        if at == "first item":
            raise AppError
        yield b"one"
        raise AppError

    def app(environ, start_response):
        get_session(environ)["a"] = 1
        if at == "start":
            raise AppError
        start_response("200 OK", [*PLAIN])
        if at == "after start_response":
            raise AppError
        return body()

    return app


@pytest.mark.parametrize("at", ["start", "after start_response", "first item"])
def test_an_error_before_the_headers_passes_through_and_nothing_is_sent_or_saved(at):
    server = Server()
    with pytest.raises(AppError):
        server.run(wrap(failing(at=at)), environ_of())
    assert server.calls == []


def test_an_error_in_the_middle_of_the_body_passes_through():
    server = Server()
    with pytest.raises(AppError):
        server.run(wrap(failing(at="second item")), environ_of())
    assert server.body == b"one"


def test_a_nested_late_change_is_not_reported_on_top_of_the_bodys_own_error():
    def app(environ, start_response):
        start_response("200 OK", [*PLAIN])
        session = get_session(environ)
        session["cart"] = []
        yield b"one"
        session["cart"].append(1)
        raise AppError

    with pytest.raises(AppError):
        Server().run(wrap(app), environ_of())


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_even_what_is_no_exception_passes_through(error):
    def app(environ, start_response):
        get_session(environ)["a"] = 1
        raise error

    server = Server()
    with pytest.raises(error):
        server.run(wrap(app), environ_of())
    assert server.calls == []


@pytest.mark.parametrize("streamed", [False, True], ids=["list", "generator"])
def test_a_session_that_is_too_large_raises_before_anything_is_sent(streamed):
    def app(environ, start_response):
        start_response("200 OK", [*PLAIN])
        get_session(environ)["much"] = TOO_MUCH
        return iter([b"one"]) if streamed else [b"one"]

    server = Server()
    with pytest.raises(CookieTooLarge):
        server.run(wrap(app), environ_of())
    assert server.calls == []
    assert server.sent == []


def test_a_real_server_answers_500_to_a_session_that_is_too_large():
    def app(environ, start_response):
        start_response("200 OK", [*PLAIN])
        get_session(environ)["much"] = TOO_MUCH
        return [b"one"]

    response, log = handle(wrap(app), environ_of())
    assert "500 Internal Server Error" in response
    assert "CookieTooLarge" in log


@pytest.mark.parametrize("via_write", [False, True], ids=["body", "write"])
def test_a_value_spoilt_from_inside_raises_before_anything_is_sent(via_write):
    def app(environ, start_response):
        write = start_response("200 OK", [*PLAIN])
        append("cart", object())(get_session(environ))
        if via_write:
            write(b"one")
        return [b"one"]

    server = Server()
    with pytest.raises(NotSerializable) as caught:
        server.run(wrap(app), environ_of(HTTP_COOKIE=cookie_of(put("cart", []))))
    assert caught.value.path == 'session["cart"][0]'
    assert server.calls == []


class File(FileWrapper):
    """A file wrapper that counts how often it is closed."""

    def __init__(self, file):
        super().__init__(file)
        self.closed = 0
        self.close = self._close

    def _close(self):
        self.closed += 1


def test_a_file_is_closed_where_the_commit_fails():
    """PEP 3333: who takes an iterable and does not pass it on must close it."""
    files = []

    def app(environ, start_response):
        start_response("200 OK", [*PLAIN])
        get_session(environ)["much"] = TOO_MUCH
        files.append(environ["wsgi.file_wrapper"](io.BytesIO(b"content")))
        return files[0]

    with pytest.raises(CookieTooLarge):
        Server().run(wrap(app), environ_of(**{"wsgi.file_wrapper": File}))
    assert files[0].closed == 1


def test_a_file_is_closed_where_a_late_change_is_refused():
    files = []

    def app(environ, start_response):
        cart = get_session(environ)["cart"]
        start_response("200 OK", [*PLAIN])(b"out")
        cart.append(1)
        files.append(environ["wsgi.file_wrapper"](io.BytesIO(b"content")))
        return files[0]

    environ = environ_of(HTTP_COOKIE=cookie_of(put("cart", [])), **{"wsgi.file_wrapper": File})
    with pytest.raises(SessionCommitted):
        Server().run(wrap(app), environ)
    assert files[0].closed == 1


def test_a_generator_is_closed_where_the_commit_fails():
    closed = []

    def app(environ, start_response):
        start_response("200 OK", [*PLAIN])
        get_session(environ)["much"] = TOO_MUCH
        try:
            yield b"one"
        finally:
            closed.append(True)

    with pytest.raises(CookieTooLarge):
        Server().run(wrap(app), environ_of())
    assert closed == [True]


def test_after_a_failed_commit_the_same_environ_can_be_answered_again():
    """An error page made by a second run behind the same middleware."""
    attempts = []

    def app(environ, start_response):
        attempts.append(True)
        start_response("200 OK", [*PLAIN])
        if len(attempts) == 1:
            get_session(environ)["much"] = TOO_MUCH
        return [b"sorry"]

    wrapped, environ = wrap(app), environ_of()
    with pytest.raises(CookieTooLarge):
        Server().run(wrapped, environ)
    assert Server().run(wrapped, environ).body == b"sorry"


def test_after_an_app_that_returned_no_iterable_the_same_environ_can_be_answered_again():
    results = [None, [b"sorry"]]

    def app(environ, start_response):
        start_response("200 OK", [*PLAIN])
        return results.pop(0)

    wrapped, environ = wrap(app), environ_of()
    with pytest.raises(TypeError):
        Server().run(wrapped, environ)
    assert Server().run(wrapped, environ).body == b"sorry"


def test_after_a_close_that_failed_the_same_environ_can_be_answered_again():
    class Body:
        def __iter__(self):
            return iter(())

        def close(self):
            raise AppError

    bodies = [Body(), [b"sorry"]]

    def app(environ, start_response):
        start_response("200 OK", [*PLAIN])
        return bodies.pop(0)

    wrapped, environ = wrap(app), environ_of()
    with pytest.raises(AppError):
        wrapped(environ, Server().start_response).close()
    assert Server().run(wrapped, environ).body == b"sorry"


def test_an_app_that_fails_leaves_the_visitor_the_session_of_before():
    def app(environ, start_response):
        session = get_session(environ)
        if environ["PATH_INFO"] == "/fail":
            session["name"] = "changed"
            session.invalidate()
            raise AppError
        start_response("200 OK", [*PLAIN])
        return [session.setdefault("name", "kept").encode()]

    browser = WebBrowser(wrap(app))
    browser.get("/")
    with pytest.raises(AppError):
        browser.get("/fail")
    assert browser.get("/").text == "kept"


def test_no_key_material_is_in_the_error_of_a_session_that_is_too_large():
    with pytest.raises(CookieTooLarge) as caught:
        cookie_of(put("much", TOO_MUCH))
    assert KEY not in str(caught.value)
    assert "xxx" not in str(caught.value)
