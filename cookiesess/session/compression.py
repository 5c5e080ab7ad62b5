"""Compression of client-side sessions, which is off unless the app asks for it (``compress=True``).

A compressed plaintext is of kind 0x02 (`cookiesess.session.state`): that byte, and then what follows the kind byte of
an inline state, as a raw DEFLATE stream (RFC 1951). It has no zlib header and no checksum, which would be eight bytes
for nothing: the token around it is authenticated.

DEFLATE is in the standard library, and for texts of this size about as good as what is not. A session with a cart of
thirty lines, 2,800 bytes, becomes 1,067 in 21 µs (Brotli 5: 992 in 44, Zstandard 3: 1,112 in 9). A typical one of 291
becomes 274 in 8 (252 in 14, 289 in 4). One of 965 that is mostly a random token becomes 795, and a small one of 40
stays as it is with any. ``python -m benchmarks.compression`` measures it.

The danger: the length of what is sealed shows through encryption, and compressed text is shorter where it repeats
itself. Whoever can have text of their choice put into a session, and can watch the cookie's length, learns about the
secrets beside it, guess by guess (the attack on TLS known as CRIME). So it is never done unasked.
"""

import zlib

from cookiesess.errors import InvalidToken
from cookiesess.session.state import COMPRESSED, INLINE

# What may come out of one cookie, whatever went in. Five chunks carry some 15 KB, of which DEFLATE could make 15 MB, on
# each request; a session of more than this belongs into a store.
MAX_EXPANDED_BYTES = 1 << 18
_LEVEL = 6
_RAW = -zlib.MAX_WBITS


def compress(plaintext: bytes) -> bytes:
    """Return an inline `plaintext` as a compressed one where that is shorter, else as it is."""
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW)
    shorter = COMPRESSED + compressor.compress(plaintext[1:]) + compressor.flush()
    return shorter if len(shorter) < len(plaintext) <= MAX_EXPANDED_BYTES else plaintext


def expand(plaintext: bytes) -> bytes:
    """Return what `compress` took; of any other kind, what came.

    Raises:
        InvalidToken: It is no whole stream, or holds more than `MAX_EXPANDED_BYTES`.
    """
    if plaintext[:1] != COMPRESSED:
        return plaintext
    decompressor = zlib.decompressobj(_RAW)
    try:
        expanded = decompressor.decompress(plaintext[1:], MAX_EXPANDED_BYTES)
    except zlib.error as error:
        raise InvalidToken("plaintext") from error
    if not decompressor.eof or decompressor.unused_data:
        raise InvalidToken("plaintext")
    return INLINE + expanded
