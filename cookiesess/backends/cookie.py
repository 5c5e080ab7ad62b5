"""Client-side sessions: the whole state travels in the cookie."""

from collections.abc import Callable
from dataclasses import replace

from cookiesess.backends.base import SID_BYTES, Beginnings
from cookiesess.errors import CookieTooLarge, InvalidToken
from cookiesess.events import SessionNearLimit
from cookiesess.http.envelope import Envelope
from cookiesess.session.compression import compress, expand
from cookiesess.session.decision import Action
from cookiesess.session.state import COMPRESSED, Origin, State, largest_keys, pack, unpack
from cookiesess.session.steps import EXPIRED, HAS_CONTENT, Done, Line, Loaded
from cookiesess.session.working_copy import WorkingCopy
from cookiesess.tokens.sealing import Opened

_EXPIRES = (Action.EXPIRE, Action.DELETE)
_LOADED, _ISSUE, _MOVE = Origin.LOADED, Line.ISSUE, Action.MOVE


class CookieBackend:
    """Keeps the whole session in its cookie. That costs no I/O; a copy of the cookie works until it times out.

    Args:
        envelope: Opens and fills the cookie.
        beginnings: Makes the sessions that were not loaded.
        random_sid: Returns the bytes of a session's own ID, where sessions need one to be revoked or moved; else None.
        compressed: Whether to compress what becomes shorter by it.
    """

    def __init__(
        self,
        envelope: Envelope,
        beginnings: Beginnings,
        *,
        random_sid: Callable[[int], bytes] | None = None,
        compressed: bool = False,
    ) -> None:
        self._envelope = envelope
        self._names = (envelope.name,)
        self._beginnings = beginnings
        self._lifetime = beginnings.lifetime
        self._codec = beginnings.codec
        self._random_sid = random_sid
        self._compressed = compressed

    def load(self, header: str, *, now: int, opened: Opened | None = None) -> WorkingCopy:
        """Open the first cookie that authenticates, or take the state out of what was `opened` already."""
        if opened is None:
            found, failure = self._envelope.read(header)
            if not found:
                return self._beginnings.unopened(header, failure, now=now)
            if len(found) > 1:
                return self._beginnings.chosen(self._open(found, failure, header, now), now=now)
            opened = found[0]
        plaintext, current = opened
        try:
            state = unpack(expand(plaintext) if plaintext[:1] == COMPRESSED else plaintext, self._codec, now=now)
        except InvalidToken as error:
            return self._beginnings.rejected(error, header, now=now)
        idle_at, until_at = self._lifetime.deadlines(state)
        if now >= idle_at or (until_at is not None and now >= until_at):
            return self._beginnings.gone(state, header, now=now, opened=self._names)
        if until_at is not None and state.ends_at is not None and until_at < state.ends_at:
            until_at = state.ends_at
        loaded = Loaded(
            _LOADED, state.owner, None, not current, header, plaintext, state.sid, until_at, True, self._names
        )
        return WorkingCopy(loaded, state, self._codec)

    def candidates(self, header: str, *, now: int) -> list[WorkingCopy]:
        """Open every cookie of the name that authenticates; one empty copy where none does."""
        return self._open(*self._envelope.read(header), header, now)

    def _open(self, found: list[Opened], failure: InvalidToken | None, header: str, now: int) -> list[WorkingCopy]:
        if not found:
            return [self._beginnings.unopened(header, failure, now=now)]
        return [self.load(header, now=now, opened=each) for each in found]

    def apply(self, action: Action, working: WorkingCopy, *, now: int) -> Done:
        """Choose the cookie's fate, and pack what goes into it.

        Raises:
            CookieTooLarge: There is no room for the session.
        """
        if action not in HAS_CONTENT:
            return EXPIRED._replace(action=action) if action in _EXPIRES else Done(action, Line.NOTHING)
        if self._random_sid is not None:
            self.identify(working, anew=action is _MOVE)
        state = working.state
        if not working.asked.passive:
            state.refreshed_at = now
        plaintext = pack(state, self._codec)
        if self._compressed:
            plaintext = compress(plaintext)
        if len(plaintext) > self._envelope.easy_bytes:
            self._check_size(plaintext, state)
        return Done(action, _ISSUE, plaintext)

    def identify(self, working: WorkingCopy, *, anew: bool) -> None:
        """Give a session an ID of its own, where IDs are wanted and it has none yet or needs a new one."""
        if self._random_sid is not None and (anew or working.state.sid is None):
            working.identify(self._random_sid(SID_BYTES))

    def _check_size(self, plaintext: bytes, state: State) -> None:
        """Raise where there is no room for the session, and say so where there is soon none."""
        envelope = self._envelope
        max_age = envelope.max_age(state, now=state.refreshed_at)
        size_bytes = envelope.size_bytes(plaintext, max_age=max_age)
        if not envelope.fits(plaintext, max_age=max_age):
            raise self._too_large(state, size_bytes)
        if envelope.near(size_bytes):
            self._beginnings.emit(SessionNearLimit(size_bytes, envelope.limit_bytes))

    def writes_now(self, working: WorkingCopy) -> bool:  # noqa: ARG002 (the protocol's)
        """Only headers carry cookies."""
        return False

    def check(self, working: WorkingCopy, *, now: int) -> None:
        """Raise `CookieTooLarge` where there is no room for the session."""
        if not self.fits(working, now=now):
            plaintext, max_age = self._as_of(working, now)
            raise self._too_large(working.state, self._envelope.size_bytes(plaintext, max_age=max_age))

    def fits(self, working: WorkingCopy, *, now: int) -> bool:
        """Whether there is room for the session in its cookie. It gets an ID of its own, if it needs one; no more."""
        self.identify(working, anew=False)
        plaintext, max_age = self._as_of(working, now)
        return self._envelope.fits(plaintext, max_age=max_age)

    def _as_of(self, working: WorkingCopy, now: int) -> tuple[bytes, int | None]:
        """Return what the cookie would hold if it were issued `now`, and with which Max-Age."""
        state = replace(working.state, refreshed_at=now)
        plaintext = pack(state, self._codec)
        return compress(plaintext) if self._compressed else plaintext, self._envelope.max_age(state, now=now)

    def _too_large(self, state: State, size_bytes: int) -> CookieTooLarge:
        return CookieTooLarge(
            self._envelope.name,
            size_bytes=size_bytes,
            limit_bytes=self._envelope.limit_bytes,
            largest_keys=largest_keys(state, self._codec),
        )

    def end(self, working: WorkingCopy, *, now: int) -> bool:  # noqa: ARG002 (the protocol's)
        """Nothing is on the server; the cookie is expired at commit."""
        return working.loaded.origin is _LOADED

    def record_key(self, working: WorkingCopy, *, now: int) -> bytes | None:  # noqa: ARG002 (the protocol's)
        """There is no record, and so no key."""
        return None

    def admit(self, owner: str, working: WorkingCopy, *, now: int) -> None:
        """Nobody counts sessions that live in cookies."""
