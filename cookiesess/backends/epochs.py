"""The epoch of a store of revocations: it shows that the store has lost records that it must not lose.

A store that was emptied, or restored from a backup, looks like any other: sessions that had ended would live again, and
nobody would be told. So the store has an *epoch*, eight random bytes in a record that never expires, and each token
holds the epoch in which it was sealed. A token of another epoch is from before the store lost its memory.

- The record is made by the first write that finds none. Where a token tells that there has been one before, it is made
  at once, or marked, as a later epoch.
- Tokens without an epoch are from before there were epochs. They count as of a store's first one, and of no later one.
- A restored backup has its old epoch again. Only the operator knows; ``python -m cookiesess revocations renew-epoch``.

The record stands under SHA-256("cookiesess v1 epoch"), for anybody who writes to the store: whoever can replace it can
delete revocations as well. Its payload is one byte, 0 for a store's first epoch and 1 for a later one, and the epoch.
"""

import hashlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final, NamedTuple

from cookiesess.backends.found import MAX_TRIES, conflict
from cookiesess.backends.held import HeldStore
from cookiesess.errors import RecordExists, StoreUnavailable
from cookiesess.stores.base import Record, Store, Updated

EPOCH_NAME: Final = hashlib.sha256(b"cookiesess v1 epoch").digest()
EPOCH_BYTES: Final = 8
_FIRST, _LATER = b"\x00", b"\x01"
# The last second of the year 9999: every store keeps it (`StoreContract`).
_NEVER: Final = 253_402_300_799


class Epoch(NamedTuple):
    """One epoch of a store.

    Attributes:
        value: 8 bytes.
        first: Nothing is known of an earlier one.
    """

    value: bytes
    first: bool

    def counts(self, token: bytes | None) -> bool:
        """Whether what was ended since a token's epoch is still known; None for a token without one."""
        return self.first if token is None else token == self.value


class Epochs:
    """Reads the epoch of a store, and makes it where there is none. Thread-safe.

    Args:
        store: The store.
        random_bytes: For new epochs.

    Attributes:
        seen: The epoch that was read last, or None.
    """

    def __init__(self, store: HeldStore, *, random_bytes: Callable[[int], bytes]) -> None:
        self._store = store
        self._random_bytes = random_bytes
        self.seen: bytes | None = None

    def settle(self, record: Record | None, tokens: Iterable[bytes | None], *, begin: bool, now: int) -> Epoch | None:
        """Return the store's epoch, after what the tokens of a request tell of earlier ones; None before the first.

        Args:
            record: What the store has under `EPOCH_NAME`.
            tokens: Their epochs.
            begin: Make the first one, where there is none.
            now: Unix seconds.

        Raises:
            StoreUnavailable: The record holds something else.
        """
        known = {token for token in tokens if token is not None}
        if record is None:
            if not (begin or known):
                return None
            record = self._begin(_LATER if known else _FIRST, now)
        epoch = _read(record)
        if epoch.first and known - {epoch.value}:
            epoch = epoch._replace(first=False)
            # Not done: somebody was faster, with the same or with yet another epoch.
            self._store.update(EPOCH_NAME, _record(_LATER, epoch.value), expected_version=record.version, now=now)
        self.seen = epoch.value
        return epoch

    def _begin(self, kind: bytes, now: int) -> Record:
        with suppress(RecordExists):  # another process has begun it
            self._store.create(EPOCH_NAME, _record(kind, self._random_bytes(EPOCH_BYTES)), now=now)
        record = self._store.load(EPOCH_NAME, now=now)
        if record is None:
            raise StoreUnavailable("the store of revocations does not have the record that it was just given")
        return record


def renew_epoch(store: Store, *, random_bytes: Callable[[int], bytes], now: int) -> None:
    """Begin another epoch: what the store knows is not all that was ended. For a store restored from a backup.

    Client-side sessions from before it are logged out, or go on, as ``on_lost_revocations`` says.

    Raises:
        StoreUnavailable: It may have been done or not.
        SessionConflict: Others do the same, again and again.
    """
    renewed = _record(_LATER, random_bytes(EPOCH_BYTES))
    for _ in range(MAX_TRIES):
        record = store.load(EPOCH_NAME, now=now)
        if record is None:
            with suppress(RecordExists):
                store.create(EPOCH_NAME, renewed, now=now)
                return
        elif isinstance(store.update(EPOCH_NAME, renewed, expected_version=record.version, now=now), Updated):
            return
    raise conflict()


def _record(kind: bytes, value: bytes) -> Record:
    return Record(kind + value, expires_at=_NEVER)


def _read(record: Record) -> Epoch:
    kind, value = record.payload[:1], record.payload[1:]
    if kind not in (_FIRST, _LATER) or len(value) != EPOCH_BYTES:
        raise StoreUnavailable("the epoch in the store of revocations cannot be read; was the store tampered with?")
    return Epoch(value, kind == _FIRST)
