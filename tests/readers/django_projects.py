"""Django projects with sessions in a store, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kit.constants import SECRET
from readers.suite import value_of

WRITER = Path(__file__).with_name("django_store_writer.py")


class Project:
    """A running project; see django_store_writer.py."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def write(self, data: Mapping[str, Any], secret: str = SECRET) -> str:
        """Return the cookie of a response whose session holds `data`."""
        return value_of(self._ask({"verb": "write", "secret": secret, "data": data}))

    def run(self, code: str) -> None:
        """Run code in the project."""
        assert self._ask({"verb": "run", "code": code}) == "done\n"

    def _ask(self, order: Mapping[str, Any]) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the project has failed; its error is above"
        return answer


@contextmanager
def project(folder: Path, **settings: Any) -> Iterator[Project]:
    """Run a project with its database in a file of `folder`, unless `settings` say otherwise."""
    database = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "old.sqlite3")}}
    command = [sys.executable, str(WRITER), json.dumps({"DATABASES": database, **settings})]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=folder, encoding="utf-8", **pipes) as process:
        yield Project(process)
