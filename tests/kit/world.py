"""A manager with all that a test looks at beside it: its stores, its clock, its events."""

from __future__ import annotations

from typing import Any

from cookiesess import Keyring, SessionManager
from cookiesess.events import Event
from cookiesess.stores.base import Store
from cookiesess.testing import ManualClock
from kit.browser import Browser
from kit.constants import KEY, LIFETIME, OTHER_KEY
from kit.probe import Probe, watched
from kit.views import View, every, login, put


class World:
    """Stores that can be watched, a clock, the events, and a manager in front of it all.

    Nobody waits for anything: `pauses` has the seconds that requests would have waited between two tries.

    The manager keeps sessions in `store` where there is one, and in cookies otherwise. `with_overflow`,
    `with_revocations` and `with_both` have it use the other two stores, which are in memory unless given.

    Args:
        store: For server-side sessions; as `probe` it can be watched.
        overflow: What `with_overflow` turns on.
        revocations: What `with_revocations` turns on.
        clock: Another world's, by default a new one.
        settings: Of the manager, and of those that follow it.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        overflow: Store | None = None,
        revocations: Store | None = None,
        clock: ManualClock | None = None,
        **settings: Any,
    ) -> None:
        self.probe, self.overflow, self.revocations = map(watched, (store, overflow, revocations))
        self.clock = clock or ManualClock()
        self.events: list[Event] = []
        self.pauses: list[float] = []
        self.settings: dict[str, Any] = {"lifetime": LIFETIME, **settings}
        if store is not None:
            self.settings["store"] = self.probe
        self.manager = self.make_manager()

    @property
    def now(self) -> int:
        """The Unix second."""
        return int(self.clock())

    @property
    def probes(self) -> tuple[Probe, ...]:
        """The stores beside the cookies: for overflow and for revocations."""
        return self.overflow, self.revocations

    def make_manager(self, keys: Any = KEY, **settings: Any) -> SessionManager:
        """A manager of other settings in this world, beside the one it has."""
        common: dict[str, Any] = {"clock": self.clock, "on_event": self.events.append, "sleep": self.pauses.append}
        common |= self.settings
        return SessionManager(keys, **{**common, **settings})

    def use(self, keys: Any = KEY, **settings: Any) -> SessionManager:
        """Go on with a manager of other settings."""
        self.manager = self.make_manager(keys, **settings)
        return self.manager

    def with_overflow(self, **settings: Any) -> World:
        """Go on with overflow, here and in all managers to come."""
        return self._with(overflow=self.overflow, **settings)

    def with_revocations(self, **settings: Any) -> World:
        """Go on with revocations, here and in all managers to come."""
        return self._with(revocations=self.revocations, **settings)

    def with_both(self, **settings: Any) -> World:
        """Go on with overflow and revocations, here and in all managers to come."""
        return self._with(overflow=self.overflow, revocations=self.revocations, **settings)

    def _with(self, **settings: Any) -> World:
        self.settings |= settings
        self.use()
        return self

    def browser(self, *views: View, header: str = "") -> Browser:
        """A browser that has made one request for each of `views`; what these called and emitted is forgotten."""
        browser = Browser(self, header)
        for view in views:
            browser.visit(view)
        self.forget()
        return browser

    def forget(self) -> None:
        """Forget the calls and the events so far."""
        for probe in (self.probe, *self.probes):
            probe.taken()
        self.events.clear()

    def taken_events(self) -> list[Event]:
        """The events since this was asked last."""
        events = self.events[:]
        self.events.clear()
        return events

    def taken_names(self) -> list[str]:
        """The same by name."""
        return [event.name for event in self.taken_events()]


def signed_in(world: World, count: int = 1, owner: str = "ann") -> list[Browser]:
    """So many browsers of one owner."""
    return [world.browser(every(login(owner), put("a", 1))) for _ in range(count)]


def rotated() -> Keyring:
    """The ring after a rotation: another key is current, the first one still accepted."""
    return Keyring(OTHER_KEY, accepted=[KEY])
