"""Real servers for the tests: each in a folder of its own, on a free loopback port, stopped by its own process."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

REQUIRE = "COOKIESESS_REQUIRE_SERVERS"
SECONDS = 60  # for how long a server may take to start or to stop before a test fails

# Debian puts these where no PATH leads.
_FOLDERS = [
    *os.get_exec_path(),
    "/usr/sbin",
    "/usr/local/sbin",
    *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"))),
]
# What the tests start, and the Debian package it comes from.
PACKAGES = {
    "redis-server": "redis-server",
    "postgres": "postgresql",
    "initdb": "postgresql",
    "mariadbd": "mariadb-server",
    "mariadb-install-db": "mariadb-server",
    "memcached": "memcached",
    "pgbouncer": "pgbouncer",
}


def find(binary: str) -> str | None:
    """The path of an installed server, or None."""
    return shutil.which(binary, path=os.pathsep.join(_FOLDERS))


def missing() -> list[str]:
    """What of all that the tests could start is not installed."""
    return [binary for binary in PACKAGES if find(binary) is None]


def need(binary: str) -> str:
    """The path of an installed server. Without it the test is skipped, or fails where the servers are required."""
    path = find(binary)
    if path is None:
        refuse = pytest.fail if os.environ.get(REQUIRE) == "1" else pytest.skip
        refuse(f"{binary} is not installed: apt-get install {PACKAGES[binary]}")
    return path


def free_port() -> int:
    """A loopback port that nobody listens on, below those that systems hand out to clients by themselves."""
    while True:
        port = random.randrange(20_000, 30_000)
        with closing(socket.socket()) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Server:
    """One server process.

    Args:
        command: What to run; the port and the folder are in it.
        port: The loopback port it will listen on.
        folder: Where its log goes, and whatever else it keeps.
        ready: Returns True once it answers, and False or raises while it does not.
        user: The system user that runs it, where it refuses to be run by root.
    """

    ends_by = signal.SIGTERM

    def __init__(
        self,
        command: Sequence[str | os.PathLike[str]],
        *,
        port: int,
        folder: Path,
        ready: Callable[[], object],
        user: str | None = None,
    ) -> None:
        self.command = [os.fspath(part) for part in command]
        self.host, self.port, self.folder = "127.0.0.1", port, folder
        self._ready = ready
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the server has not been started"
        return self._process

    def start(self) -> None:
        """Start it, and return once it answers."""
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, user=self._user
            )
        for _ in range(SECONDS * 50):
            if self._answers():
                return
            try:
                # Waits for its end, which would be an early one, and so for a moment.
                self.process.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
            break
        pytest.fail(f"{self.command[0]} did not start:\n{(self.folder / 'server.log').read_text()[-2000:]}")

    def _answers(self) -> bool:
        try:
            return bool(self._ready())
        except Exception:  # noqa: BLE001 (each client has its own way of saying: not yet)
            return False

    def stop(self) -> None:
        """Ask it to end, and wait; kill it if it does not, and wherever it was stalled."""
        if self._process is None or self._process.poll() is not None:
            return
        self.resume()
        self._process.send_signal(self.ends_by)
        try:
            self._process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once, as a power cut would (SIGKILL)."""
        self.process.kill()
        self.process.wait(SECONDS)

    def stall(self) -> None:
        """Let it hang: connections stay open, and nothing is answered (SIGSTOP)."""
        self.process.send_signal(signal.SIGSTOP)
        # One of its threads may be at work still: the answer that it is about to give would be one too many.
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self) -> None:
        """Let it go on (SIGCONT)."""
        self.process.send_signal(signal.SIGCONT)

    def restart(self) -> None:
        """Kill it and start it again, on the same port and in the same folder."""
        self.kill()
        self.start()
