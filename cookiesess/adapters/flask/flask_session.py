"""The session as Flask apps know it."""

from typing import TYPE_CHECKING, Any, Protocol

from flask import Response
from flask.sessions import NullSession, SessionMixin

from cookiesess.manager.manager import SessionManager
from cookiesess.session import flash
from cookiesess.session.flash import Flash
from cookiesess.session.session import Session
from cookiesess.session.working_copy import WorkingCopy

# Where Flask's own `flash` keeps its messages, a list of (category, message); and where its own sessions say that they
# are permanent, which comes here in what `cookiesess.readers.flask.FlaskCookie` has read.
_FLASHES, _PERMANENT = "_flashes", "_permanent"


class Attached(Protocol):
    """What saves a session with its response; `cookiesess.adapters.flask.attachment.FlaskAttachment` does."""

    def save(self, response: Response, *, refresh: bool) -> None:
        """Commit the session, and give `response` the headers that belong to it."""


class FlaskSession(Session, SessionMixin):
    """A `Session` with what `flask.sessions.SessionMixin` adds to a dict; `flask.session` leads here.

    All of `Session` is there too: ``flask.session.login(owner)``, ``.renew()``, ``.invalidate()``, ``.csrf_token()``…

    Attributes:
        accessed: Whether the app has asked for `flask.session` at all, as Flask notes it.
    """

    # Where `cookiesess.adapters.flask.attachment` finds its request again when Flask hands it the session.
    manager: SessionManager | None = None
    attachment: "Attached | None" = None
    _marked = _cleared = _was_modified = False

    @property
    def new(self) -> bool:  # type: ignore[override]  # the mixin's is an attribute
        """As `is_new`."""
        return self.is_new

    @property
    def permanent(self) -> bool:
        """Whether the cookie outlives the browser window; False by default. As `persistent`, and no key of the dict."""
        own = self.persistent
        if own is None:  # without a manager it was opened outside of any request, by a test
            own = self.manager is not None and self.manager.cookie.persistent
        return own

    @permanent.setter
    def permanent(self, value: bool) -> None:
        if self.permanent is not bool(value):
            self.persistent = bool(value)

    @property
    def modified(self) -> bool:
        """Whether the session differs from what was loaded, nested values included, or was marked.

        Once the session is saved it stays what it was then, for tests and for functions that run after the response.

        Setting it to True has the idle timeout count from now. It is not needed to have a change saved. Setting it to
        False does nothing: what was changed is saved.
        """
        return self._marked or self._was_modified or super().modified

    @modified.setter
    def modified(self, value: bool) -> None:
        if value:
            self._marked = True
            self.refresh()

    def note_change(self) -> None:
        """Remember that what has just been written was modified: afterwards nobody could tell."""
        self._was_modified = True

    def clear(self) -> None:
        """End the session, as `invalidate` does: this is how Flask apps log out, and what they do before a login.

        What is written afterwards is another session under a new ID, so an ID that somebody planted before a login is
        worth nothing after it (session fixation).
        """
        self.invalidate()
        self._cleared = True

    @property
    def _logged_out(self) -> bool:
        """As `Session`'s; but what was cleared and filled is a login."""
        return super()._logged_out and not (self._cleared and self.keys() - {_FLASHES})

    def copy(self) -> dict[str, Any]:
        """Return the values in a dict of their own; not a deep copy."""
        return dict(self)

    def flash(self, message: Any, category: str = "message") -> None:
        """As `flask.flash`: `flask.get_flashed_messages` and `pop_flashes` show the same messages."""
        self[_FLASHES] = [*self.get(_FLASHES, ()), (category, message)][-flash.MOST :]

    def pop_flashes(self, category: str | None = None) -> list[Flash]:
        """Return the waiting messages, oldest first, and forget them; with `category`, only those of that one."""
        taken, rest = flash.take([(message, kind) for kind, message in self.get(_FLASHES, ())], category)
        if rest:
            self[_FLASHES] = [(kind, message) for message, kind in rest]
        elif taken:
            del self[_FLASHES]
        return taken

    def _load(self) -> WorkingCopy:
        working = super()._load()
        data = working.state.data
        flashes = data.get(_FLASHES)
        if type(flashes) is list and len(flashes) > flash.MOST:
            # `flask.flash` keeps any number. That is no change of the app's: the next write leaves the others out.
            data[_FLASHES] = flashes[-flash.MOST :]
        if _PERMANENT in data and not self.closed:
            self.persistent = bool(self.pop(_PERMANENT))
        return working


if TYPE_CHECKING:
    # As `cookiesess.wsgi.session_classes` has it.
    from typing_extensions import TypeVar

    FlaskT_co = TypeVar("FlaskT_co", bound=FlaskSession, covariant=True, default=FlaskSession)
else:
    from typing import TypeVar

    FlaskT_co = TypeVar("FlaskT_co", bound=FlaskSession, covariant=True)


class NoSession(NullSession):
    """What an app without a ``SECRET_KEY`` gets: Flask's own, which can be read, and says what is missing on a write.

    The verbs that Flask does not know say the same.
    """

    owner = None
    login = renew = invalidate = save = mutate = flash = csrf_token = NullSession.__setitem__
