"""Both type checkers accept every Python block of README and pages, and the files that the pages show."""

import pytest

from docs.checkers import all_checkers, check
from docs.pages import PAGES, ROOT, located_blocks
from docs.programs import GIVEN, READERS_APP, programs

ALL = list(programs())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Every program in one folder, since a checker takes longer to begin than for all of them."""
    folder = tmp_path_factory.mktemp("examples")
    for each in ALL:
        (folder / f"{each.name}.py").write_text(each.text, encoding="utf-8")
    (folder / "given.py").write_text("\n".join(GIVEN.values()) + "\n", encoding="utf-8")
    (folder / READERS_APP).write_text(GIVEN["app"] + "\n", encoding="utf-8")
    return folder


@all_checkers
def test_a_checker_has_nothing_to_say_of_any_example(checker, folder):
    pages = {each.name: each.page.relative_to(ROOT) for each in ALL}
    found = {(str(pages[name]), line, message) for name, line, message in check(checker, folder, annotated=False)}
    assert not found, "\n".join(f"{page}:{line}: {message}" for page, line, message in sorted(found))


def test_every_block_is_a_program_of_its_own_name():
    shown = [(page, line) for page in (ROOT / "README.md", *PAGES) for kind, line, *_ in located_blocks(page)
             if kind == "python"]  # fmt: skip
    assert [(each.page, each.line) for each in ALL if each.page.suffix == ".md"] == shown
    assert len({each.name for each in ALL} | {"given", READERS_APP.removesuffix(".py")}) == len(ALL) + 2


@pytest.mark.parametrize("program", ALL, ids=lambda each: each.name)
def test_a_program_has_the_lines_of_its_page(program):
    page = program.page.read_text(encoding="utf-8").splitlines()
    first, *lines = program.text.splitlines()
    assert first in {"", page[0]} or first.startswith("from given import ")
    assert [(number, line) for number, line in enumerate(lines, 2) if line not in {"", page[number - 1]}] == []
