"""A session in the hands of one request: what was loaded, what became of it, and where it came from."""

from collections.abc import Callable
from typing import Any

from cookiesess.changes import Tracked
from cookiesess.lifetime import Lifetime
from cookiesess.state import CSRF, Origin, State
from cookiesess.values import ValueCodec

Refusal = Callable[[], Exception]


class Draft:
    """The working copy between `SessionManager.open` and `commit`.

    Attributes:
        origin: Where it came from.
        state: Its content; `state.data` and `state.extras` are changed through `data` and `extras`.
        data: The app's values, tracked.
        handle: What the backend needs to find again what it loaded; its own business.
        stale_key: True where it was opened by a key that is accepted but no longer current.
        renewed: A new ID is wanted, by `login` or ``renew()``.
        logged_in: By `login`.
        refusal: Makes the error of every write, where writing is not possible (any more).
        cookie_refusal: The same for what needs a new cookie: `login` and ``renew()``.
    """

    __slots__ = (
        "_codec",
        "_extras",
        "cookie_refusal",
        "data",
        "handle",
        "logged_in",
        "origin",
        "refusal",
        "renewed",
        "stale_key",
        "state",
    )

    def __init__(
        self, origin: Origin, state: State, *, codec: ValueCodec, handle: Any = None, stale_key: bool = False
    ) -> None:
        self._codec = codec
        self.refusal: Refusal | None = None
        self.cookie_refusal: Refusal | None = None
        self.stale_key = stale_key
        self._become(origin, state, handle)

    def _become(self, origin: Origin, state: State, handle: Any) -> None:
        self.origin = origin
        self.state = state
        self.handle = handle
        self.data = Tracked(state.data, self._codec)
        self._extras: Tracked | None = None
        self.renewed = self.logged_in = False

    @property
    def extras(self) -> Tracked:
        """Flashes, CSRF secret and settings; tracked once they are looked at, which few requests do."""
        if self._extras is None:
            self._extras = Tracked(self.state.extras, self._codec)
        return self._extras

    @property
    def modified(self) -> bool:
        """Whether anything differs from what was loaded."""
        return self.logged_in or self.data.modified or (self._extras is not None and self._extras.modified)

    def login(self, owner: str, *, now: int, lifetime: Lifetime) -> None:
        """Make it `owner`'s. What belonged to another owner must not be shown to this one, so it is dropped."""
        state = self.state
        if state.owner not in {None, owner}:
            for tracked in (self.data, self.extras):
                for key in list(tracked.data):
                    tracked.remove(key)
        elif CSRF in state.extras:
            # A token from before the login was seen by whoever could see the page then.
            self.extras.remove(CSRF)
        state.owner = owner
        state.authenticated_at = now
        state.ends_at = lifetime.ends_at(now)
        self.renewed = self.logged_in = True

    def settle(self) -> None:
        """Take the present content as what was loaded: it has been written."""
        self.origin = Origin.LOADED
        self.stale_key = self.renewed = self.logged_in = False
        self.data.settle()
        self.extras.settle()

    def restart(self, *, now: int, lifetime: Lifetime) -> None:
        """Become an empty session, as after ``invalidate()``; remember that a loaded one was ended."""
        origin = Origin.ENDED if self.origin is Origin.LOADED else self.origin
        self._become(origin, fresh(now=now, lifetime=lifetime), None)


def fresh(*, now: int, lifetime: Lifetime) -> State:
    """Return the empty state of a session that begins now."""
    return State(created_at=now, refreshed_at=now, ends_at=lifetime.ends_at(now))
