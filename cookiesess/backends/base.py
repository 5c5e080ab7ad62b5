"""What every backend does, and which session the app gets if none of this library's was loaded."""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from cookiesess.backends.twins import choose
from cookiesess.errors import InvalidToken, StoreUnavailable
from cookiesess.events import SessionAccepted, SessionExpired, SessionRejected, SessionReplayed, StoreFailed
from cookiesess.events.base import Emitter
from cookiesess.http.envelope import Envelope
from cookiesess.session.closing import Closed
from cookiesess.session.decision import Action
from cookiesess.session.lifetime import Lifetime
from cookiesess.session.state import Origin, State, fresh
from cookiesess.session.steps import Done, Loaded
from cookiesess.session.working_copy import WorkingCopy
from cookiesess.tokens.values import ValueCodec

SID_BYTES = 16
"""The length of a client-side session's own ID: 128 random bits, so that no two sessions ever have the same."""


# Where what does not open probably comes from, in words for the log.
_UNTOUCHED: Final = "; it was left as it is"
CAUSES: Final = {
    "stored-forged": f"the reader's secret_key is not what the old app's store is signed with{_UNTOUCHED}",
    "stored-pickle": f"the old app pickled it, and pickle is never read: see `python -m cookiesess import`{_UNTOUCHED}",
    "stored-plaintext": f"what the old store has is not in the form that the reader knows{_UNTOUCHED}",
    "stored-size": f"what the old store has is larger than max_record_bytes{_UNTOUCHED}",
    "unknown-key": "a server without the new key, or a key that left the ring",
    "future": "this clock is behind",
    "joined": "a proxy joined two Cookie fields",
}
# Of how many closed IDs one process remembers that it has emitted `SessionReplayed`.
_MOST_REPLAYED: Final = 1000


class Backend(Protocol):
    """Where sessions live. Thread-safe; all times are Unix seconds."""

    def load(self, header: str, *, now: int) -> WorkingCopy:
        """Open what a Cookie header carries. Never raises for what a browser can send."""

    def apply(self, action: Action, working: WorkingCopy, *, now: int) -> Done:
        """Do what was decided, and return what came of it."""

    def writes_now(self, working: WorkingCopy) -> bool:
        """Whether the session can be written at any moment of the request, as records can and cookies cannot."""

    def check(self, working: WorkingCopy, *, now: int) -> None:
        """For a session that only the headers can carry: raise now what would be raised at the commit."""

    def end(self, working: WorkingCopy, *, now: int) -> bool:
        """End the session that was loaded, and its twins, at once; False where all had ended before."""

    def record_key(self, working: WorkingCopy, *, now: int) -> bytes | None:
        """Return the store's key of the session, or None where it has none."""

    def admit(self, owner: str, working: WorkingCopy, *, now: int) -> None:
        """Raise `TooManySessions` where `owner` may not log in to one more session."""


class ClientSide(Backend, Protocol):
    """A backend of sessions that travel in cookies, whole or as references; they can be revoked."""

    def candidates(self, header: str, *, now: int) -> list[WorkingCopy]:
        """Open all that a Cookie header carries, in its order; `load` returns the one of them that counts."""


class Beginnings:
    """Makes the working copy of a request for which no token of ours opened, and emits why. Thread-safe.

    Args:
        codec: Encodes values.
        lifetime: The timeouts.
        envelope: Asks the readers of other libraries' cookies.
        emit: Is told.
        anonymous: While a store is down, give requests an empty session that cannot be written, instead of raising.

    Attributes:
        take_over: Opens what other libraries keep in stores, as `cookiesess.backends.takeover` does; None: nothing.
    """

    take_over: Callable[[str, int], WorkingCopy | InvalidToken | None] | None = None

    def __init__(
        self, *, codec: ValueCodec, lifetime: Lifetime, envelope: Envelope, emit: Emitter, anonymous: bool
    ) -> None:
        self.codec = codec
        self.lifetime = lifetime
        self.emit = emit
        self._replayed: set[Closed] = set()
        self._envelope = envelope
        self._anonymous = anonymous

    def unopened(self, header: str, failure: InvalidToken | None, *, now: int) -> WorkingCopy:
        """Return the copy of a request of which no token of ours opened: what a reader has opened, or an empty one."""
        taken = None if self.take_over is None else self.take_over(header, now)
        if isinstance(taken, WorkingCopy):
            return taken
        theirs = (self._envelope.accept(header, now=now) if self._envelope.accepts else None) or taken
        if failure is None and self._envelope.is_behind_a_comma(header):
            failure = InvalidToken("joined")
        if isinstance(theirs, InvalidToken):
            # What the old library's store has says more than that its ID, in a cookie of our name, is no token of ours.
            told = theirs if theirs.reason.startswith("stored-") else failure or theirs
            return self.rejected(told, header, now=now)
        if theirs is None:
            return (
                self.empty(Origin.NONE, header, now=now) if failure is None else self.rejected(failure, header, now=now)
            )
        if self.lifetime.expired(theirs.state, now=now) is not None:
            return self.gone(theirs.state, header, now=now)
        self.emit(SessionAccepted(theirs.reader))
        return WorkingCopy(
            Loaded(Origin.FOREIGN, theirs.state.owner, header=header, continued=True), theirs.state, codec=self.codec
        )

    def gone(self, state: State, header: str, *, now: int, opened: tuple[str, ...] = ()) -> WorkingCopy:
        """Return an empty copy for a session that has timed out, and emit by which deadline."""
        self.emit(SessionExpired(self.lifetime.expired(state, now=now) or "idle"))
        return self.empty(Origin.GONE, header, now=now, opened=opened)

    def replaced(
        self,
        closed: Closed | None,
        header: str,
        *,
        now: int,
        opened: tuple[str, ...] | None = (),
        key: bytes = b"",
        sid: bytes | None = None,
        until_at: int | None = None,
    ) -> WorkingCopy:
        """Return an empty copy for an ID that was closed, or, with None, for one that leads to no session any more.

        Args:
            closed: How it was closed.
            header: The request's Cookie header.
            now: Unix seconds.
            opened: The names of our cookies in which something opened.
            key: The store's key of the ID, where the owner's sessions are limited.
            sid: The client-side ID, where there is one: a logout follows it to what took its place.
            until_at: The absolute deadline of what had it.
        """
        state = fresh(now=now, lifetime=self.lifetime)
        if closed is not None:
            state.data.update(closed.forms)
        origin = Origin.GONE if closed is None else Origin.REPLACED
        loaded = Loaded(origin, header=header, sid=sid, until_at=until_at, closed=closed, opened=opened, key=key)
        return WorkingCopy(loaded, state, codec=self.codec)

    def chosen(self, copies: Sequence[WorkingCopy], *, now: int) -> WorkingCopy:
        """Return the copy that counts, of those that the request's cookies hold."""
        working = copies[0] if len(copies) == 1 else choose(copies, self.emit)
        if working.loaded.origin is Origin.REPLACED:
            self._say_replayed(working.loaded.closed, now)
        return working

    def _say_replayed(self, closed: Closed | None, now: int) -> None:
        """Emit, once a record, that an old ID is shown later than any request could take."""
        if closed is None or not closed.late(now) or closed in self._replayed:
            return
        if len(self._replayed) >= _MOST_REPLAYED:
            self._replayed.clear()
        self._replayed.add(closed)
        self.emit(SessionReplayed())

    def unavailable(self, error: StoreUnavailable, header: str, *, now: int) -> WorkingCopy:
        """Return an empty copy that cannot be written, while a store is down.

        Raises:
            StoreUnavailable: `error`, unless the settings ask for such copies.
        """
        self.emit(StoreFailed(str(error)))
        if not self._anonymous:
            try:
                raise error
            finally:
                del error  # its traceback holds this frame: each request would leave a cycle behind
        return self.empty(Origin.UNAVAILABLE, header, now=now)

    def empty(self, origin: Origin, header: str, *, now: int, opened: tuple[str, ...] | None = ()) -> WorkingCopy:
        """Return an empty copy."""
        state = fresh(now=now, lifetime=self.lifetime)
        return WorkingCopy(Loaded(origin, header=header, opened=opened), state, self.codec)

    def rejected(self, error: InvalidToken, header: str, *, now: int) -> WorkingCopy:
        """Return an empty copy for bytes that did not open, and emit why.

        The cookie stays as it is: it may be good on another server, or later.
        """
        self.say_rejected(error, header)
        return self.empty(Origin.REJECTED, header, now=now)

    def say_rejected(self, error: InvalidToken, header: str) -> None:
        """Emit that a token did not open, and what that probably comes from."""
        cause = CAUSES.get(error.reason, "")
        if error.reason == "malformed" and self._envelope.is_behind_a_comma(header):
            cause = CAUSES["joined"]
        self.emit(SessionRejected(error.reason, error.kid, cause))
