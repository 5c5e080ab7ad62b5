"""The tables that the benchmarks print: Markdown, as the documents hold them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from benchmarks.harness import SCENARIOS, Result


class Bar(NamedTuple):
    """Something to reach: `measured` at most `limit`, both shown as `unit` says."""

    what: str
    measured: float
    limit: float
    unit: str = "{:.2f}"


def fraction(value: float) -> str:
    """Return a ratio the way the bars are worded: one ninth is 1/9.0."""
    return f"1/{1 / value:.1f}" if 0 < value < 1 else f"{value:.2f}"


def bars_table(bars: Iterable[Bar]) -> str:
    """Render the bars, with whether each was reached in this run."""

    def show(bar: Bar, value: float) -> str:
        return fraction(value) if bar.unit == "fraction" else bar.unit.format(value)

    rows = [
        [bar.what, show(bar, bar.limit), show(bar, bar.measured), "reached" if bar.measured <= bar.limit else "MISSED"]
        for bar in bars
    ]
    return table(["to reach, on the typical session", "at most", "measured", ""], rows)


def results_table(results: Mapping[str, Result], reference: str) -> str:
    """Render one shape's results; in brackets how many times `reference`'s cost that is, where it took part."""
    base = results.get(reference)
    rows = []
    for name, result in results.items():
        row = [name]
        for scenario in SCENARIOS:
            us = result.us[scenario]
            # A cost near nothing makes ratios that mean nothing.
            ratio = f" ({us / base.us[scenario]:.1f}×)" if base and min(us, base.us[scenario]) >= 1 else ""
            row.append(f"{round(us, 1) + 0.0:.1f}{ratio}")  # adding 0.0 makes a zero of a -0.0
        rows.append([*row, str(result.value_bytes), str(len(result.cookie))])
    return table(["µs over the bare app", *SCENARIOS, "cookie value, bytes", "name=value"], rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Render Markdown that can also be read as plain text; numbers to the right."""
    grid = [list(head), *map(list, rows)]
    widths = [max(len(row[column]) for row in grid) for column in range(len(head))]
    lines = ["| " + " | ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) + " |" for row in grid]
    rule = "|" + "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])
