"""The import ladder, and which file of the package imports what; `test_ladder` holds one against the other.

``docs.architecture_page`` draws both. Read from the syntax tree of every file, so that an import inside a function or
behind a condition counts.
"""

import ast
from functools import cache
from pathlib import Path

import cookiesess

ROOT = Path(cookiesess.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

# From the ground up; a module may import from the rungs below its own, never from its own rung or one above. A folder
# (a name with a star) is one thing, whose files may build on each other. A new module is put where it belongs; if that
# is hard, the module is the problem.
LADDER = [
    {"errors"},
    {"events.*", "stores.*"},
    {"tokens.*"},
    {"session.*"},
    {"http.*"},
    {"backends.*"},
    {"manager.*"},
    {"wsgi.*"},
    {"cli.*", "adapters.*", "readers.*", "testing.*"},
    {"", "__main__"},
]


def name_of(path):
    """``backends/cookie.py`` as ``backends.cookie``, ``__init__.py`` as its folder."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def module_file(name):
    """Return the file of a module, which need not exist."""
    path = ROOT.joinpath(*name.split(".")) if name else ROOT
    return path.with_suffix(".py") if name and path.with_suffix(".py").is_file() else path / "__init__.py"


@cache
def tree_of(path):
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path):
    """Yield the full name of everything that a file imports: ``os``, ``cookiesess.errors.InvalidToken``."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)} imports relatively; write the full name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(path):
    """Yield the names of the package's modules that a file imports."""
    for full in imports(path):
        head, _, name = full.partition(".")
        if head != "cookiesess":
            continue
        while not module_file(name).is_file():
            name = name.rpartition(".")[0]
        yield name


def place_of(name):
    """Return a module's name on the ladder: its own, or that of its folder."""
    head = name.partition(".")[0]
    return f"{head}.*" if (ROOT / head).is_dir() and head else name


def rung(name):
    """Return how high a module stands."""
    found = [height for height, names in enumerate(LADDER) if place_of(name) in names]
    assert found, f"{name!r} stands on no rung; put it on the ladder in {__file__}, and type `make map`"
    return found[0]
