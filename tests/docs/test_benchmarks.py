"""The benchmarks run; what they measure is for `make bench` on a quiet machine, and no test judges a time."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.deployed import ratio
from benchmarks.documents import fill
from benchmarks.flows import FLOWS, prepared
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


@pytest.fixture(scope="module")
def deployed():
    """What the run of all prints, by table and then by row; each row has answered as it should before it was timed."""
    command = [sys.executable, "-m", "benchmarks.deployed", "--seconds", "0.2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "left out" not in done.stdout
    parts = [part.partition("\n") for part in done.stdout.split("### ")[1:]]
    return {title: text.strip() for title, _, text in parts}


def cells(table):
    (_, *head), _, *body = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {row[0].strip("*"): dict(zip(head, row[1:], strict=True)) for row in body}


def test_what_people_deploy_is_measured_beside_its_peers(deployed):
    for title, names in {
        "in a cookie": ["cookiesess", "cookiesess, plain HTTP", "cookiesess, encrypt=False", "Beaker, encrypted"],
        "on frameworks": ["cookiesess on Flask", "Flask's session", "cookiesess on Pyramid", "Pyramid's session"],
        "in a store": ["cookiesess, SQLite", "Django, SQLite", "Beaker, memory", "Flask-Session, file cache"],
        "what sessions hold": ["cookiesess", "Flask's session", "Beaker, file"],
        "behind gunicorn": ["cookiesess", "cookiesess, SQLite", "Beaker, encrypted", "Flask's session, plain HTTP"],
    }.items():
        assert {*names} <= {*cells(deployed[title])}


def test_a_flow_that_a_library_cannot_do_has_a_dash(deployed):
    assert cells(deployed["in a cookie"])["Beaker, encrypted"]["write, logged in"] == "–"
    assert cells(deployed["what sessions hold"])["Beaker, encrypted"]["ten datetimes: read"] == "–"
    assert cells(deployed["what sessions hold"])["Flask's session"]["ten datetimes: read"] != "–"


def test_one_unit_is_what_reading_an_encrypted_cookie_costs(deployed):
    assert cells(deployed["in a cookie"])["cookiesess"]["read one key"] == "1.0"


def test_where_a_peer_costs_less_than_ours_it_is_in_bold():
    assert [ratio(us, 2e1, unit=1e1) for us in (1e1, 2e1, 3e1, None)] == ["**1.0**", "2.0", "3.0", "–"]


def test_an_app_that_loses_what_was_written_is_not_timed():
    def app(environ, start_response):
        start_response("200 OK", [("Set-Cookie", "session=1; Secure")])
        return [{"/write": b"1001", "/read": b"1000"}.get(environ["PATH_INFO"], b"ok")]

    assert prepared(app, FLOWS["read one key"], scheme="http")["wsgi.url_scheme"] == "http"
    with pytest.raises(AssertionError, match="answered '1001' instead of '1000'"):
        prepared(app, FLOWS["write one key"], scheme="https")


@pytest.mark.parametrize(
    ("page", "command", "known"),
    [
        ("docs/speed.md", "make bench", None),
        ("README.md", "make bench", None),
        (
            "docs/costs.md",
            "make bench-stores",
            "typical session, beside its peers, round trips, against the raw client, bars, throughput, bytes",
        ),
    ],
)
def test_the_pages_have_room_for_tables_that_are_printed(deployed, page, command, known):
    titles = re.findall(rf"<!-- {command}: ([^>]+) -->", (ROOT / page).read_text(encoding="utf-8"))
    assert titles
    assert {*titles} <= {*(known.split(", ") if known else deployed)}


def test_a_page_gets_the_tables_that_it_has_room_for(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- make bench: a -->\n\nold\n\n<!-- end -->\n<!-- make bench: b -->\n\nkept\n\n<!-- end -->\n")
    fill(page, {"a": "| 1\\1 |", "c": "| 3 |"}, command="make bench")
    fill(page, {"b": "another program's"}, command="make bench-stores")
    assert page.read_text() == (
        "<!-- make bench: a -->\n\n| 1\\1 |\n\n<!-- end -->\n<!-- make bench: b -->\n\nkept\n\n<!-- end -->\n"
    )


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
