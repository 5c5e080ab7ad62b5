"""The base class of readers of other libraries' session cookies, and the checks that all readers share.

A reader authenticates a value first, by the other library's own key, and decodes it only then. So decoders see only
what the other library wrote. The reasons of a refusal, as in `InvalidToken`::

    "retired"     `until` has passed
    "malformed"   the value does not have the form of such a cookie
    "forged"      the form is right, but none of the keys made the signature
    "plaintext"   the signature is right, but the value is not the expected JSON, or inflates beyond `MAX_TEXT_BYTES`
    "pickle"      the signature is right, but the value is pickled
    "foreign"     the session holds values that sessions do not carry (half a surrogate pair, more than 64 levels)
    "future"      the cookie was written more than five minutes ahead of the clock
    "expired"     the cookie was written longer ago than `max_age`, or its own expiry has passed

Of sessions that other libraries keep in stores (`cookiesess.readers.stored`), where the value is an ID::

    "missing"     the store has nothing under the ID
    "stored-…"    the store's text is "forged", "plaintext" or "pickle", as above; "stored-size": it is too large
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypedDict

from cookiesess.errors import ConfigurationError, InvalidToken, NotSerializable
from cookiesess.events.base import logger
from cookiesess.http.cookies import CookieAttributes, check_name
from cookiesess.session.lifetime import CLOCK_SKEW_SECONDS, whole_seconds
from cookiesess.tokens.values import ValueCodec

# What comes out of JSON is of the plain types, so the app's own need not be known here.
_CODEC = ValueCodec()


class Foreign(NamedTuple):
    """A session from another library's cookie or store. Its repr shows no values.

    Attributes:
        data: The session's values. The other library's own keys are left in it.
        created_at: When the session began, in Unix seconds; None if the format does not say.
        refreshed_at: When the cookie was written, in Unix seconds; None if the format does not say.
        owner: The user, as the reader's ``owner=`` finds it in `data`, or None.
        expires_at: When the session ends, in Unix seconds, if a store says so; else None.
    """

    data: dict[str, Any]
    created_at: int | None
    refreshed_at: int | None
    owner: str | None = None
    expires_at: int | None = None

    def __repr__(self) -> str:
        return f"<Foreign session of {len(self.data)} keys>"


class Common(TypedDict, total=False):
    """The keyword arguments that all readers take; see `Reader`."""

    owner: Callable[[dict[str, Any]], str | None] | None
    path: str
    domain: str | None
    partitioned: bool


class Reader(ABC):
    """Opens the session cookies of one other library. Thread-safe. A subclass implements `read`.

    Args:
        cookie_name: The name of the other library's cookie.
        until: An aware datetime. From this moment on the reader opens nothing. Required, because you cannot end a
            stolen copy of such a cookie: a logout deletes only the browser's own copy. Set the moment of your switch
            plus the lifetime of the other library's sessions. When a cookie comes later, the log ``cookiesess`` says
            once that you can delete the reader.
        max_age: The reader refuses a cookie that was written longer ago; None: it opens cookies of any age.
        owner: A function that returns the user of a session's data, as text, or None for a guest. It is called with the
            data of every session that opens, so read the data by ``.get``. An exception that it raises is not caught.
            By default nobody is logged in.
        path: The path of the other library's cookie. Default ``/``. Danger: a browser deletes a cookie only by the
            path, domain and partition with which it was set. If one of them is wrong, the old cookie stays, and the
            next request after a logout logs the user in again.
        domain: The domain of the other library's cookie; None (the default): it had none.
        partitioned: Whether the other library's cookie was ``Partitioned``. Default False.

    Raises:
        ConfigurationError: `until` is naive, `max_age` is below a second, or a name, path or domain is not allowed.
    """

    def __init__(
        self,
        *,
        cookie_name: str,
        until: datetime,
        max_age: timedelta | None = None,
        owner: Callable[[dict[str, Any]], str | None] | None = None,
        path: str = "/",
        domain: str | None = None,
        partitioned: bool = False,
    ) -> None:
        try:
            check_name(
                cookie_name, CookieAttributes(path=path, domain=domain, samesite="None", partitioned=partitioned)
            )
        except ValueError as error:
            raise ConfigurationError(str(error)) from error
        if owner is not None and not callable(owner):
            raise ConfigurationError(f"owner must be a function of the data, not of type {_type(owner)}")
        self.cookie_name = cookie_name
        self.path = path
        self.domain = domain
        self.partitioned = partitioned
        self._owner = owner
        self._until_at = _unix_seconds(until)
        self._said = False
        self._max_age_seconds = None if max_age is None else whole_seconds("max_age", max_age, least=1)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}, cookie {self.cookie_name!r}>"

    @abstractmethod
    def read(self, value: str) -> Foreign:
        """Return the session in an authentic `value`, without an owner. `open` checks the age.

        Args:
            value: Any ASCII text. Do not trust it before you have checked its signature.

        Raises:
            InvalidToken: The other library did not write `value` under the reader's keys.
        """

    def open(self, value: str, *, now: int) -> Foreign:
        """Return the session in `value`, the value of a cookie called `cookie_name`.

        Args:
            value: The value as it stands in the Cookie header.
            now: Unix seconds.

        Raises:
            InvalidToken: `value` is not a live session of the other library; the table above has the reasons.
            ConfigurationError: `owner` returned something else than text or None.
        """
        self.check(value, now=now)
        foreign = self.read(value)
        self._check_age(foreign, now)
        try:
            _CODEC.dumps(foreign.data)
        except NotSerializable:
            raise InvalidToken("foreign") from None
        return foreign if self._owner is None else foreign._replace(owner=_owner_of(foreign.data, self._owner))

    def check(self, value: str, *, now: int) -> None:
        """Raise `InvalidToken` if `until` has passed, or if no library can have written `value`."""
        if now >= self._until_at:
            self._say_retired()
            raise InvalidToken("retired")
        if not value.isascii():
            raise InvalidToken("malformed")

    def _say_retired(self) -> None:
        """Log, once, that the reader has had its day: nobody looks for what has no effect any more."""
        if not self._said:
            self._said = True
            logger.warning("%r opens no cookies any more: until= has passed, so delete it from accept=", self)

    def _check_age(self, foreign: Foreign, now: int) -> None:
        written_at = foreign.refreshed_at
        if foreign.expires_at is not None and now >= foreign.expires_at:
            raise InvalidToken("expired")
        if max(foreign.created_at or 0, written_at or 0) > now + CLOCK_SKEW_SECONDS:
            raise InvalidToken("future")
        # A format without a time cannot prove that it is young enough.
        if self._max_age_seconds is not None and (written_at is None or now - written_at > self._max_age_seconds):
            raise InvalidToken("expired")


def _owner_of(data: dict[str, Any], owner: Callable[[dict[str, Any]], str | None]) -> str | None:
    found = owner(data)
    if found is not None and type(found) is not str:
        raise ConfigurationError(f"owner= returned a value of type {_type(found)}; return text, or None for a guest")
    return found


def _unix_seconds(until: datetime) -> int:
    if not isinstance(until, datetime):
        raise ConfigurationError(
            f"until is an aware datetime, not a {_type(until)}; write datetime(2030, 1, 31, tzinfo=UTC)"
        )
    if until.utcoffset() is None:
        raise ConfigurationError("until is naive, so its hour depends on the server; pass tzinfo=UTC")
    return int(until.timestamp())


def _type(value: object) -> str:
    return type(value).__name__
