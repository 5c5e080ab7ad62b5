"""The bytes of a record in Memcached, and the version that a caller holds.

A value, version 1, numbers big-endian::

    offset  bytes  what
    0       1      0x01, the version of this layout
    1       8      the record's version: random, drawn anew by each create and update, kept by touch
    9       8      expires_at, Unix seconds, signed
    17      1      length of the owner: 0 for none, else 32
    18      2      length of the summary
    20      -      owner, summary, payload, one after the other to the end

The record's version is in the value since Memcached's own token (the "cas unique") changes with a touch as well. It is
random, not counted, so that a writer can tell by it whether what stands there is its own write whose answer was lost.
The expiry is in the value since it rules: Memcached's own only cleans up.
"""

import struct
from dataclasses import dataclass, field
from typing import Final

from cookiesess.errors import StoreUnavailable
from cookiesess.stores.base import Record

NUMBER_BYTES: Final = 8
_LAYOUT: Final = 1
_HEADER: Final = struct.Struct(">B8sqBH")
_EXPIRES_AT: Final = struct.Struct(">q")
_EXPIRES_AT_OFFSET: Final = 9

# How much longer than the record the item lives. Memcached counts whole seconds of its own clock, and would otherwise
# drop an item up to a second before the record has expired, or earlier if the caller's clock goes back a little.
_MARGIN_SECONDS: Final = 60
# The protocol reads anything above as a Unix time (protocol.txt, "Expiration times"); the server has 32 bits.
_MAX_RELATIVE: Final = 60 * 60 * 24 * 30
_MAX_ABSOLUTE: Final = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class Version:
    """A record's version, with what Memcached had when it was read: a write by that needs no reading before it.

    Attributes:
        number: 8 random bytes. Only this is compared.
        token: Memcached's "cas unique" of the item; None where it is not known, as after a write.
        value: The item's bytes, under that token.
    """

    number: bytes
    token: bytes | None = field(default=None, compare=False, repr=False)
    value: bytes = field(default=b"", compare=False, repr=False)

    @property
    def expires_at(self) -> int:
        """Unix seconds, of the value under `token`."""
        expires_at: int = _EXPIRES_AT.unpack_from(self.value, _EXPIRES_AT_OFFSET)[0]
        return expires_at


def pack(record: Record, number: bytes) -> bytes:
    """Return a record as a value with the version `number`."""
    owner = record.owner or b""
    header = _HEADER.pack(_LAYOUT, number, record.expires_at, len(owner), len(record.summary))
    return b"".join((header, owner, record.summary, record.payload))


def unpack(value: bytes, token: bytes) -> Record:
    """Return the record in a value that was read with `token`.

    Raises:
        StoreUnavailable: It is none.
    """
    if len(value) < _HEADER.size or value[0] != _LAYOUT:
        raise _unreadable()
    _, number, expires_at, owner_bytes, summary_bytes = _HEADER.unpack_from(value)
    summary_at = _HEADER.size + owner_bytes
    payload_at = summary_at + summary_bytes
    if len(value) < payload_at:
        raise _unreadable()
    owner = value[_HEADER.size : summary_at] or None
    return Record(value[payload_at:], expires_at, value[summary_at:payload_at], owner, Version(number, token, value))


def moved(value: bytes, expires_at: int) -> bytes:
    """Return a value with another expiry, and the same in all else."""
    end = _EXPIRES_AT_OFFSET + _EXPIRES_AT.size
    return value[:_EXPIRES_AT_OFFSET] + _EXPIRES_AT.pack(expires_at) + value[end:]


def exptime(expires_at: int, now: int) -> int:
    """Return the expiry of an item in the protocol's terms: when it may be cleaned up, never before the record expires.

    Beyond 30 days it is a Unix time, read by the server's clock, so that a record may go early where that is ahead by
    more than those 30 days. Never (0) would avoid this, but items that nobody can read any more would then only leave
    by being evicted, and "evictions", the one sign of too little memory, would count them. Beyond 2038 there is
    nothing but 0.
    """
    seconds = expires_at - now + _MARGIN_SECONDS
    if seconds <= _MAX_RELATIVE:
        return max(seconds, 1)
    absolute = expires_at + _MARGIN_SECONDS
    return absolute if absolute <= _MAX_ABSOLUTE else 0


def _unreadable() -> StoreUnavailable:
    return StoreUnavailable(
        "a value in Memcached under a session's key is not a record of this version; it is another application's or a"
        " newer release's: give each its own prefix="
    )
