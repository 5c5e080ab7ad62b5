"""The two type checkers, run over a folder of programs as a user runs them, in one process each."""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec

import pytest

from docs.pages import ROOT

# A program without annotations is checked for all else. Of what ships no types (webob, Bottle) nothing is said, and
# `app.wsgi_app = …` is how Flask has an app wrapped.
PLAIN = [
    "--ignore-missing-imports", "--allow-untyped-defs", "--allow-incomplete-defs", "--allow-untyped-calls",
    "--allow-untyped-decorators", "--allow-subclassing-any", "--disable-error-code=method-assign",
]  # fmt: skip
COMMANDS = {
    "mypy": ["mypy", "--strict", "--config-file=", "--cache-dir=/dev/null", "--follow-imports=silent", "--no-pretty"],
    "pyright": ["basedpyright", "--level", "error", "--pythonpath", sys.executable],
}
_ERROR = re.compile(r"^\s*\S*?(\w+)\.py:(\d+)(?::\d+)?(?:: | - )error: (.*)", re.MULTILINE)

all_checkers = pytest.mark.parametrize("checker", COMMANDS)


def check(checker, folder, *, annotated=True):
    """Return what a type checker finds wrong: file without its ending, line, message.

    `annotated`: the programs have annotations, and mypy holds them to all that ``--strict`` asks for. Else pyright
    makes no guesses at what ships no types, either.
    """
    command = COMMANDS[checker] if annotated or checker != "mypy" else [*COMMANDS[checker], *PLAIN]
    if find_spec(command[0]) is None:
        pytest.skip("install it: pip install '.[types]'")
    settings = {"typeCheckingMode": "standard", "extraPaths": [str(ROOT)], "useLibraryCodeForTypes": annotated}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    files = sorted(path.name for path in folder.glob("*.py"))
    done = subprocess.run(
        [sys.executable, "-m", *command, *files], cwd=folder, env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True, encoding="utf-8", timeout=900, check=False,
    )  # fmt: skip
    found = [(file, int(line), message) for file, line, message in _ERROR.findall(done.stdout)]
    assert done.returncode == bool(found), done.stdout + done.stderr
    return found
