"""Django's table of sessions in an SQLite file, as Django makes it, and rows as Django signs them."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from itsdangerous import Signer

from cookiesess.readers import DjangoStore
from kit.accepting import KINDS
from kit.browser import Browser
from kit.constants import DAY, SECRET, UNTIL
from kit.world import World

OLD = "sessionid"
OLD_ID = "k3y" * 10 + "0z"
DATA: dict[str, Any] = {"user": "ann", "cart": ["tea"], "_auth_user_id": "7"}
_TABLE = (
    "CREATE TABLE django_session (session_key varchar(40) NOT NULL PRIMARY KEY, session_data text NOT NULL,"
    " expire_date datetime NOT NULL)"
)


def signed(text: bytes, secret: str = SECRET) -> str:
    """Return text as Django's ``signing.dumps`` returns it, compressed."""
    payload = "." + urlsafe_b64encode(zlib.compress(text)).decode().rstrip("=")
    salt = "django.contrib.sessions.SessionStore"
    return Signer(secret, salt, ":", "django-concat", hashlib.sha256).sign(f"{payload}:1xocE4").decode()


class DjangoFile:
    """A file of Django's with the table of sessions in it.

    Args:
        folder: Where it is made.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "django.sqlite3"
        self.run(_TABLE)

    def run(self, statement: str, *parameters: str) -> list[Any]:
        """Run one statement."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(statement, parameters).fetchall()

    def put(self, expires_at: int, text: bytes = b"", *, secret: str = SECRET, key: str = OLD_ID) -> None:
        """Put a row there, by default one with `DATA`."""
        date = datetime.fromtimestamp(expires_at, UTC).replace(tzinfo=None).isoformat(" ")
        data = signed(text or json.dumps(DATA).encode(), secret)
        self.run("INSERT INTO django_session VALUES (?, ?, ?)", key, data, date)

    @property
    def keys(self) -> list[str]:
        """The keys of its rows."""
        return [key for (key,) in self.run("SELECT session_key FROM django_session ORDER BY session_key")]

    def expires_at(self, key: str = OLD_ID) -> int:
        """When a row expires."""
        ((date,),) = self.run("SELECT expire_date FROM django_session WHERE session_key = ?", key)
        return int(datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp())

    def take_down(self) -> None:
        """Have it be gone for a while."""
        self.path.rename(self.path.with_suffix(".away"))

    def bring_up(self) -> None:
        """Have it be there again."""
        self.path.with_suffix(".away").rename(self.path)

    def reader(self, **settings: Any) -> DjangoStore:
        """Return the reader for it."""
        return DjangoStore(f"sqlite:///{self.path}", **{"secret_key": SECRET, "until": UNTIL, **settings})


def old_visitor(world: World, data: Mapping[str, str] | None = None) -> Browser:
    """A browser with the cookie that Django has set."""
    return Browser(world, {OLD: OLD_ID, **(data or {})})


def taking_over(kind: str, world: World, old: DjangoFile) -> World:
    """Have a world go on with a manager of that kind, to which the sessions of a file move; there is one in it."""
    world.settings |= {"accept": [old.reader()], **KINDS[kind](world)}
    world.use()
    old.put(world.now + DAY)
    return world
