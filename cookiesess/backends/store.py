"""Server-side sessions: the data in a `Store`, and a token over an unguessable ID in the cookie.

What holds, whatever the order in which parallel requests come to an end:

1. An ID that the store does not know is never adopted: a session gets its ID here, or not at all (session fixation).
2. A record is created once and from then on only updated by version, so that what was ended stays ended.
3. A request that meets a faster one merges: its changes are made again on what the other left (`Draft.merged_into`).
4. A new ID is written before the old one is closed, and is given out only if that closing succeeded.
"""

from typing import Final

from cookiesess.backends.base import Drafts, Outcome, Tokens
from cookiesess.backends.keeper import MAX_TRIES, Handle, RecordKeeper, conflict
from cookiesess.backends.owners import Owners
from cookiesess.backends.records import ID_BYTES
from cookiesess.decision import Action
from cookiesess.draft import Draft
from cookiesess.errors import InvalidToken, SessionReadOnly, StoreUnavailable
from cookiesess.events import StoreFailed, WriteDropped
from cookiesess.state import COUNTED_IDLE, PERSISTENT, REFERENCE, Origin
from cookiesess.stores.base import Conflict, Gone, Updated

_REFERENCE_BYTES: Final = 1 + ID_BYTES


class StoreBackend:
    """Keeps sessions in a store. Thread-safe.

    Args:
        keeper: Finds and writes the records.
        tokens: Makes and opens the cookie's tokens.
        drafts: Makes drafts.
        owners: Keeps to the owners' limits.
        anonymous: While the store is down, give requests an empty session that cannot be written, instead of raising.
    """

    late_writes = True

    def __init__(
        self, keeper: RecordKeeper, *, tokens: Tokens, drafts: Drafts, owners: Owners, anonymous: bool
    ) -> None:
        self._keeper = keeper
        self._store = keeper.store
        self._tokens = tokens
        self._drafts = drafts
        self._owners = owners
        self._anonymous = anonymous

    # Loading

    def load(self, header: str, *, now: int) -> Draft:
        """Open what the cookie names. A token that does not open costs no I/O."""
        opened = self._tokens.open(header)
        if opened is None:
            return self._drafts.empty(Origin.NONE, now=now)
        if isinstance(opened, InvalidToken):
            return self._drafts.rejected(opened, now=now)
        reference, current_token = opened
        if reference[:1] != REFERENCE or len(reference) != _REFERENCE_BYTES:
            return self._drafts.rejected(InvalidToken("plaintext"), now=now)
        try:
            found = self._keeper.find(reference[1:], now)
        except StoreUnavailable:
            self._drafts.emit(StoreFailed())
            if not self._anonymous:
                raise
            draft = self._drafts.empty(Origin.UNAVAILABLE, now=now)
            draft.refusal = _read_only
            return draft
        if isinstance(found, Origin):
            return self._drafts.empty(found, now=now)
        state, handle, current_key = found
        return self._drafts.loaded(state, handle=handle, stale_key=not (current_token and current_key))

    # Writing

    def apply(self, action: Action, draft: Draft, *, now: int) -> Outcome:
        """Do what was decided; one round trip, unless another request was faster or the ID changes."""
        match action:
            case Action.UPDATE:
                return self._update(draft, now)
            case Action.CREATE:
                draft.handle = self._keeper.create(draft.state, now)
                return self._new_id(draft, now)
            case Action.MOVE:
                return self._move(draft, now)
            case Action.TOUCH:
                return self._touch(draft, now)
            case Action.RESEAL:
                return Outcome.NOTHING if draft.handle.moved else self._update(draft, now)
            case Action.DELETE:
                return self._delete(draft, now)
            case Action.DROP:
                return self._drop(draft, "replaced")
            case Action.EXPIRE:
                return Outcome.EXPIRE
        return Outcome.NOTHING

    def token(self, draft: Draft) -> str:
        """Return the cookie's value for the session that `draft` was written as."""
        return self._tokens.issue(REFERENCE + draft.handle.session_id)

    def end(self, draft: Draft, *, now: int) -> None:
        """Delete the record, whatever became of it meanwhile, and also under the ID that a renewal gave it."""
        handle: Handle | None = draft.handle
        for _ in range(MAX_TRIES):
            if handle is None or self._store.delete(handle.key, expected_version=handle.record.version):
                return
            handle = self._present(handle, now)
        raise conflict()

    def _present(self, handle: Handle, now: int) -> Handle | None:
        """Return where the session of `handle` is now; None where it is gone, or a login took its place."""
        found = self._keeper.find(handle.session_id, now, ending=True)
        return None if isinstance(found, Origin) else found[1]

    def _new_id(self, draft: Draft, now: int) -> Outcome:
        if draft.logged_in:
            self._owners.enforce(draft.state.owner, keep=draft.handle.key, now=now)
        return Outcome.ISSUE

    def admit(self, owner: str, draft: Draft, *, now: int) -> None:
        """Raise `TooManySessions` where the limit refuses one more session of `owner`."""
        own = draft.handle.key if draft.origin is Origin.LOADED else None
        self._owners.admit(owner, own=own, now=now)

    def _update(self, draft: Draft, now: int) -> Outcome:
        reissue = draft.stale_key or draft.extra_changed(PERSISTENT)
        failure = self._keeper.write(draft, now)
        if failure is not None:
            return self._drop(draft, failure)
        if draft.handle.moved:
            return Outcome.NOTHING
        return Outcome.ISSUE if reissue else Outcome.EXTEND

    def _touch(self, draft: Draft, now: int) -> Outcome:
        handle: Handle = draft.handle
        if handle.moved:
            return Outcome.NOTHING
        idle_seconds = self._keeper.idle_of(draft.state)
        if draft.state.extras.get(COUNTED_IDLE) != idle_seconds:
            return self._update(draft, now)  # the setting has changed, and a touch cannot say so
        version = handle.record.version
        touched = self._store.touch(handle.key, expires_at=now + idle_seconds, expected_version=version, now=now)
        draft.state.refreshed_at = now
        return Outcome.EXTEND if touched else Outcome.NOTHING

    def _delete(self, draft: Draft, now: int) -> Outcome:
        for _ in range(MAX_TRIES):
            handle: Handle = draft.handle
            if self._store.delete(handle.key, expected_version=handle.record.version):
                return Outcome.NOTHING if handle.moved else Outcome.EXPIRE
            failure = self._keeper.write(draft, now)  # another request was faster: merge, and see what is left
            if failure is not None:
                return self._drop(draft, failure)
            if not draft.state.empty:
                return Outcome.EXTEND
        raise conflict()

    def _drop(self, draft: Draft, reason: str) -> Outcome:
        """Say that this request's changes are lost, and keep later ones of it from making a session of their own."""
        self._drafts.emit(WriteDropped(reason))
        draft.origin = Origin.REPLACED
        return Outcome.NOTHING

    # A new ID for an old session

    def _move(self, draft: Draft, now: int) -> Outcome:
        """Create the record under a new ID, then close the old one; only then is the new ID given out."""
        if draft.handle.moved and not draft.logged_in:
            # It is being renewed already; whoever holds only the old ID must not get the session's next one.
            return self._update(draft, now) if draft.modified else Outcome.NOTHING
        state = draft.state
        for _ in range(MAX_TRIES):
            old: Handle = draft.handle
            new = self._keeper.create(state, now)
            closed = self._keeper.closed(old, new, now=now, login=draft.logged_in)
            result = self._store.update(old.key, closed, expected_version=old.record.version, now=now)
            if isinstance(result, Updated) or (
                isinstance(result, Conflict) and result.current.payload == closed.payload
            ):
                if state is not draft.state:
                    draft.adopt(state)
                draft.handle = new
                return self._new_id(draft, now)
            self._store.delete(new.key)
            theirs = "ended" if isinstance(result, Gone) else self._keeper.after(result, draft, now)
            if isinstance(theirs, str):
                return self._drop(draft, theirs)
            if draft.handle.moved and not draft.logged_in:
                return self._update(draft, now)
            merged = draft.merged_into(theirs)
            if merged is None:
                return self._drop(draft, "owner")
            state = merged
        raise conflict()


def _read_only() -> SessionReadOnly:
    return SessionReadOnly(
        "the session store is down, and this request got an empty session that cannot be written; try again later, or"
        ' set on_store_error="raise" to answer with an error page at the first touch'
    )
