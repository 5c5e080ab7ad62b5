"""How a session's old ID was closed, and what a request gets that still comes with it.

A new ID takes the place of an old one for four reasons. What the old one still leads to differs, because whoever may
have planted it differs:

| closed by | a request that arrives with the old ID | a request that had loaded before |
|---|---|---|
| `RENEWAL`: ``renew()`` | reads empty; ``invalidate()`` ends the successor | its writes merge into the successor |
| `PERIODIC`: ``Lifetime(renew_after=…)`` | reads and merges within the grace, then as above | the same |
| `REAUTHENTICATION`: ``login()`` of the same owner | reads empty; ``invalidate()`` ends the successor | dropped |
| `LOGIN`: ``login()`` of another owner or from none; an ID that was cycled | reads empty, ends nothing | dropped |

The old ID is dead at once, because ``renew()`` is what people call for a change of privileges. After a `LOGIN` it leads
nowhere: whoever planted that ID must not even be able to log the victim out (session fixation). Nobody's privileges
change in a `PERIODIC` renewal, so the other requests of a page may go on with the old ID for a moment.

Plaintext of a closed record, and of the revocation of a client-side session, version 1: ``0x05`` and the msgpack array
``[how, closed_at, CSRF secret or nil, successor or nil, successor's key or nil, successor's deadline or nil, forms,
binding]``, the last three left out where there is nothing, further elements ignored. In a record the successor is its
32-byte ID; in a revocation it is the 16 bytes that its token carries, and the deadline says for how long a revocation
of *that* must be remembered. The forms are a map of text to text. The binding is the 16-byte ID of that of a session
that is bound to a device: without its proof the old ID leads nowhere.
"""

from enum import IntEnum
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cookiesess.errors import InvalidToken
from cookiesess.session.csrf import SECRET_BYTES, Forms, form_secrets
from cookiesess.session.lifetime import CLOCK_SKEW_SECONDS
from cookiesess.tokens.values import ValueCodec

CLOSED: Final = b"\x05"

# How long a request may take. Nobody waits for a page that long, and servers end requests well before.
LONGEST_REQUEST_SECONDS: Final = 300
CLOSED_SECONDS: Final = CLOCK_SKEW_SECONDS + LONGEST_REQUEST_SECONDS
"""How long a closed record answers requests with the old ID: as long as one may run, by clocks that may differ."""


class How(IntEnum):
    """Why a new ID took the place of the old one; the numbers are in records."""

    RENEWAL = 0
    PERIODIC = 1
    REAUTHENTICATION = 2
    LOGIN = 3

    @property
    def leads_on(self) -> bool:
        """Whether a logout under the old ID ends the successor."""
        return self is not How.LOGIN

    @property
    def merges(self) -> bool:
        """Whether a request that had loaded before the closing merges its writes into the successor."""
        return self in {How.RENEWAL, How.PERIODIC}


class Closed(NamedTuple):
    """A closed ID.

    Attributes:
        how: Why.
        closed_at: Unix seconds.
        csrf: The CSRF secret of what it replaced, so that the second POST of a double click is a valid one.
        successor: The ID that took its place, where it leads on; else None.
        successor_key: The store's key of that, which names it without leading there: it is not counted against a
            limit, when the answer that carried it was lost.
        grace_until_at: Up to when requests with the old ID may read and write the successor, in Unix seconds.
        until_at: Client-side: the successor's absolute deadline, in Unix seconds; else None.
        forms: What extensions had kept in the session for their forms (`cookiesess.session.csrf`), for the same POST.
        bound: The ID of the binding that has to be proved before any of this counts; empty where there is none.
    """

    how: How
    closed_at: int
    csrf: bytes | None = None
    successor: bytes | None = None
    successor_key: bytes | None = None
    grace_until_at: int = 0
    until_at: int | None = None
    forms: Forms = ()
    bound: bytes = b""

    def __repr__(self) -> str:
        return f"<Closed, {self.how.name}>"  # never the secret or the ID: a repr ends up in error reports

    def late(self, now: int) -> bool:
        """Whether the old ID is shown later than any request could take, so that somebody may have a copy."""
        return 0 < self.closed_at <= now - LONGEST_REQUEST_SECONDS


def pack_closed(closed: Closed, codec: ValueCodec) -> bytes:
    """Return the plaintext of a closed record."""
    array: list[Any] = [int(closed.how), closed.closed_at, closed.csrf, closed.successor, closed.successor_key]
    if closed.until_at is not None or closed.forms or closed.bound:
        array.append(closed.until_at)
    if closed.forms or closed.bound:
        array.append(dict(closed.forms))
    if closed.bound:
        array.append(closed.bound)
    return CLOSED + codec.pack(array)


def unpack_closed(plaintext: bytes, codec: ValueCodec, *, grace_seconds: int) -> Closed:
    """Return what `pack_closed` took.

    Args:
        plaintext: Kind byte included.
        codec: Decodes it.
        grace_seconds: For how long a periodic renewal lets the old ID in.

    Raises:
        InvalidToken: Another kind or form.
    """
    try:
        array = (*codec.loads(plaintext[1:]), None, None, None)[:8]
        number, closed_at, csrf, successor, successor_key, until_at, forms, bound = array
        how = How(number)
        grace_until_at = closed_at + grace_seconds if how is How.PERIODIC else 0
    except (TypeError, ValueError) as error:
        raise InvalidToken("plaintext") from error
    kept = form_secrets(forms) if type(forms) is dict else ()
    return Closed(how, closed_at, csrf, successor, successor_key, grace_until_at, until_at, kept, bound or b"")


def derived_csrf(session_id: bytes, *, whose: bytes = b"") -> bytes:
    """Return the CSRF secret of a closed ID whose session had none: 32 bytes that only its holder's server can make.

    From the ID itself (HKDF-SHA256, RFC 5869), so that a form which is loaded again under the old ID is valid when it
    comes back, though nobody rewrites a closed record. `whose` makes another one of the same ID: that of whoever has it
    without being the device that the session is bound to.
    """
    return HKDF(SHA256(), SECRET_BYTES, salt=None, info=b"cookiesess v1 csrf" + whose).derive(session_id)
