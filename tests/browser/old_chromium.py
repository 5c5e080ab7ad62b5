"""A Chromium that binds sessions to devices: version 150, fetched by ``apt-get download``; nothing is installed.

Today's Debian package has the feature switched off. Where the older one cannot be had, or does not start, the reason
is told in words. It lies in the folder that ``COOKIESESS_BINDING_CHROMIUM`` names, for good; else in one of this run's
own, which all workers of the run share, until the last of them has done with it.
"""

import fcntl
import os
import shutil
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path

VARIABLE = "COOKIESESS_BINDING_CHROMIUM"
VERSION = "150.0.7871.100-1~deb12u1"
WANTED = [f"{name}={VERSION}" for name in ("chromium", "chromium-common")]
MOST_SECONDS = 300
# The machine's package lists may be old or missing, and only root could renew them: the second try has its own.
PATIENCE = ("-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::https::Timeout=20")
UNPACKED = "unpacked"


class NotHere(Exception):
    """It cannot be had, and this is why."""


@contextmanager
def old_chromium(tmp_path_factory):
    """Yield the browser.

    Raises:
        NotHere: With the reason.
    """
    named, base = os.environ.get(VARIABLE), tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = Path(named) if named else shared / "old_chromium"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "users").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield fetched(folder)
        finally:
            if not named:
                _tidy(folder, users)


def _tidy(folder, users):
    """Remove what takes a third of a gigabyte, unless another worker still uses it."""
    with suppress(BlockingIOError):
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder / UNPACKED, ignore_errors=True)


def fetched(folder):
    """Return the browser in `folder`, where it is put first if it is not there.

    Raises:
        NotHere: With the reason.
    """
    with _alone(folder):
        executable = folder / UNPACKED / "usr/lib/chromium/chromium"
        if not executable.exists():
            _put(folder)
        version = _run("the start of Chromium 150", [executable, "--version"], folder)
        if f" {VERSION.partition('-')[0]} " not in version:
            raise NotHere(f"{executable} is another browser: {version.strip()[:100]}")
        return executable


@contextmanager
def _alone(folder):
    """Have one worker at a time look into the folder."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _put(folder):
    """Download and unpack it; it has its name only once it is whole."""
    for tool in ("apt-get", "dpkg"):
        if shutil.which(tool) is None:
            raise NotHere(f"{tool} is missing, by which Chromium 150 could be had")
    partial = folder / "partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    _download(partial)
    for package in partial.glob("*.deb"):
        _run("the unpacking", ["dpkg", "-x", package, partial / UNPACKED], partial)
        package.unlink()
    (partial / UNPACKED).rename(folder / UNPACKED)
    shutil.rmtree(partial)


def _download(partial):
    download = ["apt-get", *PATIENCE, "download", *WANTED]
    try:
        _run("the download", download, partial)
    except NotHere:
        lists = partial / "lists"
        (lists / "partial").mkdir(parents=True)
        own = ("-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={partial}", "-o", "APT::Sandbox::User=root")
        _run("the list of packages", ["apt-get", *PATIENCE, *own, "update", "-qq"], partial)
        _run("the download", [*download[:1], *own, *download[1:]], partial)


def _run(what, command, folder):
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=MOST_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotHere(f"Chromium {VERSION} cannot be had: {what} failed: {error}") from None
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if not line.startswith("W:")]
        raise NotHere(f"Chromium {VERSION} cannot be had: {what} failed: {' '.join(errors)[-200:]}")
    return done.stdout
