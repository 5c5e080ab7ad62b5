"""What other libraries call the verbs of a session, and what they are called here."""

from typing import Final, NoReturn, TypeVar

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
}
"""What to write, by the name that somebody has guessed."""


S = TypeVar("S")


class _Guess:
    """Stands in a class under a name that it does not have, and raises what tells the right one."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, session: object, owner: type) -> NoReturn:
        message = f"a session has no attribute {self._name!r}; {REMEDIES[self._name]}"
        raise AttributeError(message, name=self._name, obj=session)


def answer_guesses(cls: type[S]) -> type[S]:
    """Have a class answer each of the `REMEDIES` with an AttributeError that names the right name.

    A ``__getattr__`` would do so in three lines. But with one Python looks up every attribute in the slow way, and a
    request reads dozens of a session's.
    """
    for name in REMEDIES.keys() - set(dir(cls)):
        setattr(cls, name, _Guess(name))
    return cls
