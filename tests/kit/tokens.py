"""What an attacker does with tokens: takes one, takes it apart, and shows what came of it."""

from __future__ import annotations

import base64
from typing import Any

from cookiesess import Session, SessionManager
from cookiesess.events import Event, SessionRejected
from kit.browser import Browser
from kit.constants import KEY
from kit.views import View


def logged_in(session: Session) -> None:
    """What there is to be had."""
    session.login("victim")
    session["balance"] = 100


def token_of(view: View = logged_in, keys: Any = KEY, **settings: Any) -> str:
    """Return the token of a session that `view` filled."""
    browser = Browser(SessionManager(keys, **settings))
    browser.visit(view)
    return browser.token


def seen_by(header: str, keys: Any = KEY, **settings: Any) -> tuple[str | None, dict[str, Any], list[str]]:
    """Return what a manager makes of a Cookie header: the owner, the data, and the reasons of its rejections."""
    events: list[Event] = []
    session = SessionManager(keys, on_event=events.append, **settings).open(header)
    return session.owner, dict(session), [event.reason for event in events if isinstance(event, SessionRejected)]


def raw(token: str) -> bytes:
    """The bytes of a token."""
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


def text(raw: bytes) -> str:
    """The token of such bytes."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
