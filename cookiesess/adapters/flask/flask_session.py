"""The session as Flask apps know it."""

from contextlib import nullcontext, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from flask import Response
from flask.sessions import NullSession, SessionMixin

from cookiesess.adapters.flask.websocket import is_websocket
from cookiesess.errors import SessionCommitted
from cookiesess.manager.manager import SessionManager
from cookiesess.session import flash
from cookiesess.session.flash import Flash
from cookiesess.session.session import Session
from cookiesess.session.working_copy import WorkingCopy

# Where Flask's own `flash` keeps its messages, a list of (category, message); and where its own sessions say that they
# are permanent, which comes here in what `cookiesess.readers.flask.FlaskCookie` has read.
_FLASHES, _PERMANENT = "_flashes", "_permanent"
# Where Flask-Login notes whether the user has shown a password in this session.
_FRESH: Final = "_fresh"
# Flask-Babel's and its forks', the package that older ones use, and Babel's own.
_LAZY_TEXTS: Final = frozenset({"LazyString", "speaklater._LazyString", "babel.support.LazyProxy"})


class Attached(Protocol):
    """What saves a session with its response; `cookiesess.adapters.flask.attachment.FlaskAttachment` does.

    Attributes:
        unanswered: Whether the request has become a WebSocket, so that nobody gets that response.
    """

    _environ: dict[str, Any]
    unanswered: bool

    def save(self, response: Response, *, refresh: bool) -> None:
        """Commit the session, and give `response` the headers that belong to it."""


class FlaskSession(Session, SessionMixin):
    """The class of `flask.session`: a `Session` that also has the attributes of `flask.sessions.SessionMixin`.

    All methods of `Session` work: ``flask.session.login(owner)``, ``.renew()``, ``.invalidate()``, ``.csrf_token()``…

    Attributes:
        accessed: Whether the app has used `flask.session` in this request, as Flask notes it.
    """

    # Where `cookiesess.adapters.flask.attachment` finds its request again when Flask hands it the session.
    manager: SessionManager | None = None
    attachment: "Attached | None" = None
    _marked = _cleared = _was_modified = False

    @property
    def new(self) -> bool:  # type: ignore[override]  # the mixin's is an attribute
        """The same as `is_new`."""
        return self.is_new

    @property
    def permanent(self) -> bool:
        """Whether the cookie outlives the browser window; False by default. The same as `persistent`."""
        own = self.persistent
        if own is None:  # without a manager it was opened outside of any request, by a test
            own = self.manager is not None and self.manager.cookie.persistent
        return own

    @permanent.setter
    def permanent(self, value: bool) -> None:
        if self.permanent is bool(value):
            return
        # Apps set it before each request, in a hook, and that is no change which the handler of a WebSocket loses.
        unanswered = self.attachment is not None and self.attachment.unanswered
        with suppress(SessionCommitted) if unanswered else nullcontext():
            self.persistent = bool(value)

    @property
    def modified(self) -> bool:
        """Whether the session differs from the one that was loaded (nested values count too), or was marked.

        After the session is saved, it keeps the answer for tests and for functions that run after the response.

        You need not set it: every change is saved. If you set it to True, the idle timeout counts from now. Setting it
        to False has no effect.
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
        """End the session, as `invalidate` does: Flask apps call this to log out, and before a login.

        If you write to it afterwards, the visitor gets another session under a new ID. So an ID that somebody planted
        before a login is worth nothing after it (session fixation).
        """
        self.invalidate()
        self._cleared = True

    @property
    def _logged_out(self) -> bool:
        """As `Session`'s; but what was cleared and filled is a login."""
        return super()._logged_out and not (self._cleared and self.keys() - {_FLASHES})

    def authenticated_within(self, duration: timedelta, *, bound: bool = False) -> bool:
        """As in `Session`; but also False if Flask-Login says that the login is not fresh.

        A login is not fresh if the "remember me" cookie of Flask-Login has brought it back, because nobody has entered
        a password, or if the session comes from another browser. It is fresh again after ``confirm_login``.
        """
        return super().authenticated_within(duration, bound=bound) and self.get(_FRESH) is not False

    def copy(self) -> dict[str, Any]:
        """Return the values in a new dict: a shallow copy."""
        return dict(self)

    def flash(self, message: Any, category: str = "message") -> None:
        """Keep a message for the next page, as `flask.flash` does.

        `flask.get_flashed_messages` and `pop_flashes` return the same messages. A lazily translated text (Flask-Babel's
        ``lazy_gettext``) is translated now.
        """
        self[_FLASHES] = [*self.get(_FLASHES, ()), (category, message)][-flash.MOST :]

    def pop_flashes(self, category: str | None = None) -> list[Flash]:
        """Return the waiting messages, oldest first, and forget them. With `category`: only those of that category."""
        taken, rest = flash.take([(message, kind) for kind, message in self.get(_FLASHES, ())], category)
        if rest:
            self[_FLASHES] = [(kind, message) for message, kind in rest]
        elif taken:
            del self[_FLASHES]
        return taken

    _lazy_texts = _LAZY_TEXTS

    def _storable(self, key: str, value: Any) -> Any:
        """Return messages, which `flask.flash` puts here, as plain text; other values stay exact."""
        return flash.plain(value, self._text_of) if key == _FLASHES else super()._storable(key, value)

    def _look_for_websocket(self, attachment: Attached) -> None:
        if not self.closed and is_websocket(attachment._environ):
            attachment.unanswered = True
            self._leave_unanswered()

    def _load(self) -> WorkingCopy:
        working = super()._load()
        attachment, data = self.attachment, working.state.data
        if attachment is not None:
            environ = attachment._environ
            # A handshake (RFC 6455 section 4.1), or what Flask-SocketIO or a server leaves: nearly no request needs a
            # closer look, and every one that loads its session asks.
            if "HTTP_UPGRADE" in environ or "flask.app" in environ or "wsgi.websocket" in environ:
                self._look_for_websocket(attachment)
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
    """The session of an app without a ``SECRET_KEY``: Flask's own. Reading works; a write says that the key is missing.

    The methods that Flask does not know say the same.
    """

    owner = None
    login = renew = invalidate = save = mutate = flash = csrf_token = NullSession.__setitem__
