"""What a reader of another library's session cookies is, and the checks that all of them share.

A value is authenticated first, by the library's own key, and only then decoded, so that decoders see what the library
wrote or nothing. The refusals, as `InvalidToken` names them::

    "retired"     `until` has passed
    "malformed"   not the form of such a cookie
    "forged"      the form is right, and no key made the signature
    "plaintext"   signed, but not the JSON that was expected, or inflated beyond `MAX_TEXT_BYTES`
    "pickle"      signed, but pickled
    "foreign"     it holds values that sessions do not carry (half a surrogate pair, more than 64 levels)
    "future"      written more than five minutes ahead of the clock
    "expired"     written longer ago than `max_age`, or beyond the expiry that it was kept with

and of what other libraries keep in stores (`cookiesess.readers.stored`), where the value is an ID::

    "missing"     the store has nothing under it
    "stored-…"    what it has is "forged", "plaintext" or "pickle", as above; "stored-size": more than a record takes
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
    """What another library's cookie held. Its repr shows no values.

    Attributes:
        data: The session, with values that sessions carry; the other library's own keys are left in it.
        created_at: Unix seconds where the format says so, else None.
        refreshed_at: When the cookie was written, Unix seconds, where the format says so, else None.
        owner: What the reader's ``owner=`` made of `data`, or None.
        expires_at: When it ends, Unix seconds, where a store says so, else None.
    """

    data: dict[str, Any]
    created_at: int | None
    refreshed_at: int | None
    owner: str | None = None
    expires_at: int | None = None

    def __repr__(self) -> str:
        return f"<Foreign session of {len(self.data)} keys>"


class Common(TypedDict, total=False):
    """The keyword arguments that mean the same for every reader; see `Reader`."""

    owner: Callable[[dict[str, Any]], str | None] | None
    path: str
    domain: str | None
    partitioned: bool


class Reader(ABC):
    """Opens what one other library wrote. Thread-safe. A subclass says how, in `read`.

    Args:
        cookie_name: The cookie that the other library set.
        until: From this moment on the reader opens nothing. Required, since nothing can end a copy of such a cookie
            before its time: a logout forgets the browser's own copy, not a stolen one. The lifetime of the other
            library's sessions after the switch is long enough. Aware. The first such cookie that comes later is a line
            in the log ``cookiesess``: the reader can be deleted.
        max_age: A cookie that was written longer ago is refused; None: of any age.
        owner: Returns the user that the data belongs to, as text, or None for a guest. It is called with the data of
            every session that opens, so ask by ``.get``; what it raises goes through. Default: nobody.
        path: The path of the other library's cookie. A browser forgets a cookie only by the path, domain and partition
            that it was set with; where one of them is wrong the old cookie stays, and after a logout it is read again.
            Default ``/``.
        domain: Its domain; None where it had none.
        partitioned: Whether it was ``Partitioned``. Default False.

    Raises:
        ConfigurationError: A naive `until`, a `max_age` below a second, a name, path or domain that is none.
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
            raise ConfigurationError(f"owner is a function of the data, and what came is of type {_type(owner)}")
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
        """Return what an authentic `value` holds, without an owner; its age is checked by `open`.

        Args:
            value: ASCII of any form, from a stranger until its signature says otherwise.

        Raises:
            InvalidToken: Anything that the other library did not write under the reader's keys.
        """

    def open(self, value: str, *, now: int) -> Foreign:
        """Return the session in `value`, the value of a cookie called `cookie_name`.

        Args:
            value: As it stands in the Cookie header.
            now: Unix seconds.

        Raises:
            InvalidToken: Anything but a live session of the other library's; the module's table has the reasons.
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
        """Raise `InvalidToken` where the reader has had its day, or `value` is none that any library wrote."""
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
