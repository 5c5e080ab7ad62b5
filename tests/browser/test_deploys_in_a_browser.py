"""A deploy changes where the cookie stands: logins stick afterwards, and logouts leave nothing, in a real browser."""

import pytest

from cookiesess import CookiePolicy, SessionMiddleware, get_session
from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import ManualClock
from kit.constants import KEY, PLAIN
from kit.probe import Probe

SHOP = "www.shop.test"
PATH = "/shop/page"
MUCH = "x" * 5000
IN_PIECES = {"chunks": 5, "max_bytes": 512}
SIDES = {
    "cookie": lambda: ({}, {}, ""),
    "signed": lambda: ({"encrypt": False}, {}, ""),
    "pieces": lambda: ({}, IN_PIECES, "x" * 1000),
    "signed pieces": lambda: ({"encrypt": False}, IN_PIECES, "x" * 1000),
    "store": lambda: ({"store": MemoryStore()}, {}, ""),
    "overflow": lambda: ({"overflow": MemoryStore()}, {}, MUCH),
    "revocations": lambda: ({"revocations": Probe(MemoryStore())}, {}, ""),
}
OPEN = {"samesite": "None"}
DEPLOYS = {
    "host-only, then a domain": ({}, {"domain": "shop.test"}),
    "a domain, then host-only": ({"domain": "shop.test"}, {}),
    "everywhere, then below a path": ({}, {"path": "/shop"}),
    "below a path, then everywhere": ({"path": "/shop"}, {}),
    "partitioned": (OPEN, {**OPEN, "partitioned": True}),
    "no longer partitioned": ({**OPEN, "partitioned": True}, OPEN),
}


class Shop:
    """An app by HTTPS that is deployed anew, and a browser in front of it."""

    def __init__(self, page, serve_tls, settings, **fields):
        self.page = page
        self.fields = fields
        self.clock = ManualClock()
        self.settings = {"clock": self.clock, **settings}
        self.url = f"https://{SHOP}:{serve_tls(self)}{PATH}"

    def deploy(self, **fields):
        """Go on with another policy, a minute later."""
        self.clock.advance(60)
        cookie = CookiePolicy("session", **self.fields, **fields)
        self.app = SessionMiddleware(self.answer, KEY, cookie=cookie, **self.settings)

    def __call__(self, environ, start_response):
        return self.app(environ, start_response)

    def answer(self, environ, start_response):
        if environ["PATH_INFO"] == PATH:  # else the browser asks for an icon
            self.returned = self.view(get_session(environ))
        start_response("200 OK", [*PLAIN])
        return [b"done"]

    def visit(self, view):
        """Have the browser load the page, and return what the view returned."""
        self.view = view
        assert self.page.goto(self.url).status == 200
        return self.returned

    def login(self, owner, text):
        """Log in a second later, with something in the session."""
        self.clock.advance(1)
        self.visit(lambda session: session.login(owner) or session.update(text=text))

    def owner(self):
        return self.visit(lambda session: session.owner)

    def logout(self):
        self.visit(lambda session: session.invalidate())

    def count(self):
        """How many cookies there are that a session can begin in."""
        return sum(cookie["name"] in ("session", "session.ref") for cookie in self.page.context.cookies())


@pytest.fixture(params=SIDES)
def side(request):
    return SIDES[request.param]()


@pytest.fixture(params=DEPLOYS)
def shop(request, page, serve_tls, side):
    """A shop where somebody has logged in before a deploy."""
    settings, fields, text = side
    before, after = DEPLOYS[request.param]
    shop = Shop(page, serve_tls, settings, **fields)
    shop.text = text
    shop.deploy(**before)
    shop.login("before", text)
    shop.deploy(**after)
    return shop


def test_after_the_deploy_the_visitor_is_still_logged_in_and_a_new_login_sticks(shop):
    assert shop.owner() == "before"
    shop.login("ann", shop.text)
    assert [shop.owner(), shop.owner()] == ["ann", "ann"]
    assert shop.count() == 2  # with one cookie nothing says where it stands, so the old one stays behind the login


def test_a_logout_after_the_deploy_leaves_no_cookie_behind(shop):
    shop.logout()
    assert shop.count() == 0
    assert shop.owner() is None


def test_a_logout_after_two_logins_leaves_no_cookie_behind(shop):
    for _ in range(2):
        shop.login("ann", shop.text)
    assert (shop.count(), shop.owner()) == (1, "ann")
    shop.logout()
    assert shop.count() == 0
    assert shop.owner() is None


@pytest.mark.parametrize("text", ["", MUCH], ids=["a session", "a reference"])
def test_what_a_subdomain_has_planted_neither_beats_a_login_nor_outlives_a_logout(page, serve_tls, text):
    shop = Shop(page, serve_tls, {"overflow": MemoryStore()})
    shop.deploy()
    shop.visit(lambda session: session.update(text=text))
    (planted,) = page.context.cookies()
    page.context.clear_cookies()
    shop.login("ann", "")
    elsewhere = shop.url.replace(SHOP, "blog.shop.test").replace(PATH, "/icon")
    page.goto(elsewhere)
    page.evaluate(
        "text => { document.cookie = text }", f"{planted['name']}={planted['value']}; Domain=shop.test; Path=/"
    )
    assert shop.count() == 2
    assert shop.owner() == "ann"
    shop.logout()
    assert shop.count() == 0
