"""The inspector as a WSGI app: the page, its buttons, and the demo's routes behind the same sessions."""

import re
import secrets
import time
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Unpack
from urllib.parse import parse_qsl

from webob import Request, Response

from cookiesess import (
    CookiePolicy,
    CookiesessError,
    Keyring,
    Lifetime,
    SessionManager,
    SessionMiddleware,
    get_cookies,
    get_session,
)
from cookiesess.adapters.devices import describe_client
from cookiesess.manager.settings import Settings
from cookiesess.stores.base import Store
from examples.four_routes import routes
from examples.inspector import model, page, reading
from examples.inspector.actions import ACTIONS, Desk, Refused
from examples.inspector.controls import PLACES
from examples.inspector.glass import Glass
from examples.inspector.notes import Changes, Notebook, Notes
from examples.inspector.visits import VISIT_KEY, Recorder, Visit, note_event
from examples.inspector.watching import WatchedStore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Short enough to watch it pass.
LIFETIME: Final = Lifetime(idle=timedelta(minutes=10), absolute=timedelta(hours=1), refresh_after=timedelta(minutes=1))
BROWSER_COOKIE: Final = "inspector"
_HERE: Final = Path(__file__).parent
_FILES: Final = {"/inspect.css": "text/css", "/inspect.svg": "image/svg+xml"}
_MOST_FORM_BYTES: Final = 1 << 16
# RFC 9110 section 7.2: a name or an address, an IPv6 one in brackets, and perhaps a port.
_HOST: Final = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[0-9A-Za-z.-]+))(?::[0-9]+)?")


def make_inspector(keys: Keyring | str, *, anyone: bool = False, **settings: Unpack[Settings]) -> "WSGIApplication":
    """Return the demo with the inspector at ``/inspect``.

    Args:
        keys: As `SessionManager` takes them.
        anyone: Answer whatever host was asked for. By default this machine's own names alone, so that a page elsewhere
            cannot have a browser here ask by a name of its own (DNS rebinding).
        **settings: As `SessionManager` takes them; by default the cookie of the demo, and timeouts that can be watched.

    Raises:
        ConfigurationError: A setting that is wrong or contradicts another.
    """
    chosen: Settings = {"cookie": CookiePolicy.development(), "lifetime": LIFETIME, "clock": time.time}
    chosen.update(settings)
    chosen["on_event"] = note_event
    manager = SessionManager(keys, **_watched(chosen))
    app = SessionMiddleware(Inspector(manager, keys=Keyring.of(keys), settings=chosen, anyone=anyone), manager)
    return Recorder(app, refused=_refused, clock=chosen["clock"])


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address, means this machine alone."""
    name = host.lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


class Inspector:
    """The app inside of the session middleware.

    Args:
        manager: Behind the sessions.
        keys: The manager's.
        settings: The manager's.
        anyone: As `make_inspector` takes it.
    """

    def __init__(self, manager: SessionManager, *, keys: Keyring, settings: Settings, anyone: bool) -> None:
        self._manager = manager
        self._anyone = anyone
        self._clock = settings["clock"]
        self._lifetime = settings["lifetime"]
        self._server_side = settings.get("store") is not None
        self._can_end_others = self._server_side or settings.get("revocations") is not None
        self._setup = tuple(_setup(settings))
        self._old, self._copies = _said_of_old_cookies(server_side=self._server_side, endable=self._can_end_others)
        self._notebook = Notebook()
        self._glass = Glass(keys, settings)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        request, path = Request(environ), environ[VISIT_KEY].path
        if not self._anyone and not is_loopback(_name_of(environ.get("HTTP_HOST", ""))):
            text = "This page answers to this machine's own names alone."
            answer: Any = page.refusal("Another host", text, status="421 Misdirected Request")
        elif path in _FILES:
            answer = _file(path)
        elif path == "/inspect" or path.startswith("/inspect/"):
            answer = self._answer(request)
        else:
            self._notes(request)
            answer = routes
        result: Iterable[bytes] = answer(environ, start_response)
        return result

    def _answer(self, request: Request) -> Response:
        visit: Visit = request.environ[VISIT_KEY]
        notes = self._notes(request) or self._begin_notes(request)
        if visit.path == "/inspect":
            if visit.method in {"GET", "HEAD"}:
                return page.inspector(self._look(request, visit, notes))
            return page.refusal("Not a button", "This page is to be looked at.", status="405", allow="GET, HEAD")
        action = visit.path.removeprefix("/inspect/")
        if action not in ACTIONS:
            return page.refusal("Not found", "There is no such page and no such button.", status="404")
        if visit.method != "POST":
            return page.refusal("Not a page", "This is a button's address; press it.", status="405", allow="POST")
        return self._act(action, request, visit, notes)

    # Who asks

    def _notes(self, request: Request) -> Notes | None:
        """Return the notes of the browser; None where it has no name yet.

        The name is sealed, so that nobody can make one up and replay another browser's cookies.
        """
        browser = get_cookies(request).sealed.get(BROWSER_COOKIE)
        if browser is None:
            return None
        notes = request.environ[VISIT_KEY].notes = self._notebook.of(browser)
        return notes

    def _begin_notes(self, request: Request) -> Notes:
        browser = secrets.token_urlsafe(16)
        get_cookies(request).sealed.set(BROWSER_COOKIE, browser)
        notes = request.environ[VISIT_KEY].notes = self._notebook.of(browser)
        return notes

    # Looking

    def _look(self, request: Request, visit: Visit, notes: Notes) -> model.Page:
        header, now = request.environ.get("HTTP_COOKIE", ""), int(self._clock())
        session = get_session(request)
        own = self._keep(request, notes)
        sight = self._glass.look(header, session, now=now)
        inside = reading.inside(session, sight=sight, visit=visit, glass=self._glass, lifetime=self._lifetime, now=now)
        policy, near = self._manager.cookie, self._glass.near
        cookies = tuple(reading.cookies_of(header, policy=policy, notes=notes, own=own, near=near))
        # Only who sees the page has been told.
        seen = visit.method == "GET"
        return model.Page(
            setup=self._setup,
            now=now,
            cookies=cookies,
            inside=inside,
            owner=session.owner,
            sessions=self._sessions(session),
            server_side=self._server_side,
            can_end_others=self._can_end_others,
            kept=tuple(kept for kept in notes.kept if kept.cookies != own),
            visits=tuple(each for each in (visit, *notes.visits) if not each.quiet),
            last_action=notes.untold() if seen else None,
            changes=notes.compare(reading.shown(inside, cookies)) if seen else Changes(),
            pressed=frozenset(notes.pressed),
            flashes=tuple(str(flash.message) for flash in session.pop_flashes()) if seen else (),
            csrf_token=session.csrf_token(),
        )

    def _keep(self, request: Request, notes: Notes) -> Mapping[str, str]:
        """Return the session's cookies; those of a session that goes on are kept, so that they can be replayed."""
        own, session = self._glass.own_cookies(request.environ.get("HTTP_COOKIE", "")), get_session(request)
        if not session.is_new:
            notes.keep(own, at=int(self._clock()), says=reading.summary(session))
        return own

    def _sessions(self, session: Any) -> tuple[tuple[Any, bool], ...] | None:
        if not self._server_side or session.owner is None:
            return None
        return tuple((info, info.current) for info in self._manager.sessions_of(session.owner, current=session))

    # Doing

    def _act(self, action: str, request: Request, visit: Visit, notes: Notes) -> Response:
        form = _form_of(request)
        session = get_session(request)
        if form is None or not session.check_csrf(form.get("csrf_token")):
            visit.refuse("the form's token is missing, or not this session's; nothing was done")
            return page.refusal("Refused", f"{visit.error}.".capitalize(), status="403")
        desk = Desk(
            session=session,
            manager=self._manager,
            form=form,
            visit=visit,
            notes=notes,
            cookies=self._keep(request, notes),
            header=request.environ.get("HTTP_COOKIE", ""),
            device=describe_client(request),
            old=self._old,
            copies=self._copies,
        )
        try:
            visit.says = ACTIONS[action](desk)
        except Refused as error:
            visit.refuse(str(error))
        return _see_inspector(visit)


def _see_inspector(visit: Visit) -> Response:
    """Lead back to the page, to where the button is."""
    place = PLACES.get(visit.path.removeprefix("/inspect/"))
    response = Response(status=303, location=f"/inspect#{place}" if place else "/inspect")
    response.headers.update(page.HEADERS)
    return response


def _name_of(host: str) -> str:
    """Return a Host header's name or address; empty text where it is none."""
    found = _HOST.fullmatch(host)
    return "" if found is None else found["six"] or found["name"].removesuffix(".")


def _refused(visit: Visit, error: CookiesessError) -> Any:
    """Answer where the library refused: a button's request leads back to the page, which shows the error."""
    if visit.method == "POST" and visit.notes is not None:
        return _see_inspector(visit)
    return page.refusal("No session", f"{type(error).__name__}: {error}", status="503")


def _form_of(request: Request) -> dict[str, str] | None:
    """Return the fields of a form of ours; None where what came is something else."""
    if request.content_type != "application/x-www-form-urlencoded" or not request.content_length:
        return None
    if request.content_length > _MOST_FORM_BYTES:
        return None
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))


def _file(path: str) -> Response:
    body = (_HERE / path.removeprefix("/")).read_bytes()
    response = Response(body, content_type=_FILES[path], charset=None)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _watched(settings: Settings) -> dict[str, Any]:
    """Return the settings with each store watched, and one that does two things as one still."""
    stores = {name: value for name, value in settings.items() if isinstance(value, Store)}
    watchers = {id(store): WatchedStore(store) for store in stores.values()}
    return {**settings, **{name: watchers[id(store)] for name, store in stores.items()}}


def _setup(settings: Settings) -> list[str]:
    store, cookie = settings.get("store"), settings["cookie"]
    found = ["server-side" if store is not None else "client-side"]
    found.append("sealed" if settings.get("encrypt", True) else "signed, readable")
    found += [name for name in ("compress", "overflow", "revocations", "binding") if settings.get(name)]
    return [*found, f"{cookie.chunks} chunks"] if cookie.chunks > 1 else found


def _said_of_old_cookies(*, server_side: bool, endable: bool) -> tuple[str, str]:
    """Return what a login does to what the browser had, and what a logout does to copies of the cookie."""
    if server_side:
        return "The old session ID is dead.", "The session ID is dead, wherever there is a copy of the cookie."
    if endable:
        return "The cookie that you had before is dead.", "The cookie is dead, wherever there is a copy of it."
    alive = "still works until its time is over: a store, or revocations=, would end it."
    return f"A copy of the cookie that you had before {alive}", f"A copy of the cookie {alive}"
