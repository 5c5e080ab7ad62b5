"""What people deploy, beside what else they could: ``python -m benchmarks.deployed`` (`make bench`, three minutes).

Sessions in cookies, in stores and on frameworks, over HTTPS and plain HTTP, with two other cookies in each header, of
visitors who are logged in, and with all that sessions hold; first in one process, interleaved, and then behind
gunicorn. All figures are ratios: one unit is what reading a key of an encrypted cookie adds to a request. ``--write``
puts them into docs/speed.md and the README.
"""

import logging
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks import deployed_rows, served
from benchmarks.apps import available
from benchmarks.deployed_rows import COOKIE, IN_COOKIE, ON_FLASK, ON_FRAMEWORKS, SQLITE
from benchmarks.documents import fill, machine
from benchmarks.flows import FLOWS, USUAL, Costs, Entry, Race
from benchmarks.harness import run_interleaved
from benchmarks.overhead import BEAKER, parser
from benchmarks.server_side import BEAKER_MEMORY, DJANGO
from benchmarks.tables import table

PACKAGES = (
    "cookiesess",
    "cryptography",
    "ormsgpack",
    "itsdangerous",
    "Flask",
    "Werkzeug",
    "Beaker",
    "Django",
    "Pyramid",
    "Flask-Session",
    "cachelib",
    "gunicorn",
)
IN_README = (
    (COOKIE, BEAKER),
    (ON_FLASK, deployed_rows.FLASK),
    (deployed_rows.ON_PYRAMID, deployed_rows.PYRAMID),
    (deployed_rows.ON_DJANGO, deployed_rows.DJANGO),
    (SQLITE, DJANGO),
    (deployed_rows.MEMORY, BEAKER_MEMORY),
)
"""The rows that the README's sentence names: ours, and the peer beside it."""
READ = "read one key"
ROOT = Path(__file__).parents[1]


def shown(entries: Sequence[Entry], race: Race, *, unit: float, columns: Sequence[str], cookie: bool = False) -> str:
    """Render a table, in bold where a peer costs less than the row of ours that it is compared with.

    Args:
        entries: Its rows.
        race: In which they were timed.
        unit: In microseconds.
        columns: The names of the flows.
        cookie: With a last column that has the length of the session cookie's value.
    """
    costs: dict[str, Costs] = {entry.contestant.name: race.costs(entry) for entry in entries}
    rows = []
    for entry in entries:
        name, ours = entry.contestant.name, costs[entry.against].us if entry.against in costs else {}
        cells = [ratio(costs[name].us.get(flow), ours.get(flow), unit=unit) for flow in columns]
        last = [str(costs[name].cookie_bytes)] if cookie else []
        rows.append([name if entry.against else f"**{name}**", *cells, *last])
    return table(["over the bare app", *columns, *(["cookie bytes"] if cookie else [])], rows)


def ratio(us: float | None, ours: float | None, *, unit: float) -> str:
    """Return a cost in units; a dash where there is none, in bold where it is less than `ours`."""
    if us is None:
        return "–"
    text = _digits(us / unit)
    return f"**{text}**" if ours is not None and us < ours and text != _digits(ours / unit) else text


def _digits(value: float) -> str:
    return f"{max(value, 0.0):.1f}" if value < 9.95 else f"{value:.0f}"  # less than nothing is what measuring scatters


def in_process(directory: Path, cleanup: ExitStack, *, seconds: float) -> tuple[dict[str, str], list[str]]:
    """Time all rows in this process; return their tables by title, the README's sentence, and who was left out."""
    built, missing = available(*deployed_rows.contestants(directory, cleanup))
    by_title = deployed_rows.tables(built)
    race = Race(entry for entries in by_title.values() for entry in entries)
    run_interleaved(race.cells, seconds=seconds)
    unit = race.costs(by_title[IN_COOKIE][0]).us[READ]
    print(f"one unit is {unit:.1f} µs here")
    tables = {}
    for title, entries in by_title.items():
        columns = [flow for flow in FLOWS if any(flow in entry.flows for entry in entries)]
        tables[title] = shown(entries, race, unit=unit, columns=columns, cookie=title in (IN_COOKIE, ON_FRAMEWORKS))
    usual = {
        entry.contestant.name: race.costs(entry).us[READ] / unit
        for entries in by_title.values()
        for entry in entries
        if USUAL[0] in entry.flows
    }
    return {**tables, "the README's sentence": sentence(usual)}, missing


def sentence(units: Mapping[str, float]) -> str:
    """Return one sentence on what reading a key costs, of the pairs that were timed.

    Args:
        units: What it costs, by row.
    """
    pairs = [(ours, peer) for ours, peer in IN_README if ours in units and peer in units]
    parts = [f"{_digits(units[ours])} with *{ours}* and {_digits(units[peer])} with *{peer}*" for ours, peer in pairs]
    return textwrap.fill(f"Reading one key costs {'; '.join(parts)}.", width=120, break_on_hyphens=False)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and write if asked to. The exit code says nothing about speed."""
    options = parser(__doc__)
    options.add_argument("--write", action="store_true", help="put the tables into docs/speed.md and the README")
    arguments = options.parse_args(argv)
    seconds = arguments.seconds or (10 if arguments.quick else 120)
    logging.getLogger("cookiesess").addHandler(logging.NullHandler())  # it warns, once, of plain HTTP
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, ExitStack() as cleanup:
        tables, missing = in_process(Path(name), cleanup, seconds=seconds)
    tables["behind gunicorn"], more = served.measured(seconds=seconds / 2)
    print(*(f"left out: {line}" for line in (*missing, *more)), sep="\n")
    tables["machine"] = machine(PACKAGES)
    for title, text in tables.items():
        print(f"\n### {title}\n\n{text}")
    if arguments.write:
        fill(ROOT / "docs" / "speed.md", tables, command="make bench")
        fill(ROOT / "README.md", tables, command="make bench")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
