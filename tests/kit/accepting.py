"""What accepts another library's sessions: cookies as Flask writes them, and managers that read them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from cookiesess import CookiePolicy
from cookiesess.readers import FlaskCookie
from kit.browser import Browser
from kit.constants import MAX_BYTES, SECRET, UNTIL
from kit.world import World

OLD = "session"
DATA: dict[str, Any] = {"user": "ann", "cart": ["tea"]}


def flask_cookie(at: int, data: Mapping[str, Any] = DATA, secret: str = SECRET) -> str:
    """Return what Flask writes at the Unix second `at`."""

    class At(TimestampSigner):
        def get_timestamp(self) -> int:
            return at

    options = {"key_derivation": "hmac", "digest_method": hashlib.sha1}
    written = URLSafeTimedSerializer(secret, salt="cookie-session", signer=At, signer_kwargs=options).dumps(data)
    assert isinstance(written, str)
    return written


def flask(secret: str = SECRET, **settings: Any) -> FlaskCookie:
    """Return a reader of these."""
    return FlaskCookie(secret, **{"until": UNTIL, **settings})


KINDS: dict[str, Callable[[World], dict[str, Any]]] = {
    "client-side": lambda world: {},
    "server-side": lambda world: {"store": world.overflow},
    "overflow": lambda world: {"overflow": world.overflow},
    "revocations": lambda world: {"revocations": world.revocations},
    "both": lambda world: {"overflow": world.overflow, "revocations": world.revocations},
    "chunks": lambda world: {"cookie": CookiePolicy(max_bytes=MAX_BYTES, chunks=3)},
    "signed": lambda world: {"encrypt": False},
}
"""The settings of every kind of session."""


def visitor(world: World, data: Mapping[str, Any] = DATA, **cookies: str) -> Browser:
    """A browser that brings what Flask has just written."""
    return Browser(world, {OLD: flask_cookie(world.now, data), **cookies})


def calls(world: World) -> list[str]:
    """What all stores were called since this was asked last."""
    return [call for probe in world.probes for call in probe.taken()]
