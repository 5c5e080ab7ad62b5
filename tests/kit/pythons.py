"""The quick tests and the store contract by every other Python that is installed: ``python -m kit.pythons``.

Looked for are those that the package claims beside 3.11, in PATH and among pyenv's. None found is no failure, and is
said; ``COOKIESESS_REQUIRE_PYTHONS=3.12,3.13`` makes it one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.12", "3.13")
PATHS = [ROOT / "tests" / name for name in ("core", "adapters", "readers", "client", "server", "edge", "stores")]
PATHS += [ROOT / "tests" / "test_testing.py"]


def _runs(python: str, version: str) -> bool:
    """Whether it is that Python: a shim of pyenv may be in PATH for one that is not chosen."""
    code = f"import ssl, sqlite3, sys, venv; sys.exit('{version}' != '%d.%d' % sys.version_info[:2])"
    return subprocess.run([python, "-c", code], capture_output=True, check=False).returncode == 0


def find(version: str) -> str | None:
    """Return the path of a Python of that version, or None."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python{version}"), *map(str, sorted(versions.glob(f"{version}.*/bin/python")))]
    return next((path for path in candidates if path and _runs(path, version)), None)


def run_tests(python: str, version: str) -> int:
    """Install the package and what its tests need into a new environment, and run them; return pytest's exit code."""
    folder = ROOT / "build" / f"python{version}"
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([python, "-m", "venv", folder], check=True)
    own = str(folder / "bin" / "python")
    install = [own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--editable", f"{ROOT}[test-quick]"], check=True)
    print(f"Python {version}:", flush=True)
    options = ["--numprocesses", "auto", "--dist", "worksteal", "-m", "quick", "--hypothesis-profile", "quick"]
    return subprocess.run([own, "-m", "pytest", *options, *map(str, PATHS)], cwd=ROOT, check=False).returncode


def main() -> int:
    """Run them by each Python there is."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = {version: find(version) for version in VERSIONS if version != here}
    required = set(filter(None, os.environ.get("COOKIESESS_REQUIRE_PYTHONS", "").split(",")))
    missing = sorted(version for version, python in found.items() if python is None)
    print("not installed, and not tested:", ", ".join(missing) or "none", flush=True)
    codes = [run_tests(python, version) for version, python in found.items() if python is not None]
    return 1 if any(codes) or required & set(missing) else 0


if __name__ == "__main__":
    raise SystemExit(main())
