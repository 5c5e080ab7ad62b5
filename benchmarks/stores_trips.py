"""Counts round trips: each contestant once more, in a process of its own, behind proxies that count.

A process of its own, since Django knows one set of settings a process, and its ports are in them.
"""

import multiprocessing
from contextlib import ExitStack
from typing import Any, NamedTuple

from benchmarks.harness import TYPICAL, App, ask
from benchmarks.stores_contestants import build_all
from benchmarks.stores_servers import Servers, kit

# The first requests open connections, prepare statements and load scripts.
_WARM_UP = 8
_COUNTED = 5


class Trips(NamedTuple):
    """Round trips of a request that reads, and of one that writes."""

    read: float
    write: float


def count(servers: Servers) -> dict[str, Trips]:
    """Return the round trips of each contestant whose servers are there, by name."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_count, (servers,))


def _count(servers: Servers) -> dict[str, Trips]:
    with ExitStack() as cleanup:
        proxies = {
            name: cleanup.enter_context(kit("proxy").Proxy(port))
            for name, port in servers._asdict().items()
            if port is not None
        }
        behind = Servers(**{name: proxy.port for name, proxy in proxies.items()})
        contestants, _ = build_all(behind, cleanup, with_memory=False)
        return {contestant.name: _of(contestant.build(TYPICAL), [*proxies.values()]) for contestant in contestants}


def _of(app: App, proxies: list[Any]) -> Trips:
    cookie = ask(app, "/first").cookie

    def trips(path: str) -> float:
        for _ in range(_WARM_UP):
            ask(app, path, cookie)
        before = sum(proxy.round_trips for proxy in proxies)
        for _ in range(_COUNTED):
            ask(app, path, cookie)
        return (sum(proxy.round_trips for proxy in proxies) - before) / _COUNTED

    return Trips(trips("/read"), trips("/write"))
