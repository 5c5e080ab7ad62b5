"""How long a session lives: what has run out, and what is due. Unix seconds in, answers out; no clock."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, Self

from cookiesess.errors import ConfigurationError

# A session from the future means a clock that was wrong or a forger with a leaked key; servers' clocks differ by less.
CLOCK_SKEW_SECONDS = 300


IDLE = "i"
"""Where a session's extras have its own idle timeout, in seconds."""


class Fixed(Protocol):
    """The times of a session that only a login changes."""

    @property
    def created_at(self) -> int:
        """When it began."""

    @property
    def ends_at(self) -> int | None:
        """The absolute deadline that was fixed then."""

    @property
    def authenticated_at(self) -> int | None:
        """When its owner logged in."""


class Times(Fixed, Protocol):
    """All times of a session, as `cookiesess.session.state.State` has them; Unix seconds."""

    @property
    def refreshed_at(self) -> int:
        """From when the idle timeout counts."""

    @property
    def extras(self) -> dict[str, Any]:
        """Settings of its own; under `IDLE` its own idle timeout in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """Timeouts, enforced by the server whatever the browser keeps (OWASP ASVS 5.0 section 7.3).

    Args:
        idle: A session that no request touched for this long has ended. Default 14 days.
        absolute: A session ends this long after its creation or last ``login()``, however busy it is. Default 30 days.
            None: never, for as long as it is used; a stolen session then lives as long as its thief wants.
        refresh_after: How much of `idle` may pass before a request that only reads writes the new deadline. It bounds
            the writes and may cut the idle timeout short by as much, never prolong it. Default a tenth of `idle`.
        renew_grace: After ``renew()`` the old ID still leads to the session for this long, so that parallel requests
            are not logged out. Default 10 seconds; 0 switches it off. Server-side only.

    Raises:
        ConfigurationError: A duration that is not positive, or longer than the one that bounds it.
    """

    idle: timedelta = timedelta(days=14)
    absolute: timedelta | None = timedelta(days=30)
    refresh_after: timedelta | None = None
    renew_grace: timedelta = timedelta(seconds=10)
    idle_seconds: int = field(init=False, repr=False)
    absolute_seconds: int | None = field(init=False, repr=False)
    refresh_seconds: int = field(init=False, repr=False)
    grace_seconds: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        idle = whole_seconds("idle", self.idle, least=1)
        absolute = None if self.absolute is None else whole_seconds("absolute", self.absolute, least=1)
        refresh = idle // 10 if self.refresh_after is None else whole_seconds("refresh_after", self.refresh_after)
        if absolute is not None and idle > absolute:
            raise ConfigurationError(
                f"idle ({self.idle}) is longer than absolute ({self.absolute}); shorten idle or lengthen absolute"
            )
        if refresh >= idle:
            raise ConfigurationError(f"refresh_after ({self.refresh_after}) must be shorter than idle ({self.idle})")
        for name, value in (("idle", idle), ("absolute", absolute), ("refresh", refresh)):
            object.__setattr__(self, f"{name}_seconds", value)
        object.__setattr__(self, "grace_seconds", whole_seconds("renew_grace", self.renew_grace))

    @classmethod
    def aal1(cls) -> Self:
        """NIST SP 800-63B-4 section 2.1.3, low assurance: 30 days in all, no idle timeout of its own."""
        return cls(idle=timedelta(days=30), absolute=timedelta(days=30))

    @classmethod
    def aal2(cls) -> Self:
        """NIST SP 800-63B-4 section 2.2.3: 24 hours in all, 1 hour idle."""
        return cls(idle=timedelta(hours=1), absolute=timedelta(hours=24))

    @classmethod
    def aal3(cls) -> Self:
        """NIST SP 800-63B-4 section 2.3.3: 12 hours in all, 15 minutes idle."""
        return cls(idle=timedelta(minutes=15), absolute=timedelta(hours=12))

    def ends_at(self, start: int) -> int | None:
        """Return the absolute deadline of a session that was created, or logged in, at `start`."""
        return None if self.absolute_seconds is None else start + self.absolute_seconds

    def absolute_deadline(self, times: Fixed) -> int | None:
        """Return the absolute deadline: what was fixed at creation or login, or what today's setting allows if less."""
        fixed_at = times.ends_at
        if self.absolute_seconds is None:
            return fixed_at
        start = times.authenticated_at or times.created_at
        today_at = start + self.absolute_seconds
        return today_at if fixed_at is None or today_at < fixed_at else fixed_at

    def deadlines(self, times: Times) -> tuple[int, int | None]:
        """Return when the session ends if nobody touches it again, and when it ends however busy it is."""
        # One call on each request, so `absolute_deadline` is spelled out here.
        own_idle = times.extras.get(IDLE) if times.extras else None
        absolute_at = times.ends_at
        if self.absolute_seconds is not None:
            today_at = (times.authenticated_at or times.created_at) + self.absolute_seconds
            if absolute_at is None or today_at < absolute_at:
                absolute_at = today_at
        return times.refreshed_at + (own_idle or self.idle_seconds), absolute_at

    def deadline(self, times: Times) -> int:
        """Return the nearer of the two."""
        idle_at, absolute_at = self.deadlines(times)
        return idle_at if absolute_at is None else min(idle_at, absolute_at)

    def expired(self, times: Times, *, now: int) -> str | None:
        """Return which deadline has passed, ``"idle"`` or ``"absolute"``, or None while the session lives."""
        idle_at, absolute_at = self.deadlines(times)
        if now >= idle_at:
            return "idle"
        return None if absolute_at is None or now < absolute_at else "absolute"

    def refresh_due(self, times: Times, *, now: int) -> bool:
        """Whether enough time has passed for a new idle deadline to be worth a write."""
        own_idle = times.extras.get(IDLE) if times.extras else None
        after = self.refresh_seconds if own_idle is None else min(self.refresh_seconds, own_idle // 10)
        return now - times.refreshed_at >= after


def whole_seconds(name: str, duration: timedelta, *, least: int = 0) -> int:
    """Return `duration` in whole seconds, the rest cut off.

    Raises:
        ConfigurationError: Not a timedelta, or shorter than `least` seconds.
    """
    if not isinstance(duration, timedelta):
        raise ConfigurationError(f"{name} is a timedelta, not {duration!r}; write timedelta(seconds=…)")
    if duration < timedelta(seconds=least):
        raise ConfigurationError(f"{name} ({duration}) must be at least {least} s")
    return duration // timedelta(seconds=1)
