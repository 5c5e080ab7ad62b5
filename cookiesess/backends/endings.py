"""Ended client-side sessions: a record for each, under its own ID, until no copy of its cookie would open any more.

A session is named by the ID in its token (`State.sid`, 16 random bytes), which changes with ``login()`` and
``renew()``. Its record stands under SHA-256("cookiesess v1 revoked" ‖ ID) and is created once; nobody rewrites it. Its
payload says how it came to an end:

- empty: it was logged out. (Also what the first version has written.)
- sealed: another ID took its place. For ten minutes that is what a closed record of a server-side session is
  (`cookiesess.session.closing`, the table): the browser may still show the old ID, and a logout under it ends the
  successor, where it leads on to one. Afterwards it is ended like any other.

The races are settled by who creates the record:

- *A logout beside a renewal.* If the logout is first, the renewal meets its record and issues nothing. If the renewal
  is first, the logout meets that one, and ends the successor: under every ID, however many renewals there were.
- *Two renewals.* The second meets the record of the first, and issues nothing.
- *A login beside anything.* It is issued, whatever there is: an authentication always succeeds. What a renewal has made
  of the session meanwhile is closed with it. What another *login* has made is not: the browser may keep either answer.
"""

import hashlib
from typing import Final, NamedTuple

from cookiesess.backends.held import HeldStore
from cookiesess.backends.vault import MAX_HOPS
from cookiesess.errors import InvalidToken, RecordExists
from cookiesess.session.closing import CLOSED, CLOSED_SECONDS, Closed, How, pack_closed, unpack_closed
from cookiesess.session.lifetime import CLOCK_SKEW_SECONDS
from cookiesess.stores.base import Record
from cookiesess.tokens.encoding import purpose
from cookiesess.tokens.keys import Keyring
from cookiesess.tokens.sealing import Sealer
from cookiesess.tokens.values import ValueCodec

_PURPOSE: Final = purpose("revoked")

ENDED: Final = Closed(How.LOGIN, closed_at=0)
"""A session that was logged out: like one that leads nowhere, and without a secret for its forms."""


def name_of(sid: bytes) -> bytes:
    """Return what the record of an ended session stands under: 32 bytes, of which nobody learns the ID."""
    return hashlib.sha256(b"cookiesess v1 revoked" + sid).digest()


class Ticket(NamedTuple):
    """What names a session when it is ended.

    Attributes:
        sid: Its ID, 16 bytes.
        until_at: Its absolute deadline, in Unix seconds.
    """

    sid: bytes
    until_at: int


class Endings:
    """The ended sessions, in a store. Thread-safe.

    Args:
        store: One that forgets nothing before its time.
        keyring: Seals what is said of them.
        codec: Encodes it.
        grace_seconds: For how long a periodic renewal lets the old ID in.
    """

    def __init__(self, store: HeldStore, keyring: Keyring, *, codec: ValueCodec, grace_seconds: int) -> None:
        self._store = store
        self._sealer = Sealer(keyring)
        self._codec = codec
        self._grace_seconds = grace_seconds

    def read(self, name: bytes, record: Record, *, now: int) -> Closed:
        """Return what the record under `name` says: how the session was closed, or `ENDED`.

        Whatever does not open is `ENDED`: under a key that another server has and this one does not, or changed.
        """
        if not record.payload:
            return ENDED
        try:
            plaintext, _ = self._sealer.unseal_bytes(record.payload, _PURPOSE + name)
            if plaintext[:1] != CLOSED:
                return ENDED
            closed = unpack_closed(plaintext, self._codec, grace_seconds=self._grace_seconds)
        except InvalidToken:
            return ENDED
        return closed if now < closed.closed_at + CLOSED_SECONDS else ENDED

    def followed(self, closed: Closed, *, now: int) -> Closed:
        """Return how a closed ID counts within the grace of a periodic renewal: as the one in its place does.

        Else whoever kept the old ID would go on after a logout under the new one.
        """
        for _ in range(MAX_HOPS):
            if closed.successor is None or now >= closed.grace_until_at:
                return closed
            name = name_of(closed.successor)
            record = self._store.ask([name], now=now).get(name)
            if record is None:
                return closed  # that one lives
            closed = self.read(name, record, now=now)
        return ENDED

    def end(self, ticket: Ticket, *, now: int) -> bool:
        """End a session for good, under every ID that leads on.

        Returns:
            False where it had ended, or leads nowhere any more.

        Raises:
            StoreUnavailable: It may not have been ended.
        """
        for _ in range(MAX_HOPS):
            faster = self._write(ticket, None, now)
            if faster is None:
                return True
            if faster.successor is None:
                return False
            ticket = Ticket(faster.successor, faster.until_at or ticket.until_at)
        return False

    def close(self, ticket: Ticket, closed: Closed, *, now: int) -> Closed | None:
        """End a session because another ID takes its place.

        Where that is a login, it also ends what renewals have made of the session meanwhile.

        Returns:
            None, or how somebody faster has ended it.

        Raises:
            StoreUnavailable: It may not have been ended.
        """
        first = faster = self._write(ticket, closed, now)
        for _ in range(MAX_HOPS):
            if closed.how.merges or faster is None or not faster.how.merges or faster.successor is None:
                break
            ticket = Ticket(faster.successor, faster.until_at or ticket.until_at)
            faster = self._write(ticket, closed, now)
        return first

    def _write(self, ticket: Ticket, closed: Closed | None, now: int) -> Closed | None:
        """Create the record of an ended session; return what there was, if another request was faster."""
        name, payload = name_of(ticket.sid), b""
        if closed is not None:
            payload = self._sealer.seal_bytes(pack_closed(closed, self._codec), _PURPOSE + name)
        record = Record(payload, max(ticket.until_at + CLOCK_SKEW_SECONDS, now + 1))
        try:
            self._store.create(name, record, now=now)
        except RecordExists:
            there = self._store.load(name, now=now)
            if there is None:
                return ENDED  # its time is over
            # The very record that was to be written: a client library has repeated the create.
            return None if payload and there.payload == payload else self.read(name, there, now=now)
        return None
