"""Closed records: how they are made and read, and which requests go on from the old ID to the new one."""

import struct
from enum import Enum
from typing import Final

from cookiesess.errors import InvalidToken
from cookiesess.session.closing import CLOSED, CLOSED_SECONDS, Closed, How, derived_csrf, pack_closed, unpack_closed
from cookiesess.session.csrf import Secrets
from cookiesess.session.located import Located
from cookiesess.session.state import MOVED, REPLACED
from cookiesess.stores.base import Record
from cookiesess.tokens.sealing import RecordSealer
from cookiesess.tokens.values import ValueCodec

ID_BYTES: Final = 32
"""The length of a server-side session's ID: nobody guesses 256 random bits."""
_UNTIL: Final = struct.Struct(">Q")


class Why(Enum):
    """Why a record is looked for: it decides which closed records lead on to the session's new one."""

    READ = "a request arrives: through periodic renewals, within their grace"
    MERGE = "a request that had loaded before writes: through renewals"
    NAME = "its handle is asked for: through all that leads on"
    END = "somebody logs out: the same, and what cannot be read any more goes as well"


class Closings:
    """Makes and reads the closed records of one store. Thread-safe.

    Args:
        sealer: Seals them.
        codec: Encodes them.
        grace_seconds: For how long a periodic renewal lets the old ID in.
    """

    def __init__(self, sealer: RecordSealer, codec: ValueCodec, *, grace_seconds: int) -> None:
        self._sealer = sealer
        self._codec = codec
        self._grace_seconds = grace_seconds

    def record(self, old: Located, new: Located, *, how: How, forms: Secrets, now: int) -> Record:
        """Return what the old record becomes: without owner and summary, so that no listing shows it."""
        successor = new.session_id if how.leads_on else None
        closed = Closed(how, now, forms.csrf, successor, new.key, forms=forms.forms, bound=forms.bound)
        payload = self._sealer.seal(pack_closed(closed, self._codec), old.session_id, old.key)
        return Record(payload, expires_at=now + CLOSED_SECONDS)

    def read(self, plaintext: bytes, located: Located) -> Closed:
        """Return what a record that holds no session says.

        Raises:
            InvalidToken: It is no closed record.
        """
        kind = plaintext[:1]
        if kind == CLOSED:
            closed = unpack_closed(plaintext, self._codec, grace_seconds=self._grace_seconds)
        elif kind in (MOVED, REPLACED):
            closed = _of_first_version(plaintext)
        else:
            raise InvalidToken("plaintext")
        return closed if closed.csrf else closed._replace(csrf=derived_csrf(located.session_id))


def follows(closed: Closed, why: Why, now: int) -> bool:
    """Whether a request may go on to what took a closed ID's place."""
    if why is Why.READ:
        return now < closed.grace_until_at
    return closed.how.merges if why is Why.MERGE else closed.how.leads_on


def _of_first_version(plaintext: bytes) -> Closed:
    """Return what a closed record of the first version says: a renewal with its grace, or what leads nowhere."""
    if plaintext[:1] == REPLACED:
        return Closed(How.LOGIN, closed_at=0, successor_key=plaintext[1:])
    if len(plaintext) != 1 + ID_BYTES + _UNTIL.size:
        raise InvalidToken("plaintext")
    (until_at,) = _UNTIL.unpack_from(plaintext, 1 + ID_BYTES)
    successor = plaintext[1 : 1 + ID_BYTES]
    return Closed(How.PERIODIC, closed_at=until_at, successor=successor, grace_until_at=until_at)
