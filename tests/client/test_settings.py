"""Which combinations of overflow, chunks, compression and revocations can be built, and what the others are told."""

from datetime import timedelta

import pytest

from cookiesess import ConfigurationError, CookiePolicy, Lifetime, SessionManager
from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore
from kit.constants import KEY
from kit.probe import Probe


def keeping():
    """A store that forgets nothing before its time."""
    return Probe(MemoryStore())


def refused(**settings):
    with pytest.raises(ConfigurationError) as caught:
        SessionManager(KEY, **settings)
    assert KEY not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("chunks", [0, -1, 6, True, False, 2.0, "2", None])
def test_another_number_of_chunks_is_refused(chunks):
    with pytest.raises(ConfigurationError, match=r"chunks is .*; it is a whole number from 1 to 5"):
        CookiePolicy(chunks=chunks)


@pytest.mark.parametrize("max_bytes", [0, -1, 255, 4094, 1 << 20, True, 512.0, "512", None])
def test_another_limit_is_refused(max_bytes):
    with pytest.raises(ConfigurationError, match=r"max_bytes is .*; it is a whole number from 256 to 4093"):
        CookiePolicy(max_bytes=max_bytes)


@pytest.mark.parametrize("chunks", [1, 5])
@pytest.mark.parametrize("max_bytes", [256, 4093])
def test_the_ends_of_both_ranges_are_allowed(chunks, max_bytes):
    policy = CookiePolicy(chunks=chunks, max_bytes=max_bytes)
    assert (policy.chunks, policy.max_bytes, len(policy.chunk_names)) == (chunks, max_bytes, chunks)


@pytest.mark.parametrize("name", ["overflow", "revocations"])
def test_what_is_for_sessions_in_cookies_is_refused_for_those_in_a_store(name):
    text = refused(store=MemoryStore(), **{name: keeping()})
    assert text == f"{name} is for sessions in cookies, and store= keeps them on the server; leave one out"


@pytest.mark.parametrize("name", ["overflow", "revocations"])
@pytest.mark.parametrize("wrong", [{}, MemoryStore])
def test_a_store_is_a_store(name, wrong):
    text = refused(**{name: wrong})
    assert text.startswith(f"{name} is a {type(wrong).__name__}; write {name}=")


@pytest.mark.parametrize("name", ["overflow", "revocations"])
def test_a_key_in_the_place_of_a_store_is_not_repeated(name):
    text = refused(**{name: KEY})
    assert text.startswith(f"{name}: a store URL begins with")
    assert KEY not in text


def test_a_store_of_revocations_that_evicts_is_refused():
    text = refused(revocations=MemoryStore())
    assert "revocations needs a store that keeps records until they expire" in text
    assert "SQLiteStore" in text


def test_an_overflow_store_that_evicts_is_allowed():
    SessionManager(KEY, overflow=MemoryStore())


def test_revocations_without_an_absolute_timeout_are_refused():
    text = refused(revocations=keeping(), lifetime=Lifetime(absolute=None))
    assert "absolute" in text
    SessionManager(KEY, overflow=keeping(), lifetime=Lifetime(absolute=None))


@pytest.mark.parametrize("seconds", [-1, True, 1.5, "5", None, timedelta(seconds=5)])
def test_the_seconds_of_the_cache_are_a_whole_number(seconds):
    text = refused(revocations=keeping(), revocation_cache_seconds=seconds)
    assert "write a whole number of seconds; with 0 each request asks" in text


def test_a_cache_of_revocations_without_revocations_is_refused():
    assert refused(revocation_cache_seconds=5).startswith("revocation_cache_seconds is about revocations")
    assert refused(overflow=keeping(), revocation_cache_seconds=5).startswith("revocation_cache_seconds is about")


def test_what_to_do_while_a_store_is_down_needs_one_of_the_three():
    assert "give store=, overflow= or revocations=" in refused(on_store_error="anonymous")
    for name in ("overflow", "revocations"):
        SessionManager(KEY, on_store_error="anonymous", **{name: keeping()})


def test_an_owners_sessions_are_limited_on_the_server_alone():
    for name in ("overflow", "revocations"):
        assert "max_sessions_per_owner" in refused(max_sessions_per_owner=3, **{name: keeping()})


def test_end_all_in_cookies_needs_revocations():
    for manager in (SessionManager(KEY), SessionManager(KEY, overflow=keeping())):
        with pytest.raises(ConfigurationError):
            manager.end_all("ann")


def test_one_store_may_be_for_both(tmp_path):
    store = SQLiteStore(tmp_path / "sessions.db")
    manager = SessionManager(KEY, overflow=store, revocations=store)
    session = manager.open("")
    session.login("ann")
    session["big"] = "x" * 5000
    (line,) = manager.commit(session).cookies
    header = f"{line.name}={line.value}"
    assert manager.open(header).owner == "ann"
    manager.end_all("ann")
    assert manager.open(header).owner is None
    store.close()


def test_an_overflow_store_tells_of_what_it_evicts():
    events, store = [], MemoryStore(max_sessions=1)
    manager = SessionManager(KEY, overflow=store, on_event=events.append)
    for _ in range(2):
        session = manager.open("")
        session["big"] = "x" * 5000
        manager.commit(session)
    assert "store.evicted" in [event.name for event in events]


def test_a_session_in_a_cookie_has_no_handle():
    manager = SessionManager(KEY)
    session = manager.open("")
    session["a"] = 1
    assert manager.handle_of(session) is None
