"""Nothing is stored for nothing: empty sessions and floods of invented cookies leave no trace."""

import os

import pytest

from cookiesess import SessionManager
from cookiesess.events import SessionExpired, SessionRejected
from cookiesess.stores.memory import MemoryStore
from cookiesess.tokens.encoding import encode
from kit.browser import Browser
from kit.constants import KEY, NAME, OTHER_KEY
from kit.views import clear, drop, every, invalidate, persist, put, renew
from kit.world import World

FLOOD = 100_000


@pytest.mark.parametrize(
    "view",
    [
        len,
        dict,
        clear,
        renew,
        invalidate,
        persist,
        every(put("a", 1), drop("a")),
        every(put("a", 1), clear),
        lambda s: s.get("a"),
        lambda s: s.pop("a", None),
        lambda s: s.setdefault("a", 1) and s.pop("a"),
        lambda s: s.pop_flashes(),
        lambda s: (s.flash("x"), s.pop_flashes()),
        lambda s: s.check_csrf("x"),
        lambda s: s.update({}),
        lambda s: s.mutate(dict),
        lambda s: s.save(),
        lambda s: setattr(s, "label", "phone"),
    ],
)
def test_a_visitor_who_puts_nothing_into_the_session_creates_no_record(world, view):
    assert world.browser().visit(view) == []
    assert world.probe.taken() == []


@pytest.mark.parametrize("view", [lambda s: s.csrf_token(), lambda s: s.flash("x")])
def test_a_csrf_token_or_a_flash_for_an_anonymous_visitor_creates_a_session(world, view):
    assert len(world.browser().visit(view)) == 1
    assert world.probe.taken() == ["create"]


def test_assigning_what_is_there_already_writes_nothing(world):
    browser = world.browser(put("a", [1, {"b": 2}]))
    browser.visit(put("a", [1, {"b": 2}]))
    assert world.probe.taken() == ["load"]


def foreign(view, **settings):
    """The Cookie header of a session of another app."""
    return World(MemoryStore(), **settings).browser(view).header


def headers_that_do_not_open(world):
    """What a flood could consist of: nothing of it was sealed with a key of this ring for this purpose."""
    elsewhere = World(MemoryStore())
    elsewhere.use(OTHER_KEY)
    stranger = elsewhere.browser(put("a", 1)).header
    real = world.browser(put("a", 1)).header
    flipped = real[:-5] + ("A" if real[-5] != "A" else "B") + real[-4:]
    cookie = world.manager.jar("")
    cookie.sealed.set("other", "text")
    other_purpose = cookie.commit()[0].value
    own = [stranger, flipped, f"{NAME}={other_purpose}", f"{NAME}=", f"{NAME}=ä", f'{NAME}="', f"{NAME}={'A' * 4000}"]
    return own + [f"{NAME}={encode(os.urandom(size))}" for size in (0, 1, 44, 45, 78, 200)]


@pytest.mark.thorough
def test_a_flood_of_cookies_that_do_not_open_does_no_io_and_creates_nothing(world):
    headers = headers_that_do_not_open(world)
    world.probe.taken()
    manager = SessionManager(KEY, store=world.probe, clock=world.clock)
    for number in range(FLOOD):
        session = manager.open(headers[number % len(headers)])
        assert session.is_new
        manager.commit(session)
    assert world.probe.taken() == []


def test_each_of_them_is_an_event_and_never_an_error(world):
    headers = [header for header in headers_that_do_not_open(world) if header != f"{NAME}="]
    for header in headers:
        world.taken_events()
        assert world.manager.open(header).is_new
        assert [type(event) for event in world.taken_events()] == [SessionRejected]


def test_an_authentic_token_over_an_unknown_id_costs_one_load_and_is_never_adopted(world):
    """Whoever has planted the ID of a session that was never stored must not find a victim's session under it."""
    planted = foreign(put("a", 1))
    browser = world.browser(header=planted)
    assert browser.visit() == []
    assert world.probe.taken() == ["load"]
    assert world.taken_events() == [SessionExpired("unknown")]
    browser.visit(put("secret", 1))
    assert browser.header != planted
    assert Browser(world, planted).read() == {}


def test_a_flood_of_unknown_ids_creates_nothing(world):
    planted = foreign(put("a", 1))
    for _ in range(1000):
        Browser(world, planted).visit(dict)
    assert world.probe.taken() == ["load"] * 1000


def test_the_id_of_an_ended_session_is_not_adopted(world):
    browser = world.browser(put("a", 1))
    before = browser.header
    browser.visit(invalidate)
    other = world.browser(header=before)
    other.visit(put("b", 2))
    assert other.header != before
    assert Browser(world, before).read() == {}


def test_a_client_side_token_is_rejected_on_the_server_side(world):
    token = SessionManager(KEY, clock=world.clock)
    session = token.open("")
    session["a"] = 1
    (line,) = token.commit(session).cookies
    browser = world.browser(header=f"{line.name}={line.value}")
    assert browser.read() == {}
    assert world.taken_events() == [SessionRejected("plaintext", None)]
    assert world.probe.taken() == []


def test_a_server_side_token_is_rejected_on_the_client_side(world):
    browser = world.browser(put("a", 1))
    rejected = []
    manager = SessionManager(KEY, clock=world.clock, on_event=rejected.append)
    assert dict(manager.open(browser.header)) == {}
    assert rejected == [SessionRejected("plaintext", None)]


def test_a_signed_id_works_where_it_was_chosen_and_nowhere_else(world):
    sealed = world.browser(put("a", 1))
    world.use(encrypt=False)
    signed = world.browser(put("a", 2))
    assert (signed.read(), sealed.read()) == ({"a": 2}, {})
    world.use()
    assert (signed.read(), sealed.read()) == ({}, {"a": 1})


def test_of_several_cookies_the_first_that_opens_is_taken(world):
    browser = world.browser(put("a", 1))
    header = f"{NAME}=junk; {browser.header}"
    assert dict(world.manager.open(header)) == {"a": 1}
