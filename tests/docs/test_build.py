"""What `make docs` refuses: a copy of the pages with something wrong, by the command of the Makefile."""

import ast
import importlib
import re

import pytest

from docs.building import build, built_once, copy_pages
from docs.pages import PAGES, ROOT, blocks

# What is put at the end of a page, and what the build must say of it; then what is taken out of a page of the API.
BROKEN_LINKS = {
    "[a page](no-such-page.md)": "no-such-page.md",
    "[a heading](walk.md#no-such-heading)": "no-such-heading",
    "![a picture](images/no-such-picture.png)": "no-such-picture.png",
    "[a file](deploy/no-such-file.conf)": "no-such-file.conf",
}
UNDOCUMENTED = {
    "cookiesess.Flash": ("session-forms", "autoclass"),
    "cookiesess.stores.memory.MemoryStore": ("stores", "autoclass"),
    "cookiesess.adapters.pyramid.session_factory": ("pyramid", "autofunction"),
}


@pytest.fixture(scope="module")
def refusal(tmp_path_factory):
    """What the build says to pages of which everything below is wrong."""
    pages = copy_pages(tmp_path_factory.mktemp("broken"))
    page = pages / "timeouts.md"
    page.write_text("\n\n".join([page.read_text(encoding="utf-8"), *BROKEN_LINKS]), encoding="utf-8")
    for name, (place, kind) in UNDOCUMENTED.items():
        page = pages / "api" / f"{place}.md"
        before, found, after = page.read_text(encoding="utf-8").partition(f".. {kind}:: {name}\n")
        assert found
        page.write_text(before + after, encoding="utf-8")
    twice = "# Lost\n\n```{eval-rst}\n.. autofunction:: cookiesess.check_csrf\n```\n"
    (pages / "howto" / "lost.md").write_text(twice, encoding="utf-8")
    status, warnings = build(pages)
    assert status == 1
    return warnings


def test_the_pages_build_without_a_warning_as_they_are_and_their_code_can_be_copied(tmp_path_factory):
    status, warnings, site = built_once(tmp_path_factory)
    assert (status, warnings) == (0, "")
    page = (site / "howto" / "login.html").read_text(encoding="utf-8")
    assert "copybutton.js" in page
    assert "pages.css" in page


def test_no_docstring_has_a_sentence_where_a_type_or_an_error_belongs(tmp_path_factory):
    # What stands before a colon under "Returns:" is taken for a type, and a line under "Raises:" for a class.
    *_, site = built_once(tmp_path_factory)
    for page in (site / "api").glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "Return type" not in text, page.name
        assert not re.search(r"<strong>[^<]*\.</strong> –", text), page.name


@pytest.mark.parametrize("says", BROKEN_LINKS.values())
def test_a_broken_link_fails(refusal, says):
    assert re.search(f"timeouts.md:\\d+: WARNING: .*{re.escape(says)}", refusal)


@pytest.mark.parametrize("name", UNDOCUMENTED)
def test_a_public_name_that_no_page_documents_fails(refusal, name):
    assert f"WARNING: {name} is public, and no page documents it" in refusal


def test_a_page_outside_of_the_table_of_contents_fails(refusal):
    assert re.search("lost.md: WARNING: document isn't included in any toctree", refusal)


def test_a_public_name_with_two_places_fails(refusal):
    assert re.search("WARNING: duplicate object description of cookiesess.*check_csrf", refusal)


def imports(path):
    """Yield module and name of what the Python blocks of a page take from the library."""
    for language, _, code in blocks(path):
        if language == "python":
            for node in ast.walk(ast.parse(code)):
                if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "cookiesess":
                    yield from ((node.module, alias.name) for alias in node.names)


@pytest.mark.parametrize("path", [ROOT / "README.md", *PAGES], ids=lambda path: path.stem)
def test_what_a_page_imports_is_public(path):
    for module, name in imports(path):
        assert name in importlib.import_module(module).__all__, (module, name)
