"""How `make docs` builds these pages; a warning is an error there."""

import importlib
import pkgutil
from collections.abc import Iterator

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
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
    """Have the build fail for a public name that no page documents."""
    app.connect("env-check-consistency", _check_public_names)


def _check_public_names(_: Sphinx, env: BuildEnvironment) -> None:
    documented = set(env.get_domain("py").objects)  # type: ignore[attr-defined]
    for name in public_names():
        if name not in documented:
            logging.getLogger(__name__).warning("%s is public, and no page documents it", name)
