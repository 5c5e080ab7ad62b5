"""Looks into the session's cookies: the one place here that goes behind the library's public names.

It opens a token as the library would, but asks nobody whether the session was ended, and changes nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from cookiesess import InvalidToken, Keyring, Session
from cookiesess.backends.closings import ID_BYTES
from cookiesess.http.grammar import values_of
from cookiesess.http.pieces import MAX_CANDIDATES
from cookiesess.manager.assembly import make_envelope
from cookiesess.manager.opened import OpenedStores
from cookiesess.manager.settings import Settings
from cookiesess.session.binding import Binding
from cookiesess.session.closing import CLOSED
from cookiesess.session.compression import expand
from cookiesess.session.lifetime import IDLE
from cookiesess.session.state import (
    BINDING,
    COMPRESSED,
    COUNTED_IDLE,
    CSRF,
    EPOCH,
    FLASHES,
    GENERATION,
    LABEL,
    MOVED,
    PERSISTENT,
    REFERENCE,
    REPLACED,
    State,
    unpack,
)
from cookiesess.stores.base import Store
from cookiesess.tokens.encoding import decode
from cookiesess.tokens.sealing import VERSION, Opened, RecordSealer, Sealer, record_key_of
from cookiesess.tokens.signing import Signer
from cookiesess.tokens.values import ValueCodec

# Unix seconds ahead of every token: one from the future should be seen here, not refused.
_NO_LATEST = 1 << 62
STORED = "in the store; the cookie has its ID"
_UNKNOWN = "not known: the cookie does not open"


@dataclass(frozen=True, slots=True)
class Sight:
    """What a session's cookies say.

    Attributes:
        kind: Where the session is, in words.
        protection: ``"sealed"`` or ``"signed"``.
        kid: The key id that the token names, or None where none stands in it.
        key: ``"current"`` or ``"accepted"``; None where the token does not open.
        refers: Whether it holds a reference to a record instead of the session.
        state: The session; None where it does not open, or has no record.
        record_bytes: How long its record is in the store, or None.
    """

    kind: str
    protection: str
    kid: str | None = None
    key: str | None = None
    refers: bool = False
    state: State | None = None
    record_bytes: int | None = None

    @property
    def label(self) -> str | None:
        """The session's label."""
        return None if self.state is None else self.state.extras.get(LABEL)

    @property
    def binding(self) -> str | None:
        """How far it is bound to a device, in words; None where it is not to be."""
        found = None if self.state is None else Binding.unpack(self.state.extras.get(BINDING))
        if found is None:
            return None
        if not found.registered:
            return "offered: the browser has brought no key"
        return "in effect: a copy needs the bound cookie as well" if found.at else "registered, not in effect yet"

    @property
    def flags(self) -> tuple[str, ...]:
        """What else is set in the session, in words."""
        return () if self.state is None else tuple(_flags(self.state))


class Glass:
    """Opens the session's cookies.

    Args:
        keys: As the manager has them.
        settings: As the manager has them.
    """

    def __init__(self, keys: Keyring, settings: Settings) -> None:
        self._policy = settings["cookie"]
        self._envelope = make_envelope(OpenedStores(settings).configuration, Sealer(keys), Signer(keys))
        self._protection = "sealed" if settings.get("encrypt", True) else "signed"
        self._codec = ValueCodec(settings.get("types", ()))
        self._store = cast("Store | None", settings.get("store") or settings.get("overflow"))
        self._records = RecordSealer(keys)

    def own_cookies(self, header: str) -> Mapping[str, str]:
        """Return the raw values of the session's cookies in a Cookie header, by name: of several the one that opens."""
        names = (*self._policy.chunk_names, self._policy.reference_name)
        found = {name: values_of(header, name, limit=MAX_CANDIDATES) for name in names}
        return {
            name: next((value for value in values if self._opened(value, name)), values[0])
            for name, values in found.items()
            if values
        }

    def encoded_bytes(self, value: object) -> int:
        """Return how many bytes `value` takes in a session."""
        return len(self._codec.pack(value))

    def near(self, size_bytes: int) -> bool:
        """Whether a session's Set-Cookie lines of `size_bytes` together are near the limit."""
        return self._envelope.near(size_bytes)

    def look(self, header: str, session: Session, *, now: int) -> Sight | None:
        """Return what the session's cookies in a Cookie header say; None where there are none.

        Of a session that goes on it is what the library has loaded. Of one that does not, it is what stands in the
        first cookie that opens, whether or not that still counts.
        """
        sights = [self._look_into(token, name, now) for token, name in self._envelope.tokens(header)]
        working = session._working or session._load()
        if not sights or not working.loaded.continued:
            return next((sight for sight in sights if sight.key), sights[0] if sights else None)
        located = working.loaded.located
        sight = next(sight for sight in sights if sight.key and sight.refers == (located is not None))
        if located is None:
            return replace(sight, state=working.state)
        kind = "in the store; the cookie has an older ID, which still leads there" if located.moved else STORED
        return replace(sight, kind=kind, state=working.state, record_bytes=len(located.record.payload))

    def _opened(self, token: str, name: str) -> Opened | None:
        try:
            return self._envelope.open_token(token, name)
        except InvalidToken:
            return None

    def _look_into(self, token: str, name: str, now: int) -> Sight:
        kid = _kid(token) if self._protection == "sealed" else None
        opened = self._opened(token, name)
        if opened is None:
            return Sight(_UNKNOWN, self._protection, kid)
        plaintext, current = opened
        sight = Sight(_UNKNOWN, self._protection, kid, "current" if current else "accepted")
        try:
            if plaintext[:1] == REFERENCE:
                return replace(sight, refers=True, **self._follow(plaintext[1 : 1 + ID_BYTES], now))
            kind = "in the cookie, compressed" if plaintext[:1] == COMPRESSED else "in the cookie"
            return replace(sight, kind=kind, state=self._unpack(plaintext))
        except InvalidToken:
            return sight

    def _follow(self, session_id: bytes, now: int) -> dict[str, Any]:
        """Return what a reference leads to."""
        if self._store is None:
            return {"kind": "nowhere: the cookie has an ID, and this server has no store"}
        key = record_key_of(session_id)
        record = self._store.load(key, now=now)
        if record is None:
            return {"kind": "nowhere: the store has no record for the ID in the cookie"}
        plaintext, _ = self._records.unseal(record.payload, session_id, key)
        if plaintext[:1] in (CLOSED, MOVED, REPLACED):
            return {"kind": "the ID in the cookie is dead: a login or a renewal has put another in its place"}
        state = self._unpack(plaintext)
        state.refreshed_at = record.expires_at - state.extras.get(COUNTED_IDLE, 0)  # as the last touch has moved it
        return {"kind": STORED, "state": state, "record_bytes": len(record.payload)}

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
    if EPOCH in extras:
        yield "knows its store of revocations"


def _kid(token: str) -> str | None:
    try:
        raw = decode(token)
    except ValueError:
        return None
    return raw[1:5].hex() if raw[:1] == VERSION else None
