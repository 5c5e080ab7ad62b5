"""What the tests of the edge share: a server that notes what it is told, a browser, and short WSGI apps."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any
from wsgiref.handlers import SimpleHandler

from webob import Request, Response

from cookiesess import Lifetime, Session, SessionManager, SessionMiddleware, SetCookie, get_session

KEY = "the current key of the tests: more than 32 bytes"
OLD_KEY = "the key before it: that is long enough as well"
NAME = "__Host-session"
GARBAGE = f"{NAME}=AQIDBAUGBwgJ"
LIFETIME = Lifetime(idle=timedelta(hours=10), absolute=timedelta(hours=100))
REFRESH, IDLE, ABSOLUTE = timedelta(hours=1), timedelta(hours=10), timedelta(hours=100)
PLAIN = [("Content-Type", "text/plain; charset=utf-8")]

View = Callable[[Session], Any]


class Server:
    """A WSGI server that checks little and notes everything: the headers it got, the body, the calls in order."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.calls: list[str] = []
        self.sent: list[bytes] = []
        self.result: Any = None

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        self.calls.append(status if exc_info is None else f"{status} with exc_info")
        self.status, self.headers = status, headers
        return self.write

    def write(self, data: bytes) -> None:
        self.calls.append("write")
        self.sent.append(data)

    def run(self, app: Any, environ: dict[str, Any]) -> Server:
        """Call the app, send its body, close it; as a server must, also after an error."""
        self.result = app(environ, self.start_response)
        try:
            for item in self.result:
                assert self.calls, "a body came before start_response"
                self.sent.append(item)
        finally:
            if hasattr(self.result, "close"):
                self.result.close()
        return self

    @property
    def body(self) -> bytes:
        return b"".join(self.sent)

    def lines(self, name: str = "Set-Cookie") -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


class Browser:
    """Keeps cookies as a browser does, as far as the tests need it: by name, forgotten at Max-Age=0."""

    def __init__(self, app: Any, base_url: str = "https://shop.example", **environ: Any) -> None:
        self.app = app
        self.base_url = base_url
        self.environ = environ
        self.cookies: dict[str, str] = {}

    def get(self, path: str = "/", **environ: Any) -> Response:
        response = self.request(path, **environ).get_response(self.app)
        self.keep(response.headers.getall("Set-Cookie"))
        return response

    def request(self, path: str = "/", **environ: Any) -> Request:
        request = Request.blank(path, base_url=self.base_url, environ={**self.environ, **environ})
        if self.cookies:
            request.environ["HTTP_COOKIE"] = self.header
        return request

    @property
    def header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def keep(self, lines: Iterable[str]) -> None:
        for line in lines:
            name, _, value = line.partition(";")[0].partition("=")
            if "; Max-Age=0" in line:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value


class Visitor:
    """A browser straight in front of a manager, without WSGI."""

    def __init__(self, manager: SessionManager, header: str = "") -> None:
        self.manager = manager
        self.header = header

    def visit(self, view: View = len, manager: SessionManager | None = None) -> list[SetCookie]:
        """Run `view` on the session, commit, keep the cookie, and return the Set-Cookie lines."""
        manager = manager or self.manager
        session = manager.open(self.header)
        view(session)
        cookies = manager.commit(session).cookies
        for cookie in cookies:
            self.header = "" if cookie.attributes.max_age == 0 else f"{cookie.name}={cookie.value}"
        return list(cookies)

    def read(self, view: View = dict) -> Any:
        """Return what `view` sees; nothing is committed."""
        return view(self.manager.open(self.header))

    @property
    def token(self) -> str:
        return self.header.partition("=")[2]


def environ_of(path: str = "/", **environ: Any) -> dict[str, Any]:
    return Request.blank(path, base_url="https://shop.example", environ=environ).environ


def wrap(app: Any, **settings: Any) -> SessionMiddleware:
    return SessionMiddleware(app, KEY, **settings)


def answering(view: View) -> Any:
    """An app that runs `view` and returns a list."""

    def app(environ, start_response):
        text = str(view(get_session(environ))).encode()
        start_response("200 OK", [*PLAIN, ("Content-Length", str(len(text)))])
        return [text]

    return app


def streaming(*steps: Callable[[Session], object]) -> Any:
    """A generator app that runs one step before each item: the first before the headers are out, the others after."""

    def app(environ, start_response) -> Iterator[bytes]:
        start_response("200 OK", [*PLAIN])
        for step in steps:
            step(get_session(environ))
            yield b"item"

    return app


def put(key: str, value: Any) -> View:
    def view(session: Session) -> None:
        session[key] = value

    return view


def drop(key: str) -> View:
    def view(session: Session) -> None:
        del session[key]

    return view


def fill(session: Session) -> None:
    session.update(a=1, cart=[1])


def login(session: Session) -> None:
    session.login("user-1")


def append(key: str, value: Any) -> View:
    return lambda session: session[key].append(value)


def handle(app: Any, environ: dict[str, Any]) -> tuple[str, str]:
    """Serve one request with the standard library's own server code; return the response and what it logged."""
    out, log = io.BytesIO(), io.StringIO()
    handler = SimpleHandler(io.BytesIO(), out, log, environ, multithread=False, multiprocess=False)
    handler.http_version = "1.1"
    handler.run(app)
    return out.getvalue().decode("latin-1"), log.getvalue()


def cookie_of(view: View, **settings: Any) -> str:
    """Return the Cookie header of a session that `view` filled."""
    visitor = Visitor(SessionManager(KEY, **settings))
    visitor.visit(view)
    return visitor.header


def expires(cookies: list[SetCookie]) -> bool:
    """Whether that is one line, which makes the browser forget the session."""
    return len(cookies) == 1 and cookies[0].value == "" and cookies[0].attributes.max_age == 0


def issues(cookies: list[SetCookie]) -> bool:
    """Whether that is one line, which gives the browser a session."""
    return len(cookies) == 1 and cookies[0].value != "" and cookies[0].attributes.max_age is None


def hidden(app):
    """Some other layer, through which no middleware sees the next."""
    return lambda environ, start_response: app(environ, start_response)
