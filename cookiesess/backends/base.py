"""What every backend does, and the token that both kinds put into the cookie."""

from collections.abc import Callable
from enum import Enum
from typing import Any, Protocol

from cookiesess.cookies import values_of
from cookiesess.decision import Action
from cookiesess.draft import Draft, fresh
from cookiesess.encoding import purpose
from cookiesess.errors import InvalidToken
from cookiesess.events import Emitter, SessionRejected
from cookiesess.lifetime import Lifetime
from cookiesess.sealing import Opened
from cookiesess.state import Origin
from cookiesess.values import ValueCodec

# A subdomain can plant cookies of our name in front of the real one; each costs a decryption, so not many are tried.
MAX_CANDIDATES = 4


class Outcome(Enum):
    """What the cookie needs after a commit."""

    NOTHING = "no line at all"
    ISSUE = "a new value"
    EXTEND = "a new Max-Age, where it has one"
    EXPIRE = "to be expired"


class Backend(Protocol):
    """Where sessions live. Thread-safe; all times are Unix seconds."""

    late_writes: bool
    """Whether a session that exists can be written at any time, and not only with the headers."""

    def load(self, header: str, *, now: int) -> Draft:
        """Open what a Cookie header carries. Never raises for what a browser can send."""

    def apply(self, action: Action, draft: Draft, *, now: int) -> tuple[Action, Outcome]:
        """Do what was decided; return what came of it, which may be less, and what the cookie needs."""

    def token(self, draft: Draft) -> str:
        """Return the cookie's value for what was written."""

    def end(self, draft: Draft, *, now: int) -> bool:
        """End the session that `draft` was loaded from, at once; False where it is gone or replaced already."""

    def present_key(self, draft: Draft, *, now: int) -> bytes | None:
        """Return the store's key of the session, or None where it has none."""

    def admit(self, owner: str, draft: Draft, *, now: int) -> None:
        """Raise `TooManySessions` where `owner` may not log in to one more session."""


class Tokens:
    """The session tokens of one cookie name: sealed or signed."""

    def __init__(
        self, name: str, *, write: Callable[[bytes, bytes], str], read: Callable[[str, bytes], Opened]
    ) -> None:
        self._name = name
        self._purpose = purpose("session", name)
        self._write = write
        self._read = read

    def issue(self, plaintext: bytes) -> str:
        """Return a token over `plaintext`."""
        return self._write(plaintext, self._purpose)

    def open(self, header: str) -> Opened | InvalidToken | None:
        """Return the first that authenticates, else why the first one did not, else None where there is none."""
        failure = None
        values = values_of(header, self._name, limit=MAX_CANDIDATES)
        for value in values:
            try:
                return self._read(value, self._purpose)
            except InvalidToken as error:
                failure = failure or error
        if failure is not None:
            failure.alone = len(values) == 1
        return failure


class Drafts:
    """Makes the drafts of sessions that were not loaded, and says why."""

    def __init__(self, *, codec: ValueCodec, lifetime: Lifetime, emit: Emitter) -> None:
        self.codec = codec
        self.lifetime = lifetime
        self.emit = emit

    def empty(self, origin: Origin, *, now: int) -> Draft:
        """Return an empty draft."""
        return Draft(origin, fresh(now=now, lifetime=self.lifetime), codec=self.codec)

    def rejected(self, error: InvalidToken, *, now: int) -> Draft:
        """Return an empty draft for bytes that did not open, and emit why.

        Of several cookies of the name an expiry could not say which one it means, and somebody who plants a few would
        have the real one deleted; so only a lone one is expired.
        """
        self.emit(SessionRejected(error.reason, error.kid))
        return self.empty(Origin.REJECTED if error.alone else Origin.GONE, now=now)

    def loaded(self, state: Any, *, handle: Any, stale_key: bool) -> Draft:
        """Return a draft of a state that opened."""
        return Draft(Origin.LOADED, state, codec=self.codec, handle=handle, stale_key=stale_key)
