"""What Django's signals say of requests: whether the server runs several processes, and that a response is over.

An engine sees neither the request nor the response. Django's session middleware asks it once, before the headers go
out; what a streamed body changes afterwards is saved when the response is closed, which `request_finished` says.
"""

from contextvars import ContextVar
from typing import Any, ClassVar, Protocol
from weakref import ref

from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started


class Neither:
    """What `SessionStore.is_empty` returns where the browser's cookie is to stay as it is.

    Django's session middleware asks twice: it deletes the cookie of what is empty, and sets that of what is not. So
    this is false at first, as what is not empty, and true from then on.
    """

    _asked = False

    def __bool__(self) -> bool:
        asked, self._asked = self._asked, True
        return asked


class Awaiting(Protocol):
    """A session that may still change; `cookiesess.adapters.django.engine.SessionStore` is one."""

    def save_late(self) -> None:
        """Save what has changed since Django looked, or refuse it."""


class Server:
    """What is known of the server.

    Attributes:
        several_processes: Whether it has said that it runs more than one.
    """

    several_processes: ClassVar[bool] = False

    @classmethod
    def note(cls, *, sender: type, environ: dict[str, Any] | None = None, **_: object) -> None:
        """Note what the environ of a request says; that of Django's test client is made up."""
        if environ is not None and issubclass(sender, WSGIHandler) and environ.get("wsgi.multiprocess"):
            cls.several_processes = True


# Of this thread, or this task. (With asgiref's Local, which Django uses for such things, a request that never looks at
# its session took 23,000 instructions more.)
_waiting: "ContextVar[tuple[ref[Awaiting], ...]]" = ContextVar("cookiesess.adapters.django.waiting", default=())


def await_end(session: Awaiting) -> None:
    """Have `session` save its late changes when the response is over. It is not kept alive for that."""
    others = _waiting.get()
    if others:
        # Where no response ever ends, as in a script, those that are gone are forgotten here.
        others = tuple(each for each in others if each() not in (None, session))
    _waiting.set((*others, ref(session)))


def end(**_: object) -> None:
    """A response is over: save what has changed in its session."""
    waiting = _waiting.get()
    if waiting:
        _waiting.set(())
        for each in waiting:
            session = each()
            if session is not None:
                session.save_late()


request_started.connect(Server.note)
request_finished.connect(end)
