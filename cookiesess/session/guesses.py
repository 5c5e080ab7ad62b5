"""The names that other libraries use for a session's methods, and the names to use here."""

from collections.abc import Mapping
from typing import Any, Final, NoReturn, TypeVar

_LIFE: Final = "session.remember(timedelta) sets its life; session.idle, .absolute and .persistent are parts of it"
_NEW_ID: Final = "session.login(owner) gives a new ID by itself; session.renew() does for another change of privileges"
_NO_ID: Final = "the ID is secret, and nobody is shown it; session.owner says whose session it is"
_ENDS: Final = "session.invalidate() ends the session"
_OWNER: Final = "session.owner says whose session it is; session.login(owner) sets it"
_DEADLINE: Final = "session.expires_at says when it ends if nobody comes, in Unix seconds"
_BY_ITSELF: Final = (
    "what was changed is found and saved by itself, nested values included; session.save() writes it now"
)

REMEDIES: Final[dict[str, str]] = {
    **dict.fromkeys(("logout", "log_out", "sign_out", "delete", "destroy", "flush", "end", "close", "revoke"), _ENDS),
    **dict.fromkeys(("regenerate", "regenerate_id", "cycle_key", "cycle_id", "new_id", "rotate"), _NEW_ID),
    **dict.fromkeys(("set_expiry", "permanent", "max_age", "timeout", "lifetime", "expire", "expiry"), _LIFE),
    **dict.fromkeys(("expires", "expires_in", "get_expiry_age", "get_expiry_date"), _DEADLINE),
    **dict.fromkeys(("id", "sid", "session_id", "session_key"), _NO_ID),
    **dict.fromkeys(("user", "user_id", "username", "log_in", "sign_in", "is_authenticated"), _OWNER),
    **dict.fromkeys(("commit", "persist", "changed"), _BY_ITSELF),
    "data": "the session itself is the dict; dict(session) copies it",
    "get_flashed_messages": "session.pop_flashes() returns the messages and forgets them",
    "new_csrf_token": "session.csrf_token() returns one",
    "get_csrf_token": "session.csrf_token() returns one",
    "last_accessed": "session.refreshed_at says when it was last written or refreshed",
    "created": "session.created_at says when it began",
    "new": "session.is_new says whether it began in this request",
}
"""What to write, by the name that somebody has guessed."""


S = TypeVar("S")


class _Guess:
    """Stands in a class under a name that it does not have, and raises what tells the right one.

    A subclass with a ``__dict__`` may have attributes of that name; a plain session has nowhere to keep one.
    """

    def __init__(self, name: str, remedy: str) -> None:
        self._name, self._remedy = name, remedy

    def __get__(self, session: object, owner: type) -> Any:
        own = _attributes(session)
        return own[self._name] if self._name in own else self._refuse(session)

    def __set__(self, session: object, value: object) -> None:
        if not hasattr(session, "__dict__"):
            self._refuse(session)
        _attributes(session)[self._name] = value

    def __delete__(self, session: object) -> None:
        if _attributes(session).pop(self._name, self) is self:
            self._refuse(session)

    def _refuse(self, session: object) -> NoReturn:
        message = f"a session has no attribute {self._name!r}; {self._remedy}"
        raise AttributeError(message, name=self._name, obj=session)


def _attributes(session: object) -> dict[str, Any]:
    return getattr(session, "__dict__", {})


def answer_guesses(cls: type[S], remedies: Mapping[str, str] = REMEDIES) -> type[S]:
    """Have a class answer each of the `remedies` with an AttributeError that names the right name.

    A ``__getattr__`` would do so in three lines. But with one Python looks up every attribute in the slow way, and a
    request reads dozens of a session's.
    """
    for name in remedies.keys() - set(dir(cls)):
        setattr(cls, name, _Guess(name, remedies[name]))
    return cls


def let_others_answer(cls: type) -> None:
    """Have a subclass take a name from where any of its bases has it, and not the guess of one that comes before."""
    for name in REMEDIES:
        found = [vars(base)[name] for base in cls.__mro__ if name in vars(base)]
        others = [each for each in found if not isinstance(each, _Guess)]
        if others and others[0] is not found[0]:
            setattr(cls, name, others[0])
