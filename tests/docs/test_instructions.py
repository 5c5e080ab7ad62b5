"""The counting of instructions runs, compares and keeps its record; what it counts is for `make count`."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CALLS = "cookie read, Python calls"  # a row that needs no valgrind


def count(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.instructions", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


def rows_of(text: str) -> dict[str, list[str]]:
    """The cells behind each row's name."""
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    return {name: rest for name, *rest in cells[1:]}


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """A record of one row, made here and now."""
    path = tmp_path / "record.json"
    done = count(CALLS, "--record", "--file", path)
    assert done.returncode == 0, done.stderr
    return path


def rewrite(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed: apt-get install valgrind")
def test_instructions_stand_beside_those_recorded(tmp_path):
    path = tmp_path / "record.json"
    path.write_text(json.dumps({"versions": {}, "figures": {"http write": 1, "one list read": 1}}))
    done = count("http write", "one list read", "--record", "--file", path)
    assert done.returncode == 0, done.stderr
    shown, figures = rows_of(done.stdout), json.loads(path.read_text())["figures"]
    assert [*shown] == [*figures] == ["http write", "one list read"]
    for name, (unit, recorded, today, _) in shown.items():
        assert (unit, recorded) == ("instructions", "1")
        assert int(today.replace(",", "")) == figures[name] > 10_000


def test_a_row_that_did_not_get_worse_passes_the_check(record):
    done = count(CALLS, "--check", "--file", record)
    assert done.returncode == 0, done.stdout + done.stderr
    assert rows_of(done.stdout)[CALLS][-1] == "+0.0 %"


def test_a_row_that_got_worse_fails_the_check_and_is_named(record):
    figure = json.loads(record.read_text())["figures"][CALLS]
    rewrite(record, figures={CALLS: figure - 2})
    done = count(CALLS, "--check", "--file", record)
    assert done.returncode == 1
    assert f"more than 103% of recorded: {CALLS}" in done.stdout


def test_where_the_versions_differ_the_parent_commit_is_counted_and_compared_with(record):
    if subprocess.run(["git", "rev-parse", "HEAD~1:./benchmarks"], cwd=ROOT, capture_output=True).returncode:
        pytest.skip("no parent commit has this folder")
    rewrite(record, versions={"Python": "CPython 2.7"}, figures={CALLS: 1})
    done = count(CALLS, "--check", "--file", record)
    assert "Python: recorded CPython 2.7, here CPython 3" in done.stdout
    assert "| recorded" not in done.stdout
    assert int(rows_of(done.stdout)[CALLS][1]) > 1


def test_a_commit_that_is_not_there_is_named_with_what_to_do(record):
    done = count(CALLS, "--against", "no-such-commit", "--file", record)
    assert done.returncode == 1
    assert "the library at no-such-commit is to be counted" in done.stderr
    assert "--against" in done.stderr


def test_a_record_of_other_versions_is_replaced_as_a_whole_or_not_at_all(record):
    rewrite(record, versions={"Python": "CPython 2.7"})
    before = record.read_text()
    done = count(CALLS, "--record", "--file", record)
    assert done.returncode == 1
    assert "record all" in done.stderr
    assert record.read_text() == before


def test_a_name_that_no_row_has_is_refused():
    done = count("no such row")
    assert done.returncode == 1
    assert "no row's name holds 'no such row'" in done.stderr


def test_the_repository_keeps_a_figure_of_each_row():
    from benchmarks.instructions import NAMES
    from benchmarks.instructions_record import FILE, Record

    assert [*Record.read(FILE).figures] == [*NAMES]
