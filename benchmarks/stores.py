"""What a session costs on servers of its own: ``python -m benchmarks.stores``, with ``--throughput`` or ``--bytes``.

Starts Redis, PostgreSQL, MariaDB and memcached from their installed binaries, each pinned to one core, and measures on
another: what this library adds to a request, against the raw client's own commands and against its peers on the same
servers, all interleaved in one process. ``--throughput`` counts requests a second by threads and processes, ``--bytes``
weighs a hundred thousand sessions in each engine. The tables are Markdown, as docs/costs.md holds them.
"""

import argparse
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks import stores_bytes, stores_raw, stores_throughput, stores_trips
from benchmarks.documents import fill
from benchmarks.harness import SCENARIOS, Result, measure
from benchmarks.overhead import parser, versions
from benchmarks.stores_contestants import (
    DJANGO_DB,
    OURS,
    POSTGRESQL,
    REDIS,
    REDIS_PEERS,
    build_all,
)
from benchmarks.stores_raw import Pair
from benchmarks.stores_servers import ENGINES, Running, on_cores, running
from benchmarks.stores_trips import Trips
from benchmarks.tables import Bar, bars_table, table

PACKAGES = ("redis", "hiredis", "SQLAlchemy", "psycopg", "PyMySQL", "pymemcache", "Flask-Session", "Django", "Beaker")
PAGE = Path(__file__).parents[1] / "docs" / "costs.md"
MAX_OF_RAW, MAX_OF_BEST_PEER = 1.25, 0.65
_PEERS = {REDIS: REDIS_PEERS, POSTGRESQL: (DJANGO_DB,)}


def compare(started: Running, *, seconds: float) -> dict[str, str]:
    """Measure all contestants against each other and against the raw clients; return the tables by title."""
    trips = stores_trips.count(started.servers)
    with ExitStack() as cleanup:
        cleanup.enter_context(on_cores("client"))
        contestants, missing = build_all(started.servers, cleanup, with_memory=True)
        raw = stores_raw.pairs(started.servers, cleanup)
        sealed = stores_raw.token_and_record()
        calls = stores_raw.calls(started.servers, cleanup)
        least = {name: stores_raw.together(pair, sealed) for name, pair in raw.items()}
        print(versions(PACKAGES), *(f"left out: {line}" for line in missing), sep="\n")
        beside = [cell for pair in [*raw.values(), *least.values(), *calls.values(), sealed] for cell in pair]
        results = measure(contestants, seconds=seconds, beside=beside)
    typical = results["typical"]
    bars = [*bars_of_raw(typical, raw, sealed), *bars_of_peers(typical)]
    return {
        **{f"{shape} session": contestants_table(by_name, trips) for shape, by_name in results.items()},
        "beside its peers": peers_table(typical),
        "against the raw client": raw_table(typical, (raw, calls, least), sealed),
        "round trips": trips_table(trips),
        "bars": bars_table(bars),
    }


def contestants_table(results: Mapping[str, Result], trips: Mapping[str, Trips]) -> str:
    """Render what each contestant adds to a request, and its round trips."""
    rows = []
    for name, result in results.items():
        counted = trips.get(name, Trips(0, 0))
        costs = [f"{result.us[scenario] + 0.0:.0f}" for scenario in SCENARIOS]
        rows.append([name, *costs, f"{counted.read:g}", f"{counted.write:g}"])
    return table(["µs over the bare app", *SCENARIOS, "round trips a read", "a write"], rows)


def peers_table(results: Mapping[str, Result]) -> str:
    """Render how many times what ours costs its peers on the same server cost; in bold where one is ahead."""
    rows = []
    for ours, names in _PEERS.items():
        for name in [name for name in names if name in results and ours in results]:
            ratios = [results[name].us[scenario] / results[ours].us[scenario] for scenario in SCENARIOS[1:]]
            shown = [f"**{ratio:.2f}×**" if ratio < 1 else f"{ratio:.2f}×" for ratio in ratios]
            rows.append([name, ours, *shown])
    return table(["the cost of", "as a multiple of", *SCENARIOS[1:]], rows)


def raw_table(results: Mapping[str, Result], cells: tuple[Mapping[str, Pair], ...], sealed: Pair) -> str:
    """Render what a request to each of our stores cannot cost less than, and what it costs.

    Args:
        results: Of the typical session.
        cells: The raw client's, the store's own calls', and the raw client's with token and record.
        sealed: Token and record.
    """
    rows = []
    for name in cells[0]:
        for scenario in Pair._fields:
            raw, call, both = (getattr(kind[name], scenario).us for kind in cells)
            cost = results[name].us[scenario]
            store = f"{call:.1f} ({call / raw:.2f}×)"
            shown = [f"{raw:.1f}", store, f"{getattr(sealed, scenario).us:.1f}", f"{both:.1f}", f"{cost:.1f}"]
            rows.append([f"{name.removeprefix(OURS)}, {scenario}", *shown])
    return table(["µs", "raw client", "store alone", "token and record", "client, token, record", "cookiesess"], rows)


def bars_of_raw(results: Mapping[str, Result], raw: Mapping[str, Pair], sealed: Pair) -> list[Bar]:
    """Return what each store is to reach against its raw client: what a request costs without token and record."""
    bars = []
    for name, pair in raw.items():
        for scenario in Pair._fields:
            floor, own = (getattr(cells, scenario).us for cells in (pair, sealed))
            ratio = (results[name].us[scenario] - own) / floor
            bars.append(Bar(f"{name}: {scenario} less token and record, of the raw client's", ratio, MAX_OF_RAW))
    return bars


def bars_of_peers(results: Mapping[str, Result]) -> list[Bar]:
    """Return what is to be reached against the two best peers on the same server, as far as they took part.

    Two, since the best of all on Redis may be the one whose sessions never end: what it does is the raw client's own
    command, so nobody who does anything besides can be at 0.65 of it.
    """
    bars = []
    for ours, names in _PEERS.items():
        peers = [name for name in names if name in results]
        if ours not in results or not peers:
            continue
        for peer in sorted(peers, key=lambda name: results[name].us["read"])[:2]:
            ratio = results[ours].us["read"] / results[peer].us["read"]
            bars.append(Bar(f"{ours}: read, of {peer}", ratio, MAX_OF_BEST_PEER))
    return bars


def trips_table(trips: Mapping[str, Trips]) -> str:
    """Render our round trips beside each peer's, with what is wanted: fewer."""
    rows = []
    for ours, peers in _PEERS.items():
        for peer in peers:
            if ours in trips and peer in trips:
                pairs = zip(trips[ours], trips[peer], strict=True)
                rows.append([ours, peer, *[_compared(mine, theirs) for mine, theirs in pairs]])
    return table(["", "against", "a read", "a write"], rows)


def _compared(mine: float, theirs: float) -> str:
    words = "fewer" if mine < theirs else "as many" if mine == theirs else "MORE"
    return f"{mine:g} to {theirs:g}: {words}"


def options() -> argparse.ArgumentParser:
    """Return the command line."""
    arguments = parser(__doc__)
    arguments.add_argument("--throughput", action="store_true", help="requests a second by threads and processes")
    arguments.add_argument("--bytes", action="store_true", help="what sessions weigh in each engine")
    arguments.add_argument("--sessions", type=int, default=100_000, help="how many --bytes writes (%(default)s)")
    arguments.add_argument("--write", action="store_true", help="put what is compared into docs/costs.md")
    arguments.add_argument(
        "--engine", action="append", choices=ENGINES, help="only this server; may be repeated (default: all)"
    )
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print. The exit code says nothing about speed."""
    arguments = options().parse_args(argv)
    with running(arguments.engine or ENGINES) as started:
        print(*(f"left out: {line}" for line in started.missing), sep="\n", end="")
        if arguments.throughput:
            stores_throughput.run(started, seconds=arguments.seconds or (0.2 if arguments.quick else 1))
        elif arguments.bytes:
            stores_bytes.run(started.servers, sessions=2000 if arguments.quick else arguments.sessions)
        else:
            tables = compare(started, seconds=arguments.seconds or (12 if arguments.quick else 100))
            print(*(f"\n### {title}\n\n{text}" for title, text in tables.items()), sep="\n")
            if arguments.write:
                fill(PAGE, tables, command="make bench-stores")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
