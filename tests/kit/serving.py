"""An app behind a real server, in a thread of the test's own process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import waitress

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


@contextmanager
def serving(app: WSGIApplication) -> Iterator[str]:
    """Serve `app` with waitress on a free port of 127.0.0.1; yield its URL.

    It ends in two steps. Its workers come first, since whoever works for a request pulls the server's trigger, and must
    not do so once that is closed. Then the server closes itself, in its own thread, which ends with it.
    """
    server = waitress.create_server(app, host="127.0.0.1", port=0)
    pulled = threading.Event()

    def stop() -> None:
        pulled.wait()  # another reason to wake up may have brought us here before the trigger was pulled for this one
        # A browser keeps connections open for its next request, and the server runs until the last one is closed.
        for channel in list(server.active_channels.values()):
            channel.handle_close()
        server.close()

    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.task_dispatcher.shutdown()
        server.trigger.pull_trigger(stop)
        pulled.set()
        thread.join()
