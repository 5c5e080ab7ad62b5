"""Client-side sessions that move to a store when they outgrow their cookie.

Two cookies: ``name`` holds a session that fits, ``name.ref`` refers to one that has moved. What holds, and what not:

1. The record's ID derives from the session's own (`State.sid`) and what the cookie held. Two requests that move one
   session at the same time meet in one record, where the second merges, as two requests of a server-side session do.
   A session that went on in its cookie, because the answer of a move was lost, moves to another record later: what it
   became since is not mixed with what it was. Of two moves from different cookies the last one wins.
2. A move sets ``name.ref`` and expires ``name``. A slower request that had loaded the session before the move, and
   answers with a small inline cookie afterwards, cannot overwrite the reference, since that has a name of its own:
   the moved session goes on, and an event says that a write was lost (`SessionSuperseded`).
3. An inline cookie of a session whose record is gone is not taken instead, while the reference is there to tell.
4. Without the reference it is: an inline cookie that somebody kept from before the move works until its deadline,
   like that of every client-side session, unless it is revoked (`cookiesess.backends.revocations`).
"""

import hashlib

from cookiesess.backends.base import CookieToken, Drafts, Outcome, Tokens
from cookiesess.backends.cookie import WRITES, CookieBackend
from cookiesess.backends.keeper import Handle, RecordKeeper
from cookiesess.backends.records import ID_BYTES, key_of
from cookiesess.backends.store import Done, StoreBackend
from cookiesess.errors import RecordExists
from cookiesess.events import SessionOverflowed, SessionSuperseded
from cookiesess.http.cookies import values_of
from cookiesess.session.decision import Action
from cookiesess.session.draft import Draft
from cookiesess.session.state import COUNTED_IDLE, MARKS, REFERENCE, Origin, State
from cookiesess.stores.base import Record

_LIVE = (Origin.LOADED, Origin.UNAVAILABLE)


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
        name: The name of the cookie that holds a session.
        references: Opens the tokens of the other one.
        keeper: Writes the records.
        drafts: Makes drafts.
    """

    def __init__(
        self,
        cookie: CookieBackend,
        store: StoreBackend,
        *,
        name: str,
        references: Tokens,
        keeper: RecordKeeper,
        drafts: Drafts,
    ) -> None:
        self._cookie = cookie
        self._store = store
        self._name = name
        self._references = references
        self._keeper = keeper
        self._drafts = drafts

    def load(self, header: str, *, now: int) -> Draft:
        """Open what the reference refers to; without one that leads anywhere, the session in the cookie."""
        opened = self._references.open(header, now=now) if self._references.name in header else None
        if opened is None:
            return self._cookie.load(header, now=now)
        if isinstance(opened, tuple):
            moved = self._store.open(opened, now=now)
        else:
            moved = self._drafts.unopened(opened, now=now)
        if not values_of(header, self._name, limit=1):
            return moved
        if moved.origin in _LIVE:
            self._drafts.emit(SessionSuperseded())
            return moved
        inline = self._cookie.load(header, now=now)
        if inline.origin is not Origin.LOADED or not isinstance(opened, tuple):
            return inline
        of_the_same = opened[0][1 + ID_BYTES :] == (inline.state.sid or b"-")
        return moved if of_the_same else inline

    def apply(self, action: Action, draft: Draft, *, now: int) -> Done:
        """Write the session where it belongs."""
        moving_back = action is Action.MOVE and draft.logged_in
        if moving_back:
            _forget_record(draft.state)
        if draft.handle is not None and not (moving_back and self._cookie.fits(draft, now=now)):
            self._drafts.identify(draft, anew=action is Action.MOVE)
            return self._store.apply(action, draft, now=now)
        if action not in WRITES:
            return self._cookie.apply(action, draft, now=now)
        self._drafts.identify(draft, anew=action is Action.MOVE)
        if draft.handle is not None:
            done = self._store.move(draft, now, make=_inline)
            if done[0] is not Action.MOVE:
                return done
            draft.handle = None
        _forget_record(draft.state)
        if self._cookie.seal(draft, now=now):
            return action, Outcome.ISSUE
        return self._move_in(action, draft, now)

    def _move_in(self, action: Action, draft: Draft, now: int) -> Done:
        """Make the session's record, or merge into the one that a parallel request has made."""
        session_id = session_id_of(draft.state.sid or b"", draft.base)
        try:
            draft.handle = self._keeper.create(draft.state, now, session_id=session_id)
        except RecordExists:
            draft.handle = _unknown(session_id)
            failure = self._keeper.write(draft, now)
            if failure is not None:
                draft.handle, draft.drop_reason = None, failure
                return Action.DROP, Outcome.NOTHING
        self._drafts.emit(SessionOverflowed())
        # Reached through a record that was closed meanwhile: who holds only the old ID does not get the next one.
        return action, Outcome.NOTHING if draft.handle.moved else Outcome.ISSUE

    def token(self, draft: Draft) -> CookieToken:
        """Return the reference of a session that has moved, or the whole of one that has not."""
        if draft.handle is None:
            return self._cookie.token(draft)
        reference = REFERENCE + draft.handle.session_id + (draft.state.sid or b"")
        return self._references.name, self._references.issue(reference)

    def late_writes(self, draft: Draft) -> bool:
        """Whether it is in the store, or would go there."""
        if draft.handle is not None:
            return True
        return draft.modified and not self._cookie.fits(draft, now=draft.state.refreshed_at)

    def check(self, draft: Draft, *, now: int) -> None:
        """It fits, or it moves."""

    def end(self, draft: Draft, *, now: int) -> bool:
        """End what is in the store; the cookie is expired at commit."""
        return draft.handle is None or self._store.end(draft, now=now)

    def present_key(self, draft: Draft, *, now: int) -> bytes | None:
        """Return the key of the session's record, where it has one."""
        return self._store.present_key(draft, now=now)

    def admit(self, owner: str, draft: Draft, *, now: int) -> None:
        """Nobody counts sessions of which most live in cookies."""


def _forget_record(state: State) -> None:
    """Remove what only records carry: in a cookie it would take room for nothing."""
    for key in (COUNTED_IDLE, MARKS):
        state.extras.pop(key, None)


def _inline(state: State, _: int) -> Handle:
    """Return a handle of what has no record."""
    return _unknown(session_id_of(state.sid or b""))


def _unknown(session_id: bytes) -> Handle:
    """Return a handle of what is not known yet."""
    return Handle(session_id, key_of(session_id), Record(b"", expires_at=0))
