"""The figures that the repository keeps, what they were counted with, and an older tree to count where that differs."""

import io
import json
import platform
import re
import sqlite3
import ssl
import subprocess
import tarfile
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from benchmarks.instructions_callgrind import ROOT

FILE = Path(__file__).with_name("instructions.json")
_MISSING = "–"
_PACKAGES = ("cryptography", "ormsgpack", "itsdangerous", "Flask", "Werkzeug", "pyramid", "WebOb", "Django")


class NoSuchRevisionError(Exception):
    """The library is to be counted as it was at a revision that git does not have here."""


class Record(NamedTuple):
    """What was counted once: the versions of all that takes part, and the figures by row."""

    versions: Mapping[str, str]
    figures: Mapping[str, int]

    @classmethod
    def read(cls, path: Path) -> "Record":
        """Return what `path` holds; an empty record where there is no such file."""
        if not path.exists():
            return cls({}, {})
        return cls(**json.loads(path.read_text()))

    def write(self, path: Path) -> None:
        """Keep it in `path`, a line for each row, so that a change of one is a change of one line."""
        path.write_text(json.dumps(self._asdict(), indent=2, ensure_ascii=False) + "\n")


def versions() -> dict[str, str]:
    """Return what the figures depend on besides this library, by name."""
    from cryptography.hazmat.backends.openssl import backend

    return {
        "Python": f"{platform.python_implementation()} {platform.python_version()}, {platform.python_compiler()}",
        "C library": " ".join(platform.libc_ver()),
        "machine": _machine(),
        "OpenSSL": f"{ssl.OPENSSL_VERSION}; in cryptography {backend.openssl_version_text()}",
        "SQLite": sqlite3.sqlite_version,
        "valgrind": _valgrind(),
        **{package: _installed(package) for package in _PACKAGES},
    }


def differences(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return a line for each version that differs.

    Valgrind is no difference where it is missing: what is counted without it does not depend on it.
    """
    names = [name for name in {**then, **now} if then.get(name) != now.get(name)]
    names = [name for name in names if name != "valgrind" or now[name] != _MISSING]
    return [f"{name}: recorded {then.get(name, _MISSING)}, here {now.get(name, _MISSING)}" for name in names]


def unpack(revision: str, directory: Path) -> str:
    """Put the library as it was at a revision of git into `directory`; return the revision's hash.

    Raises:
        NoSuchRevisionError: There is none here.
    """
    try:
        commit = _git("rev-parse", "--short", f"{revision}^{{commit}}").decode().strip()
        archive = _git("archive", commit, "cookiesess")
    except (OSError, subprocess.CalledProcessError) as error:
        stderr = getattr(error, "stderr", b"") or str(error).encode()
        raise NoSuchRevisionError(
            f"the library at {revision} is to be counted, and git has none: {stderr.decode().strip()}; in a shallow"
            " clone fetch one commit more (git fetch --deepen=1), or name another with --against"
        ) from error
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(directory, filter="data")
    return commit


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout


def _machine() -> str:
    """Return the processor's kind: the C library and OpenSSL choose other code where it can do more."""
    try:
        flags = set(re.findall(r"\w+", Path("/proc/cpuinfo").read_text()))
    except OSError:
        flags = set()
    return ", ".join([platform.machine(), *(flag for flag in ("aes", "avx2") if flag in flags)])


def _valgrind() -> str:
    try:
        done = subprocess.run(["valgrind", "--version"], capture_output=True, text=True, check=True)
    except OSError:
        return _MISSING
    return done.stdout.strip().removeprefix("valgrind-")


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return _MISSING
