"""The timeouts: whether a session has timed out, and whether it needs a new idle deadline. Time is an argument."""

from copy import copy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, Self

from cookiesess.errors import ConfigurationError

# A session from the future means a clock that was wrong or a forger with a leaked key; servers' clocks differ by less.
CLOCK_SKEW_SECONDS = 300


IDLE, ABSOLUTE, NAMED_AT = "i", "a", "n"
"""Where a session's extras have timeouts of its own, in seconds, and when its ID was given, in Unix seconds."""


class Fixed(Protocol):
    """The times of a session that only a login changes."""

    @property
    def created_at(self) -> int:
        """When it began."""

    @property
    def ends_at(self) -> int | None:
        """The latest end that any copy of it was given: what `Lifetime.absolute` said then, or its own timeout says."""

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
        """Settings of its own; under `IDLE` and `ABSOLUTE` its own timeouts in seconds."""


# The requests of one page come within this; longer would only help whoever has a copy of the old ID.
_RENEW_GRACE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """Timeouts. The server enforces them, whatever cookies the browser keeps (OWASP ASVS 5.0 section 7.3).

    Args:
        idle: A session ends when no request has touched it for this long. Default 14 days.
        absolute: A session ends this long after its creation or last ``login()``, however busy it is. Default 30 days.
            None: a session never ends while it is used; a thief can then keep a stolen session for ever.
        refresh_after: A session that is only read gets a new idle deadline at most once in this time, so that not every
            read has to write. A session may therefore end early by as much, but never late. Default a tenth of `idle`.
        renew_after: How old a session's ID may get. The next request that touches the session then gives it a new ID
            (OWASP: periodic renewal). At least `refresh_after`. Default None: no periodic renewal. For ``store=``
            or ``revocations=``; without either, the cookie changes with each write anyway.
        renew_grace: How long the old ID still leads to the session after such a periodic renewal, so that the other
            requests of the same page stay logged in. Default 10 seconds; 0 switches it off. The clocks of your servers
            must agree to within this time. (After ``renew()`` and ``login()`` the old ID is dead at once.)

    Raises:
        ConfigurationError: A duration is not positive, or longer than the one that bounds it.
    """

    idle: timedelta = timedelta(days=14)
    absolute: timedelta | None = timedelta(days=30)
    refresh_after: timedelta | None = None
    renew_after: timedelta | None = None
    renew_grace: timedelta | None = None
    idle_seconds: int = field(init=False, repr=False)
    absolute_seconds: int | None = field(init=False, repr=False)
    refresh_seconds: int = field(init=False, repr=False)
    renew_seconds: int | None = field(init=False, repr=False)
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
        renew, grace = self._renewals(refresh)
        names = {"idle": idle, "absolute": absolute, "refresh": refresh, "renew": renew, "grace": grace}
        for name, value in names.items():
            object.__setattr__(self, f"{name}_seconds", value)

    def _renewals(self, refresh: int) -> tuple[int | None, int]:
        """Return after how many seconds an ID is renewed, and for how many more the old one is let in."""
        if self.renew_after is None:
            if self.renew_grace is not None:
                raise ConfigurationError(
                    f"renew_grace ({self.renew_grace}) is about renew_after, which is not set; give renew_after= as"
                    " well, or leave renew_grace out (after renew() and login() the old ID is dead at once)"
                )
            return None, 0
        renew = whole_seconds("renew_after", self.renew_after, least=1)
        if renew < refresh:
            raise ConfigurationError(
                f"renew_after ({self.renew_after}) is shorter than the {refresh} s between two refreshes; lengthen it,"
                " or shorten refresh_after"
            )
        grace = _RENEW_GRACE if self.renew_grace is None else self.renew_grace
        return renew, whole_seconds("renew_grace", grace)

    def with_grace(self, seconds: int) -> Self:
        """Return the same timeouts with a grace of at least so many seconds after a periodic renewal."""
        other = copy(self)
        object.__setattr__(other, "grace_seconds", max(seconds, self.grace_seconds))
        return other

    @classmethod
    def aal1(cls) -> Self:
        """The limits of NIST SP 800-63B-4 section 2.1.3, low assurance: 30 days in all, no further idle timeout."""
        return cls(idle=timedelta(days=30), absolute=timedelta(days=30))

    @classmethod
    def aal2(cls) -> Self:
        """The limits of NIST SP 800-63B-4 section 2.2.3: 24 hours in all, 1 hour idle."""
        return cls(idle=timedelta(hours=1), absolute=timedelta(hours=24))

    @classmethod
    def aal3(cls) -> Self:
        """The limits of NIST SP 800-63B-4 section 2.3.3: 12 hours in all, 15 minutes idle."""
        return cls(idle=timedelta(minutes=15), absolute=timedelta(hours=12))

    def ends_at(self, start: int) -> int | None:
        """Return the absolute deadline of a session that was created, or logged in, at `start`."""
        return None if self.absolute_seconds is None else start + self.absolute_seconds

    def absolute_deadline(self, times: Fixed, *, own_seconds: int | None = None) -> int | None:
        """Return the absolute deadline: what was fixed at creation or login, or what today's setting allows if less.

        Args:
            times: The session's.
            own_seconds: Its own absolute timeout, which takes the place of both; None: it has none.
        """
        if own_seconds is not None:
            return (times.authenticated_at or times.created_at) + own_seconds
        fixed_at = times.ends_at
        if self.absolute_seconds is None:
            return fixed_at
        start = times.authenticated_at or times.created_at
        today_at = start + self.absolute_seconds
        return today_at if fixed_at is None or today_at < fixed_at else fixed_at

    def remembered_until(self, times: Times) -> int | None:
        """Return until when a copy of the session, an older one too, may go on; None: for as long as it is used."""
        absolute_at = self.deadlines(times)[1]
        return absolute_at if absolute_at is None or times.ends_at is None else max(absolute_at, times.ends_at)

    def deadlines(self, times: Times) -> tuple[int, int | None]:
        """Return when the session ends if nobody touches it again, and when it ends however busy it is."""
        # One call on each request, so `absolute_deadline` is spelled out here. (Its callers hand on the later one of
        # this and `ends_at` as what must be remembered.)
        extras, absolute_at = times.extras, times.ends_at
        own_idle = extras.get(IDLE) if extras else None
        if extras and ABSOLUTE in extras:
            absolute_at = (times.authenticated_at or times.created_at) + extras[ABSOLUTE]
        elif self.absolute_seconds is not None:
            today_at = (times.authenticated_at or times.created_at) + self.absolute_seconds
            if absolute_at is None or today_at < absolute_at:
                absolute_at = today_at
        return times.refreshed_at + (own_idle or self.idle_seconds), absolute_at

    def idle_of(self, times: Times) -> int:
        """Return a session's idle timeout in seconds: its own, or this one."""
        seconds: int = times.extras.get(IDLE) or self.idle_seconds
        return seconds

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

    def renewal_due(self, times: Times, *, now: int) -> bool:
        """Whether a session's ID is so old that it is to get a new one."""
        return self.renew_seconds is not None and now - _named_at(times) >= self.renew_seconds

    def refresh_due(self, times: Times, *, now: int) -> bool:
        """Whether enough time has passed for a new idle deadline to be worth a write."""
        own_idle = times.extras.get(IDLE) if times.extras else None
        after = self.refresh_seconds if own_idle is None else min(self.refresh_seconds, own_idle // 10)
        return now - times.refreshed_at >= after


def _named_at(times: Times) -> int:
    """Return when a session got its present ID: at its creation, at a login, or at a renewal that noted it."""
    noted_at = times.extras.get(NAMED_AT, 0) if times.extras else 0
    return max(noted_at, times.authenticated_at or 0, times.created_at)


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
