"""What happens to sessions, as small frozen values for counters, alerts and audit logs.

``SessionMiddleware(app, keys, on_event=callable)`` hands each of them to `callable`; the same go to the standard
logger ``cookiesess``, at the level each class names. They hold reasons, counts and sizes, never a secret, a session ID,
a token or a value: a log is read by more people than a session is.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import ClassVar

__all__ = [
    "ConflictMerged",
    "Event",
    "SecureCookieOverHttp",
    "SessionAccepted",
    "SessionCreated",
    "SessionEnded",
    "SessionExpired",
    "SessionNearLimit",
    "SessionOverflowed",
    "SessionRefreshed",
    "SessionRejected",
    "SessionRenewed",
    "SessionRevoked",
    "SessionSuperseded",
    "SessionsEvicted",
    "SharedCachingPrevented",
    "StoreFailed",
    "StoreNotShared",
    "TouchedLate",
    "WriteDropped",
]

logger = logging.getLogger("cookiesess")


@dataclass(frozen=True, slots=True)
class Event:
    """What all events share.

    Attributes:
        name: A dotted name, stable across releases, for counters.
        level: The `logging` level at which it is logged.
        advice: What to do about it, where there is something to do; it follows in the log line.
    """

    name: ClassVar[str] = "event"
    level: ClassVar[int] = logging.INFO
    advice: ClassVar[str] = ""

    def __str__(self) -> str:
        details = " ".join(f"{field.name}={getattr(self, field.name)}" for field in fields(self))
        text = f"{self.name} {details}".rstrip()
        return f"{text}: {self.advice}" if self.advice else text


@dataclass(frozen=True, slots=True)
class SessionCreated(Event):
    """A visitor got a session; by ``login()`` if `login`."""

    login: bool = False
    name: ClassVar[str] = "session.created"
    level: ClassVar[int] = logging.DEBUG


@dataclass(frozen=True, slots=True)
class SessionRefreshed(Event):
    """A session that was only read got a new idle deadline (at most once every ``Lifetime.refresh_after``)."""

    name: ClassVar[str] = "session.refreshed"
    level: ClassVar[int] = logging.DEBUG


@dataclass(frozen=True, slots=True)
class SessionRenewed(Event):
    """A session got a new ID: by ``login()`` if `login`, else by ``renew()``."""

    login: bool
    name: ClassVar[str] = "session.renewed"


@dataclass(frozen=True, slots=True)
class SessionEnded(Event):
    """A session ended: by ``invalidate()``, or because the last of it was removed if `emptied`."""

    emptied: bool
    name: ClassVar[str] = "session.ended"


@dataclass(frozen=True, slots=True)
class SessionExpired(Event):
    """A session came back after its time.

    Attributes:
        deadline: ``"idle"``, ``"absolute"``, or ``"unknown"`` where a store has no record of it (any more): timed out,
            ended, or evicted.
    """

    deadline: str
    name: ClassVar[str] = "session.expired"


@dataclass(frozen=True, slots=True)
class SessionRejected(Event):
    """A cookie or record did not open, and an empty session was started.

    Attributes:
        reason: As `InvalidToken.reason`. A rise of ``"unknown-key"`` after a deploy is a rotation gone wrong;
            of ``"forged"``, somebody trying.
        kid: The key id it named, eight hex digits, or None.
    """

    reason: str
    kid: str | None
    name: ClassVar[str] = "session.rejected"


@dataclass(frozen=True, slots=True)
class SecureCookieOverHttp(Event):
    """A ``Secure`` cookie is being sent over plain HTTP, so browsers drop it. Said once per manager."""

    advice: ClassVar[str] = (
        "browsers drop it; serve HTTPS, or behind a proxy that does let the server set wsgi.url_scheme (waitress:"
        " trusted_proxy, gunicorn: forwarded_allow_ips); for development take cookie=CookiePolicy.development()"
    )
    name: ClassVar[str] = "cookie.secure_over_http"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class SharedCachingPrevented(Event):
    """A response that the app had declared shareable carries a Set-Cookie of ours and was made ``private``."""

    advice: ClassVar[str] = "do not touch the session or set cookies on pages that all visitors share"
    name: ClassVar[str] = "response.shared_caching_prevented"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class TouchedLate(Event):
    """The session or the cookies were first looked at after the headers had gone out without ``Vary: Cookie``."""

    advice: ClassVar[str] = "touch it before the first byte of the body, or mark the response private"
    name: ClassVar[str] = "session.touched_late"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class WriteDropped(Event):
    """A request's changes were not written, and its response carries no session cookie.

    Attributes:
        reason: ``"ended"``: the session was ended while the request ran. ``"replaced"``: a login or a renewal took its
            place. ``"owner"``: it belongs to another user now.
    """

    reason: str
    name: ClassVar[str] = "session.write_dropped"


@dataclass(frozen=True, slots=True)
class ConflictMerged(Event):
    """Another request had changed the same session meanwhile; both changes were kept.

    Attributes:
        tries: How often this request had to merge.
        overwritten: How many keys both had assigned: there this request's value stands.
    """

    tries: int
    overwritten: int
    name: ClassVar[str] = "session.conflict_merged"
    level: ClassVar[int] = logging.DEBUG


@dataclass(frozen=True, slots=True)
class SessionAccepted(Event):
    """A session came in another library's format, and `reader`, a class of ``accept=``, opened it."""

    reader: str
    name: ClassVar[str] = "session.accepted"
    level: ClassVar[int] = logging.DEBUG


@dataclass(frozen=True, slots=True)
class SessionNearLimit(Event):
    """A client-side session has filled more than 80 % of the room there is for it.

    Attributes:
        size_bytes: How long its Set-Cookie lines are together.
        limit_bytes: How long they may be: beyond it the session overflows, or `CookieTooLarge` is raised.
    """

    size_bytes: int
    limit_bytes: int
    advice: ClassVar[str] = "store less in it; what does not fit raises CookieTooLarge, or moves to overflow="
    name: ClassVar[str] = "session.near_limit"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class SessionOverflowed(Event):
    """A session outgrew its cookie and was moved to the overflow store, where it stays until it ends or logs in."""

    name: ClassVar[str] = "session.overflowed"


@dataclass(frozen=True, slots=True)
class SessionSuperseded(Event):
    """A request brought both an inline session and the reference of one that has moved to the store; that one counts.

    The inline one is what a slower request, which had loaded the session before it moved, answered afterwards: what
    that request wrote is not in the session. Or it was replayed.
    """

    name: ClassVar[str] = "session.superseded"


@dataclass(frozen=True, slots=True)
class SessionRevoked(Event):
    """A client-side session came back after it was ended: a copy of its cookie, or a slow request's late answer.

    Attributes:
        reason: ``"ended"``: it was logged out, or got a new ID. ``"generation"``: all of the owner's sessions were
            ended.
    """

    reason: str
    name: ClassVar[str] = "session.revoked"


@dataclass(frozen=True, slots=True)
class StoreFailed(Event):
    """The store did not answer when a session was read, or where a request could go on without a write.

    That is a mere refresh, or an owner's limit after a login. A change that could not be written is an exception,
    `StoreUnavailable`, and no event: alert on the rate of 500s as well.

    Attributes:
        cause: What the store said.
    """

    cause: str
    name: ClassVar[str] = "store.failed"
    level: ClassVar[int] = logging.ERROR


@dataclass(frozen=True, slots=True)
class StoreNotShared(Event):
    """The store serves one process, and the server runs several: each has sessions of its own.

    Each process emits it once. (Not under Django's engine, which does not see how the server runs.)
    """

    advice: ClassVar[str] = "visitors lose their sessions at random; take a store that processes share, as SQLiteStore"
    name: ClassVar[str] = "store.not_shared"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class SessionsEvicted(Event):
    """A full store dropped `count` sessions that had not expired."""

    count: int
    name: ClassVar[str] = "store.evicted"


class Emitter:
    """Hands events to the user's callable and to the logger, and never lets either break a request."""

    def __init__(self, on_event: Callable[[Event], object] | None = None) -> None:
        self._on_event = on_event

    def __call__(self, event: Event) -> None:
        """Emit `event`. An exception of the callable is logged with its traceback and goes no further."""
        if logger.isEnabledFor(event.level):
            logger.log(event.level, "%s", event)
        if self._on_event is None:
            return
        try:
            self._on_event(event)
        except Exception:  # the only broad one: a metrics callback must not log a user out
            logger.exception("on_event failed for %s", event.name)
