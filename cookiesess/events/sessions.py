"""What happened to a session."""

import logging
from dataclasses import dataclass
from typing import ClassVar

from cookiesess.events.base import Event


@dataclass(frozen=True, slots=True)
class SessionCreated(Event):
    """A visitor got a session. If `login` is True, ``login()`` made it."""

    login: bool = False
    name: ClassVar[str] = "session.created"
    level: ClassVar[int] = logging.DEBUG


@dataclass(frozen=True, slots=True)
class SessionRefreshed(Event):
    """A session that was only read got a new idle deadline: at most once in ``Lifetime.refresh_after``."""

    name: ClassVar[str] = "session.refreshed"
    level: ClassVar[int] = logging.DEBUG


@dataclass(frozen=True, slots=True)
class SessionRenewed(Event):
    """A session got a new ID. If `login` is True, ``login()`` gave it; else ``renew()`` or ``renew_after``."""

    login: bool
    name: ClassVar[str] = "session.renewed"


@dataclass(frozen=True, slots=True)
class SessionEnded(Event):
    """A session ended. If `emptied` is True, the app removed its last value; else it was ended."""

    emptied: bool
    name: ClassVar[str] = "session.ended"


@dataclass(frozen=True, slots=True)
class SessionExpired(Event):
    """A session came back after its time.

    Attributes:
        deadline: The timeout that has passed, ``"idle"`` or ``"absolute"``. Or ``"unknown"``: the store has no record
            of the session. It has timed out, was ended, or was evicted.
    """

    deadline: str
    name: ClassVar[str] = "session.expired"


@dataclass(frozen=True, slots=True)
class SessionRejected(Event):
    """A cookie or a record did not open, and the request got an empty session.

    Attributes:
        reason: As in `InvalidToken.reason`. Many ``"unknown-key"`` after a deploy: the key rotation went wrong. Many
            ``"forged"``: somebody tries to forge cookies. ``"joined"``: the cookie stood behind a comma, where cookies
            are not read. ``"future"``: also if a browser signed the challenge of a server whose clock is ahead.
        kid: The key id that the cookie named, eight hex digits, or None.
        cause: The probable cause, in words, or empty.
    """

    reason: str
    kid: str | None
    cause: str = ""
    repeats: ClassVar[bool] = True
    name: ClassVar[str] = "session.rejected"


@dataclass(frozen=True, slots=True)
class SessionReplayed(Event):
    """A request came with an old ID of a session, long after the session got a new one. Said once a session.

    A renewal or a login has replaced the ID, and the browser should not have the old one any more. So somebody may have
    a copy of the cookie. (A restored backup of a browser's profile looks the same.)
    """

    advice: ClassVar[str] = "if this repeats for one user, end all sessions of that user: manager.end_all(owner)"
    name: ClassVar[str] = "session.replayed"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class SessionUnbound(Event):
    """A session that is bound to a device came without proof, and read as empty. Said once a session and reason.

    Somebody may have a copy of the session's cookie. Or the user's own browser could not prove itself for a moment; the
    session is back with the browser's next proof.

    Attributes:
        reason: The browser's own reason: ``"quota_exceeded"``, ``"unreachable"`` or ``"server_error"``. If the browser
            gave none: ``"elsewhere"`` where a link or form of another origin led here, for which browsers prove
            nothing; else the state of the bound cookie: ``"missing"``, ``"expired"``, ``"invalid"`` or ``"other"``.
            With `DeviceBinding.required` also ``"unregistered"``: the browser has not bound the session in time.
    """

    reason: str
    advice: ClassVar[str] = (
        "if this repeats for one user, and says missing, expired, invalid or other, end all sessions of that user:"
        " manager.end_all(owner)"
    )
    name: ClassVar[str] = "session.unbound"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class SessionWithheld(Event):
    """Another site's page sent a POST, and the app began an anonymous session: the answer set no cookie for it.

    The browser sends such a POST without the session's cookie, but would store the cookie of the answer. So another
    site's page could log the visitor out.
    """

    advice: ClassVar[str] = (
        "this keeps other sites from logging your visitors out; if your app must begin a session by such a POST, write"
        ' CookiePolicy(cross_site_posts="issue")'
    )
    name: ClassVar[str] = "session.withheld"


@dataclass(frozen=True, slots=True)
class OwnerLimitReached(Event):
    """A user logged in with more than 500 sessions, and those that were idle longest have ended.

    Not emitted if you have set `max_sessions_per_owner` yourself.

    Attributes:
        ended: How many sessions have ended. Each of them is a `SessionEnded` as well.
        limit: How many sessions the user still has.
    """

    ended: int
    limit: int
    repeats: ClassVar[bool] = True
    advice: ClassVar[str] = (
        "the user's oldest sessions have ended; if a script logs in at each run, let it log out, or keep its cookie;"
        " max_sessions_per_owner= sets the limit"
    )
    name: ClassVar[str] = "owner.limit_reached"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class WriteDropped(Event):
    """A request's changes were not saved, and its response sets no session cookie.

    Attributes:
        reason: ``"ended"``: the session was ended while the request ran. ``"replaced"``: a login or a renewal gave the
            session another ID. ``"owner"``: the session belongs to another user now. ``"unbound"``: the session is
            bound to a device, and the request did not come from that device.
    """

    reason: str
    name: ClassVar[str] = "session.write_dropped"


@dataclass(frozen=True, slots=True)
class ConflictMerged(Event):
    """Two requests changed the same session at the same time, and both changes were kept.

    Attributes:
        tries: How often this request had to merge its changes.
        overwritten: How many keys both requests had changed. This request's values are kept.
    """

    tries: int
    overwritten: int
    name: ClassVar[str] = "session.conflict_merged"
    level: ClassVar[int] = logging.DEBUG


@dataclass(frozen=True, slots=True)
class SessionAccepted(Event):
    """A visitor came with another library's session, and `reader`, a class of ``accept=``, opened it."""

    reader: str
    name: ClassVar[str] = "session.accepted"
    level: ClassVar[int] = logging.DEBUG


@dataclass(frozen=True, slots=True)
class OldSessionKept(Event):
    """A session has moved here from another library's store, and that store could not delete its own copy.

    Attributes:
        reason: The store's error.
    """

    reason: str
    repeats: ClassVar[bool] = True
    advice: ClassVar[str] = (
        "until the session times out in that store, a copy of the old cookie opens the session as it was before the"
        " move; when all sessions have moved, empty that store and delete its reader from accept="
    )
    name: ClassVar[str] = "session.old_kept"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class SessionNearLimit(Event):
    """A client-side session takes more than 80 % of the room that its cookies have.

    Attributes:
        size_bytes: The length of the session's Set-Cookie lines together.
        limit_bytes: How long they may be. A larger session moves to ``overflow=``; without it, `CookieTooLarge` is
            raised.
    """

    size_bytes: int
    limit_bytes: int
    repeats: ClassVar[bool] = True
    advice: ClassVar[str] = (
        "store less in the session; a session that is too large moves to overflow=, or raises CookieTooLarge"
    )
    name: ClassVar[str] = "session.near_limit"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class SessionOverflowed(Event):
    """A session got too large for its cookie, and is in the overflow store until logout or the next login."""

    name: ClassVar[str] = "session.overflowed"


@dataclass(frozen=True, slots=True)
class SessionSuperseded(Event):
    """A request brought one session twice: an older state in its cookie, and the newer one in the overflow store.

    The session in the store counts. The cookie may come from a slower request, which had loaded the session before it
    moved, and answered afterwards; the changes of that request are lost. Or somebody has kept the cookie, and sends it
    again.
    """

    name: ClassVar[str] = "session.superseded"


@dataclass(frozen=True, slots=True)
class SessionRevoked(Event):
    """A client-side session came back after it had ended: a copy of its cookie, or a slow request's late answer.

    Attributes:
        reason: ``"ended"``: the session was logged out, or got a new ID. ``"generation"``: all sessions of the user
            were ended.
    """

    reason: str
    name: ClassVar[str] = "session.revoked"


@dataclass(frozen=True, slots=True)
class RevocationsLost(Event):
    """The store of revocations was emptied, or its epoch was renewed, and a client-side session is older than that.

    Nobody knows whether that session had ended before.

    Attributes:
        logged_out: True: the session has ended now, as ``on_lost_revocations="log_out"`` says. False: it goes on.
    """

    logged_out: bool
    repeats: ClassVar[bool] = True
    advice: ClassVar[str] = (
        "find out what has emptied the store given as revocations=; with on_lost_revocations= you choose whether such"
        " sessions end, or go on even if their users had logged out"
    )
    name: ClassVar[str] = "revocations.lost"
    level: ClassVar[int] = logging.WARNING
