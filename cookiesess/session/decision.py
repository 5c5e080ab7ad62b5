"""The decision at commit: one table says what happens to a session. The backends do it.

Three rules stand behind the table:

1. *Nothing for nothing.* What was only read, or changed and changed back, or is empty, writes nothing.
2. *A cookie is deleted only by somebody who logs out*, or whose session became empty. Never for what did not open: it
   may be good elsewhere or later (a server that lacks the new key, a clock that is behind, a proxy that joined two
   Cookie fields), and an expiry cannot name a value, so it may hit another session.
3. *An authentication always succeeds.* ``login()`` never depends on the fate of the session that the request came with.
"""

from typing import Final

from cookiesess.session.member import Member
from cookiesess.session.state import Origin


class Happened(Member):
    """What the request did. The upper ones count where several are true."""

    EMPTIED = "changed or renewed, and nothing is left"
    LOGGED_IN = "login()"
    RENEWED = "renew()"
    MODIFIED = "the encoding differs from what was loaded"
    REFRESH_OLD_KEY = "read, refresh due, and the key it was written with is no longer current"
    REFRESH = "read, refresh due"
    READ = "read"
    EMPTY = "nothing was loaded, and there is still nothing"
    FILLED = "nothing was loaded, and now there is something"


class Action(Member):
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


_FRESH: Final = {Happened.EMPTY: Action.NOTHING, Happened.LOGGED_IN: Action.CREATE, Happened.FILLED: Action.CREATE}
READ_AS_EMPTY: Final = (Origin.REPLACED, Origin.UNBOUND)
"""With these the app sees an empty session, and what it writes there without a login is dropped."""
_READS_EMPTY: Final = {**_FRESH, Happened.FILLED: Action.DROP}

TABLE: Final[dict[Origin, dict[Happened, Action]]] = {
    Origin.NONE: _FRESH,
    Origin.GONE: _FRESH,
    Origin.REJECTED: _FRESH,
    Origin.ENDED: {**_FRESH, Happened.EMPTY: Action.EXPIRE},
    # Read as empty: what is written was meant for a session that another one has replaced, or that belongs to another
    # device.
    Origin.REPLACED: _READS_EMPTY,
    Origin.UNBOUND: _READS_EMPTY,
    Origin.UNAVAILABLE: {Happened.EMPTY: Action.NOTHING},
    # Read in a format that is never written: whatever would be a write makes a session of ours.
    Origin.FOREIGN: {
        Happened.EMPTIED: Action.EXPIRE,
        Happened.LOGGED_IN: Action.CREATE,
        Happened.RENEWED: Action.CREATE,
        Happened.MODIFIED: Action.CREATE,
        Happened.REFRESH_OLD_KEY: Action.CREATE,
        Happened.REFRESH: Action.CREATE,
        Happened.READ: Action.NOTHING,
    },
    Origin.LOADED: {
        Happened.EMPTIED: Action.DELETE,
        Happened.LOGGED_IN: Action.MOVE,
        Happened.RENEWED: Action.MOVE,
        Happened.MODIFIED: Action.UPDATE,
        Happened.REFRESH_OLD_KEY: Action.RESEAL,
        Happened.REFRESH: Action.TOUCH,
        Happened.READ: Action.NOTHING,
    },
}


_CONTINUED: Final = (Origin.LOADED, Origin.FOREIGN)
# On Python 3.11 to look a member up on its class takes longer than all else that a decision does.
_EMPTIED, _LOGGED_IN, _RENEWED, _MODIFIED = Happened.EMPTIED, Happened.LOGGED_IN, Happened.RENEWED, Happened.MODIFIED
_REFRESH_OLD_KEY, _REFRESH, _READ = Happened.REFRESH_OLD_KEY, Happened.REFRESH, Happened.READ
_EMPTY, _FILLED = Happened.EMPTY, Happened.FILLED


def decide(
    origin: Origin, *, empty: bool, modified: bool, renewed: bool, login: bool, refresh_due: bool, stale_key: bool
) -> Action:
    """Return what to do about a session that was touched.

    Args:
        origin: Where it came from.
        empty: It has no data, owner, flashes or CSRF secret.
        modified: Its encoding differs from what was loaded.
        renewed: It is to get a new ID.
        login: ``login()`` was called.
        refresh_due: Its idle deadline is due for a new one.
        stale_key: The key it was written with is accepted, but no longer current.
    """
    if login:
        happened = _LOGGED_IN
    elif origin in READ_AS_EMPTY:
        # A label or another setting alone makes no session, but here it was meant for one that exists. (What extensions
        # had kept for their forms is there, and is no change.)
        happened = _FILLED if modified else _EMPTY
    elif origin not in _CONTINUED:
        happened = _EMPTY if empty else _FILLED
    elif empty and (modified or renewed):
        happened = _EMPTIED
    elif renewed:
        happened = _RENEWED
    elif modified:
        happened = _MODIFIED
    elif refresh_due:
        happened = _REFRESH_OLD_KEY if stale_key else _REFRESH
    else:
        happened = _READ
    return TABLE[origin][happened]
