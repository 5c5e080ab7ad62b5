"""The app that gunicorn serves while it is measured: all contestants in one process, each behind its number.

``/3/read`` is the route `read` of the third, and ``/Flask/read`` that of the bare app of those on Flask. The directory
for files comes in ``COOKIESESS_BENCHMARK_DIRECTORY``.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any, Final, NamedTuple

from benchmarks import deployed_rows, overhead, server_side
from benchmarks.apps import BARE_WSGI
from benchmarks.harness import TYPICAL, App, Contestant, Environ

DIRECTORY = "COOKIESESS_BENCHMARK_DIRECTORY"
WSGI, FLASK = "WSGI", "Flask"

HTTPS, HTTP = ("https",), ("https", "http")


class Served(NamedTuple):
    """Whom the server serves; its files stay open as long as the process lives.

    Attributes:
        name: As the table shows it.
        bare: The bare app that it is compared with.
        build: Makes it, with a directory for its files.
        schemes: Those that it is asked by; peers that ask for no scheme cost the same by each.
    """

    name: str
    bare: str
    build: Callable[[Path], Contestant]
    schemes: tuple[str, ...]


SERVED: Final = (
    Served(overhead.OURS, WSGI, lambda directory: overhead.cookiesess(), HTTP),
    Served(overhead.BEAKER, WSGI, lambda directory: overhead.beaker(), HTTPS),
    Served(server_side.SQLITE, WSGI, lambda directory: server_side.cookiesess_sqlite(directory, ExitStack()), HTTPS),
    Served(server_side.BEAKER_FILE, WSGI, lambda directory: server_side.beaker_file(directory, ExitStack()), HTTPS),
    Served(deployed_rows.ON_FLASK, FLASK, lambda directory: deployed_rows.on_flask(), HTTP),
    Served(deployed_rows.FLASK, FLASK, lambda directory: deployed_rows.flask(), HTTP),
)


def _apps(directory: Path) -> Mapping[str, App]:
    """Return all apps by what stands in front of a path, without those whose library is not installed."""
    wanted = [(WSGI, lambda: BARE_WSGI), (FLASK, deployed_rows.bare_flask)]
    wanted += [(str(number), partial(_with_sessions, served, directory)) for number, served in enumerate(SERVED)]
    apps = {}
    for name, build in wanted:
        try:
            apps[name] = build()
        except ImportError:
            continue
    return apps


def _with_sessions(served: Served, directory: Path) -> App:
    return served.build(directory).build(TYPICAL)


def made() -> App:
    """Return the app.

    ``/clock`` is answered with the seconds that this process has computed, and a path that names no app by a 404.
    """
    apps = _apps(Path(os.environ[DIRECTORY]))

    def app(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        _, name, *rest = environ["PATH_INFO"].split("/")
        if name in apps:
            environ["PATH_INFO"] = f"/{rest[0]}"
            return apps[name](environ, start_response)
        body = str(process_time()).encode()
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
        start_response("200 OK" if name == "clock" else "404 Not Found", headers)
        return [body]

    return app
