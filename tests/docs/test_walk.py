"""The first ten minutes, typed in an environment that has nothing, from the installation on.

``COOKIESESS_REQUIRE_INSTALL=1`` runs it: it takes what it needs from a package index.
"""

import os
import shutil

import pytest

from docs.pages import KEYS, ROOT, Shell, blocks

pytestmark = pytest.mark.skipif(
    os.environ.get("COOKIESESS_REQUIRE_INSTALL") != "1",
    reason="it installs packages: COOKIESESS_REQUIRE_INSTALL=1 runs it",
)


def test_the_walk_can_be_typed_where_nothing_is_installed(tmp_path, monkeypatch):
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "cookiesess", tmp_path / "cookiesess")
    monkeypatch.delenv(KEYS, raising=False)
    shell = Shell(tmp_path, monkeypatch, bare=True)
    try:
        for _, file, code in blocks(ROOT / "docs" / "walk.md"):
            if file is None:
                shell.run(code)
            else:
                (tmp_path / "walk" / file).write_text(code, encoding="utf-8")
        assert (
            shell.run("$ python -c 'import sys, cookiesess; print(cookiesess.__file__)'\n…/venv/…/cookiesess/…") is None
        )
    finally:
        shell.close()
