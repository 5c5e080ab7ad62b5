"""The page that compares: what it says was tried is what trying it finds, on the versions that are installed here."""

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "peers.md").read_text(encoding="utf-8")


HEAD = re.compile(r"\| +\| ")


def tables(text):
    """Return the tables of a text, by row and column; a column is a library's name, without its version."""
    found = []
    for block in text.split("\n\n"):
        if HEAD.match(block):
            head, _, *body = [[cell.strip() for cell in line[1:-1].split("|")] for line in block.strip().splitlines()]
            names = [name.rpartition(" ")[0] for name in head[1:]]
            found.append({row[0]: dict(zip(names, row[1:], strict=True)) for row in body})
    return found


def shown(block):
    return [line.strip("| ") for line in block.splitlines() if HEAD.match(line)]


@pytest.fixture(scope="module")
def tried():
    for name in ("Beaker", "Flask", "Flask-Session", "Django", "pyramid"):
        try:
            version(name)
        except PackageNotFoundError:
            pytest.skip(f"{name} is missing: pip install -e .[bench]")
    command = [sys.executable, "-m", "benchmarks.peers"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "left out" not in done.stdout
    return done.stdout


def test_each_cell_that_can_be_tried_is_what_trying_it_finds(tried):
    (found,) = tables(tried)
    compared = tables(PAGE)[1]
    assert [*found] == [*compared]
    for row, cells in found.items():
        for peer, cell in cells.items():
            if cell:
                assert compared[row][peer] == cell, f"{row}: {peer}"
            else:
                assert compared[row][peer] == "–" or compared[row][peer].endswith(" ²"), f"{row}: {peer}"


def test_the_versions_are_those_that_were_tried(tried):
    said = dict(name.rsplit(" ", 1) for name in shown(PAGE)[1].split(" | "))
    ran = dict(name.rsplit(" ", 1) for name in shown(tried)[0].split(" | "))
    assert {*said} == {*ran}
    for peer, number in said.items():
        assert ran[peer] == number or ran[peer].startswith(f"{number}."), peer


def test_no_cell_is_left_open():
    cells = [cell for table in tables(PAGE) for row in table.values() for cell in row.values()]
    assert len(cells) == 20 * 6
    assert not [cell for cell in cells if "?" in cell or not cell]
