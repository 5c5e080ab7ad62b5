"""Every code block and transcript of the pages in docs/ is executed, page by page, in the order of the page."""

import logging
import re
from dataclasses import fields

import pytest
from webob import Response

import cookiesess
from cookiesess import SessionManager
from cookiesess.adapters.flask import PartitionedAlone, ShortSecretKey, UnreadSettings
from cookiesess.stores.memory import MemoryStore
from docs.pages import PAGES, ROOT, Shell, blocks, name_of
from kit.constants import KEY

# These pages have tests of their own, which know more about them.
ELSEWHERE = {"frameworks", "migrating", "scaling"}
# Not run, each for its reason.
NOT_RUN = {
    "pip install": "the tests have an environment already, and may have no network; `test_walk` types one",
    "waitress-serve": "it serves until somebody stops it; the app before it is run",
}


@pytest.fixture(autouse=True)
def _logger_as_it_was():
    """A page may quieten the library's logger, which all tests of this process share."""
    logger = logging.getLogger("cookiesess")
    level = logger.level
    yield
    logger.setLevel(level)


@pytest.fixture
def names(monkeypatch, tmp_path):
    """What the blocks take for granted: keys, an app, and the environ of a request with a server-side session."""
    monkeypatch.setenv("COOKIESESS_KEYS", KEY)
    monkeypatch.setenv("SECRET_KEY", "the framework's own key, of 32 bytes or more")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    manager = SessionManager(KEY, store=MemoryStore())
    for label in ("lost phone", "Firefox on Linux"):
        session = manager.open("")
        session.login("user-42")
        session.label = label
        manager.commit(session)
    return {
        "__name__": "__main__",
        "KEYS": KEY,
        "app": Response("hello"),
        "environ": {
            "cookiesess.session": manager.open(""),
            "cookiesess.cookies": manager.jar("theme=dark"),
            "cookiesess.manager": manager,
        },
    }


@pytest.mark.parametrize("path", [path for path in PAGES if name_of(path) not in ELSEWHERE], ids=name_of)
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


def test_the_version_of_the_changelog_is_the_package_s():
    assert f"\n## {cookiesess.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_table_of_events_says_what_the_code_says():
    page = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w.]+)` \| `(\w+)` \| ([A-Z]+) \| (.*?) \| ", page, re.MULTILINE)
    table = {name: (cls, level, re.findall(r"`(\w+)`", names)) for name, cls, level, names in rows}
    classes = [getattr(cookiesess.events, name) for name in cookiesess.events.__all__ if name != "Event"]
    assert len(rows) == len(table)
    assert table == {
        cls.name: (cls.__name__, logging.getLevelName(cls.level), [field.name for field in fields(cls)])
        for cls in [*classes, PartitionedAlone, ShortSecretKey, UnreadSettings]
    }
