"""One table that says whether a write is possible, and which error it raises if not. Nothing else refuses a write.

A request goes through these stages, and what a write needs decides in each:

- `OPEN`: the headers have not been sent. Every write can be kept, with a Set-Cookie line where it needs one.
- `STREAMING`: the headers have gone out, and the app goes on producing the body. A record can still be written, a
  cookie can not. So a change of a session in a store is kept; a login, a new ID, a first write and every client-side
  change are refused, at the line that makes them: otherwise the app would answer "saved" and lose it.
- `UNANSWERED`: the request has become a WebSocket, so no headers of the app's will ever be sent. It is as in
  `STREAMING`, from the first look at the session on, and says so in other words.
- `OVER`: the response is complete, and nothing will be written any more, so every change is refused.
- `ABANDONED`: the app failed, and nothing of the request is saved. A write does no harm then, and an error would hide
  the one that the app's error page is about. ``invalidate()`` ends the session all the same.

Beside the stage one origin counts: while the store is down, and ``on_store_error="anonymous"`` has answered with an
empty session, no write can be kept in any stage.
"""

from collections.abc import Callable
from typing import Final

from cookiesess.errors import SessionCommitted, SessionReadOnly
from cookiesess.session.member import Member
from cookiesess.session.state import Origin


class Stage(Member):
    """How far the request is."""

    OPEN = "the app may change what it likes"
    STREAMING = "the headers have gone out, and the body follows"
    UNANSWERED = "the request has become a WebSocket, which is sent no headers"
    OVER = "the response is complete"
    ABANDONED = "the app raised, and nothing is saved"


class Needs(Member):
    """What it takes to keep a write."""

    STORE = "the store, which is down"
    COOKIE = "a Set-Cookie line"
    RECORD = "the session's record, or nothing, because it is dropped anyway"


def _read_only() -> SessionReadOnly:
    return SessionReadOnly(
        "the session store is down, and this request got an empty session that cannot be written; try again later, or"
        ' set on_store_error="raise" to answer with an error page at the first touch'
    )


def _too_late() -> SessionCommitted:
    return SessionCommitted(
        "the session was changed after the response's headers had gone out, and only a cookie could carry that change;"
        " change it before the body's first byte, or keep sessions on the server with store="
    )


def _no_answer() -> SessionCommitted:
    return SessionCommitted(
        "the session was changed by the handler of a WebSocket, which can send no headers any more, and only a cookie"
        " could carry that change; make the change in an HTTP view (a login and the first write to a session must be"
        " there anyway), or keep sessions on the server with store="
    )


Refusal = Callable[[], Exception]

TABLE: Final[dict[Stage, dict[Needs, Refusal | None]]] = {
    Stage.OPEN: {Needs.STORE: _read_only, Needs.COOKIE: None, Needs.RECORD: None},
    Stage.STREAMING: {Needs.STORE: _read_only, Needs.COOKIE: _too_late, Needs.RECORD: None},
    Stage.UNANSWERED: {Needs.STORE: _read_only, Needs.COOKIE: _no_answer, Needs.RECORD: None},
    Stage.OVER: {Needs.STORE: _read_only, Needs.COOKIE: _too_late, Needs.RECORD: _too_late},
    Stage.ABANDONED: {Needs.STORE: _read_only, Needs.COOKIE: None, Needs.RECORD: None},
}


def refusal(stage: Stage, origin: Origin, *, needs_cookie: bool) -> Refusal | None:
    """Return what makes the error of a write, or None where it is possible.

    Not the error itself: a frame that raises one by its name is held by that error's traceback, which is a cycle.

    Args:
        stage: How far the request is.
        origin: Where its session came from.
        needs_cookie: Only a Set-Cookie line could keep the write.
    """
    needs = Needs.COOKIE if needs_cookie else Needs.RECORD
    if origin is Origin.UNAVAILABLE:
        needs = Needs.STORE
    return TABLE[stage][needs]
