"""What the tests of the readers get from pytest."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kit.constants import SECRET
from readers.suite import value_of

WRITER = Path(__file__).with_name("django_writer.py")


class DjangoProject:
    """A running Django project; see django_writer.py."""

    def __init__(self, process):
        self.process = process

    def write(self, data, secret=SECRET):
        """Return the cookie of a response whose session holds `data`."""
        self.process.stdin.write(json.dumps({"secret": secret, "data": data}) + "\n")
        self.process.stdin.flush()
        return value_of(self.process.stdout.readline())


@pytest.fixture(scope="session")
def django():
    """One Django project for all tests of a process."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "encoding": "utf-8"}
    with subprocess.Popen([sys.executable, str(WRITER)], **pipes) as process:
        yield DjangoProject(process)
