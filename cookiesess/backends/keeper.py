"""Sessions in a store: how a record is found, written by version, and merged with what a faster request left."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cookiesess.backends.base import Drafts
from cookiesess.backends.records import ID_BYTES, Description, RecordSealer, describe, key_of
from cookiesess.errors import InvalidToken, RecordExists, SessionConflict
from cookiesess.events import ConflictMerged, SessionExpired, SessionRejected
from cookiesess.session.draft import Draft
from cookiesess.session.state import COUNTED_IDLE, MARKS, MOVED, REPLACED, Origin, State, pack, unpack
from cookiesess.stores.base import Conflict, Gone, Record, Store, Updated

# How often a write is tried again on what a faster request left. Sixteen workers that push one counter without a pause
# need less than half of it; more means that something is wrong, and an error says more than a wait.
MAX_TRIES: Final = 64
# How many renewals in a row an old ID is followed through: with more, it is older than any request still underway.
MAX_HOPS: Final = 2
# How long a closed record tells requests with the old ID that they are late; longer than any request should run.
CLOSED_SECONDS: Final = 60
# How many marks of writes a record carries, to recognise one's own when its answer was lost; 8 random bytes each.
MAX_MARKS: Final = 8
_MARK_BYTES: Final = 8
_UNTIL: Final = struct.Struct(">Q")


@dataclass(slots=True)
class Handle:
    """Where a session was loaded from.

    Attributes:
        session_id: 32 bytes, secret.
        record: As the store last had it; its version is None where it was created in this request.
        cipher: The session's under the current key, or None where the record is not under it (yet).
        described: What the record's summary says, so that it is sealed anew only if that has changed.
        moved: It was reached through the closed record of an older ID: such a request gets no cookie and no time.
    """

    session_id: bytes = field(repr=False)
    key: bytes = field(repr=False)
    record: Record = field(repr=False)
    moved: bool = False
    cipher: AESGCM | None = field(default=None, repr=False)
    described: Description | None = field(default=None, repr=False)

    def certain(self, now: int) -> bool:
        """Whether `record` is what the store has if nobody changed it: its version is known, its time not up."""
        return self.record.version is not None and now < self.record.expires_at


Found = tuple[State, Handle, bool]
"""A state, where it stands, and whether the current key sealed it."""


class RecordKeeper:
    """Finds and writes the sessions of one store. Thread-safe.

    Args:
        store: Where they are kept.
        records: Seals them.
        drafts: Has the codec, the lifetime and the emitter.
        random_bytes: For IDs and marks.
    """

    def __init__(
        self, store: Store, records: RecordSealer, *, drafts: Drafts, random_bytes: Callable[[int], bytes]
    ) -> None:
        self.store = store
        self._records = records
        self._drafts = drafts
        self._random_bytes = random_bytes

    def find(self, session_id: bytes, now: int, *, hops: int = 0, ending: bool = False) -> Found | Origin:
        """Return the live session under an ID, followed through renewals, or what there is instead.

        Args:
            session_id: 32 bytes.
            now: Unix seconds.
            hops: How many renewals it has been followed through already.
            ending: To end it, through any number of them and after the grace as well: what is logged out must not live
                on under a newer ID.
        """
        for hop in range(hops, MAX_TRIES if ending else MAX_HOPS + 1):
            key = key_of(session_id)
            record = self.store.load(key, now=now)
            if record is None:
                self._drafts.emit(SessionExpired("unknown"))
                return Origin.GONE
            found = self.read(Handle(session_id, key, record, moved=hop > 0), now, ending=ending)
            if not isinstance(found, bytes):
                return found
            session_id = found
        return Origin.REPLACED

    def read(self, handle: Handle, now: int, *, ending: bool = False) -> Found | bytes | Origin:
        """Return the state in a record; or, of a closed one, the ID it moved to, or what it means."""
        record = handle.record
        try:
            plaintext, cipher = self._records.unseal(record.payload, handle.session_id, handle.key)
            if plaintext[:1] in {MOVED, REPLACED}:
                return _moved_to(plaintext, now, ending=ending)
            state = unpack(plaintext, self._drafts.codec, now=now)
        except InvalidToken as error:
            self._drafts.emit(SessionRejected(error.reason, error.kid))
            return Origin.GONE
        note_last_use(state, record)
        passed = self._drafts.lifetime.expired(state, now=now)
        if passed is not None:
            self._drafts.emit(SessionExpired(passed))
            return Origin.GONE
        if cipher is not None:
            handle.cipher, handle.described = cipher, describe(state)
        return state, handle, cipher is not None

    def create(self, state: State, now: int, *, session_id: bytes = b"") -> Handle:
        """Create a record, under a new ID unless one is given.

        Its version is not known; the first update of it learns it by conflict.

        Raises:
            RecordExists: Another request has made one under the given ID.
        """
        session_id = session_id or self._random_bytes(ID_BYTES)
        key = key_of(session_id)
        record = self.record(state, session_id, key, now=now, mark=self._random_bytes(_MARK_BYTES))
        try:
            self.store.create(key, record, now=now)
        except RecordExists:
            # Nobody draws the same 256 bits twice: a client library repeats a create whose answer was lost. (Under a
            # given ID it may be another request's, whose payload is another one then.)
            written = self.store.load(key, now=now)
            if written is None or written.payload != record.payload:
                raise
        return Handle(session_id, key, record)

    def write(self, draft: Draft, now: int, *, state: State | None = None) -> str | None:
        """Update the record, merging as often as others are faster; return why not, where it could not be.

        Args:
            draft: The session.
            now: Unix seconds.
            state: What to write, where a merge has gone before; by default the draft's.
        """
        mark, state = self._random_bytes(_MARK_BYTES), state or draft.state
        for _ in range(MAX_TRIES):
            handle: Handle = draft.handle
            record = self.record(state, handle.session_id, handle.key, now=now, mark=mark, before=handle)
            result = self.store.update(handle.key, record, expected_version=handle.record.version, now=now)
            if isinstance(result, Updated):
                handle.record = Record(*record[:-1], version=result.version)
                self.adopt(draft, state)
                return None
            merged = "ended" if isinstance(result, Gone) else self.merge(result, draft, now, mark=mark)
            if isinstance(merged, str):
                return merged
            state = merged
            if mark in state.extras[MARKS]:
                self.adopt(draft, state)
                return None
        raise conflict()

    def merge(self, found: Conflict, draft: Draft, now: int, *, mark: bytes = b"") -> State | str:
        """Return what a faster request left, with the draft's changes made again, and point the draft to where it is.

        Where that has `mark`, it is returned as it is: the write was done, and a client library has repeated it because
        the answer was lost. Text says why there is nothing.
        """
        handle: Handle = draft.handle
        theirs = self.read(replace(handle, record=found.current), now)
        if isinstance(theirs, bytes):
            theirs = self.find(theirs, now, hops=1)
        if isinstance(theirs, Origin):
            return "replaced" if theirs is Origin.REPLACED else "ended"
        state, draft.handle, _ = theirs
        if mark in state.extras.setdefault(MARKS, []):
            return state
        # Created by this request, it has no version known, and nobody was faster.
        if handle.record.version is not None or not handle.record.payload:
            draft.merges += 1
            draft.overwritten += draft.data.overwritten(state.data)
        return draft.merged_into(state) or "owner"

    def adopt(self, draft: Draft, state: State) -> None:
        """Go on from `state`, which has been written."""
        if state is not draft.state:
            draft.adopt(state)
        if draft.merges:
            self._drafts.emit(ConflictMerged(draft.merges, draft.overwritten))
            draft.merges = draft.overwritten = 0

    def closed(self, old: Handle, new: Handle, *, now: int, login: bool) -> Record:
        """Return what the old record becomes: without owner and summary, so that no listing shows it."""
        grace = 0 if login else self._drafts.lifetime.grace_seconds
        plaintext = MOVED + new.session_id + _UNTIL.pack(now + grace) if not login else REPLACED + new.key
        payload = self._records.seal(plaintext, old.session_id, old.key)
        return Record(payload, expires_at=now + grace + CLOSED_SECONDS)

    def record(
        self, state: State, session_id: bytes, key: bytes, *, now: int, mark: bytes, before: Handle | None = None
    ) -> Record:
        """Return `state` as a record; it has the mark of this write and the idle timeout its expiry is counted with."""
        state.refreshed_at = now
        extras = state.extras
        extras[COUNTED_IDLE] = idle_seconds = self.idle_of(state)
        extras[MARKS] = [*extras.get(MARKS, ())[1 - MAX_MARKS :], mark]
        described = describe(state)
        if before is not None and before.described == described:
            summary = before.record.summary
        else:
            summary = self._records.summarise(described, key)
        cipher = None if before is None else before.cipher
        payload = self._records.seal(pack(state, self._drafts.codec), session_id, key, cipher=cipher)
        return Record(payload, now + idle_seconds, summary, self._records.owner_hash(state.owner))

    def idle_of(self, state: State) -> int:
        """Return the idle timeout of a session in seconds: its own, or the setting's."""
        return state.idle_seconds or self._drafts.lifetime.idle_seconds


def note_last_use(state: State, record: Record) -> None:
    """Have `state` count its idle timeout from the last touch, which moved the record's expiry without opening it."""
    if COUNTED_IDLE in state.extras:
        state.refreshed_at = record.expires_at - state.extras[COUNTED_IDLE]


def _moved_to(plaintext: bytes, now: int, *, ending: bool) -> bytes | Origin:
    """Return the ID that a closed record leads to, while the grace lasts or to end what is there."""
    if plaintext[:1] == REPLACED:
        return Origin.REPLACED
    if len(plaintext) != 1 + ID_BYTES + _UNTIL.size:
        raise InvalidToken("plaintext")
    (until_at,) = _UNTIL.unpack_from(plaintext, 1 + ID_BYTES)
    return plaintext[1 : 1 + ID_BYTES] if ending or now < until_at else Origin.REPLACED


def conflict() -> SessionConflict:
    """Return the error of the last try."""
    return SessionConflict(
        f"other requests changed the session {MAX_TRIES} times in a row while this one tried to; it changes too often"
        " for one record"
    )
