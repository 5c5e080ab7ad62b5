"""Adapters stand on what the core offers: none of them reaches behind an underscore of it."""

import ast
from pathlib import Path

import cookiesess

ROOT = Path(cookiesess.__file__).parent
# What `cookiesess.session.mapping.LoadedMapping` offers its subclasses.
PROTECTED = {"_load", "_storable", "_writable", "_leave_unanswered", "_context", "_csrf_secret"}
# Of a named tuple, which calls it so to keep it from being a field.
NAMED_TUPLE = {"_replace", "_fields"}


def private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def defined(trees: list[ast.Module]) -> set[str]:
    """Every name with an underscore that the files themselves define: functions, attributes, variables."""
    names = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            names |= {
                each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)
            }
    return names


def reaches(folder: Path) -> list[str]:
    files = sorted(folder.rglob("*.py"))
    trees = [ast.parse(path.read_text()) for path in files]
    known = defined(trees) | PROTECTED | NAMED_TUPLE
    return [
        f"{path.name}:{node.lineno} {node.attr}"
        for path, tree in zip(files, trees, strict=True)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and private(node.attr) and node.attr not in known
    ]


def test_no_adapter_reaches_behind_an_underscore_of_the_core():
    assert reaches(ROOT / "adapters") == []


def test_no_test_helper_of_the_users_does():
    assert reaches(ROOT / "testing") == []


def test_this_test_sees_what_it_forbids(tmp_path):
    (tmp_path / "bad.py").write_text("def view(session):\n    return session._working\n")
    assert reaches(tmp_path) == ["bad.py:2 _working"]
