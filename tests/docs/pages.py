"""Runs a page of the documentation as a reader would: every code block and every transcript, in their order.

Python blocks share one namespace. A block behind ``<!-- save: name -->`` is written to a file instead. In a transcript
the lines with ``$`` are typed into one shell, and the others are what it must print, ``…`` standing for anything, and
a port 812x for a free one.
"""

import os
import re
import shlex
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Every page of the site.
PAGES = sorted(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts)
_BLOCK = re.compile(
    r"(?:<!-- save: (?P<file>\S+) -->\n)?^```(?P<language>\w+)\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL
)
_PORT = re.compile(r"\b812[0-9]\b")
_SEPARATOR = "--- the next command ---"
KEYS = "COOKIESESS_KEYS"
SECONDS = 120


def name_of(path):
    """Return a page's name as the others link to it: ``howto/login``."""
    return path.relative_to(ROOT / "docs").with_suffix("").as_posix()


def blocks(path):
    """Yield language, file name or None, and code of each block of a page."""
    for language, _, file, code in located_blocks(path):
        yield language, file, code


def located_blocks(path):
    """Yield language, line of the page, file name or None, and code of each block."""
    text = path.read_text(encoding="utf-8")
    for match in _BLOCK.finditer(text):
        yield match["language"], text.count("\n", 0, match.start("code")) + 1, match["file"], match["code"]


class Shell:
    """The shell of one page; a `bare` one knows nothing of the environment that the tests run in."""

    def __init__(self, folder, monkeypatch, *, bare=False):
        self._variables = folder / ".variables"
        self._monkeypatch = monkeypatch
        self._ports = {}
        python, path = str(Path(sys.executable).parent), os.environ["PATH"].split(":")
        path = [each for each in path if each != python] if bare else [python, *path]
        environ = {**os.environ, "PATH": ":".join(path), "PYTHONPATH": "" if bare else f"{ROOT}:{folder}"}
        self._process = subprocess.Popen(
            ["bash"], cwd=folder, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def run(self, transcript):
        """Type what follows each ``$``, and compare what comes."""
        if KEYS in os.environ:
            self._type(f"export {KEYS}={shlex.quote(os.environ[KEYS])}")
        for command, wanted in _parse(_PORT.sub(self._free_port, transcript)):
            came = self._type(command)
            assert _matches(wanted, came), f"$ {command}\n{came}\n  instead of\n{wanted}"
        self._type(f"env -0 > {self._variables}")
        for line in self._variables.read_bytes().split(b"\0"):
            name, _, value = line.decode().partition("=")
            if name == KEYS:
                self._monkeypatch.setenv(name, value)

    def _free_port(self, match):
        """Return the port that stands for one in the page, which something else on this machine may have."""
        if match[0] not in self._ports:
            with closing(socket.create_server(("127.0.0.1", 0))) as server:
                self._ports[match[0]] = str(server.getsockname()[1])
        return self._ports[match[0]]

    def _type(self, command):
        """Run one command, and return what it printed."""
        self._process.stdin.write(f"{command}\necho; echo '{_SEPARATOR}' $?\n")
        self._process.stdin.flush()
        lines = []
        for line in self._process.stdout:
            if line.startswith(_SEPARATOR):
                assert line.endswith(" 0\n"), (command, lines)
                break
            lines.append(line)
        return "".join(lines).strip()

    def close(self):
        """End the shell, and what it has left running."""
        self._type("kill $(jobs -p) 2> /dev/null; wait")
        self._process.stdin.close()
        self._process.wait(SECONDS)
        self._process.stdout.close()


def _parse(transcript):
    """Return the commands, each with what it is to print."""
    commands = []
    for line in transcript.splitlines():
        if line.startswith("$ "):
            commands.append((line[2:], []))
        else:
            commands[-1][1].append(line)
    return [(command, "\n".join(lines).strip()) for command, lines in commands]


def _matches(wanted, came):
    pattern = ".*".join(re.escape(part) for part in wanted.split("…"))
    return wanted == "" or re.fullmatch(pattern, came, re.DOTALL) is not None
