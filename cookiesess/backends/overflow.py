"""Client-side sessions that move to a store when they outgrow their cookie.

Two cookies: ``name`` holds a session that fits, ``name.ref`` refers to one that has moved. What holds, and what not:

1. *Two requests move one session at the same time.* Both make the same record: its ID derives from the session's own
   (`State.sid`) and from what the cookie held. The second merges, as two requests of a server-side session do.
2. *The answer of a move is lost.* The session goes on in its cookie, which is another one by the next write, so it
   moves to another record later: what it became since is not mixed with what it was. Of two moves from different
   cookies the last one wins.
3. *A slower request, which had loaded the session before the move, answers after it.* It sets a small cookie called
   ``name``. The reference stays, since it has a name of its own, and the moved session goes on. What the slower request
   wrote is lost, and an event says so (`SessionSuperseded`).
4. *The record is gone, and the browser has both cookies.* The session is over: while the reference is there, the old
   cookie beside it does not count.
5. *Somebody has kept the cookie from before the move, and sends it alone.* It works until its deadline, like that of
   every client-side session, unless it is revoked (`cookiesess.backends.revocations`).
"""

import hashlib
from collections.abc import Sequence

from cookiesess.backends.base import Beginnings
from cookiesess.backends.closings import ID_BYTES
from cookiesess.backends.cookie import CookieBackend
from cookiesess.backends.found import unknown
from cookiesess.backends.store import StoreBackend, reference_to
from cookiesess.backends.vault import Vault
from cookiesess.errors import RecordExists
from cookiesess.events import SessionOverflowed, SessionSuperseded
from cookiesess.http.envelope import Envelope
from cookiesess.session.decision import Action
from cookiesess.session.located import Located
from cookiesess.session.state import COUNTED_IDLE, MARKS, REFERENCE, State
from cookiesess.session.steps import HAS_CONTENT, Done, Line, dropped
from cookiesess.session.working_copy import WorkingCopy
from cookiesess.tokens.sealing import Opened


def session_id_of(sid: bytes, base: bytes = b"") -> bytes:
    """Return the ID under which a session's record is kept once it has moved: 32 bytes.

    As hard to guess as the 128 random bits of `sid`, which only the holder of a key can read. Not keyed: two processes
    in the middle of a key rotation must find the same record.

    Args:
        sid: The session's own ID.
        base: The plaintext in the cookie that it moves from; empty for a session that was never in one.
    """
    return hashlib.sha256(b"cookiesess v1 overflow" + sid + (base and hashlib.sha256(base).digest())).digest()


class OverflowBackend:
    """Chooses between cookie and store, session by session. Thread-safe.

    Args:
        cookie: For the sessions that fit.
        store: For those that have moved.
        envelope: Opens both cookies.
        vault: Writes the records.
        beginnings: Makes the sessions that were not loaded.
    """

    def __init__(
        self, cookie: CookieBackend, store: StoreBackend, *, envelope: Envelope, vault: Vault, beginnings: Beginnings
    ) -> None:
        self._cookie = cookie
        self._store = store
        self._envelope = envelope
        self._vault = vault
        self._beginnings = beginnings

    def load(self, header: str, *, now: int, opened: Opened | None = None) -> WorkingCopy:
        """Open what the request's cookies hold; where several open, whole sessions and references compete alike."""
        if opened is not None:
            inner = self._store if opened[0][:1] == REFERENCE else self._cookie
            return inner.load(header, now=now, opened=opened)
        return self._beginnings.chosen(self.candidates(header, now=now), now=now)

    def candidates(self, header: str, *, now: int) -> list[WorkingCopy]:
        """Open every reference and every session in a Cookie header; one empty copy where none authenticates."""
        found, failure = self._envelope.read(header)
        if not found:
            return [self._beginnings.unopened(header, failure, now=now)]
        if failure is not None:
            self._beginnings.say_rejected(failure, header)  # of the other cookie, which may have been the right one
        loaded = [self.load(header, now=now, opened=each) for each in found]
        copies = self._without_superseded(loaded, found)
        if len(copies) < len(loaded):
            for copy in copies:
                copy.also_opened(self._envelope.name)
        return copies

    def _without_superseded(self, copies: Sequence[WorkingCopy], found: Sequence[Opened]) -> list[WorkingCopy]:
        """Leave out a session as it was in its cookie before it moved, where its reference came as well."""
        moved = {plaintext[1 + ID_BYTES :] for plaintext, _ in found if plaintext[:1] == REFERENCE} - {b""}
        kept = [copy for copy in copies if not copy.loaded.base or copy.loaded.sid not in moved]
        if len(kept) < len(copies):
            self._beginnings.emit(SessionSuperseded())
        return kept

    def apply(self, action: Action, working: WorkingCopy, *, now: int) -> Done:
        """Write the session where it belongs."""
        located, new_id = working.loaded.located, action is Action.MOVE
        moving_back = new_id and working.asked.login
        if moving_back:
            _forget_record(working.state)
        if located is not None and not (moving_back and self._cookie.fits(working, now=now)):
            self._cookie.identify(working, anew=new_id)
            return self._store.apply(action, working, now=now)
        if action not in HAS_CONTENT:
            return self._cookie.apply(action, working, now=now)
        self._cookie.identify(working, anew=new_id)
        if located is not None:
            self._store.move(working, located, now, make=_inline)  # by a login, which always succeeds
        _forget_record(working.state)
        if self._cookie.fits(working, now=now):
            done = self._cookie.apply(Action.UPDATE, working, now=now)._replace(action=action)
        else:
            done = self._move_in(action, working, now)
        if working.asked.authenticates and located is None:
            self._store.close_twins(working, done.located or _inline(working.state, now), now)
        return done

    def _move_in(self, action: Action, working: WorkingCopy, now: int) -> Done:
        """Make the session's record, or merge into the one that a parallel request has made."""
        session_id = session_id_of(working.state.sid or b"", working.loaded.base)
        try:
            located = self._vault.create(working.state, now, session_id=session_id)
        except RecordExists:
            written = self._vault.write(working, unknown(session_id), now)
            if isinstance(written, str):
                return dropped(written)
            located = written
        self._beginnings.emit(SessionOverflowed())
        # The session got a new ID meanwhile, and this request has the old one alone: it is not given the new one.
        line = Line.NOTHING if located.moved else Line.ISSUE
        return Done(action, line, reference_to(located, working.state), located)

    def writes_now(self, working: WorkingCopy) -> bool:
        """Whether it is in the store, or would go there."""
        if working.loaded.located is not None:
            return True
        return working.modified and not self._cookie.fits(working, now=working.state.refreshed_at)

    def check(self, working: WorkingCopy, *, now: int) -> None:
        """It fits, or it moves."""

    def end(self, working: WorkingCopy, *, now: int) -> bool:
        """End what is in the store; the cookie is expired at commit."""
        inline = any(each.loaded.located is None and each.loaded.continued for each in (working, *working.loaded.twins))
        return self._store.end(working, now=now) or inline

    def record_key(self, working: WorkingCopy, *, now: int) -> bytes | None:
        """Return the key of the session's record, where it has one."""
        return self._store.record_key(working, now=now)

    def admit(self, owner: str, working: WorkingCopy, *, now: int) -> None:
        """Nobody counts sessions of which most live in cookies."""


def _forget_record(state: State) -> None:
    """Remove what only records carry: in a cookie it would take room for nothing."""
    for key in (COUNTED_IDLE, MARKS):
        state.extras.pop(key, None)


def _inline(state: State, _: int) -> Located:
    """Return where the record of a session would be that goes back into its cookie."""
    return unknown(session_id_of(state.sid or b""))
