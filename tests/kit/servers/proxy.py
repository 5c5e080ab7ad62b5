"""A TCP proxy between a client and its server, driven by hand: it counts round trips and drops connections."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, Self

Moment = Literal["before", "within", "after"]


@dataclass
class _Fault:
    moment: Moment
    match: Callable[[bytes], bool]
    meanwhile: Callable[[], object] | None


class _Link:
    """One client's connection, and the proxy's own to the server."""

    def __init__(self, proxy: Proxy, client: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = socket.create_connection(proxy.target)
        for side in (self._client, self._server):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._asking = False  # the last bytes were the client's: what follows belongs to the same request
        self._swallow: _Fault | None = None
        for run in (self._requests, self._answers):
            threading.Thread(target=run, daemon=True).start()

    def _requests(self) -> None:
        with suppress(OSError):
            while data := self._client.recv(1 << 20):
                self._proxy.pass_gate()
                if not self._asking:
                    self._asking = True
                    self._proxy.count()
                fault = self._proxy.take_fault(data)
                if fault is None:
                    self._server.sendall(data)
                elif fault.moment == "after":
                    self._swallow = fault
                    self._server.sendall(data)
                else:
                    if fault.moment == "within":
                        self._server.sendall(data[: len(data) // 2])
                    # Before the connection is cut: a client that learns of it may try again at once.
                    if fault.meanwhile is not None:
                        fault.meanwhile()
                    self.cut()
        self.cut()

    def _answers(self) -> None:
        with suppress(OSError):
            while data := self._server.recv(1 << 20):
                self._proxy.pass_gate()
                self._asking = False
                fault, self._swallow = self._swallow, None
                if fault is not None:
                    if fault.meanwhile is not None:
                        fault.meanwhile()
                    break
                self._client.sendall(data)
        self.cut()

    def cut(self) -> None:
        """Drop the connection on both sides, without a goodbye."""
        for side in (self._client, self._server):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()


class Proxy:
    """Listens on a port of its own and passes everything on to ``target``.

    Attributes:
        port: Where clients connect to, on 127.0.0.1.
        round_trips: How many requests have gone through so far: bytes of a client that follow an answer, or are the
            first of their connection. A handshake counts too, so a test takes the difference once it is warm.
        connections: How many connections have been opened so far.
    """

    def __init__(self, port: int) -> None:
        self.target = ("127.0.0.1", port)
        self.round_trips = 0
        self.connections = 0
        self._lock = threading.Lock()
        self._faults: list[_Fault] = []
        self._links: list[_Link] = []
        self._gate = threading.Event()
        self._gate.set()
        self._refusing = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def drop(
        self,
        moment: Moment,
        *,
        match: Callable[[bytes], bool] = lambda _: True,
        times: int = 1,
        meanwhile: Callable[[], object] | None = None,
    ) -> None:
        """Drop the connection of each of the next `times` requests that `match`.

        Args:
            moment: ``"before"``: the server never sees the request. ``"within"``: it gets half of it. ``"after"``: it
                has done it and answered, and the answer is lost.
            match: Chooses by the bytes that a client sent at once.
            times: How many.
            meanwhile: Is run when that has happened, before the client learns of a lost answer.
        """
        with self._lock:
            self._faults.extend(_Fault(moment, match, meanwhile) for _ in range(times))

    def cut(self) -> None:
        """Drop all connections that are open now, as a server does that closes idle ones."""
        with self._lock:
            links, self._links = self._links, []
        for link in links:
            link.cut()

    def hold(self) -> None:
        """Let nothing through any more, in either direction, and keep the connections open."""
        self._gate.clear()

    def release(self) -> None:
        """Let it through again, with what had come meanwhile."""
        self._gate.set()

    def refuse(self, refusing: bool = True) -> None:
        """Close every new connection at once, or stop doing so."""
        self._refusing = refusing

    def close(self) -> None:
        """Stop listening and drop all connections."""
        self._refusing = True
        self.release()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    # What the links ask

    def pass_gate(self) -> None:
        self._gate.wait()

    def count(self) -> None:
        with self._lock:
            self.round_trips += 1

    def take_fault(self, data: bytes) -> _Fault | None:
        with self._lock:
            for index, fault in enumerate(self._faults):
                if fault.match(data):
                    return self._faults.pop(index)
        return None

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._refusing:
                    client.close()
                    continue
                with self._lock:
                    self.connections += 1
                try:
                    link = _Link(self, client)
                except OSError:
                    client.close()
                    continue
                with self._lock:
                    self._links.append(link)
