"""The properties of a session: where it came from, its user, its deadlines, and its own settings."""

from datetime import timedelta
from typing import Final

from cookiesess.errors import ConfigurationError, StoreUnavailable
from cookiesess.session.effect import shown_first
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
        """Whether this request has looked at the session, or changed it."""
        return self._working is not None

    @property
    def origin(self) -> Origin:
        """Where this request's session came from; see `Origin`."""
        return (self._working or self._load()).loaded.origin

    @property
    def renewed(self) -> bool:
        """Whether this request has called `login` or `renew`, so that the session gets a new ID."""
        return (self._working or self._load()).asked.how is not None

    @property
    def refreshes(self) -> bool:
        """Whether the commit writes the session even if no value has changed.

        It does so after `refresh`, and when the session moves here from another library's store.
        """
        return (self._working or self._load()).asked.refresh

    @property
    def proves_first(self) -> bool:
        """Whether the request is the first that proves which device it is, so that it is to be written."""
        return shown_first(self._working or self._load()) is not None

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
        """Whether the session differs from the one that was loaded; nested values count too."""
        return (self._working or self._load()).modified

    @property
    def created_at(self) -> int:
        """When the session began, in Unix seconds."""
        return (self._working or self._load()).state.created_at

    @property
    def refreshed_at(self) -> int:
        """When the session was last written or refreshed, in Unix seconds. The idle timeout counts from that time."""
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

        False without the setting ``binding=``, and in browsers that do not know device binding. Also False after a
        login until the browser has brought its key, and for ten seconds more: such requests are let in without proof.
        """
        loaded = (self._working or self._load()).loaded
        return loaded.binding is not None and loaded.origin is not _UNBOUND

    def authenticated_within(self, duration: timedelta, *, bound: bool = False) -> bool:
        """Whether the user has logged in at most `duration` ago: for pages that need a recent password ("sudo mode").

        Args:
            duration: At least a second.
            bound: Ask for `bound` as well. Users whose browsers cannot bind a session then always get False.

        Returns:
            False if nobody is logged in.

        Raises:
            ConfigurationError: `duration` is not a timedelta, or shorter than a second.
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
        """Whether the cookie outlives the browser window. Settable; None (the default): as `CookiePolicy.persistent`.

        Raises:
            ValueError: You set another value than True, False or None.
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
        """This session's own idle timeout. Settable; None (the default): as `Lifetime.idle`.

        The absolute timeout still holds.

        Raises:
            ConfigurationError: You set less than a second, more than the absolute timeout, or no timedelta.
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
        """This session's own absolute timeout. Settable; None (the default): as `Lifetime.absolute`.

        It replaces `Lifetime.absolute`, whether it is longer or shorter. It counts from the last login; without a
        login, from the session's creation. It never counts from now, so setting it again prolongs nothing.

        Raises:
            ConfigurationError: You set less than a second, or no timedelta.
        """
        value = (self._working or self._load()).state.extras.get(ABSOLUTE)
        return None if value is None else timedelta(seconds=value)

    @absolute.setter
    def absolute(self, value: timedelta | None) -> None:
        seconds = None if value is None else whole_seconds("absolute", value, least=1)
        self._writable().limit_to(seconds)

    def remember(self, duration: timedelta) -> None:
        """Keep this session for `duration` after its login, in a cookie that outlives the browser window.

        This is "remember me": it sets `persistent`, `absolute` and `idle`. Call it after `login`, if the user has
        asked for it. Calling it on every request prolongs nothing. A thief who gets the cookie can use the session
        just as long, so ask `authenticated_within` before important actions.

        Raises:
            ConfigurationError: `duration` is not a timedelta, or shorter than a second.
        """
        whole_seconds("duration", duration, least=1)  # None would be no error of the two below
        self.absolute = duration
        self.idle = duration
        self.persistent = True

    @property
    def label(self) -> str | None:
        """A name for this session in lists of devices. Settable, at most 200 characters; None by default."""
        value: str | None = (self._working or self._load()).state.extras.get(LABEL)
        return value

    @label.setter
    def label(self, value: str | None) -> None:
        check_label(value)
        self._set_extra(LABEL, value)

    def passive(self) -> None:
        """Say that the user did not cause this request, so that it does not put off the idle timeout.

        For requests that a page sends by itself, such as polling for notifications, or asking whether the user is still
        logged in. Call it before or after you read the session. Reading then moves no deadline and sends no cookie;
        changes are saved as usual. `login`, `renew` and `refresh` cancel it. Code that has no session at hand sets
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
