"""Puts sessions that were exported from another library's store into the app's store, each only once.

A session is created under the ID that derives from its old one, as `cookiesess.backends.takeover` has it, so that the
old cookie leads to it. Beside it stands a mark, an empty record that stays until the session would have ended in the
old store: a second run finds it, and does not bring back who has logged out in between.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from typing import Any, Final, NamedTuple

from cookiesess.backends.base import Beginnings
from cookiesess.backends.summaries import Summaries
from cookiesess.backends.takeover import session_id_of
from cookiesess.backends.vault import Vault
from cookiesess.errors import RecordExists
from cookiesess.events.base import Emitter
from cookiesess.manager.assembly import make_envelope
from cookiesess.manager.settings import Configuration
from cookiesess.session.lifetime import Lifetime
from cookiesess.session.state import State
from cookiesess.stores.base import Record, Store
from cookiesess.stores.pauses import Pauses
from cookiesess.tokens.keys import Keyring
from cookiesess.tokens.sealing import RecordSealer, Sealer, record_key_of
from cookiesess.tokens.signing import Signer
from cookiesess.tokens.values import ValueCodec

# Our own tokens, which may have the same cookie's name, are longer.
_ID: Final = re.compile(r"[\x21-\x7e]{16,86}")


def is_old_id(text: str) -> bool:
    """Whether `text` may be an ID that nobody guesses: 16 to 86 visible characters of ASCII."""
    return _ID.fullmatch(text) is not None


class OldSession(NamedTuple):
    """A session as it was exported. Its repr shows nothing of it.

    Attributes:
        identity: Its ID, as its visitor's cookie has it.
        data: The session.
        expires_at: When it ends if it is not used, Unix seconds.
        created_at: When it began; None: not known.
        owner: The user that it belongs to, or None.
    """

    identity: str
    data: dict[str, Any]
    expires_at: int
    created_at: int | None = None
    owner: str | None = None

    def __repr__(self) -> str:
        return f"<OldSession of {len(self.data)} keys>"


class Outcome(Enum):
    """What came of one session."""

    IMPORTED = "it is in the store now"
    THERE = "it was imported before, or has moved by itself"
    EXPIRED = "its time was over"


class Importer:
    """Puts exported sessions into a store.

    Args:
        keyring: The app's keys.
        store: The app's store.
        now: Unix seconds.
        random_bytes: Returns bytes that nobody can guess.
        dry_run: Write nothing.
    """

    def __init__(
        self,
        keyring: Keyring,
        store: Store,
        *,
        now: int,
        random_bytes: Callable[[int], bytes],
        dry_run: bool = False,
    ) -> None:
        self._store = store
        self._now = now
        self._random_bytes = random_bytes
        self._dry_run = dry_run
        self._codec = ValueCodec()
        self._records = RecordSealer(keyring, random_bytes=random_bytes)
        sealer = Sealer(keyring)
        self._summaries = Summaries(sealer, self._codec)
        self._envelope = make_envelope(Configuration(), sealer, Signer(keyring))

    def add(self, old: OldSession) -> Outcome:
        """Put one session into the store, unless it is there, or was.

        Raises:
            NotSerializable: It holds a value that sessions do not carry.
            RecordTooLarge: It is larger than a session in a store may be.
            StoreUnavailable: The store does not answer; what was added before stays.
        """
        self._codec.dumps(old.data)  # the vault packs without a look
        if old.expires_at <= self._now:
            return Outcome.EXPIRED
        session_id = session_id_of(old.identity)
        mark = hashlib.sha256(b"cookiesess v1 imported" + session_id).digest()
        if self._store.load_many([mark, record_key_of(session_id)], now=self._now):
            return Outcome.THERE
        if self._dry_run:
            return Outcome.IMPORTED
        try:
            self._vault(old.expires_at - self._now).create(self._state(old), self._now, session_id=session_id)
            self._store.create(mark, Record(b"", old.expires_at), now=self._now)
        except RecordExists:
            return Outcome.THERE
        return Outcome.IMPORTED

    def _state(self, old: OldSession) -> State:
        """Return it as a session of ours; the app's own absolute timeout counts, which is not known here."""
        created_at = self._now if old.created_at is None else old.created_at
        authenticated_at = None if old.owner is None else created_at
        return State(created_at, self._now, None, authenticated_at, old.owner, old.data)

    def _vault(self, idle_seconds: int) -> Vault:
        """Return what writes a record that ends after `idle_seconds`, if nobody uses it before."""
        beginnings = Beginnings(
            codec=self._codec,
            lifetime=Lifetime(idle=timedelta(seconds=idle_seconds), absolute=None),
            envelope=self._envelope,
            emit=Emitter(),
            anonymous=False,
        )
        return Vault(
            self._store,
            self._records,
            summaries=self._summaries,
            beginnings=beginnings,
            random_bytes=self._random_bytes,
            pauses=Pauses(),
            max_bytes=Configuration().max_record_bytes,
        )
