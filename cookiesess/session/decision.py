"""The decision at commit: what becomes of a session, as one table. Pure; how it is done is the backends' business.

Two rules stand behind the table:

1. *Nothing for nothing.* What was only read, or changed and changed back, or is empty, writes nothing.
2. *A cookie is expired only where that cannot hit another session*: after ``invalidate()``, for a session that became
   empty, and for bytes that never opened. An expiry cannot name a value: a slow request that still carries the old ID
   would delete the cookie that a login has just set. So what is gone, or was replaced, gets no line at all.
"""

from enum import Enum
from typing import Final

from cookiesess.session.state import Origin


class Happened(Enum):
    """What the request did. The upper ones count where several are true."""

    EMPTIED = "changed or renewed, and nothing is left"
    RENEWED = "login() or renew()"
    MODIFIED = "the encoding differs from what was loaded"
    REFRESH_OLD_KEY = "read, refresh due, and the key it was written with is no longer current"
    REFRESH = "read, refresh due"
    READ = "read"
    EMPTY = "nothing was loaded, and there is still nothing"
    FILLED = "nothing was loaded, and now there is something"

    __hash__ = object.__hash__  # as in Origin


class Action(Enum):
    """What to do about it."""

    NOTHING = "nothing"
    EXPIRE = "expire the cookie"
    CREATE = "a new session: a new record, a new cookie"
    UPDATE = "the same session with new content"
    MOVE = "the same session under a new ID"
    DELETE = "end the session, expire the cookie"
    TOUCH = "a new idle deadline"
    RESEAL = "a new idle deadline, and the current key"
    DROP = "nothing, and say that a write was dropped"

    __hash__ = object.__hash__  # as in Origin


_FRESH: Final = {Happened.EMPTY: Action.NOTHING, Happened.FILLED: Action.CREATE}
_EXPIRABLE: Final = {Happened.EMPTY: Action.EXPIRE, Happened.FILLED: Action.CREATE}

TABLE: Final[dict[Origin, dict[Happened, Action]]] = {
    Origin.NONE: _FRESH,
    Origin.GONE: _FRESH,
    Origin.REJECTED: _EXPIRABLE,
    Origin.ENDED: _EXPIRABLE,
    Origin.REPLACED: {Happened.EMPTY: Action.NOTHING, Happened.FILLED: Action.DROP},
    Origin.UNAVAILABLE: {Happened.EMPTY: Action.NOTHING},
    # Read in a format that is never written: whatever would be a write makes a session of ours.
    Origin.FOREIGN: {
        Happened.EMPTIED: Action.EXPIRE,
        Happened.RENEWED: Action.CREATE,
        Happened.MODIFIED: Action.CREATE,
        Happened.REFRESH_OLD_KEY: Action.CREATE,
        Happened.REFRESH: Action.CREATE,
        Happened.READ: Action.NOTHING,
    },
    Origin.LOADED: {
        Happened.EMPTIED: Action.DELETE,
        Happened.RENEWED: Action.MOVE,
        Happened.MODIFIED: Action.UPDATE,
        Happened.REFRESH_OLD_KEY: Action.RESEAL,
        Happened.REFRESH: Action.TOUCH,
        Happened.READ: Action.NOTHING,
    },
}


_CONTINUED: Final = (Origin.LOADED, Origin.FOREIGN)


def decide(origin: Origin, *, empty: bool, modified: bool, renewed: bool, refresh_due: bool, stale_key: bool) -> Action:
    """Return what to do about a session that was touched.

    Args:
        origin: Where it came from.
        empty: It has no data, owner, flashes or CSRF secret.
        modified: Its encoding differs from what was loaded.
        renewed: ``login()`` or ``renew()`` was called.
        refresh_due: Its idle deadline is due for a new one.
        stale_key: The key it was written with is accepted, but no longer current.
    """
    if origin not in _CONTINUED:
        happened = Happened.EMPTY if empty else Happened.FILLED
    elif empty and (modified or renewed):
        happened = Happened.EMPTIED
    elif renewed:
        happened = Happened.RENEWED
    elif modified:
        happened = Happened.MODIFIED
    elif refresh_due:
        happened = Happened.REFRESH_OLD_KEY if stale_key else Happened.REFRESH
    else:
        happened = Happened.READ
    return TABLE[origin][happened]
