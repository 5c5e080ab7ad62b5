"""A token that is too long for one cookie, cut into pieces for several, and put together again.

The cookies are called ``name``, ``name.1``, ``name.2`` …. The first piece begins with the number of pieces and a ``~``,
which no token holds::

    name    3~AUdvb2Q…
    name.1  …
    name.2  …

The number says how many of the pieces that a browser sends count: one that was left over from a longer session is
passed over. Pieces of two sessions open nothing, since the token is authenticated as a whole.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, islice, product

from cookiesess.http.grammar import values_of
from cookiesess.http.policy import CookiePolicy

# A subdomain can plant cookies of our name in front of the real one; each costs a decryption, so not many are tried.
MAX_CANDIDATES = 4
_MARK = "~"
# Of so many ways to put pieces together one looks whether they are different.
_MOST_ORDERS = 16
# The number of pieces, one digit, and the mark.
_COUNT_BYTES = 2


class Pieces:
    """Cuts the tokens of one policy, and gathers them. Thread-safe.

    Args:
        policy: The cookies' names, attributes and limits.

    Attributes:
        names: Of the cookies that a token may be spread over, in order.
    """

    def __init__(self, policy: CookiePolicy) -> None:
        self.names = policy.chunk_names
        self._policy = policy
        self._counts = {str(count) for count in range(2, policy.chunks + 1)}
        self._usual_rooms = self._measure(None)

    def rooms(self, max_age: int | None) -> list[int]:
        """Return how long a value each of the cookies may hold, with that Max-Age."""
        return self._usual_rooms if max_age is None else self._measure(max_age)

    def _measure(self, max_age: int | None) -> list[int]:
        policy = self._policy
        return [policy.max_bytes - policy.overhead_bytes(name, max_age=max_age) for name in self.names]

    def fit(self, length: int, max_age: int | None) -> bool:
        """Whether a token of `length` characters can travel within the limits."""
        rooms = self.rooms(max_age)
        return length <= rooms[0] or (len(rooms) > 1 and length + _COUNT_BYTES <= sum(rooms))

    def size_bytes(self, length: int, max_age: int | None) -> int:
        """Return how long the Set-Cookie lines of a token of `length` characters are together."""
        rooms = self.rooms(max_age)
        if length <= rooms[0] or len(rooms) == 1:
            return length + self._policy.max_bytes - rooms[0]
        length += _COUNT_BYTES
        rooms = rooms[: next((count for count, room in enumerate(accumulate(rooms), 1) if length <= room), None)]
        return length + self._policy.max_bytes * len(rooms) - sum(rooms)

    def cut(self, token: str, max_age: int | None) -> list[str]:
        """Return `token`, of a length that does `fit`, cut to size."""
        first, *others = self.rooms(max_age)
        if len(token) <= first:
            return [token]
        pieces, at = [], 0
        for room in (first - _COUNT_BYTES, *others):
            if at < len(token):
                pieces.append(token[at : at + room])
                at += room
        return [f"{len(pieces)}{_MARK}{pieces[0]}", *pieces[1:]]

    def first(self, value: str) -> str | None:
        """Return the first piece of a token, where `value` says that others follow; else None."""
        count, _, piece = value.partition(_MARK)
        return piece if piece and count in self._counts else None

    def gather(self, value: str, header: str, *, earlier: int = 0) -> list[str]:
        """Return the tokens that begin with `value`, of which more pieces follow; several where others came.

        Where one is missing it is `value` alone, which opens nothing.

        Args:
            value: Of the first cookie.
            header: The Cookie header.
            earlier: How many other beginnings stand in front of this one.
        """
        piece = self.first(value)
        if piece is None:
            return [value]
        count = value.partition(_MARK)[0]
        others = [values_of(header, name, limit=MAX_CANDIDATES) for name in self.names[1 : int(count)]]
        if not all(others):
            return [value]
        orders = dict.fromkeys(islice(_orders(others, earlier), _MOST_ORDERS))
        return ["".join((piece, *pieces)) for pieces in islice(orders, MAX_CANDIDATES)]


def _orders(others: Sequence[Sequence[str]], earlier: int) -> Iterator[tuple[str, ...]]:
    """Yield one piece of each, the likely ones first.

    Of each name a browser sends the cookies in one order: by their paths, then by age. So what stands in one place, and
    was set by one answer, comes at one position among those of its name. (Some may be left of a session of which the
    beginning is gone, so the other positions are likely too.)
    """
    for at in (earlier, *range(MAX_CANDIDATES)):
        yield tuple(each[min(at, len(each) - 1)] for each in others)
    yield from product(*others)
