"""Client-side sessions that can be ended: a backend in front of another one."""

from cookiesess.backends.base import Backend, Drafts, Outcome
from cookiesess.backends.cookie import WRITES
from cookiesess.backends.revocations import Revocations
from cookiesess.errors import StoreUnavailable
from cookiesess.events import SessionRevoked, StoreFailed
from cookiesess.session.decision import Action
from cookiesess.session.draft import Draft
from cookiesess.session.state import GENERATION, Origin

_ENDS = {Action.MOVE, Action.DELETE}


class RevokingBackend:
    """Lets in no session that was ended, and ends the old ID before a new one is issued. Thread-safe.

    Args:
        inner: Carries the sessions.
        revocations: Knows which have ended.
        drafts: Makes drafts.
        anonymous: While the store is down, give requests an empty session that cannot be written, instead of raising.
    """

    def __init__(self, inner: Backend, revocations: Revocations, *, drafts: Drafts, anonymous: bool) -> None:
        self._inner = inner
        self._revocations = revocations
        self._drafts = drafts
        self._anonymous = anonymous
        self.token = inner.token
        self.late_writes = inner.late_writes
        self.present_key = inner.present_key
        self.admit = inner.admit

    def load(self, header: str, *, now: int) -> Draft:
        """Open what a Cookie header carries, and ask whether it has ended: one read."""
        draft = self._inner.load(header, now=now)
        if draft.origin is not Origin.LOADED and draft.origin is not Origin.FOREIGN:
            return draft
        try:
            reason = self._revocations.reason(draft.state, now=now)
        except StoreUnavailable as error:
            if not self._anonymous:
                self._drafts.emit(StoreFailed(str(error)))
                raise
            return self._drafts.unavailable(error, now=now)
        if reason is not None:
            self._drafts.emit(SessionRevoked(reason))
            return self._drafts.empty(Origin.GONE, now=now)
        draft.ticket = self._revocations.ticket(draft.state)
        return draft

    def apply(self, action: Action, draft: Draft, *, now: int) -> tuple[Action, Outcome]:
        """Do what was decided. What has got a new ID, or was emptied, is ended under the old one.

        Raises:
            StoreUnavailable: It could not be ended; nothing is issued then.
        """
        login = draft.logged_in
        if login:
            self._stamp(draft, now)
        elif draft.stale_key and action in WRITES and draft.state.owner is not None:
            self._revocations.carry_over(draft.state.owner, now=now)
        done, outcome = self._inner.apply(action, draft, now=now)
        if done in _ENDS and not self._revoke(draft, now) and done is Action.MOVE and not login:
            # Ended while this request ran; under its new ID it would live on.
            draft.drop_reason = "ended"
            return Action.DROP, Outcome.NOTHING
        if done in WRITES:
            draft.ticket = self._revocations.ticket(draft.state)
        return done, outcome

    def check(self, draft: Draft, *, now: int) -> None:
        """As the inner one, with all that a login will have written into the session."""
        if draft.logged_in:
            self._stamp(draft, now)
        self._inner.check(draft, now=now)

    def end(self, draft: Draft, *, now: int) -> bool:
        """End the session for good, with all copies of its cookie."""
        self._revoke(draft, now)
        return self._inner.end(draft, now=now)

    def end_all(self, owner: str, *, keep: Draft | None, now: int) -> None:
        """End all of the owner's sessions but `keep`, which is issued anew at its commit.

        Raises:
            SessionCommitted: `keep`'s headers have gone out, so that it would be ended with the others.
        """
        if keep is not None and keep.refusal is not None:
            raise keep.refusal()
        generation = self._revocations.end_all(owner, now=now)
        if keep is not None and keep.state.owner == owner:
            keep.extras.set(GENERATION, generation)

    def _revoke(self, draft: Draft, now: int) -> bool:
        """End what was loaded; False where it had been ended before."""
        if draft.ticket is None:
            return True
        alive = self._revocations.revoke(draft.ticket, now=now)
        draft.ticket = None
        return alive

    def _stamp(self, draft: Draft, now: int) -> None:
        """Write the owner's generation into a session that has just logged in."""
        state = draft.state
        generation = self._revocations.generation(state.owner or "", until_at=state.ends_at or 0, now=now)
        if generation:
            draft.extras.set(GENERATION, generation)
        elif GENERATION in draft.extras.data:
            draft.extras.remove(GENERATION)
