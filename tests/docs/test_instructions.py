"""The counting of instructions runs, compares and keeps its record; what it counts is for `make count`."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cookiesess
from benchmarks.instructions import NAMES, comparison, worse
from benchmarks.instructions_bounds import BOUNDS, Bound
from benchmarks.instructions_record import FILE, Record

ROOT = Path(__file__).parents[2]
CALLS = "cookie read, Python calls"  # a row that needs no valgrind
DEARER = """

def get_session(source, _get=get_session):
    return (lambda: (lambda: (lambda: _get(source))())())()
"""


def count(*arguments: object, cwd: Path = ROOT, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the counting, with programs of `path` alone where that is given."""
    command = [sys.executable, "-m", "benchmarks.instructions", *map(str, arguments)]
    environment = {**os.environ, "PATH": os.environ["PATH"] if path is None else path}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)


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
    for name, (unit, recorded, today, *_) in shown.items():
        assert (unit, recorded) == ("instructions", "1")
        assert int(today.replace(",", "")) == figures[name] > 10_000


def test_a_row_that_did_not_get_worse_passes_the_check(record):
    done = count(CALLS, "--check", "--file", record)
    assert done.returncode == 0, done.stdout + done.stderr
    assert rows_of(done.stdout)[CALLS][3] == "+0.0 %"


def test_a_row_that_got_worse_fails_the_check_and_is_named(record):
    figure = json.loads(record.read_text())["figures"][CALLS]
    rewrite(record, figures={CALLS: figure - 2})
    done = count(CALLS, "--check", "--file", record)
    assert done.returncode == 1
    assert f"more than 103% of recorded: {CALLS}" in done.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The library and the counting, in a repository of their own, and with a record of other versions."""
    folder = tmp_path / "project"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(cookiesess.__file__).parent, folder / "cookiesess", ignore=ignore)
    shutil.copytree(ROOT / "benchmarks", folder / "benchmarks", ignore=ignore)
    record = {"versions": {"Python": "CPython 2.7"}, "figures": {CALLS: 1}}
    (folder / "benchmarks" / "instructions.json").write_text(json.dumps(record))
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    git = ["git", "-c", "user.name=Ann", "-c", "user.email=ann@shop.example"]
    subprocess.run([*git, "add", "."], cwd=folder, check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message", "A step"], cwd=folder, check=True)


def test_where_the_versions_differ_the_parent_commit_is_counted_and_compared_with(project):
    commit(project)
    done = count(CALLS, "--check", cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Python: recorded CPython 2.7, here CPython 3" in done.stdout
    assert "| recorded" not in done.stdout
    _, then, now, change, _ = rows_of(done.stdout)[CALLS]
    assert then == now != "1"
    assert change == "+0.0 %"


def test_a_commit_that_makes_a_row_dearer_than_its_parent_fails_the_check(project):
    with (project / "cookiesess" / "__init__.py").open("a") as file:
        file.write(DEARER)
    commit(project)
    done = count(CALLS, "--check", cwd=project)
    assert done.returncode == 1
    assert CALLS in done.stdout.splitlines()[-2]
    assert "more than 103% of " in done.stdout


def test_where_the_versions_differ_and_there_is_no_parent_nothing_is_checked(project):
    done = count(CALLS, "--check", cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing is checked: the record is of other versions, and the library at HEAD~1" in done.stdout
    assert rows_of(done.stdout)[CALLS][1] == "–"


def test_without_valgrind_the_package_is_named_and_the_rest_is_checked(record, tmp_path):
    done = count(CALLS, "cookie read", "--check", "--file", record, path=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "apt-get install valgrind" in done.stdout
    assert [*rows_of(done.stdout)] == [CALLS]
    assert "valgrind: recorded" not in done.stdout


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
    assert [*Record.read(FILE).figures] == [*NAMES]


def test_what_is_to_be_reached_is_of_rows_that_there_are():
    assert {*BOUNDS} | {bound.of for bound in BOUNDS.values() if bound.of} <= {*NAMES}


@pytest.mark.parametrize(
    ("figures", "shown"),
    [
        ({"cookie read": 100_000, "changed token": 130_000}, "130,000"),
        ({"cookie read": 100_000, "changed token": 143_000}, "130,000: missed by 10.0 %"),
        ({"changed token": 143_000}, ""),
    ],
)
def test_a_row_says_what_it_is_to_reach_and_by_how_much_it_is_missed(figures, shown):
    assert rows_of(comparison(figures, {}, source="recorded"))["changed token"][-1] == shown


def test_a_row_may_be_three_per_cent_worse_and_on_a_framework_what_its_request_scatters():
    then = {"cookie read": 100_000, "Django adapter read": 100_000, "Django's own read": 100_000}
    assert worse(dict.fromkeys(then, 103000), then) == []
    assert worse(dict.fromkeys(then, 104000), then) == ["cookie read"]
    assert worse(dict.fromkeys(then, 105000), then) == ["cookie read", "Django adapter read"]


def test_a_bound_adds_to_the_figure_of_another_row():
    assert Bound(3_000, of="cookie write").limit({"cookie write": 180_000}) == 183_000
