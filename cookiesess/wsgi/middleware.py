"""The WSGI edge: a thin driver around `SessionManager`."""

import os
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Self, Unpack

from cookiesess.errors import ConfigurationError, SessionError
from cookiesess.manager.flat_settings import read_environment
from cookiesess.manager.manager import SessionManager
from cookiesess.manager.settings import Settings, check_names
from cookiesess.session.session import Session
from cookiesess.tokens.keys import Key, Keyring
from cookiesess.wsgi.exchange import Exchange, warn_if_unshared

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SESSION_KEY, COOKIES_KEY, MANAGER_KEY = "cookiesess.session", "cookiesess.cookies", "cookiesess.manager"
BEAKER_KEY: Final = "beaker.session"
# Where WebTest looks for what it shows as attributes of its responses.
_TESTING_KEY: Final = "paste.testing_variables"


class SessionMiddleware:
    """Gives a WSGI app ``environ["cookiesess.session"]`` and ``environ["cookiesess.cookies"]``.

    WebTest shows the session as ``response.session`` (of another `environ_key` than the default and Beaker's, with
    underscores for its dots).

    Args:
        app: Any WSGI app.
        keys: A `Keyring`; bytes (one key, verbatim); text (``"current,accepted,…"``); or a `SessionManager`, which then
            has all the settings.
        environ_key: Where the session stands in the environ. Two middlewares in one stack need two keys and two
            cookie names; they share one jar.
        session_class: `Session`, or a subclass with further methods. With the `environ_key` ``"beaker.session"`` the
            default is `cookiesess.adapters.beaker.BeakerSession`, which has those that apps written for Beaker call.
        **settings: As `SessionManager` takes them.

    Raises:
        ConfigurationError: A setting that is unknown, wrong or contradicts another; or `app` is a SessionMiddleware
            already, with the same `environ_key` or an overlapping cookie name.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        keys: Keyring | Key | bytes | str | SessionManager,
        *,
        environ_key: str = SESSION_KEY,
        session_class: type[Session] | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        if not callable(app):
            raise ConfigurationError(
                f"app is {type(app).__name__}, which cannot be called; SessionMiddleware(app, keys)"
            )
        check_names("SessionMiddleware(app, keys", settings, others=("environ_key", "session_class"))
        if isinstance(keys, SessionManager) and settings:
            raise ConfigurationError(f"a ready manager has its settings; give {', '.join(settings)} to SessionManager")
        if "." not in environ_key or environ_key in {COOKIES_KEY, MANAGER_KEY} or environ_key.startswith("wsgi."):
            raise ConfigurationError(
                f"environ_key {environ_key!r} is taken, or has no dot (PEP 3333); choose one such as 'myapp.session'"
            )
        self.app = app
        self.manager = keys if isinstance(keys, SessionManager) else SessionManager(keys, **settings)
        self._environ_key = environ_key
        self._manager_key = _manager_key(environ_key)
        self._session_class = _session_class(session_class, environ_key)
        self._names = self.manager.cookie.family
        self._refuse_second(app)
        named = environ_key not in {SESSION_KEY, BEAKER_KEY}
        self._testing_name = environ_key.replace(".", "_") if named else "session"

    @classmethod
    def from_env(
        cls,
        app: "WSGIApplication",
        *,
        keys: Keyring | Key | bytes | str | None = None,
        environ: Mapping[str, str] | None = None,
        environ_key: str | None = None,
        session_class: type[Session] | None = None,
        **settings: Unpack[Settings],
    ) -> Self:
        """Return a middleware with the settings that the environment variables ``COOKIESESS_…`` hold.

        ``COOKIESESS_KEYS`` or ``COOKIESESS_KEYS_FILE`` is needed; `cookiesess.manager.flat_settings` has the table of
        all of them. What is given here counts instead of its variable: `cookie` instead of all ``COOKIESESS_COOKIE_…``,
        `lifetime` instead of all ``COOKIESESS_LIFETIME_…``.

        Args:
            app: Any WSGI app.
            keys: As the constructor takes them.
            environ: The variables; by default those of the process. Others than ``COOKIESESS_…`` are passed over.
            environ_key: As the constructor takes it.
            session_class: As the constructor takes it.
            **settings: As `SessionManager` takes them.

        Raises:
            ConfigurationError: A variable ``COOKIESESS_…`` that is unknown, empty or unreadable; no keys; or as the
                constructor.
            MissingDependency: The client of a store's URL is not installed.
            StoreUnavailable: A store cannot be reached.
        """
        given: dict[str, Any] = {"keys": keys, "environ_key": environ_key}
        given = {**settings, **{name: value for name, value in given.items() if value is not None}}
        found = read_environment(os.environ if environ is None else environ, given=given)
        return cls(app, session_class=session_class, **{**found, **given})

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Run the app."""
        manager = self.manager
        if manager._unshared:
            warn_if_unshared(manager, environ)
        cookie_header = environ.get("HTTP_COOKIE", "")
        exchange = Exchange(manager, environ, start_response)
        session = exchange.session = manager.open(cookie_header, self._session_class)
        outer = environ.get(COOKIES_KEY)
        if outer is None or not outer.open:
            exchange.jar = environ[COOKIES_KEY] = manager.jar(cookie_header, transport=exchange.transport)
        else:
            self._refuse_clashes(environ)
            for name in self._names:
                outer.reserve(session, name)
        environ[self._environ_key] = session
        environ[self._manager_key] = manager
        if _TESTING_KEY in environ:
            environ[_TESTING_KEY][self._testing_name] = session
        result = None
        try:
            result = self.app(environ, exchange.start_response)
        finally:
            if result is None:  # it raised
                exchange.abandon()
        return exchange.finish(result)

    def _refuse_second(self, app: object) -> None:
        """Raise where `app` is a middleware that would get into this one's way at every request."""
        while isinstance(app, SessionMiddleware):
            if self._environ_key == app._environ_key or not self._names.isdisjoint(app._names):
                raise ConfigurationError(
                    f"this app is wrapped already, by a SessionMiddleware with environ_key {app._environ_key!r} and the"
                    f" cookie {app.manager.cookie.name!r}; give both settings to one SessionMiddleware, or this one"
                    " its own environ_key= and cookie name"
                )
            app = app.app

    def _refuse_clashes(self, environ: "WSGIEnvironment") -> None:
        """Raise where a request that is still running has another session in the same place or under the same name."""
        for key, present in environ.items():
            is_open = isinstance(present, Session) and not present.closed
            manager = environ.get(_manager_key(key)) if is_open else None
            if manager is None:
                continue
            if key == self._environ_key or not self._names.isdisjoint(manager.cookie.family):
                raise SessionError(
                    f"environ[{key!r}] holds the open session of another SessionMiddleware around this one, with the"
                    f" cookie {manager.cookie.name!r}, and this one has environ_key {self._environ_key!r} and the"
                    f" cookie {self.manager.cookie.name!r}; remove one, or give one of them its own environ_key= and"
                    " cookie name"
                )


def _manager_key(environ_key: str) -> str:
    return MANAGER_KEY if environ_key == SESSION_KEY else f"{environ_key}.manager"


def _session_class(given: Any, environ_key: str) -> type[Session]:
    if given is None and environ_key == BEAKER_KEY:
        # By name, as a store's engine by its URL: an adapter stands above this file, and few need this one.
        beaker: type[Session] = import_module("cookiesess.adapters.beaker").BeakerSession
        return beaker
    if given is None:
        return Session
    if not (isinstance(given, type) and issubclass(given, Session)):
        raise ConfigurationError(
            f"session_class is a subclass of Session, and what came is of type {type(given).__name__}"
        )
    return given
