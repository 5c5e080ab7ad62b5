"""One campaign: an engine, gunicorn with the site, visitors, a fault for its time, and a last look at everything."""

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from campaigns.engines import ENGINES, TESTS, Engine, kit
from campaigns.faults import Fault, Scene
from campaigns.ledger import Ledger
from campaigns.visitors import Visitor, look_at_all

VISITORS = 8
WORKERS, THREADS = 2, 4


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/look")
        return connection.getresponse().status == 200
    finally:
        connection.close()


@contextmanager
def serving(url: str) -> Iterator[Any]:
    """Run the site under gunicorn, with a store at `url`; yield the server."""
    process = kit("servers.process")
    # Preloaded: a worker that could not open the store, since it begins just as that is broken, would end gunicorn.
    port = process.free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", str(WORKERS)]
    command += [
        "--worker-class",
        "gthread",
        "--threads",
        str(THREADS),
        "--graceful-timeout",
        "5",
        "campaigns.site:from_environment()",
    ]
    variables = [f"PYTHONPATH={TESTS.parent}", f"CAMPAIGN_STORE={url}"]
    with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
        server = process.Server(
            ["env", *variables, *command], port=port, folder=Path(folder), ready=lambda: _answers(port)
        )
        server.start()
        try:
            yield server
        finally:
            server.stop()


def run(fault: Fault, *, seconds: float, visitors: int = VISITORS) -> Ledger | None:
    """Return what the visitors met, or None where this fault cannot be made here.

    Args:
        fault: What happens.
        seconds: For how long.
        visitors: How many there are at once.
    """
    with ENGINES[fault.engine]() as engine:
        if fault.small_disk and not engine.small:
            return None
        with serving(engine.url) as server:
            return _held(fault, engine, server, seconds=seconds, visitors=visitors)


def _held(fault: Fault, engine: Engine, server: Any, *, seconds: float, visitors: int) -> Ledger:
    ledger, over, gone = Ledger(), threading.Event(), threading.Event()
    crowd = [Visitor(server.port, ledger, f"visitor-{os.getpid()}-{number}") for number in range(visitors)]
    threads = [threading.Thread(target=visitor.stay, args=(gone,)) for visitor in crowd]
    trouble = threading.Thread(target=fault.inject, args=(Scene(engine, server.process.pid, over),))
    for thread in (*threads, trouble):
        thread.start()
    over.wait(seconds)
    over.set()
    trouble.join()
    # The visitors go on for a moment with an engine that is well again.
    gone.wait(1)
    gone.set()
    for thread in threads:
        thread.join()
    look_at_all(crowd, ledger)
    return ledger
