"""Reading and writing a session in a test, without a browser."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, overload

from cookiesess.http.grammar import parse
from cookiesess.manager.manager import S, SessionManager
from cookiesess.session.session import Session


class CookieHeader:
    """The Cookie header that a browser would send. Show it the Set-Cookie lines of each response.

    Attributes:
        value: The header; ``""`` if there are no cookies. Give it to your test client, or put it into
            ``environ["HTTP_COOKIE"]``.
    """

    def __init__(self, value: str = "") -> None:
        self.value = value

    def follow(self, set_cookie_lines: list[str]) -> None:
        """Keep the cookies that a response sets, and drop those that it deletes. Domains and paths do not count."""
        kept = dict(pair.split("=", 1) for pair in self.value.split("; ") if pair)
        for line in set_cookie_lines:
            pair, *attributes = line.split("; ")
            name, value = pair.split("=", 1)
            kept.pop(name, None)
            if "Max-Age=0" not in attributes:
                kept[name] = value
        self.value = "; ".join(f"{name}={value}" for name, value in kept.items())

    def __contains__(self, name: object) -> bool:
        return name in parse(self.value)


@overload
def session_transaction(manager: SessionManager, cookies: CookieHeader) -> AbstractContextManager[Session]: ...
@overload
def session_transaction(
    manager: SessionManager, cookies: CookieHeader, session_class: type[S]
) -> AbstractContextManager[S]: ...
@contextmanager
def session_transaction(
    manager: SessionManager, cookies: CookieHeader, session_class: type[Any] = Session
) -> Iterator[Any]:
    """Open the session that `cookies` carry, and commit it when the block ends, as a request would.

    What the block raises goes on its way, and nothing is saved then. Otherwise it raises what `SessionManager.commit`
    does.

    ::

        cookies = CookieHeader()
        with session_transaction(middleware.manager, cookies) as session:
            session.login("user-42")
        response = Request.blank("/account", headers={"Cookie": cookies.value}).get_response(middleware)
        cookies.follow(response.headers.getall("Set-Cookie"))
        with session_transaction(middleware.manager, cookies) as session:
            assert session["seen"]

    Args:
        manager: The manager of the middleware under test (``middleware.manager``), or of a framework's adapter.
        cookies: The cookies of the test's browser. They are read at the beginning, and updated at the end.
        session_class: The session class of the middleware under test (``middleware.session_class``).
    """
    session: Session = manager.open(cookies.value, session_class)
    yield session
    cookies.follow([cookie.line for cookie in manager.commit(session).cookies])
