"""The generations of owners: with them, one write ends all client-side sessions of an owner.

An owner's one record, the *ledger*, holds a generation. A token holds the generation of its login; raising the ledger's
ends all that were sealed before. Counters, not clocks: a skew between servers, two logins in one second and a refresh
in flight change nothing. Nothing else raises or lengthens it, so it is as short after a million logouts as after one.

A ledger's name is ``HMAC-SHA256(key of the ring, owner)``, so that a leaked store names no owner, and it is written
once under each key of the ring: whichever of them leaves with the next rotation, nothing is forgotten. (What was
written before a key joined the ring is under the older ones alone; so are the tokens that it is about.)

The first version kept the IDs of single ended sessions in it too. Those count until they lapse, and no more are added.
"""

import hmac
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Final, NamedTuple

from cookiesess.backends.found import MAX_TRIES, conflict
from cookiesess.backends.held import HeldStore
from cookiesess.errors import InvalidToken, RecordExists, StoreUnavailable
from cookiesess.session.lifetime import CLOCK_SKEW_SECONDS, Lifetime
from cookiesess.stores.base import Record
from cookiesess.tokens.encoding import purpose
from cookiesess.tokens.keys import Keyring
from cookiesess.tokens.sealing import Sealer
from cookiesess.tokens.values import ValueCodec

_PURPOSE: Final = purpose("revocation")


class Ledger(NamedTuple):
    """What is known of an owner's sessions.

    Attributes:
        generation: Tokens of an older one are ended.
        until_at: How long the generation must be remembered, in Unix seconds.
        ended: The IDs of single sessions that the first version has ended, and how long each must be remembered.
    """

    generation: int = 0
    until_at: int = 0
    ended: dict[bytes, int] = {}  # noqa: RUF012 (never changed in place)

    def with_(self, other: "Ledger") -> "Ledger":
        """Return what both know."""
        ended = self.ended | other.ended
        return Ledger(max(self.generation, other.generation), max(self.until_at, other.until_at), ended)


class Copies(NamedTuple):
    """What the copies of a ledger say together, and whether each key of the ring has that."""

    ledger: Ledger
    complete: bool


_EMPTY: Final = Ledger()
NO_LEDGER: Final = Copies(_EMPTY, complete=True)
"""What is known of a session that is nobody's."""


class Ledgers:
    """The owners' generations, in a store. Thread-safe.

    Args:
        store: One that forgets nothing before its time.
        keyring: Its keys name and seal the ledgers.
        codec: Encodes them.
        lifetime: One with an absolute timeout.
    """

    def __init__(self, store: HeldStore, keyring: Keyring, *, codec: ValueCodec, lifetime: Lifetime) -> None:
        self._store = store
        self._codec = codec
        self._lifetime = lifetime
        # Each copy of a ledger is named and sealed by one key alone, so that it can be read as long as it can be found.
        self._slots = [(key.derive("revocation"), Sealer(Keyring(key))) for key in keyring.keys]

    def names(self, owner: str) -> list[bytes]:
        """Return what an owner's ledger stands under, for each key of the ring."""
        return [hmac.digest(secret, owner.encode(), "sha256") for secret, _ in self._slots]

    def read(self, names: list[bytes], records: Mapping[bytes, Record | None]) -> Copies:
        """Return what `records` say under the `names` of an owner.

        Raises:
            StoreUnavailable: One of them does not open.
        """
        slots = zip(names, self._slots, strict=True)
        copies = [self._open(sealer, records.get(name), name) for name, (_, sealer) in slots]
        ledger = reduce(Ledger.with_, copies)
        return Copies(ledger, all(copy == ledger for copy in copies))

    def remember(self, owner: str, copies: Copies, *, until_at: int, now: int) -> int:
        """Return the generation that a token of `owner` is sealed with, which lives until `until_at`.

        Beyond 0 it is remembered as long as that token: the next one must be higher than what any token holds. Of a
        token that lives longer than the usual ones it is remembered from 0 on, so that `raise_` knows how long.
        """
        until_at += CLOCK_SKEW_SECONDS
        ledger, complete = copies
        counts = ledger.generation or until_at > self._usual_end(now)
        if counts and (ledger.until_at < until_at or not complete):
            ledger = self._change(owner, lambda old: old._replace(until_at=max(old.until_at, until_at)), now=now)
        return ledger.generation

    def carry_over(self, owner: str, copies: Copies, *, now: int) -> None:
        """Write the owner's ledger under each key of the ring, for a token that is sealed with a newer one from now on.

        Otherwise the generation in that token would outlive the ledger that it was taken from.
        """
        if not copies.complete:
            self._change(owner, lambda old: old, now=now)

    def raise_(self, owner: str, *, now: int) -> int:
        """End all of an owner's sessions; return the generation that those of from now on are sealed with."""
        # Every token of now was sealed at most this long before its deadline; of longer ones the ledger knows already.
        until_at = self._usual_end(now)

        def raised(old: Ledger) -> Ledger:
            return Ledger(old.generation + 1, max(old.until_at, until_at), old.ended)

        return self._change(owner, raised, now=now).generation

    def _usual_end(self, now: int) -> int:
        return (self._lifetime.ends_at(now) or 0) + CLOCK_SKEW_SECONDS

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
        names = self.names(owner)
        for _ in range(MAX_TRIES):
            records = self._store.ask_exactly(names, now=now)
            ledger = change(self.read(names, records).ledger)
            ledger = ledger._replace(ended={sid: at for sid, at in ledger.ended.items() if at > now})
            if all(self._put(*pair, ledger, records=records, now=now) for pair in enumerate(names)):
                return ledger
        raise conflict()

    def _put(self, slot: int, name: bytes, ledger: Ledger, *, records: Mapping[bytes, Record | None], now: int) -> bool:
        """Write one copy; False where another request was faster."""
        # Kept beyond the time up to which it counts: a host whose clock is ahead must not forget it, and let somebody
        # log in without it, while it counts on another one.
        expires_at = max(ledger.until_at + CLOCK_SKEW_SECONDS, *ledger.ended.values(), now + 1)
        array = list(ledger) if ledger.ended else list(ledger[:2])
        record = Record(self._slots[slot][1].seal_bytes(self._codec.pack(array), _PURPOSE + name), expires_at)
        there = records.get(name)
        if there is not None:
            return self._store.update(name, record, expected_version=there.version, now=now)
        try:
            self._store.create(name, record, now=now)
        except RecordExists:
            return False
        return True
