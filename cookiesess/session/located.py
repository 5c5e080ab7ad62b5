"""Where a server-side session was found: its ID, and its record as the store last had it."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cookiesess.stores.base import Record

Description = tuple[int | str | bytes | None, ...]
"""What a record's summary says: created, authenticated, absolute deadline, idle seconds, label, what it replaced,
its own absolute timeout."""


@dataclass(slots=True)
class Located:
    """One record behind one ID.

    Attributes:
        session_id: 32 bytes, secret.
        key: The store's key, a hash of it.
        record: As the store last had it; its version is None where it was created in this request.
        moved: It was reached through the closed record of an older ID: such a request gets no cookie and no time.
        cipher: The session's under the current key, or None where the record is not under it (yet).
        described: What the record's summary says, so that it is sealed anew only if that has changed.
    """

    session_id: bytes = field(repr=False)
    key: bytes = field(repr=False)
    record: Record = field(repr=False)
    moved: bool = False
    cipher: AESGCM | None = field(default=None, repr=False)
    described: Description | None = field(default=None, repr=False)

    def certain(self, now: int) -> bool:
        """Whether a write by version can meet this very record: its version is known, and it has not expired."""
        return self.record.version is not None and now < self.record.expires_at
