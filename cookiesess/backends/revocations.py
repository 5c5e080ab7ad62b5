"""Which client-side sessions have been ended: what lets a logout end the copies of a cookie as well.

A session is named by its own ID (`State.sid`, 16 random bytes inside the sealed cookie), which changes with ``login()``
and ``renew()``. What is kept of an ended one:

- of a session without an owner, a record of its own, empty, under ``SHA-256("cookiesess v1 revoked" ‖ sid)``;
- of an owner's sessions, the owner's one *ledger*: a generation and the ended IDs. A token holds the generation of its
  login; raising the ledger's ends all that were sealed before.

So a request asks with one read. Each ID is kept until the absolute deadline of its session, when no copy opens any
more. Counters, not clocks: a skew between servers, two logins in one second and a refresh in flight change nothing.

A ledger's key is ``HMAC-SHA256(key of the ring, owner)``, so that a leaked store names no owner, and it is written once
under each key of the ring: whichever of them leaves with the next rotation, nothing is forgotten. (What was written
before a key joined the ring is under the older ones alone; so are the tokens that it is about.)
"""

import hashlib
import hmac
from collections.abc import Callable
from functools import reduce
from threading import Lock
from typing import Final, NamedTuple

from cookiesess.backends.found import MAX_TRIES, conflict
from cookiesess.errors import InvalidToken, RecordExists, StoreUnavailable
from cookiesess.session.lifetime import CLOCK_SKEW_SECONDS, Lifetime
from cookiesess.session.state import GENERATION, State
from cookiesess.stores.base import Record, Store, Updated
from cookiesess.tokens.encoding import purpose
from cookiesess.tokens.keys import Keyring
from cookiesess.tokens.sealing import Sealer
from cookiesess.tokens.values import ValueCodec

_PURPOSE: Final = purpose("revocation")
# How many answers one process holds on to, where it may: about 200 bytes each.
_MAX_CACHED: Final = 10_000


class Ticket(NamedTuple):
    """What names a session when it is ended.

    Attributes:
        sid: Its ID, 16 bytes.
        owner: Whose it is, or None.
        until_at: Its absolute deadline, in Unix seconds.
    """

    sid: bytes
    owner: str | None
    until_at: int


class Ledger(NamedTuple):
    """What is known of an owner's ended sessions.

    Attributes:
        generation: Tokens of an older one are ended.
        until_at: How long the generation must be remembered, in Unix seconds.
        ended: The IDs of single ended sessions, and how long each must be remembered.
    """

    generation: int = 0
    until_at: int = 0
    ended: dict[bytes, int] = {}  # noqa: RUF012 (never changed in place)

    def with_(self, other: "Ledger") -> "Ledger":
        """Return what both know."""
        ended = self.ended | other.ended
        return Ledger(max(self.generation, other.generation), max(self.until_at, other.until_at), ended)


_EMPTY: Final = Ledger()


class Revocations:
    """The ended sessions, in a store. Thread-safe.

    Args:
        store: One that forgets nothing before its time.
        keyring: Its keys name and seal the ledgers.
        codec: Encodes them.
        lifetime: One with an absolute timeout.
        cache_seconds: For how long an answer may be held.
    """

    def __init__(
        self, store: Store, keyring: Keyring, *, codec: ValueCodec, lifetime: Lifetime, cache_seconds: int
    ) -> None:
        self._store = store
        self._codec = codec
        self._lifetime = lifetime
        # Each copy of a ledger is named and sealed by one key alone, so that it can be read as long as it can be found.
        self._slots = [(key.derive("revocation"), Sealer(Keyring(key))) for key in keyring.keys]
        self._cache_seconds = cache_seconds
        self._cache: dict[bytes, tuple[int, Ledger | bool]] = {}
        self._lock = Lock()

    def reason(self, state: State, *, now: int) -> str | None:
        """Return why a session has ended, or None while it lives. One read, or none with a cached answer.

        Raises:
            StoreUnavailable: It cannot be known.
        """
        if state.owner is None:
            return "ended" if state.sid is not None and self._ended_alone(_name_of(state.sid), now) else None
        ledger = self._ledger(state.owner, now)
        if state.extras.get(GENERATION, 0) < ledger.generation:
            return "generation"
        return "ended" if state.sid in ledger.ended else None

    def revoke(self, ticket: Ticket, *, now: int) -> bool:
        """End a session for good. Doing it twice is fine.

        Returns:
            False where it had been ended before. (Also where another request changed the owner's ledger in the middle
            of this, so that it cannot be told; whoever goes on with the session only after a True is safe.)

        Raises:
            StoreUnavailable: It may not have been ended.
        """
        until_at = ticket.until_at + CLOCK_SKEW_SECONDS
        if ticket.owner is not None:
            return self._revoke_owned(ticket.owner, ticket.sid, until_at, now)
        name = _name_of(ticket.sid)
        try:
            self._store.create(name, Record(b"", max(until_at, now + 1)), now=now)
        except RecordExists:
            return False
        finally:
            self._forget(name)
        return True

    def _revoke_owned(self, owner: str, sid: bytes, until_at: int, now: int) -> bool:
        known = False

        def end(old: Ledger) -> Ledger:
            nonlocal known
            known = sid in old.ended
            return old.with_(Ledger(ended={sid: until_at}))

        self._change(owner, end, now=now)
        return not known

    def generation(self, owner: str, *, until_at: int, now: int) -> int:
        """Return what a token of `owner` that lives until `until_at` is sealed with.

        Beyond 0 it is remembered as long as that token: the next one must be higher than what any token holds.
        """
        until_at += CLOCK_SKEW_SECONDS
        ledger, everywhere = self._copies(owner, now)
        if ledger.generation and (ledger.until_at < until_at or not everywhere):
            ledger = self._change(owner, lambda old: old._replace(until_at=max(old.until_at, until_at)), now=now)
        return ledger.generation

    def carry_over(self, owner: str, *, now: int) -> None:
        """Write the owner's ledger under each key of the ring, for a token that is sealed with a newer one from now on.

        Otherwise the generation in that token would outlive the ledger that it was taken from.
        """
        if not self._copies(owner, now)[1]:
            self._change(owner, lambda old: old, now=now)

    def end_all(self, owner: str, *, now: int) -> int:
        """End all of an owner's sessions; return the generation that those of from now on are sealed with."""
        # Every token of now was sealed at most this long before its deadline.
        until_at = (self._lifetime.ends_at(now) or 0) + CLOCK_SKEW_SECONDS

        def raised(old: Ledger) -> Ledger:
            return Ledger(old.generation + 1, max(old.until_at, until_at), old.ended)

        return self._change(owner, raised, now=now).generation

    # Records

    def _ended_alone(self, name: bytes, now: int) -> bool:
        held = self._held(name, now)
        if not isinstance(held, bool):
            held = self._store.load(name, now=now) is not None
            self._hold(name, held, now)
        return held

    def _ledger(self, owner: str, now: int) -> Ledger:
        names = self._names(owner)
        held = self._held(names[0], now)
        if not isinstance(held, Ledger):
            held = self._read(names, self._load(names, now))
            self._hold(names[0], held, now)
        return held

    def _copies(self, owner: str, now: int) -> tuple[Ledger, bool]:
        """Return the ledger as the store has it, and whether it is the same under each key of the ring."""
        names = self._names(owner)
        copies = self._open_all(names, self._load(names, now))
        ledger = reduce(Ledger.with_, copies)
        return ledger, all(copy == ledger for copy in copies)

    def _names(self, owner: str) -> list[bytes]:
        return [hmac.digest(secret, owner.encode(), "sha256") for secret, _ in self._slots]

    def _load(self, names: list[bytes], now: int) -> dict[bytes, Record]:
        if len(names) > 1:
            return self._store.load_many(names, now=now)
        record = self._store.load(names[0], now=now)
        return {} if record is None else {names[0]: record}

    def _read(self, names: list[bytes], records: dict[bytes, Record]) -> Ledger:
        """Return what the copies of a ledger say together."""
        return reduce(Ledger.with_, self._open_all(names, records))

    def _open_all(self, names: list[bytes], records: dict[bytes, Record]) -> list[Ledger]:
        """Return the copy of a ledger under each key of the ring."""
        return [
            self._open(sealer, records.get(name), name) for name, (_, sealer) in zip(names, self._slots, strict=True)
        ]

    def _open(self, sealer: Sealer, record: Record | None, name: bytes) -> Ledger:
        if record is None:
            return _EMPTY
        try:
            plaintext, _ = sealer.unseal_bytes(record.payload, _PURPOSE + name)
            return Ledger(*self._codec.loads(plaintext)[: len(Ledger._fields)])
        except (InvalidToken, TypeError) as error:
            # Somebody has changed it: whether a session has ended cannot be known, so none of the owner's is let in.
            raise StoreUnavailable("a ledger of ended sessions does not open; was the store tampered with?") from error

    def _change(self, owner: str, change: Callable[[Ledger], Ledger], *, now: int) -> Ledger:
        """Write what `change` makes of a ledger, under each key, and return it."""
        names = self._names(owner)
        try:
            for _ in range(MAX_TRIES):
                records = self._load(names, now)
                ledger = change(self._read(names, records))
                ledger = ledger._replace(ended={sid: at for sid, at in ledger.ended.items() if at > now})
                if all(self._put(*pair, ledger, records=records, now=now) for pair in enumerate(names)):
                    return ledger
        finally:
            self._forget(names[0])
        raise conflict()

    def _put(self, slot: int, name: bytes, ledger: Ledger, *, records: dict[bytes, Record], now: int) -> bool:
        """Write one copy; False where another request was faster."""
        expires_at = max(ledger.until_at, *ledger.ended.values(), now + 1)
        payload = self._slots[slot][1].seal_bytes(self._codec.pack(list(ledger)), _PURPOSE + name)
        record = Record(payload, expires_at)
        if name in records:
            version = records[name].version
            return isinstance(self._store.update(name, record, expected_version=version, now=now), Updated)
        try:
            self._store.create(name, record, now=now)
        except RecordExists:
            return False
        return True

    # What this process has asked lately

    def _held(self, name: bytes, now: int) -> Ledger | bool | None:
        until_at, held = self._cache.get(name, (0, None)) if self._cache_seconds else (0, None)
        return held if now < until_at else None

    def _hold(self, name: bytes, held: Ledger | bool, now: int) -> None:
        if self._cache_seconds:
            with self._lock:
                self._cache.pop(name, None)
                while len(self._cache) >= _MAX_CACHED:
                    del self._cache[next(iter(self._cache))]
                self._cache[name] = (now + self._cache_seconds, held)

    def _forget(self, name: bytes) -> None:
        with self._lock:
            self._cache.pop(name, None)


def _name_of(sid: bytes) -> bytes:
    return hashlib.sha256(b"cookiesess v1 revoked" + sid).digest()
