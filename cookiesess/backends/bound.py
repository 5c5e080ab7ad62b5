"""Sessions that are bound to devices: a backend in front of another one, which asks for the bound cookie.

A session whose binding is in effect, and that comes without a valid bound cookie, is *unbound*. Whoever sends it may be
a thief, or its owner whose browser could not prove itself for a moment, and nobody can tell. So it reads as empty, what
is written is dropped, and nothing of it is ended or closed: neither by a logout nor by a login, which makes a session
of its own. With the next proof the owner has it back.

That holds for each session that the request's cookies hold: one that is not proven is no twin that a login would close.
"""

from collections.abc import Callable
from typing import cast

from cookiesess.backends.base import Backend, Beginnings
from cookiesess.errors import StoreUnavailable
from cookiesess.events import SessionUnbound, StoreFailed
from cookiesess.http.arrival import Arrival
from cookiesess.http.binding import BoundCookies, skipped_reason
from cookiesess.http.headers import SetCookie
from cookiesess.session.binding import GRACE_SECONDS, Binding
from cookiesess.session.closing import Closed, How, derived_csrf
from cookiesess.session.decision import Action
from cookiesess.session.effect import binding_of, takes_effect_alone
from cookiesess.session.state import Origin, fresh
from cookiesess.session.steps import HAS_CONTENT, NOTHING_DONE, Done, Line, Loaded, dropped
from cookiesess.session.working_copy import WorkingCopy

# Of how many bindings one process remembers that it has emitted `SessionUnbound`.
_MOST_SAID = 1000
_NEVER_BOUND = Binding(b"")


class BoundBackend:
    """Lets in a session that is bound to a device only with its bound cookie. Thread-safe.

    Args:
        inner: Has the sessions.
        cookies: Reads and makes the bound cookies.
        beginnings: Has what unbound sessions are made of.

    Attributes:
        inner: The same: what it loads is not asked for a proof.
        cookies: The same.
    """

    def __init__(self, inner: Backend, cookies: BoundCookies, *, beginnings: Beginnings) -> None:
        self.inner = inner
        self.cookies = cookies
        self._beginnings = beginnings
        self._said: set[tuple[bytes, str]] = set()
        self.writes_now: Callable[[WorkingCopy], bool] = inner.writes_now
        self.check: Callable[..., None] = inner.check
        self.end: Callable[..., bool] = inner.end
        self.record_key: Callable[..., bytes | None] = inner.record_key
        self.admit: Callable[..., None] = inner.admit

    # Loading

    def load(self, header: str, *, now: int) -> WorkingCopy:
        """Open what a Cookie header carries, and ask of what is bound whether the bound cookie came with it."""
        working = self.inner.load(header, now=now)
        loaded = working.loaded
        if loaded.twins:
            copies = [cast("WorkingCopy", twin) for twin in loaded.twins]
            working.note(
                twins=tuple(copy for copy in copies if self._proof(copy, header, now) or not self._wants(copy, now))
            )
        if loaded.origin is Origin.REPLACED and loaded.closed is not None and loaded.closed.bound:
            closed = Binding(loaded.closed.bound, at=loaded.closed.closed_at)
            proved = isinstance(self.cookies.shown(header, closed, now=now), Binding)
            return working if proved else self._unbound(working, closed, header, now)
        if not loaded.continued:
            return working
        proof = self._proof(working, header, now)
        if proof is not None:
            working.note(binding=proof)
            return working
        wanted = self._wants(working, now)
        return working if wanted is None else self._unbound(working, wanted, header, now)

    def _proof(self, working: WorkingCopy, header: str, now: int) -> Binding | None:
        """Return the binding of a session, with its key, where the request's bound cookie proves it."""
        binding = binding_of(working)
        shown = None if binding is None else self.cookies.shown(header, binding, now=now)
        return shown if isinstance(shown, Binding) else None

    def _wants(self, working: WorkingCopy, now: int) -> Binding | None:
        """Return the binding whose proof a session lacks that has shown none; None where it can do without."""
        binding = binding_of(working)
        if binding is not None and binding.at:
            return binding if now >= binding.at + GRACE_SECONDS else None
        return (binding or _NEVER_BOUND) if self._overdue(working, now) else None

    def _overdue(self, working: WorkingCopy, now: int) -> bool:
        """Whether a login's session should have been bound by now; another library's could not be."""
        settings, state = self.cookies.binding, working.state
        if not settings.required or state.owner is None:
            return False
        due_at = (state.authenticated_at or 0) + settings.registration_seconds
        return now >= due_at or working.loaded.origin is Origin.FOREIGN

    def _unbound(self, working: WorkingCopy, binding: Binding, header: str, now: int) -> WorkingCopy:
        """Return an empty copy for a session whose proof did not come."""
        loaded = working.loaded
        session_id = loaded.sid or b"" if loaded.located is None else loaded.located.session_id
        csrf = derived_csrf(session_id, whose=b" unbound") if session_id else None
        closed = Closed(How.LOGIN, 0, csrf)  # which leads nowhere
        unbound = Loaded(Origin.UNBOUND, header=header, opened=loaded.opened, closed=closed, binding=binding)
        return WorkingCopy(unbound, fresh(now=now, lifetime=self._beginnings.lifetime), self._beginnings.codec)

    # Writing

    def apply(self, action: Action, working: WorkingCopy, *, now: int) -> Done:
        """Do what was decided; that a binding takes effect is left for the next request where it cannot be written."""
        if working.loaded.origin is Origin.UNBOUND and action is Action.DROP:
            return dropped("unbound")
        alone = working.loaded.binding is not None and takes_effect_alone(working)
        try:
            done = self.inner.apply(action, working, now=now)
        except StoreUnavailable as error:
            if not alone:
                raise
            self._beginnings.emit(StoreFailed(str(error)))
            return NOTHING_DONE
        return NOTHING_DONE if alone and done.action is Action.DROP else done

    # What the response says

    def answer(self, working: WorkingCopy, arrival: Arrival, *, now: int) -> tuple[tuple[SetCookie, ...], str]:
        """Return the lines for the bound cookie, and the header that asks for a key; say that a session is unbound."""
        loaded = working.loaded
        if loaded.origin is Origin.UNBOUND and loaded.binding is not None:
            self._say(loaded.header, loaded.binding, arrival, now)
        lines: tuple[SetCookie, ...] = ()
        registers = ""
        if loaded.opened is None or working.done.line is Line.EXPIRE:
            lines = self.cookies.expiry(loaded.header, arrival)
        done = working.done
        if working.asked.registers and (done.line is Line.ISSUE or done.action in HAS_CONTENT):
            binding = binding_of(working)
            registers = "" if binding is None else self.cookies.registration(binding.binding_id, arrival, now=now)
        return lines, registers

    def _say(self, header: str, binding: Binding, arrival: Arrival, now: int) -> None:
        """Emit, once a binding and reason, that a session is unbound."""
        reason = "unregistered"
        if binding.at:
            reason = skipped_reason(arrival.skipped()) or str(self.cookies.shown(header, binding, now=now))
        if (binding.binding_id, reason) in self._said:
            return
        if len(self._said) >= _MOST_SAID:
            self._said.clear()
        self._said.add((binding.binding_id, reason))
        self._beginnings.emit(SessionUnbound(reason))
