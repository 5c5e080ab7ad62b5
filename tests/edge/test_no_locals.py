"""An error collector that prints local variables finds no cookie, no token and no key in this library's frames.

The app's own frames, the server's and the framework's have the environ, and are theirs to clean.
"""

import re
import traceback

import pytest

import cookiesess
from cookiesess import (
    CrossOriginProtection,
    Key,
    Keyring,
    SessionManager,
    SessionMiddleware,
    get_cookies,
    get_manager,
    get_session,
)
from cookiesess.adapters.flask import Cookiesess, CookiesessInterface
from cookiesess.adapters.pyramid import session_factory
from cookiesess.errors import drop_locals, without_locals
from cookiesess.readers import FlaskCookie
from cookiesess.stores.memory import MemoryStore
from cookiesess.wsgi.form_token import check_csrf
from kit.accepting import flask_cookie
from kit.constants import KEY, SECRET, SMALL, UNTIL
from kit.flask_site import make_app
from kit.probe import Probe
from kit.views import every, login, put
from kit.world import World
from kit.wsgi import Server, answering, environ_of, streaming

OURS = cookiesess.__path__[0]
# What a token looks like, and nothing that a frame may show: long, with large letters and digits.
TOKEN = re.compile(r"(?=[\w-]*[A-Z])(?=[\w-]*[0-9])[\w-]{40,}")
# Of keys and cookies that no rule recognises; by these words the tests find them.
WORDS = ("zirconium", "rhubarb")
SECRET_WORDS = "zirconium-zirconium-zirconium-zirconium"


def shown_by(error):
    """Yield (file, function, variable) of what is secret in the frames of an error, and of all that led to it."""
    pending, seen = [traceback.TracebackException.from_exception(error, capture_locals=True)], set()
    while pending:
        each = pending.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        for frame in each.stack:
            if frame.filename.startswith(OURS):
                for name, value in (frame.locals or {}).items():
                    if TOKEN.search(value) or any(word in value for word in WORDS):
                        yield frame.filename, frame.name, name
        pending += [each.__cause__, each.__context__]


def failed(action):
    """The error of an action, which must not show anything."""
    with pytest.raises(Exception) as caught:
        action()
    assert list(shown_by(caught.value)) == []
    return caught.value


KINDS = {
    "client-side": lambda world: {},
    "server-side": lambda world: {"store": world.overflow},
    "overflow": lambda world: {"overflow": world.overflow, "cookie": SMALL},
    "revocations": lambda world: {"revocations": world.revocations},
}


@pytest.fixture(params=KINDS)
def world(request):
    world = World(overflow=MemoryStore(), revocations=MemoryStore())
    world.revocations.evicts = False
    world.use(**KINDS[request.param](world))
    return world


@pytest.fixture
def header(world):
    return f"{world.browser(every(login('ann'), put('a', 'b' * 400))).header}; other=rhubarb-rhubarb"


def down(world, *verbs):
    for probe in world.probes:
        probe.down = set(verbs or Probe.VERBS)


def opened(world, header, view=lambda session: session.get("a")):
    session = world.manager.open(header)
    view(session)
    return session


# The store


@pytest.mark.parametrize("world", ["server-side", "overflow", "revocations"], indirect=True)
def test_a_store_that_is_down_when_a_session_is_read(world, header):
    down(world)
    failed(lambda: opened(world, header))
    failed(lambda: world.manager.open(header).check_csrf("A1" * 43))
    failed(lambda: world.manager.open(header).invalidate())


WRITES = {
    "a change": put("b", 1),
    "a login": login("bob"),
    "a renewal": lambda session: session.renew(),
    "save()": lambda session: (put("b", 1)(session), session.save()),
    "a logout": lambda session: session.invalidate(),
    "a mutation": lambda session: session.mutate(lambda data: data.update(n=1)),
}


@pytest.mark.parametrize("view", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("world", ["server-side", "overflow"], indirect=True)
def test_a_store_that_is_down_when_a_session_is_written(world, header, view):
    session = opened(world, header)

    def write():
        down(world)
        view(session)
        world.manager.commit(session)

    failed(write)


# Values and cookies


def test_a_value_that_cannot_be_stored(world, header):
    failed(lambda: opened(world, header, put("c", object())))
    session = opened(world, header, put("c", []))
    session["c"].append(object())
    failed(lambda: world.manager.commit(session))


def test_a_session_that_does_not_fit():
    world = World()
    session = opened(world, world.browser(login("ann")).header, put("c", "".join(map(chr, range(0x4E00, 0x5600)))))
    failed(lambda: world.manager.commit(session))


def test_what_the_app_does_wrong_with_a_session(world, header):
    failed(lambda: world.manager.open(header)["missing"])
    failed(lambda: world.manager.open(header).mutate(lambda data: data["missing"]))
    session = opened(world, header)
    world.manager.commit(session)
    failed(lambda: session.login("bob"))


@pytest.mark.parametrize("view", [lambda jar: jar, lambda jar: jar.signed, lambda jar: jar.sealed])
def test_a_cookie_that_cannot_be_set(world, header, view):
    jar = world.manager.jar(header)
    failed(lambda: view(jar).set("a", "rhubarb" * 1_000))
    failed(lambda: view(jar).set("a\n", "rhubarb"))
    failed(lambda: view(jar).set(world.manager.cookie.name, "rhubarb"))
    jar.commit()
    failed(lambda: view(jar).set("a", "rhubarb"))


def test_an_owner_function_that_fails():
    reader = FlaskCookie(SECRET, until=UNTIL, owner=lambda data: data["missing"])
    world = World(accept=[reader])
    error = failed(lambda: opened(world, f"session={flask_cookie(world.now)}"))
    assert [frame.name for frame in traceback.extract_tb(error.__traceback__)][-1] == "<lambda>"


# Requests


def run(app, header):
    Server().run(app, environ_of(HTTP_COOKIE=header))


def test_an_app_that_fails(world, header):
    def fails(session):
        session.get("a")
        raise LookupError("the app failed")

    failed(lambda: run(SessionMiddleware(answering(fails), world.manager), header))
    failed(lambda: run(SessionMiddleware(streaming(len, fails), world.manager), header))
    failed(lambda: run(SessionMiddleware(CrossOriginProtection(answering(fails)), world.manager), header))
    failed(lambda: run(SessionMiddleware(answering(put("c", object())), world.manager), header))


@pytest.mark.parametrize("world", ["server-side"], indirect=True)
def test_a_forms_token_while_the_store_is_down(world, header):
    down(world)
    app = SessionMiddleware(lambda environ, start: check_csrf(environ), world.manager)
    error = failed(lambda: app(environ_of(HTTP_COOKIE=header, HTTP_X_CSRF_TOKEN="A1" * 43), len))
    assert isinstance(error, cookiesess.StoreUnavailable)


def test_two_middlewares_in_each_others_way(world, header):
    stack = SessionMiddleware(answering(len), world.manager)
    failed(lambda: run(SessionMiddleware(lambda environ, start: stack(environ, start), world.manager), header))


@pytest.mark.parametrize("find", [get_session, get_cookies, get_manager])
def test_a_request_without_a_session(find):
    environ = environ_of(HTTP_COOKIE="other=rhubarb-rhubarb")
    failed(lambda: find(environ))
    failed(lambda: find([environ]))


# Keys


BAD = {
    "short": SECRET_WORDS[:31],
    "with a blank that cannot be seen": f"{SECRET_WORDS}\u200b",
    "with a short one": f"{SECRET_WORDS},zirconium",
    "twice": f"{SECRET_WORDS},{SECRET_WORDS}",
    "in a list": [SECRET_WORDS],
    "in quotes": f"'{SECRET_WORDS}'",
    "with a line break": f"{SECRET_WORDS}\n{SECRET_WORDS}",
    "a path": "/run/zirconium/zirconium-zirconium.txt",
    "not filled in": "${ZIRCONIUM_zirconium_zirconium_zirconium}",
}
TAKERS = {
    "Key": Key,
    "Keyring": Keyring,
    "Keyring.parse": Keyring.parse,
    "SessionManager": SessionManager,
    "SessionMiddleware": lambda keys: SessionMiddleware(len, keys),
    "Flask's interface": CookiesessInterface,
    "Flask's extension": lambda keys: Cookiesess(make_app(), keys),
    "Pyramid's factory": session_factory,
}


@pytest.mark.parametrize("take", TAKERS.values(), ids=TAKERS)
@pytest.mark.parametrize("keys", BAD.values(), ids=BAD)
def test_keys_that_are_wrong(take, keys):
    error = failed(lambda: take(keys))
    assert isinstance(error, cookiesess.ConfigurationError)


@pytest.mark.parametrize("name", ["COOKIESESS_STORE", "COOKIESESS_NONSENSE", "COOKIESESS_COOKIE_SECURE"])
def test_variables_that_are_wrong(name):
    environ = {"COOKIESESS_KEYS": SECRET_WORDS, name: "redis://:rhubarb@127.0.0.1:nonsense/"}
    failed(lambda: SessionMiddleware.from_env(len, environ=environ))


# The means


def test_lines_and_the_apps_variables_stay_in_a_traceback():
    @without_locals
    def app_fails(value):
        raise LookupError(value)

    with pytest.raises(LookupError) as caught:
        app_fails("rhubarb")
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "raise LookupError(value)" in shown
    assert "value = 'rhubarb'" in shown
    assert KEY not in shown


def test_errors_that_led_to_each_other_in_a_circle_are_walked_once():
    one, two = LookupError(), LookupError()
    one.__context__, two.__context__ = two, one
    drop_locals(one)
    assert one.__context__ is two
