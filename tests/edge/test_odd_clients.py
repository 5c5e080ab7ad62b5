"""Clients and proxies that send a good cookie in another form than browsers do: it counts, and it is not deleted."""

import socket
import threading

import pytest
import waitress
from webob import Request

from cookiesess import CookiePolicy, get_cookies, get_session
from cookiesess.events import SessionRejected
from cookiesess.stores.memory import MemoryStore
from kit.constants import NAME, PLAIN
from kit.wsgi import Server, WebBrowser, answering, environ_of, wrap

LITTLE, MUCH = "x", "x" * 5000
SIDES = {
    "client-side": (LITTLE, dict),
    "signed": (LITTLE, lambda: {"encrypt": False}),
    "server-side": (LITTLE, lambda: {"store": MemoryStore()}),
    "in pieces": (MUCH, lambda: {"cookie": CookiePolicy(chunks=2)}),
    "overflown": (MUCH, lambda: {"overflow": MemoryStore()}),
}
PLAIN_VALUE = 'a, b=c; d "e"'


def make_app(text):
    def app(environ, start_response):
        """Fill session and jar on /fill, and show on any other page what came."""
        session, jar = get_session(environ), get_cookies(environ)
        views = {"plain": jar, "signed": jar.signed, "sealed": jar.sealed}
        if environ["PATH_INFO"] == "/fill":
            session.login("ann")
            session["text"] = text
            for name, view in views.items():
                view.set(name, PLAIN_VALUE)
        start_response("200 OK", [*PLAIN])
        return [
            repr((session.owner, len(session.get("text", "")), [v.get(name) for name, v in views.items()])).encode()
        ]

    return app


@pytest.fixture(params=SIDES)
def browser(request):
    """A browser that is logged in, and has three cookies of the jar."""
    text, settings = SIDES[request.param]
    browser = WebBrowser(wrap(make_app(text), **settings()))
    browser.get("/fill")
    browser.expected = repr(("ann", len(text), [PLAIN_VALUE] * 3))
    return browser


def ask(browser, header):
    request = Request.blank("/", base_url=browser.base_url, environ={"HTTP_COOKIE": header})
    return request.get_response(browser.app)


def assert_known(browser, header):
    """Whoever sends `header` is logged in, has all cookies, and is told to forget none."""
    response = ask(browser, header)
    assert (response.text, response.headers.getall("Set-Cookie")) == (browser.expected, [])


def quoted(value):
    return value if value.startswith('"') else f'"{value}"'


def test_as_a_browser_sends_them(browser):
    assert_known(browser, browser.header)


def test_values_in_quotes_as_java_sends_them(browser):
    pairs = (f'{name}={quoted(value)};$Path="/"' for name, value in browser.cookies.items())
    assert_known(browser, f'$Version="1"; {"; ".join(pairs)}')


@pytest.mark.parametrize("comma", [",", ", "])
def test_a_second_cookie_field_behind_a_comma(browser, comma):
    assert_known(browser, f"{browser.header}{comma}theme=dark")


@pytest.mark.parametrize("comma", [",", ", "])
def test_a_second_cookie_field_behind_a_comma_and_quotes(browser, comma):
    pairs = "; ".join(f"{name}={quoted(value)}" for name, value in browser.cookies.items())
    assert_known(browser, f"{pairs}{comma}theme=dark")


def test_a_cookie_of_another_site_of_the_domain_cannot_bring_a_session_behind_a_comma(browser):
    """Whoever may set any cookie for the domain would plant one of the name with the prefix so."""
    response = ask(browser, f"theme=dark, {browser.header}".replace(";", ","))
    assert response.text == repr((None, 0, [None] * 3))


@pytest.mark.parametrize("comma", [",", ", "])
def test_a_session_that_a_comma_hides_is_an_event_that_names_the_cause(events, comma):
    app = wrap(answering(len), on_event=events.append)
    environ = environ_of(HTTP_COOKIE=f"theme=dark{comma}{NAME}=token")
    assert Server().run(app, environ).lines() == []
    assert events == [SessionRejected("joined", None, "a proxy joined two Cookie fields")]


@pytest.mark.parametrize("header", ["theme=dark, other=1", f"theme={NAME}=1", "a,b; c=d", f"theme=dark, x{NAME}=token"])
def test_a_comma_that_hides_no_session_is_no_event(events, header):
    Server().run(wrap(answering(len), on_event=events.append), environ_of(HTTP_COOKIE=header))
    assert events == []


@pytest.mark.process
def test_two_cookie_fields_through_a_real_server():
    browser = WebBrowser(wrap(make_app(LITTLE)))
    browser.get("/fill")
    server = waitress.create_server(browser.app, host="127.0.0.1", port=0, threads=1)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        with socket.create_connection(("127.0.0.1", server.effective_port)) as connection:
            fields = f"Cookie: {browser.header}\r\nCookie: theme=dark"
            connection.sendall(f"GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n{fields}\r\n\r\n".encode())
            head, _, body = b"".join(iter(lambda: connection.recv(65536), b"")).partition(b"\r\n\r\n")
    finally:
        server.trigger.pull_trigger(server.close)  # in the server's own thread, which ends then
        thread.join()
        server.task_dispatcher.shutdown()
    assert body.decode() == repr(("ann", 1, [PLAIN_VALUE] * 3))
    assert b"Set-Cookie" not in head
