"""What an app's Flask config says about sessions, in this library's terms."""

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Any, ClassVar, Final, NamedTuple, Self, cast
from urllib.parse import quote

from flask import Flask
from flask.sessions import SessionInterface

from cookiesess.errors import ConfigurationError, without_locals
from cookiesess.events import Event
from cookiesess.http.cookies import CookieAttributes
from cookiesess.http.policy import CookiePolicy
from cookiesess.manager.settings import naming
from cookiesess.session.lifetime import Lifetime
from cookiesess.tokens.keys import MIN_SECRET_BYTES, Key, Keyring

_IN: Final = "in the config of the Flask app, "
# What Flask leaves as it is in a path: a URL's own characters, and the percent sign of what is quoted already.
_PATH_SAFE = "%!$&'()*+,/:=@"

# RFC 7914 section 2, with the memory of OpenSSL's default bound (16 MB): about 40 ms for each key, once in a process.
_SCRYPT: Any = {"salt": b"cookiesess v1 flask", "n": 2**14, "r": 8, "p": 1, "dklen": MIN_SECRET_BYTES}


@dataclass(frozen=True, slots=True)
class ShortSecretKey(Event):
    """``SECRET_KEY``, or one of its fallbacks, is shorter than 32 bytes. Said once per app."""

    advice: ClassVar[str] = (
        "anybody who has one session cookie can guess a short key, and then forge sessions; run `python -m cookiesess"
        " keygen` for a good SECRET_KEY, and keep the old key in SECRET_KEY_FALLBACKS until its sessions have ended"
    )
    name: ClassVar[str] = "flask.short_secret_key"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class PartitionedAlone(Event):
    """``SESSION_COOKIE_PARTITIONED`` is set, and ``SESSION_COOKIE_SAMESITE`` is Lax or Strict. Said once per app."""

    advice: ClassVar[str] = (
        "in frames of other sites browsers drop the session's cookie, so an app that is embedded there has no session;"
        " set SESSION_COOKIE_SAMESITE to 'None', or leave SESSION_COOKIE_PARTITIONED out"
    )
    name: ClassVar[str] = "flask.partitioned_alone"
    level: ClassVar[int] = logging.WARNING


class _UncheckedFlags(CookieAttributes):
    """Of a config that sets Partitioned, which brings Secure along, beside SameSite=Lax or Strict, in so many words."""

    def _check_flags(self) -> None:
        pass


class _PartitionedAlone(CookiePolicy):
    """The policy that Flask's config may describe, and that nobody is given who has not asked for both."""

    __slots__ = ()
    _checked_by = _UncheckedFlags


# Where Flask's own ways of reading them read the settings from, but for SECRET_KEY_FALLBACKS.
_READ_FROM: Final = itemgetter(
    "SECRET_KEY",
    "SESSION_COOKIE_NAME",
    "SESSION_COOKIE_DOMAIN",
    "SESSION_COOKIE_PATH",
    "APPLICATION_ROOT",
    "SESSION_COOKIE_SECURE",
    "SESSION_COOKIE_HTTPONLY",
    "SESSION_COOKIE_SAMESITE",
    "SESSION_COOKIE_PARTITIONED",
    "PERMANENT_SESSION_LIFETIME",
)


def glance(app: Flask) -> tuple[object, ...]:
    """Return what a `FlaskConfig` of `app` is read from: while that is the same, so is the other.

    Every request asks, and this is done in a fifth of the time.
    """
    config = app.config
    return (*_READ_FROM(config), *(config["SECRET_KEY_FALLBACKS"] or ()))


def refuse_unread(app: Flask, *, keys: bool, store: bool) -> None:
    """Refuse a config that holds, as Django's settings do, what `Cookiesess` takes by keyword and was not given.

    Args:
        app: The app.
        keys: Whether there are keys from elsewhere.
        store: Whether a store was given.

    Raises:
        ConfigurationError: It holds ``COOKIESESS_KEYS`` or ``COOKIESESS_STORE``, which nobody reads there.
    """
    for keyword, given in (("keys", keys), ("store", store)):
        name = f"COOKIESESS_{keyword.upper()}"
        if not given and app.config.get(name) is not None:
            raise ConfigurationError(
                f"{_IN}{name}: it is not read there; write Cookiesess(app, {keyword}=app.config[{name!r}])"
            )


# Flask's own ways: methods of the interface, and attributes of the app.
_COOKIE_SETTINGS: Final = ("name", "domain", "path", "secure", "httponly", "samesite", "partitioned")
_APP_SETTINGS: Final = ("secret_key", "permanent_session_lifetime")


def reads_as_flask(app: Flask, interface: SessionInterface) -> bool:
    """Whether `interface` and the class of `app` read their settings from where `glance` looks, as Flask's own do."""
    names = [f"get_cookie_{name}" for name in _COOKIE_SETTINGS]
    return all(getattr(type(interface), name) is getattr(SessionInterface, name) for name in names) and all(
        getattr(type(app), name) is getattr(Flask, name) for name in _APP_SETTINGS
    )


class FlaskConfig(NamedTuple):
    """The settings that a manager depends on, as they stand at one moment.

    Attributes:
        secret_key: ``SECRET_KEY``; None or empty: not set.
        fallbacks: ``SECRET_KEY_FALLBACKS``.
        cookie: ``SESSION_COOKIE_NAME``, ``…_DOMAIN``, ``…_PATH`` (else ``APPLICATION_ROOT``), ``…_SECURE``,
            ``…_HTTPONLY``, ``…_SAMESITE`` and ``…_PARTITIONED``.
        permanent_lifetime: ``PERMANENT_SESSION_LIFETIME``.
    """

    secret_key: str | bytes | None
    fallbacks: tuple[str | bytes, ...]
    cookie: tuple[str, str | None, str | None, bool, bool, Any, bool]
    permanent_lifetime: timedelta

    @classmethod
    def read(cls, app: Flask, interface: SessionInterface) -> Self:
        """Return the settings of `app`; `interface` has the methods by which a subclass may choose others."""
        return cls(
            app.secret_key,
            _fallbacks(app.config["SECRET_KEY_FALLBACKS"]),
            (
                interface.get_cookie_name(app),
                interface.get_cookie_domain(app),
                interface.get_cookie_path(app),
                interface.get_cookie_secure(app),
                interface.get_cookie_httponly(app),
                interface.get_cookie_samesite(app),
                interface.get_cookie_partitioned(app),
            ),
            app.permanent_session_lifetime,
        )

    def __repr__(self) -> str:
        # Without the secrets: a repr ends up in logs.
        return f"<FlaskConfig, cookie {self.cookie[0]!r}>"

    @property
    def short(self) -> bool:
        """Whether one of the keys is shorter than a key should be."""
        return any(len(_bytes(secret)) < MIN_SECRET_BYTES for secret in (self.secret_key or "", *self.fallbacks))

    @property
    def partitioned_alone(self) -> bool:
        """Whether the cookie is to be Partitioned beside a SameSite, written out, that keeps it out of frames."""
        *_, samesite, partitioned = self.cookie
        return bool(partitioned) and _samesite(samesite or "") in ("Lax", "Strict")

    @without_locals
    def keyring(self) -> Keyring:
        """Return the ring of ``SECRET_KEY`` and its fallbacks.

        Raises:
            ConfigurationError: One of them is empty, or neither text nor bytes, or the documentation's placeholder, or
                several generated keys.
        """
        current, *accepted = dict.fromkeys(_bytes(secret) for secret in (self.secret_key or "", *self.fallbacks))
        return Keyring(
            _key("SECRET_KEY", current), accepted=[_key("SECRET_KEY_FALLBACKS", secret) for secret in accepted]
        )

    @naming(_IN + "SESSION_COOKIE_…")
    def policy(self) -> CookiePolicy:
        """Return the cookie that ``SESSION_COOKIE_*`` and ``APPLICATION_ROOT`` describe, read as Flask reads them.

        Raises:
            ConfigurationError: Something that Flask refuses as well, or that browsers would drop silently.
        """
        name, domain, path, secure, httponly, samesite, partitioned = self.cookie
        kind = _PartitionedAlone if self.partitioned_alone else CookiePolicy
        return kind(
            name,
            path=quote(path or "/", safe=_PATH_SAFE),
            domain=(domain or "").partition(":")[0].lstrip(".").encode("idna").decode("ascii") or None,
            # False is Flask's default, which says nothing: HTTPS is answered by a Secure cookie all the same.
            secure=bool(secure or partitioned) or "https",
            httponly=bool(httponly),
            samesite=cast("Any", _samesite(samesite)),
            partitioned=bool(partitioned),
        )

    @naming(_IN + "PERMANENT_SESSION_LIFETIME")
    def lifetime(self) -> Lifetime:
        """Return ``PERMANENT_SESSION_LIFETIME`` as an idle timeout; Flask knows no absolute one.

        Raises:
            ConfigurationError: Less than a second.
        """
        return Lifetime(idle=self.permanent_lifetime, absolute=None)


def _samesite(value: object) -> object:
    """Return what ``SESSION_COOKIE_SAMESITE`` means; Flask's default, None, says nothing, and is taken to be Lax."""
    if value is None:
        return "Lax"
    return value.title() if isinstance(value, str) else value


def _fallbacks(value: Iterable[str | bytes] | None) -> tuple[str | bytes, ...]:
    if isinstance(value, str | bytes):
        raise ConfigurationError(
            f"{_IN}SECRET_KEY_FALLBACKS is one key, and a list of keys is what is meant; write [key]"
        )
    return tuple(value or ())


def _bytes(secret: str | bytes) -> bytes:
    if isinstance(secret, str):
        return secret.encode(errors="surrogatepass")
    if type(secret) is not bytes:
        raise ConfigurationError(f"{_IN}SECRET_KEY is text or bytes, not {type(secret).__name__}")
    return secret


def _key(setting: str, secret: bytes) -> Key:
    """Return the key in `setting`: `secret` as it is if it is long enough, else what scrypt makes of it.

    That slows down whoever guesses, by about 40 ms and 16 MB a guess; it makes no good key of a bad one.
    """
    if not secret:
        raise ConfigurationError(f"{_IN}one of SECRET_KEY_FALLBACKS is empty; leave it out")
    with naming(_IN + setting):
        return Key.of_secret_key(secret if len(secret) >= MIN_SECRET_BYTES else _stretched(secret))


# A test suite makes an app for each of its tests, and all of them have the same key.
@lru_cache(maxsize=32)
def _stretched(secret: bytes) -> bytes:
    return hashlib.scrypt(secret, **_SCRYPT)
