"""`cookiesess.testing.session_transaction` and `CookieHeader`: a session in a test, without a browser."""

import pytest
from webob import Request, Response

from cookiesess import CookieTooLarge, SessionManager, SessionMiddleware, get_session
from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import CookieHeader, session_transaction
from kit.constants import KEY


@pytest.fixture(params=["client-side", "server-side"])
def middleware(request):
    def app(environ, start_response):
        session = get_session(environ)
        session["seen"] = session.get("seen", 0) + 1
        return Response(f"hello {session.owner}")(environ, start_response)

    store = MemoryStore() if request.param == "server-side" else None
    return SessionMiddleware(app, KEY, store=store)


def ask(middleware, cookies):
    request = Request.blank("/", base_url="https://shop.example", headers={"Cookie": cookies.value})
    response = request.get_response(middleware)
    cookies.follow(response.headers.getall("Set-Cookie"))
    return response


def test_what_a_transaction_writes_the_app_reads(middleware):
    cookies = CookieHeader()
    with session_transaction(middleware.manager, cookies) as session:
        session.login("user-42")
    assert ask(middleware, cookies).text == "hello user-42"


def test_what_the_app_writes_a_transaction_reads(middleware):
    cookies = CookieHeader()
    ask(middleware, cookies)
    ask(middleware, cookies)
    with session_transaction(middleware.manager, cookies) as session:
        assert session["seen"] == 2


def test_a_transaction_that_raises_saves_nothing(middleware):
    cookies = CookieHeader()
    ask(middleware, cookies)
    before = cookies.value
    with pytest.raises(KeyError, match="no such key"), session_transaction(middleware.manager, cookies) as session:
        session["seen"] = 99 + session["no such key"]
    assert cookies.value == before
    with session_transaction(middleware.manager, cookies) as session:
        assert session["seen"] == 1


def test_a_transaction_raises_what_a_commit_raises():
    with pytest.raises(CookieTooLarge), session_transaction(SessionManager(KEY), CookieHeader()) as session:
        session["much"] = "x" * 5000


def test_a_session_that_is_ended_leaves_the_header(middleware):
    cookies = CookieHeader()
    with session_transaction(middleware.manager, cookies) as session:
        session["a"] = 1
    assert "__Host-session" in cookies
    with session_transaction(middleware.manager, cookies) as session:
        session.invalidate()
    assert "__Host-session" not in cookies
    assert cookies.value == ""


def test_a_header_keeps_other_cookies_and_takes_the_newest_value():
    cookies = CookieHeader("theme=dark; id=1")
    cookies.follow(["id=2; Path=/; Secure", "lang=de; Path=/"])
    assert cookies.value == "theme=dark; id=2; lang=de"
