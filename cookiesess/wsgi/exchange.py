"""One WSGI request and its response: holds the headers back until the session has been committed.

The commit comes as late as HTTP allows, so that a change after ``start_response`` and before the body still counts:
the app's ``start_response`` is held back until the first byte of the body, or the end of the call where the app
returned a list, a tuple or a file wrapper (which reach the server as they are: it needs ``len()`` for Content-Length,
and the wrapper for sendfile).
"""

from collections.abc import Callable, Iterable
from itertools import chain
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

from cookiesess.errors import SessionError
from cookiesess.events import SharedCachingPrevented, StoreNotShared
from cookiesess.http import headers
from cookiesess.http.jar import Cookies
from cookiesess.http.policy import Transport
from cookiesess.manager.manager import UNTOUCHED, Commit, SessionManager
from cookiesess.session.session import Session
from cookiesess.wsgi.body import Body
from cookiesess.wsgi.transport import transport_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None


def warn_if_unshared(manager: SessionManager, environ: "WSGIEnvironment") -> None:
    """Say that a store is in the memory of one process, if this server runs several; called until that was said."""
    if environ.get("wsgi.multiprocess"):
        manager._unshared = False
        manager.emit(StoreNotShared())


class Exchange:
    """One request and its response: holds the app's ``start_response`` back until the commit."""

    __slots__ = ("_committed", "_environ", "_held", "_manager", "_ours", "_server_write", "_start", "jar", "session")

    session: Session
    _ours: Commit
    _server_write: Callable[[bytes], object]

    def __init__(self, manager: SessionManager, environ: "WSGIEnvironment", start_response: "StartResponse") -> None:
        self._manager = manager
        self._environ = environ
        self._start = start_response
        self._held: tuple[str, headers.Headers, ExcInfo] | None = None
        self._committed = False
        self.jar: Cookies | None = None

    def transport(self) -> Transport:
        """How the request came; see `Transport`."""
        return transport_of(self._environ)

    def start_response(
        self, status: str, response_headers: headers.Headers, exc_info: ExcInfo = None
    ) -> Callable[[bytes], object]:
        """What the app calls. Held back, so that the session can still change."""
        if self._committed:
            # Only with exc_info is a second call legal (PEP 3333); without it the server says so.
            return self._start(status, self._with_ours(response_headers), exc_info)
        if self._held is not None and exc_info is None:
            raise SessionError("start_response was called a second time without exc_info, which PEP 3333 forbids")
        self._held = (status, response_headers, exc_info)
        return self._write

    def _write(self, data: bytes) -> None:
        if not self._committed:
            self.commit(last=False)
        self._server_write(data)

    def commit(self, *, last: bool) -> None:
        """Commit the session and send the headers on; `last` where no code of the app will run any more."""
        held = self._held
        if held is None:
            # The server meets an app that never called start_response, as it would without us.
            if last:
                self.abandon()
            return
        self._ours = self._manager.commit(self.session, self.jar, transport=self.transport)
        if not last:
            self._manager.settle(self.session)
        self._committed = True
        status, response_headers, exc_info = held
        self._held = None  # PEP 3333: a kept exc_info is a cycle through the traceback
        if self._ours is not UNTOUCHED:
            response_headers = self._with_ours(response_headers)
        if exc_info is None:
            self._server_write = self._start(status, response_headers)
        else:
            self._server_write = self._start(status, response_headers, exc_info)

    def _with_ours(self, response_headers: headers.Headers) -> headers.Headers:
        """The app's headers and ours, in a new list: the app's may be shared by all its requests."""
        cookies, vary = self._ours
        result, prevented = headers.with_ours(response_headers, cookies, vary=vary)
        if prevented:
            self._manager.emit(SharedCachingPrevented())
        return result

    def finish(self, result: Iterable[bytes]) -> Iterable[bytes]:
        """Return what the server gets: the same object where the body is complete, else an iterator around it."""
        answer: Iterable[bytes] | None = None
        try:
            if not (type(result) is list or type(result) is tuple or self._is_file(result)):
                body = _Body(self, result)
                answer = body.begun() if self._server_is_early() else body
            else:
                if self._committed:
                    self._manager.close(self.session)
                else:
                    self.commit(last=True)
                answer = result
        finally:
            if answer is None:
                self._give_up(result)
        return answer

    def _give_up(self, result: object) -> None:
        """The server never gets to see this body, so nobody else would close it."""
        self.abandon()
        close = getattr(result, "close", None)
        if close is not None:
            close()

    def _is_file(self, result: Iterable[bytes]) -> bool:
        wrapper = self._environ.get("wsgi.file_wrapper")
        return isinstance(wrapper, type) and isinstance(result, wrapper)

    def _server_is_early(self) -> bool:
        # PEP 3333 allows start_response as late as with the first item. Granian 2 has read status and headers by then:
        # it would send 200, and none of ours.
        return str(self._environ.get("SERVER_SOFTWARE", "")).startswith("Granian")

    @property
    def committed(self) -> bool:
        """Whether the headers have gone out."""
        return self._committed

    def abandon(self) -> None:
        """The app raised: nothing is saved, and the same environ may be used for another run."""
        self._manager.abandon(self.session, self.jar)

    def close(self) -> None:
        """The body is done: save what streaming changed."""
        if self._committed:
            self._manager.close(self.session)
        else:
            self.abandon()


class _Body(Body[bytes]):
    """The app's body; commits at its first item."""

    __slots__ = ("_exchange",)

    def __init__(self, exchange: Exchange, body: Iterable[bytes]) -> None:
        # The app's own close comes first, then what it and the body changed is saved.
        super().__init__(body, failed=exchange.abandon, closed=exchange.close)
        self._exchange = exchange

    def begun(self) -> Self:
        """Take the first item now, so that the server has status and headers before it asks for one."""
        for item in self:
            self._iterator = chain((item,), self._iterator)
            break
        return self

    def __next__(self) -> bytes:
        try:
            item = super().__next__()
        except StopIteration:
            self._commit()
            raise
        self._commit()
        return item

    def _commit(self) -> None:
        if not self._exchange.committed:
            self._exchange.commit(last=False)
