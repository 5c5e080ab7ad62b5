"""What happens to sessions, as small frozen values for counters, alerts and audit logs.

``SessionMiddleware(app, keys, on_event=callable)`` hands each of them to `callable`; the same go to the standard
logger ``cookiesess``, at the level each class names. They hold reasons, counts and sizes, never a secret, a session ID,
a token or a value: a log is read by more people than a session is.
"""

from cookiesess.events.base import Event
from cookiesess.events.sessions import (
    ConflictMerged,
    OwnerLimitReached,
    RevocationsLost,
    SessionAccepted,
    SessionCreated,
    SessionEnded,
    SessionExpired,
    SessionNearLimit,
    SessionOverflowed,
    SessionRefreshed,
    SessionRejected,
    SessionRenewed,
    SessionReplayed,
    SessionRevoked,
    SessionSuperseded,
    SessionWithheld,
    WriteDropped,
)
from cookiesess.events.surroundings import (
    CookieOutOfReach,
    CookieTwins,
    CrossOriginRefused,
    SecureCookieOverHttp,
    SessionsEvicted,
    SharedCachingPrevented,
    StoreFailed,
    StoreNotShared,
    TouchedLate,
    TwinsOfOwners,
    WeakKey,
)

__all__ = [
    "ConflictMerged",
    "CookieOutOfReach",
    "CookieTwins",
    "CrossOriginRefused",
    "Event",
    "OwnerLimitReached",
    "RevocationsLost",
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
    "SessionReplayed",
    "SessionRevoked",
    "SessionSuperseded",
    "SessionWithheld",
    "SessionsEvicted",
    "SharedCachingPrevented",
    "StoreFailed",
    "StoreNotShared",
    "TouchedLate",
    "TwinsOfOwners",
    "WeakKey",
    "WriteDropped",
]
