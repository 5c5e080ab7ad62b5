"""Flask-Login's own tests, run over the Flask adapter: fetched for the run, and nothing of them is kept.

As a plugin of pytest (``-p kit.flask_login_suite``) it has every Flask app that a test makes keep its sessions here.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import flask
import flask_login
import pytest

from cookiesess.adapters.flask import CookiesessInterface, bind_flask_login
from cookiesess.stores.memory import MemoryStore

SECONDS = 120
_FOLDERS = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]
_OUTCOME = re.compile(r"^(PASSED|FAILED|ERROR) \S+?::(\S+)", re.MULTILINE)


def fetch(folder: Path) -> Path | None:
    """Download the sources of the installed Flask-Login; return the folder of its tests, or None without a network."""
    name = f"flask-login=={version('flask-login')}"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--retries", "0"]
    command = [*pip, "--no-deps", "--no-binary", ":all:", "--dest", str(folder), name]
    if subprocess.run(command, check=False, capture_output=True, timeout=SECONDS).returncode != 0:
        return None
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as sources:
        sources.extractall(folder, filter="data")
    return next(folder.glob("*/tests"))


def outcomes(tests: Path, *, sessions: str, bound: bool) -> dict[str, str]:
    """Run the tests, and return the outcome of each by class and name.

    Args:
        tests: Their folder.
        sessions: Who keeps them: ``"flask"``, or here ``"cookie"`` or ``"store"``.
        bound: Whether each login manager is bound (`bind_flask_login`).
    """
    environment = {**os.environ, "SUITE_SESSIONS": sessions, "SUITE_BOUND": "yes" if bound else ""}
    environment["PYTHONPATH"] = os.pathsep.join(_FOLDERS)
    command = [sys.executable, "-m", "pytest", "-q", "-rpfE", "--tb=no", "-p", "no:cacheprovider", "-p", __name__]
    command += ["-W", "ignore", "--rootdir", str(tests), "-c", os.devnull, str(tests)]
    found = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=SECONDS)
    return {match[2]: match[1] for match in _OUTCOME.finditer(found.stdout)}


def pytest_configure(config: pytest.Config) -> None:
    """Put the adapter in the place of Flask's own sessions."""
    del config
    sessions = os.environ["SUITE_SESSIONS"]
    if sessions != "flask":
        settings: Any = {"store": MemoryStore()} if sessions == "store" else {}
        flask.Flask.session_interface = CookiesessInterface(**settings)
    if os.environ["SUITE_BOUND"]:
        _bind_all()


def _bind_all() -> None:
    init_app = flask_login.LoginManager.init_app

    def bound(self: Any, *arguments: Any, **options: Any) -> None:
        init_app(self, *arguments, **options)
        bind_flask_login(self)

    flask_login.LoginManager.init_app = bound
