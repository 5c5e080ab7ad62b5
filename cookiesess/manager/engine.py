"""From a Cookie header to a draft, from a draft to Set-Cookie lines: what `Session` and `SessionManager` stand on."""

from collections.abc import Callable

from cookiesess.backends.base import Backend, Drafts, Outcome
from cookiesess.errors import SessionCommitted
from cookiesess.events import (
    Event,
    SecureCookieOverHttp,
    SessionCreated,
    SessionEnded,
    SessionRefreshed,
    SessionRenewed,
    TouchedLate,
    WriteDropped,
)
from cookiesess.http.carrier import Carrier
from cookiesess.http.cookies import SetCookie
from cookiesess.http.policy import Transport
from cookiesess.session.context import Stage
from cookiesess.session.decision import Action, decide
from cookiesess.session.draft import Draft
from cookiesess.session.state import Origin


class Engine:
    """One backend and the carrier of its tokens; meets `cookiesess.session.session.SessionContext`. Thread-safe."""

    def __init__(
        self,
        *,
        backend: Backend,
        carrier: Carrier,
        drafts: Drafts,
        clock: Callable[[], float],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._backend = backend
        self._carrier = carrier
        self.lifetime = drafts.lifetime
        self.codec = drafts.codec
        self._emit = drafts.emit
        self._clock = clock
        self.random_bytes = random_bytes
        self._warned_of_http = False

    def now(self) -> int:
        """The manager's clock, in whole seconds."""
        return int(self._clock())

    def load(self, source: str) -> Draft:
        """Open what a Cookie header carries."""
        draft = self._backend.load(source, now=int(self._clock()))
        if self._carrier.wide:
            draft.header = source
        return draft

    def save(self, draft: Draft) -> None:
        """Check that the cookie would fit, and write what can be written now."""
        now = self.now()
        action = self._decide(draft, now)
        if not self._backend.late_writes(draft):
            if action in _HAS_CONTENT:
                self._backend.check(draft, now=now)
            return
        event, outcome = self._apply(action, draft, now)
        draft.outcome = _stronger(draft.outcome, outcome)
        self._settle(draft, now, ended=outcome is Outcome.EXPIRE)
        if event is not None:
            self._emit(event)

    def end(self, draft: Draft) -> bool:
        """End the session at once; False where somebody else has ended or replaced it already."""
        if draft.origin in _NOTHING_TO_END:
            return False
        loaded = draft.origin is Origin.LOADED
        ended = draft.origin is Origin.FOREIGN or (loaded and self._backend.end(draft, now=self.now()))
        draft.outcome = None
        event = SessionEnded(emptied=False) if ended else self._dropped(draft)
        if event is not None:
            self._emit(event)
        return ended

    def touched_late(self, draft: Draft, stage: Stage) -> None:
        """Caches may not have been told that the response depends on the cookie."""
        if stage is not Stage.ABANDONED:
            self._emit(TouchedLate())
        draft.refusal = draft.refusal or _too_late
        if stage is Stage.STREAMING:
            self._allow_late(draft)

    def commit(self, draft: Draft, transport: Callable[[], Transport]) -> tuple[SetCookie, ...]:
        """Decide, do it, and return the session's Set-Cookie lines: none or one.

        Raises:
            CookieTooLarge: Nothing has been sent yet.
            NotSerializable: The same.
        """
        now = int(self._clock())
        action = self._decide(draft, now)
        event, outcome = None, Outcome.NOTHING
        if action is not Action.NOTHING:
            event, outcome = self._apply(action, draft, now)
        if draft.outcome is not None:
            outcome = _stronger(draft.outcome, outcome)  # what save() has written, the cookie does not know yet
        lines = () if outcome is Outcome.NOTHING else self._lines(outcome, draft, transport(), now)
        if event is not None:
            self._emit(event)
        draft.refusal = draft.refusal or _too_late
        return lines

    def admit(self, owner: str, draft: Draft) -> None:
        """Raise `TooManySessions` where `owner` may not log in to one more session."""
        self._backend.admit(owner, draft, now=self.now())

    def settle(self, draft: Draft) -> None:
        """The headers have gone out and the body follows: go on from what was committed, as far as that is possible."""
        self._settle(draft, self.now(), ended=True)
        self._allow_late(draft)

    def close(self, draft: Draft) -> None:
        """The body is done: save what was changed since `settle`.

        Raises:
            SessionCommitted: A nested value was changed that only a cookie could have carried.
        """
        if draft.refusal is None:
            now = self.now()
            event, _ = self._apply(self._decide(draft, now), draft, now)
            if event is not None:
                self._emit(event)
        elif draft.modified:
            raise draft.refusal()

    def _settle(self, draft: Draft, now: int, *, ended: bool) -> None:
        """Take what was written, or dropped, as what was loaded; `ended`: a deleted session's cookie is to expire."""
        if draft.written is Action.DELETE:
            draft.restart(ended=ended, now=now, lifetime=self.lifetime)
        else:
            draft.settle(written=draft.written in _HAS_CONTENT)
        draft.written = None

    def _allow_late(self, draft: Draft) -> None:
        """Let a session that exists be written while the body is produced, where that needs no cookie."""
        draft.cookie_refusal = _too_late
        if draft.refusal is _too_late and self._backend.late_writes(draft) and draft.origin in _LATE_ORIGINS:
            draft.refusal = None

    def key_of(self, draft: Draft) -> bytes | None:
        """Return the store's key of the session, or None where it has none."""
        return self._backend.present_key(draft, now=self.now())

    def _decide(self, draft: Draft, now: int) -> Action:
        modified = draft.modified
        return decide(
            draft.origin,
            empty=draft.state.empty,
            modified=modified,
            renewed=draft.renewed,
            refresh_due=draft.refresh_wanted or (not modified and self.lifetime.refresh_due(draft.state, now=now)),
            stale_key=draft.stale_key,
        )

    def _apply(self, action: Action, draft: Draft, now: int) -> tuple[Event | None, Outcome]:
        """Have it done; return the event that says so, to be emitted once nothing can keep it from being sent."""
        login = draft.logged_in
        done, outcome = self._backend.apply(action, draft, now=now)
        draft.written = done
        if done is Action.DROP:
            draft.outcome = None
            return self._dropped(draft), outcome
        if done is Action.MOVE:
            return SessionRenewed(login=login), outcome
        return SessionCreated(login=login) if done is Action.CREATE else _EVENTS.get(done), outcome

    def _dropped(self, draft: Draft) -> Event | None:
        if draft.dropped:
            return None
        draft.dropped = True
        reason, draft.origin = draft.drop_reason, Origin.REPLACED
        return WriteDropped(reason)

    def _lines(self, outcome: Outcome, draft: Draft, transport: Transport, now: int) -> tuple[SetCookie, ...]:
        """Return the session's Set-Cookie lines."""
        if outcome is Outcome.EXPIRE:
            return self._carrier.expire(transport=transport, header=draft.header)
        max_age = self._carrier.max_age(draft.state, now=now)
        if max_age is None and outcome is Outcome.EXTEND:
            return ()
        name, token = self._backend.token(draft)
        lines = self._carrier.issue(name, token, transport=transport, max_age=max_age, header=draft.header)
        if transport is not Transport.HTTPS and lines[0].attributes.secure and not self._warned_of_http:
            self._warned_of_http = True
            self._emit(SecureCookieOverHttp())
        return lines


def _stronger(before: Outcome | None, outcome: Outcome) -> Outcome:
    """Return what the cookie needs after both: of two new values or expiries the last, else the greater need."""
    if before is None or outcome in {Outcome.ISSUE, Outcome.EXPIRE}:
        return outcome
    return outcome if before is Outcome.NOTHING else before


def _too_late() -> SessionCommitted:
    return SessionCommitted(
        "the session was changed after the response's headers had gone out, and only a cookie could carry that change;"
        " change it before the body's first byte, or keep sessions on the server with store="
    )


# A session that is gone may be "written" as well: the writes are dropped, and it was said that they are.
_NOTHING_TO_END = (Origin.NONE, Origin.REJECTED, Origin.GONE, Origin.ENDED)
_LATE_ORIGINS = (Origin.LOADED, Origin.REPLACED)
_HAS_CONTENT = (Action.CREATE, Action.UPDATE, Action.MOVE, Action.TOUCH, Action.RESEAL)
_EVENTS: dict[Action, Event] = {
    Action.DELETE: SessionEnded(emptied=True),
    Action.TOUCH: SessionRefreshed(),
    Action.RESEAL: SessionRefreshed(),
}
