"""What happened to a session."""

import logging
from dataclasses import dataclass
from typing import ClassVar

from cookiesess.events.base import Event


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
        deadline: The timeout that has passed, ``"idle"`` or ``"absolute"``. Or ``"unknown"``: the store has no record
            of the session, because the session has timed out there, was ended, or was evicted.
    """

    deadline: str
    name: ClassVar[str] = "session.expired"


@dataclass(frozen=True, slots=True)
class SessionRejected(Event):
    """A cookie or record did not open, and an empty session was started.

    Attributes:
        reason: As `InvalidToken.reason`. Many ``"unknown-key"`` after a deploy mean that a key rotation went wrong.
            Many ``"forged"`` mean that somebody is trying. ``"joined"``: the cookie stood behind a comma, where nothing
            is read. ``"future"`` is also said where a browser signs the challenge of a host whose clock is ahead.
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
    """An ID came that was closed longer ago than any request takes. Said once a session.

    A renewal or a login gave the session another ID, and the browser should have forgotten the old one. So somebody may
    have a copy of the cookie. (A restored backup of a browser's profile looks the same.)
    """

    advice: ClassVar[str] = "if this repeats for one user, end all sessions of that user: manager.end_all(owner)"
    name: ClassVar[str] = "session.replayed"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class SessionUnbound(Event):
    """A session that is bound to a device came without the proof, and was not let in. Said once a session and reason.

    Somebody may have a copy of the session's cookie. Or the owner's own browser could not prove itself for a moment;
    then the session is back with its next proof.

    Attributes:
        reason: What the browser said of it: ``"quota_exceeded"``, ``"unreachable"`` or ``"server_error"``. Where it
            said nothing: ``"missing"``, ``"expired"``, ``"invalid"`` or ``"other"``, of the bound cookie; or, with
            `DeviceBinding.required`, ``"unregistered"``: nobody has bound the session in time.
    """

    reason: str
    advice: ClassVar[str] = (
        "if this repeats for one user, and the browser gives no reason, end all sessions of that user:"
        " manager.end_all(owner)"
    )
    name: ClassVar[str] = "session.unbound"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class SessionWithheld(Event):
    """Another site's page sent a POST here, and the anonymous session that the app began was not issued.

    The browser sends such a POST without the session's cookie, and takes the cookie that the answer sets. So another
    site's page could log a visitor out.
    """

    advice: ClassVar[str] = (
        "nothing to do, unless your app must begin a session with such a POST; then write"
        ' CookiePolicy(cross_site_posts="issue")'
    )
    name: ClassVar[str] = "session.withheld"


@dataclass(frozen=True, slots=True)
class OwnerLimitReached(Event):
    """A login made more than 500 sessions of one user, and those idle for longest were ended.

    Only if nobody has set the limit: whoever sets `max_sessions_per_owner` knows what happens.

    Attributes:
        ended: How many sessions were ended. Each of them is a `SessionEnded` as well.
        limit: How many sessions the user still has.
    """

    ended: int
    limit: int
    repeats: ClassVar[bool] = True
    advice: ClassVar[str] = (
        "if a script logs in at each run, let it log out, or keep its cookie; max_sessions_per_owner= sets the limit"
    )
    name: ClassVar[str] = "owner.limit_reached"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class WriteDropped(Event):
    """A request's changes were not written, and its response carries no session cookie.

    Attributes:
        reason: ``"ended"``: the session was ended while the request ran. ``"replaced"``: a login or a renewal gave the
            session another ID. ``"owner"``: the session belongs to another user now. ``"unbound"``: it is bound to a
            device, and the request did not come from there.
    """

    reason: str
    name: ClassVar[str] = "session.write_dropped"


@dataclass(frozen=True, slots=True)
class ConflictMerged(Event):
    """Another request had changed the same session meanwhile; both changes were kept.

    Attributes:
        tries: How often this request had to merge.
        overwritten: How many keys both requests had assigned. This request's values are kept.
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
class OldSessionKept(Event):
    """A session moved here from another library's store, and that store did not delete what it has of the session.

    Attributes:
        reason: What the store said.
    """

    reason: str
    repeats: ClassVar[bool] = True
    advice: ClassVar[str] = (
        "until the session's time there is over, a copy of the old cookie opens the session as it was; once all have"
        " moved, empty that store and delete its reader from accept="
    )
    name: ClassVar[str] = "session.old_kept"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class SessionNearLimit(Event):
    """A client-side session has filled more than 80 % of the room there is for it.

    Attributes:
        size_bytes: How long the session's Set-Cookie lines are together.
        limit_bytes: How long they may be. A longer session moves to ``overflow=``, or `CookieTooLarge` is raised.
    """

    size_bytes: int
    limit_bytes: int
    repeats: ClassVar[bool] = True
    advice: ClassVar[str] = "store less in the session; a larger one raises CookieTooLarge, or moves to overflow="
    name: ClassVar[str] = "session.near_limit"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class SessionOverflowed(Event):
    """A session outgrew its cookie and has moved to the overflow store. It stays there until logout or next login."""

    name: ClassVar[str] = "session.overflowed"


@dataclass(frozen=True, slots=True)
class SessionSuperseded(Event):
    """A request brought a session twice: as it was in its cookie, and as it is in the store, where it has moved.

    The session in the store counts. The cookie may come from a slower request, which had loaded the session before the
    move, and answered afterwards; then what that request wrote is lost. Or somebody has kept the cookie, and sends it
    again.
    """

    name: ClassVar[str] = "session.superseded"


@dataclass(frozen=True, slots=True)
class SessionRevoked(Event):
    """A client-side session came back after it was ended: a copy of its cookie, or a slow request's late answer.

    Attributes:
        reason: ``"ended"``: the session was logged out, or got a new ID. ``"generation"``: all sessions of the user
            were ended.
    """

    reason: str
    name: ClassVar[str] = "session.revoked"


@dataclass(frozen=True, slots=True)
class RevocationsLost(Event):
    """A client-side session came from before the store of revocations was emptied, or its epoch renewed.

    The store may have forgotten that the session had ended.

    Attributes:
        logged_out: True: the session is gone, as ``on_lost_revocations="log_out"`` says. False: the session goes on.
    """

    logged_out: bool
    repeats: ClassVar[bool] = True
    advice: ClassVar[str] = (
        "find out what has emptied the store given as revocations=; on_lost_revocations= chooses whether all such"
        " sessions are logged out, or all go on, also those whose users had logged out"
    )
    name: ClassVar[str] = "revocations.lost"
    level: ClassVar[int] = logging.WARNING
