"""Server-side sessions: the data in a `Store`, and a token over an unguessable ID in the cookie.

What holds, whatever the order in which parallel requests come to an end:

1. An ID that the store does not know is never adopted: a session gets its ID here, or not at all (session fixation).
2. A record is created once and from then on only updated by version, so that what was ended stays ended.
3. A request that meets a faster one merges: its changes are made again on what the other left (`Draft.merged_into`).
4. A new ID is written before the old one is closed, and is given out only if that closing succeeded.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from cookiesess.backends.base import SID_BYTES, CookieToken, Drafts, Outcome, Tokens
from cookiesess.backends.keeper import MAX_TRIES, Handle, RecordKeeper, conflict
from cookiesess.backends.owners import Owners
from cookiesess.backends.records import ID_BYTES
from cookiesess.errors import InvalidToken, StoreUnavailable
from cookiesess.events import StoreFailed
from cookiesess.session.decision import Action
from cookiesess.session.draft import Draft
from cookiesess.session.state import COUNTED_IDLE, PERSISTENT, REFERENCE, Origin, State
from cookiesess.stores.base import Conflict, Gone, Record, Updated
from cookiesess.tokens.sealing import Opened

# With overflow, the session's own ID follows.
_REFERENCES_BYTES: Final = (1 + ID_BYTES, 1 + ID_BYTES + SID_BYTES)

Done = tuple[Action, Outcome]
"""What came of an action, and what the cookie needs."""

_NOTHING: Final[Done] = (Action.NOTHING, Outcome.NOTHING)


class StoreBackend:
    """Keeps sessions in a store. Thread-safe.

    Args:
        keeper: Finds and writes the records.
        tokens: Makes and opens the cookie's tokens.
        drafts: Makes drafts.
        owners: Keeps to the owners' limits.
        anonymous: While the store is down, give requests an empty session that cannot be written, instead of raising.
    """

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
        opened = self._tokens.open(header, now=now)
        if not isinstance(opened, tuple):
            return self._drafts.unopened(opened, now=now)
        return self.open(opened, now=now)

    def open(self, opened: Opened, *, now: int) -> Draft:
        """Load what an opened token refers to."""
        reference, current_token = opened
        if reference[:1] != REFERENCE or len(reference) not in _REFERENCES_BYTES:
            return self._drafts.rejected(InvalidToken("plaintext"), now=now)
        try:
            found = self._keeper.find(reference[1 : 1 + ID_BYTES], now)
        except StoreUnavailable as error:
            if not self._anonymous:
                self._drafts.emit(StoreFailed(str(error)))
                raise
            return self._drafts.unavailable(error, now=now)
        if isinstance(found, Origin):
            return self._drafts.empty(found, now=now)
        state, handle, current_key = found
        return self._drafts.loaded(state, handle=handle, stale_key=not (current_token and current_key))

    # Writing

    def apply(self, action: Action, draft: Draft, *, now: int) -> Done:
        """Do what was decided; one round trip, unless another request was faster or the ID changes."""
        if draft.origin is Origin.LOADED and self._ended_by_now(draft, now):
            return _NOTHING if action is Action.NOTHING or action is Action.TOUCH else _dropped(draft, "ended")
        match action:
            case Action.UPDATE:
                return self._update(draft, now)
            case Action.TOUCH | Action.RESEAL:
                return self._refresh(action, draft, now)
            case Action.CREATE:
                try:
                    draft.handle = self._keeper.create(draft.state, now)
                except StoreUnavailable as error:
                    if draft.origin is not Origin.FOREIGN or draft.modified or draft.renewed:
                        raise
                    # A mere refresh of what another library's cookie holds, as in `_refresh`.
                    self._drafts.emit(StoreFailed(str(error)))
                    return _NOTHING
                return self._new_id(action, draft, now, login=draft.logged_in)
            case Action.MOVE:
                return self.move(draft, now, make=self._keeper.create)
            case Action.DELETE:
                return self._delete(draft, now)
            case Action.EXPIRE:
                return action, Outcome.EXPIRE
        return action, Outcome.NOTHING

    def token(self, draft: Draft) -> CookieToken:
        """Return the cookie for the session that `draft` was written as."""
        return self._tokens.name, self._tokens.issue(REFERENCE + draft.handle.session_id)

    def late_writes(self, draft: Draft) -> bool:  # noqa: ARG002 (the protocol's)
        """Records can be written at any time."""
        return True

    def check(self, draft: Draft, *, now: int) -> None:
        """Records are written by ``save()``, which finds out."""

    def _ended_by_now(self, draft: Draft, now: int) -> bool:
        """Whether the absolute deadline has passed while the request ran. (The idle one may have been moved since.)"""
        deadline_at = self._drafts.lifetime.absolute_deadline(draft.state)
        return deadline_at is not None and now >= deadline_at

    def _update(self, draft: Draft, now: int, *, done: Action = Action.UPDATE, state: State | None = None) -> Done:
        reissue = draft.stale_key or draft.extra_changed(PERSISTENT)
        failure = self._keeper.write(draft, now, state=state)
        if failure is not None:
            return _dropped(draft, failure)
        if draft.handle.moved:
            return done, Outcome.NOTHING
        return done, Outcome.ISSUE if reissue else Outcome.EXTEND

    def _refresh(self, action: Action, draft: Draft, now: int) -> Done:
        if draft.handle.moved:
            return _NOTHING
        try:
            if action is Action.RESEAL or draft.state.extras.get(COUNTED_IDLE) != self._keeper.idle_of(draft.state):
                # Another key, or another idle timeout: a touch could not say so.
                return self._update(draft, now, done=action)
            return self._touch(draft, now)
        except StoreUnavailable as error:
            # The app only read, and its page is ready: all that is lost is some idle time.
            self._drafts.emit(StoreFailed(str(error)))
            return _NOTHING

    def _touch(self, draft: Draft, now: int) -> Done:
        handle: Handle = draft.handle
        idle_seconds, version = self._keeper.idle_of(draft.state), handle.record.version
        if not self._store.touch(handle.key, expires_at=now + idle_seconds, expected_version=version, now=now):
            return _NOTHING
        draft.state.refreshed_at = now
        return Action.TOUCH, Outcome.EXTEND

    def _delete(self, draft: Draft, now: int) -> Done:
        for _ in range(MAX_TRIES):
            handle: Handle = draft.handle
            if handle.certain(now) and self._store.delete(handle.key, expected_version=handle.record.version):
                return Action.DELETE, Outcome.NOTHING if handle.moved else Outcome.EXPIRE
            updated = self._update(draft, now)  # another request was faster: merge, and see what is left
            if updated[0] is Action.DROP or not draft.state.empty:
                return updated
        raise conflict()

    # A new ID for an old session

    def move(self, draft: Draft, now: int, *, make: Callable[[State, int], Handle]) -> Done:
        """Have `make` put the session under a new ID, then close the old record; only then is the new ID given out."""
        if draft.handle.moved and not draft.logged_in:
            # It is being renewed already; whoever holds only the old ID must not get the session's next one.
            return self._update(draft, now) if draft.modified else _NOTHING
        state, login = draft.state, draft.logged_in
        for _ in range(MAX_TRIES):
            old: Handle = draft.handle
            new = make(state, now)
            closed = self._keeper.closed(old, new, now=now, login=login)
            result = self._close(old, closed, new=new, now=now)
            # A conflict with the very record that was to be written: a client library has repeated the update.
            if isinstance(result, Updated) or (
                isinstance(result, Conflict) and result.current.payload == closed.payload
            ):
                self._keeper.adopt(draft, state)
                draft.handle = new
                return self._new_id(Action.MOVE, draft, now, login=login)
            self._store.delete(new.key)
            merged = "ended" if isinstance(result, Gone) else self._keeper.merge(result, draft, now)
            if isinstance(merged, str):
                return _dropped(draft, merged)
            if draft.handle.moved and not login:
                return self._update(draft, now, state=merged)
            state = merged
        raise conflict()

    def _close(self, old: Handle, closed: Record, *, new: Handle, now: int) -> Updated | Conflict | Gone:
        try:
            return self._store.update(old.key, closed, expected_version=old.record.version, now=now)
        except StoreUnavailable:
            # The new ID is not given out, so its record should not be listed; if that fails as well, it times out.
            with suppress(StoreUnavailable):
                self._store.delete(new.key)
            raise

    def _new_id(self, done: Action, draft: Draft, now: int, *, login: bool) -> Done:
        if login:
            try:
                self._owners.enforce(draft.state.owner, keep=draft.handle.key, now=now)
            except StoreUnavailable as error:
                # The login is written: an error now would lose it. The next login enforces the limit.
                self._drafts.emit(StoreFailed(str(error)))
        return done, Outcome.ISSUE

    # Ending

    def admit(self, owner: str, draft: Draft, *, now: int) -> None:
        """Raise `TooManySessions` where the limit refuses one more session of `owner`."""
        own = draft.handle.key if draft.origin is Origin.LOADED else None
        self._owners.admit(owner, own=own, now=now)

    def present_key(self, draft: Draft, *, now: int) -> bytes | None:
        """Return the store's key of the session, also where another request has just renewed it; None without one."""
        if draft.handle is None:
            return None
        found = self._keeper.find(draft.handle.session_id, now, ending=True)
        return bytes(draft.handle.key) if isinstance(found, Origin) else found[1].key

    def end(self, draft: Draft, *, now: int) -> bool:
        """Delete the record, whatever became of it meanwhile, and also under the ID that a renewal gave it."""
        handle: Handle = draft.handle
        for _ in range(MAX_TRIES):
            if handle.certain(now) and self._store.delete(handle.key, expected_version=handle.record.version):
                return True
            found = self._keeper.find(handle.session_id, now, ending=True)
            if found is Origin.REPLACED:
                return False
            if isinstance(found, Origin):
                self._store.delete(handle.key)  # gone, or it cannot be read any more
                return False
            handle = found[1]
        raise conflict()


def _dropped(draft: Draft, reason: str) -> Done:
    draft.drop_reason = reason
    return Action.DROP, Outcome.NOTHING
