"""The floor of 100 % of branches where a server is not installed: it stays, for all files but that engine's.

A plugin of pytest, beside pytest-cov. What is left out is said at the end of the run.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from kit.servers.process import missing

FILES = {
    "redis-server": "cookiesess/stores/redis/*",
    "postgres": "cookiesess/stores/sql/*",
    "initdb": "cookiesess/stores/sql/*",
    "mariadbd": "cookiesess/stores/sql/*",
    "mariadb-install-db": "cookiesess/stores/sql/*",
    "memcached": "cookiesess/stores/memcached/*",
}
"""What cannot be covered without a binary, as coverage's `omit` has it."""


def left_out(binaries: Iterable[str]) -> dict[str, list[str]]:
    """Return the files that cannot all be reached without `binaries`, each with those that it needs."""
    found: dict[str, list[str]] = {}
    for binary in binaries:
        found.setdefault(FILES[binary], []).append(binary)
    return found


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Have the report, and with it the floor, leave out what cannot be reached."""
    controller = getattr(session.config.pluginmanager.getplugin("_cov"), "cov_controller", None)
    if controller is None or not missing():
        return
    for coverage in filter(None, (controller.cov, controller.combining_cov)):
        omitted = coverage.get_option("report:omit") or []
        coverage.set_option("report:omit", [*omitted, *left_out(missing())])


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it where nobody overlooks it."""
    if not terminalreporter.config.getoption("cov_source", None):
        return
    for files, binaries in left_out(missing()).items():
        terminalreporter.write_line(f"not covered: {files}, for want of {', '.join(binaries)}", yellow=True)
