"""How `make docs` builds these pages; a warning is an error there."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import cast

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

import cookiesess

project = "cookiesess"
version = release = cookiesess.__version__
copyright = "the cookiesess authors"  # noqa: A001 (the name that Sphinx reads)
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode", "sphinx_copybutton"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "cookiesess"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
# Of a transcript the commands alone are copied, without the `$`.
copybutton_prompt_text = "$ "
myst_heading_anchors = 3
# What stands in single backticks in a docstring is mostly a name of ours, and becomes a link where it is one.
default_role = "py:obj"
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
# Attributes of dataclasses are documented in their class's docstring, once.
napoleon_use_ivar = True
napoleon_custom_sections = [("Errors that any method may raise", "Raises")]


def public_names() -> Iterator[str]:
    """Yield what the library promises to keep: each name in the `__all__` of one of its modules."""
    for found in pkgutil.walk_packages(cookiesess.__path__, "cookiesess."):
        if not found.name.endswith(".__main__"):
            module = importlib.import_module(found.name)
            yield from (f"{found.name}.{name}" for name in getattr(module, "__all__", ()))
    yield from (f"cookiesess.{name}" for name in cookiesess.__all__ if name != "events")


def setup(app: Sphinx) -> None:
    """Have the build fail for a public name that no page documents, and mend what the pages would show wrongly."""
    app.connect("autodoc-process-docstring", _keep_returned_sentences, priority=400)  # before napoleon
    app.connect("env-check-consistency", _check_public_names)
    app.add_post_transform(StackedTables)


def _check_public_names(_: Sphinx, env: BuildEnvironment) -> None:
    documented = set(env.get_domain("py").objects)  # type: ignore[attr-defined]
    for name in public_names():
        if name not in documented:
            logging.getLogger(__name__).warning("%s is public, and no page documents it", name)


def _keep_returned_sentences(*arguments: object) -> None:
    """Give a sentence under "Returns:" an empty type, since what is before its colon would be taken for the type."""
    lines = cast(list[str], arguments[-1])
    for number in range(1, len(lines)):
        if lines[number - 1].strip() == "Returns:":
            lines[number] = re.sub(r"\S", r": \g<0>", lines[number], count=1)


class StackedTables(SphinxPostTransform):
    """Names the columns in the cells of a table with much text, so that pages.css can set its rows below each other."""

    default_priority = 500
    builders = ("html",)

    def run(self, **_: object) -> None:
        """Find these tables on a page."""
        for table in self.document.findall(nodes.table):
            names, *rows = [list(row.findall(nodes.entry)) for row in table.findall(nodes.row)]
            _, *widths = [max(len(cell.astext()) for cell in column) for column in zip(*rows, strict=True)]
            if len(names) > 2 and max(widths) > 60:
                last_has_most = len(names) > 3 and widths[-1] > 2 * max(widths[:-1])
                table["classes"].append("stacked" if last_has_most else "stacked-on-a-phone")
                for row in rows:
                    _name_columns(names, row)


def _name_columns(names: list[nodes.entry], row: list[nodes.entry]) -> None:
    for name, cell in list(zip(names, row, strict=True))[1:]:
        if cell.astext():
            cell.insert(0, nodes.container("", nodes.Text(name.astext()), classes=["column"]))
