"""The domains, paths and partitions under which a browser may have a cookie that it is to delete.

A browser tells cookies apart by name, domain, path and partition, and sends name and value alone. So whoever wants one
forgotten has to guess where it stands: a deploy may have changed `CookiePolicy.domain`, `path` or `partitioned` since
it was set, and a subdomain may have planted one.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from ipaddress import ip_address
from itertools import accumulate, product
from typing import NamedTuple

from cookiesess.http.arrival import Arrival
from cookiesess.http.cookies import CookieAttributes, as_in_urls, needs_secure
from cookiesess.http.headers import SetCookie
from cookiesess.http.policy import CookiePolicy, Transport

# Front ends refuse an answer with more header bytes (nginx proxy_buffer_size: 4 or 8 kB for all of them).
MOST_BYTES = 4096
# RFC 1035 section 2.3.4. What is longer is no host, and the work would grow with what a client makes up.
MOST_NAME_BYTES = 253
# Of so many levels of a page's path the cookie is forgotten; sites are seldom below more.
_MOST_LEVELS = 3
# What a Domain attribute is made of; a Host header may hold anything.
_LABEL = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z-]*[0-9A-Za-z])?")


class CookieIdentity(NamedTuple):
    """What tells two cookies apart in a browser (RFC 6265bis section 5.7): to forget one, it must be told all four."""

    name: str
    path: str
    domain: str | None
    partitioned: bool


def places_of(name: str, policy: CookiePolicy, *, host: str, secure: bool, path: str = "") -> Iterator[CookieIdentity]:
    """Yield where a cookie may stand, the configured place first.

    Args:
        name: The cookie's.
        policy: How it is set today.
        host: What the browser asked for; empty: only the configured domain is known.
        secure: Whether the answer may name what is partitioned, which goes with ``Secure`` alone.
        path: What the browser asked for, as the text of its bytes; empty: nobody knows.
    """
    yield CookieIdentity(name, policy.path, policy.domain, policy.partitioned)
    domains: tuple[str | None, ...] = (None, policy.domain, *_parents(host))
    paths: tuple[str, ...] = (policy.path, "/")
    if name.lower().startswith(("__host-", "__host-http-")):
        domains, paths = (None,), ("/",)
    for partitioned, domain, each in product((False, True) if secure else (False,), domains, paths):
        yield CookieIdentity(name, each, domain, partitioned)
    if len(domains) > 1:
        # The browser sent it to this page, so it stands at one of the paths above. Not in every domain and partition:
        # few deploys change two of them at once, and each line counts.
        for domain, each in product((None, policy.domain), _above(path)):
            yield CookieIdentity(name, each, domain, policy.partitioned)


class Forgetting:
    """Has the browser forget a session's cookies. Thread-safe.

    Args:
        policy: How they are set today.
        own: All cookies that a session may travel in, where they are set today.
        spread: The names of those that a session may begin in: they are forgotten wherever they stand, the others
            (further pieces of a token) where they are set today.
    """

    def __init__(self, policy: CookiePolicy, own: Collection[CookieIdentity], *, spread: Collection[str]) -> None:
        self._policy = policy
        self._own = own
        self._names = {each.name for each in own}
        self._spread = spread

    def everywhere(
        self,
        present: Iterable[CookieIdentity],
        arrival: Arrival,
        *,
        besides: Collection[CookieIdentity] = (),
        sent: Collection[SetCookie] = (),
    ) -> Iterator[SetCookie]:
        """Yield the lines for the cookies that a request brought, as many as `MOST_BYTES` allow.

        Args:
            present: The cookies, where they are set today.
            arrival: How the request came.
            besides: Where something is set, so that nothing is to be forgotten.
            sent: What is set. It has its share of the room.
        """
        present, how = tuple(present), arrival.transport()
        secure = how is Transport.HTTPS or self._policy.secure is True
        room = MOST_BYTES - sum(_length(cookie) for cookie in sent)
        # Where they are set today, first: these are sure to be forgotten.
        places: dict[CookieIdentity, None] = dict.fromkeys(present)
        for name in (each.name for each in present if each in self._own and each.name in self._spread):
            found = places_of(name, self._policy, host=arrival.host(), secure=secure, path=arrival.path())
            places |= dict.fromkeys(found)
        for each in places:
            if each not in besides:
                line = self.line(each, how)
                room -= _length(line)
                if room < 0 and each not in present:
                    return
                yield line

    def after_logout(self, present: Iterable[CookieIdentity], arrival: Arrival) -> tuple[SetCookie, ...]:
        """Return the lines of `everywhere`, those of `present` last.

        curl with one file for ``-b`` and ``-c`` reads it again before it writes it, and then minds the last line alone.
        """
        known = dict.fromkeys(present)
        lines = tuple(self.everywhere(known, arrival))
        return (*lines[len(known) :], *lines[: len(known)])

    def line(self, each: CookieIdentity, how: Transport) -> SetCookie:
        """Return the line that has the browser forget one cookie."""
        if each in self._own:
            return SetCookie(each.name, "", self._policy.attributes(how, 0))
        # Browsers take a Secure line over HTTPS alone. A partitioned cookie, or one called __Host-…, needs Secure. Of
        # our own the policy says that there is HTTPS, whatever a proxy hides; another library's may be older than that.
        name, path, domain, partitioned = each
        ours = name in self._names and self._policy.secure is True
        secure = how is Transport.HTTPS or partitioned or needs_secure(name) or ours
        samesite = self._policy.samesite if secure else "Lax"
        if partitioned:
            samesite = "None"  # all that an embedded page may set
        attributes = CookieAttributes(
            path=path, domain=domain, max_age=0, secure=secure, samesite=samesite, partitioned=partitioned
        )
        return SetCookie(name, "", attributes)


def _length(cookie: SetCookie) -> int:
    """Return how many bytes of a response a cookie takes, with the field's name and the end of its line."""
    return len("Set-Cookie: \r\n") + cookie.size_bytes


def _above(path: str) -> Iterator[str]:
    """Yield the paths that a cookie may have which came with a request for `path`, as browsers write them."""
    try:
        text = path.encode("latin-1").decode()
    except UnicodeError:
        return
    names = text.split("/", _MOST_LEVELS + 1)[1 : _MOST_LEVELS + 1]
    for above in accumulate(names, "{}/{}".format, initial=""):
        with suppress(ValueError):
            # What has a "%" may have been written in two ways.
            if above and not above.endswith("/") and "%" not in above:
                yield as_in_urls(above)


def _parents(host: str) -> Iterator[str]:
    """Yield the domains that a cookie may be set for by a page of `host`: itself and its parents, no single label."""
    if len(host) > MOST_NAME_BYTES or is_address(host):
        return
    labels = host.split(".")
    first = len(labels)
    while first and _LABEL.fullmatch(labels[first - 1]):
        first -= 1
    for start in range(first, len(labels) - 1):
        yield ".".join(labels[start:])


def is_address(host: str) -> bool:
    """Whether a host is an IP address, which has no parents."""
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
