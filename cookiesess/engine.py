"""From a Cookie header to a draft, from a draft to Set-Cookie lines: what `Session` and `SessionManager` stand on."""

from collections.abc import Callable

from cookiesess.backends.base import NOTHING, Backend, Outcome
from cookiesess.cookies import SetCookie, check_size
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
        self._codec = codec
        self._emit = emit
        self._clock = clock
        self.random_bytes = random_bytes
        self._warned_of_http = False

    def now(self) -> int:
        """The manager's clock, in whole seconds."""
        return int(self._clock())

    def load(self, source: str) -> Draft:
        """Open what a Cookie header carries."""
        return self._backend.load(source, now=self.now())

    def save(self, draft: Draft) -> None:
        """Check that the cookie would fit, and write what can be written now."""
        self._cookies(self._backend.save(draft, now=self.now()), draft, Transport.HTTPS)

    def end(self, draft: Draft) -> None:
        """End the session at once."""
        if draft.origin is Origin.LOADED:
            self._backend.end(draft, now=self.now())
            self._emit(SessionEnded(emptied=False))

    def touched_late(self, draft: Draft) -> None:
        """The headers are out: caches were not told that the response depends on the cookie."""
        self._emit(TouchedLate())
        self._restrict(draft)

    def commit(self, draft: Draft, transport: Callable[[], Transport]) -> tuple[SetCookie, ...]:
        """Decide, do it, and return the session's Set-Cookie lines: none or one.

        Raises:
            CookieTooLarge: Nothing has been sent yet.
            NotSerializable: The same.
        """
        now = self.now()
        action = self._decide(draft, now)
        if action is Action.NOTHING:
            return ()
        outcome = self._backend.apply(action, draft, now=now)
        lines = () if outcome is NOTHING else self._cookies(outcome, draft, transport())
        self._announce(action, draft)
        return lines

    def settle(self, draft: Draft) -> None:
        """The headers have gone out and the body follows: go on from what was committed, as far as that is possible."""
        if draft.origin is Origin.LOADED or not draft.state.empty:
            draft.settle()
        self._restrict(draft)

    def close(self, draft: Draft) -> None:
        """The body is done: save what was changed since `settle`.

        Raises:
            SessionCommitted: A nested value was changed that only a cookie could have carried.
        """
        if not draft.modified:
            return
        if draft.refusal is not None:
            raise draft.refusal()
        self._backend.apply(Action.DELETE if draft.state.empty else Action.UPDATE, draft, now=self.now())

    def _decide(self, draft: Draft, now: int) -> Action:
        loaded = draft.origin is Origin.LOADED
        return decide(
            draft.origin,
            empty=draft.state.empty,
            modified=loaded and draft.modified,
            renewed=draft.renewed,
            refresh_due=loaded and self.lifetime.refresh_due(draft.state, now=now),
            stale_key=draft.stale_key,
        )

    def _cookies(self, outcome: Outcome, draft: Draft, transport: Transport) -> tuple[SetCookie, ...]:
        if outcome.expire:
            return (self._policy.expire(transport=transport),)
        if outcome.token is None:
            return ()
        own = draft.state.extras.get(PERSISTENT)
        max_age = None
        if self._policy.persistent if own is None else own:
            max_age = max(self.lifetime.deadline(draft.state) - self.now(), 0)
        cookie = self._policy.issue(outcome.token, transport=transport, max_age=max_age)
        try:
            check_size(cookie)
        except CookieTooLarge as error:
            raise self._too_large(error, draft) from None
        if transport is not Transport.HTTPS and cookie.attributes.secure and not self._warned_of_http:
            self._warned_of_http = True
            self._emit(SecureCookieOverHttp())
        return (cookie,)

    def _too_large(self, error: CookieTooLarge, draft: Draft) -> CookieTooLarge:
        sizes = ((key, len(self._codec.pack(value))) for key, value in draft.data.data.items())
        largest = sorted(sizes, key=lambda item: -item[1])[:_NAMED_KEYS]
        return CookieTooLarge(
            error.name, size_bytes=error.size_bytes, limit_bytes=error.limit_bytes, largest_keys=largest
        )

    def _announce(self, action: Action, draft: Draft) -> None:
        event = _EVENTS.get(action)
        if event is not None:
            self._emit(event)
        elif action is Action.MOVE:
            self._emit(SessionRenewed(login=draft.logged_in))

    def _restrict(self, draft: Draft) -> None:
        draft.cookie_refusal = _committed
        if not (self._backend.late_writes and draft.origin is Origin.LOADED):
            draft.refusal = draft.refusal or _committed


def _committed() -> SessionCommitted:
    return SessionCommitted(
        "the session was changed after the response's headers had gone out, and only a cookie could carry that change;"
        " change it before the body's first byte, or keep sessions on the server with store="
    )


_EVENTS: dict[Action, Event] = {
    Action.CREATE: SessionCreated(),
    Action.DELETE: SessionEnded(emptied=True),
    Action.TOUCH: SessionRefreshed(),
    Action.RESEAL: SessionRefreshed(),
}
