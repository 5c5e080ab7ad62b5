"""From a Cookie header to a draft, from a draft to Set-Cookie lines: what `Session` and `SessionManager` stand on."""

from collections.abc import Callable

from cookiesess.backends.base import Backend, Outcome
from cookiesess.cookies import MAX_LINE_BYTES, SetCookie
from cookiesess.decision import Action, decide
from cookiesess.draft import Draft
from cookiesess.errors import CookieTooLarge, SessionCommitted
from cookiesess.events import (
    Emitter,
    Event,
    SecureCookieOverHttp,
    SessionCreated,
    SessionEnded,
    SessionRefreshed,
    SessionRenewed,
    TouchedLate,
)
from cookiesess.lifetime import Lifetime
from cookiesess.policy import CookiePolicy, Transport
from cookiesess.session import Stage
from cookiesess.state import PERSISTENT, Origin
from cookiesess.values import ValueCodec

# How many of a session's keys an error about its size names: enough to find the culprit, few enough to read.
_NAMED_KEYS = 5


class Engine:
    """One backend under one cookie policy; meets `cookiesess.session.SessionContext`. Thread-safe."""

    def __init__(
        self,
        *,
        backend: Backend,
        policy: CookiePolicy,
        lifetime: Lifetime,
        codec: ValueCodec,
        emit: Emitter,
        clock: Callable[[], float],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._backend = backend
        self._policy = policy
        self.lifetime = lifetime
        self.codec = codec
        self._emit = emit
        self._clock = clock
        self.random_bytes = random_bytes
        self._warned_of_http = False

    def now(self) -> int:
        """The manager's clock, in whole seconds."""
        return int(self._clock())

    def load(self, source: str) -> Draft:
        """Open what a Cookie header carries."""
        return self._backend.load(source, now=int(self._clock()))

    def save(self, draft: Draft) -> None:
        """Check that the cookie would fit, and write what can be written now."""
        now = self.now()
        action = self._decide(draft, now)
        if not self._backend.late_writes:
            if action in _HAS_CONTENT:
                self._lines(Outcome.ISSUE, draft, Transport.HTTPS)
            return
        event = self._event(action, draft)
        outcome = self._apply(action, draft, now)
        draft.outcome = draft.outcome if draft.outcome and outcome in _NO_NEW_VALUE else outcome
        self._settle(draft, now)
        self._announce(event, outcome)

    def end(self, draft: Draft) -> None:
        """End the session at once."""
        if draft.origin is Origin.LOADED:
            self._backend.end(draft, now=self.now())
            self._emit(SessionEnded(emptied=False))

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
            event = self._event(action, draft)
            outcome = self._apply(action, draft, now)
        if draft.outcome is not None and outcome in _NO_NEW_VALUE:
            outcome = draft.outcome  # what save() has written, the cookie does not know yet
        lines = () if outcome is Outcome.NOTHING else self._lines(outcome, draft, transport())
        self._announce(event, outcome)
        draft.refusal = draft.refusal or _too_late
        return lines

    def admit(self, owner: str, draft: Draft) -> None:
        """Raise `TooManySessions` where `owner` may not log in to one more session."""
        self._backend.admit(owner, draft, now=self.now())

    def settle(self, draft: Draft) -> None:
        """The headers have gone out and the body follows: go on from what was committed, as far as that is possible."""
        self._settle(draft, self.now())
        self._allow_late(draft)

    def close(self, draft: Draft) -> None:
        """The body is done: save what was changed since `settle`.

        Raises:
            SessionCommitted: A nested value was changed that only a cookie could have carried.
        """
        if draft.refusal is None:
            now = self.now()
            action = self._decide(draft, now)
            self._announce(self._event(action, draft), self._apply(action, draft, now))
        elif draft.modified:
            raise draft.refusal()

    def _settle(self, draft: Draft, now: int) -> None:
        """Take what was written, or dropped, as what was loaded."""
        if draft.written is Action.DELETE:
            draft.restart(now=now, lifetime=self.lifetime)
        else:
            draft.settle(written=draft.written is not None and draft.origin is not Origin.REPLACED)
        draft.written = None

    def _allow_late(self, draft: Draft) -> None:
        """Let a session that exists be written while the body is produced, where that needs no cookie."""
        draft.cookie_refusal = _too_late
        if draft.refusal is _too_late and self._backend.late_writes and draft.origin is Origin.LOADED:
            draft.refusal = None

    def key_of(self, draft: Draft) -> bytes | None:
        """Return the store's key of the session, or None where it has none."""
        return None if draft.handle is None else bytes(draft.handle.key)

    def _decide(self, draft: Draft, now: int) -> Action:
        modified = draft.modified
        return decide(
            draft.origin,
            empty=draft.state.empty,
            modified=modified,
            renewed=draft.renewed,
            refresh_due=not modified and self.lifetime.refresh_due(draft.state, now=now),
            stale_key=draft.stale_key,
        )

    def _apply(self, action: Action, draft: Draft, now: int) -> Outcome:
        outcome = self._backend.apply(action, draft, now=now)
        if outcome is not Outcome.NOTHING or action in _HAS_CONTENT:
            draft.written = action
        return outcome

    def _event(self, action: Action, draft: Draft) -> Event | None:
        return SessionRenewed(login=draft.logged_in) if action is Action.MOVE else _EVENTS.get(action)

    def _announce(self, event: Event | None, outcome: Outcome) -> None:
        """Emit what was done, after nothing can keep it from being sent any more."""
        if event is not None and outcome is not Outcome.NOTHING:
            self._emit(event)

    def _lines(self, outcome: Outcome, draft: Draft, transport: Transport) -> tuple[SetCookie, ...]:
        """Return the session's Set-Cookie lines; a browser must never be the first to notice that one is too long."""
        if outcome is Outcome.EXPIRE:
            return (self._policy.expire(transport=transport),)
        max_age = None
        own = draft.state.extras.get(PERSISTENT)
        if self._policy.persistent if own is None else own:
            max_age = max(self.lifetime.deadline(draft.state) - self.now(), 0)
        elif outcome is Outcome.EXTEND:
            return ()
        cookie = self._policy.issue(self._backend.token(draft), transport=transport, max_age=max_age)
        if cookie.size_bytes > MAX_LINE_BYTES:
            raise self._too_large(cookie, draft)
        if transport is not Transport.HTTPS and cookie.attributes.secure and not self._warned_of_http:
            self._warned_of_http = True
            self._emit(SecureCookieOverHttp())
        return (cookie,)

    def _too_large(self, cookie: SetCookie, draft: Draft) -> CookieTooLarge:
        sizes = ((key, len(self.codec.pack(value))) for key, value in draft.data.data.items())
        largest = sorted(sizes, key=lambda item: -item[1])[:_NAMED_KEYS]
        return CookieTooLarge(
            cookie.name, size_bytes=cookie.size_bytes, limit_bytes=MAX_LINE_BYTES, largest_keys=largest
        )


def _too_late() -> SessionCommitted:
    return SessionCommitted(
        "the session was changed after the response's headers had gone out, and only a cookie could carry that change;"
        " change it before the body's first byte, or keep sessions on the server with store="
    )


_NO_NEW_VALUE = (Outcome.NOTHING, Outcome.EXTEND)
_HAS_CONTENT = (Action.CREATE, Action.UPDATE, Action.MOVE, Action.TOUCH, Action.RESEAL)
_EVENTS: dict[Action, Event] = {
    Action.CREATE: SessionCreated(),
    Action.DELETE: SessionEnded(emptied=True),
    Action.TOUCH: SessionRefreshed(),
    Action.RESEAL: SessionRefreshed(),
}
