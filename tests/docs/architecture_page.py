"""What docs/architecture.md shows of the source: files, ladder, tables, who holds whom, events, settings and stores.

``make map`` draws it anew. By hand: ``cd tests && PYTHONPATH=.. python -m docs.architecture_page``. Each drawing
stands between ``<!-- drawn: its name -->`` and ``<!-- end -->``.
"""

import ast
import re
from dataclasses import fields
from inspect import signature
from textwrap import fill, indent

from cookiesess import CookiePolicy, Lifetime, SessionMiddleware
from cookiesess.manager.settings import Settings
from cookiesess.session import decision, gate
from cookiesess.session.state import Origin
from core.ladder import FILES, LADDER, name_of, own_imports, place_of, rung, tree_of
from core.ladder import ROOT as PACKAGE
from docs.object_graph import KINDS, draw_manager, draw_request
from docs.pages import ROOT

PAGE = ROOT / "docs" / "architecture.md"
DRAWN = re.compile(r"(?<=<!-- drawn: )(?P<name>\w+) -->\n(?P<shown>.*?)(?=<!-- end -->)", re.DOTALL)
WIDTH = 120


# Parts of drawings


def first_line(node):
    """Return the first line of a docstring, in Markdown."""
    return ast.get_docstring(node).partition("\n")[0].replace("``", "`")


def item(head, text, *, depth=0):
    """Return an item of a list, broken into lines."""
    margin = "  " * depth
    return fill(f"- {head}: {text}", WIDTH, initial_indent=margin, subsequent_indent=f"{margin}  ",
                break_long_words=False, break_on_hyphens=False)  # fmt: skip


def table(header, rows):
    """Return a table."""
    cells = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def block(text):
    """Return a drawing as code."""
    return indent(text, "    ")


def written(place):
    """Return the name of a rung's module or folder, as the page writes it."""
    return f"{place[:-2]}/" if place.endswith(".*") else f"{place or '__init__'}.py"


def classes_of(path, base):
    """Yield the classes of a file that have `base` for a base."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ClassDef) and base in {ast.unparse(each) for each in node.bases}:
            yield node


# The drawings


def draw_files():
    """Every file with the first line of its docstring, folder by folder, from the ground up."""
    lines = []
    for path in sorted(FILES, key=lambda path: (rung(name_of(path)), *_key(path))):
        folder, depth = path.parent.relative_to(PACKAGE), len(path.relative_to(PACKAGE).parts) - 1
        inits = path.name == "__init__.py" and depth
        head = f"**`{folder}/`**" if inits else f"`{path.name}`"
        lines.append(item(head, first_line(tree_of(path)), depth=depth - bool(inits)))
    return "\n".join(lines)


def _key(path):
    """Sort the files of a folder before its subfolders, and ``__init__.py`` first."""
    *folders, name = path.relative_to(PACKAGE).parts
    return [part for folder in folders for part in (1, folder)] + [0, name != "__init__.py", name]


def draw_ladder():
    """Every rung from the top down, and what its modules import of the package."""
    order = [place for places in reversed(LADDER) for place in sorted(places)]
    needs = {place: set() for place in order}
    for path in FILES:
        place = place_of(name_of(path))
        needs[place] |= {place_of(name) for name in own_imports(path)} - {place}
    width = max(map(len, map(written, order))) + 2

    def line(place):
        return f"{written(place):{width}}{'  '.join(written(need) for need in order if need in needs[place])}".rstrip()

    return block("\n\n".join("\n".join(map(line, sorted(places))) for places in reversed(LADDER)))


def draw_origins():
    """Where a session may come from, in the words of `Origin`."""
    return "\n".join(item(f"`{origin.name}`", f"{origin.value}.") for origin in Origin)


def draw_decision():
    """The table of `decision`, in its own words; origins with the same rows share them."""
    shared = {}
    for origin, row in decision.TABLE.items():
        shared.setdefault(tuple(row.items()), []).append(f"`{origin.name}`")
    rows = [
        (", ".join(origins), happened.value, f"`{action.name}`: {action.value}")
        for row, origins in shared.items()
        for happened, action in row
    ]
    return table(["origin", "what happened", "what is done"], rows)


def draw_gate():
    """The table of `gate`: which error a write raises."""
    needs = [*gate.Needs]
    rows = []
    for stage, row in gate.TABLE.items():
        refusals = [row[need] for need in needs]
        errors = ["goes through" if refuse is None else f"`{type(refuse()).__name__}`" for refuse in refusals]
        rows.append([f"`{stage.name}`: {stage.value}", *errors])
    return table(["stage", *(f"it needs {need.value}" for need in needs)], rows)


def draw_managers():
    """Who holds whom in each kind of manager."""
    return "\n\n".join(f"`{kind}`:\n\n{block(draw_manager(kind))}" for kind in KINDS)


def draw_events():
    """Every event of the package: its name, its class, and the first line of that one's docstring."""
    lines = []
    for path in FILES:
        where = "" if place_of(name_of(path)) == "events.*" else f" (in `{path.relative_to(PACKAGE)}`)"
        events = classes_of(path, "Event")
        lines += [item(f"`{_event_name(node)}`", f"`{node.name}`{where}. {first_line(node)}") for node in events]
    return "\n".join(lines)


def _event_name(node):
    named = [each for each in node.body if isinstance(each, ast.AnnAssign) and ast.unparse(each.target) == "name"]
    return named[0].value.value


def draw_settings():
    """The names of all settings, by the class that takes them."""
    own = [name for name, each in signature(SessionMiddleware).parameters.items() if each.kind is each.KEYWORD_ONLY]
    groups = {
        "`SessionManager`": Settings.__annotations__,
        "`SessionMiddleware` besides": own,
        "`CookiePolicy`, which is `cookie=`": [field.name for field in fields(CookiePolicy) if field.init],
        "`Lifetime`, which is `lifetime=`": [field.name for field in fields(Lifetime) if field.init],
    }
    return "\n".join(item(group, ", ".join(f"`{name}`" for name in names)) for group, names in groups.items())


def draw_stores():
    """Every store of the package: its class, its file, and the first line of its docstring."""
    found = [(node, path.relative_to(PACKAGE)) for path in FILES for node in classes_of(path, "Store")]
    return "\n".join(item(f"`{node.name}`", f"`{file}`. {first_line(node)}") for node, file in found)


DRAWINGS = {
    "files": draw_files,
    "ladder": draw_ladder,
    "origins": draw_origins,
    "decision": draw_decision,
    "gate": draw_gate,
    "managers": draw_managers,
    "request": lambda: block(draw_request()),
    "events": draw_events,
    "settings": draw_settings,
    "stores": draw_stores,
}


def drawn(page):
    """Return `page` with each of its drawings as it should be."""
    return DRAWN.sub(lambda match: f"{match['name']} -->\n\n{DRAWINGS[match['name']]()}\n\n", page)


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
