"""docs/architecture.md is compared with the source: what is drawn from it, and what its own sentences name."""

import ast
import importlib
import re
from contextlib import ExitStack
from difflib import unified_diff

import pytest

from benchmarks import hops
from cookiesess.session.decision import Action
from core.ladder import ROOT as PACKAGE
from core.ladder import tree_of
from docs.architecture_page import DRAWINGS, DRAWN, PAGE

TEXT = PAGE.read_text(encoding="utf-8")
OWN = DRAWN.sub("", TEXT)  # the sentences that somebody has written
FOLDERS = [path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()]


def rows_below(heading):
    """Return the rows of the table below a heading."""
    section = OWN.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\|.*", section, re.MULTILINE)[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_of_the_page_is_what_the_source_says(name):
    (shown,) = [match["shown"] for match in DRAWN.finditer(TEXT) if match["name"] == name]
    pair = shown.strip("\n").splitlines(), DRAWINGS[name]().splitlines()
    difference = "\n".join(unified_diff(*pair, f"{PAGE.name}, {name}", "the source", n=1, lineterm=""))
    if difference:
        pytest.fail(f"the code has changed, and `make map` draws the page anew:\n{difference}", pytrace=False)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("managers", ["CookieBackend", "StoreBackend", "OverflowBackend", "RevokingBackend", "Vault", "Envelope"]),
        ("request", ["Attachment", "Session ", "WorkingCopy", "Loaded", "Asked", "Done", "State", "Located"]),
    ],
)
def test_the_drawings_of_live_objects_reach_their_parts(name, parts):
    drawing = DRAWINGS[name]()
    assert [part for part in parts if f" {part}" not in drawing] == []


def test_each_idea_is_where_the_page_says():
    ideas = rows_below("Eight ideas")
    assert len(ideas) == 8
    for name, _, place in ideas:
        tree = tree_of(PACKAGE / place.strip("`"))
        defined = {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
        assert name.strip("`") in defined, f"{name} is not in {place}"


def exists(name):
    """Whether ``http.envelope.Envelope.read`` is a module, or something in one."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(["cookiesess", *parts[:count]]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            found = getattr(found, part, None)
        return found is not None
    return False


def test_what_the_sentences_name_exists():
    names = re.findall(rf"`((?:{'|'.join(FOLDERS)})(?:\.\w+)+)`", OWN)
    assert len(names) > 20
    assert [name for name in names if not name.endswith(".py") and not exists(name)] == []


def test_the_files_that_the_sentences_name_exist():
    paths = re.findall(r"`([\w/]+\.py)`", OWN)
    assert len(paths) > 15
    assert [path for path in paths if not (PACKAGE / path).is_file()] == []


def test_a_write_passes_the_files_that_the_page_lists(tmp_path):
    with ExitStack() as cleanup:
        travelled = hops.travel(hops.manager_of("SQLite", tmp_path, cleanup), "write")
    listed = [row[0].strip("`") for row in rows_below("One request")]
    assert listed == [*dict.fromkeys(hop.file for hop in travelled)]


def test_each_action_has_its_row():
    actions = [row[0].strip("`") for row in rows_below("The decision at commit") if len(row) == 3]
    assert actions == [action.name for action in Action]
