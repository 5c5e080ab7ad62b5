"""What is tried on each library, as a visitor's browser and a web app would come by it."""

import re
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from benchmarks.apps import SECRET
from benchmarks.harness import App, environ
from benchmarks.peers_shops import Desk, Shop, View

Trial = Callable[[Shop], str]

NEEDLE = "a-needle-that-is-nowhere-else"
# Characters: more than any browser takes (RFC 6265bis section 5.7: 4,096 bytes of name and value), and no two alike, so
# that compression does not help.
TOO_MUCH = "".join(chr(0x4E00 + at) for at in range(3000))
BROWSERS_TAKE = 4096
NEW_KEY = SECRET[::-1]
_ATTRIBUTE = re.compile(r";\s*(max-age|expires)=([^;]*)", re.IGNORECASE)
_OF_USERS = re.compile("user|owner|account|sessions_of|end_all", re.IGNORECASE)


class Seen(NamedTuple):
    """A response.

    Attributes:
        failed: The app raised, or answered with an error.
        headers: Names in lower case, with values.
    """

    failed: bool
    headers: list[tuple[str, str]]

    def words(self, name: str) -> set[str]:
        """Return the comma-separated words of all headers of that name, in lower case."""
        return {word.strip().lower() for each, value in self.headers if each == name for word in value.split(",")}


class Browser:
    """A browser with its cookies; it obeys the Set-Cookie lines in the order in which responses end.

    Args:
        app: What it visits.
        desk: The app's, where views are left.
        cookies: What it has already, by name: copied from another browser.
    """

    def __init__(self, app: App, desk: Desk, cookies: dict[str, str] | None = None) -> None:
        self._app, self._desk = app, desk
        self.cookies = dict(cookies or {})

    def visit(self, view: View) -> Seen:
        """Send a request that is answered by `view`; a view may have the browser send another one meanwhile."""
        lines: list[tuple[str, str]] = []
        statuses: list[str] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[..., None]:
            statuses.append(status)
            lines.extend((name.lower(), value) for name, value in headers)
            return lambda data: None

        self._desk.view = view
        try:
            self._run(start_response)
        except Exception:  # that a library refuses is a result, whatever it raises
            return Seen(True, lines)
        for name, value in lines:
            if name == "set-cookie":
                self._obey(value)
        return Seen(statuses[-1] >= "4", lines)

    def ask(self, key: str) -> Any:
        """Return what the session has there, None where it has nothing."""
        answers = []
        self.visit(lambda session: answers.append(session.get(key)))
        return answers[0]

    def _run(self, start_response: Callable[..., Any]) -> None:
        header = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = self._app(environ("/read", header or None), start_response)
        try:
            for _ in body:
                pass
        finally:
            getattr(body, "close", lambda: None)()

    def _obey(self, line: str) -> None:
        pair = line.partition(";")[0]
        name, _, value = pair.partition("=")
        if _over(line):
            self.cookies.pop(name.strip(), None)
        else:
            self.cookies[name.strip()] = value


def _over(line: str) -> bool:
    attributes = {name.lower(): value for name, value in _ATTRIBUTE.findall(line) if value}
    if "max-age" in attributes:
        return int(attributes["max-age"]) <= 0
    return "expires" in attributes and parsedate_to_datetime(attributes["expires"]) < datetime.now(UTC)


def visitor(shop: Shop, key: str = SECRET) -> Browser:
    """Return the browser of somebody who has just logged in."""
    browser = Browser(shop.build(key, None), shop.desk)
    seen = browser.visit(shop.writing("user", "ann"))
    assert not seen.failed
    assert browser.ask("user") == "ann", f"{shop.peer}, {shop.place}: the session did not come back"
    return browser


def nested_change(shop: Shop) -> str:
    """Change a list in the session without assigning it; then once more, and say so as the documentation asks."""
    browser = visitor(shop)
    browser.visit(shop.writing("cart", ["a"]))
    browser.visit(lambda session: session["cart"].append("b"))
    if "b" in browser.ask("cart"):
        return "yes"

    def marked(session: Any) -> None:
        session["cart"].append("b")
        shop.mark(session)

    browser.visit(marked)
    return "when marked" if "b" in browser.ask("cart") else "lost"


def plain_in_the_store(shop: Shop) -> str:
    """Look for a value in all that the store has written."""
    visitor(shop).visit(shop.writing("note", NEEDLE))
    kept = b"".join(path.read_bytes() for path in sorted(shop.directory.rglob("*")) if path.is_file())
    assert kept, f"{shop.peer}: nothing is in the store"
    return "no" if NEEDLE.encode() in kept else "yes"


def key_is_changed(shop: Shop) -> str:
    """Exchange the key, say what the old one was wherever there is a place for that, and come back."""
    browser = visitor(shop)
    again = Browser(shop.build(NEW_KEY, SECRET), shop.desk, browser.cookies)
    return "yes" if again.ask("user") == "ann" else "no"


def parallel_writes(shop: Shop) -> str:
    """While one request is at work, another one comes and goes; each writes a key of its own."""
    browser = visitor(shop)

    def slow(session: Any) -> None:
        session.get("user")
        browser.visit(shop.writing("fast", 1))
        shop.writing("slow", 1)(session)

    browser.visit(slow)
    stayed = (browser.ask("fast"), browser.ask("slow"))
    return {(1, 1): "merged", (None, 1): "last wins", (1, None): "first wins"}[stayed]


def late_write_after_logout(shop: Shop) -> str:
    """While one request is at work, the visitor logs out; then that request writes, and its response comes last."""
    browser = visitor(shop)
    copied = dict(browser.cookies)

    def slow(session: Any) -> None:
        session.get("user")
        browser.visit(shop.logout)
        shop.writing("slow", 1)(session)

    browser.visit(slow)
    if browser.ask("user") == "ann":
        return "logged in again"
    thief = Browser(shop.build(SECRET, None), shop.desk, copied)
    return shop.noted("refused") if thief.ask("user") is None else "a copy opens"


def copied_cookie_after_logout(shop: Shop) -> str:
    """Somebody has copied the cookie, and shows it when the visitor has logged out."""
    browser = visitor(shop)
    copied = dict(browser.cookies)
    browser.visit(shop.logout)
    assert browser.ask("user") is None, f"{shop.peer}, {shop.place}: the logout did nothing"
    thief = Browser(shop.build(SECRET, None), shop.desk, copied)
    return shop.noted("refused") if thief.ask("user") is None else "opens"


def too_much_for_a_cookie(shop: Shop) -> str:
    """Put more into the session than a cookie holds."""
    browser = visitor(shop)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        seen = browser.visit(shop.writing("much", TOO_MUCH))
    if seen.failed:
        return "error"
    if any("too large" in str(each.message) for each in said):
        return "warning"
    if any(len(name) + 1 + len(value) > BROWSERS_TAKE for name, value in browser.cookies.items()):
        return "unchecked"
    return "moves to a store" if browser.ask("much") == TOO_MUCH else "lost"


def headers_for_caches(shop: Shop) -> str:
    """Read the session, and look at what the response says to caches."""
    seen = visitor(shop).visit(lambda session: session.get("user"))
    said = ["`Vary`"] * ("cookie" in seen.words("vary")) + ["`private`"] * ("private" in seen.words("cache-control"))
    return {0: "neither", 2: "both"}.get(len(said)) or said[0]


def names_that_speak_of_users(shop: Shop) -> str:
    """Look whether any public name of the session, or of what makes sessions, has to do with users."""
    kinds: list[type] = []
    visitor(shop).visit(lambda session: kinds.append(type(shop.real(session))))
    names = {name for kind in (*kinds, *shop.makers) for name in dir(kind) if not name.startswith("_")}
    return shop.noted("yes") if any(map(_OF_USERS.search, names)) else "no"
