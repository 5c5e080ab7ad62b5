"""`session` of the Flask adapter is `flask.session`, and both type checkers know its verbs."""

import subprocess
import sys
from importlib.util import find_spec

import flask
import pytest

from cookiesess.adapters.flask import session
from docs.pages import ROOT

STRICT = """
import os
from datetime import timedelta

from flask import Flask

from cookiesess.adapters.flask import Cookiesess, session

app = Flask(__name__)
Cookiesess(app, keys=os.environ["COOKIESESS_KEYS"])


@app.post("/login")
def login() -> str:
    session.login("user-42")
    session.remember(timedelta(days=30))
    session.permanent = True
    session["cart"] = [1]
    owner: str | None = session.owner
    return f"{owner} {session.get('cart')}"
"""
WRONG = STRICT.replace('session.login("user-42")', "session.login(42)")
CHECKERS = {
    "mypy": ["mypy", "--strict", "--check-untyped-defs", "--config-file=", "--no-incremental"],
    "pyright": ["basedpyright", "--level", "error"],
}


def check(checker, folder):
    """Return the exit code of a type checker, and what it said of a folder."""
    if find_spec(CHECKERS[checker][0]) is None:
        pytest.skip("install it: pip install '.[types]'")
    configuration = folder / "pyrightconfig.json"
    configuration.write_text(f'{{"typeCheckingMode": "standard", "extraPaths": ["{ROOT}"]}}', encoding="utf-8")
    command = [sys.executable, "-m", *CHECKERS[checker], *sorted(path.name for path in folder.glob("*.py"))]
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    return answer.returncode, answer.stdout + answer.stderr


all_checkers = pytest.mark.parametrize("checker", CHECKERS)


def test_it_is_flasks_own():
    assert session is flask.session


@all_checkers
def test_a_strict_checker_accepts_the_verbs(checker, tmp_path):
    (tmp_path / "shop.py").write_text(STRICT, encoding="utf-8")
    code, said = check(checker, tmp_path)
    assert code == 0, said


@all_checkers
def test_a_strict_checker_refuses_a_wrong_owner(checker, tmp_path):
    (tmp_path / "shop.py").write_text(WRONG, encoding="utf-8")
    code, said = check(checker, tmp_path)
    assert code == 1
    assert '"login"' in said
