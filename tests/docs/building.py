"""Builds the pages of docs/ as `make docs` does: by the command of the Makefile, out of a copy."""

import fcntl
import json
import os
import shlex
import shutil
import subprocess
import sys

from docs.pages import ROOT


def copy_pages(folder):
    """Copy the pages to where what they include and link to is as well."""
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("_build"))
    for path in ROOT.glob("*.md"):
        shutil.copy(path, folder)
    for name in ("tests", "examples", "benchmarks", "campaigns"):
        (folder / name).symlink_to(ROOT / name)
    return folder / "docs"


def build(pages):
    """Run what `make docs` runs, with the interpreter of the tests; return its exit status and its warnings."""
    recipe = ["make", "--no-print-directory", "--dry-run", "--assume-old=.venv/.docs", "docs"]
    command = subprocess.run(recipe, cwd=ROOT, capture_output=True, check=True, text=True, timeout=30).stdout
    _python, *arguments = shlex.split(command.splitlines()[0])
    done = subprocess.run(
        [sys.executable, *arguments], cwd=pages.parent, capture_output=True, text=True, timeout=600, check=False
    )
    return done.returncode, done.stderr


def built_once(tmp_path_factory):
    """Build the pages as they are; return exit status, warnings and where the site is.

    Once for all processes of a run, since it takes a while.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder, outcome = shared / "site", shared / "site.json"
    with (shared / "site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not outcome.exists():
            folder.mkdir()
            outcome.write_text(json.dumps(build(copy_pages(folder))), encoding="utf-8")
    status, warnings = json.loads(outcome.read_text(encoding="utf-8"))
    return status, warnings, folder / "docs" / "_build" / "html"
