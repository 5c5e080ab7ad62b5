"""The Python blocks of README and pages as programs that a type checker can read: each with what it takes for granted.

A block that uses names of earlier blocks of its page is one program with these. What no block of the page defines is
what the page says is there: ``KEYS``, ``app`` and ``environ``. A program has the lines of its page, the others left
empty, so that what a checker says of a line is said of the same line of the page.
"""

import ast
import builtins
import re
import symtable
from pathlib import Path
from typing import NamedTuple

from docs.pages import PAGES, ROOT, located_blocks

GIVEN = {
    "KEYS": "KEYS: str",
    "app": "from _typeshed.wsgi import WSGIApplication\napp: WSGIApplication",
    "environ": "from typing import Any\nenviron: dict[str, Any]",
}
READERS_APP = "shop.py"
"""Where several pages have the reader's own app stand."""
_ALWAYS = frozenset({*dir(builtins), "__name__"})


class Statement(NamedTuple):
    """A statement at the top of a block: its lines in the page, the names that it binds, reads, and may read later."""

    first: int
    last: int
    binds: set[str]
    reads: set[str]
    later: set[str]


class Block(NamedTuple):
    """A Python block: where it begins in its page, the file that it is to be saved as, and its statements."""

    line: int
    file: str | None
    statements: list[Statement]

    @property
    def defines(self):
        """The names that it defines."""
        return {name for each in self.statements for name in each.binds}

    @property
    def needs(self):
        """The names that it uses before it defines them, or without."""
        defined, needed = set(_ALWAYS), set()
        for each in self.statements:
            needed |= each.reads - defined
            defined |= each.binds
        return needed | {name for each in self.statements for name in each.later - defined}


def _block(line, file, code):
    return Block(line, file, [_statement(each, line - 1) for each in ast.parse(code).body])


def _statement(tree, above):
    """Return what a tree is, of a block with so many lines of the page above it."""
    decorators = getattr(tree, "decorator_list", [])
    first = min(each.lineno for each in (tree, *decorators))
    return Statement(above + first, above + tree.end_lineno, *_names(tree))


def _names(statement):
    """Return which names a statement binds, which ones it reads, and which ones functions in it will read."""
    table = symtable.symtable(ast.unparse(statement), "", "exec")
    binds = {each.get_name() for each in table.get_symbols() if each.is_assigned() or each.is_imported()}
    reads = {each.get_name() for each in table.get_symbols() if each.is_referenced()}
    later, inside = set(), table.get_children()
    while inside:
        child = inside.pop()
        inside += child.get_children()
        names = {each.get_name() for each in child.get_symbols() if each.is_referenced() and each.is_global()}
        at_once = child.get_type() == "class" or child.get_name() in {"listcomp", "setcomp", "dictcomp", "genexpr"}
        (reads if at_once else later).update(names)
    # What a `with` or a `for` binds is there in its body; what an assignment binds is not there on its right-hand side.
    return binds, reads if isinstance(statement, ast.Assign) else reads - binds, later


class Program(NamedTuple):
    """What a checker is given: its name, its page, the line of its block, and its text."""

    name: str
    page: Path
    line: int
    text: str


def programs():
    """Yield a program for each Python block of README and pages, and for each file that a page shows."""
    for page in (ROOT / "README.md", *PAGES):
        blocks = [_block(*rest) for language, *rest in located_blocks(page) if language == "python"]
        for index, block in enumerate(blocks):
            name = f"{_name(page)}_{block.line}"
            if block.file is not None and block.file != READERS_APP:
                name = Path(block.file).stem
            yield Program(name, page, block.line, _text(page, blocks[: index + 1]))
    for path in sorted((ROOT / "docs").glob("*/*.py")):
        yield Program(_name(path), path, 1, path.read_text(encoding="utf-8"))


def _name(path):
    """Return a module's name for what stands in a file."""
    return re.sub(r"\W", "_", str(path.relative_to(ROOT).with_suffix(""))).lower()


def _text(page, blocks):
    """Return the last of the blocks, with what it needs of those before, each on the lines that it has in its page."""
    *before, block = blocks
    earlier = [statement for each in before for statement in each.statements]
    taken, given = _needed(block, earlier)
    assert given <= GIVEN.keys(), (
        f"{page.name}:{block.line} uses {given - GIVEN.keys()}, which no block before it defines"
    )
    text = page.read_text(encoding="utf-8").splitlines()
    lines = [""] * len(text)
    lines[0] = f"from given import {', '.join(sorted(given))}" if given else ""
    for each in (*block.statements, *(earlier[index] for index in taken)):
        lines[each.first - 1 : each.last] = text[each.first - 1 : each.last]
    return "\n".join(lines).rstrip() + "\n"


def _needed(block, earlier):
    """Return which of the earlier statements a block needs, and which names no statement defines."""
    taken, given = set(), set()
    wanted = [(name, len(earlier)) for name in block.needs]
    while wanted:
        name, end = wanted.pop()
        found = next((index for index in reversed(range(end)) if name in earlier[index].binds), None)
        if found is None or (name in GIVEN and name in block.defines):
            given.add(name)
        elif found not in taken:
            taken.add(found)
            wanted += [(each, found) for each in earlier[found].reads - _ALWAYS]
            wanted += [(each, len(earlier)) for each in earlier[found].later - _ALWAYS]
    return taken, given
