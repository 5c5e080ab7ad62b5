"""Owners: "show my devices", "log out everywhere", and how many sessions a user may have."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, Literal

from cookiesess.backends.summaries import Summaries, Summary
from cookiesess.errors import ConfigurationError, InvalidToken, SessionConflict, TooManySessions
from cookiesess.events import SessionEnded
from cookiesess.events.base import Emitter
from cookiesess.session.lifetime import Lifetime
from cookiesess.stores.base import Record, Store
from cookiesess.tokens.sealing import RecordSealer

# `end_all` looks again until nothing is left: a session that was being renewed has a new record by then. Each round
# ends whatever the one before could not see, so more rounds than this mean that somebody logs in again and again.
_MAX_ROUNDS: Final = 16

OnOwnerLimit = Literal["end_oldest", "refuse"]


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """One of an owner's sessions, as a list of devices shows it.

    Attributes:
        handle: Opaque text for `SessionManager.end`; not the ID, and no use as a cookie. It changes when the session is
            renewed.
        created_at: Unix seconds.
        authenticated_at: When ``login()`` was called last, in Unix seconds, or None.
        last_seen_at: Unix seconds, to within `Lifetime.refresh_after`.
        label: What ``session.label`` was set to, or None.
    """

    handle: str
    created_at: int
    authenticated_at: int | None
    last_seen_at: int
    label: str | None


class Owners:
    """The owner index of one store. Thread-safe.

    Args:
        store: A store with `indexes_owners`.
        records: Names owners.
        summaries: Opens what records say of themselves.
        lifetime: The timeouts.
        emit: Is told what was ended.
        limit: The most sessions an owner may have, or None.
        on_limit: What a login beyond it does: end the oldest, or be refused.
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
    ) -> None:
        if limit is not None and not store.indexes_owners:
            raise ConfigurationError(
                f"max_sessions_per_owner needs a store that indexes owners, and {type(store).__name__} does not;"
                " use another store or leave the limit out"
            )
        self.indexed: bool = store.indexes_owners
        self.limited = limit is not None
        self._store = store
        self._records = records
        self._summaries = summaries
        self._lifetime = lifetime
        self._emit = emit
        self._limit = limit
        self._on_limit = on_limit

    def sessions_of(self, owner: str, *, now: int) -> list[SessionInfo]:
        """Return the owner's live sessions, the one seen last first. One round trip for each key of the ring."""
        found = [
            SessionInfo(
                key.hex(),
                summary.created_at,
                summary.authenticated_at,
                record.expires_at - summary.idle_seconds,
                summary.label,
            )
            for key, (summary, record) in self._live(owner, now).items()
        ]
        return sorted(found, key=lambda info: -info.last_seen_at)

    def end(self, owner: str, handle: str, *, now: int) -> bool:
        """End one session; False where it is not (any more) one of the owner's."""
        try:
            key = bytes.fromhex(handle)
        except ValueError:
            return False
        for _ in range(_MAX_ROUNDS):
            record = self._records_of(owner, now).get(key)
            if record is None:
                return False
            if self._delete(key, record):
                return True
        raise SessionConflict(f"the session changed in each of {_MAX_ROUNDS} tries to end it; try again")

    def end_all(self, owner: str, *, keep: Callable[[], bytes | None], now: int) -> int:
        """End all of the owner's sessions, until a look finds no other; return how many.

        `keep` returns the key of the one to keep. It is asked in each round, since that one may be renewed meanwhile.
        """
        ended = 0
        for _ in range(_MAX_ROUNDS):
            records = self._records_of(owner, now)
            if records:
                records.pop(keep() or b"", None)
            if not records:
                return ended
            for key, record in records.items():
                ended += self._delete(key, record)
        raise SessionConflict(f"the owner got new sessions in each of {_MAX_ROUNDS} rounds of ending them; try again")

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
        live = self._live(owner, now)
        if sum(key not in own and not _replaces(live[key][0], own) for key in live) >= self._limit:
            raise TooManySessions(
                f"the owner has {self._limit} sessions already, all that max_sessions_per_owner allows; end one first"
            )

    def enforce(self, owner: str | None, *, keep: bytes, own: Collection[bytes], now: int) -> None:
        """End sessions beyond the limit, after the login that made `keep`: those in place of `own`, then the oldest."""
        if self._limit is None or owner is None:
            return
        live = self._live(owner, now)
        live.pop(keep, None)
        in_turn = sorted(live, key=lambda key: (not _replaces(live[key][0], own), _began_at(live[key][0])))
        for key in in_turn[: max(len(live) + 1 - self._limit, 0)]:
            # One that changes at this moment stays, and the limit is exceeded until next time.
            self._delete(key, live[key][1])

    def _delete(self, key: bytes, record: Record) -> bool:
        # By version: a record that is being renewed at this moment is closed, and must stay there to say so.
        deleted = self._store.delete(key, expected_version=record.version)
        if deleted:
            self._emit(SessionEnded(emptied=False))
        return deleted

    def _records_of(self, owner: str, now: int) -> dict[bytes, Record]:
        """Return all records of the owner, those that do not open included: they have to end as well."""
        found: dict[bytes, Record] = {}
        for owner_hash in self._records.owner_hashes(owner):
            found |= self._store.records_of(owner_hash, now=now)
        return found

    def _live(self, owner: str, now: int) -> dict[bytes, tuple[Summary, Record]]:
        live = {}
        for key, record in self._records_of(owner, now).items():
            try:
                summary = self._summaries.open(record.summary, key)
            except InvalidToken:
                continue  # of another form, or under a key that has left the ring: such a session opens no more
            deadline_at = self._lifetime.absolute_deadline(summary)
            if deadline_at is None or now < deadline_at:
                live[key] = (summary, record)
        return live


def _replaces(summary: Summary, own: Collection[bytes]) -> bool:
    return summary.replaces is not None and any(key.startswith(summary.replaces) for key in own)


def _began_at(summary: Summary) -> int:
    return summary.authenticated_at or summary.created_at
