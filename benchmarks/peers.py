"""Tries what docs/peers.md says of other libraries: ``python -m benchmarks.peers``, with the extra ``bench`` installed.

It prints a table: one row for each thing that is tried, one column for each library that is installed here, in its own
version. An empty cell was not tried. `peers_trials` has what is tried, `peers_shops` how each library is set up.
"""

import argparse
import logging
import tempfile
import warnings
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from benchmarks.apps import available, named
from benchmarks.peers_shops import BUILDERS, PEERS, Shop
from benchmarks.peers_trials import (
    Trial,
    copied_cookie_after_logout,
    headers_for_caches,
    key_is_changed,
    late_write_after_logout,
    names_that_speak_of_users,
    nested_change,
    parallel_writes,
    plain_in_the_store,
    too_much_for_a_cookie,
)


class Row(NamedTuple):
    """One thing to try.

    Attributes:
        what: As the table on the page has it.
        trial: Takes a shop to what the cell says.
        places: Where the sessions of those shops are that are tried. A library with several has all the answers.
        peers: Whose; of the others the page says what their documentation says.
    """

    what: str
    trial: Trial
    places: tuple[str, ...]
    peers: Iterable[str] = PEERS


ROWS = (
    Row('`s["cart"].append(x)` is saved', nested_change, ("cookie", "store")),
    Row("Encrypted in the store", plain_in_the_store, ("store",), ("cookiesess", "Flask-Session")),
    Row("New key, nobody logged out", key_is_changed, ("cookie", "store")),
    Row("Parallel writes, store", parallel_writes, ("store",)),
    Row("Parallel writes, cookie", parallel_writes, ("cookie",)),
    Row("Late write after a logout, store", late_write_after_logout, ("store",)),
    Row("Late write after a logout, cookie", late_write_after_logout, ("cookie",)),
    Row("A copied cookie after a logout, store", copied_cookie_after_logout, ("store",)),
    Row("A copied cookie after a logout, cookie", copied_cookie_after_logout, ("cookie",)),
    Row("Cookie over 4 KB", too_much_for_a_cookie, ("overflow", "cookie")),
    Row("Caches: `Vary`, `private`", headers_for_caches, ("cookie", "store")),
    Row("List and end a user's sessions, store", names_that_speak_of_users, ("store",), {*PEERS} - {"Django"}),
    Row("End a user's sessions, cookie", names_that_speak_of_users, ("cookie",)),
)


def open_shops(directory: Path, cleanup: ExitStack) -> tuple[list[Shop], list[str]]:
    """Return a shop for each library that is installed and each place, and the names of those that are missing."""
    builders = []
    for build in BUILDERS:
        own = directory / build.__name__
        own.mkdir()
        builders.append(named(build, own, cleanup))
    return available(*builders)


def cell(row: Row, peer: str, shops: Iterable[Shop]) -> str:
    """Return what came of it: each answer once, and nothing where nothing was tried."""
    if peer not in row.peers:
        return ""
    mine = [shop for place in row.places for shop in shops if (shop.peer, shop.place) == (peer, place)]
    return ", or ".join(dict.fromkeys(row.trial(shop) for shop in mine))


def table(shops: Sequence[Shop]) -> str:
    """Render what came of all trials, in Markdown."""
    peers = [peer for peer in PEERS if any(shop.peer == peer for shop in shops)]
    rows = [[row.what, *(cell(row, peer, shops) for peer in peers)] for row in ROWS]
    head = ["", *(f"{peer} {version(peer)}" for peer in peers)]
    return "\n".join("| " + " | ".join(each) + " |" for each in (head, ["---"] * len(head), *rows))


def main(argv: Sequence[str] | None = None) -> int:
    """Try everything and print the table. The exit code says nothing about anybody."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args(argv)
    logging.disable()  # what a library logs of a request that it refused is no result
    warnings.simplefilter("ignore")  # nor what it warns of at import; the one that counts is caught where it is tried
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, ExitStack() as cleanup:
        shops, missing = open_shops(Path(name), cleanup)
        print(table(shops), *(f"left out: {line}" for line in missing), sep="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
