"""How a token travels: in one cookie, or spread over several, and for how long.

A token too long for one line is cut into pieces for ``name``, ``name.1``, ``name.2`` …; the first one begins with their
number and a ``~``, which no token holds::

    name    3~AUdvb2Q…
    name.1  …
    name.2  …

The number says which of the pieces that a browser sends belong to it: one that was left over from a longer session is
passed over. Whether they belong *together* is the token's own affair: it is authenticated as a whole, so pieces of two
sessions open nothing.

Whatever cookies a commit sets, those of this session's names that the request brought and that are not among them are
expired: pieces that are no longer needed, the cookie or the reference of a session that has moved, and the cookie of
another library that it came in.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import accumulate, islice, product
from typing import NamedTuple

from cookiesess.http.cookies import CookieAttributes, SetCookie, values_of
from cookiesess.http.policy import CookiePolicy, Transport
from cookiesess.session.lifetime import Lifetime
from cookiesess.session.state import PERSISTENT, State

# A subdomain can plant cookies of our name in front of the real one; each costs a decryption, so not many are tried.
MAX_CANDIDATES = 4
# A Max-Age of so many digits is beyond every timeout: 300 years.
LONGEST_MAX_AGE = 10**10 - 1
_MARK = "~"
# The number of pieces, one digit, and the mark.
_COUNT_BYTES = 2
# From which part of the limit on an operator should hear of it.
NEAR_PER_CENT = 80


class Place(NamedTuple):
    """A cookie as browsers tell it from others; to be forgotten, it must be named by all of this."""

    name: str
    path: str
    domain: str | None
    partitioned: bool


class Carrier:
    """Spreads tokens over cookies and gathers them again. Thread-safe.

    Args:
        policy: The cookies' names, attributes and limits.
        lifetime: For how long they are kept, where they outlive the window.
        reference: Sessions may be moved to a store, so that a reference may travel instead.
        foreign: Cookies of other libraries that sessions may come in.

    Attributes:
        names: Of all cookies that a session may travel in.
        limit_bytes: How long the Set-Cookie lines of one session may be together.
        near_length: Below how long a token nobody need ask whether it is `near` the limit.
        sure_length: Up to how long a token fits into the first cookie, whatever its Max-Age.
        wide: Whether a session may travel in more cookies than one.
    """

    def __init__(
        self, policy: CookiePolicy, lifetime: Lifetime, *, reference: bool = False, foreign: Iterable[Place] = ()
    ) -> None:
        self._policy = policy
        self._lifetime = lifetime
        self._names = policy.chunk_names
        self.names = (*self._names, policy.reference_name) if reference else self._names
        self._own = tuple(Place(name, policy.path, policy.domain, policy.partitioned) for name in self.names)
        self._family = tuple(dict.fromkeys((*self._own, *foreign)))
        self._counts = {str(count) for count in range(2, policy.chunks + 1)}
        self._usual_rooms = self._rooms(None)
        self.limit_bytes = policy.max_bytes * policy.chunks
        self.wide = len(self._family) > 1
        self._near_bytes = self.limit_bytes * NEAR_PER_CENT // 100
        longest = partial(self.size_bytes, max_age=LONGEST_MAX_AGE)
        self.near_length = bisect_right(range(self.limit_bytes), self._near_bytes, key=longest)
        self.sure_length = self._rooms(LONGEST_MAX_AGE)[0]

    # Out

    def max_age(self, state: State, *, now: int) -> int | None:
        """Return for how many seconds the browser keeps the session's cookie; None: until the window closes."""
        own = state.extras.get(PERSISTENT)
        if self._policy.persistent if own is None else own:
            return max(self._lifetime.deadline(state) - now, 0)
        return None

    def fits(self, token: str, *, max_age: int | None = None) -> bool:
        """Whether `token` can travel within the limits."""
        return self._pieces(token, max_age) is not None

    def size_bytes(self, length: int, *, max_age: int | None = None) -> int:
        """Return how long the Set-Cookie lines of a token of `length` characters are together."""
        rooms = self._usual_rooms if max_age is None else self._rooms(max_age)
        if length <= rooms[0] or len(rooms) == 1:
            return length + self._policy.max_bytes - rooms[0]
        length += _COUNT_BYTES
        rooms = rooms[: next((count for count, room in enumerate(accumulate(rooms), 1) if length <= room), None)]
        return length + self._policy.max_bytes * len(rooms) - sum(rooms)

    def near(self, size_bytes: int) -> bool:
        """Whether lines of `size_bytes` together are so near the limit that somebody should look at the session."""
        return size_bytes > self._near_bytes

    def issue(
        self,
        name: str,
        token: str,
        *,
        transport: Transport,
        max_age: int | None = None,
        header: str = "",
    ) -> tuple[SetCookie, ...]:
        """Return the cookies that carry `token`, and those that have the browser forget what else it had.

        Args:
            name: The session cookie's name, or its reference's.
            token: One that `fits`.
            transport: How the request came.
            max_age: As `max_age` says.
            header: The request's Cookie header.
        """
        if not self.wide:
            return (self._policy.issue(token, transport=transport, max_age=max_age),)
        pieces = [token] if name not in self._names else self._pieces(token, max_age) or [token]
        names = self._names if name in self._names else (name,)
        cookies = [
            self._policy.issue(piece, transport=transport, max_age=max_age, name=each)
            for each, piece in zip(names, pieces, strict=False)
        ]
        issued = self._own[: len(cookies)] if names is self._names else self._own[-1:]
        return (*cookies, *(self._expire(place, transport) for place in self._present(header) if place not in issued))

    def expire(self, *, transport: Transport, header: str = "") -> tuple[SetCookie, ...]:
        """Return the cookies that have the browser forget the session."""
        return tuple(self._expire(place, transport) for place in (self._present(header) if self.wide else self._family))

    def _expire(self, place: Place, transport: Transport) -> SetCookie:
        if place in self._own:
            return self._policy.expire(transport=transport, name=place.name)
        # A browser takes a Secure line over HTTPS alone, and nothing that is partitioned, or so prefixed, without it.
        secure = transport is Transport.HTTPS or place.partitioned or place.name.startswith("__")
        name, path, domain, partitioned = place
        # An embedded page may set SameSite=None alone, and that goes with Secure alone.
        samesite = self._policy.samesite if secure else "Lax"
        attributes = CookieAttributes(
            path=path, domain=domain, max_age=0, secure=secure, samesite=samesite, partitioned=partitioned
        )
        return SetCookie(name, "", attributes)

    def _pieces(self, token: str, max_age: int | None) -> list[str] | None:
        """Return `token` cut to size, or None where it does not fit."""
        first, *others = self._usual_rooms if max_age is None else self._rooms(max_age)
        if len(token) <= first:
            return [token]
        pieces, at = [], 0
        for room in (first - _COUNT_BYTES, *others):
            pieces.append(token[at : at + room])
            at += room
            if at >= len(token):
                return [f"{len(pieces)}{_MARK}{pieces[0]}", *pieces[1:]] if len(pieces) > 1 else None
        return None

    def _rooms(self, max_age: int | None) -> list[int]:
        """Return how long a value each of the cookies may hold."""
        policy = self._policy
        return [policy.max_bytes - policy.overhead_bytes(name, max_age=max_age) for name in self._names]

    # In

    def _present(self, header: str) -> Iterator[Place]:
        """Yield which of the session's cookies a Cookie header brings; of one name, wherever it may be from."""
        # Most requests bring one of them, and looking for a text is quick.
        return (place for place in self._family if place.name in header and values_of(header, place.name, limit=1))

    def tokens(self, header: str) -> list[str]:
        """Return what may be the session's token, most likely first: at most four."""
        firsts = values_of(header, self._policy.name, limit=MAX_CANDIDATES)
        if len(self._names) == 1:
            return firsts
        return list(islice((token for first in firsts for token in self._gather(first, header)), MAX_CANDIDATES))

    def _gather(self, first: str, header: str) -> list[str]:
        """Return the tokens that begin with the piece `first`; several where others planted pieces."""
        count, _, piece = first.partition(_MARK)
        if not piece or count not in self._counts:
            return [first]
        others = (values_of(header, name, limit=MAX_CANDIDATES) for name in self._names[1 : int(count)])
        return ["".join(pieces) for pieces in islice(product([piece], *others), MAX_CANDIDATES)] or [first]
