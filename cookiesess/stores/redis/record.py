"""A session in Redis: the names of its keys, and its value byte by byte.

A record is one plain string, so that reading it is a plain GET: a hash would cost more memory and a longer answer.
All numbers are unsigned and big-endian::

    offset  bytes  what
    0       1      format, 1
    1       8      version: drawn at random by every create and every update
    9       8      expires_at, Unix seconds
    17      8      indexed_until, Unix seconds: until when the owner's index lists the record; 0 without an owner
    25      1      length of the owner's hash: 0 without an owner
    26      2      length of the summary
    28      ...    owner, summary, payload

The scripts read the first three fields only and a touch rewrites nothing but `expires_at`, so what else comes behind
them may change with the format's number.

The names of keys, all of them text, since many tools that move, list or watch keys take them for UTF-8::

    <prefix>{<key>}             a record
    <prefix>{<key>}:<16 hex>    a mark of one write to it, see `redis_scripts`
    <prefix>owner:<owner>       an owner's index: a sorted set of <key>, each by the second until which it is listed

<key> and <owner> are the base64url of 32 bytes. The braces are literal: a Cluster hashes what stands in them, so that
what belongs to one record lies in one slot.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Hashable
from typing import Final

from cookiesess.errors import StoreUnavailable
from cookiesess.stores.base import Record

HEADER: Final = struct.Struct(">B8sQQBH")
EXPIRES_AT: Final = struct.Struct(">Q")
_FORMAT: Final = 1

# The index lists a record for longer than it lives, so that the many touches and updates that only move its expiry do
# not have to write the index as well. The day is for short sessions, which are touched every few minutes. The price is
# that the 43 bytes of a record that has expired stay listed for as much longer.
_AHEAD_SECONDS: Final = 86_400

Version = tuple[bytes, bytes | None, int]
"""What a version is to callers: opaque. The drawn bytes identify it; owner and indexed_until are constant under one
version, and tell the next writer about the index without a read."""

# Fits no record: theirs have eight bytes.
NO_VERSION: Final[Version] = (b"none", None, 0)


def text_of(key: bytes) -> bytes:
    """Return a key as the text it has in Redis, in its own name and in indexes."""
    return urlsafe_b64encode(key).rstrip(b"=")


def key_of(text: bytes) -> bytes:
    """Return the key that `text_of` was given: 32 bytes, whose base64 lacks one ``=``."""
    return urlsafe_b64decode(text + b"=")


def version_of(expected: Hashable) -> Version:
    """Return a version that a caller gave back; what is none of ours fits no record."""
    return expected if isinstance(expected, tuple) else NO_VERSION


def index_deadline(expires_at: int, now: int) -> int:
    """Return until when an index entry that is written now should last, in Unix seconds."""
    return now + 2 * max(expires_at - now, 0) + _AHEAD_SECONDS


def pack(record: Record, drawn: bytes, until: int) -> bytes:
    """Return the value of a record, with `drawn` as its version."""
    owner, summary = record.owner or b"", record.summary
    header = HEADER.pack(_FORMAT, drawn, record.expires_at, until, len(owner), len(summary))
    return b"%b%b%b%b" % (header, owner, summary, record.payload)


def unpack(value: bytes) -> Record:
    """Return the record in a value, or in the beginning of one, which has an empty payload.

    Raises:
        StoreUnavailable: The value is not a record of this format.
    """
    try:
        form, drawn, expires_at, until, owner_size, summary_size = HEADER.unpack_from(value)
    except struct.error:
        form = None
    if form != _FORMAT:
        raise StoreUnavailable(
            "a key under the store's prefix holds something that is not a record of this version; give the store a"
            " prefix of its own, or run the version that wrote it"
        )
    summary_at = 28 + owner_size
    payload_at = summary_at + summary_size
    owner = value[28:summary_at] if owner_size else None
    return Record(value[payload_at:], expires_at, value[summary_at:payload_at], owner, (drawn, owner, until))
