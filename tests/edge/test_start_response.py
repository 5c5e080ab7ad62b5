"""Apps that call start_response more than once, or with an error to report."""

import sys

import pytest

from cookiesess import SessionError, get_cookies, get_session
from kit.constants import NAME, PLAIN
from kit.wsgi import Server, environ_of, handle, wrap


class AppError(Exception):
    """What the app runs into."""


def fail():
    raise AppError


def replacing(*, started, exc_info=True):
    """An app that answers with an error page after all: before or after its headers went out."""

    def app(environ, start_response):
        get_session(environ)["a"] = 1
        get_cookies(environ).set("b", "2")
        write = start_response("200 OK", [*PLAIN, ("X-First", "1")])
        if started:
            write(b"")
        try:
            fail()
        except AppError:
            start_response("500 Oh", [*PLAIN], *([sys.exc_info()] if exc_info else []))
        return [b"sorry"]

    return app


def test_a_second_start_response_with_exc_info_replaces_the_held_one():
    server = Server().run(wrap(replacing(started=False)), environ_of())
    assert server.calls == ["500 Oh with exc_info"]
    assert server.lines("X-First") == []
    assert len(server.lines()) == 2


def test_a_second_start_response_with_exc_info_after_the_commit_has_our_headers_again():
    server = Server().run(wrap(replacing(started=True)), environ_of())
    assert server.calls == ["200 OK", "write", "500 Oh with exc_info"]
    assert [line.partition("=")[0] for line in server.lines()] == [NAME, "b"]
    assert server.lines("Vary") == ["Cookie"]


def test_a_second_start_response_after_the_commit_writes_no_second_session():
    cookies = []

    class Noting(Server):
        def start_response(self, status, headers, exc_info=None):
            cookies.append([value for name, value in headers if name == "Set-Cookie"])
            return super().start_response(status, headers, exc_info)

    Noting().run(wrap(replacing(started=True)), environ_of())
    assert len(cookies) == 2
    assert cookies[0] == cookies[1]


def test_a_real_server_raises_the_apps_error_again_once_its_headers_are_on_the_wire():
    def app(environ, start_response):
        get_session(environ)["a"] = 1
        start_response("200 OK", [*PLAIN])(b"sent")
        try:
            fail()
        except AppError:
            start_response("500 Oh", [*PLAIN], sys.exc_info())
        return [b"never"]

    response, log = handle(wrap(app), environ_of())
    assert "200 OK" in response
    assert "never" not in response
    assert "AppError" in log


def test_a_second_start_response_without_exc_info_is_an_error():
    with pytest.raises(SessionError, match="without exc_info"):
        Server().run(wrap(replacing(started=False, exc_info=False)), environ_of())


def test_a_second_start_response_without_exc_info_after_the_headers_is_the_servers_error():
    _, log = handle(wrap(replacing(started=True, exc_info=False)), environ_of())
    assert "AssertionError: Headers already set!" in log


def test_exc_info_on_the_only_call_reaches_the_server():
    def app(environ, start_response):
        try:
            fail()
        except AppError:
            start_response("500 Oh", [*PLAIN], sys.exc_info())
        return [b"sorry"]

    assert Server().run(wrap(app), environ_of()).calls == ["500 Oh with exc_info"]
