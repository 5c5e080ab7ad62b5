"""Client-side sessions that can be ended: a backend that stands in front of another, and knows what has ended."""

from collections.abc import Callable

from cookiesess.backends.base import Backend, Beginnings
from cookiesess.backends.revocations import Revocations, Ticket
from cookiesess.backends.store import dropped
from cookiesess.errors import StoreUnavailable
from cookiesess.events import SessionRevoked
from cookiesess.session.decision import Action
from cookiesess.session.state import GENERATION, Origin
from cookiesess.session.steps import HAS_CONTENT, Done, Loaded
from cookiesess.session.working_copy import WorkingCopy

_ENDS = (Action.MOVE, Action.DELETE)


class RevokingBackend:
    """Lets in no session that was ended, and ends the old ID before a new one is issued. Thread-safe.

    Args:
        inner: Carries the sessions.
        revocations: Knows which have ended.
        beginnings: Makes the sessions that were not loaded.
    """

    def __init__(self, inner: Backend, revocations: Revocations, *, beginnings: Beginnings) -> None:
        self._inner = inner
        self._revocations = revocations
        self._beginnings = beginnings
        self.writes_now: Callable[[WorkingCopy], bool] = inner.writes_now
        self.record_key: Callable[..., bytes | None] = inner.record_key
        self.admit: Callable[..., None] = inner.admit

    def load(self, header: str, *, now: int) -> WorkingCopy:
        """Open what a Cookie header carries, and ask whether it has ended: one read."""
        working = self._inner.load(header, now=now)
        if not working.loaded.continued:
            return working
        try:
            reason = self._revocations.reason(working.state, now=now)
        except StoreUnavailable as error:
            return self._beginnings.unavailable(error, header, now=now)
        if reason is not None:
            self._beginnings.emit(SessionRevoked(reason))
            return self._beginnings.empty(Origin.GONE, header, now=now)
        return working

    def apply(self, action: Action, working: WorkingCopy, *, now: int) -> Done:
        """Do what was decided. What has got a new ID, or was emptied, is ended under the old one.

        Raises:
            StoreUnavailable: It could not be ended; nothing is issued then.
        """
        login, loaded = working.asked.authenticates, working.loaded
        if working.asked.login:
            self._stamp(working, now)
        elif loaded.stale_key and action in HAS_CONTENT and working.state.owner is not None:
            self._revocations.carry_over(working.state.owner, now=now)
        done = self._inner.apply(action, working, now=now)
        if done.action in _ENDS and not self._revoke(loaded, now) and done.action is Action.MOVE and not login:
            # Ended while this request ran; under its new ID it would live on.
            return dropped("ended")
        return done

    def check(self, working: WorkingCopy, *, now: int) -> None:
        """As the inner backend does, once the session holds all that a login adds to it."""
        if working.asked.login:
            self._stamp(working, now)
        self._inner.check(working, now=now)

    def end(self, working: WorkingCopy, *, now: int) -> bool:
        """End the session for good, with all copies of its cookie."""
        self._revoke(working.loaded, now)
        return self._inner.end(working, now=now)

    def end_all(self, owner: str, *, keep: WorkingCopy | None, now: int) -> None:
        """End all of the owner's sessions but `keep`, which is issued anew at its commit."""
        generation = self._revocations.end_all(owner, now=now)
        if keep is not None and keep.state.owner == owner:
            keep.extras.set(GENERATION, generation)

    def _revoke(self, loaded: Loaded, now: int) -> bool:
        """End what was loaded; False where it had been ended before."""
        if loaded.sid is None or loaded.until_at is None:
            return True
        return self._revocations.revoke(Ticket(loaded.sid, loaded.owner, loaded.until_at), now=now)

    def _stamp(self, working: WorkingCopy, now: int) -> None:
        """Write the owner's generation into a session that has just logged in."""
        state = working.state
        generation = self._revocations.generation(state.owner or "", until_at=state.ends_at or 0, now=now)
        if generation:
            working.extras.set(GENERATION, generation)
        elif GENERATION in working.extras.data:
            working.extras.remove(GENERATION)
