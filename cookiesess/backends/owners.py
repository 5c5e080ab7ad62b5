"""Owners: "show my devices", "log out everywhere", and how many sessions a user may have.

However many sessions an owner has, they are read in pages and ended in batches, so that no step takes longer for it.
Only `Owners.end_all` goes on until all have been seen; a listing and a login look at a bounded number.
"""

from collections.abc import Callable, Collection, Hashable, Iterator
from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice
from typing import Final, Literal

from cookiesess.backends.summaries import Summaries, Summary
from cookiesess.errors import ConfigurationError, InvalidToken, SessionConflict, TooManySessions
from cookiesess.events import OwnerLimitReached, SessionEnded
from cookiesess.events.base import Emitter
from cookiesess.session.lifetime import Lifetime
from cookiesess.stores.base import Record, Store
from cookiesess.tokens.sealing import RecordSealer

# `end_all` looks again until nothing is left: a session that was being renewed has a new record by then. Each round
# ends whatever the one before could not see, so more rounds than this mean that somebody logs in again and again.
_MAX_ROUNDS: Final = 16

# What a handle is, in bytes: the key of a record.
_KEY_BYTES: Final = 32

# The most records that a listing shows unless it is told otherwise, and how many are asked for at once: a database
# takes a millisecond and a half for a hundred, and others wait for that.
_LISTED: Final = 500
_PAGE: Final = 100

# How many are ended at once, while other writers may have to wait.
_BATCH: Final = 25
# Seconds of rest after each of many batches. Without it a thread that ends sessions in memory keeps the interpreter's
# lock for 5 ms at a time, and requests beside it take ten times as long; SQLite's lock goes to whoever is there.
_REST: Final = 0.001

# A login ends at most so many sessions beyond the limit. An owner who has thousands, of a time without a limit, comes
# down to it login by login.
_MOST_ENDED: Final = 100

OnOwnerLimit = Literal["end_oldest", "refuse"]


class DefaultLimit(int):
    """A limit that nobody has chosen: a store that does not index owners is not refused for it."""


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """One of an owner's sessions, as a list of devices shows it.

    Attributes:
        handle: Opaque text for `SessionManager.end`. It is no use as a cookie, and changes when the session is renewed.
        created_at: When the session began, in Unix seconds.
        authenticated_at: When ``login()`` was called last, in Unix seconds, or None.
        last_seen_at: When the session was used last, in Unix seconds, to within `Lifetime.refresh_after`.
        label: The session's ``label``, such as the device, or None.
        expires_at: When the session ends if no request uses it again, in Unix seconds.
        current: Whether it is the session that you gave to `sessions_of` as `current`.
        bound: Whether the session is bound to a device.
    """

    handle: str
    created_at: int
    authenticated_at: int | None
    last_seen_at: int
    label: str | None
    expires_at: int
    current: bool = False
    bound: bool = False


class SessionList(list[SessionInfo]):
    """An owner's sessions, the one seen last first.

    Attributes:
        more: Whether the owner has others, which are not in the list.
    """

    more: bool = False


class Owners:
    """The owner index of one store. Thread-safe.

    Args:
        store: A store with `indexes_owners`.
        records: Names owners.
        summaries: Opens what records say of themselves.
        lifetime: The timeouts.
        emit: Is told what was ended.
        limit: The most sessions an owner may have, 1 or more, or None.
        on_limit: What a login beyond it does: end the one that has been idle for longest, or be refused.
        sleep: Waits for so many seconds.

    Attributes:
        indexed: Whether the store can list an owner's sessions.
        limited: Whether somebody has chosen a limit, so that a login whose answer was lost must not count against it.
            Of five hundred nobody misses one.
    """

    def __init__(
        self,
        store: Store,
        records: RecordSealer,
        *,
        summaries: Summaries,
        lifetime: Lifetime,
        emit: Emitter,
        limit: int | None,
        on_limit: OnOwnerLimit,
        sleep: Callable[[float], object],
    ) -> None:
        chosen = limit is not None and type(limit) is not DefaultLimit
        if chosen and not store.indexes_owners:
            raise ConfigurationError(
                f"max_sessions_per_owner needs a store that indexes owners, and {type(store).__name__} does not;"
                " use another store or leave the limit out"
            )
        self.indexed: bool = store.indexes_owners
        self.limited: bool = chosen
        self._store = store
        self._records = records
        self._summaries = summaries
        self._lifetime = lifetime
        self._emit = emit
        self._limit = limit if store.indexes_owners else None
        self._on_limit = on_limit
        self._sleep = sleep

    def sessions_of(self, owner: str, *, now: int, limit: int = _LISTED, current: bytes | None = None) -> SessionList:
        """Return the owner's live sessions, at most `limit`, the one seen last first; `current` is the asker's key.

        One round trip for each key of the ring and each further page. Of an owner with more than 500 sessions, and more
        than `limit`, it is a part that is looked at: the one that the store lists first.

        Raises:
            ValueError: `limit` is below 1.
        """
        if limit < 1:
            raise ValueError(f"limit is {limit}; a list has room for 1 session or more")
        live = self._live(owner, now, most=max(limit, _LISTED) + 1)
        listed = (self._info(key, *session, current=key == current) for key, session in live.items())
        found = sorted(listed, key=lambda info: -info.last_seen_at)
        sessions = SessionList(found[:limit])
        sessions.more = len(found) > limit
        return sessions

    def end(self, owner: str, handle: str, *, now: int) -> bool:
        """End one session; False where it is not (any more) one of the owner's."""
        try:
            key = bytes.fromhex(handle)
        except ValueError:
            return False
        if len(key) != _KEY_BYTES:
            return False
        owners = self._records.owner_hashes(owner)
        for _ in range(_MAX_ROUNDS):
            record = self._store.load(key, now=now)
            if record is None or record.owner not in owners:
                return False
            if self._delete(key, record):
                return True
        raise SessionConflict(f"the session changed in each of {_MAX_ROUNDS} tries to end it; try again")

    def end_all(self, owner: str, *, keep: Callable[[], bytes | None], now: int) -> int:
        """End all of the owner's sessions page by page, until a look finds no other; return how many.

        `keep` returns the key of the one to keep. It is asked for each page, since that one may be renewed meanwhile.
        """
        ended = 0
        for _ in range(_MAX_ROUNDS):
            others = False
            for records in self._pages(owner, now):
                if records:
                    records.pop(keep() or b"", None)
                others = others or bool(records)
                for batch in _batches({key: record.version for key, record in records.items()}):
                    ended += self._delete_many(batch)
                    if len(batch) == _BATCH:
                        self._sleep(_REST)
            if not others:
                return ended
        raise SessionConflict(f"the user got new sessions in each of {_MAX_ROUNDS} rounds of end_all(); try again")

    def admit(self, owner: str, *, own: Collection[bytes], now: int) -> None:
        """Raise `TooManySessions` where a login is to be refused.

        Args:
            owner: Who logs in.
            own: The keys of the sessions that the request came with. They do not count, since the login takes their
                place; nor does what took their place before, since the answer that said so may have been lost.
            now: Unix seconds.
        """
        if self._limit is None or self._on_limit != "refuse":
            return
        live = self._live(owner, now, most=self._limit + len(own) + _MOST_ENDED)
        if sum(key not in own and not live[key][0].took_the_place_of(own) for key in live) >= self._limit:
            raise TooManySessions(
                f"the owner has {self._limit} sessions already, all that max_sessions_per_owner allows; end one first"
            )

    def enforce(self, owner: str | None, *, keep: bytes, own: Collection[bytes], now: int) -> None:
        """End the sessions beyond the limit, after the login that made `keep`.

        They are found among the hundred that expire first: those that are over, then those that took the place of `own`
        before, whose answer was lost, then those that have been idle for longest. Of an owner with many more than the
        limit a hundred end, and more at the logins that follow.
        """
        if self._limit is None or owner is None:
            return
        hashes, among = self._records.owner_hashes(owner), self._limit + _MOST_ENDED
        surplus = sum(self._store.count_of(each, now=now, most=among) for each in hashes) - self._limit
        if surplus <= 0:
            return
        oldest: dict[bytes, Record] = {}
        for each in hashes:
            oldest |= self._store.oldest_of(each, now=now, limit=_MOST_ENDED, among=among)
        oldest.pop(keep, None)
        read = {key: (summary, record) for key, record in oldest.items() if (summary := self._open(key, record))}
        turns = nsmallest(surplus, read, key=lambda key: self._turn(*read[key], own, now))
        # By version, so that one which changes at this moment stays, and the limit is exceeded until next time.
        ended = self._delete_many({key: read[key][1].version for key in turns})
        if ended and not self.limited:
            self._emit(OwnerLimitReached(ended, self._limit))

    def _turn(self, summary: Summary, record: Record, own: Collection[bytes], now: int) -> tuple[bool, bool, int, int]:
        """Sort by who is to go first."""
        return not self._is_over(summary, now), not summary.took_the_place_of(own), *_idleness(summary, record)

    def _delete(self, key: bytes, record: Record) -> bool:
        # By version: a record that is being renewed at this moment is closed, and must stay there to say so.
        deleted = self._store.delete(key, expected_version=record.version)
        if deleted:
            self._emit(SessionEnded(emptied=False))
        return deleted

    def _delete_many(self, versions: dict[bytes, Hashable]) -> int:
        deleted = self._store.delete_many(versions)
        for _ in range(deleted):
            self._emit(SessionEnded(emptied=False))
        return deleted

    def _pages(self, owner: str, now: int) -> Iterator[dict[bytes, Record]]:
        """Yield all records under the owner's name, readable or not: what is to end must not hide."""
        for owner_hash in self._records.owner_hashes(owner):
            page = self._store.records_of(owner_hash, now=now, limit=_PAGE)
            yield page.records
            while page.cursor is not None:
                page = self._store.records_of(owner_hash, now=now, limit=_PAGE, cursor=page.cursor)
                yield page.records

    def _live(self, owner: str, now: int, *, most: int) -> dict[bytes, tuple[Summary, Record]]:
        """Return the first of the owner's live sessions that the store lists, `most` at most."""
        live: dict[bytes, tuple[Summary, Record]] = {}
        for records in self._pages(owner, now):
            for key, record in records.items():
                if (summary := self._summary(key, record, now)) is not None:
                    live[key] = (summary, record)
                    if len(live) == most:
                        return live
        return live

    def _summary(self, key: bytes, record: Record, now: int) -> Summary | None:
        """Return what the record says of a live session; None where it opens no more."""
        summary = self._open(key, record)
        return None if summary is None or self._is_over(summary, now) else summary

    def _open(self, key: bytes, record: Record) -> Summary | None:
        try:
            return self._summaries.open(record.summary, key)
        except InvalidToken:
            return None  # of another form, or under a key that has left the ring

    def _is_over(self, summary: Summary, now: int) -> bool:
        """Whether the absolute deadline has passed, so that the session is dead, and its record still there."""
        deadline_at = self._ends_at(summary)
        return deadline_at is not None and now >= deadline_at

    def _ends_at(self, summary: Summary) -> int | None:
        return self._lifetime.absolute_deadline(summary, own_seconds=summary.absolute_seconds)

    def _info(self, key: bytes, summary: Summary, record: Record, *, current: bool) -> SessionInfo:
        seen_at, ends_at = summary.last_seen_at(record), self._ends_at(summary)
        expires_at = record.expires_at if ends_at is None else min(record.expires_at, ends_at)
        times = (summary.created_at, summary.authenticated_at, seen_at)
        return SessionInfo(key.hex(), *times, summary.label, expires_at, current, summary.bound)


def _batches(versions: dict[bytes, Hashable]) -> Iterator[dict[bytes, Hashable]]:
    remaining = iter(versions.items())
    while batch := dict(islice(remaining, _BATCH)):
        yield batch


def _idleness(summary: Summary, record: Record) -> tuple[int, int]:
    """Sort by the last visit; and those of one second by the login, since it was the one before."""
    return summary.last_seen_at(record), summary.authenticated_at or summary.created_at
