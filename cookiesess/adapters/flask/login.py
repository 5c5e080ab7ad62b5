"""Connects Flask-Login's logins and logouts with the session's."""

from collections.abc import Callable
from typing import Any, Final

from flask import Flask, session

from cookiesess.adapters.flask.flask_session import FlaskSession

_REMEMBER: Final = "_remember"
_USER: Final = "_user_id"


def bind_flask_login(login_manager: Any, *, owner: Callable[[Any], str] | None = None) -> None:
    """Log the session in and out when Flask-Login does. Call it once, beside ``LoginManager(app)``.

    ``login_user`` logs the session in, and the session gets a new ID. The same happens at ``confirm_login``, and when
    the "remember me" cookie brings a login back. ``logout_user`` ends the session with all its data, also in the store;
    so does ``session_protection="strong"`` when it drops a session. Flask-Login deletes its own "remember me" cookie at
    ``logout_user``. Danger: `SessionManager.end_all` cannot end that cookie, which then logs the user in again.

    Args:
        login_manager: The app's `flask_login.LoginManager`.
        owner: A function that returns a user's ID for `Session.login`; by default the text that Flask-Login keeps in
            the session, ``get_id()``. Give one if ``get_id()`` changes with the password.
    """
    from flask_login import signals

    binding = _Binding(login_manager, owner or (lambda user: str(user.get_id())))
    login_manager.cookiesess_binding = binding  # the signals hold it weakly
    signals.user_logged_in.connect(binding.login)
    signals.user_loaded_from_cookie.connect(binding.login)
    signals.user_login_confirmed.connect(binding.confirm)
    signals.user_logged_out.connect(binding.logout)
    signals.session_protected.connect(binding.protect)


class _Binding:
    """What is done at Flask-Login's signals, for the apps of one login manager."""

    def __init__(self, login_manager: Any, owner: Callable[[Any], str]) -> None:
        self._login_manager, self._owner = login_manager, owner

    def _session(self, app: Flask) -> FlaskSession | None:
        """Return the session of a request of ours; another app's signals come here too."""
        if getattr(app, "login_manager", None) is not self._login_manager:
            return None
        return session if isinstance(session, FlaskSession) else None

    def login(self, app: Flask, *, user: Any) -> None:
        """Log the session in, under a new ID."""
        here = self._session(app)
        if here is not None:
            here.login(self._owner(user))

    def confirm(self, app: Flask) -> None:
        """Give the session of whoever has shown the password again a new ID, and the time of now."""
        here = self._session(app)
        if here is not None and here.owner is not None:
            here.login(here.owner)

    def logout(self, app: Flask, **_: Any) -> None:
        """End the session; Flask-Login deletes its own cookie afterwards, by a note in the session."""
        here = self._session(app)
        if here is not None:
            note = here.get(_REMEMBER)
            here.invalidate()
            if note is not None:
                here[_REMEMBER] = note

    def protect(self, app: Flask) -> None:
        """End the session that Flask-Login takes for stolen; "basic" keeps the login, as one that is not fresh."""
        here = self._session(app)
        if here is not None and here.owner is not None and _USER not in here:
            self.logout(app)
