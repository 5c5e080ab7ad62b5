"""The part of a device binding (Device Bound Session Credentials) that the session itself holds.

A session passes these states, forward alone, until a login without proof begins again:

1. *Offered.* ``login()`` has drawn a binding ID, and its answer asks the browser to make a key.
2. *Registered.* The browser has proved that it holds a key, which is in the session now, and got a bound cookie.
3. *In effect*, from the first request on that shows such a cookie: whoever has a copy of the session's cookie without
   the bound one has nothing. Not earlier, since the answer with that cookie may get lost, and the browser be left
   without it. For `GRACE_SECONDS` more, requests without it are let in: a page's other requests are under way.

Server-side all copies of the cookie lead to one record, so the record is changed. Client-side each copy is a session of
its own, so the session gets a new ID, and the old one ends as by a periodic renewal (`cookiesess.session.closing`).

In the session's extras it stands under ``"b"``, 57 bytes in each state, so that a session that fits goes on to fit::

    binding ID[16] | compressed P-256 point[33], zeros if not registered | in effect since[8], Unix seconds, 0 if not
"""

import struct
from typing import Final, NamedTuple, Self

from cookiesess.tokens.proofs import KEY_BYTES

BINDING_ID_BYTES: Final = 16
NO_KEY: Final = bytes(KEY_BYTES)
GRACE_SECONDS: Final = 10
"""For how long requests without the bound cookie are let in once it has come."""

_LAYOUT: Final = struct.Struct(f">{BINDING_ID_BYTES}s{KEY_BYTES}sQ")


class Binding(NamedTuple):
    """What a session, or a bound cookie, holds of a binding.

    Attributes:
        binding_id: Names it, in the browser too; no secret.
        key: The browser's public key, or `NO_KEY`.
        at: Unix seconds. In a session: since when it is in effect, or 0. In a bound cookie: when that ends.
    """

    binding_id: bytes
    key: bytes = NO_KEY
    at: int = 0

    def __repr__(self) -> str:
        return f"<Binding, {'registered' if self.registered else 'offered'}>"

    @property
    def registered(self) -> bool:
        """Whether a key is known."""
        return self.key != NO_KEY

    def packed(self) -> bytes:
        """Return the 57 bytes."""
        return _LAYOUT.pack(*self)

    @classmethod
    def unpack(cls, packed: object) -> Self | None:
        """Return what `packed` has made; None for anything else."""
        return cls(*_LAYOUT.unpack(packed)) if type(packed) is bytes and len(packed) == _LAYOUT.size else None


def in_effect(packed: object) -> bool:
    """Whether packed bytes say that a binding is in effect."""
    binding = Binding.unpack(packed)
    return binding is not None and bool(binding.at)


def merged_binding(mine: object, theirs: object) -> object:
    """Return which of the packed values of two parallel requests stands: of one binding, the one that has come further.

    Of two keys the first one stays.
    """
    ours, other = Binding.unpack(mine), Binding.unpack(theirs)
    if ours is None or other is None or ours.binding_id != other.binding_id:
        return mine
    further = ours.at and not other.at and ours.key == other.key
    return mine if further or not other.registered else theirs
