"""What each request set off, which `notes` remembers for each browser.

A middleware around the session's: it sees the Set-Cookie lines as the browser will, and can put others in their place.
"""

import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cookiesess import CookiesessError
from cookiesess.events import Event

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from examples.inspector.notes import Notes

VISIT_KEY: Final = "examples.inspector.visit"
# Characters of a path or an error.
_LONGEST = 300

_current: ContextVar["Visit | None"] = ContextVar("visit", default=None)


@dataclass(frozen=True, slots=True)
class Sent:
    """A Set-Cookie line, without its value.

    Attributes:
        name: The cookie's name.
        length: Of its value, in characters.
        suffix: Its attributes, as they stand behind the value.
    """

    name: str
    length: int
    suffix: str

    @property
    def deletes(self) -> bool:
        """Whether it makes the browser forget the cookie."""
        return "; Max-Age=0" in self.suffix

    @property
    def words(self) -> str:
        """What it does."""
        return f"cookie {self.name} deleted" if self.deletes else f"cookie {self.name} set, {self.length:,} characters"


@dataclass(frozen=True, slots=True)
class Written:
    """A write to a store: what became of a record, and how long its payload is now (0 where it has none)."""

    verb: str
    payload_bytes: int = 0

    @property
    def words(self) -> str:
        """What was done."""
        size = f", {self.payload_bytes:,} bytes" if self.payload_bytes else ""
        return f"record {self.verb}{size}"


@dataclass(slots=True)
class Visit:
    """One request.

    Attributes:
        method: In capitals.
        path: As text, without the query, cut where it is long.
        at: Unix seconds.
        status: Of the response, such as ``"200 OK"``; empty until there is one, and "failed" where none came.
        happened: What the library said, what was written to a store, and the response's cookies, in their order.
        says: What the button did, in a user's words; empty where it was none of the buttons.
        error: What the app was told, where its change was refused.
        planted: Cookies that replace the response's own of the same name: the inspector's tampering.
        notes: What is remembered of the browser it came from, once that is known.
        told: A page has said what came of it.
    """

    method: str
    path: str
    at: int
    status: str = ""
    happened: list[Event | Written | Sent] = field(default_factory=list)
    says: str = ""
    error: str | None = None
    planted: dict[str, str] = field(default_factory=dict)
    notes: "Notes | None" = None
    told: bool = False

    @property
    def events(self) -> list[Event]:
        """What the library said."""
        return [each for each in self.happened if isinstance(each, Event)]

    @property
    def sent(self) -> list[Sent]:
        """The cookies of the response."""
        return [each for each in self.happened if isinstance(each, Sent)]

    @property
    def quiet(self) -> bool:
        """Whether it only looked, and nothing came of it."""
        return self.method != "POST" and not (self.happened or self.error)

    def refuse(self, reason: str) -> None:
        """Say that a change was refused, and why."""
        self.error = reason if len(reason) <= _LONGEST else f"{reason[:_LONGEST]}…"


def note_event(event: Event) -> None:
    """Write an event to the request in whose course it happened: the manager's `on_event`."""
    visit = _current.get()
    if visit is not None:
        visit.happened.append(event)


def note_write(written: Written) -> None:
    """Write a store's write to the request in whose course it happened."""
    visit = _current.get()
    if visit is not None:
        visit.happened.append(written)


class Recorder:
    """A middleware that notes each request and answers where a change was refused.

    Args:
        app: The app with its sessions.
        refused: Answers for an error of the library's that came out of `app`.
        clock: Returns Unix seconds.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        *,
        refused: Callable[[Visit, CookiesessError], "WSGIApplication"],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._app = app
        self._refused = refused
        self._clock = clock

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        visit = environ[VISIT_KEY] = Visit(environ["REQUEST_METHOD"], _path_of(environ), int(self._clock()))
        token = _current.set(visit)
        try:
            return self._answer(visit, environ, _noting(visit, start_response))
        finally:
            _current.reset(token)
            visit.status = visit.status or "failed"
            if visit.notes is not None:
                visit.notes.add(visit)

    def _answer(self, visit: Visit, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        try:
            return self._app(environ, start_response)
        except CookiesessError as error:
            visit.refuse(str(error))
            return self._refused(visit, error)(environ, start_response)


def _path_of(environ: "WSGIEnvironment") -> str:
    # A WSGI path's characters are bytes (PEP 3333), which need not be text.
    path: str = environ.get("PATH_INFO", "").encode("latin-1", "replace").decode("utf-8", "replace")
    return path if len(path) <= _LONGEST else f"{path[:_LONGEST]}…"


def _noting(visit: Visit, start_response: "StartResponse") -> "StartResponse":
    def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Callable[[bytes], object]:
        planted = [("Set-Cookie", f"{name}={rest}") for name, rest in visit.planted.items()]
        headers = [header for header in headers if _name_set(header) not in visit.planted] + planted
        visit.status = status
        visit.happened += [_sent(value) for name, value in headers if name == "Set-Cookie"]
        return start_response(status, headers, *exc_info)

    return start


def _name_set(header: tuple[str, str]) -> str | None:
    name, value = header
    return value.partition("=")[0] if name == "Set-Cookie" else None


def _sent(line: str) -> Sent:
    pair, _, attributes = line.partition(";")
    name, _, value = pair.partition("=")
    return Sent(name, len(value), f";{attributes}" if attributes else "")
