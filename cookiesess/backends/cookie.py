"""Client-side sessions: the whole state travels in the cookie."""

from cookiesess.backends.base import CookieToken, Drafts, Outcome, Tokens
from cookiesess.errors import CookieTooLarge, InvalidToken
from cookiesess.events import SessionExpired, SessionNearLimit
from cookiesess.http.carrier import Carrier
from cookiesess.session.compression import compress, expand
from cookiesess.session.decision import Action
from cookiesess.session.draft import Draft
from cookiesess.session.state import Origin, pack, unpack
from cookiesess.tokens.sealing import Opened

_EXPIRES = {Action.EXPIRE, Action.DELETE}
WRITES = {Action.CREATE, Action.UPDATE, Action.MOVE, Action.TOUCH, Action.RESEAL}
"""The actions after which there is a session to be issued."""

# How many of a session's keys an error about its size names: enough to find the culprit, few enough to read.
_NAMED_KEYS = 5


class CookieBackend:
    """Keeps nothing on the server, so it costs no I/O, and cannot end a copy of the cookie that somebody kept.

    Args:
        tokens: Makes and opens the cookie's tokens.
        drafts: Makes drafts.
        carrier: Says what fits into the cookie.
        compressed: Whether to compress what becomes shorter by it.
    """

    def __init__(self, tokens: Tokens, drafts: Drafts, *, carrier: Carrier, compressed: bool = False) -> None:
        self._tokens = tokens
        self._drafts = drafts
        self._carrier = carrier
        self._compressed = compressed

    def load(self, header: str, *, now: int) -> Draft:
        """Open the first cookie that authenticates."""
        opened = self._tokens.open(header, now=now)
        if not isinstance(opened, tuple):
            return self._drafts.unopened(opened, now=now)
        return self.open(opened, now=now)

    def open(self, opened: Opened, *, now: int) -> Draft:
        """Take the state out of an opened token."""
        plaintext, current = opened
        try:
            state = unpack(expand(plaintext), self._drafts.codec, now=now)
        except InvalidToken as error:
            return self._drafts.rejected(error, now=now)
        passed = self._drafts.lifetime.expired(state, now=now)
        if passed is not None:
            self._drafts.emit(SessionExpired(passed))
            return self._drafts.empty(Origin.GONE, now=now)
        draft = self._drafts.loaded(state, handle=None, stale_key=not current)
        draft.base = plaintext
        return draft

    def apply(self, action: Action, draft: Draft, *, now: int) -> tuple[Action, Outcome]:
        """Choose the cookie's fate; the writing is in the token.

        Raises:
            CookieTooLarge: There is no room for the session.
        """
        if action in WRITES:
            self._drafts.identify(draft, anew=action is Action.MOVE)
            if not self.seal(draft, now=now):
                raise self._too_large(draft)
            return action, Outcome.ISSUE
        return action, Outcome.EXPIRE if action in _EXPIRES else Outcome.NOTHING

    def seal(self, draft: Draft, *, now: int) -> bool:
        """Make the token of the whole state; return whether it fits into the cookie."""
        draft.state.refreshed_at = now
        plaintext = pack(draft.state, self._drafts.codec)
        draft.token = token = self._tokens.issue(compress(plaintext) if self._compressed else plaintext)
        if len(token) <= self._carrier.sure_length:
            return True
        return self._carrier.fits(token, max_age=self._carrier.max_age(draft.state, now=now))

    def token(self, draft: Draft) -> CookieToken:
        """Return the token that `seal` has made."""
        token = draft.token or ""
        if len(token) >= self._carrier.near_length and self._carrier.near(size_bytes := self._size_bytes(draft)):
            self._drafts.emit(SessionNearLimit(size_bytes, self._carrier.limit_bytes))
        return self._tokens.name, token

    def late_writes(self, draft: Draft) -> bool:  # noqa: ARG002 (the protocol's)
        """Only headers carry cookies."""
        return False

    def check(self, draft: Draft, *, now: int) -> None:
        """Raise `CookieTooLarge` where there is no room for the session."""
        if not self.fits(draft, now=now):
            raise self._too_large(draft)

    def fits(self, draft: Draft, *, now: int) -> bool:
        """Whether there is room for the session; nothing of it is changed, but that it has an ID from here on."""
        self._drafts.identify(draft, anew=False)
        refreshed_at = draft.state.refreshed_at
        fits = self.seal(draft, now=now)
        draft.state.refreshed_at = refreshed_at
        return fits

    def _size_bytes(self, draft: Draft) -> int:
        """Return how long the lines of the token that `seal` has made are together."""
        max_age = self._carrier.max_age(draft.state, now=draft.state.refreshed_at)
        return self._carrier.size_bytes(len(draft.token or ""), max_age=max_age)

    def _too_large(self, draft: Draft) -> CookieTooLarge:
        sizes = ((key, len(self._drafts.codec.pack(value))) for key, value in draft.data.data.items())
        return CookieTooLarge(
            self._tokens.name,
            size_bytes=self._size_bytes(draft),
            limit_bytes=self._carrier.limit_bytes,
            largest_keys=sorted(sizes, key=lambda item: -item[1])[:_NAMED_KEYS],
        )

    def end(self, draft: Draft, *, now: int) -> bool:  # noqa: ARG002 (the protocol's)
        """Nothing is on the server; the cookie is expired at commit."""
        return True

    def present_key(self, draft: Draft, *, now: int) -> bytes | None:  # noqa: ARG002 (the protocol's)
        """There is no record, and so no key."""
        return None

    def admit(self, owner: str, draft: Draft, *, now: int) -> None:
        """Nobody counts sessions that live in cookies."""
