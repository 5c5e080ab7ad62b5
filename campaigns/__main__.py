"""``python -m campaigns``: break each engine in each way, a minute each, and print what visitors met.

Names on the command line select the campaigns whose engine or fault holds one of them. The exit code is 1 where
something was lost or came back that docs/scaling.md promises.
"""

import argparse
from collections.abc import Sequence

from benchmarks.tables import table
from campaigns.campaign import VISITORS, run
from campaigns.engines import installed
from campaigns.faults import FAULTS, Fault
from campaigns.ledger import Ledger

HEAD = ["engine, fault", "requests", "acknowledged", "lost", "came back", "errors by kind", "longest"]


def selected(words: Sequence[str]) -> list[Fault]:
    """Return the campaigns that `words` name, all without any."""
    lowered = [word.lower() for word in words]
    return [fault for fault in FAULTS if not words or any(word in f"{fault.engine}, {fault.name}" for word in lowered)]


def row(fault: Fault, ledger: Ledger) -> list[str]:
    """Return a line of the table."""
    errors = ", ".join(f"{count} {kind}" for kind, count in ledger.errors.most_common())
    figures = [ledger.requests, ledger.acknowledged, ledger.lost, ledger.came_back]
    name = f"{fault.engine}, {fault.name}"
    return [name, *(f"{figure:,}" for figure in figures), errors or "–", f"{ledger.longest_seconds:.1f} s"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the campaigns one by one; each row is printed when it is known, and the table in the end."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("names", nargs="*", metavar="name", help="run those whose engine or fault holds one of these")
    options.add_argument("--seconds", type=float, default=60, help="how long each lasts (default: %(default)s)")
    options.add_argument("--visitors", type=int, default=VISITORS, help="how many at once (default: %(default)s)")
    arguments = options.parse_args(argv)
    rows, broken = [], []
    for fault in selected(arguments.names):
        name = f"{fault.engine}, {fault.name}"
        if not installed(fault.engine):
            print(f"{name}: the engine is not installed", flush=True)
            continue
        ledger = run(fault, seconds=arguments.seconds, visitors=arguments.visitors)
        if ledger is None:
            print(f"{name}: needs a small disk of its own, which could not be mounted", flush=True)
            continue
        rows.append(row(fault, ledger))
        print(" | ".join(rows[-1]), flush=True)
        if fault.promised and (ledger.lost or ledger.came_back):
            broken.append(name)
    print("", table(HEAD, rows), "", *(f"broke a promise: {name}" for name in broken), sep="\n")
    return int(bool(broken))


if __name__ == "__main__":
    raise SystemExit(main())
