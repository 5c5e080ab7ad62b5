"""No request leaves a reference cycle behind: its memory is free at once, and the collector has nothing to look for."""

import contextlib
import gc
import logging
import os

import pytest

from cookiesess import CookiePolicy, CookiesessError
from cookiesess.readers import FlaskCookie
from cookiesess.stores.memory import MemoryStore
from kit.constants import KEY, NAME, SECRET, SMALL, UNTIL
from kit.probe import Probe
from kit.views import every, invalidate, login, put, renew
from kit.wsgi import Server, answering, environ_of, streaming, wrap

REQUESTS = 20

VIEWS = {
    "a read": lambda s: s.get("a"),
    "a write": lambda s: s.__setitem__("b", id(s)),
    "a nested write": lambda s: s.setdefault("cart", []).append(1),
    "a login": login("ann"),
    "a renewal": renew,
    "a logout": invalidate,
    "a flash": lambda s: (s.flash("x"), s.pop_flashes()),
    "a value that cannot be stored": put("x", object()),
    "a change that cannot be stored": lambda s: s.setdefault("cart", []).append(object()),
    "too large a value": lambda s: (s.__setitem__("x", os.urandom(5000)), s.save()),
}
SETTINGS = {
    "in cookies": dict,
    "in pieces": lambda: {"cookie": CookiePolicy(chunks=3)},
    "signed": lambda: {"encrypt": False},
    "in a store": lambda: {"store": MemoryStore()},
    "one login a user": lambda: {"store": MemoryStore(), "max_sessions_per_owner": 1, "on_owner_limit": "refuse"},
    "with overflow": lambda: {"overflow": MemoryStore(), "cookie": SMALL},
    "with revocations": lambda: {"revocations": Probe(MemoryStore())},
    "with readers": lambda: {"accept": [FlaskCookie(SECRET, until=UNTIL)]},
}
JUNK = [
    f"{NAME}=AAAA",
    f"{NAME}={'AU' * 60}",
    f"{NAME}=; {NAME}=",
    f"{NAME}=\xff",
    f"{NAME}={'A' * 200}, {NAME}=AAAA",
    "session=eyJhIjoxfQ.ZZZZZZ.aaaaaaaaaaaaaaaaaaaaaaaaaaa; session=x",
]


@pytest.fixture(autouse=True)
def silent():
    """A log record would keep nothing, but what pytest keeps of it would."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def visit(app, header):
    server = Server()
    with contextlib.suppress(CookiesessError):
        server.run(app, environ_of(HTTP_COOKIE=header))
    server.result = None  # it would hold the body, which holds the server's start_response
    return server


def left_behind(app, header=""):
    """How many objects in cycles some requests leave each time: what happens once in a while does not count."""
    for _ in range(3):
        visit(app, header)
    gc.freeze()  # the collector need not look at what all the other tests have made
    try:
        return min(left_once(app, header) for _ in range(3))
    finally:
        gc.unfreeze()


def left_once(app, header):
    gc.collect()
    gc.disable()
    try:
        for _ in range(REQUESTS):
            visit(app, header)
        return gc.collect()
    finally:
        gc.enable()


def cookie_of(settings):
    lines = visit(wrap(answering(put("a", 1)), **settings), "").lines()
    return "; ".join(line.partition(";")[0] for line in lines)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("kind", SETTINGS)
def test_a_request_leaves_no_cycle(kind, view):
    settings = SETTINGS[kind]()
    assert left_behind(wrap(answering(VIEWS[view]), **settings), cookie_of(settings)) == 0


@pytest.mark.parametrize("header", JUNK, ids=range(len(JUNK)))
@pytest.mark.parametrize("kind", SETTINGS)
def test_a_cookie_that_does_not_open_leaves_no_cycle(kind, header):
    app = wrap(answering(lambda s: s.get("a")), **SETTINGS[kind]())
    assert left_behind(app, header) == 0


@pytest.mark.parametrize("settings", [{"store": None}, {"store": None, "on_store_error": "anonymous"}])
@pytest.mark.parametrize("verb", ["load", "update", "create", "delete"])
def test_a_store_that_is_down_leaves_no_cycle(verb, settings):
    store = Probe(MemoryStore())
    settings = {**settings, "store": store}
    header = cookie_of(settings)
    store.down = {verb}
    for view in (put("b", 2), login("ann"), invalidate, lambda s: s.available):
        assert left_behind(wrap(answering(view), **settings), header) == 0


def test_a_change_that_comes_too_late_leaves_no_cycle():
    late = [streaming(len, put("a", 1)), streaming(lambda s: s.setdefault("l", []), lambda s: s["l"].append(1), len)]
    for app in late:
        assert left_behind(wrap(app)) == 0


def test_a_login_beyond_the_limit_leaves_no_cycle():
    settings = SETTINGS["one login a user"]()
    visit(wrap(answering(login("ann")), **settings), "")
    assert left_behind(wrap(answering(every(put("a", 1), login("ann"))), **settings)) == 0


def test_a_key_of_no_ring_leaves_no_cycle():
    header = cookie_of({})
    assert KEY not in header
    assert left_behind(wrap(answering(len)), header[:-2] + "AA") == 0
