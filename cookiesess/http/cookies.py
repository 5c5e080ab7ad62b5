"""Set-Cookie lines: a cookie's attributes, its name and its size, checked against what browsers keep."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypedDict
from urllib.parse import quote

from cookiesess.http.grammar import NAME
from cookiesess.tokens.encoding import is_utf8

MAX_LINE_BYTES = 4093
"""The longest Set-Cookie line that is sent. Browsers keep 4,096 bytes of name and value (RFC 6265bis section 5.6);
some count the attributes too, and some proxies three bytes of their own."""

# No longer than a host may be (RFC 1035 section 2.3.4): what no host is within, browsers drop.
_DOMAIN = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z.-]{0,251}[0-9A-Za-z])?")
# RFC 6265 section 4.1.1, path-value: anything but controls and ";".
_PATH = re.compile(r"/[^\x00-\x1f;\x7f]*")
# A browser compares a Path with the path of the page's URL, where it has written all but these as %XX (WHATWG URL
# Standard, path percent-encode set; "\" is "/" there, and never stays). What is so written already is left.
_IN_URLS = "!$%&'()*+,/:=@[]~"
_SECURE_PREFIXES = ("__host-", "__secure-", "__http-")
# No URL holds these: browsers have walked them, also where they are written as %2e (WHATWG URL Standard, 4.4).
_WALKED = {".", ".."}
# RFC 6265bis section 5.6: a browser passes over an attribute with a longer value.
_MOST_ATTRIBUTE_BYTES = 1024

_EPOCH = datetime.fromtimestamp(0, UTC)
# The last second of the year 9999: browsers read four digits (RFC 6265bis section 5.1.1), and so does Python.
_LAST_SECOND = 253_402_300_799
EXPIRES_BYTES: Final = len("; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
"""How long the attribute ``Expires`` is, whatever it says."""


class Attributes(TypedDict, total=False):
    """The keyword arguments of `Cookies.set`."""

    max_age: int | timedelta | None
    expires: datetime | None
    domain: str | None
    path: str
    secure: bool
    httponly: bool
    samesite: Literal["Strict", "Lax", "None"] | None
    partitioned: bool


def moment_after(max_age: int, *, now: int) -> datetime:
    """Return when a cookie ends that is kept for `max_age` seconds from `now` on, in Unix seconds; a UTC datetime."""
    return datetime.fromtimestamp(min(now + max_age, _LAST_SECOND), UTC) if max_age > 0 else _EPOCH


def http_date(moment: datetime) -> str:
    """Return a UTC datetime as ``Expires`` has it (RFC 9110 section 5.6.7); what is before 1970 as 1970.

    Browsers pass over a date before 1601 (RFC 6265bis section 5.1.1), and would keep what was to be deleted.
    """
    text = max(moment, _EPOCH).ctime()  # "Thu Jan  1 00:00:00 1970", in no other language ever
    return f"{text[:3]}, {text[8:10].replace(' ', '0')} {text[4:7]} {text[20:]} {text[11:19]} GMT"


@dataclass(frozen=True, kw_only=True)
class CookieAttributes:
    """The attributes of a Set-Cookie line: all of it except name and value (RFC 6265bis section 4.1.2).

    Attributes:
        path: A path that begins with ``/``. Blanks, characters beyond ASCII, and others that browsers percent-encode in
            a URL, are encoded here too. Not a security boundary: any page of the host can read around it.
        domain: None (safest): the browser sends the cookie to this host alone. Else also to every subdomain.
        max_age: Seconds until the browser deletes the cookie; 0 deletes it now; None: when the window closes.
        expires: An aware datetime, for clients that do not know Max-Age; `max_age` takes precedence. With a `max_age`
            of 0 or less, an ``Expires`` in the past is sent as well.
        secure: True: browsers send the cookie over HTTPS only.
        httponly: True: scripts cannot read the cookie.
        samesite: ``"Strict"``, ``"Lax"``, ``"None"`` or None (the browser decides).
        partitioned: True: the browser keeps one cookie for each embedding site (CHIPS). Needs `secure` and
            ``samesite="None"``.
        suffix: The attributes as text, as they follow the value.

    Raises:
        ValueError: A field has a value that is not allowed.
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
    _time_at: int = field(init=False, repr=False, compare=False)  # where in the suffix the two times stand

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", as_in_urls(self.path))
        if self.domain is not None and not (type(self.domain) is str and _DOMAIN.fullmatch(self.domain)):
            raise ValueError(f"domain {self.domain!r} is not allowed; write a host name such as 'example.com'")
        if self.samesite not in ("Strict", "Lax", "None", None):
            raise ValueError(f"samesite {self.samesite!r} is not allowed; choose 'Strict', 'Lax', 'None' or None")
        if self.max_age is not None and type(self.max_age) is not int:
            raise ValueError(f"max_age {self.max_age!r} is not allowed; pass whole seconds")
        self._check_flags()
        if self.expires is None and self.max_age is not None and self.max_age <= 0:
            object.__setattr__(self, "expires", _EPOCH)
        time = "" if self.max_age is None else f"; Max-Age={self.max_age}"
        if self.expires is not None:
            time += f"; Expires={http_date(in_utc(self.expires))}"
        place = f"; Path={self.path}" + ("" if self.domain is None else f"; Domain={self.domain}")
        object.__setattr__(self, "suffix", "".join((place, time, *self._flags())))
        object.__setattr__(self, "_time_at", len(place))

    def lasting(self, max_age: int, *, now: int | None = None) -> "CookieAttributes":
        """Return the same for a cookie that is kept for so many seconds from `now` on, or forgotten if that is 0.

        Browsers obey ``Max-Age``. Clients that do not know it, or that misread a Set-Cookie line without ``Expires``
        (java.net.HttpCookie), need ``Expires``.

        Args:
            max_age: Seconds.
            now: Unix seconds; needed where `max_age` is above 0.

        Raises:
            ValueError: There is a time in it already.
            TypeError: `now` is missing.
        """
        if self.max_age is not None or self.expires is not None:
            raise ValueError("these attributes have a max_age or expires already; begin with some without")
        if now is None and max_age > 0:
            raise TypeError("Expires counts from now; pass now=, in Unix seconds")
        expires = moment_after(max_age, now=now or 0)
        time = f"; Max-Age={max_age}; Expires={http_date(expires)}"
        suffix, at = self.suffix, self._time_at
        # Not by the constructor: everything else has been checked, and this is done at each write.
        other = object.__new__(CookieAttributes)
        vars(other).update(vars(self), max_age=max_age, expires=expires, suffix=f"{suffix[:at]}{time}{suffix[at:]}")
        return other

    def _check_flags(self) -> None:
        for name in ("secure", "httponly", "partitioned"):
            if type(getattr(self, name)) is not bool:
                raise ValueError(f"{name} {getattr(self, name)!r} is not allowed; choose True or False")
        for flag, on in (("SameSite=None", self.samesite == "None"), ("Partitioned", self.partitioned)):
            if on and not self.secure:
                raise ValueError(f"browsers drop {flag} without Secure; set secure=True")
        if self.partitioned and self.samesite != "None":
            raise ValueError(
                "Partitioned is for pages in frames of other sites, where browsers drop a cookie without SameSite=None;"
                " set samesite='None', or leave out partitioned"
            )

    def _flags(self) -> Iterator[str]:
        for attribute, on in (("Secure", self.secure), ("HttpOnly", self.httponly)):
            if on:
                yield f"; {attribute}"
        if self.samesite is not None:
            yield f"; SameSite={self.samesite}"
        if self.partitioned:
            yield "; Partitioned"


def as_in_urls(path: str) -> str:
    """Return a path as browsers have it in a URL, with which they compare a cookie's.

    Raises:
        ValueError: No path, or one that they would pass over.
    """
    if type(path) is not str or not _PATH.fullmatch(path):
        raise ValueError(f"path {path!r} is not allowed; it begins with '/', without ';' or controls")
    if not is_utf8(path):
        raise ValueError(f"path {path!r} holds half a surrogate pair, which no URL carries; remove it")
    if not _WALKED.isdisjoint(path.lower().replace("%2e", ".").split("/")):
        raise ValueError(f"path {path!r} holds '.' or '..', which browsers resolve in a page's path; write it without")
    if "|" in path:
        raise ValueError(f"path {path!r} holds '|', which some browsers write as %7C and some do not; remove it")
    encoded = quote(path, safe=_IN_URLS)
    if len(encoded) > _MOST_ATTRIBUTE_BYTES:
        raise ValueError(
            f"path {path[:20]!r}… has {len(encoded)} bytes, and browsers ignore one of more than"
            f" {_MOST_ATTRIBUTE_BYTES}; take a shorter one, such as '/'"
        )
    return encoded


def in_utc(expires: object) -> datetime:
    """Return an ``expires`` in UTC.

    Raises:
        ValueError: It is not aware, no datetime, or in none of the years that a datetime has.
    """
    if not isinstance(expires, datetime):
        raise ValueError(f"expires {expires!r} is not allowed; pass an aware datetime")  # noqa: TRY004 (as all of them)
    if expires.utcoffset() is None:
        raise ValueError("expires is naive, so its hour depends on the server; pass an aware datetime")
    try:
        return expires.astimezone(UTC)
    except OverflowError:
        raise ValueError(
            f"expires {expires!r} is not in the years 1 to 9999 in UTC; pass an earlier one, or max_age"
        ) from None


def needs_secure(name: str) -> bool:
    """Whether browsers drop a cookie of that name without ``Secure``."""
    return name.lower().startswith(_SECURE_PREFIXES)


def check_name(name: str, attributes: CookieAttributes) -> None:
    """Check a name and what its prefix demands (RFC 6265bis section 4.1.3), of which case does not matter.

    ``__Secure-``: Secure. ``__Host-``: the same, no Domain, and the Path ``/``. ``__Http-``: Secure and HttpOnly, so
    that no script can have set it. ``__Host-Http-``: all of these.

    Raises:
        ValueError: Not a name, or a prefix whose attributes are missing: browsers drop such a cookie silently.
    """
    if type(name) is not str or not NAME.fullmatch(name):
        raise ValueError(f"cookie name {name!r} is not allowed; use ASCII letters, digits and !#$%&'*+-.^_`|~")
    prefix = name.lower()
    if needs_secure(name) and not attributes.secure:
        raise ValueError(f"the name {name!r} needs Secure; set secure=True or choose a name without the prefix")
    if prefix.startswith(("__http-", "__host-http-")) and not attributes.httponly:
        raise ValueError(f"the name {name!r} needs HttpOnly; set httponly=True or choose a name without Http-")
    if prefix.startswith("__host-") and (attributes.domain is not None or attributes.path != "/"):
        raise ValueError(
            f"the name {name!r} allows no domain and no path but '/'; choose a name without __Host-, such as 'session'"
        )


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
