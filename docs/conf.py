"""How `make docs` builds these pages; a warning is an error there."""

import importlib
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

import cookiesess

project = "cookiesess"
version = release = cookiesess.__version__
copyright = "the cookiesess authors"  # noqa: A001 (the name that Sphinx reads)
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "cookiesess"
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

# What stands on the page of the API, beside `cookiesess.__all__`.
PUBLIC = {
    "cookiesess": cookiesess.__all__,
    "cookiesess.events": [event.__name__ for event in cookiesess.events.Event.__subclasses__()],
    "cookiesess.stores.base": ["Store", "Record", "Updated", "Conflict", "Gone"],
    "cookiesess.stores.urls": ["open_store"],
    "cookiesess.stores.memory": ["MemoryStore"],
    "cookiesess.stores.sqlite": ["SQLiteStore"],
    "cookiesess.stores.redis": ["RedisStore"],
    "cookiesess.stores.sql": ["SQLStore"],
    "cookiesess.stores.memcached": ["MemcachedStore"],
    "cookiesess.readers": importlib.import_module("cookiesess.readers").__all__,
    "cookiesess.testing": importlib.import_module("cookiesess.testing").__all__,
}


def setup(app: Sphinx) -> None:
    """Have the build fail for a public name that no page documents."""
    app.connect("env-check-consistency", _check_public_names)


def _check_public_names(_: Sphinx, env: BuildEnvironment) -> None:
    documented = set(env.get_domain("py").objects)  # type: ignore[attr-defined]
    if not Path(env.doc2path("api")).exists():
        return
    for module, names in PUBLIC.items():
        for name in names:
            if f"{module}.{name}" not in documented and name != "events":
                logging.getLogger(__name__).warning("%s.%s is public, and no page documents it", module, name)
