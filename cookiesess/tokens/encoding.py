"""Strict, canonical, unpadded base64url (RFC 4648 section 5): every byte string has exactly one text.

Decoders that skip what they do not know give one token many spellings; a filter, a log or a revocation list that
compares texts can then be walked around. So junk, padding, the other alphabet's ``+`` and ``/``, and unused bits that
are not zero (RFC 4648 section 3.5) are all refused.
"""

from binascii import a2b_base64, b2a_base64

PADDING = ("", "", "==", "=")
# By length modulo 4, what the last character may be so that its unused bits are zero; one left over is never valid.
LAST = (
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
    "",
    "AQgw",
    "AEIMQUYcgkosw048",
)


def encode(data: bytes) -> str:
    """Return `data` as base64url without padding: 4 characters for 3 bytes."""
    # Two replacements take a third of the time of one `translate`.
    return b2a_base64(data, newline=False).rstrip(b"=").replace(b"+", b"-").replace(b"/", b"_").decode()


def decode(text: str) -> bytes:
    """Return the bytes whose `encode` is exactly `text`.

    Raises:
        ValueError: Nothing encodes to `text`. (Both of the standard library's errors here are subclasses.)
    """
    remainder = len(text) & 3
    if text and text[-1] not in LAST[remainder]:
        raise ValueError("not canonical base64url")
    if "+" in text or "/" in text:
        raise ValueError("the standard alphabet, which is another spelling")
    return a2b_base64(text.replace("-", "+").replace("_", "/") + PADDING[remainder], strict_mode=True)


def purpose(*parts: str) -> bytes:
    """Return what a token is for, unambiguously: each part as UTF-8 behind its length in 2 bytes.

    Without the lengths ``("cookie", "sa")`` and ``("cookies", "a")`` would be one purpose.
    """
    encoded = (part.encode() for part in parts)
    return b"".join(len(part).to_bytes(2) + part for part in encoded)


def is_utf8(text: str) -> bool:
    """Whether `text` can be encoded: it holds no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
