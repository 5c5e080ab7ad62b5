"""What other libraries call the verbs of a session, and what they are called here."""

from typing import Final

_LIFE: Final = "session.remember(timedelta) sets its life; session.idle, .absolute and .persistent are parts of it"
_NEW_ID: Final = "session.login(owner) gives a new ID by itself; session.renew() does for another change of privileges"
_NO_ID: Final = "the ID is secret, and nobody is shown it; session.owner says whose session it is"
_ENDS: Final = "session.invalidate() ends the session"

REMEDIES: Final[dict[str, str]] = {
    **dict.fromkeys(("logout", "log_out", "delete", "destroy", "flush", "end", "close", "revoke"), _ENDS),
    **dict.fromkeys(("regenerate", "regenerate_id", "cycle_key", "cycle_id", "new_id", "rotate"), _NEW_ID),
    **dict.fromkeys(("set_expiry", "permanent", "max_age", "timeout", "expire", "expiry"), _LIFE),
    **dict.fromkeys(("id", "sid", "session_id", "session_key"), _NO_ID),
    "user": "session.owner says whose session it is; session.login(owner) sets it",
    "user_id": "session.owner says whose session it is; session.login(owner) sets it",
    "data": "the session itself is the dict; dict(session) copies it",
    "get_flashed_messages": "session.pop_flashes() returns the messages and forgets them",
    "new_csrf_token": "session.csrf_token() returns one",
    "get_csrf_token": "session.csrf_token() returns one",
    "commit": "the session is saved with the response; session.save() writes it now",
    "last_accessed": "session.refreshed_at says when it was last written or refreshed",
    "created": "session.created_at says when it began",
    "new": "session.is_new says whether it is",
    "accessed": "session.touched says whether anything of it was looked at",
}
"""What to write, by the name that somebody has guessed."""


def missing(name: str) -> str:
    """Return the message of the AttributeError for `name`, which a session does not have."""
    if name.startswith("_"):
        return f"a session has no attribute {name!r}"
    remedy = REMEDIES.get(name, f"a value of the session's is session[{name!r}]")
    return f"a session has no attribute {name!r}; {remedy}"
