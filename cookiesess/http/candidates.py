"""Finds the texts in a Cookie header that may be the session's token, also in pieces or under a second name.

A browser sends name and value alone, so several cookies of one name may come: a deploy changed where the cookie
stands, or somebody planted one. Each token under a key of the ring is a candidate, and all that open are handed on, in
the header's order: what they hold decides which one counts. A token of another key is passed over, since it costs
nothing to see that; of those that have to be opened, `MAX_CANDIDATES` are, so that a header full of inventions costs no
more than four decryptions and one pass over its text.
"""

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple, TypeAlias

from cookiesess.errors import InvalidToken
from cookiesess.http.grammar import values_of
from cookiesess.http.pieces import MAX_CANDIDATES, Pieces
from cookiesess.tokens.sealing import Opened

_BLANKS = " \t"

Reading: TypeAlias = tuple[list[Opened], InvalidToken | None]
"""Our own tokens that opened, in the header's order; and why the first of the others did not, where it stands under a
name of which none opened."""


class Protection(NamedTuple):
    """Makes and opens tokens, sealed or signed.

    Attributes:
        write: Returns a token over a plaintext, for a purpose.
        read: Opens what `write` made.
        added_bytes: How much longer the token is than the plaintext, before both become base64url.
        added_length: How much longer it is than that text.
        recognise: Raises `InvalidToken` where the beginning of a token shows already that no key of the ring made it.
        keyed: A token names its key, so that one which does not open all the same has cost a decryption.
    """

    write: Callable[[bytes, bytes], str]
    read: Callable[[str, bytes], Opened]
    added_bytes: int
    added_length: int
    recognise: Callable[[str], object]
    keyed: bool

    def length(self, plaintext_bytes: int) -> int:
        """Return how many characters a token over so many bytes has."""
        return ((plaintext_bytes + self.added_bytes) * 8 + 5) // 6 + self.added_length

    def counts(self, failure: InvalidToken) -> bool:
        """Whether a token that did not open was a candidate all the same."""
        return self.keyed and failure.reason == "forged"


class Candidates:
    """Opens the tokens of one policy, wherever in a Cookie header they stand. Thread-safe.

    Args:
        pieces: Puts tokens together.
        protection: Opens them.
        purposes: By name, what the tokens are for: those of the session's cookie, and of its reference.
    """

    def __init__(self, pieces: Pieces, protection: Protection, purposes: dict[str, bytes]) -> None:
        self._pieces = pieces
        self._protection = protection
        self._purposes = purposes

    def read(self, header: str) -> Reading:
        """Open what a Cookie header holds."""
        opened: list[Opened] = []
        failures: dict[str, InvalidToken] = {}
        names, left = set(), MAX_CANDIDATES
        for name, found, counts in self._tries(header):
            if isinstance(found, InvalidToken):
                failures.setdefault(name, found)
            else:
                opened.append(found)
                names.add(name)
            left -= counts
            if not left:
                break
        return opened, next((failure for name, failure in failures.items() if name not in names), None)

    def all(self, header: str) -> list[tuple[str, str]]:
        """Return what may be tokens, each with its cookie's name, whether they open or not; for tools."""
        pairs = pairs_of(header, self._purposes)
        return [(token, name) for name, value in pairs for token in self._pieces.gather(value, header)]

    def _tries(self, header: str) -> Iterator[tuple[str, Opened | InvalidToken, bool]]:
        """Yield of each token its cookie's name, what it holds or why not, and whether it counts as a candidate."""
        beginnings = 0
        for name, value in pairs_of(header, self._purposes):
            first = self._pieces.first(value)
            beginnings += first is not None
            try:
                if first is not None:
                    self._protection.recognise(first)
            except InvalidToken as error:
                yield name, error.unraised(), False  # not worth looking for the other pieces
                continue
            for token in self._pieces.gather(value, header, earlier=beginnings - 1):
                try:
                    opened = self._protection.read(token, self._purposes[name])
                except InvalidToken as error:
                    # Putting pieces together is work, whatever comes of it.
                    yield name, error.unraised(), first is not None or self._protection.counts(error)
                else:
                    yield name, opened, True
                    break  # others with this beginning hold pieces of other tokens


def pairs_of(header: str, names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield name and value of each cookie that has one of `names`, in the header's order; one pass over its text."""
    for pair in header.split(";"):
        name = pair.partition("=")[0].strip(_BLANKS)
        if name in names:
            for value in values_of(pair, name, limit=1):
                yield name, value
