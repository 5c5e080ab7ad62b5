"""What can be asked of a session: where it came from, whose it is, until when, and its settings of its own."""

from datetime import timedelta
from typing import Final

from cookiesess.errors import ConfigurationError, StoreUnavailable
from cookiesess.session.gate import Stage
from cookiesess.session.lifetime import ABSOLUTE, IDLE, whole_seconds
from cookiesess.session.mapping import LoadedMapping
from cookiesess.session.state import LABEL, PERSISTENT, Origin
from cookiesess.tokens.encoding import is_utf8

_OPEN, _UNAVAILABLE, _UNBOUND = Stage.OPEN, Origin.UNAVAILABLE, Origin.UNBOUND

# It is stored a second time, in the record's summary, which stores keep small.
LONGEST_LABEL: Final = 200


def check_label(value: str | None) -> None:
    """Raise ValueError unless `value` can be a session's label."""
    if value is not None and (type(value) is not str or len(value) > LONGEST_LABEL or not is_utf8(value)):
        raise ValueError(f"a label is text of at most {LONGEST_LABEL} characters, or None")


class SessionProperties(LoadedMapping):
    """What of a `Session` is neither a dict nor a verb of a login."""

    __slots__ = ()

    # What it is

    @property
    def touched(self) -> bool:
        """Whether anything of the session was looked at in this request."""
        return self._working is not None

    @property
    def origin(self) -> Origin:
        """Where it came from."""
        return (self._working or self._load()).loaded.origin

    @property
    def renewed(self) -> bool:
        """Whether `login` or `renew` was called in this request, so that the session is to get a new ID."""
        return (self._working or self._load()).asked.how is not None

    @property
    def refreshes(self) -> bool:
        """Whether it is written even if nothing changes: after `refresh`, or as it moves out of another's store."""
        return (self._working or self._load()).asked.refresh

    @property
    def closed(self) -> bool:
        """True once the response's headers have gone out, or the app has failed."""
        return self._stage is not _OPEN

    @property
    def is_new(self) -> bool:
        """True if the request brought no session that still lives, or has ended the one that it brought."""
        return not (self._working or self._load()).loaded.continued

    @property
    def available(self) -> bool:
        """False while the store is down. Always True if sessions travel in their cookies."""
        try:
            return (self._working or self._load()).loaded.origin is not _UNAVAILABLE
        except StoreUnavailable:
            return False

    @property
    def modified(self) -> bool:
        """Whether the session differs from what was loaded, nested values included."""
        return (self._working or self._load()).modified

    @property
    def created_at(self) -> int:
        """When the session began, in Unix seconds."""
        return (self._working or self._load()).state.created_at

    @property
    def refreshed_at(self) -> int:
        """When the session was last written or refreshed, in Unix seconds; the idle timeout counts from then."""
        return (self._working or self._load()).state.refreshed_at

    @property
    def authenticated_at(self) -> int | None:
        """When `login` was last called, in Unix seconds, or None."""
        return (self._working or self._load()).state.authenticated_at

    @property
    def expires_at(self) -> int:
        """When the session ends if no request uses it again, in Unix seconds: the nearer of its two deadlines.

        This request itself may still put off the idle deadline, when it is answered.
        """
        return self._context.lifetime.deadline((self._working or self._load()).state)

    @property
    def bound(self) -> bool:
        """Whether this request has proved that it comes from the device that the session is bound to.

        False without the setting ``binding=``, in browsers that do not know it, and for the requests that are let in
        without the proof: until the browser has brought its key, and for ten seconds more.
        """
        loaded = (self._working or self._load()).loaded
        return loaded.binding is not None and loaded.origin is not _UNBOUND

    def authenticated_within(self, duration: timedelta, *, bound: bool = False) -> bool:
        """Whether the user has logged in at most `duration` ago: for what needs a recent password ("sudo mode").

        Args:
            duration: Longer than 0.
            bound: Ask for `bound` as well. Browsers that cannot bind a session never pass then.

        Returns:
            False where nobody is logged in.

        Raises:
            ConfigurationError: `duration` is no timedelta, or shorter than a second.
        """
        seconds = whole_seconds("duration", duration, least=1)
        state = (self._working or self._load()).state
        if state.owner is None or state.authenticated_at is None or (bound and not self.bound):
            return False
        return int(self._context.clock()) - state.authenticated_at <= seconds

    @property
    def _logged_out(self) -> bool:
        """Whether somebody has logged out in this request, and nobody has logged in since; for the manager."""
        return (self._working or self._load()).logged_out

    @property
    def owner(self) -> str | None:
        """The user who is logged in, as given to `login`; None if nobody is. Only `login` sets it."""
        return (self._working or self._load()).state.owner

    # Settings of this session alone

    @property
    def persistent(self) -> bool | None:
        """Whether the cookie outlives the browser window; None: as `CookiePolicy.persistent` says. Settable.

        Raises:
            ValueError: On setting anything but True, False and None.
        """
        value: bool | None = (self._working or self._load()).state.extras.get(PERSISTENT)
        return value

    @persistent.setter
    def persistent(self, value: bool | None) -> None:
        if value is not None and type(value) is not bool:
            raise ValueError(f"persistent is True, False or None, not of type {type(value).__name__}")
        self._set_extra(PERSISTENT, value)

    @property
    def idle(self) -> timedelta | None:
        """This session's own idle timeout; None: as `Lifetime.idle` says. Settable; the absolute timeout still holds.

        Raises:
            ConfigurationError: On setting less than a second, more than the absolute timeout, or another type than
                timedelta.
        """
        value = (self._working or self._load()).state.extras.get(IDLE)
        return None if value is None else timedelta(seconds=value)

    @idle.setter
    def idle(self, value: timedelta | None) -> None:
        seconds = None if value is None else whole_seconds("idle", value, least=1)
        most = (self._working or self._load()).state.extras.get(ABSOLUTE, self._context.lifetime.absolute_seconds)
        if seconds is not None and most is not None and seconds > most:
            raise ConfigurationError(
                f"idle ({value}) is longer than the session's absolute timeout ({timedelta(seconds=most)}), which would"
                " cut it short; set session.absolute first, or call session.remember(…) with the duration, which sets"
                " both"
            )
        self._set_extra(IDLE, seconds)

    @property
    def absolute(self) -> timedelta | None:
        """This session's own absolute timeout; None: as `Lifetime.absolute` says. Settable.

        It counts from the last login, else from the session's creation, and never from now: setting it again prolongs
        nothing. A longer one than the usual takes its place, and a shorter one too.

        Raises:
            ConfigurationError: On setting less than a second or another type than timedelta.
        """
        value = (self._working or self._load()).state.extras.get(ABSOLUTE)
        return None if value is None else timedelta(seconds=value)

    @absolute.setter
    def absolute(self, value: timedelta | None) -> None:
        seconds = None if value is None else whole_seconds("absolute", value, least=1)
        self._writable().limit_to(seconds)

    def remember(self, duration: timedelta) -> None:
        """Keep this session for `duration` after its login, in a cookie that outlives the browser window.

        "Remember me": it sets `persistent`, `absolute` and `idle`. Call it after `login`, where the user has asked for
        it. Calling it on every request prolongs nothing. Whoever gets hold of the cookie has the session for as long,
        so keep `authenticated_within` in front of what matters.

        Raises:
            ConfigurationError: `duration` is no timedelta, or shorter than a second.
        """
        whole_seconds("duration", duration, least=1)  # None would be no error of the two below
        self.absolute = duration
        self.idle = duration
        self.persistent = True

    @property
    def label(self) -> str | None:
        """A name for lists of sessions, such as the device; None by default. Settable, at most 200 characters."""
        value: str | None = (self._working or self._load()).state.extras.get(LABEL)
        return value

    @label.setter
    def label(self, value: str | None) -> None:
        check_label(value)
        self._set_extra(LABEL, value)

    def passive(self) -> None:
        """Look without prolonging: this request is not its user's doing, so the idle timeout goes on as it was.

        For what a page asks by itself, such as polling for notifications, or whether the login still holds. It may be
        called before anything is read or afterwards. No idle deadline moves and no cookie is sent for having looked; a
        change is saved as ever. `login`, `renew` and `refresh` cancel it. Code that has no session in hand sets
        ``environ["cookiesess.passive"] = True``, which counts for every session of the request.
        """
        self._passive = True
        if self._working is not None:
            self._working.be_passive()

    # Inside

    def _set_extra(self, key: str, value: object) -> None:
        extras = self._writable().extras
        if value is not None:
            extras.set(key, value)
        elif key in extras.data:
            extras.remove(key)
