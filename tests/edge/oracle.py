"""What client-side sessions should do, as the design's tables say it: the model of the edge's state machine.

A token never changes, so the model of one is a frozen `Content`. Everything else follows from which of them a browser
sends, which keys the asked host has, and what its clock shows.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, Final

from cookiesess import CookiePolicy
from cookiesess.http.places import CookieIdentity
from kit.strategies import exact

REFRESH, IDLE, ABSOLUTE = 3600, 36_000, 54_000
SKEW: Final = 300
"""How far ahead another host's clock may be."""
MOST: Final = 4
"""How many candidates are opened."""
NAME, HOST, PATH = "session", "www.shop.example", "/shop/page"


@dataclass(frozen=True, eq=False)
class Content:
    """What a cookie holds. `key` is None for what no key made; `forged` names a key that has not made it."""

    key: int | None
    data: dict[str, Any] = field(default_factory=dict)
    owner: str | None = None
    created_at: int = 0
    refreshed_at: int = 0
    ends_at: int = 0
    authenticated_at: int = 0
    forged: bool = False

    def is_from_the_future(self, now: int) -> bool:
        return max(self.created_at, self.refreshed_at, self.authenticated_at) > now + SKEW

    def has_run_out(self, now: int) -> bool:
        return now >= self.refreshed_at + IDLE or now >= self.ends_at

    def lives(self, now: int) -> bool:
        return not (self.is_from_the_future(now) or self.has_run_out(now))

    def rank(self, now: int) -> tuple[int, int, int]:
        """By which of several counts: logged in, then the last login, then the last refresh; dead ones last."""
        if not self.lives(now):
            return 0 if self.is_from_the_future(now) else 1, 0, 0
        return 2 + (self.owner is not None), self.authenticated_at, self.refreshed_at


@dataclass(frozen=True)
class Met:
    """What a request finds: `content` if it lives; all that opened; and whether cookies of the name came at all."""

    origin: str
    content: Content | None
    opened: tuple[Content, ...] = ()


def arrive(sent: list[Content], *, joined: bool, ring: list[int], now: int, sealed: bool) -> Met:
    """Return what a request with these cookies finds, in the header's order; `joined`: another stood behind a comma."""
    found, left = [], MOST
    for content in sent:
        known = content.key in ring
        if known and not content.forged:
            found.append(content)
        left -= known and (sealed or not content.forged)
        if not left:
            break
    if not found:
        return Met("rejected" if sent or joined else "none", None)
    at = max(range(len(found)), key=lambda index: (*found[index].rank(now), index))
    chosen = found[at]
    if chosen.lives(now):
        return Met("loaded", chosen, tuple(found))
    return Met("rejected" if chosen.is_from_the_future(now) else "gone", None, tuple(found))


@dataclass
class Request:
    """A request underway: what it met, and what it has made of that."""

    met: Met
    now: int
    data: dict[str, Any] = field(init=False)
    owner: str | None = field(init=False)
    authenticated_at: int = field(init=False)
    base: Content | None = field(init=False)
    ended: bool = False
    asked: bool = False
    logged_in: bool = False

    def __post_init__(self) -> None:
        self.begin(self.met.content)

    def begin(self, content: Content | None) -> None:
        """Go on with a content, or with nothing."""
        self.base = content
        self.data = {} if content is None else deepcopy(content.data)
        self.owner = None if content is None else content.owner
        self.authenticated_at = 0 if content is None else content.authenticated_at

    def login(self, owner: str) -> None:
        """What was written before into a session that had run out is no part of it; nor is another owner's."""
        if (self.met.origin == "gone" and not self.ended) or self.owner not in {None, owner}:
            self.data = {}
        self.owner, self.authenticated_at = owner, self.now
        self.asked = self.logged_in = True

    def renew(self) -> None:
        self.asked = True

    def invalidate(self) -> None:
        self.ended = self.ended or self.met.origin != "none"
        self.asked = self.logged_in = False
        self.begin(None)

    @property
    def exists(self) -> bool:
        return bool(self.data) or self.owner is not None

    @property
    def changed(self) -> bool:
        before = {} if self.base is None else self.base.data
        return self.logged_in or _by_key(before) != _by_key(self.data)

    def commit(self, ring: list[int]) -> Outcome:
        """Return what the answer does to the browser, by the table of decisions."""
        twins = len(self.met.opened) > 1 and not self.ended
        opened = any(not content.is_from_the_future(self.now) for content in self.met.opened)
        if self.exists and (self.base is None or self.changed or self.asked or self.is_due):
            settles = self.ended or (twins and self.logged_in)
            return Outcome(self.written(ring), forgets=settles and (self.ended or opened))
        if self.exists or not (self.ended or (self.base is not None and (self.changed or self.asked))):
            return Outcome()
        return Outcome(forgets=True)

    @property
    def is_due(self) -> bool:
        return self.base is not None and self.now - self.base.refreshed_at >= REFRESH

    def written(self, ring: list[int]) -> Content:
        ends_at = self.now + ABSOLUTE if self.base is None or self.logged_in else self.base.ends_at
        created_at = self.now if self.base is None else self.base.created_at
        return Content(ring[0], self.data, self.owner, created_at, self.now, ends_at, self.authenticated_at)


def _by_key(data: dict[str, Any]) -> dict[str, Any]:
    """The values of a dict without their order, which is no change."""
    return {key: exact(value) for key, value in data.items()}


@dataclass(frozen=True)
class Outcome:
    """What an answer sets, if anything, and whether it has the browser forget the name wherever it may stand."""

    content: Content | None = None
    forgets: bool = False


@dataclass
class Kept:
    """A cookie that a browser has: what it sends, what that holds, and when it came."""

    value: str
    content: Content
    born: int


class Jar:
    """The session's cookies of one browser, by what browsers tell them apart by."""

    def __init__(self) -> None:
        self.kept: dict[CookieIdentity, Kept] = {}
        self.born = 0

    def copy(self) -> Jar:
        jar = Jar()
        jar.kept, jar.born = {place: replace(kept) for place, kept in self.kept.items()}, self.born
        return jar

    def sent(self) -> list[Kept]:
        """The order of a header: longer paths first, then older cookies (RFC 6265bis section 5.8.3)."""
        places = sorted(self.kept, key=lambda place: (-len(place.path), self.kept[place].born))
        return [self.kept[place] for place in places]

    def put(self, place: CookieIdentity, value: str, content: Content) -> None:
        self.born += 1
        born = self.kept[place].born if place in self.kept else self.born
        self.kept[place] = Kept(value, content, born)

    def forget(self, places: set[CookieIdentity]) -> None:
        for place in places:
            self.kept.pop(place, None)


def place_of(policy: CookiePolicy) -> CookieIdentity:
    return CookieIdentity(NAME, policy.path, policy.domain, policy.partitioned)


def everywhere(policy: CookiePolicy) -> set[CookieIdentity]:
    """Where a logout has the browser forget the cookie."""
    domains = {None, policy.domain, HOST, "shop.example"}
    known = {CookieIdentity(NAME, *place) for place in product({policy.path, "/"}, domains, (False, True))}
    above = product(("/shop", PATH), (None, policy.domain))
    return known | {CookieIdentity(NAME, *place, policy.partitioned) for place in above}
