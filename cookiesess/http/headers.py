"""Makes a response's headers safe for caches: ``Vary: Cookie``, and no shared caching of a visitor's own pages."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from cookiesess.errors import CookieTooLarge
from cookiesess.events import Event, SharedCachingPrevented
from cookiesess.http.cookies import MAX_LINE_BYTES, CookieAttributes

Headers = list[tuple[str, str]]

# RFC 9111 section 5.2: directives parted by commas, which a quoted argument may hold as well.
_DIRECTIVE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
# Forerunners of RFC 9213: they speak to caches in front of the server alone and outrank Cache-Control there.
_CDN_HEADERS = frozenset({"edge-control", "surrogate-control", "x-accel-expires"})

# RFC 9213 section 2.2: each CDN may have a field of its own, and their names end alike.
_CDN_SUFFIX = "cdn-cache-control"

_CACHE_CONTROL = "cache-control"
_RELATED_HEADERS = _CDN_HEADERS | {_CACHE_CONTROL, "expires", "vary"}
# What most responses carry, as most apps spell it: none of the above, which one look-up says instead of three.
_UNRELATED_HEADERS = frozenset(
    {
        "Content-Type", "Content-Length", "Content-Encoding", "Content-Language", "Content-Disposition", "Date", "ETag",
        "Last-Modified", "Location", "Set-Cookie", "Server", "Referrer-Policy", "Strict-Transport-Security",
        "Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options",
    }
)  # fmt: skip
# Of how many values of a header what becomes of them is kept.
_REMEMBERED = 128
_VARY, _PRIVATE = ("Vary", "Cookie"), ("Cache-Control", "private")
_REGISTRATION: Final = "Secure-Session-Registration"


class SetCookie(NamedTuple):
    """One cookie for the response.

    Attributes:
        name: The cookie's name.
        value: The value as it stands in the header, already quoted.
        attributes: Path, Max-Age and so on.
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
            ValueError: The name or the value would end the header (CWE-113). The jar and the policy refuse them before.
        """
        line = f"{self.name}={self.value}{self.attributes.suffix}"
        if "\n" in line or "\r" in line or "\0" in line:
            raise ValueError(f"the cookie {self.name!r} holds CR, LF or NUL; remove them")
        return line

    @property
    def size_bytes(self) -> int:
        """The length of `line`."""
        return len(self.name) + 1 + len(self.value) + len(self.attributes.suffix)


def check_size(cookie: SetCookie) -> SetCookie:
    """Return `cookie` if its line is short enough for every browser.

    Raises:
        CookieTooLarge: It would be dropped silently.
    """
    if cookie.size_bytes > MAX_LINE_BYTES:
        raise CookieTooLarge(cookie.name, size_bytes=cookie.size_bytes, limit_bytes=MAX_LINE_BYTES)
    return cookie


class Commit(NamedTuple):
    """What a response needs.

    Attributes:
        cookies: The Set-Cookie lines of the session and of the jar.
        vary: True: the response depends on the request's cookies, and needs ``Vary: Cookie``.
        no_store: True: no cache may keep the response.
        personal: True: the app used somebody's session for the response. Shared caches must not keep it, unless the app
            allows that: some caches ignore ``Vary``, or go by the path's ending (web cache deception).
        clears: The value of ``Clear-Site-Data``; empty: no such header.
        registers: The value of ``Secure-Session-Registration``, after a login; empty: no such header.
        written: True: the session was written, to a store or to its cookies.
        private: True: the response sets cookies, and shared caches must not keep it.
    """

    cookies: tuple[SetCookie, ...]
    vary: bool
    written: bool = False
    no_store: bool = False
    personal: bool = False
    clears: str = ""
    registers: str = ""

    @property
    def private(self) -> bool:
        """True if there are cookies."""
        return bool(self.cookies)


UNTOUCHED: Final = Commit((), vary=False)
"""Nobody looked at the session or the cookies: the response needs nothing."""

READ: Final = Commit((), vary=True, personal=True)
"""Somebody's session was read, and nothing else came of it."""


def with_ours(headers: Headers, needs: Commit, *, emit: Callable[[Event], object]) -> Headers:
    """Return `headers` with what a commit asks for, in a new list: the app's may be shared by all its requests.

    Args:
        headers: The app's.
        needs: What the commit returned.
        emit: Is told where the app had meant to share a response that sets a cookie.
    """
    cookies = needs.cookies
    for name, _ in headers:
        if name not in _UNRELATED_HEADERS:
            lowered = name.lower()
            if lowered in _RELATED_HEADERS or _CACHE_CONTROL in lowered:
                return _merged(headers, needs, emit)
    if needs.no_store or needs.clears:
        return _merged(headers, needs, emit)
    # Most responses have none of these headers, so there is nothing to merge with.
    result = [*headers, _VARY] if needs.vary else list(headers)
    if cookies:
        result.append(_PRIVATE)
        for cookie in cookies:
            result.append(("Set-Cookie", cookie.line))
        if needs.registers:
            result.append((_REGISTRATION, needs.registers))
    elif needs.personal:
        result.append(_PRIVATE)
    return result


def _merged(headers: Headers, needs: Commit, emit: Callable[[Event], object]) -> Headers:
    result = with_vary(headers) if needs.vary else headers
    if needs.cookies:
        result, prevented = with_cookies(result, needs.cookies)
        if prevented:
            emit(SharedCachingPrevented())
    elif needs.personal and not _say_of_caching(headers):
        result = [*result, _PRIVATE]
    if needs.clears:
        result = [*result, ("Clear-Site-Data", needs.clears)]
    if needs.registers:
        result = [*result, (_REGISTRATION, needs.registers)]
    if needs.no_store:
        return never_cached(result)
    return [*headers] if result is headers else result


def with_vary(headers: Headers) -> Headers:
    """Return `headers` with ``Cookie`` among what the response varies by, once; ``*`` says so already."""
    result, found = [*headers], False
    for at, (name, value) in enumerate(headers):
        if name not in _UNRELATED_HEADERS and name.lower() == "vary":
            varied = _varied(value)
            if varied is None:
                return headers
            if not found:
                result[at], found = (name, varied), True
    if not found:
        result.append(_VARY)
    return result


def with_cookies(headers: Headers, cookies: Iterable[SetCookie]) -> tuple[Headers, bool]:
    """Return `headers` with the Set-Cookie lines, kept out of shared caches, and whether the app had meant to share.

    A shared cache that keeps a Set-Cookie hands one visitor's session to the next (RFC 9111 section 7.3 leaves it to
    the origin). ``max-age`` alone allows shared caching, so ``private`` is added unless ``no-store`` or an unqualified
    ``private`` is there already.
    """
    kept: Headers = []
    values, places, for_cdn = [], [], False
    for header in headers:
        if header[0] not in _UNRELATED_HEADERS:
            lowered = header[0].lower()
            if lowered == _CACHE_CONTROL:
                values.append(header[1])
                places.append(len(kept))
            elif lowered in _CDN_HEADERS or lowered.endswith(_CDN_SUFFIX):
                for_cdn = True
                continue
        kept.append(header)
    private, shared = _made_private(tuple(values))
    if private is not None:
        for at in reversed(places):
            del kept[at]
        kept.append(("Cache-Control", private))
    for cookie in cookies:
        kept.append(("Set-Cookie", cookie.line))
    return kept, shared or for_cdn


# An app says the same few things of caching again and again, so what becomes of them is remembered.


@lru_cache(maxsize=_REMEMBERED)
def _varied(value: str) -> str | None:
    """Return a Vary with ``Cookie`` in it; None where it says so already."""
    if any(field.strip().lower() in {"cookie", "*"} for field in value.split(",")):
        return None
    return f"{value}, Cookie" if value.strip() else "Cookie"


@lru_cache(maxsize=_REMEMBERED)
def _made_private(values: tuple[str, ...]) -> tuple[str | None, bool]:
    """Return the Cache-Control to take the place of those with these values, and whether they share the response.

    Where they keep it out of shared caches already, that is None: they stay as they are.
    """
    directives = [part.strip() for value in values for part in _DIRECTIVE.findall(value) if part.strip()]
    shared = [directive for directive in directives if _name(directive) in {"public", "s-maxage"}]
    private = any(directive.lower() in {"no-store", "private"} for directive in directives)
    if private and not shared:
        return None, False
    allowed = [directive for directive in directives if directive not in shared]
    return ", ".join(allowed if private else [*allowed, "private"]), bool(shared)


def _is_for_cdn(name: str) -> bool:
    lowered = name.lower()
    return lowered in _CDN_HEADERS or lowered.endswith(_CDN_SUFFIX)


def _say_of_caching(headers: Headers) -> bool:
    for name, _ in headers:
        if name not in _UNRELATED_HEADERS and (name.lower() in {_CACHE_CONTROL, "expires"} or _is_for_cdn(name)):
            return True
    return False


def _name(directive: str) -> str:
    return directive.partition("=")[0].strip().lower()


def never_cached(headers: Headers) -> Headers:
    """Return `headers` with an answer that no cache keeps, whatever the app said: it differs from what others get."""
    kept = [(name, value) for name, value in headers if name.lower() != "cache-control" and not _is_for_cdn(name)]
    return [*kept, ("Cache-Control", "private, no-store")]
