"""`wsgiref.validate` and `webtest.lint` find nothing to complain about, around the middleware and inside it."""

import io
import sys
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest
from webob import Request
from webtest import lint

from cookiesess import CookiePolicy, SessionMiddleware, get_cookies, get_session
from kit.constants import KEY
from kit.wsgi import Server

TEXT = [("Content-Type", "text/plain; charset=utf-8")]


def touch(environ):
    session = get_session(environ)
    session["visits"] = session.get("visits", 0) + 1
    get_cookies(environ).set("seen", "yes")


def listing(environ, start_response):
    touch(environ)
    start_response("200 OK", [*TEXT, ("Content-Length", "4")])
    return [b"item"]


def generating(environ, start_response):
    start_response("200 OK", [*TEXT])
    touch(environ)
    yield b""
    yield b"item"


def starting_late(environ, start_response):
    touch(environ)
    start_response("200 OK", [*TEXT])
    yield b"item"


def writing(environ, start_response):
    write = start_response("200 OK", [*TEXT])
    touch(environ)
    write(b"it")
    return [b"em"]


def failing_over(environ, start_response):
    start_response("200 OK", [*TEXT])
    touch(environ)
    try:
        {}[1]
    except LookupError:
        start_response("500 Oh", [*TEXT], sys.exc_info())
    return [b"item"]


def not_modified(environ, start_response):
    touch(environ)
    start_response("304 Not Modified", [("ETag", '"1"')])
    return []


def wrapping_a_file(environ, start_response):
    touch(environ)
    start_response("200 OK", [*TEXT])
    return environ["wsgi.file_wrapper"](io.BytesIO(b"item"))


def untouched(environ, start_response):
    start_response("200 OK", [*TEXT])
    return [b"item"]


APPS = [listing, generating, starting_late, writing, failing_over, not_modified, wrapping_a_file, untouched]
CHECKERS = {"wsgiref.validate": validator, "webtest.lint": lint.middleware}


def environ_for(method="GET", **more):
    request = Request.blank("/", method=method, base_url="https://shop.example")
    # Only plain strings and what PEP 3333 names: both checkers look at the environ as well.
    return {**request.environ, "wsgi.file_wrapper": FileWrapper, **more}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("checker", CHECKERS.values(), ids=CHECKERS)
@pytest.mark.parametrize("app", APPS, ids=lambda app: app.__name__)
class TestValidators:
    """Each app under each checker; HEAD apps have no body."""

    def app_for(self, app, method):
        if method != "HEAD":
            return app

        def without_body(environ, start_response):
            body = app(environ, start_response)
            try:
                for _ in body:
                    pass
            finally:
                getattr(body, "close", lambda: None)()
            return []

        # An app that writes has written already, which HEAD does not allow.
        return listing_head if app is writing else without_body

    def test_around_the_middleware(self, app, checker, method, capfd):
        server = Server().run(checker(SessionMiddleware(self.app_for(app, method), KEY)), environ_for(method))
        assert len(server.lines()) == (0 if app is untouched else 2)
        assert capfd.readouterr().err == ""

    def test_inside_the_middleware(self, app, checker, method, capfd):
        server = Server().run(SessionMiddleware(checker(self.app_for(app, method)), KEY), environ_for(method))
        assert len(server.lines()) == (0 if app is untouched else 2)
        assert capfd.readouterr().err == ""

    def test_on_both_sides_on_the_second_visit(self, app, checker, method, capfd):
        first = Server().run(SessionMiddleware(untouched if app is untouched else listing, KEY), environ_for())
        cookie = "; ".join(line.partition(";")[0] for line in first.lines())
        environ = environ_for(method, HTTP_COOKIE=cookie)
        server = Server().run(checker(SessionMiddleware(checker(self.app_for(app, method)), KEY)), environ)
        assert len(server.lines()) == (0 if app is untouched else 2)
        assert capfd.readouterr().err == ""


def listing_head(environ, start_response):
    touch(environ)
    start_response("200 OK", [*TEXT, ("Content-Length", "4")])
    return []


@pytest.mark.parametrize("checker", CHECKERS.values(), ids=CHECKERS)
def test_the_checkers_do_check(checker):
    def bad(environ, start_response):
        start_response("200 OK", [*TEXT])
        return ["text, not bytes"]

    with pytest.raises(AssertionError):
        Server().run(SessionMiddleware(checker(bad), KEY), environ_for())


@pytest.mark.parametrize("checker", CHECKERS.values(), ids=CHECKERS)
def test_two_middlewares_pass_between_checkers(checker):
    inner = SessionMiddleware(checker(generating), KEY, environ_key="inner.session", cookie=CookiePolicy("inner"))
    server = Server().run(checker(SessionMiddleware(checker(inner), KEY)), environ_for())
    assert len(server.lines()) == 2
