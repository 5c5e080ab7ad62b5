"""The grammar of cookies: how a Cookie header is read, and how any text becomes a value. Pure text, no policy.

Reading follows what browsers do (RFC 6265bis section 5.8.3 sends pairs joined by ``"; "``) and never gives up: a pair
that makes no sense is passed over and the next one counts. WSGI headers are text of which each character is one byte
(PEP 3333), so bytes beyond ASCII are turned back into UTF-8.

Two habits of others are undone. HTTP/2 lets a browser send several Cookie fields (RFC 9113 section 8.2.3); a proxy that
hands them on as they are has the server join them with a comma, so a value ends there. What follows the comma is passed
over: if a pair could begin there, a value with a comma in it, which any subdomain can set, would be a cookie of any
name, with the prefix ``__Host-`` too. And some clients put a value in quotes (java.net.HttpCookie, where Set-Cookie has
no Expires).
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from cookiesess.tokens.encoding import is_utf8

_BLANKS = " \t"
_BEFORE = ";" + _BLANKS
NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""What a cookie's name may consist of (RFC 9110 section 5.6.2)."""

# RFC 6265 section 4.1.1, cookie-octet: what a value may hold without quotes.
# (Without "[" and "]", which RFC 6265 allows and webob's reader stops at.)
_PLAIN = re.compile(r"[!#-+\--:<-Z^-~]*")
_ESCAPED = re.compile(rb"\\(?:([0-3][0-7][0-7])|(.))", re.DOTALL)
# What a quoted value may hold where others have written it, and what a second Cookie field begins with. A comma that
# begins no pair stays in a value: scripts write JSON and lists into cookies as they are.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_NEXT_FIELD = re.compile(rf",[ \t]*{NAME.pattern}=")
# What a quoted value must not hold as it is: controls, what ends or breaks a value somewhere, and all beyond ASCII.
_TO_ESCAPE = re.compile(rb'[\x00- ",;\\\x7f-\xff]')


def parse(header: str) -> dict[str, str]:
    """Return the cookies of a Cookie header. Of two with one name the first counts; the work is linear in the length.

    The first is the one with the longest path (RFC 6265bis section 5.8.3), the one meant for this page. A value ends at
    a comma that another pair follows, outside of quotes.
    """
    found: dict[str, str] = {}
    for pair in header.split(";"):
        name, equals, value = pair.partition("=")
        name = name.strip(_BLANKS)
        # A pair without "=" or without a name is nobody's: browsers send it for a Set-Cookie that had no name.
        if equals and name:
            if "," in value:
                value = _first_field(value)
            found.setdefault(name if name.isascii() else _utf8(name), unquote(value.strip(_BLANKS)))
    return found


def _first_field(value: str) -> str:
    """Return `value` up to where a second Cookie field was joined to it."""
    value = value.lstrip(_BLANKS)
    quoted = _QUOTED.match(value)
    joined = _NEXT_FIELD.search(value, quoted.end() if quoted else 0)
    return value[: joined.start()] if joined else value


def values_of(header: str, name: str, *, limit: int) -> list[str]:
    """Return the values of the first `limit` cookies called `name`, as `each_value` finds them."""
    return list(islice(each_value(header, name), limit))


def each_value(header: str, name: str) -> Iterator[str]:
    """Yield the values of the cookies called `name`, without parsing the others; for tokens.

    A token holds neither commas nor quotes: it ends at any comma, and quotes around it are taken off.
    """
    needle = name + "="
    at = header.find(needle)
    while at >= 0:
        start = end = at + len(needle)
        if at == 0 or header[at - 2 : at] == "; " or (header[at - 1] in _BEFORE and _begins_pair(header, at)):
            end = header.find(";", start)
            if end < 0:
                end = len(header)
            value = header[start:end]
            if "," in value:
                value = value.partition(",")[0]
            value = value.strip(_BLANKS)
            yield unquote(value) if value[:1] == '"' else value
        at = header.find(needle, end)  # no pair begins within a value


def is_behind_comma(header: str, name: str) -> bool:
    """Whether a cookie called `name` stands where a second Cookie field was joined to the first, and is passed over."""
    return "," in header and re.search(rf",[ \t]*{re.escape(name)}=", header) is not None


def _begins_pair(header: str, at: int) -> bool:
    while at > 0 and header[at - 1] in _BLANKS:
        at -= 1
    return at == 0 or header[at - 1] == ";"


def unquote(value: str) -> str:
    """Return the text that a value stands for: quotes and their escapes undone, bytes read as UTF-8."""
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value if value.isascii() else _utf8(value)
    raw = value[1:-1].encode("latin-1", "replace")
    return _ESCAPED.sub(_unescape, raw).decode("utf-8", "replace")


def _unescape(match: re.Match[bytes]) -> bytes:
    octal, character = match.groups()
    return bytes((int(octal, 8),)) if octal else character


def _utf8(text: str) -> str:
    # A header that makes no sense must not raise, so what does not decode is replaced.
    return text.encode("latin-1", "replace").decode("utf-8", "replace")


def quote(value: str) -> str:
    """Return `value` as it stands in a header: unchanged where cookie-octets suffice, else quoted, in ASCII alone.

    What would break a header becomes an octal escape within the quotes. So does each byte of the UTF-8 of what is
    beyond ASCII. Flask, webob and `unquote` read that back as the same text. Django reads quoted values by the standard
    library, which returns ASCII as it was, but makes a Latin-1 letter of each escaped byte. No spelling suits both:
    Django would read bytes beyond ASCII that are sent as they are, and Flask would not. RFC 6265 section 4.1.1 asks for
    ASCII.

    Raises:
        ValueError: CR, LF or NUL, which would end the header (CWE-113), or half a surrogate pair.
    """
    if _PLAIN.fullmatch(value):
        return value
    if any(character in value for character in "\r\n\0"):
        raise ValueError("a cookie's value holds CR, LF or NUL; remove them")
    if not value.isascii() and not is_utf8(value):
        raise ValueError("a cookie's value holds half a surrogate pair, which no encoding carries; remove it")
    escaped = _TO_ESCAPE.sub(lambda match: b"\\%03o" % ord(match[0]), value.encode())
    return f'"{escaped.decode()}"'
