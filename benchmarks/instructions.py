"""Instructions that sessions add to a request: ``python -m benchmarks.instructions`` (`make count`), or of some rows.

Time on a shared machine scatters by a factor of two; the instructions of one request, as valgrind's callgrind counts
them, are the same within about one per cent. Counted is what a request costs over the same framework's bare app,
once the code is warm: the typical session of ten keys and 275 bytes, two other cookies in the header, over HTTPS
unless a row says otherwise. Beside today's figures stand those that the repository keeps, and what is to be reached.

Names on the command line select the rows that hold one of them.
"""

import argparse
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.instructions_bounds import BOUNDS
from benchmarks.instructions_callgrind import PACKAGE, Counts, count, missing
from benchmarks.instructions_record import FILE, NoSuchRevisionError, Record, differences, unpack, versions
from benchmarks.instructions_rows import INSTRUCTIONS, ROWS, SLOPES, Row, Slope
from benchmarks.tables import table

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
    """Render the figures beside those of `source`, and beside what is to be reached."""
    units = {row.name: row.unit for row in ROWS}
    lines = []
    for name in [name for name in NAMES if name in now]:
        before, bound = then.get(name), BOUNDS.get(name)
        change = "–" if not before else f"{(now[name] / before - 1) * 100:+.1f} %"
        wanted = bound.shown(now[name], now) if bound else ""
        unit = units.get(name, INSTRUCTIONS)
        lines.append([name, unit, "–" if before is None else f"{before:,}", f"{now[name]:,}", change, wanted])
    return table(["a request, over the bare app", "unit", source, "today", "change", "to reach, at most"], lines)


def worse(now: Mapping[str, int], then: Mapping[str, int]) -> list[str]:
    """Return the rows that cost more than `WORSE` allows.

    Not those of peers; nor the slopes, small differences of large figures, whose rows are looked at themselves.
    """
    both = [row for row in ROWS if not row.peer and row.name in now and row.name in then]
    return [row.name for row in both if now[row.name] > then[row.name] * WORSE + row.scatter]


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


def at_revision(revision: str, rows: Sequence[Row], slopes: Sequence[Slope]) -> tuple[Mapping[str, int], str]:
    """Count `rows` with the library as it was at a revision; return the figures, and the revision's hash.

    Raises:
        NoSuchRevisionError: Git has none here.
    """
    with tempfile.TemporaryDirectory() as name:
        commit = unpack(revision, Path(name))
        figures, errors = counted([row for row in rows if not row.peer], slopes, library=Path(name))
    show(*(f"not counted at {commit}: {name}: {error}" for name, error in errors.items()))
    return figures, commit


def compared_with(
    options: argparse.Namespace, rows: Sequence[Row], slopes: Sequence[Slope], *, record: Record, other: Sequence[str]
) -> tuple[Mapping[str, int], str]:
    """Return the figures that today's are compared with, and what they are called.

    They are the record's, unless a commit was named, or there is something to check and the record is of `other`
    versions. A parent that is missing then checks nothing: CI's clone may be a shallow one, or this the first commit.

    Raises:
        SystemExit: There is no such commit as was named.
    """
    try:
        if options.against:
            return at_revision(options.against, rows, slopes)
        if options.check and other:
            return at_revision("HEAD~1", rows, slopes)
    except NoSuchRevisionError as error:
        if options.against:
            raise SystemExit(str(error)) from error
        show(f"nothing is checked: the record is of other versions, and {error}")
        return {}, "no parent"
    return record.figures, "recorded"


def worse_twice(rows: Sequence[Row], now: dict[str, int], then: Mapping[str, int]) -> list[str]:
    """Return the rows that are `worse`, and still are once they have been counted again: the lower count stays."""
    names = worse(now, then)
    again = count(row for row in rows if row.name in names).figures if names else {}
    now.update({name: min(now[name], figure) for name, figure in again.items()})
    return worse(now, then)


def main(argv: Sequence[str] | None = None) -> int:
    """Count, print, and record or check. Returns 1 where a row could not be counted, or is worse and is checked."""
    options = parser().parse_args(argv)
    rows, slopes = selected(options.names)
    if options.check:
        rows = [row for row in rows if not row.peer]
    record, here = Record.read(options.file), versions()
    other = differences(record.versions, here) if record.versions else []
    if options.record and other and options.names:
        raise SystemExit("the record is of other versions, so some rows alone cannot be added to it; record all")
    if missing():
        show(f"valgrind is not installed, so no instructions are counted: apt-get install {PACKAGE}")
    now, errors = counted(rows, slopes)
    then, source = compared_with(options, rows, slopes, record=record, other=other)
    slower = worse_twice(rows, now, then) if options.check else worse(now, then)
    show("; ".join(f"{name} {text}" for name, text in here.items()))
    show(*other)
    show(comparison(now, then, source=source))
    show(*(f"not counted: {name}: {error}" for name, error in errors.items()))
    show(*(f"more than {WORSE:.0%} of {source}: {name}" for name in slower))
    if options.record:
        kept = {**({} if other else record.figures), **now}
        Record(here, {name: kept[name] for name in NAMES if name in kept}).write(options.file)
    return int(bool(errors or (options.check and slower)))


if __name__ == "__main__":
    raise SystemExit(main())
