"""Finds settings of Flask-Session in a Flask app's config, which this library does not read, and says so."""

import logging
from dataclasses import dataclass
from typing import ClassVar, Final

from flask import Flask

from cookiesess.errors import ConfigurationError
from cookiesess.events import Event
from cookiesess.http.foreign import ForeignStore
from cookiesess.manager.settings import Configuration

_TYPE: Final = "SESSION_TYPE"
_REDIS: Final = 'store="redis://…"'
_SQL: Final = 'store="postgresql://…" or "mariadb://…"'
_FILE: Final = 'store="sqlite:////var/lib/shop/sessions.db"'
_TABLE: Final = "nothing: `python -m cookiesess migrate` makes the table"
_NOTHING: Final = "nothing"
_NONE: Final = "no such store"

OPTIONS: Final = {
    _TYPE: f"{_REDIS}, or another URL",
    "SESSION_REDIS": _REDIS,
    "SESSION_MEMCACHED": 'store="memcached://…"',
    **dict.fromkeys(("SESSION_CACHELIB", "SESSION_FILE_DIR", "SESSION_FILE_THRESHOLD", "SESSION_FILE_MODE"), _FILE),
    **dict.fromkeys(("SESSION_SQLALCHEMY", "SESSION_SQLALCHEMY_BIND_KEY"), _SQL),
    "SESSION_SQLALCHEMY_TABLE": 'store="postgresql://…?table=…"',
    **dict.fromkeys(("SESSION_SQLALCHEMY_SCHEMA", "SESSION_SQLALCHEMY_SEQUENCE"), _TABLE),
    **dict.fromkeys(("SESSION_MONGODB", "SESSION_MONGODB_DB", "SESSION_MONGODB_COLLECT"), _NONE),
    **dict.fromkeys(("SESSION_DYNAMODB", "SESSION_DYNAMODB_TABLE"), _NONE),
    "SESSION_KEY_PREFIX": 'store="redis://…?prefix=…"',
    "SESSION_USE_SIGNER": _NOTHING,
    "SESSION_ID_LENGTH": _NOTHING,
    "SESSION_PERMANENT": "session.permanent = True, or cookie=CookiePolicy(persistent=True)",
    "SESSION_SERIALIZATION_FORMAT": _NOTHING,
    "SESSION_CLEANUP_N_REQUESTS": _NOTHING,
}
"""Flask-Session's settings, and what each is called here; docs/migrating.md has the same in more words."""


@dataclass(frozen=True, slots=True)
class UnreadSettings(Event):
    """A Flask app's config has settings of Flask-Session, which this library does not read. Said once per app.

    Attributes:
        settings: The names of the settings, parted by commas.
    """

    settings: str
    advice: ClassVar[str] = "they are Flask-Session's, and nobody reads them here; take them out"
    name: ClassVar[str] = "flask.unread_settings"
    level: ClassVar[int] = logging.WARNING

    def remedy(self) -> str:
        """Return the settings to write instead."""
        return f"{self.advice}. In their place: " + "; ".join(
            f"for {name} {OPTIONS[name]}" for name in self.settings.split(", ")
        )


def left_over(app: Flask, given: Configuration) -> UnreadSettings | None:
    """Return what the config of `app` holds of Flask-Session's settings, or None.

    None as well where `accept` takes sessions over from a store: such an app may need them for that, and its older
    version, which runs beside it during the deploy, does.

    Args:
        app: The app.
        given: What `Cookiesess` was given.

    Raises:
        ConfigurationError: They say where to keep the sessions, and no store was given: all sessions would be in their
            cookies, and nobody would notice before one of them is too large.
    """
    # False and None say nothing, here as there; "null" is Flask-Session's own word for it.
    found = [name for name in OPTIONS if app.config.get(name) not in (None, False, "null")]
    if not found or any(isinstance(reader, ForeignStore) for reader in given.accept):
        return None
    if found[0] == _TYPE and (given.store, given.overflow) == (None, None):
        raise ConfigurationError(
            f"in the config of the Flask app, {_TYPE}: it is Flask-Session's, and nobody reads it here. Write"
            f' Cookiesess(app, store="redis://…"), with the URL of your store, and take {_TYPE} out; without a store'
            " sessions are in their cookies. docs/migrating.md tells the rest, also how users stay logged in"
        )
    return UnreadSettings(", ".join(found))
