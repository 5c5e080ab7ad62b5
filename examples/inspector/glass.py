"""Looks into the session's cookies: the one place here that goes behind the library's public names.

It opens a token as the library would, but asks nobody whether the session was ended, and changes nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cookiesess import CookiePolicy, InvalidToken, Keyring, Lifetime
from cookiesess.backends.records import ID_BYTES, RecordSealer, key_of
from cookiesess.carrier import Carrier
from cookiesess.compression import expand
from cookiesess.cookies import values_of
from cookiesess.encoding import decode, purpose
from cookiesess.sealing import VERSION, Sealer
from cookiesess.signing import Signer
from cookiesess.state import (
    COMPRESSED,
    CSRF,
    FLASHES,
    GENERATION,
    IDLE,
    LABEL,
    MOVED,
    PERSISTENT,
    REFERENCE,
    REPLACED,
    State,
    unpack,
)
from cookiesess.stores.base import Store
from cookiesess.values import ValueCodec

# Unix seconds ahead of every token: one from the future should be seen here, not refused.
_NO_LATEST = 1 << 62


@dataclass(frozen=True, slots=True)
class Sight:
    """What a session's cookies say.

    Attributes:
        kind: In words, as `cookiesess.state` has them.
        protection: ``"sealed"`` or ``"signed"``.
        kid: The key id that the token names, or None where none stands in it.
        key: ``"current"`` or ``"accepted"``; None where the token does not open.
        state: The session; None where it does not open, or has no record.
        record_bytes: How long its record is in the store, or None.
    """

    kind: str
    protection: str
    kid: str | None = None
    key: str | None = None
    state: State | None = None
    record_bytes: int | None = None

    @property
    def label(self) -> str | None:
        """The session's label."""
        return None if self.state is None else self.state.extras.get(LABEL)

    @property
    def flags(self) -> tuple[str, ...]:
        """What else is set in the session, in words."""
        return () if self.state is None else tuple(_flags(self.state))


class Glass:
    """Opens the session's cookies.

    Args:
        keys: As the manager has them.
        policy: The session cookie's.
        store: Where references lead; None where there are none.
        encrypt: As the manager has it.
    """

    def __init__(self, keys: Keyring, policy: CookiePolicy, *, store: Store | None, encrypt: bool) -> None:
        self._policy = policy
        self._carrier = Carrier(policy, Lifetime())
        self._encrypt = encrypt
        self._read = Sealer(keys).unseal if encrypt else Signer(keys).unsign
        self._codec = ValueCodec()
        self._store = store
        self._records = RecordSealer(keys, sealer=Sealer(keys), codec=self._codec)

    def own_cookies(self, header: str) -> Mapping[str, str]:
        """Return the raw values of the session's cookies in a Cookie header, by name."""
        names = (*self._policy.chunk_names, self._policy.reference_name)
        found = {name: values_of(header, name, limit=1) for name in names}
        return {name: values[0] for name, values in found.items() if values}

    def encoded_bytes(self, value: object) -> int:
        """Return how many bytes `value` takes in a session."""
        return len(self._codec.pack(value))

    def look(self, header: str, *, now: int) -> Sight | None:
        """Return what the session's cookies in a Cookie header say; None where there are none."""
        references = values_of(header, self._policy.reference_name, limit=1)
        if references:
            return self._look_into(references[0], self._policy.reference_name, now)
        tokens = self._carrier.tokens(header)
        return self._look_into(tokens[0], self._policy.name, now) if tokens else None

    def _look_into(self, token: str, name: str, now: int) -> Sight:
        protection = "sealed" if self._encrypt else "signed"
        kid = _kid(token) if self._encrypt else None
        try:
            plaintext, current = self._read(token, purpose("session", name))
            key = "current" if current else "accepted"
            kind, state, record_bytes = self._open(plaintext, now)
        except InvalidToken:
            return Sight("unreadable", protection, kid)
        return Sight(kind, protection, kid, key, state, record_bytes)

    def _open(self, plaintext: bytes, now: int) -> tuple[str, State | None, int | None]:
        if plaintext[:1] == REFERENCE:
            return self._follow(plaintext[1 : 1 + ID_BYTES], now)
        kind = "inline, compressed" if plaintext[:1] == COMPRESSED else "inline"
        return kind, self._unpack(plaintext), None

    def _follow(self, session_id: bytes, now: int) -> tuple[str, State | None, int | None]:
        if self._store is None:
            return "a reference that leads nowhere", None, None
        key = key_of(session_id)
        record = self._store.load(key, now=now)
        if record is None:
            return "a reference to a record that is gone", None, None
        plaintext, _ = self._records.unseal(record.payload, session_id, key)
        if plaintext[:1] in (MOVED, REPLACED):
            return "a reference to a record that was closed", None, None
        return "a reference to a record", self._unpack(plaintext), len(record.payload)

    def _unpack(self, plaintext: bytes) -> State:
        return unpack(expand(plaintext), self._codec, now=_NO_LATEST)


def _flags(state: State) -> Iterator[str]:
    extras = state.extras
    if CSRF in extras:
        yield "has a CSRF secret"
    if FLASHES in extras:
        yield f"{len(extras[FLASHES])} flash message(s) waiting"
    if PERSISTENT in extras:
        yield "outlives the window" if extras[PERSISTENT] else "ends with the window"
    if IDLE in extras:
        yield f"has an idle timeout of its own, {extras[IDLE]} s"
    if GENERATION in extras:
        yield f"belongs to its owner's generation {extras[GENERATION]}"
    if state.sid is not None:
        yield "can be revoked"


def _kid(token: str) -> str | None:
    try:
        raw = decode(token)
    except ValueError:
        return None
    return raw[1:5].hex() if raw[:1] == VERSION else None
