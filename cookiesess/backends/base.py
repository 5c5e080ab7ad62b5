"""What every backend does, and the token that both kinds put into the cookie."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from cookiesess.errors import InvalidToken, SessionReadOnly, StoreUnavailable
from cookiesess.events import Emitter, SessionAccepted, SessionExpired, SessionRejected, StoreFailed
from cookiesess.session.decision import Action
from cookiesess.session.draft import Draft, fresh
from cookiesess.session.lifetime import Lifetime
from cookiesess.session.state import Origin, State
from cookiesess.tokens.encoding import purpose
from cookiesess.tokens.sealing import Opened
from cookiesess.tokens.values import ValueCodec

SID_BYTES = 16
"""The length of a client-side session's own ID: 128 random bits, so that no two sessions ever have the same."""


class Outcome(Enum):
    """What the cookie needs after a commit."""

    NOTHING = "no line at all"
    ISSUE = "a new value"
    EXTEND = "a new Max-Age, where it has one"
    EXPIRE = "to be expired"


CookieToken = tuple[str, str]
"""What the session's cookie will be: its name, and the token in it."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A session that a reader has opened.

    Attributes:
        reader: The reader's class.
        state: What it holds.
    """

    reader: str
    state: State


class Backend(Protocol):
    """Where sessions live. Thread-safe; all times are Unix seconds."""

    def load(self, header: str, *, now: int) -> Draft:
        """Open what a Cookie header carries. Never raises for what a browser can send."""

    def apply(self, action: Action, draft: Draft, *, now: int) -> tuple[Action, Outcome]:
        """Do what was decided; return what came of it, which may be less, and what the cookie needs."""

    def token(self, draft: Draft) -> CookieToken:
        """Return the cookie for what was written."""

    def late_writes(self, draft: Draft) -> bool:
        """Whether the session can be written at any time, and not only with the headers."""

    def check(self, draft: Draft, *, now: int) -> None:
        """Where it cannot be written late: raise what would keep it from being written with the headers."""

    def end(self, draft: Draft, *, now: int) -> bool:
        """End the session that `draft` was loaded from, at once; False where it is gone or replaced already."""

    def present_key(self, draft: Draft, *, now: int) -> bytes | None:
        """Return the store's key of the session, or None where it has none."""

    def admit(self, owner: str, draft: Draft, *, now: int) -> None:
        """Raise `TooManySessions` where `owner` may not log in to one more session."""


class Tokens:
    """The session tokens of one cookie name.

    Args:
        name: The cookie's name, which is part of what each token is for.
        write: Seals or signs.
        read: Opens what `write` made.
        find: Returns what a Cookie header holds under the name, most likely first.
    """

    def __init__(
        self,
        name: str,
        *,
        write: Callable[[bytes, bytes], str],
        read: Callable[[str, bytes], Opened],
        find: Callable[[str], list[str]],
    ) -> None:
        self.name = name
        self._find = find
        self._purpose = purpose("session", name)
        self._write = write
        self._read = read

    def issue(self, plaintext: bytes) -> str:
        """Return a token over `plaintext`."""
        return self._write(plaintext, self._purpose)

    def open(self, header: str, *, now: int) -> Opened | Accepted | InvalidToken | None:  # noqa: ARG002 (readers ask)
        """Return the first that authenticates, else why the first one did not, else None where there is none."""
        failure = None
        values = self._find(header)
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

    def __init__(
        self,
        *,
        codec: ValueCodec,
        lifetime: Lifetime,
        emit: Emitter,
        random_sid: Callable[[int], bytes] | None = None,
    ) -> None:
        self.codec = codec
        self.lifetime = lifetime
        self.emit = emit
        self._random_sid = random_sid

    def identify(self, draft: Draft, *, anew: bool) -> None:
        """Give a session an ID of its own, where IDs are wanted and it has none yet or needs a new one."""
        if self._random_sid is not None and (anew or draft.state.sid is None):
            draft.state.sid = self._random_sid(SID_BYTES)

    def unopened(self, opened: "Accepted | InvalidToken | None", *, now: int) -> Draft:
        """Return a draft where no token of ours opened: of what a reader has opened, or empty."""
        if opened is None:
            return self.empty(Origin.NONE, now=now)
        if isinstance(opened, InvalidToken):
            return self.rejected(opened, now=now)
        passed = self.lifetime.expired(opened.state, now=now)
        if passed is not None:
            self.emit(SessionExpired(passed))
            return self.empty(Origin.GONE, now=now)
        self.emit(SessionAccepted(opened.reader))
        return Draft(Origin.FOREIGN, opened.state, codec=self.codec)

    def unavailable(self, error: StoreUnavailable, *, now: int) -> Draft:
        """Return an empty draft that cannot be written, while a store is down."""
        self.emit(StoreFailed(str(error)))
        draft = self.empty(Origin.UNAVAILABLE, now=now)
        draft.refusal = _read_only
        return draft

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


def _read_only() -> SessionReadOnly:
    return SessionReadOnly(
        "the session store is down, and this request got an empty session that cannot be written; try again later, or"
        ' set on_store_error="raise" to answer with an error page at the first touch'
    )
