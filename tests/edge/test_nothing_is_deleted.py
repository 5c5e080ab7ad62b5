"""A cookie that does not open is left alone: it may be good on another server, or later. Only a logout deletes it."""

import logging

import pytest

from cookiesess import CookiePolicy, Keyring, SessionManager
from cookiesess.events import SessionRejected
from cookiesess.stores.memory import MemoryStore
from kit.browser import Browser
from kit.constants import KEY, LIFETIME, NAME, OTHER_KEY, REF
from kit.lines import expired, issued
from kit.views import clear, every, login, put
from kit.world import World

DAY = 86_400
SIDES = {
    "client-side": dict,
    "signed": lambda: {"encrypt": False},
    "store": lambda: {"store": MemoryStore()},
    "overflow": lambda: {"overflow": MemoryStore()},
    "pieces": lambda: {"cookie": CookiePolicy(max_bytes=256, chunks=5)},
}
TEXT = "x" * 300
JOINED = "a proxy joined two Cookie fields"


@pytest.fixture(params=SIDES)
def side(request, clock, events):
    """Managers of one side, which share clock, events and stores."""
    settings = {"clock": clock, "on_event": events.append, "lifetime": LIFETIME, **SIDES[request.param]()}
    return lambda keys=KEY: SessionManager(keys, **settings)


@pytest.fixture
def ann(side, events):
    """A browser that is logged in."""
    browser = Browser(side())
    browser.visit(every(login("ann"), put("text", TEXT)))
    events.clear()
    return browser


def cut(header):
    """The first token without its last characters, as where a client cuts long values."""
    first, *rest = header.split("; ")
    return "; ".join([first[:-20], *rest])


SPOILT = {
    "junk": lambda header: f"{NAME}=junk",
    "empty": lambda header: f"{NAME}=",
    "cut": cut,
    "a comma inside": lambda header: header.replace("=", "=AQ,", 1),
    "a quote": lambda header: header.replace("=", '="', 1),
    "percent": lambda header: header.replace("=", "=%41", 1),
}
spoilt = pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)


def answer(manager, header, view):
    session = manager.open(header)
    view(session)
    return list(manager.commit(session).cookies)


READS = {
    "read": len,
    "check_csrf": lambda session: session.check_csrf("x"),
    "renew": lambda session: session.renew(),
    "clear": lambda session: session.clear(),
    "save": lambda session: session.save(),
    "taken back": lambda session: session.update(a=1) or session.clear(),
}
WRITES = {"write": put("a", 1), "login": login("ann"), "token": lambda session: session.csrf_token()}


@spoilt
@pytest.mark.parametrize("view", READS.values(), ids=READS)
def test_what_does_not_open_is_left_alone_by_what_writes_nothing(side, ann, spoil, view):
    assert answer(side(), spoil(ann.header), view) == []


@spoilt
@pytest.mark.parametrize("view", WRITES.values(), ids=WRITES)
def test_what_does_not_open_is_deleted_by_no_write_and_what_is_written_takes_its_place(side, ann, spoil, view):
    lines = answer(side(), spoil(ann.header), view)
    assert (issued(lines), expired(lines)) == ([NAME], [])


@spoilt
def test_what_does_not_open_is_deleted_by_a_logout(side, ann, spoil):
    header = spoil(ann.header)
    names = [pair.partition("=")[0] for pair in header.split("; ")]
    assert expired(answer(side(), header, lambda session: session.invalidate())) == names


@pytest.mark.parametrize("comma", [",", ", "])
def test_what_a_comma_hides_is_deleted_by_a_logout_and_by_nothing_else(side, ann, comma):
    header = f"theme=dark{comma}{ann.header.replace('; ', comma)}"
    assert expired(answer(side(), header, lambda session: session.invalidate())) == list(ann.cookies)
    for view in (*READS.values(), *WRITES.values()):
        assert expired(answer(side(), header, view)) == []


@pytest.mark.parametrize("view", [clear, every(clear, lambda session: session.save())], ids=["commit", "save"])
def test_a_session_that_became_empty_takes_nothing_along_that_did_not_open(clock, view):
    world = World(overflow=MemoryStore(), clock=clock).with_overflow()
    browser = world.browser(put("text", "x" * 5000))
    assert list(browser.cookies) == [REF]
    assert expired(answer(world.manager, f"{browser.header}; {NAME}=junk", view)) == [REF]


# What is good elsewhere, or later


@pytest.fixture
def ahead(side, events):
    """A browser whose login was made by a server with the next key."""
    browser = Browser(side(Keyring(OTHER_KEY, [KEY])))
    browser.visit(every(login("ann"), put("text", TEXT)))
    events.clear()
    return browser


def test_a_login_under_a_key_that_this_server_lacks_is_there_again_on_one_that_has_it(side, ahead, events):
    for _ in range(3):
        assert ahead.visit(manager=side(KEY)) == []
    assert ahead.owner() == "ann"
    assert {event.reason for event in events if isinstance(event, SessionRejected)} <= {"unknown-key", "forged"}


def test_a_login_from_the_future_is_there_again_once_the_clock_is_right(side, ann, clock):
    clock.advance(-DAY)
    assert ann.read() == {}
    assert ann.visit() == []
    clock.advance(DAY)
    assert ann.owner() == "ann"


def test_what_came_in_quotes_or_in_front_of_a_comma_counts(side, ann):
    quoted = "; ".join(f'{name}="{value}"' for name, value in ann.cookies.items())
    for header in (quoted, f"{ann.header}, theme=dark"):
        assert side().open(header).owner == "ann"
        assert answer(side(), header, len) == []


# What is said


CAUSES = {
    "unknown-key": "a server without the new key, or a key that left the ring",
    "future": "this clock is behind",
}


def rejected(events):
    return [event for event in events if isinstance(event, SessionRejected)]


def test_a_key_that_is_not_in_the_ring_is_named_as_the_cause(make, events):
    browser = Browser(make(OTHER_KEY))
    browser.visit(put("a", 1))
    events.clear()
    browser.visit(manager=make(KEY))
    (event,) = rejected(events)
    assert (event.reason, event.cause) == ("unknown-key", CAUSES["unknown-key"])


def test_a_clock_that_is_behind_is_named_as_the_cause(make, clock, events):
    browser = Browser(make())
    browser.visit(put("a", 1))
    events.clear()
    clock.advance(-DAY)
    browser.visit()
    (event,) = rejected(events)
    assert (event.reason, event.cause) == ("future", CAUSES["future"])


@pytest.mark.parametrize(
    "header", [f"theme=dark, {NAME}={{}}", f"theme=dark,{NAME}={{}}; b=2", f"a=1; theme=dark ,  {NAME}={{}}"]
)
def test_a_session_that_stands_behind_a_comma_is_told_of_as_what_it_is(make, events, header):
    browser = Browser(make())
    browser.visit(login("ann"))
    events.clear()
    session = make().open(header.format(browser.token))
    assert session.owner is None
    assert rejected(events) == [SessionRejected("joined", None, JOINED)]


def test_pieces_of_which_some_stand_behind_a_comma_are_told_of_too(make, events):
    browser = Browser(make(cookie=CookiePolicy(max_bytes=256, chunks=5)))
    browser.visit(put("text", TEXT))
    events.clear()
    assert dict(browser.manager.open(browser.header.replace("; ", ", "))) == {}
    assert [event.cause for event in rejected(events)] == [JOINED]


@pytest.mark.parametrize("value", ["junk", "", "A" * 99])
def test_where_nothing_is_known_no_cause_is_named(make, events, value):
    make().open(f"{NAME}={value}").get("a")
    (event,) = rejected(events)
    assert event.cause == ""


def test_a_comma_in_another_cookie_is_not_named_as_the_cause(make, events):
    make().open(f"list=1,2; {NAME}=junk; theme=dark, light=1").get("a")
    (event,) = rejected(events)
    assert (event.reason, event.cause) == ("malformed", "")


def test_a_comma_in_another_cookie_is_no_event_where_there_is_no_session(make, events):
    make().open('list="1,2"; theme=dark,light').get("a")
    assert events == []


# In the log


def lines(caplog):
    return [message for message in caplog.messages if message.startswith("session.rejected")]


def test_one_cause_is_logged_once_a_minute_with_a_count_and_the_callable_gets_every_event(make, clock, events, caplog):
    caplog.set_level(logging.INFO, "cookiesess")
    manager = make()
    for second in range(121):
        answer(manager, f"{NAME}=junk", len)
        clock.advance(1)
        assert len(rejected(events)) == second + 1
    assert lines(caplog) == [
        "session.rejected reason=malformed kid=None",
        "session.rejected reason=malformed kid=None (and 59 more since it was logged last)",
        "session.rejected reason=malformed kid=None (and 59 more since it was logged last)",
    ]


def test_another_cause_is_logged_at_once(make, caplog):
    caplog.set_level(logging.INFO, "cookiesess")
    manager, other = make(), Browser(make(OTHER_KEY))
    other.visit(put("a", 1))
    for header in (f"{NAME}=junk", other.header, f"{NAME}=junk", other.header):
        answer(manager, header, len)
    assert [line.partition(" kid")[0] for line in lines(caplog)] == [
        "session.rejected reason=malformed",
        "session.rejected reason=unknown-key",
    ]
