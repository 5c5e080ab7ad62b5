"""What somebody writes in Django who has read of a session's verbs elsewhere, and what it is called there."""

from typing import Final, TypeVar

from cookiesess.session.guesses import answer_guesses

_LOGIN: Final = "django.contrib.auth.login(request, user) logs in, and gives the session a new ID"
_LOGOUT: Final = "django.contrib.auth.logout(request) logs out; request.session.flush() ends the session"
_OWNER: Final = "request.user says who has logged in; request.session.native.owner is the session's owner, as text"
_LIFE: Final = "request.session.set_expiry(timedelta) sets its life, and that of its cookie"

REMEDIES: Final[dict[str, str]] = {
    **dict.fromkeys(("login", "log_in", "sign_in"), _LOGIN),
    **dict.fromkeys(("logout", "log_out", "sign_out", "invalidate", "end", "revoke"), _LOGOUT),
    **dict.fromkeys(("owner", "user", "user_id", "is_authenticated"), _OWNER),
    **dict.fromkeys(("remember", "permanent", "idle", "absolute", "persistent"), _LIFE),
    **dict.fromkeys(("renew", "cycle", "regenerate", "regenerate_id"), "request.session.cycle_key() gives a new ID"),
    **dict.fromkeys(("flash", "pop_flashes"), "django.contrib.messages keeps messages for the next page"),
    "csrf_token": "django.middleware.csrf.get_token(request) returns one",
}
"""What to write, by the name that somebody has guessed."""

S = TypeVar("S")


def with_guesses(cls: type[S]) -> type[S]:
    """Have a class answer each of the `REMEDIES` with an AttributeError that names the right name."""
    return answer_guesses(cls, REMEDIES)
