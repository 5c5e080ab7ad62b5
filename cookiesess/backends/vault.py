"""The vault: one sealed, versioned record behind an ID. Every operation on a record is here.

A session's record is in one of three states, and no other change between them exists:

- *absent*: never created, or timed out, or deleted. An ID that the store does not know is never adopted: a session gets
  its ID here, or not at all (session fixation). A record is created once; nothing but `create` brings one into being,
  so what was ended stays ended.
- *live*: a packed `State`. It is only ever replaced by version (compare-and-set). A request that meets a faster one
  merges: its changes are made again on what the other left, and the update is tried again.
- *closed*: a new ID has taken its place (`cookiesess.session.closing` says for which reasons, and what each leads to).
  Nobody rewrites a closed record; it goes by itself after ten minutes.

The races that this answers:

- *A slow request against a logout.* The record is gone; an update never creates, so it reports "ended", and the request
  issues no cookie.
- *A slow request against a login.* The record is closed and leads nowhere: "replaced". Nothing undoes the login.
- *A slow request against a renewal.* It could have committed a moment earlier, so its change is merged into the
  successor. It gets no cookie: who holds only the old ID does not get the new one.
- *Two requests that write.* The second meets a conflict and merges. Of many that do so again and again, each waits a
  random moment before it looks again (`cookiesess.stores.pauses`).
- *A renewal against a write.* `close` is an update by version: it meets the conflict, and the renewal is made again on
  the merged state. The new ID is given out only once the old record is closed.
- *A logout against a renewal.* `end` follows closed records through any number of renewals, and deletes by version: a
  session that is being renewed at that moment is met again under its new ID.
- *An answer that was lost.* Each write leaves a mark in the record; a conflict whose current record has it is this
  write's own, and a client library has repeated it.
"""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Final

from cookiesess.backends.base import Beginnings
from cookiesess.backends.closings import ID_BYTES, Closings, Why, follows
from cookiesess.backends.found import MAX_TRIES, Found, Merged, conflict, unknown
from cookiesess.backends.summaries import Summaries
from cookiesess.errors import InvalidToken, RecordExists, RecordTooLarge
from cookiesess.events import ConflictMerged, SessionExpired, SessionRejected
from cookiesess.session.closing import Closed, How
from cookiesess.session.csrf import Secrets, secrets_of
from cookiesess.session.lifetime import IDLE
from cookiesess.session.located import Located
from cookiesess.session.merging import merged
from cookiesess.session.state import COUNTED_IDLE, INLINE, MARKS, State, describe, pack, unpack
from cookiesess.session.working_copy import WorkingCopy
from cookiesess.stores.base import Conflict, Gone, Record, Store, Updated
from cookiesess.stores.pauses import Pauses
from cookiesess.tokens.sealing import RECORD_KEY_LABEL, RecordSealer

# How many renewals in a row an old ID is followed through: each record of the chain lasts ten minutes, so more are no
# visitor's, and a chain must not make a request endless.
MAX_HOPS: Final = 1024
# How many marks of writes a record carries, to recognise one's own when its answer was lost; 8 random bytes each.
MAX_MARKS: Final = 8
_MARK_BYTES: Final = 8


class Vault:
    """Finds and writes the records of one store. Thread-safe.

    Args:
        store: Where they are kept.
        sealer: Seals them.
        summaries: Seals what listings show of them.
        beginnings: Has the codec, the lifetime and the emitter.
        random_bytes: For IDs and marks.
        pauses: Between tries.
        max_bytes: How large a session may be, encoded; beyond it `create` and `write` raise `RecordTooLarge`.
    """

    def __init__(
        self,
        store: Store,
        sealer: RecordSealer,
        *,
        summaries: Summaries,
        beginnings: Beginnings,
        random_bytes: Callable[[int], bytes],
        pauses: Pauses,
        max_bytes: int,
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._summaries = summaries
        self._codec = beginnings.codec
        self._lifetime = beginnings.lifetime
        self._emit = beginnings.emit
        self._random_bytes = random_bytes
        self._pauses = pauses
        self._max_bytes = max_bytes
        self._closings = Closings(sealer, beginnings.codec, grace_seconds=beginnings.lifetime.grace_seconds)

    # Find

    def find(self, session_id: bytes, now: int, *, why: Why = Why.READ, moved: bool = False) -> Found | Closed | None:
        """Return the live session under an ID, followed through renewals as far as `why` goes; None where it is gone.

        `moved` says that the ID was reached through a closed record.
        """
        for _ in range(MAX_HOPS):
            key = sha256(RECORD_KEY_LABEL + session_id).digest()  # `record_key_of`, spelled out
            record = self._store.load(key, now=now)
            if record is None:
                if why is Why.READ:
                    self._emit(SessionExpired("unknown"))
                return None
            found = self._read(Located(session_id, key, record, moved), now)
            if found is None and why is Why.END:
                self._store.delete(key)
            if not isinstance(found, Closed) or found.successor is None or not follows(found, why, now):
                return found
            session_id, moved = found.successor, True
        return None

    def _read(self, located: Located, now: int) -> Found | Closed | None:
        """Return what a record holds: a session, or how it was closed; None where it is over or does not open."""
        record = located.record
        try:
            plaintext, cipher = self._sealer.unseal(record.payload, located.session_id, located.key)
            if plaintext[:1] != INLINE:
                return self._closings.read(plaintext, located)
            state = unpack(plaintext, self._codec, now=now)
        except InvalidToken as error:
            self._emit(SessionRejected(error.reason, error.kid))
            return None
        if (counted_idle := state.extras.get(COUNTED_IDLE)) is not None:
            # The last touch moved the record's expiry without opening it.
            state.refreshed_at = record.expires_at - counted_idle
        idle_at, until_at = self._lifetime.deadlines(state)
        if now >= idle_at or (until_at is not None and now >= until_at):
            self._emit(SessionExpired("idle" if now >= idle_at else "absolute"))
            return None
        if cipher is not None:
            located.cipher, located.described = cipher, (describe(state), state.owner)
        if until_at is not None and state.ends_at is not None and state.ends_at > until_at:
            until_at = state.ends_at
        return Found(state, located, until_at)

    # Create and write

    def create(self, state: State, now: int, *, session_id: bytes = b"") -> Located:
        """Create a record, under a new ID unless one is given.

        Its version is not known; the first update of it learns it by conflict.

        Raises:
            RecordExists: Another request has made one under the given ID.
        """
        located = unknown(session_id or self._random_bytes(ID_BYTES))
        record = located.record = self._record(state, located, now, self._random_bytes(_MARK_BYTES))
        try:
            self._store.create(located.key, record, now=now)
        except RecordExists:
            # Nobody draws the same 256 bits twice: a client library repeats a create whose answer was lost. (Under a
            # given ID it may be another request's, whose payload is another one then.)
            written = self._store.load(located.key, now=now)
            if written is None or written.payload != record.payload:
                raise
        return located

    def write(self, working: WorkingCopy, located: Located, now: int, *, state: State | None = None) -> Located | str:
        """Update the record, merging as often as others are faster; return what it is from now on, or why it is not.

        `state` is what to write where a merge has gone before; by default it is what `working` has.
        """
        mark, state = self._random_bytes(_MARK_BYTES), state or working.state
        merges = overwritten = 0
        for lost in range(MAX_TRIES):
            used_at = now
            if working.asked.passive:
                used_at = working.used_at(state, now=now, idle_seconds=self._lifetime.idle_of(state))
            record = self._record(state, located, used_at, mark)
            result = self._store.update(located.key, record, expected_version=located.record.version, now=now)
            if isinstance(result, Updated):
                if record.summary is not located.record.summary:
                    located.described = None  # that was the record before
                payload, expires_at, summary, owner, _ = record  # `_replace` takes twice as long
                located.record = Record(payload, expires_at, summary, owner, result.version)
                break
            if isinstance(result, Gone):
                return "ended"
            # Created by this request, it has no version known, and nobody was faster.
            faster = located.record.version is not None or not located.record.payload
            theirs = self.merge(working, located, result.current, now, lost=lost, mark=mark)
            if isinstance(theirs, str):
                return theirs
            state, located, both, _ = theirs
            if mark in state.extras[MARKS]:
                break
            merges, overwritten = merges + faster, overwritten + both * faster
        else:
            raise conflict()
        if state is not working.state:
            working.adopt(state)
            self.say_merged(merges, overwritten)
        return located

    def say_merged(self, merges: int, overwritten: int) -> None:
        """Emit that this request had to merge, if it had to."""
        if merges:
            self._emit(ConflictMerged(merges, overwritten))

    def merge(
        self, working: WorkingCopy, located: Located, current: Record, now: int, *, lost: int = 0, mark: bytes = b""
    ) -> Merged | str:
        """Return what a faster request left, with this one's changes made again.

        Where the record has `mark`, it is returned as it is: the write was done, and a client library has repeated it
        because the answer was lost. Text says why there is nothing. Where many races were `lost`, it waits, and takes
        what there is by then.
        """
        theirs = self._read(replace(located, record=current), now)
        if isinstance(theirs, Closed) and theirs.how.merges and theirs.successor is not None:
            theirs = self.find(theirs.successor, now, why=Why.MERGE, moved=True)
        if not isinstance(theirs, Found):
            return "ended" if theirs is None else "replaced"
        state = theirs.state
        if mark in state.extras.setdefault(MARKS, []):
            return Merged(state, theirs.located, forms=secrets_of(state))
        if self._pauses.after(lost):
            newest = self._store.load(theirs.located.key, now=now)
            return "ended" if newest is None else self.merge(working, theirs.located, newest, now, mark=mark)
        overwritten, forms = working.data.overwritten(state.data), secrets_of(state)
        mine = merged(working, state, renewed=theirs.located.moved and not working.asked.authenticates)
        return "owner" if mine is None else Merged(mine, theirs.located, overwritten, forms)

    # Touch, close, delete

    def touch(self, state: State, located: Located, now: int) -> bool:
        """Move the idle deadline; False where nothing was done, because somebody was faster."""
        version, expires_at = located.record.version, now + self._lifetime.idle_of(state)
        return self._store.touch(located.key, expires_at=expires_at, expected_version=version, now=now)

    def touchable(self, state: State) -> bool:
        """Whether a touch is enough: where the idle timeout has changed, the record has to be written anew."""
        return state.extras.get(COUNTED_IDLE) == self._lifetime.idle_of(state)

    def close(self, old: Located, new: Located, *, how: How, forms: Secrets, now: int) -> Record | Gone | None:
        """Close the old record, by version, for the new one; without owner and summary, so that no listing shows it.

        Returns:
            None where it is closed; the current record where somebody was faster; `Gone` where there is none.
        """
        record = self._closings.record(old, new, how=how, forms=forms, now=now)
        result = self._store.update(old.key, record, expected_version=old.record.version, now=now)
        if isinstance(result, Gone):
            return result
        # A conflict with the very record that was to be written: a client library has repeated the update.
        if isinstance(result, Conflict) and result.current.payload != record.payload:
            return result.current
        return None

    def end(self, session_id: bytes, now: int, *, located: Located | None = None) -> bool:
        """Delete the record of an ID, whatever became of it meanwhile, and also under the IDs that renewals gave it.

        `located` is its record, where that is known. Returns False where it had ended, or leads nowhere any more.
        """
        for lost in range(MAX_TRIES):
            if located is not None and self.delete_unchanged(located, now):
                return True
            self._pauses.after(lost)
            found = self.find(session_id, now, why=Why.END)
            if not isinstance(found, Found):
                return False
            located = found.located
        raise conflict()

    def delete(self, located: Located) -> None:
        """Delete the record, whatever its version."""
        self._store.delete(located.key)

    def delete_unchanged(self, located: Located, now: int) -> bool:
        """Delete the record if it is what `located` says; False where it is not, or nobody can tell."""
        if not located.certain(now):
            return False
        return self._store.delete(located.key, expected_version=located.record.version)

    # What a record is

    def _record(self, state: State, located: Located, used_at: int, mark: bytes) -> Record:
        """Return `state` as a record; it has the mark of this write and the idle timeout its expiry is counted with."""
        state.refreshed_at = used_at
        extras = state.extras
        # `idle_of`, spelled out
        extras[COUNTED_IDLE] = idle_seconds = extras.get(IDLE) or self._lifetime.idle_seconds
        extras[MARKS] = [*extras.get(MARKS, ())[1 - MAX_MARKS :], mark]
        description = describe(state)
        if located.described == (description, state.owner):
            summary, owner = located.record.summary, located.record.owner
        else:
            summary = self._summaries.seal(description, located.key)
            owner = self._sealer.owner_hash(state.owner)
        plaintext = pack(state, self._codec)
        if len(plaintext) > self._max_bytes:
            raise RecordTooLarge(len(plaintext), self._max_bytes)
        payload = self._sealer.seal(plaintext, located.session_id, located.key, cipher=located.cipher)
        return Record(payload, used_at + idle_seconds, summary, owner)
