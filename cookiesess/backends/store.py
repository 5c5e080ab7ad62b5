"""Server-side sessions: the data in a `Store`, and a token over an unguessable ID in the cookie.

This file decides what an action means for a record and for the cookie; the vault does it.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from cookiesess.backends.base import SID_BYTES, Beginnings
from cookiesess.backends.closings import ID_BYTES, Why
from cookiesess.backends.found import MAX_TRIES, Found, conflict
from cookiesess.backends.owners import Owners
from cookiesess.backends.vault import Vault
from cookiesess.errors import InvalidToken, StoreUnavailable
from cookiesess.events import StoreFailed
from cookiesess.http.envelope import Envelope
from cookiesess.session.closing import Closed, How
from cookiesess.session.csrf import Secrets
from cookiesess.session.decision import Action
from cookiesess.session.located import Located
from cookiesess.session.merging import own
from cookiesess.session.state import PERSISTENT, REFERENCE, REPLACES, Origin, State
from cookiesess.session.steps import EXPIRED, NOTHING_DONE, Done, Line, Loaded, Twin, dropped
from cookiesess.session.working_copy import WorkingCopy
from cookiesess.stores.base import Gone, Record
from cookiesess.tokens.sealing import Opened, record_key_of

# With overflow, the session's own ID follows.
_REFERENCES_BYTES: Final = (1 + ID_BYTES, 1 + ID_BYTES + SID_BYTES)
# Nobody finds another key that begins like one's own.
_REPLACES_BYTES: Final = 16
_NO_RECORD: Final = (Action.NOTHING, Action.EXPIRE, Action.DROP)
_CREATE, _UPDATE, _DROP = Action.CREATE, Action.UPDATE, Action.DROP
_LOADED, _ISSUE, _EXTEND, _NO_LINE = Origin.LOADED, Line.ISSUE, Line.EXTEND, Line.NOTHING


class StoreBackend:
    """Keeps sessions in a store. Thread-safe.

    Args:
        vault: Finds and writes the records.
        envelope: Opens the cookie.
        beginnings: Makes the sessions that were not loaded.
        owners: Keeps to the owners' limits.
    """

    def __init__(self, vault: Vault, *, envelope: Envelope, beginnings: Beginnings, owners: Owners) -> None:
        self._vault = vault
        self._envelope = envelope
        self._names = (envelope.reference_name,)
        self._beginnings = beginnings
        self._codec = beginnings.codec
        self._owners = owners

    # Loading

    def load(self, header: str, *, now: int, opened: Opened | None = None) -> WorkingCopy:
        """Load what the cookie, or what was `opened` already, refers to. A token that does not open costs no I/O."""
        alone = False
        if opened is None:
            tokens, failure = self._envelope.read(header)
            if not tokens:
                return self._beginnings.unopened(header, failure, now=now)
            if len(tokens) > 1:
                return self._beginnings.chosen([self.load(header, now=now, opened=each) for each in tokens], now=now)
            opened, alone = tokens[0], True
        reference, current_token = opened
        if reference[:1] != REFERENCE or len(reference) not in _REFERENCES_BYTES:
            return self._beginnings.rejected(InvalidToken("plaintext"), header, now=now)
        session_id = reference[1 : 1 + ID_BYTES]
        try:
            found = self._vault.find(session_id, now)
        except StoreUnavailable as error:
            return self._beginnings.unavailable(error, header, now=now)
        if not isinstance(found, Found):
            key = record_key_of(session_id) if self._owners.limited else b""
            sid = reference[1 + ID_BYTES :] or None
            replaced = self._beginnings.replaced(found, header, now=now, opened=self._names, key=key, sid=sid)
            return self._beginnings.chosen([replaced], now=now) if alone else replaced
        state, located, until_at = found.state, found.located, found.until_at
        stale_key = not current_token or located.cipher is None
        loaded = Loaded(_LOADED, state.owner, located, stale_key, header, b"", state.sid, until_at, True, self._names)
        return WorkingCopy(loaded, state, self._codec)

    # Writing

    def apply(self, action: Action, working: WorkingCopy, *, now: int) -> Done:
        """Do what was decided; one round trip, unless another request was faster or the ID changes."""
        try:
            done = self._apply(action, working, now)
        except StoreUnavailable as error:
            if not working.only_read:
                raise
            # The app only read, and its page is ready: all that is lost is some idle time, or a renewal in time.
            self._beginnings.emit(StoreFailed(str(error)))
            return NOTHING_DONE
        return NOTHING_DONE if done.action is _DROP and working.only_read else done

    def _apply(self, action: Action, working: WorkingCopy, now: int) -> Done:
        loaded = working.loaded
        located, until_at = loaded.located, loaded.until_at
        if action is _CREATE:
            located = self._vault.create(self._descended(working, working.state), now)
            return self._issued(_CREATE, working, located, now)
        if located is None or action in _NO_RECORD:
            return EXPIRED if action is Action.EXPIRE else Done(action, _NO_LINE)
        # The absolute deadline may have passed while the request ran. (The idle one may have been moved since.)
        if until_at is not None and now >= until_at and not working.asked.authenticates:
            return dropped("ended")
        if action is _UPDATE:
            return self._update(working, located, now)
        match action:
            case Action.TOUCH | Action.RESEAL:
                return self._refresh(action, working, located, now)
            case Action.MOVE:
                return self.move(working, located, now, make=self._vault.create)
        return self._delete(working, located, now)

    def _update(
        self, working: WorkingCopy, located: Located, now: int, *, action: Action = _UPDATE, state: State | None = None
    ) -> Done:
        tracked = working.tracked_extras
        reissue = working.loaded.stale_key or (tracked is not None and PERSISTENT in tracked.changes())
        written = self._vault.write(working, located, now, state=state)
        if isinstance(written, str):
            return dropped(written)
        if working.asked.login:  # under the ID that it has: Django's, which made that in this very request
            self._enforce_limit(working, written, now)
        line = _NO_LINE if written.moved else _ISSUE if reissue else _EXTEND
        return Done(action, line, REFERENCE + written.session_id + (working.state.sid or b""), written)

    def _refresh(self, action: Action, working: WorkingCopy, located: Located, now: int) -> Done:
        if located.moved:
            return NOTHING_DONE
        state = working.state
        if action is Action.RESEAL or not self._vault.touchable(state):
            # Another key, or another idle timeout: a touch could not say so.
            return self._update(working, located, now, action=action)
        if not self._vault.touch(state, located, now):
            return NOTHING_DONE
        state.refreshed_at = now
        return Done(action, _EXTEND, reference_to(located, working.state), located)

    def _delete(self, working: WorkingCopy, located: Located, now: int) -> Done:
        for _ in range(MAX_TRIES):
            if self._vault.delete_unchanged(located, now):
                return Done(Action.DELETE, _NO_LINE if located.moved else Line.EXPIRE)
            updated = self._update(working, located, now)  # another request was faster: merge, and see what is left
            if updated.located is None or not working.state.empty:
                return updated
            located = updated.located
        raise conflict()

    # A new ID for an old session

    def move(self, working: WorkingCopy, old: Located, now: int, *, make: Callable[[State, int], Located]) -> Done:
        """Have `make` put the session under a new ID, then close the old record; only then is the new ID given out."""
        asked, state, forms = working.asked, working.state, working.loaded_secrets
        if old.moved and not asked.authenticates:
            # Another request has renewed it already. This one came with the old ID, and is not given the new one.
            return self._update(working, old, now) if working.modified else NOTHING_DONE
        overwritten = 0
        for merges in range(MAX_TRIES):
            new = make(self._descended(working, state), now)
            current = self._close(old, new, how=asked.how or How.RENEWAL, forms=forms, now=now)
            if current is None:
                working.adopt(state)
                self._vault.say_merged(merges, overwritten)
                return self._issued(Action.MOVE, working, new, now)
            self._vault.delete(new)
            merged = (
                "ended" if isinstance(current, Gone) else self._vault.merge(working, old, current, now, lost=merges)
            )
            if isinstance(merged, str):
                if not asked.authenticates:
                    return dropped(merged)
                if merged == "replaced" and self._owners.limited:
                    self._note_closed(working, old, now)
                return self._overtaken(working, now, make)
            state, old, overwritten, forms = merged
            if old.moved and not asked.authenticates:
                return self._update(working, old, now, state=state) if working.modified else NOTHING_DONE
        raise conflict()

    def _overtaken(self, working: WorkingCopy, now: int, make: Callable[[State, int], Located]) -> Done:
        """Log in although the session ended meanwhile: into a new one, with what this request has set, and no more."""
        state = own(working)
        if state.empty:
            return dropped("ended")  # a new ID was asked for and nothing else
        new = make(self._descended(working, state), now)
        working.adopt(state)
        return self._issued(Action.MOVE, working, new, now)

    def _descended(self, working: WorkingCopy, state: State) -> State:
        """Note in a session that gets an ID which one it had before, for whoever asks again with that one."""
        wanted = self._owners.limited and (state.owner is not None or working.asked.authenticates)
        own = working.loaded.record_keys() if wanted else ()
        if own:
            state.extras[REPLACES] = own[0][:_REPLACES_BYTES]
        return state

    def _note_closed(self, working: WorkingCopy, old: Located, now: int) -> None:
        """Note by what the session was replaced meanwhile: that does not count against the owner's limit."""
        found = self._vault.find(old.session_id, now)
        working.note(closed=found if isinstance(found, Closed) else None)

    def _close(self, old: Located, new: Located, *, how: How, forms: Secrets, now: int) -> Record | Gone | None:
        try:
            return self._vault.close(old, new, how=how, forms=forms, now=now)
        except StoreUnavailable:
            # The new ID is not given out, so its record should not be listed; if that fails as well, it times out.
            with suppress(StoreUnavailable):
                self._vault.delete(new)
            raise

    def _issued(self, action: Action, working: WorkingCopy, located: Located, now: int) -> Done:
        """Return that a new ID is to be given out; after a login, once twins are closed and the limit was seen to."""
        if working.asked.authenticates:
            self.close_twins(working, located, now)
        self._enforce_limit(working, located, now)
        return Done(action, _ISSUE, reference_to(located, working.state), located)

    def _enforce_limit(self, working: WorkingCopy, located: Located, now: int) -> None:
        """After a login: leave its owner no more sessions than the settings allow."""
        if working.asked.login:
            try:
                own = working.loaded.record_keys()
                self._owners.enforce(working.state.owner, keep=located.key, own=own, now=now)
            except StoreUnavailable as error:
                # The login is written: an error now would lose it. The next login enforces the limit.
                self._beginnings.emit(StoreFailed(str(error)))

    def close_twins(self, working: WorkingCopy, new: Located, now: int) -> None:
        """Close all other sessions that the request's cookies held, after a login has made the `new` one."""
        try:
            for twin in working.loaded.twins:
                self._close_twin(twin, new, working, now)
        except StoreUnavailable as error:
            # The login is written: an error now would lose it. What was not closed times out.
            self._beginnings.emit(StoreFailed(str(error)))

    def _close_twin(self, twin: Twin, new: Located, working: WorkingCopy, now: int) -> None:
        """Close another session that the request's cookies held, as the login closes the one that counted."""
        old, again = twin.loaded.located, working.asked.login and twin.loaded.owner == working.state.owner
        how = How.REAUTHENTICATION if again else How.LOGIN
        for _ in range(MAX_TRIES):  # whoever planted it may write it without a pause
            if old is None:
                return
            if not isinstance(self._vault.close(old, new, how=how, forms=twin.loaded_secrets, now=now), Record):
                return
            found = self._vault.find(old.session_id, now, why=Why.MERGE)
            old = found.located if isinstance(found, Found) else None

    # Ending

    def writes_now(self, working: WorkingCopy) -> bool:  # noqa: ARG002 (the protocol's)
        """Records can be written at any time."""
        return True

    def check(self, working: WorkingCopy, *, now: int) -> None:
        """Records are written by ``save()``, which finds out."""

    def admit(self, owner: str, working: WorkingCopy, *, now: int) -> None:
        """Raise `TooManySessions` where the limit refuses one more session of `owner`."""
        self._owners.admit(owner, own=working.loaded.record_keys(), now=now)

    def record_key(self, working: WorkingCopy, *, now: int) -> bytes | None:
        """Return the store's key of the session, also where another request has just renewed it; None without one."""
        located = working.loaded.located
        if located is None:
            return None
        found = self._vault.find(located.session_id, now, why=Why.NAME)
        return found.located.key if isinstance(found, Found) else bytes(located.key)

    def end(self, working: WorkingCopy, *, now: int) -> bool:
        """End the session, and all others that the request's cookies held, under every ID that leads on."""
        ended = [self._end(each.loaded, now) for each in (working, *working.loaded.twins)]
        return any(ended)

    def _end(self, loaded: Loaded, now: int) -> bool:
        located, closed = loaded.located, loaded.closed
        if located is not None:
            return self._vault.end(located.session_id, now, located=located)
        if closed is not None and closed.how.leads_on and closed.successor is not None:
            return self._vault.end(closed.successor, now)
        return False


def reference_to(located: Located, state: State) -> bytes:
    """Return what the cookie of a session in a store holds: its record's ID, and with overflow its own."""
    return REFERENCE + located.session_id + (state.sid or b"")
