"""Client-side sessions: the whole state travels in the cookie."""

from cookiesess.backends.base import Drafts, Outcome, Tokens
from cookiesess.decision import Action
from cookiesess.draft import Draft
from cookiesess.errors import InvalidToken
from cookiesess.events import SessionExpired
from cookiesess.state import Origin, pack, unpack

_EXPIRES = {Action.EXPIRE, Action.DELETE}
_WRITES = {Action.CREATE, Action.UPDATE, Action.MOVE, Action.TOUCH, Action.RESEAL}


class CookieBackend:
    """Keeps nothing on the server, so it costs no I/O, and cannot end a copy of the cookie that somebody kept."""

    late_writes = False

    def __init__(self, tokens: Tokens, drafts: Drafts) -> None:
        self._tokens = tokens
        self._drafts = drafts

    def load(self, header: str, *, now: int) -> Draft:
        """Open the first cookie that authenticates."""
        opened = self._tokens.open(header)
        if opened is None:
            return self._drafts.empty(Origin.NONE, now=now)
        try:
            if isinstance(opened, InvalidToken):
                raise opened
            plaintext, current = opened
            state = unpack(plaintext, self._drafts.codec, now=now)
        except InvalidToken as error:
            return self._drafts.rejected(error, now=now)
        passed = self._drafts.lifetime.expired(state, now=now)
        if passed is not None:
            self._drafts.emit(SessionExpired(passed))
            return self._drafts.empty(Origin.GONE, now=now)
        return self._drafts.loaded(state, handle=None, stale_key=not current)

    def apply(self, action: Action, draft: Draft, *, now: int) -> tuple[Action, Outcome]:
        """Choose the cookie's fate; the writing is in the token."""
        if action in _WRITES:
            draft.state.refreshed_at = now
            return action, Outcome.ISSUE
        return action, Outcome.EXPIRE if action in _EXPIRES else Outcome.NOTHING

    def token(self, draft: Draft) -> str:
        """Return a token over the whole state."""
        return self._tokens.issue(pack(draft.state, self._drafts.codec))

    def end(self, draft: Draft, *, now: int) -> bool:  # noqa: ARG002 (the protocol's)
        """Nothing is on the server; the cookie is expired at commit."""
        return True

    def present_key(self, draft: Draft, *, now: int) -> bytes | None:  # noqa: ARG002 (the protocol's)
        """There is no record, and so no key."""
        return None

    def admit(self, owner: str, draft: Draft, *, now: int) -> None:
        """Nobody counts sessions that live in cookies."""
