"""No secret, token, ID, owner or value shows in any repr, log line, event or exception, whatever is done.

Each flow below runs with the logger at its loudest and with every event collected; afterwards all that came out is
searched for what must not be in it.
"""

import contextlib
import logging
import traceback
from datetime import timedelta
from typing import NamedTuple

import pytest

from cookiesess import (
    ConfigurationError,
    CookiePolicy,
    CookiesessError,
    Key,
    Keyring,
    Lifetime,
    Session,
    SessionManager,
    Transport,
    ValueType,
    events,
)
from cookiesess.backends.found import Found, Merged
from cookiesess.session.closing import Closed, How
from cookiesess.session.csrf import Secrets
from cookiesess.session.decision import Action
from cookiesess.session.located import Located
from cookiesess.session.state import Origin, State
from cookiesess.session.steps import Done, Line, Loaded
from cookiesess.session.working_copy import WorkingCopy
from cookiesess.stores.base import Record
from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import ManualClock
from cookiesess.tokens.encoding import encode
from cookiesess.tokens.sealing import Sealer
from cookiesess.tokens.signing import Signer
from cookiesess.tokens.values import ValueCodec

# Words that are easy to find again, and appear nowhere in this library.
KEY = "zirconium-zirconium-zirconium-zirconium"
OLD_KEY = "yttrium-yttrium-yttrium-yttrium-yttrium"
OWNER = "owner-marmalade"
VALUE = "value-rhubarb"
WORDS = ("zirconium", "yttrium", "marmalade", "rhubarb")
SECRET = VALUE.encode()
CLOSED = Closed(How.RENEWAL, 1, SECRET, SECRET, SECRET)
STATE = State(1, 1, owner=OWNER, data={VALUE: VALUE}, sid=SECRET, extras={"c": SECRET})
RECORD = Record(b"sealed", 1)


class Arrived(NamedTuple):
    """How a request came."""

    way: Transport

    def transport(self):
        return self.way

    def https(self):
        return self.way is Transport.HTTPS

    def forwarded_https(self):
        return False

    def host(self):
        return "shop.example"

    def path(self):
        return "/account"

    def cross_site_post(self):
        return False


class World:
    """A manager, and everything that anybody could see of what it does."""

    def __init__(self, keys=f"{KEY},{OLD_KEY}", **settings):
        self.seen = []
        self.settings = settings
        self.secrets = set(WORDS)
        self.clock = ManualClock()
        self.manager = SessionManager(keys, clock=self.clock, on_event=self.look, **settings)
        self.name = self.manager.cookie.name

    def look(self, *things):
        """Take down what `things` show of themselves."""
        self.seen += [text for thing in things for text in (repr(thing), str(thing), f"{thing}")]

    @contextlib.contextmanager
    def errors(self):
        """Take down an error and its whole chain; it goes no further."""
        try:
            yield
        except (CookiesessError, ValueError, TypeError, KeyError) as error:
            self.look(error, error.args, vars(error))
            # Locals and source lines are the app's; what the exceptions of the chain say is ours.
            self.seen += [line for line in traceback.format_exception(error) if not line.startswith("  File")]
        else:
            pytest.fail("this flow is one that ends in an error")

    def commit(self, session, cookies=None, transport=Transport.HTTPS):
        """Commit, keep the tokens to search for, and return the next request's header."""
        result = self.manager.commit(session, cookies, arrival=Arrived(transport))
        self.look(result, *result.cookies, *(cookie.attributes for cookie in result.cookies))
        self.secrets |= {cookie.value for cookie in result.cookies if len(cookie.value) > 20}
        self.look(session, cookies)
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in result.cookies)

    def signed_in(self):
        """Return the header of somebody who has a full session."""
        session = self.manager.open("")
        session.login(OWNER)
        session["a"] = VALUE
        session["list"] = [VALUE]
        session.flash(VALUE)
        session.label = VALUE
        self.secrets.add(session.csrf_token())
        return self.commit(session)


def normal_day(world):
    header = world.signed_in()
    session = world.manager.open(header)
    world.look(session)
    session["list"].append(VALUE)
    session.pop_flashes()
    world.commit(session)


def refresh(world):
    header = world.signed_in()
    world.clock.advance(timedelta(days=2))
    session = world.manager.open(header)
    session.get("a")
    world.commit(session)


def renewal(world):
    session = world.manager.open(world.signed_in())
    session.renew()
    world.commit(session)


def another_login(world):
    session = world.manager.open(world.signed_in())
    session.login(f"other {OWNER}")
    world.commit(session)


def old_ids(world):
    """Whoever shows an ID again that a renewal, a login or a logout has closed, and what the record of it holds."""
    served = World(store=MemoryStore(), **world.settings)
    header = served.signed_in()
    for view in (Session.renew, lambda s: s.login(OWNER), lambda s: s.login(f"other {OWNER}")):
        session = served.manager.open(header)
        view(session)
        old, header = header, served.commit(session)
        late = served.manager.open(old)
        served.look(late, late._working.loaded.closed if late.is_new else None)
        late["a"] = VALUE
        served.secrets.add(late.csrf_token())
        served.commit(late)
        served.clock.advance(301)
        served.look(served.manager.open(old).get("a"))
    world.seen += served.seen
    world.secrets |= served.secrets


def twins(world):
    header = world.signed_in()
    session = world.manager.open(f"{header}; {world.signed_in()}")
    session.login(f"other {OWNER}")
    world.look(session, session._working.loaded)
    world.commit(session)


def logout(world):
    session = world.manager.open(world.signed_in())
    session.invalidate()
    world.commit(session)


def emptied(world):
    session = world.manager.open("")
    session["a"] = VALUE
    session = world.manager.open(world.commit(session))
    del session["a"]
    world.commit(session)


def expired(world):
    header = world.signed_in()
    world.clock.advance(timedelta(days=40))
    world.look(world.manager.open(header).get("a"))


def from_the_future(world):
    header = world.signed_in()
    world.clock.advance(timedelta(days=-1))
    world.look(world.manager.open(header).get("a"))


def hostile_cookies(world):
    token = world.signed_in().partition("=")[2]
    for changed in (token[:-1], token[::-1], f"{token}A", VALUE, f'"{VALUE}"', encode(VALUE.encode() * 4), "é" + token):
        session = world.manager.open(f"{world.name}={changed}")
        assert session.is_new
        world.commit(session)


def unknown_key(world):
    stranger = World("strange-strange-strange-strange-strange", **world.settings)
    header = stranger.signed_in()
    world.secrets |= stranger.secrets
    assert world.manager.open(header).is_new


def plain_http(world):
    session = world.manager.open("")
    session["a"] = VALUE
    world.commit(session, transport=Transport.PLAIN)


def too_large(world):
    session = world.manager.open("")
    session["a"] = VALUE * 500
    with world.errors():
        world.commit(session)


def not_serializable(world):
    session = world.manager.open("")
    with world.errors():
        session["a"] = [VALUE, object()]


def not_serializable_later(world):
    session = world.manager.open(world.signed_in())
    session["list"].append(object())
    with world.errors():
        world.commit(session)


def missing_value(world):
    session = world.manager.open(world.signed_in())
    with world.errors():
        session["missing"]


def late_write(world):
    session = world.manager.open(world.signed_in())
    session["a"] = VALUE + VALUE
    world.commit(session)
    world.manager.stream(session)
    with world.errors():
        session["a"] = VALUE


def late_cookie(world):
    cookies = world.manager.jar("")
    cookies.commit()
    with world.errors():
        cookies.set("a", VALUE)


def the_jar(world):
    cookies = world.manager.jar(f"a={VALUE}")
    cookies.signed.set("b", VALUE)
    cookies.sealed.set("c", VALUE)
    world.look(cookies, cookies.signed, cookies.sealed)
    header = world.commit(world.manager.open(""), cookies)
    cookies = world.manager.jar(header)
    world.look(dict.fromkeys(cookies), cookies, cookies.keys())
    assert cookies.sealed.get("c") == VALUE


def bad_cookie_values(world):
    for value in (f"{VALUE}\r\n", f"{VALUE}\ud800", VALUE * 500, VALUE.encode()):
        with world.errors():
            world.manager.jar("").set("a", value)


def accepted_key(world):
    old = World(OLD_KEY, **world.settings)
    header = old.signed_in()
    world.secrets |= old.secrets
    world.clock.advance(timedelta(days=2))
    session = world.manager.open(header)
    assert session["a"] == VALUE
    world.commit(session)


def failing_callback(world):
    class Fails(World):
        def look(self, *things):
            super().look(*things)
            if things and isinstance(things[0], events.Event):
                raise LookupError("the counter is away")

    other = Fails(**world.settings)
    other.signed_in()
    world.seen += other.seen
    world.secrets |= other.secrets


FLOWS = [
    normal_day,
    refresh,
    renewal,
    another_login,
    old_ids,
    twins,
    logout,
    emptied,
    expired,
    from_the_future,
    hostile_cookies,
    unknown_key,
    plain_http,
    too_large,
    not_serializable,
    not_serializable_later,
    missing_value,
    late_write,
    late_cookie,
    the_jar,
    bad_cookie_values,
    accepted_key,
    failing_callback,
]


def leaks(world, caplog):
    """Return what of the secrets was seen, each cut to its beginning."""
    caplog.handler.setFormatter(logging.Formatter("%(message)s"))
    seen = "\n".join([*world.seen, *(caplog.handler.format(record) for record in caplog.records)])
    # A part of a token is as bad as the whole: its beginning names the key, its middle is looked for as well.
    pieces = {piece for secret in world.secrets for piece in (secret[:12], secret[len(secret) // 2 :][:12])}
    return sorted(piece for piece in pieces if piece in seen)


@pytest.mark.parametrize("encrypt", [True, False], ids=["sealed", "signed"])
@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.__name__)
def test_nothing_secret_shows_in(flow, encrypt, caplog):
    caplog.set_level(logging.DEBUG)
    world = World(encrypt=encrypt, cookie=CookiePolicy("session"))
    flow(world)
    assert world.seen
    assert leaks(world, caplog) == []


def test_this_search_finds_what_it_looks_for(caplog):
    caplog.set_level(logging.DEBUG)
    world = World()
    world.look(VALUE)
    logging.getLogger("cookiesess").info("owner %s", OWNER)
    assert {"marmalade", "rhubarb"} <= set(leaks(world, caplog))


@pytest.mark.parametrize(
    "thing",
    [
        pytest.param(lambda: Key(KEY), id="Key"),
        pytest.param(lambda: Keyring(KEY, [OLD_KEY]), id="Keyring"),
        pytest.param(lambda: Keyring.parse(f"{KEY},{OLD_KEY}"), id="parsed Keyring"),
        pytest.param(lambda: Sealer(Keyring(KEY)), id="Sealer"),
        pytest.param(lambda: Signer(Keyring(KEY)), id="Signer"),
        pytest.param(lambda: SessionManager(KEY), id="SessionManager"),
        pytest.param(lambda: Lifetime(), id="Lifetime"),
        pytest.param(lambda: ValueType(1, World, VALUE.join, World), id="ValueType"),
        pytest.param(lambda: CLOSED, id="Closed"),
        pytest.param(lambda: Loaded(Origin.REPLACED, OWNER, header=VALUE, base=SECRET, closed=CLOSED), id="Loaded"),
        pytest.param(lambda: Done(Action.CREATE, Line.ISSUE, SECRET), id="Done"),
        pytest.param(lambda: Merged(STATE, Located(SECRET, SECRET, RECORD), forms=Secrets(SECRET)), id="Merged"),
        pytest.param(lambda: Found(STATE, Located(SECRET, SECRET, RECORD), None), id="Found"),
        pytest.param(lambda: WorkingCopy(Loaded(Origin.LOADED, OWNER), STATE, codec=ValueCodec()), id="WorkingCopy"),
    ],
)
def test_nothing_secret_shows_in_the_repr_of(thing):
    shown = repr(thing()) + str(thing())
    assert not [word for word in WORDS if word in shown]


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: Key(KEY[:31]), id="too short"),
        pytest.param(lambda: Key(f" {KEY}"), id="blanks"),
        pytest.param(lambda: Key(f"{KEY},{KEY}"), id="comma"),
        pytest.param(lambda: Key(f"{KEY}\udcff"), id="no UTF-8"),
        pytest.param(lambda: Key(bytearray(KEY.encode())), id="bytearray"),
        pytest.param(lambda: Keyring(KEY, accepted=OLD_KEY), id="bare accepted key"),
        pytest.param(lambda: Keyring(KEY, accepted=[KEY]), id="twice"),
        pytest.param(lambda: Keyring.parse(f"{KEY},"), id="empty accepted key"),
        pytest.param(lambda: Keyring.of([KEY]), id="list"),
        pytest.param(lambda: SessionManager([KEY]), id="manager"),
        pytest.param(lambda: SessionManager(KEY, cookie=KEY), id="cookie="),
        pytest.param(lambda: SessionManager(KEY, lifetime=KEY), id="lifetime="),
        pytest.param(lambda: SessionManager(KEY, store=f"redis://:{OLD_KEY}@cache:6379/x"), id="store="),
        pytest.param(lambda: SessionManager(KEY, store=OLD_KEY), id="store= is a key"),
    ],
)
def test_no_secret_shows_in_the_error_about(make):
    with pytest.raises(ConfigurationError) as caught:
        make()
    chain, error = "", caught.value
    while error is not None:
        chain += f"{error!r} {error} {error.args} {vars(error)}"
        error = error.__cause__ or error.__context__
    assert not [word for word in WORDS if word in chain]
