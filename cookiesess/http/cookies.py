"""The grammar of cookies: how request headers are read, and how Set-Cookie lines are written. Pure text, no policy.

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
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import NamedTuple

from cookiesess.errors import CookieTooLarge
from cookiesess.tokens.encoding import is_utf8

MAX_LINE_BYTES = 4093
"""The longest Set-Cookie line that is sent. Browsers keep 4,096 bytes of name and value (RFC 6265bis section 5.6);
some count the attributes too, and some proxies three bytes of their own."""

_BLANKS = " \t"
# RFC 9110 section 5.6.2: what a cookie's name may consist of.
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# RFC 6265 section 4.1.1, cookie-octet: what a value may hold without quotes.
# (Without "[" and "]", which RFC 6265 allows and webob's reader stops at.)
_PLAIN = re.compile(r"[!#-+\--:<-Z^-~]*")
_DOMAIN = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z.-]*[0-9A-Za-z])?")
# RFC 6265 section 4.1.1, path-value: anything but controls and ";"; kept to ASCII, since a header is not UTF-8.
_PATH = re.compile(r"/[ -:<-~]*")
_ESCAPED = re.compile(rb"\\(?:([0-3][0-7][0-7])|(.))", re.DOTALL)
# What a quoted value may hold where others have written it, and what a second Cookie field begins with. A comma that
# begins no pair stays in a value: scripts write JSON and lists into cookies as they are.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_NEXT_FIELD = re.compile(rf",[ \t]*{_NAME.pattern}=")
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
    """Return the values of the first `limit` cookies called `name`, without parsing the others; for tokens.

    A token holds neither commas nor quotes: it ends at any comma, and quotes around it are taken off.
    """
    needle = name + "="
    values: list[str] = []
    at = header.find(needle)
    while at >= 0 and len(values) < limit:
        start = at + len(needle)
        if at == 0 or header[at - 2 : at] == "; " or _begins_pair(header, at):
            end = header.find(";", start)
            value = header[start : end if end >= 0 else None]
            if "," in value:
                value = value.partition(",")[0]
            value = value.strip(_BLANKS)
            values.append(unquote(value) if value[:1] == '"' else value)
        at = header.find(needle, start)
    return values


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieAttributes:
    """Everything of a Set-Cookie line but name and value (RFC 6265bis section 4.1.2).

    Attributes:
        path: Begins with ``/``. Not a security boundary: any page of the host can read around it.
        domain: None for this host alone (safest); else the cookie also goes to every subdomain.
        max_age: Seconds until the browser forgets it; 0 deletes; None: until the window closes.
        expires: Aware datetime; `max_age` outranks it.
        secure: Sent over HTTPS only.
        httponly: Hidden from scripts.
        samesite: ``"Strict"``, ``"Lax"``, ``"None"`` or None (the browser decides).
        partitioned: Kept apart for each embedding site (CHIPS); needs `secure`.
        suffix: The attributes as they stand behind the value, made once.

    Raises:
        ValueError: A field that is not of its form.
    """

    path: str = "/"
    domain: str | None = None
    max_age: int | None = None
    expires: datetime | None = None
    secure: bool = True
    httponly: bool = True
    samesite: str | None = "Lax"
    partitioned: bool = False
    suffix: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if type(self.path) is not str or not _PATH.fullmatch(self.path):
            raise ValueError(
                f"path {self.path!r} is not allowed; it begins with '/', in ASCII, without ';' or controls"
            )
        if self.domain is not None and not (type(self.domain) is str and _DOMAIN.fullmatch(self.domain)):
            raise ValueError(f"domain {self.domain!r} is not allowed; write a host name such as 'example.com'")
        if self.samesite not in ("Strict", "Lax", "None", None):
            raise ValueError(f"samesite {self.samesite!r} is not allowed; choose 'Strict', 'Lax', 'None' or None")
        if self.max_age is not None and type(self.max_age) is not int:
            raise ValueError(f"max_age {self.max_age!r} is not allowed; pass whole seconds")
        if self.expires is not None and not isinstance(self.expires, datetime):
            raise ValueError(f"expires {self.expires!r} is not allowed; pass an aware datetime")
        if self.expires is not None and self.expires.tzinfo is None:
            raise ValueError("expires is naive, so its hour depends on the server; pass an aware datetime")
        self._check_flags()
        object.__setattr__(self, "suffix", "".join(self._parts()))

    def _check_flags(self) -> None:
        for name in ("secure", "httponly", "partitioned"):
            if type(getattr(self, name)) is not bool:
                raise ValueError(f"{name} {getattr(self, name)!r} is not allowed; choose True or False")
        for flag, on in (("SameSite=None", self.samesite == "None"), ("Partitioned", self.partitioned)):
            if on and not self.secure:
                raise ValueError(f"{flag} without Secure is dropped by browsers; set secure=True")

    def _parts(self) -> Iterator[str]:
        yield f"; Path={self.path}"
        if self.domain is not None:
            yield f"; Domain={self.domain}"
        if self.max_age is not None:
            yield f"; Max-Age={self.max_age}"
        if self.expires is not None:
            yield f"; Expires={format_datetime(self.expires.astimezone(UTC), usegmt=True)}"
        for attribute, on in (("Secure", self.secure), ("HttpOnly", self.httponly)):
            if on:
                yield f"; {attribute}"
        if self.samesite is not None:
            yield f"; SameSite={self.samesite}"
        if self.partitioned:
            yield "; Partitioned"


class SetCookie(NamedTuple):
    """One cookie for the response.

    Attributes:
        name: The cookie's name.
        value: As it stands in the header, already quoted.
        attributes: The rest, as fields.
    """

    name: str
    value: str
    attributes: CookieAttributes

    def __repr__(self) -> str:
        # Without the value: it may be a session, and a repr ends up in logs.
        return f"SetCookie({self.name!r}, {len(self.value)} characters, {self.attributes!r})"

    @property
    def line(self) -> str:
        """The Set-Cookie header's value.

        Raises:
            ValueError: Name or value would end the header (CWE-113). The jar and the policy let none of them come here.
        """
        line = f"{self.name}={self.value}{self.attributes.suffix}"
        if "\n" in line or "\r" in line or "\0" in line:
            raise ValueError(f"the cookie {self.name!r} holds CR, LF or NUL; remove them")
        return line

    @property
    def size_bytes(self) -> int:
        """The length of `line`."""
        return len(self.name) + 1 + len(self.value) + len(self.attributes.suffix)


def check_name(name: str, attributes: CookieAttributes) -> None:
    """Check a name and what its prefix demands (RFC 6265bis section 4.1.3), of which case does not matter.

    Raises:
        ValueError: Not a name, or a prefix whose attributes are missing: browsers drop such a cookie silently.
    """
    if type(name) is not str or not _NAME.fullmatch(name):
        raise ValueError(f"cookie name {name!r} is not allowed; use ASCII letters, digits and !#$%&'*+-.^_`|~")
    prefix = name.lower()
    if prefix.startswith(("__host-", "__secure-")) and not attributes.secure:
        raise ValueError(f"the name {name!r} needs Secure; set secure=True or choose a name without the prefix")
    if prefix.startswith("__host-") and (attributes.domain is not None or attributes.path != "/"):
        raise ValueError(
            f"the name {name!r} allows no domain and no path but '/'; choose a name without __Host-, such as 'session'"
        )


def check_size(cookie: SetCookie) -> SetCookie:
    """Return `cookie` if its line is short enough for every browser.

    Raises:
        CookieTooLarge: It would be dropped silently.
    """
    if cookie.size_bytes > MAX_LINE_BYTES:
        raise CookieTooLarge(cookie.name, size_bytes=cookie.size_bytes, limit_bytes=MAX_LINE_BYTES)
    return cookie


def seconds(max_age: int | timedelta | None) -> int | None:
    """Return a max_age as whole seconds.

    Raises:
        ValueError: Another type.
    """
    if isinstance(max_age, timedelta):
        return max_age // timedelta(seconds=1)
    if max_age is None or type(max_age) is int:
        return max_age
    raise ValueError(f"max_age {max_age!r} is not allowed; pass whole seconds or a timedelta")
