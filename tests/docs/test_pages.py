"""Every code block and transcript of the pages in docs/ is executed, page by page, in the order of the page."""

import os
from datetime import timedelta

import pytest
from webob import Response

import cookiesess
from cookiesess import SessionManager, SessionMiddleware
from cookiesess.stores.memory import MemoryStore
from docs.pages import ROOT, Shell, blocks

KEYS = "a key of the tests that is longer than 32 bytes"
# These pages have tests of their own, which know more about them.
ELSEWHERE = {"frameworks.md", "migrating.md", "scaling.md"}
PAGES = sorted(path for path in (ROOT / "docs").glob("*.md") if path.name not in ELSEWHERE)
# Not run, each for its reason.
NOT_RUN = {
    "pip install cookiesess": "it is not on a package index yet",
    "python -m venv": "the tests have an environment already, and one without access to a network",
}


@pytest.fixture
def names(monkeypatch, tmp_path):
    """What the blocks take for granted: keys, an app, and the environ of a request with a server-side session."""
    monkeypatch.setenv("COOKIESESS_KEYS", KEYS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    manager = SessionManager(KEYS, store=MemoryStore())
    other = manager.open("")
    other.login("user-42")
    manager.commit(other)
    return {
        "__name__": "__main__",
        "KEYS": KEYS,
        "app": Response("hello"),
        "environ": {
            "cookiesess.session": manager.open(""),
            "cookiesess.cookies": manager.jar("theme=dark"),
            "cookiesess.manager": manager,
        },
        "handle": manager.handle_of(other),
        "os": os,
        "session": manager.open(""),
        "timedelta": timedelta,
        "SessionMiddleware": SessionMiddleware,
    }


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_page_does_what_it_says(path, names, tmp_path, monkeypatch):
    shell = Shell(tmp_path, monkeypatch)
    try:
        for language, file, code in blocks(path):
            if any(words in code for words in NOT_RUN):
                continue
            if file is not None:
                (tmp_path / file).write_text(code, encoding="utf-8")
            elif language == "python":
                exec(compile(code, path.name, "exec"), names)
            elif language == "console":
                shell.run(code)
            else:
                assert language == "ini", f"{path.name} has a block of {language}, which nothing runs"
    finally:
        shell.close()


def test_every_page_is_in_the_table_of_contents():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for path in (ROOT / "docs").glob("*.md"):
        assert path.stem == "index" or f"\n{path.stem}\n" in index, path.name


def test_the_version_of_the_changelog_is_the_package_s():
    assert f"\n## {cookiesess.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
