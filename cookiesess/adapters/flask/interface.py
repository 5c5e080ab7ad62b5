"""The interface that Flask asks for a session, and the extension that puts it in place."""

import os
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Generic, Unpack, cast
from weakref import WeakKeyDictionary

import flask
from flask.sessions import SessionInterface, SessionMixin
from markupsafe import Markup

from cookiesess.adapters import unset
from cookiesess.adapters.flask.attachment import FlaskAttachment
from cookiesess.adapters.flask.config import (
    FlaskConfig,
    PartitionedAlone,
    ShortSecretKey,
    glance,
    reads_as_flask,
    refuse_unread,
)
from cookiesess.adapters.flask.flask_session import FlaskSession, FlaskT_co, NoSession
from cookiesess.adapters.flask.leftovers import left_over
from cookiesess.errors import ConfigurationError, without_locals
from cookiesess.events import Event
from cookiesess.manager.manager import SessionManager
from cookiesess.manager.names import check_names
from cookiesess.manager.opened import OpenedStores
from cookiesess.manager.settings import Settings
from cookiesess.session.lifetime import Lifetime
from cookiesess.tokens.keys import Key, Keyring
from cookiesess.tokens.values import ValueType
from cookiesess.wsgi.binding import BindingEndpoints
from cookiesess.wsgi.session_classes import check_session_class

MARKUP: Final = ValueType(63, Markup, str, Markup)
"""``flash(Markup("<b>saved</b>"))`` comes back as Markup. Tag 63 is taken by it, unless `types` has Markup already."""

# Flask knows no absolute timeout.
_FLASK_LIFETIME: Final = Lifetime(absolute=None)


class Unset(unset.Unset):
    """The default of `keys`."""

    KEYS = "COOKIESESS_KEYS, COOKIESESS_KEYS_FILE, or the app's SECRET_KEY"


@dataclass(frozen=True, slots=True)
class _Built:
    """The manager of an app, or None without a key; the config that it was built of, and what `glance` saw of it."""

    manager: SessionManager | None
    config: FlaskConfig
    seen: tuple[object, ...] | None = field(repr=False)


class CookiesessInterface(SessionInterface, Generic[FlaskT_co]):
    """Lets this library keep `flask.session`: ``app.session_interface = CookiesessInterface()``.

    One interface may serve several apps, each with its own settings. It builds a `SessionManager` for each app at its
    first request, and a new one when the app's config has changed.

    Args:
        keys: A `Keyring`; bytes (one key, verbatim); text (``"current,accepted,…"``); or a `SessionManager`, which
            brings all its settings. If you give no keys, they come from the environment variable ``COOKIESESS_KEYS`` or
            ``COOKIESESS_KEYS_FILE``. If neither is set, the app's ``SECRET_KEY`` and each of its
            ``SECRET_KEY_FALLBACKS`` is one key; such a key may be shorter than 32 bytes: it is stretched by scrypt,
            with one warning (`ShortSecretKey`).
        session_class: The class of `flask.session`: `FlaskSession` (the default), or a subclass with your own methods.
        **settings: The settings of `SessionManager`. Without ``cookie``, the app's ``SESSION_COOKIE_*`` settings
            describe the cookie. Without ``lifetime``, the idle timeout is ``PERMANENT_SESSION_LIFETIME``, and there is
            no absolute timeout. Danger: a session that is used then never ends, as in Flask; ``lifetime=Lifetime()``
            ends it 30 days after the login.

    Raises:
        ConfigurationError: `keys` is None; a setting is unknown, is wrong or contradicts another one; or you gave
            settings beside a ready manager. If the app's config is wrong, the app's first request raises it.
    """

    null_session_class = NoSession
    # Whether somebody in front of the app answers what browsers ask where sessions are bound to devices.
    _answers = False

    @without_locals
    def __init__(
        self,
        keys: Keyring | Key | bytes | str | SessionManager | Unset = Unset.KEYS,
        *,
        session_class: type[FlaskT_co] | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        check_names("CookiesessInterface(keys", settings)
        self._session_class: type[FlaskT_co] = check_session_class(session_class, base=FlaskSession)
        if isinstance(keys, SessionManager) and settings:
            raise ConfigurationError(f"a ready manager has its settings; give {', '.join(settings)} to SessionManager")
        self.binding = keys.binding if isinstance(keys, SessionManager) else settings.get("binding")
        if self.binding is not None and not self._answers:
            raise ConfigurationError(
                "with binding= browsers call paths that only the extension answers; write"
                " Cookiesess(app, keys=…, binding=…) instead of setting app.session_interface"
            )
        # What is wrong whatever the app's config says is said here.
        checked: Settings = {"lifetime": _FLASK_LIFETIME, **settings}
        self._opened = OpenedStores(checked)  # once for all managers that are built here
        types = tuple(self._opened.configuration.types)
        self._keys = keys if isinstance(keys, SessionManager | Unset) else Keyring.of(keys)
        if all(kind.cls is not Markup for kind in types):
            types = (*types, MARKUP)
        given = {name: self._opened.settings[name] for name in settings}
        self._settings: Settings = cast("Settings", {**given, "types": types})
        self._built: WeakKeyDictionary[flask.Flask, _Built] = WeakKeyDictionary()
        self._said: WeakKeyDictionary[flask.Flask, set[Event]] = WeakKeyDictionary()
        self._lock = Lock()

    def manager_of(self, app: flask.Flask) -> SessionManager:
        """Return the manager of `app`, to list and end a user's sessions outside of a request.

        In a request, ``get_manager(flask.request)`` returns the same manager.

        Raises:
            ConfigurationError: The app has no ``SECRET_KEY``, or something else in its config is wrong.
        """
        manager = self._find(app)
        if manager is None:
            raise ConfigurationError(
                "the Flask app has no keys; set COOKIESESS_KEYS or its SECRET_KEY, or give keys to CookiesessInterface"
            )
        return manager

    def open_session(self, app: flask.Flask, request: flask.Request) -> FlaskT_co | None:
        """Return the session of `request`; None without a ``SECRET_KEY``. It is read when the app first uses it.

        So this succeeds with any cookie, and while the store is down. If the store is down, the first use of the
        session raises `StoreUnavailable`, which ``app.errorhandler(StoreUnavailable)`` can answer.

        Raises:
            ConfigurationError: A setting, or the app's config, is wrong.
            SessionError: A `SessionMiddleware` around the app keeps its session in the same place.
        """
        manager = self._find(app)
        return None if manager is None else FlaskAttachment(manager, request.environ, self._session_class).session

    def save_session(self, app: flask.Flask, session: SessionMixin, response: flask.Response) -> None:
        """Commit `session` and give `response` its headers. The last of Flask's hooks that can set a cookie.

        Raises:
            CookieTooLarge, NotSerializable, StoreError: Nothing was saved; the error page goes without the session.
        """
        # Where `open_session` raised, Flask comes with None to save the error page's session.
        if isinstance(session, FlaskSession) and session.attachment is not None:
            session.attachment.save(response, refresh=app.config["SESSION_REFRESH_EACH_REQUEST"])

    def _find(self, app: flask.Flask) -> SessionManager | None:
        keys = self._keys
        if isinstance(keys, SessionManager):
            return keys
        built = self._built.get(app)
        if built is None or built.seen is None or built.seen != glance(app):
            built = self._look_closely(app, keys)
        return built.manager

    def _look_closely(self, app: flask.Flask, keys: Keyring | Unset) -> _Built:
        """Read the app's config as Flask does, and build another manager where it has changed."""
        seen, config = glance(app) if reads_as_flask(app, self) else None, FlaskConfig.read(app, self)
        with self._lock:
            built = self._built.get(app)
            same = built is not None and built.config == config
            manager = built.manager if built is not None and same else self._build(app, config, keys)
            built = self._built[app] = _Built(manager, config, seen)
        return built

    def _build(self, app: flask.Flask, config: FlaskConfig, keys: Keyring | Unset) -> SessionManager | None:
        # At the first request, when whoever reads a .env file has done so.
        own = keys if isinstance(keys, Keyring) else Keyring.found_in(os.environ)
        refuse_unread(app, keys=own is not None, store="store" in self._settings)
        unread = left_over(app, self._opened.configuration)
        if own is None and not config.secret_key:
            return None
        settings: Settings = {**self._settings}
        if "cookie" not in settings:
            settings["cookie"] = config.policy()
        if "lifetime" not in settings:
            settings["lifetime"] = config.lifetime()
        manager = SessionManager(own or config.keyring(), **settings)
        if own is None and config.short:
            self._warn(app, ShortSecretKey(), manager)
        if "cookie" not in self._settings and config.partitioned_alone:
            self._warn(app, PartitionedAlone(), manager)
        if unread is not None:
            self._warn(app, unread, manager)
        return manager

    def _warn(self, app: flask.Flask, event: Event, manager: SessionManager) -> None:
        """Emit `event`, once for each app."""
        said = self._said.setdefault(app, set())
        if event not in said:
            said.add(event)
            manager.emit(event)


class _AnsweringInterface(CookiesessInterface[FlaskT_co]):
    """The interface of the extension, which answers for its apps what browsers ask of a binding."""

    _answers = True


class Cookiesess(Generic[FlaskT_co]):
    """The Flask extension: puts a `CookiesessInterface` in place.

    Args:
        app: The Flask app, or None: call `init_app` later.
        keys: As in `CookiesessInterface`.
        session_class: As in `CookiesessInterface`.
        **settings: As in `CookiesessInterface`.

    Attributes:
        interface: The `CookiesessInterface` that `init_app` gives to the app.
        session: The same as `flask.session`, but type checkers know that it is a `session_class`.

    Raises:
        ConfigurationError: As in `CookiesessInterface`.
    """

    @without_locals
    def __init__(
        self,
        app: flask.Flask | None = None,
        keys: Keyring | Key | bytes | str | SessionManager | Unset = Unset.KEYS,
        *,
        session_class: type[FlaskT_co] | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        check_names("Cookiesess(app, keys", settings)
        if app is not None:
            self._check(app)
        self.interface: CookiesessInterface[FlaskT_co] = _AnsweringInterface(
            keys, session_class=session_class, **settings
        )
        self.session: FlaskT_co = cast("FlaskT_co", flask.session)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: flask.Flask) -> None:
        """Let this library keep the sessions of `app`. One extension may serve several apps.

        A second call for the same app does nothing.

        Raises:
            ConfigurationError: `app` is no Flask app, or has another `Cookiesess` already.
        """
        self._check(app)
        interface = app.session_interface = self.interface
        if interface.binding is not None and app.extensions.get("cookiesess") is not self:
            answering = BindingEndpoints(app.wsgi_app, lambda: interface.manager_of(app), binding=interface.binding)
            app.wsgi_app = answering  # type: ignore[method-assign]  # as Flask's documentation has it
        app.extensions["cookiesess"] = self

    def _check(self, app: object) -> None:
        if not isinstance(app, flask.Flask):
            # Without the value: it may be the keys.
            raise ConfigurationError(
                f"app must be a Flask app, not of type {type(app).__name__}; write Cookiesess(app, keys=…)"
            )
        if app.extensions.get("cookiesess", self) is not self:
            raise ConfigurationError(
                "this Flask app has a Cookiesess already, whose settings and store would be lost; remove one of the two"
                " calls; a test that wants other sessions sets app.session_interface = CookiesessInterface(…)"
            )
