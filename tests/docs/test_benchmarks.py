"""The benchmarks run; what they measure is for `make bench` on a quiet machine, and no test judges a time."""

import subprocess
import sys
from pathlib import Path

import pytest

from kit.servers.process import need

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("module", "contestants"),
    [
        (
            "benchmarks.overhead",
            [
                "cookiesess",
                "cookiesess, overflow=",
                "cookiesess, compress=True",
                "cookiesess, revocations=SQLite",
                "Flask",
                "Beaker, encrypted",
                "Django, signed_cookies",
            ],
        ),
        (
            "benchmarks.server_side",
            ["cookiesess, SQLite", "cookiesess, memory", "cookiesess, overflow in SQLite", "Django, SQLite"],
        ),
        ("benchmarks.compression", ["DEFLATE 6", "Brotli 5", "Zstandard 3"]),
    ],
)
def test_a_benchmark_has_a_row_for_each_contestant(module, contestants):
    done = subprocess.run(
        [sys.executable, "-m", module, "--seconds", "0.2"], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    rows = {line.split("|")[1].strip() for line in done.stdout.splitlines() if line.startswith("|")}
    assert {*contestants} <= rows


@pytest.mark.servers
@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ([], ["cookiesess, Redis", "cookiesess, Redis without hiredis", "Flask-Session, Redis", "Beaker, Redis"]),
        (["--throughput"], ["1", "2", "4"]),
        (["--bytes", "--sessions", "100"], ["Redis", "SQLite"]),
    ],
    ids=["compared", "throughput", "bytes"],
)
def test_the_stores_benchmark_has_a_row_for_each(options, wanted):
    need("redis-server")
    command = [sys.executable, "-m", "benchmarks.stores", "--engine", "redis", "--seconds", "0.02", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert {*wanted} <= {line.split("|")[1].strip() for line in done.stdout.splitlines() if line.startswith("|")}


def test_the_hops_of_a_request_are_counted_and_told_one_by_one():
    command = [sys.executable, "-m", "benchmarks.hops", "-v", "read"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    told, _, counted = done.stdout.partition("| a request")
    calls = {cells[1].strip(): int(cells[2]) for line in counted.splitlines()[2:] if (cells := line.split("|"))}
    assert {*calls} == {"client-side: read", "SQLite: read", "client-side, overflow=, revocations=: read"}
    assert sum(calls.values()) == sum("  [" in line for line in told.splitlines())
    assert "SessionMiddleware.__call__  [wsgi/middleware.py]" in told
