"""Moves sessions out of other libraries' stores: each session moves when its visitor comes.

The old cookie has an ID alone, which a reader of ``accept=`` looks up. Where our sessions are in a store, the session
is created there at once, under an ID of ours that derives from the old one. From then on it is a session like any
other, and what holds for an ID of ours holds for the old one:

1. *The answer is lost, or the app fails.* The old cookie comes again, and leads to the session that was made of it.
2. *Two requests come with the old cookie at the same time.* Both find the same record, and their changes are merged.
3. *A login or a renewal.* The record under the derived ID is closed, so that a planted or copied old cookie is worth
   what every replaced ID is worth. A logout deletes it.
4. *The old row* is deleted once the answer has our cookie, or before anything is ended. A logout whose old row cannot
   be deleted raises: the row would bring the session back. After a login it is an event, since a login succeeds.
5. *A slower request*, which has found the row before another one moved and ended the session, does not bring it back:
   it looks once more after it has created the record, and the row is gone by then.

Where our sessions are in cookies there is no place for such a record: the old row is given ten minutes more, for lost
answers and the other requests of a page, and is deleted at once by a login or a logout.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

from cookiesess.backends.base import Backend, Beginnings
from cookiesess.backends.closings import Why
from cookiesess.backends.found import Found
from cookiesess.backends.store import StoreBackend
from cookiesess.backends.vault import Vault
from cookiesess.errors import CookieTooLarge, InvalidToken, RecordExists, RecordTooLarge, StoreUnavailable
from cookiesess.events import OldSessionKept, SessionAccepted, SessionExpired, SessionNearLimit
from cookiesess.http.envelope import Envelope
from cookiesess.http.foreign import ForeignStore
from cookiesess.http.grammar import values_of
from cookiesess.http.pieces import MAX_CANDIDATES
from cookiesess.session.decision import Action
from cookiesess.session.state import REFERENCE, Origin, State
from cookiesess.session.steps import NOTHING_DONE, Done, Line, Loaded
from cookiesess.session.working_copy import WorkingCopy

_OVER: Final = ("missing", "expired")
_ENDS: Final = (Action.DELETE, Action.EXPIRE)


def session_id_of(identity: str) -> bytes:
    """Return the ID under which a session is kept that had `identity` in another library's store: 32 bytes.

    As hard to guess as that one. Not keyed: two processes in the middle of a key rotation must find the same record,
    and nobody gets a cookie for it who has not shown the old ID.
    """
    return hashlib.sha256(b"cookiesess v1 taken over" + identity.encode()).digest()


class Ours(NamedTuple):
    """Where our sessions are in a store: what opens a reference to one, and its records."""

    backend: StoreBackend
    vault: Vault


class TakeoverBackend:
    """Moves sessions out of other libraries' stores, and deletes what they leave there. Thread-safe.

    Args:
        inner: Has our sessions.
        readers: Know the other libraries' stores.
        envelope: Makes sessions of ours of what they open.
        beginnings: Asks `find` where no token of ours opened.
        ours: What has our sessions where all are in a store; None: they are in cookies.
    """

    def __init__(
        self,
        inner: Backend,
        readers: Sequence[ForeignStore],
        *,
        envelope: Envelope,
        beginnings: Beginnings,
        ours: Ours | None,
    ) -> None:
        self._inner = inner
        self._readers = readers
        self._envelope = envelope
        self._beginnings = beginnings
        self._ours = ours
        beginnings.take_over = self.find
        self.load: Callable[..., WorkingCopy] = inner.load
        self.writes_now: Callable[[WorkingCopy], bool] = inner.writes_now
        self.check: Callable[..., None] = inner.check
        self.record_key: Callable[..., bytes | None] = inner.record_key
        self.admit: Callable[..., None] = inner.admit

    # Loading

    def find(self, header: str, now: int) -> WorkingCopy | InvalidToken | None:
        """Return the session that an old cookie leads to, or an empty one; why none opened; None where none came."""
        failure, empty = None, None
        for reader, value in self._values(header):
            try:
                session_id = session_id_of(reader.identify(value, now=now))
                state = self._look_up(reader, value, now)
                if state is not None and self._ours is not None:
                    self._move(self._ours.vault, state, session_id, partial(self._look_up, reader, value, now), now=now)
            except InvalidToken as error:
                failure = failure or error.unraised()
                continue
            except StoreUnavailable as error:
                return self._beginnings.unavailable(error, header, now=now)
            copy = self._copy(reader, session_id, state, header=header, now=now)
            if copy.loaded.continued:
                copy.refresh()  # so that the answer has our cookie, and nobody need ask the old store again
                if state is not None:
                    self._beginnings.emit(SessionAccepted(type(reader).__name__))
                return copy
            empty = empty or copy
        return empty or failure

    def _look_up(self, reader: ForeignStore, value: str, now: int) -> State | None:
        """Return what the other store has, as a session of ours; None where it has nothing (any more)."""
        try:
            state = self._envelope.state_of(reader.open(value, now=now), now=now)
        except InvalidToken as error:
            if error.reason in _OVER:
                return None
            raise
        return None if self._beginnings.lifetime.expired(state, now=now) else state

    @staticmethod
    def _move(
        vault: Vault, state: State, session_id: bytes, look_again: Callable[[], State | None], *, now: int
    ) -> None:
        """Create the session in our store. Where it has moved before, what it became since is there.

        Since the look at the other store a faster request may have moved the session, and have ended it. Then its row
        is gone, which was deleted before the end: a second look tells, and what would come back is deleted. It is not
        where another request goes on with it by now: that deletes the row too, once it has written the record.
        """
        try:
            created = vault.create(state, now, session_id=session_id)
        except RecordExists:
            return
        except RecordTooLarge:
            raise InvalidToken("stored-size") from None
        still = None
        try:
            still = look_again()
        finally:
            if still is None:
                found = vault.find(session_id, now, why=Why.MERGE)
                if isinstance(found, Found) and found.located.record.payload == created.record.payload:
                    vault.delete_unchanged(found.located, now)

    def _copy(
        self, reader: ForeignStore, session_id: bytes, state: State | None, *, header: str, now: int
    ) -> WorkingCopy:
        """Return what the request works with: what our store has by now, or without one, what the other one had."""
        if self._ours is not None:
            copy = self._ours.backend.load(header, now=now, opened=(REFERENCE + session_id, False))
            if copy.loaded.continued:
                copy.also_opened(reader.cookie_name)
            return self._beginnings.chosen([copy], now=now)
        if state is None:
            self._beginnings.emit(SessionExpired("unknown"))
            return self._beginnings.empty(Origin.GONE, header, now=now)
        loaded = Loaded(Origin.FOREIGN, state.owner, header=header, continued=True, opened=(reader.cookie_name,))
        return WorkingCopy(loaded, state, self._beginnings.codec)

    def _values(self, header: str) -> Iterator[tuple[ForeignStore, str]]:
        for reader in self._readers:
            for value in values_of(header, reader.cookie_name, limit=MAX_CANDIDATES):
                yield reader, value

    # Writing and ending

    def apply(self, action: Action, working: WorkingCopy, *, now: int) -> Done:
        """As the inner one; then what the session has left in the other store is deleted.

        Raises:
            StoreUnavailable: Also where a session is to end that the other store would bring back.
        """
        left = self._left(working, now)
        if action in _ENDS:
            for reader, value in left:
                reader.forget(value)
        try:
            done = self._inner.apply(action, working, now=now)
        except CookieTooLarge as error:
            if not (left and working.only_read):
                raise
            # Its visitor has done nothing: the session is read where it is, and stays there.
            self._beginnings.emit(SessionNearLimit(error.size_bytes, error.limit_bytes))
            return NOTHING_DONE
        if left and done.line is Line.ISSUE:
            self._leave(left, fading=self._ours is None and not working.asked.authenticates, now=now)
        return done

    def _left(self, working: WorkingCopy, now: int) -> list[tuple[ForeignStore, str]]:
        """Return what the request's session has come from; for a login, all that the request brings."""
        loaded = working.loaded
        opened = None if working.asked.authenticates else (loaded.opened or ())
        return [
            (reader, value)
            for reader, value in self._identified(loaded.header, now)
            if opened is None or reader.cookie_name in opened
        ]

    def _identified(self, header: str, now: int) -> Iterator[tuple[ForeignStore, str]]:
        for reader, value in self._values(header):
            try:
                reader.identify(value, now=now)
            except InvalidToken:
                continue
            yield reader, value

    def _leave(self, left: list[tuple[ForeignStore, str]], *, fading: bool, now: int) -> None:
        for reader, value in left:
            try:
                if fading:
                    reader.fade(value, now=now)
                else:
                    reader.forget(value)
            except StoreUnavailable as error:
                # Ours is written: an error now would lose the answer.
                self._beginnings.emit(OldSessionKept(str(error)))

    def end(self, working: WorkingCopy, *, now: int) -> bool:
        """End the session and its twins; before that, whatever other stores have under the request's cookies.

        Raises:
            StoreUnavailable: One of them could not, and nothing of ours was ended.
        """
        for reader, value in self._identified(working.loaded.header, now):
            reader.forget(value)
        return self._inner.end(working, now=now)
