"""Sixteen writers of one session, on every engine: nothing is lost, and nobody gives up."""

import contextlib
import threading

import pytest

from cookiesess.events import ConflictMerged
from cookiesess.stores.urls import open_store
from kit.browser import Browser
from kit.constants import SECONDS
from kit.servers.redis import prefix
from kit.threads import in_threads
from kit.views import count, put
from kit.world import World

WRITERS, ROUNDS = 16, 5
URLS = {
    "memory": lambda get: "memory://",
    "sqlite": lambda get: f"sqlite:///{get('tmp_path')}/sessions.db",
    "redis": lambda get: f"redis://127.0.0.1:{get('shared_redis').port}/0?timeout=20&prefix={prefix()}",
    "cluster": lambda get: f"redis+cluster://127.0.0.1:{get('shared_cluster').ports[0]}?timeout=20&prefix={prefix()}",
    "postgresql": lambda get: get("postgresql_store_url") + "?timeout=20",
    "mariadb": lambda get: get("mariadb_store_url") + "?timeout=20",
    "memcached": lambda get: f"memcached://127.0.0.1:{get('memcached_server').port}?timeout=20",
}


@pytest.fixture(params=URLS)
def world(request):
    with contextlib.closing(open_store(URLS[request.param](request.getfixturevalue))) as store:
        yield World(store)


def write(world, header, view_of):
    """Have every writer load the session before any of them writes it, round by round."""
    gate = threading.Barrier(WRITERS)

    def writer(number):
        for turn in range(ROUNDS):
            request = Browser(world, header).open(view_of(number, turn))
            gate.wait(SECONDS)
            request.finish()
            gate.wait(SECONDS)

    in_threads(*[lambda number=number: writer(number) for number in range(WRITERS)])


def most_lost(world):
    """How many races in a row a writer has lost."""
    return max((event.tries for event in world.events if isinstance(event, ConflictMerged)), default=0)


def test_a_counter_that_sixteen_writers_push_at_once_stands_exactly_right(world):
    browser = world.browser(put("n", 0))
    write(world, browser.header, lambda number, turn: count)
    assert browser.read() == {"n": WRITERS * ROUNDS}
    assert most_lost(world) < WRITERS


def test_distinct_keys_that_sixteen_writers_set_at_once_are_all_there(world):
    browser = world.browser(put("n", 0))
    write(world, browser.header, lambda number, turn: put(f"{number}/{turn}", turn))
    written = {f"{number}/{turn}": turn for number in range(WRITERS) for turn in range(ROUNDS)}
    assert browser.read() == {"n": 0, **written}
    assert most_lost(world) < WRITERS
