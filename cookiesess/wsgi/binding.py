"""Answers the two paths that browsers call by themselves if sessions are bound to devices. The app never sees them.

| what comes | what the browser gets |
|---|---|
| ``start``, with a proof of the key that a login has asked for | 200, its first bound cookie, and what it is to do |
| ``start``, with the same proof or another one of that key | the same |
| ``start``, with another key, another login's challenge, an old one, or without a session | 403 |
| ``refresh`` without a proof, or with one of a challenge that is no longer fresh | 403, and a challenge |
| ``refresh`` with a proof by the session's key | 200, and another bound cookie |
| ``refresh`` with a proof by another key, or none that can be read | 400 |
| ``refresh`` where the session of the browser's cookie has ended, is not bound, or is bound anew | 200, and the end |
| either, where the store is down, or the cookie does not open or was replaced | 503: once more, later |

A browser ends its binding at that one answer, ``{"continue": false}``, and at any 4xx that brings no challenge. So the
end is told only where nothing would be lost with it, a 4xx only to what no honest browser sends, and 503 wherever that
is uncertain. A request without any cookie of the session ends a binding, but where another site's page has caused it:
then the browser may have held the cookie back (SameSite). Of several cookies of the session's name each may be the one
that the browser means; whoever plants another one beside it ends no binding.

None of them looks at more than the session's own load does, and ``refresh`` writes nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from cookiesess.backends.base import CAUSES
from cookiesess.backends.bound import BoundBackend
from cookiesess.errors import InvalidToken, SessionError, StoreError
from cookiesess.events import SessionRejected
from cookiesess.http.binding import Challenge, DeviceBinding
from cookiesess.http.policy import Transport
from cookiesess.manager.manager import SessionManager
from cookiesess.manager.operations import Operations
from cookiesess.session.binding import Binding
from cookiesess.session.effect import binding_of
from cookiesess.session.state import BINDING, Origin
from cookiesess.session.working_copy import WorkingCopy
from cookiesess.tokens.encoding import encode
from cookiesess.tokens.proofs import MOST_PROOF_BYTES, read_proof
from cookiesess.wsgi.transport import Arrived, transport_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ANSWERED_KEY: Final = "cookiesess.binding"
"""Where the app's side sees that somebody in front of it answers what browsers ask."""

# Of these nobody can say that the session has ended.
_UNCERTAIN: Final = (Origin.UNAVAILABLE, Origin.REJECTED, Origin.REPLACED)
_ENDS: Final = b'{"continue": false}'


class Answer(NamedTuple):
    """What a browser gets: status line, headers, body."""

    status: str
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""


_LATER: Final = Answer("503 Service Unavailable")
_REFUSED: Final = Answer("403 Forbidden")
_BAD: Final = Answer("400 Bad Request")
_TOO_LONG: Final = Answer("431 Request Header Fields Too Large")
_NO_POST: Final = Answer("405 Method Not Allowed", (("Allow", "POST"),))
_JSON: Final = ("Content-Type", "application/json")
_OVER: Final = Answer("200 OK", (_JSON,), _ENDS)


class BindingEndpoints:
    """Answers the requests by which browsers bind sessions to devices, and hands all others on to the app.

    `SessionMiddleware` and the Flask extension put it around the app by themselves. For Pyramid, wrap the app that
    ``config.make_wsgi_app()`` returns.

    Args:
        app: Any WSGI app.
        manager: The `SessionManager`; or a function without arguments that returns it, if the manager is built later.
    """

    def __init__(
        self, app: "WSGIApplication", manager: SessionManager | Callable[[], SessionManager], *, binding: DeviceBinding
    ) -> None:
        self.app = app
        self._manager = manager
        self._paths = binding.paths

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        if environ.get("PATH_INFO") not in self._paths:
            environ[ANSWERED_KEY] = True
            try:
                return self.app(environ, start_response)
            except BaseException:
                del environ  # error collectors print local variables, and it has the Cookie header
                raise
        manager = self._manager if isinstance(self._manager, SessionManager) else self._manager()
        status, headers, body = answered(manager, environ)
        start_response(status, [*headers])
        return [body]


def answered(manager: SessionManager, environ: "WSGIEnvironment") -> Answer:
    """Return the answer to a request for one of the two paths."""
    manager.look_at_keys()
    status, headers, body = _answered(manager.operations, environ)
    # `wsgiref.validate` wants a type of what has no body, too.
    kind = () if body else (("Content-Type", "text/plain"),)
    return Answer(status, [*kind, *headers, ("Cache-Control", "no-store"), ("Content-Length", str(len(body)))], body)


def _answered(operations: Operations, environ: "WSGIEnvironment") -> Answer:
    bound = operations.parts.bound
    if bound is None or environ.get("REQUEST_METHOD") != "POST":
        return _NO_POST
    visit = _Visit(operations, bound, environ)
    if len(visit.proof) > MOST_PROOF_BYTES:
        return _TOO_LONG
    starts = environ["PATH_INFO"] == bound.cookies.binding.start_path
    try:
        return visit.start() if starts else visit.refresh()
    except (StoreError, SessionError):
        return _LATER


class _Visit(Arrived):
    """One request for one of the two paths."""

    __slots__ = ("_bound", "_cookies", "_now", "_operations", "_working", "proof")

    def __init__(self, operations: Operations, bound: BoundBackend, environ: "WSGIEnvironment") -> None:
        self._environ = environ
        self._operations, self._bound, self._cookies = operations, bound, bound.cookies
        self._now = int(operations.clock())
        self.proof: str = environ.get("HTTP_SECURE_SESSION_RESPONSE", "")

    def transport(self) -> Transport:
        """How the request came; see `Transport`."""
        return Transport.HTTPS if self.https() else transport_of(self._environ)

    def https(self) -> bool:
        """Whether it came over HTTPS, as far as the server knows."""
        return self._environ.get("wsgi.url_scheme") == "https"

    def _load(self) -> tuple[WorkingCopy, ...]:
        """Return the sessions of the request's cookies, the one that counts first; a bound cookie is not asked for."""
        working = self._bound.inner.load(self._environ.get("HTTP_COOKIE", ""), now=self._now)
        return working, *cast("tuple[WorkingCopy, ...]", working.loaded.twins)

    # Registration

    def start(self) -> Answer:
        """Put the browser's key into the session."""
        try:
            proof = read_proof(self.proof)
        except InvalidToken:
            return _BAD
        working = self._load()[0]
        if _uncertain(working):
            return _LATER
        binding = _certain(working)
        if binding is None or not self._fresh(proof.challenge, Challenge.START, binding):
            return _REFUSED
        if binding.registered:
            return self._bound_cookie(binding) if binding.key == proof.key else _REFUSED
        return self._register(working, binding._replace(key=proof.key))

    def _register(self, working: WorkingCopy, binding: Binding) -> Answer:
        """Write the session with its key; of two that come at once the first one stays."""
        working.extras.set(BINDING, binding.packed())
        commit = self._operations.commit_loaded(working, arrival=self)
        if not commit.written:
            return _LATER
        if (binding_of(working) or binding).key != binding.key:
            return _REFUSED
        return self._bound_cookie(binding, [("Set-Cookie", cookie.line) for cookie in commit.cookies])

    # Refresh

    def refresh(self) -> Answer:
        """Give a browser that has the key another bound cookie."""
        copies = self._load()
        found = (binding for copy in copies if (binding := _certain(copy)) is not None and self._means(binding))
        binding = next(found, None)
        if binding is None:
            return _LATER if self._may_be_there(copies) else _OVER
        if not self.proof:
            return self._challenged(binding)
        try:
            proof = read_proof(self.proof, key=binding.key)
        except InvalidToken:
            return _BAD
        fresh = self._fresh(proof.challenge, Challenge.REFRESH, binding)
        return self._bound_cookie(binding) if fresh else self._challenged(binding)

    def _means(self, binding: Binding) -> bool:
        """Whether it is the one that the browser means."""
        named: str = self._environ.get("HTTP_SEC_SECURE_SESSION_ID", "")
        return binding.registered and named.strip(' "') == encode(binding.binding_id)

    def _may_be_there(self, copies: Sequence[WorkingCopy]) -> bool:
        """Whether the session that the browser means may live, although no cookie that opens has it."""
        header = self._environ.get("HTTP_COOKIE", "")
        if any(map(_uncertain, copies)) or len(self._operations.parts.envelope.tokens(header)) > len(copies):
            return True
        return copies[0].loaded.origin is Origin.NONE and self.from_elsewhere()

    def _fresh(self, challenge: str, kind: Challenge, binding: Binding) -> bool:
        refusal = self._cookies.refusal(challenge, kind, binding.binding_id, now=self._now)
        if refusal == "future":
            self._operations.parts.emit(SessionRejected(refusal, None, CAUSES[refusal]))
        return not refusal

    def _challenged(self, binding: Binding) -> Answer:
        challenge = self._cookies.challenge(Challenge.REFRESH, binding.binding_id, now=self._now)
        named = f'"{challenge}";id="{encode(binding.binding_id)}"'
        return Answer("403 Forbidden", (("Secure-Session-Challenge", named),))

    def _bound_cookie(self, binding: Binding, lines: Sequence[tuple[str, str]] = ()) -> Answer:
        line = self._cookies.cookie(binding, self, now=self._now).line
        told = self._cookies.instructions(binding.binding_id, self)
        return Answer("200 OK", (_JSON, *lines, ("Set-Cookie", line)), told)


def _certain(working: WorkingCopy) -> Binding | None:
    """Return the binding of a session that has certainly not ended or moved on."""
    return binding_of(working) if working.loaded.origin is Origin.LOADED and not _uncertain(working) else None


def _uncertain(working: WorkingCopy) -> bool:
    loaded = working.loaded
    moved = loaded.located is not None and loaded.located.moved
    return loaded.origin in _UNCERTAIN or loaded.closed is not None or moved
