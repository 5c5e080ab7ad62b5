"""What a Django project's settings say about sessions, in this library's terms."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, NamedTuple, cast

from django.conf import global_settings, settings
from django.utils.encoding import force_bytes
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString

from cookiesess.errors import ConfigurationError
from cookiesess.http.cookies import EXPIRES_BYTES, MAX_LINE_BYTES
from cookiesess.http.envelope import LONGEST_MAX_AGE
from cookiesess.http.foreign import ForeignReader, parted
from cookiesess.http.policy import CookiePolicy
from cookiesess.manager.manager import SessionManager
from cookiesess.manager.opened import OpenedStores
from cookiesess.manager.settings import Settings, naming
from cookiesess.session.lifetime import Lifetime
from cookiesess.stores.base import Store
from cookiesess.stores.urls import open_store
from cookiesess.tokens.keys import Key, Keyring
from cookiesess.tokens.values import ValueType

SAFE_STRING: Final = ValueType(63, SafeString, str.__str__, SafeString)
"""The type of the texts of `mark_safe` and templates, which sessions carry. Your own types may have tags 0 to 62."""

DEPENDS_ON: Final = frozenset(
    {
        "COOKIESESS_STORE",
        "COOKIESESS_KEYS",
        "COOKIESESS_KEYS_FILE",
        "COOKIESESS_OPTIONS",
        "MIDDLEWARE",
        "SECRET_KEY",
        "SECRET_KEY_FALLBACKS",
        "SESSION_SERIALIZER",
        "SESSION_SAVE_EVERY_REQUEST",
        "SESSION_COOKIE_AGE",
        "SESSION_COOKIE_NAME",
        "SESSION_COOKIE_PATH",
        "SESSION_COOKIE_DOMAIN",
        "SESSION_COOKIE_SECURE",
        "SESSION_COOKIE_HTTPONLY",
        "SESSION_COOKIE_SAMESITE",
    }
)
"""The settings that are read here, once."""

_IN: Final = "in Django's settings, "
# Django adds both to a cookie that outlives the window: "; Max-Age=1209600; expires=Wed, 21 Oct 2026 07:28:00 GMT".
_TIMES_BYTES: Final = len(f"; Max-Age={LONGEST_MAX_AGE}") + EXPIRES_BYTES
# What Django's own settings decide, and what needs a second cookie, of which Django knows nothing.
_NOT_OPTIONS: Final = {
    "store": "set COOKIESESS_STORE",
    "cookie": "set SESSION_COOKIE_NAME and the other SESSION_COOKIE_…",
    "login_label": "Django's session engine sees no request; set request.session.native.label after the login",
    "overflow": "Django knows one cookie alone; set COOKIESESS_STORE",
}


class Setup(NamedTuple):
    """What the engine works with.

    Attributes:
        manager: Has the sessions.
        name: The session cookie's.
        store: Where they are kept, or None: in the cookie.
        clock: Returns Unix seconds.
        idle_seconds: ``SESSION_COOKIE_AGE``.
        opened: Holds the stores that were opened by URL.
        takes_over: Sessions move here out of other libraries' stores.
    """

    manager: SessionManager
    name: str
    store: Store | None
    clock: Callable[[], float]
    idle_seconds: int
    opened: OpenedStores
    takes_over: bool

    @classmethod
    def read(cls) -> "Setup":
        """Return what the settings describe.

        Raises:
            ConfigurationError: A setting that is missing, wrong, or contradicts another.
        """
        _refuse_serializer()
        options = _options()
        options |= {"store": _store(), "cookie": _cookie(), "lifetime": _lifetime(options.get("lifetime"))}
        with naming(_IN + "COOKIESESS_OPTIONS"):
            opened = OpenedStores(options)
        configuration = opened.configuration
        if configuration.binding is not None:
            _check_middleware()
        complete = {**opened.settings, "types": [SAFE_STRING, *configuration.types]}
        if settings.SESSION_SAVE_EVERY_REQUEST and configuration.on_store_error == "anonymous":
            raise _wrong(
                "SESSION_SAVE_EVERY_REQUEST",
                "it has every request write, and 'anonymous' is for requests that only read while the store is down;"
                " leave it out, or on_store_error in COOKIESESS_OPTIONS",
            )
        _check_readers(configuration.accept, configuration.cookie.name)
        return cls(
            SessionManager(_keys(), **complete),
            configuration.cookie.name,
            configuration.store,
            configuration.clock,
            configuration.lifetime.idle_seconds,
            opened,
            bool(parted(configuration.accept)[1]),
        )


def _wrong(name: str, problem: str) -> ConfigurationError:
    return ConfigurationError(f"{_IN}{name}: {problem}")


def _refuse_serializer() -> None:
    if settings.SESSION_SERIALIZER != global_settings.SESSION_SERIALIZER:
        raise _wrong(
            "SESSION_SERIALIZER",
            "sessions are written in a format of their own, which keeps every type and never unpickles; remove it, and"
            ' register the types that it was for: COOKIESESS_OPTIONS = {"types": [ValueType(…)]}',
        )


def _options() -> Settings:
    options: Any = getattr(settings, "COOKIESESS_OPTIONS", {})
    if not isinstance(options, dict):
        raise _wrong("COOKIESESS_OPTIONS", f"a dict of SessionManager's settings, not {type(options).__name__}")
    known = Settings.__optional_keys__ - _NOT_OPTIONS.keys()
    for name in options:
        if name not in known:
            remedy = _NOT_OPTIONS.get(name, f"it may hold {', '.join(sorted(known))}")
            raise _wrong("COOKIESESS_OPTIONS", f"{name!r} is not for here; {remedy}")
    return cast("Settings", options.copy())


def _check_middleware() -> None:
    classes = (import_string(path) for path in settings.MIDDLEWARE)
    if not any(getattr(each, "answers_browsers", False) for each in classes):
        raise _wrong(
            'COOKIESESS_OPTIONS["binding"]',
            "browsers ask for paths that the project does not know; in MIDDLEWARE write"
            ' "cookiesess.adapters.django.middleware.SessionMiddleware" in place of'
            ' "django.contrib.sessions.middleware.SessionMiddleware"',
        )


def _check_readers(readers: Sequence[ForeignReader], name: str) -> None:
    for reader in readers:
        if reader.cookie_name != name:
            raise _wrong(
                'COOKIESESS_OPTIONS["accept"]',
                f"a reader looks for the cookie {reader.cookie_name!r}, and Django hands on {name!r} alone; set"
                " SESSION_COOKIE_NAME to the name of old",
            )


def _store() -> Store | None:
    if not hasattr(settings, "COOKIESESS_STORE"):
        raise _wrong(
            "COOKIESESS_STORE",
            'it is missing; set a URL such as "sqlite:////var/lib/shop/sessions.db", a Store, or the dotted path of'
            " one; None keeps the sessions in the encrypted cookie itself",
        )
    value, what = settings.COOKIESESS_STORE, "a URL, a Store, a dotted path or None, not {}"
    if isinstance(value, str) and not all(part.isidentifier() for part in value.split(".")):
        with naming(_IN + "COOKIESESS_STORE"):
            value = open_store(value)
    elif isinstance(value, str):
        what = "its dotted path leads to a {}, not to a Store"
        try:
            value = import_string(value)
        except ImportError as error:
            problem = f"{value} cannot be imported; write a URL, or the dotted path of a Store"
            raise _wrong("COOKIESESS_STORE", problem) from error
    if value is not None and not isinstance(value, Store):
        raise _wrong("COOKIESESS_STORE", what.format(type(value).__name__))
    return value


def _keys() -> Keyring:
    # None is no default: it is what an environment variable that is not set gives.
    if hasattr(settings, "COOKIESESS_KEYS"):
        with naming(_IN + "COOKIESESS_KEYS"):
            return Keyring.of(settings.COOKIESESS_KEYS)
    if hasattr(settings, "COOKIESESS_KEYS_FILE"):
        with naming(_IN + "COOKIESESS_KEYS_FILE"):
            return Keyring.from_file(settings.COOKIESESS_KEYS_FILE)
    found = Keyring.found_in(os.environ)
    if found is not None:
        return found
    secrets = dict.fromkeys(map(force_bytes, (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)))
    return _secret_keys(*secrets)


@naming(_IN + "SECRET_KEY, SECRET_KEY_FALLBACKS (or set COOKIESESS_KEYS)")
def _secret_keys(current: bytes, *accepted: bytes) -> Keyring:
    return Keyring(Key.of_secret_key(current), map(Key.of_secret_key, accepted))


@naming(_IN + "SESSION_COOKIE_…")
def _cookie() -> CookiePolicy:
    """Return the cookie as Django will write it: so that its size is known, and a wrong combination is refused."""
    samesite: Any = settings.SESSION_COOKIE_SAMESITE or None
    return CookiePolicy(
        settings.SESSION_COOKIE_NAME,
        path=settings.SESSION_COOKIE_PATH,
        domain=(settings.SESSION_COOKIE_DOMAIN or "").lstrip(".") or None,
        secure=bool(settings.SESSION_COOKIE_SECURE),
        httponly=bool(settings.SESSION_COOKIE_HTTPONLY),
        samesite=cast("Any", samesite.title()) if isinstance(samesite, str) else samesite,
        max_bytes=MAX_LINE_BYTES - _TIMES_BYTES,
    )


def _lifetime(given: Lifetime | None) -> Lifetime:
    """Return the timeouts: ``SESSION_COOKIE_AGE`` since the last save, and an absolute one where that is wanted.

    Each save moves the deadline.
    """
    idle = timedelta(seconds=settings.SESSION_COOKIE_AGE)
    if given is not None and not isinstance(given, Lifetime):
        raise _wrong('COOKIESESS_OPTIONS["lifetime"]', f"a Lifetime(…), not {type(given).__name__}")
    with naming(_IN + "SESSION_COOKIE_AGE"):
        lifetime = given or Lifetime(idle=idle, absolute=None)
    if lifetime.idle != idle:
        raise _wrong(
            'COOKIESESS_OPTIONS["lifetime"]',
            f"idle ({lifetime.idle}) and SESSION_COOKIE_AGE ({idle}) contradict each other; make them the same",
        )
    return replace(lifetime, refresh_after=timedelta(0))
