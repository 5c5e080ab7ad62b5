"""Cursors: they say where the list of an owner's records goes on. Each store defines its own positions."""

from hashlib import sha256
from typing import Final

# Enough to tell cursors apart that were mixed up. They are no secrets, and nobody gains by making one up: the owner is
# the caller's, and so is what is listed.
_MARK_BYTES: Final = 8


class Cursors:
    """Makes cursors of positions and back, and tells those of another owner or another store.

    Args:
        place: What tells this store from others; the same in all processes that share its records.
    """

    def __init__(self, place: str) -> None:
        self._place = place.encode()

    def after(self, owner: bytes, position: bytes) -> bytes:
        """Return the cursor of a page that begins after `position` in the index of `owner`."""
        return self._mark(owner) + position

    def position(self, owner: bytes, limit: int, cursor: bytes | None) -> bytes:
        """Check what a page is asked for with; return the position it begins after, empty at the beginning.

        Raises:
            ValueError: See `Store.records_of`.
        """
        if limit < 1:
            raise ValueError(f"limit is {limit}; a page has room for 1 record or more")
        if cursor is None:
            return b""
        mark, position = cursor[:_MARK_BYTES], cursor[_MARK_BYTES:]
        if mark != self._mark(owner) or not position:
            raise ValueError("the cursor is of another owner or of another store; begin again without one")
        return position

    def _mark(self, owner: bytes) -> bytes:
        return sha256(b"%d %b%b" % (len(self._place), self._place, owner)).digest()[:_MARK_BYTES]
