"""Runs the children that count, two at a time, and puts together what they and callgrind have found."""

import compileall
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.instructions_child import MARKS
from benchmarks.instructions_rows import INSTRUCTIONS, Row

ROOT = Path(__file__).parents[1]
PACKAGE = "valgrind"
"""The Debian package of the tool that counts."""

_AT_A_TIME = 2
_TIMEOUT_SECONDS = 1200
_TOTALS = re.compile(r"^totals: (\d+)", re.MULTILINE)


class Counts(NamedTuple):
    """The figure of each row that was counted, and of the others why not."""

    figures: dict[str, int]
    errors: dict[str, str]


def missing() -> bool:
    """Whether the tool that counts instructions is not installed."""
    return shutil.which("valgrind") is None


def count(rows: Iterable[Row], *, library: Path = ROOT) -> Counts:
    """Count `rows`; without valgrind, those that are of instructions are left out.

    Args:
        rows: Which; those of one group share a process.
        library: The directory that ``cookiesess`` is imported from. The apps are those of this file's neighbours.
    """
    for package in (library / "cookiesess", ROOT / "benchmarks"):
        compileall.compile_dir(package, quiet=2)  # nothing is compiled in a process that runs fifty times slower
    groups = [list(group) for _, group in groupby(sorted(rows, key=_group), key=_group)]
    counts = Counts({}, {})
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        for answer in (
            answer for answers in pool.map(partial(_counted, library=library), groups) for answer in answers
        ):
            if "error" in answer:
                counts.errors[answer["name"]] = answer["error"]
            else:
                counts.figures[answer["name"]] = round(answer["value"])
    return counts


def _group(row: Row) -> tuple[bool, str]:
    return row.unit == INSTRUCTIONS, row.group


def _counted(rows: Sequence[Row], *, library: Path) -> list[dict[str, Any]]:
    """Return the child's answer for each of `rows`, which are of one group."""
    under_callgrind = rows[0].unit == INSTRUCTIONS
    if under_callgrind and missing():
        return []
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "out"
        command = [sys.executable, "-P", "-m", "benchmarks.instructions_child", *(row.name for row in rows)]
        answers = [
            json.loads(line) for line in _run([*(_callgrind(out) if under_callgrind else ()), *command], library)
        ]
        for answer in answers:
            if "dumps" in answer:
                ours, bare = (_total(Path(f"{out}.{number}")) for number in answer["dumps"])
                answer["value"] = (ours - bare) / answer["requests"]
    return answers


def _callgrind(out: Path) -> Iterator[str]:
    yield from ("valgrind", "--quiet", "--tool=callgrind", "--dump-line=no")
    yield from (f"--callgrind-out-file={out}", *(f"--dump-before={mark}" for mark in MARKS))


def _run(command: Sequence[str], library: Path) -> list[str]:
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    environment |= {"PYTHONPATH": f"{library}{os.pathsep}{ROOT}", "PYTHONHASHSEED": "0", "LANG": "C.UTF-8"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout.splitlines()


def _total(dump: Path) -> int:
    found = _TOTALS.search(dump.read_text())
    assert found is not None, f"{dump} has no totals"
    return int(found[1])
