"""Whole sessions in Redis: through the manager, in parallel, and over connections that break."""

import threading
from contextlib import closing
from functools import partial

import pytest

from cookiesess import SessionMiddleware
from cookiesess.errors import StoreUnavailable
from cookiesess.stores.redis import RedisStore
from cookiesess.testing import CookieHeader, session_transaction
from kit.browser import Browser
from kit.constants import KEY
from kit.servers.proxy import Proxy
from kit.servers.redis import client_of, prefix
from kit.threads import in_threads
from kit.views import ann, count, invalidate, login, put, renew
from kit.world import World

WORKERS, TIMES = 8, 10


@pytest.fixture(params=["one server", "a Cluster"])
def world(request):
    if request.param == "one server":
        client = client_of(request.getfixturevalue("shared_redis").port)
    else:
        client = request.getfixturevalue("shared_cluster").client()
    with closing(RedisStore(client, prefix=prefix())) as store:
        yield World(store)


def devices(world, owner="ann"):
    return world.manager.sessions_of(owner)


def test_a_session_comes_back(world):
    browser = world.browser(put("who", {"name": "萧兮"}))
    assert browser.read() == {"who": {"name": "萧兮"}}


def test_a_session_that_ends_during_a_slow_request_stays_ended(world):
    browser = world.browser(ann)
    slow = browser.open()
    Browser(world, browser.header).visit(invalidate)
    slow.finish(put("late", 1))
    assert browser.read() == {}
    assert devices(world) == []


def test_a_counter_that_many_threads_push_stands_exactly_right(world):
    browser = world.browser(put("n", 0))

    def push():
        for _ in range(TIMES):
            Browser(world, browser.header).visit(count)

    in_threads(*[push] * WORKERS)
    assert browser.read()["n"] == WORKERS * TIMES


def test_all_sessions_of_a_user_end_at_once_but_the_one_kept(world):
    phone, laptop, kept = (world.browser(ann) for _ in range(3))
    bob = world.browser(login("bob"))
    request = kept.open()
    assert world.manager.end_all("ann", keep=request.session) == 2
    assert (phone.read(), laptop.read(), kept.read()) == ({}, {}, {"a": 1})
    assert len(devices(world)) == len(devices(world, "bob")) == 1
    assert bob.read() == {}


def test_a_renewed_session_is_listed_once(world):
    browser = world.browser(ann)
    browser.visit(renew)
    assert len(devices(world)) == 1


def test_a_middleware_serves_sessions_from_redis(world):
    middleware = SessionMiddleware(lambda environ, start_response: [], KEY, store=world.probe.inner)
    cookies = CookieHeader()
    with session_transaction(middleware.manager, cookies) as session:
        session["n"] = 1
    with session_transaction(middleware.manager, cookies) as session:
        assert session["n"] == 1


def test_a_request_that_reads_is_one_round_trip_and_one_that_writes_is_two(shared_redis):
    with Proxy(shared_redis.port) as proxy, closing(RedisStore(client_of(proxy.port), prefix=prefix())) as store:
        world = World(store)
        browser = world.browser(ann)
        browser.visit(put("warm", 1))
        before = proxy.round_trips
        browser.visit()
        assert proxy.round_trips - before == 1
        browser.visit(put("a", 2))
        assert proxy.round_trips - before == 3


def test_a_counter_stands_exactly_right_over_connections_that_lose_requests_and_answers(shared_redis):
    with (
        Proxy(shared_redis.port) as proxy,
        closing(RedisStore(client_of(proxy.port, retries=3), prefix=prefix())) as store,
    ):
        world = World(store)
        browser = world.browser(put("n", 0))
        for moment in ("before", "within", "after", "after", "after"):
            proxy.drop(moment, match=lambda data: b"EVALSHA" in data)

        def push():
            for _ in range(TIMES):
                Browser(world, browser.header).visit(count)

        in_threads(*[push] * WORKERS)
        assert not proxy._faults
        assert browser.read()["n"] == WORKERS * TIMES


def test_without_retries_a_counter_is_between_what_was_acknowledged_and_what_was_asked(shared_redis):
    with (
        Proxy(shared_redis.port) as proxy,
        closing(RedisStore(client_of(proxy.port, retries=0), prefix=prefix())) as store,
    ):
        world = World(store)
        browser = world.browser(put("n", 0))
        for moment in ("before", "after", "after"):
            proxy.drop(moment, match=lambda data: b"EVALSHA" in data)
        acknowledged, lock = [], threading.Lock()

        def push(number):
            try:
                Browser(world, browser.header).visit(count)
            except StoreUnavailable:
                return
            with lock:
                acknowledged.append(number)

        in_threads(*[partial(push, number) for number in range(24)])
        assert len(acknowledged) == 24 - 3
        assert 24 - 3 <= browser.read()["n"] <= 24
