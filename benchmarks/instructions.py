"""Instructions that sessions add to a request: ``python -m benchmarks.instructions`` (`make count`), or of some rows.

Time on a shared machine scatters by a factor of two; the instructions of one request, as valgrind's callgrind counts
them, are the same within about one per cent. Counted is what a request costs over the same framework's bare app,
once the code is warm: the typical session of ten keys and 275 bytes, two other cookies in the header, over HTTPS
unless a row says otherwise. Beside today's figures stand those that the repository keeps.

Names on the command line select the rows that hold one of them.
"""

import argparse
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.harness import table
from benchmarks.instructions_callgrind import PACKAGE, Counts, count, missing
from benchmarks.instructions_record import FILE, Record, differences, unpack, versions
from benchmarks.instructions_rows import INSTRUCTIONS, ROWS, SLOPES, Row, Slope

NAMES = (*(row.name for row in ROWS), *(slope.name for slope in SLOPES))
"""All that the table can show, in its order."""

WORSE = 1.03
"""By this factor a row may be above what it is compared with, before `--check` fails: three times what scatters."""


def selected(words: Sequence[str]) -> tuple[list[Row], list[Slope]]:
    """Return the rows and the slopes whose names hold one of `words`, all without any; a slope brings its rows.

    Raises:
        SystemExit: A word that no name holds.
    """
    lowered = [word.lower() for word in words]
    for word in lowered:
        if not any(word in name.lower() for name in NAMES):
            raise SystemExit(f"no row's name holds {word!r}; without names all rows are counted and shown")
    slopes = [slope for slope in SLOPES if _holds(slope.name, lowered)]
    needed = {name for slope in slopes for name in (slope.less, slope.more)}
    return [row for row in ROWS if row.name in needed or _holds(row.name, lowered)], slopes


def _holds(name: str, words: Sequence[str]) -> bool:
    return not words or any(word in name.lower() for word in words)


def counted(rows: Iterable[Row], slopes: Iterable[Slope], **where: Path) -> Counts:
    """Count `rows`, and work out `slopes`; ``library=`` has another tree counted."""
    figures, errors = count(rows, **where)
    for slope in slopes:
        if slope.less in figures and slope.more in figures:
            figures[slope.name] = round((figures[slope.more] - figures[slope.less]) / slope.steps)
    return Counts(figures, errors)


def comparison(now: Mapping[str, int], then: Mapping[str, int], *, source: str) -> str:
    """Render the figures beside those of `source`."""
    units = {row.name: row.unit for row in ROWS}
    lines = []
    for name in [name for name in NAMES if name in now]:
        before = then.get(name)
        change = "–" if not before else f"{(now[name] / before - 1) * 100:+.1f} %"
        unit = units.get(name, INSTRUCTIONS)
        lines.append([name, unit, "–" if before is None else f"{before:,}", f"{now[name]:,}", change])
    return table(["a request, over the bare app", "unit", source, "today", "change"], lines)


def worse(now: Mapping[str, int], then: Mapping[str, int]) -> list[str]:
    """Return the rows that cost more than `WORSE` allows.

    Not those of peers; nor the slopes, small differences of large figures, whose rows are looked at themselves.
    """
    both = [row.name for row in ROWS if not row.peer and row.name in now and row.name in then]
    return [name for name in both if now[name] > then[name] * WORSE]


def parser() -> argparse.ArgumentParser:
    """Return the options of the command line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("names", nargs="*", metavar="name", help="count the rows whose names hold one of these")
    options.add_argument("--record", action="store_true", help="keep today's figures; name the rows that got worse")
    options.add_argument(
        "--check",
        action="store_true",
        help="fail where a row is more than 3 %% worse than recorded; where the versions are not those of the record,"
        " than at the parent commit, which is then counted too",
    )
    options.add_argument("--against", metavar="REVISION", help="compare with this commit, whatever is recorded")
    options.add_argument("--file", type=Path, default=FILE, help="where the record is; by default %(default)s")
    return options


def show(*lines: str) -> None:
    """Print `lines` and an empty one, or nothing."""
    if lines:
        print(*lines, "", sep="\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Count, print, and record or check. Returns 1 where a row could not be counted, or is worse and is checked."""
    options = parser().parse_args(argv)
    rows, slopes = selected(options.names)
    record, here = Record.read(options.file), versions()
    other = differences(record.versions, here) if record.versions else []
    if options.record and other and options.names:
        raise SystemExit("the record is of other versions, so some rows alone cannot be added to it; record all")
    if missing():
        show(f"valgrind is not installed, so no instructions are counted: apt-get install {PACKAGE}")
    now, errors = counted(rows, slopes)
    then, source = record.figures, "recorded"
    if options.against or (options.check and other):
        with tempfile.TemporaryDirectory() as name:
            source = unpack(options.against or "HEAD~1", Path(name))
            then, old_errors = counted(rows, slopes, library=Path(name))
        show(*(f"not counted at {source}: {name}: {error}" for name, error in old_errors.items()))
    show("; ".join(f"{name} {text}" for name, text in here.items()))
    show(*other)
    show(comparison(now, then, source=source))
    show(*(f"not counted: {name}: {error}" for name, error in errors.items()))
    slower = worse(now, then)
    show(*(f"more than {WORSE:.0%} of {source}: {name}" for name in slower))
    if options.record:
        kept = {**({} if other else record.figures), **now}
        Record(here, {name: kept[name] for name in NAMES if name in kept}).write(options.file)
    return int(bool(errors or (options.check and slower)))


if __name__ == "__main__":
    raise SystemExit(main())
