"""Client-side sessions that can be ended: a backend in front of the one that keeps them.

It asks what has ended when a session is loaded, and once more before a cookie is issued: a session that was ended in
between gets no line, and an event says so. What takes a new ID is ended under the old one first.
"""

from collections.abc import Callable
from typing import Final, Literal

from cookiesess.backends.base import Beginnings, ClientSide
from cookiesess.backends.endings import ENDED
from cookiesess.backends.revocations import Revocations, Verdict
from cookiesess.errors import StoreUnavailable
from cookiesess.events import RevocationsLost, SessionRevoked, StoreFailed
from cookiesess.session.closing import Closed, How, derived_csrf
from cookiesess.session.csrf import secrets_of
from cookiesess.session.decision import Action
from cookiesess.session.lifetime import ABSOLUTE
from cookiesess.session.merging import own
from cookiesess.session.state import EPOCH, GENERATION, Origin
from cookiesess.session.steps import HAS_CONTENT, NOTHING_DONE, Done, Twin, dropped
from cookiesess.session.working_copy import WorkingCopy

OnLostRevocations = Literal["log_out", "go_on"]

# What an expiry hits, too, may be the cookie of a session that has taken this one's place.
_ASKS: Final = HAS_CONTENT | {Action.DELETE}
_LOADED, _REPLACED = Origin.LOADED, Origin.REPLACED
_MOVE, _DELETE = Action.MOVE, Action.DELETE


class RevokingBackend:
    """Lets in no session that was ended, and ends the old ID before a new one is issued. Thread-safe.

    Args:
        inner: Carries the sessions.
        revocations: Knows which have ended.
        beginnings: Makes the sessions that were not loaded.
        on_lost: What becomes of sessions from before the store has lost its memory.
    """

    def __init__(
        self, inner: ClientSide, revocations: Revocations, *, beginnings: Beginnings, on_lost: OnLostRevocations
    ) -> None:
        self._inner = inner
        self._revocations = revocations
        self._beginnings = beginnings
        self._lost_are_gone = on_lost == "log_out"
        self.writes_now: Callable[[WorkingCopy], bool] = inner.writes_now
        self.record_key: Callable[..., bytes | None] = inner.record_key
        self.admit: Callable[..., None] = inner.admit

    # Loading

    def load(self, header: str, *, now: int) -> WorkingCopy:
        """Open what a Cookie header carries, and ask of all of it whether it has ended: one read."""
        copies = self._inner.candidates(header, now=now)
        if any(map(_can_have_ended, copies)):
            try:
                verdicts = self._revocations.ask([copy.state for copy in copies], now=now)
            except StoreUnavailable as error:
                return self._beginnings.unavailable(error, header, now=now)
            pairs = zip(copies, verdicts, strict=True)
            copies = [self._judged(copy, verdict, header, now) for copy, verdict in pairs]
        return self._beginnings.chosen(copies, now=now)

    def _judged(self, copy: WorkingCopy, verdict: Verdict, header: str, now: int) -> WorkingCopy:
        """Return what a request may see of a session, by what the store knows of it."""
        loaded = copy.loaded
        if not _can_have_ended(copy):
            return copy
        if verdict.reason is not None:
            self._beginnings.emit(SessionRevoked(verdict.reason))
            return self._beginnings.empty(Origin.GONE, header, now=now, opened=loaded.opened)
        if verdict.lost and loaded.origin is _LOADED:
            self._beginnings.emit(RevocationsLost(logged_out=self._lost_are_gone))
            if self._lost_are_gone:
                return self._beginnings.empty(Origin.GONE, header, now=now, opened=loaded.opened)
        closed = verdict.closed
        if closed is None:
            return copy
        if now < closed.grace_until_at:
            return WorkingCopy(loaded._replace(closed=closed), copy.state, codec=self._beginnings.codec)
        # Without the successor: a logout follows the old ID, by its own record and those behind it.
        csrf, forms, _ = secrets_of(copy.state)
        closed = closed._replace(csrf=csrf or derived_csrf(copy.state.sid or b""), forms=forms, successor=None)
        return self._beginnings.replaced(
            closed, header, now=now, opened=loaded.opened, sid=loaded.sid, until_at=loaded.until_at
        )

    # Writing

    def apply(self, action: Action, working: WorkingCopy, *, now: int) -> Done:
        """Do what was decided, if the session still lives. What has got a new ID is ended under the old one.

        Raises:
            StoreUnavailable: It could not be asked, or the old ID not be ended; nothing is issued then.
        """
        if action not in _ASKS:
            return self._inner.apply(action, working, now=now)
        only_read = working.only_read
        try:
            done = self._ask_and_apply(action, working, now)
        except StoreUnavailable as error:
            if not only_read:
                raise
            # The app only read, and its page is ready: all that is lost is some idle time, or a renewal in time.
            self._beginnings.emit(StoreFailed(str(error)))
            return NOTHING_DONE
        return NOTHING_DONE if only_read and done.action is Action.DROP else done

    def _ask_and_apply(self, action: Action, working: WorkingCopy, now: int) -> Done:
        # An ID that was cycled for a session that is empty now authenticates nobody.
        loaded, authenticates = working.loaded, working.asked.authenticates and action is not _DELETE
        if loaded.closed is not None and loaded.origin is _LOADED and not authenticates:
            return dropped("replaced")  # within the grace of a renewal, it was there to be read
        verdict = self._ask(working, now)
        if verdict is None:
            return self._inner.apply(action, working, now=now)
        refused = None if authenticates else self._refused(verdict, working)
        if refused is not None:
            return refused
        if action is not _DELETE:
            self._stamp(verdict, working, now)
        if action is _MOVE:
            return self._move(verdict, working, now)
        done = self._inner.apply(action, working, now=now)
        if verdict.closed is not None and done.located is not None and not done.located.moved:
            return dropped("replaced")  # written where nobody is led on from
        return done

    def check(self, working: WorkingCopy, *, now: int) -> None:
        """As the inner one, with all that will have been written into the session."""
        verdict = self._ask(working, now)
        if verdict is not None:
            self._stamp(verdict, working, now)
        self._inner.check(working, now=now)

    def _ask(self, working: WorkingCopy, now: int) -> Verdict | None:
        """Return what the store knows now; None where it is down, and a visitor's first session begins without it."""
        try:
            return self._revocations.ask([working.state], now=now, exactly=True)[0]
        except StoreUnavailable as error:
            if working.loaded.continued or working.state.owner is not None:
                raise
            self._beginnings.emit(StoreFailed(str(error)))
            if self._revocations.epoch_seen is not None:
                working.extras.set(EPOCH, self._revocations.epoch_seen)
            return None

    def _refused(self, verdict: Verdict, working: WorkingCopy) -> Done | None:
        """Return that a session gets no cookie, because it has ended since it was loaded; None while it lives."""
        loaded, closed = working.loaded, verdict.closed
        if verdict.reason is not None or self._is_lost(verdict, working):
            return dropped("ended")
        if closed is None or (loaded.located is not None and closed.how.merges):
            return None  # its record leads on to the one in its place
        return dropped("replaced")

    def _is_lost(self, verdict: Verdict, working: WorkingCopy) -> bool:
        return verdict.lost and self._lost_are_gone and working.loaded.origin is _LOADED

    def _stamp(self, verdict: Verdict, working: WorkingCopy, now: int) -> None:
        """Write into a session what it can be ended by: its owner's generation, and the store's epoch."""
        state = working.state
        generation = 0
        if working.asked.login or ABSOLUTE in state.extras:
            generation = self._revocations.generation(state, verdict, now=now)
        if working.asked.login:
            if generation:
                working.extras.set(GENERATION, generation)
            elif GENERATION in state.extras:
                working.extras.remove(GENERATION)
        elif working.loaded.stale_key and state.owner is not None:
            self._revocations.carry_over(state.owner, verdict, now=now)
        if state.extras.get(EPOCH) != verdict.epoch:
            working.extras.set(EPOCH, verdict.epoch)

    # A new ID for an old session

    def _move(self, verdict: Verdict, working: WorkingCopy, now: int) -> Done:
        """Put the session under a new ID, then end the old one; only then is the new one given out."""
        loaded, how, authenticates = working.loaded, working.asked.how or How.RENEWAL, working.asked.authenticates
        # Where there is a record, what became of that decides what a login takes along.
        overtaken = authenticates and loaded.located is None and self._overtaken(verdict, working)
        done = self._move_alone(working, now) if overtaken else self._inner.apply(_MOVE, working, now=now)
        if done.action is not _MOVE:
            return done
        faster = self._close(working, how, working, now)
        if not authenticates:
            if faster is None:
                return done
            return dropped("ended" if faster is ENDED else "replaced")
        if not (overtaken or faster is None or faster.how.merges or loaded.located is not None):
            done = self._move_alone(working, now)
        self._close_twins(working, now)
        return done

    def _move_alone(self, working: WorkingCopy, now: int) -> Done:
        """Authenticate all the same: what this request has set gets the new ID, what it loaded does not."""
        working.adopt(own(working))
        return dropped("ended") if working.state.empty else self._inner.apply(_MOVE, working, now=now)

    def _overtaken(self, verdict: Verdict, working: WorkingCopy) -> bool:
        """Whether a login comes after another ending, or another login, so that it takes nothing along."""
        ended, replaced = verdict.reason == "ended", verdict.closed is not None and not verdict.closed.how.merges
        if verdict.reason is not None and working.loaded.owner == working.state.owner:
            ended = True  # by the generation too, which is that of the one who logs in
        return ended or replaced or self._is_lost(verdict, working)

    def _close(self, old: Twin, how: How, new: WorkingCopy, now: int) -> Closed | None:
        """End a loaded session for the one in its place; return how somebody faster has ended it."""
        sid, state = old.loaded.sid, new.state
        if sid is None:
            return None
        successor = state.sid if how.leads_on else None
        until_at = self._beginnings.lifetime.remembered_until(state)
        until_at, bound = until_at if how.leads_on else None, old.loaded.bound
        closed = Closed(how, now, successor=successor, until_at=until_at, bound=bound)
        return self._revocations.close(sid, closed, until_at=old.loaded.until_at, now=now)

    def _close_twins(self, working: WorkingCopy, now: int) -> None:
        """End what else the request's cookies held, as the login ended the session that counted."""
        owner, done = working.state.owner, {working.loaded.sid}
        try:
            for twin in working.loaded.twins:
                if twin.loaded.origin is _LOADED and twin.loaded.sid not in done:
                    again = owner is not None and twin.loaded.owner == owner
                    self._close(twin, How.REAUTHENTICATION if again else How.LOGIN, working, now)
                    done.add(twin.loaded.sid)
        except StoreUnavailable as error:
            # The old ID is ended: an error now would lose the login.
            self._beginnings.emit(StoreFailed(str(error)))

    # Ending

    def end(self, working: WorkingCopy, *, now: int) -> bool:
        """End the session and its twins for good, with all copies of their cookies, under every ID that leads on."""
        ended = [self._end(each, now) for each in (working, *working.loaded.twins)]
        inner = self._inner.end(working, now=now)
        return any(ended) or (inner and working.loaded.sid is None)

    def _end(self, working: Twin, now: int) -> bool:
        loaded = working.loaded
        if loaded.sid is None or loaded.origin not in (_LOADED, _REPLACED):
            return False
        return self._revocations.end(loaded.sid, until_at=loaded.until_at, now=now)

    def end_all(self, owner: str, *, keep: WorkingCopy | None, now: int) -> None:
        """End all of the owner's sessions but `keep`, which is issued anew at its commit."""
        generation = self._revocations.end_all(owner, now=now)
        if keep is not None and keep.state.owner == owner:
            keep.extras.set(GENERATION, generation)


def _can_have_ended(copy: WorkingCopy) -> bool:
    """Whether the store may know of its end: of a session of ours, or of the owner of another library's."""
    return copy.loaded.origin is _LOADED or (copy.loaded.continued and copy.state.owner is not None)
