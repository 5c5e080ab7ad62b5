"""What an operator hears before users do, and what the error says when it is too late."""

import pytest

from cookiesess import CookiePolicy, CookieTooLarge
from cookiesess.events import SessionNearLimit
from cookiesess.stores.memory import MemoryStore
from kit.constants import LIMIT_BYTES, MAX_BYTES, NAME, REFRESH
from kit.lines import sizes
from kit.probe import Probe
from kit.views import every, login, persist, put, renew
from kit.world import World


def world_of(**policy):
    return World(cookie=CookiePolicy(**policy))


def near(world):
    return [event for event in world.events if isinstance(event, SessionNearLimit)]


def too_large(world, view, verb="commit"):
    """Return the error of a session that does not fit."""
    session = world.manager.open("")
    view(session)
    with pytest.raises(CookieTooLarge) as caught:
        session.save() if verb == "save" else world.manager.commit(session)
    return caught.value


# The event


@pytest.mark.parametrize(
    "policy", [{}, {"chunks": 3}, {"chunks": 5}, {"persistent": True}, {"samesite": "Strict"}], ids=str
)
def test_it_is_said_of_every_session_beyond_80_per_cent_of_the_limit_and_of_no_other(policy):
    world = world_of(max_bytes=MAX_BYTES, **policy)
    limit = MAX_BYTES * policy.get("chunks", 1)
    for letters in range(limit // 2 - 100, limit):
        world.events.clear()
        try:
            lines = world.browser().visit(put("x", "x" * letters))
        except CookieTooLarge:
            break
        size = sum(sizes(lines))
        assert near(world) == ([SessionNearLimit(size, limit)] if size > limit * 0.8 else [])
    assert size > limit * 0.95


def test_by_default_it_is_said_of_3275_bytes(memory):
    memory.use(cookie=CookiePolicy())
    said = []
    for letters in range(2300, 2400):
        (line,) = memory.browser().visit(put("x", "x" * letters))
        if near(memory):
            said += sizes([line])
    assert LIMIT_BYTES * 0.8 < min(said) <= 3277


def test_it_is_said_with_every_cookie_that_is_issued(memory):
    browser = memory.browser(put("x", "x" * 200))
    for view in (put("n", 1), renew, login("ann")):
        browser.visit(view)
        assert len(near(memory)) == 1
        memory.events.clear()
    memory.clock.advance(REFRESH)
    browser.visit()
    assert len(near(memory)) == 1


def test_it_is_not_said_where_no_cookie_is_issued(memory):
    browser = memory.browser(put("x", "x" * 200))
    browser.visit()
    request = browser.open(put("n", 1))
    request.session.save()
    assert near(memory) == []


def test_a_longer_max_age_counts_as_well():
    world = world_of(max_bytes=MAX_BYTES)
    for letters in range(100, 200):
        world.events.clear()
        world.browser().visit(put("x", "x" * letters))
        without = near(world)
        world.events.clear()
        lines = world.browser().visit(every(persist, put("x", "x" * letters)))
        if near(world) and not without:
            break
    assert near(world)[0].size_bytes == sum(sizes(lines))


def test_it_holds_sizes_and_nothing_of_the_session(memory):
    browser = memory.browser()
    browser.visit(every(login("rhubarb"), put("marmalade", "x" * 200)))
    (event,) = near(memory)
    assert str(event).startswith(f"session.near_limit size_bytes={event.size_bytes} limit_bytes={MAX_BYTES}: ")
    assert "overflow=" in str(event)
    assert "rhubarb" not in repr(event)
    assert "marmalade" not in repr(event)


# The error


@pytest.mark.parametrize("verb", ["commit", "save"])
@pytest.mark.parametrize(("policy", "limit"), [({}, LIMIT_BYTES), ({"chunks": 3}, 3 * LIMIT_BYTES)], ids=str)
def test_the_error_says_how_large_it_is_and_how_large_it_may_be(policy, limit, verb):
    world = world_of(**policy)
    error = too_large(world, put("x", "x" * 20_000), verb)
    assert (error.name, error.limit_bytes) == (NAME, limit)
    assert f"{error.size_bytes} bytes, and at most {limit}" in str(error)
    assert 20_000 * 4 / 3 < error.size_bytes < 20_000 * 4 / 3 + 800


@pytest.mark.parametrize("verb", ["commit", "save"])
@pytest.mark.parametrize("chunks", [1, 2, 3])
@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("settings", [{}, {"revocations": Probe(MemoryStore())}], ids=["plain", "revocations"])
def test_the_sizes_are_those_of_the_lines_to_the_byte(chunks, persistent, verb, settings):
    """The smallest session that does not fit is at most one step of base64 beyond the limit."""
    world = world_of(max_bytes=MAX_BYTES, chunks=chunks, persistent=persistent)
    world.use(**settings)
    limit, largest = MAX_BYTES * chunks, 0
    for letters in range(50, limit):
        try:
            largest = sum(sizes(world.browser().visit(put("x", "x" * letters))))
        except CookieTooLarge:
            break
    error = too_large(world, put("x", "x" * letters), verb)
    assert largest <= limit < error.size_bytes <= largest + 2


@pytest.mark.parametrize("owner", [None, "ann"])
def test_what_save_accepts_commit_accepts(memory, owner):
    """Also where the commit writes an ID and the generation of the owner's logins into the session."""
    memory.with_revocations()
    memory.manager.end_all("ann")
    for letters in range(100, 300):
        session = memory.manager.open("")
        session["x"] = "x" * letters
        if owner is not None:
            session.login(owner)
        try:
            session.save()
        except CookieTooLarge:
            break
        memory.manager.commit(session)
    assert letters < 299


def test_the_error_names_the_five_largest_keys_and_no_value():
    def fill(session):
        session["little"] = 1
        for size in (1000, 3000, 2000, 500, 400, 300):
            session[f"key{size}"] = "rhubarb!" * (size // 8)

    error = too_large(world_of(), fill)
    assert [key for key, _ in error.largest_keys] == ["key3000", "key2000", "key1000", "key500", "key400"]
    assert error.largest_keys[0][1] == 3003
    assert "'key3000' (3003 bytes), 'key2000'" in str(error)
    assert "rhubarb" not in str(error)


def test_the_error_names_the_three_ways_out():
    text = str(too_large(world_of(), put("x", "x" * 5000)))
    for way in ("store less", "overflow=", "CookiePolicy(chunks=…)", "compress=True"):
        assert way in text


def test_a_view_that_catches_the_error_may_go_on_with_less(memory):
    browser = memory.browser(put("a", 1))
    request = browser.open(put("x", "x" * 5000))
    with pytest.raises(CookieTooLarge):
        request.session.save()
    request.finish(put("x", "x"))
    assert browser.read() == {"a": 1, "x": "x"}


def test_a_session_that_did_not_fit_leaves_the_cookie_as_it_was(memory):
    browser = memory.browser(put("a", 1))
    with pytest.raises(CookieTooLarge):
        browser.visit(put("x", "x" * 5000))
    assert browser.read() == {"a": 1}


def test_nothing_is_revoked_for_a_login_that_does_not_fit(world):
    browser = world.with_revocations().browser(put("a", 1))
    with pytest.raises(CookieTooLarge):
        browser.visit(every(login("ann"), put("x", "x" * 5000)))
    assert browser.read() == {"a": 1}
