"""A server that notes what it is told, a browser in front of an app, and short WSGI apps."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any
from wsgiref.handlers import SimpleHandler

from webob import Request, Response

from cookiesess import Session, SessionMiddleware, get_session
from kit.constants import KEY, PLAIN
from kit.views import View

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

HOST = "https://shop.example"


class Server:
    """A WSGI server that checks little and notes everything: the headers it got, the body, the calls in order."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.calls: list[str] = []
        self.sent: list[bytes] = []
        self.result: Any = None

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """What the app is given."""
        self.calls.append(status if exc_info is None else f"{status} with exc_info")
        self.status, self.headers = status, headers
        return self.write

    def write(self, data: bytes) -> None:
        """What `start_response` returns."""
        self.calls.append("write")
        self.sent.append(data)

    def run(self, app: WSGIApplication, environ: WSGIEnvironment) -> Server:
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
        """What the app sent."""
        return b"".join(self.sent)

    def lines(self, name: str = "Set-Cookie") -> list[str]:
        """The values of all headers of that name."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


class WebBrowser:
    """Keeps cookies as a browser does, as far as the tests need it: by name, forgotten at Max-Age=0."""

    def __init__(self, app: WSGIApplication, base_url: str = HOST, **environ: Any) -> None:
        self.app = app
        self.base_url = base_url
        self.environ = environ
        self.cookies: dict[str, str] = {}

    def get(self, path: str = "/", **environ: Any) -> Response:
        """Make a request, and keep the cookies of the response."""
        response = self.request(path, **environ).get_response(self.app)
        self.keep(response.headers.getall("Set-Cookie"))
        return response

    def request(self, path: str = "/", **environ: Any) -> Request:
        """The request that `get` would make."""
        request = Request.blank(path, base_url=self.base_url, environ={**self.environ, **environ})
        if self.cookies:
            request.environ["HTTP_COOKIE"] = self.header
        return request

    @property
    def header(self) -> str:
        """The Cookie header of the next request."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def keep(self, lines: Iterable[str]) -> None:
        """Take over what a response sets, and forget what it expires."""
        for line in lines:
            name, _, value = line.partition(";")[0].partition("=")
            if "; Max-Age=0" in line:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value


def environ_of(path: str = "/", **environ: Any) -> dict[str, Any]:
    """The environ of a request."""
    made: dict[str, Any] = Request.blank(path, base_url=HOST, environ=environ).environ
    return made


def wrap(app: WSGIApplication, **settings: Any) -> SessionMiddleware:
    """The middleware around `app`, with the key of the tests."""
    return SessionMiddleware(app, KEY, **settings)


def hidden(app: WSGIApplication) -> WSGIApplication:
    """Some other layer, through which no middleware sees the next."""
    return lambda environ, start_response: app(environ, start_response)


def answering(view: View) -> WSGIApplication:
    """An app that runs `view` and returns a list."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        text = str(view(get_session(environ))).encode()
        start_response("200 OK", [*PLAIN, ("Content-Length", str(len(text)))])
        return [text]

    return app


def streaming(*steps: Callable[[Session], object]) -> WSGIApplication:
    """A generator app that runs one step before each item: the first before the headers are out, the others after."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [*PLAIN])
        for step in steps:
            step(get_session(environ))
            yield b"item"

    return app


def handle(app: WSGIApplication, environ: WSGIEnvironment) -> tuple[str, str]:
    """Serve one request with the standard library's own server code; return the response and what it logged."""
    out, log = io.BytesIO(), io.StringIO()
    handler = SimpleHandler(io.BytesIO(), out, log, environ, multithread=False, multiprocess=False)
    handler.http_version = "1.1"
    handler.run(app)
    return out.getvalue().decode("latin-1"), log.getvalue()
