"""The places of the documents that hold what a benchmark has printed, each behind a comment with its command."""

import os
import platform
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.overhead import versions


def fill(page: Path, tables: Mapping[str, str], *, command: str) -> None:
    """Put tables into a page, where ``<!-- COMMAND: TITLE -->`` … ``<!-- end -->`` keeps room for them.

    Room for a table that is not among them stays as it is: another run of the command may print that one.
    """
    text = page.read_text(encoding="utf-8")
    for title, table in tables.items():
        place = re.escape(f"<!-- {command}: {title} -->")
        room = re.compile(rf"({place}\n).*?(<!-- end -->)", re.DOTALL)
        text = room.sub(lambda found, table=table: f"{found[1]}\n{table}\n\n{found[2]}", text)  # type: ignore[misc]
    page.write_text(text, encoding="utf-8")


def machine(packages: Sequence[str]) -> str:
    """Return a paragraph that says what was measured, and on which machine."""
    lines = [f"Measured on {_processor()}, {platform.system()} {platform.release()}:"]
    for word in versions(packages).split(", "):
        line = f"{lines[-1]} {word},"
        lines[-1:] = [line] if len(line) <= 120 else [lines[-1], f"{word},"]
    return "\n".join(lines).removesuffix(",") + "."


def _processor() -> str:
    """Return the processor's name and how many cores of it are there."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return f"{os.cpu_count()} cores of {found[1] if found else platform.processor() or platform.machine()}"
