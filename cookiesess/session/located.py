"""Where a server-side session was found: its ID, and its record as the store last had it."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cookiesess.session.state import Description
from cookiesess.stores.base import Record


@dataclass(slots=True)
class Located:
    """One record behind one ID.

    Attributes:
        session_id: 32 bytes, secret.
        key: The store's key, a hash of it.
        record: As the store last had it; its version is None where it was created in this request.
        moved: It was reached through the closed record of an older ID: such a request gets no cookie and no time.
        cipher: The session's under the current key, or None where the record is not under it (yet).
        described: What the record's summary says, and whose it is, so that both are made anew only if one of them has
            changed; None where that is not known.
    """

    session_id: bytes = field(repr=False)
    key: bytes = field(repr=False)
    record: Record = field(repr=False)
    moved: bool = False
    cipher: AESGCM | None = field(default=None, repr=False)
    described: tuple[Description, str | None] | None = field(default=None, repr=False)

    def certain(self, now: int) -> bool:
        """Whether a write by version can meet this very record: its version is known, and it has not expired."""
        return self.record.version is not None and now < self.record.expires_at
