"""What the tests of accepted sessions share: cookies as Flask writes them, and managers that read them."""

import hashlib
from datetime import UTC, datetime

from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from client.helpers import MAX_BYTES, Browser
from cookiesess import CookiePolicy
from cookiesess.readers import FlaskCookie

SECRET = "a secret that the other library signs with"
UNTIL = datetime(2100, 1, 1, tzinfo=UTC)
OLD = "session"
DATA = {"user": "ann", "cart": ["tea"]}


def flask_cookie(at, data=DATA, secret=SECRET):
    """Return what Flask writes at the Unix second `at`."""

    class At(TimestampSigner):
        def get_timestamp(self):
            return at

    options = {"key_derivation": "hmac", "digest_method": hashlib.sha1}
    return URLSafeTimedSerializer(secret, salt="cookie-session", signer=At, signer_kwargs=options).dumps(data)


def flask(secret=SECRET, **settings):
    return FlaskCookie(secret, **{"until": UNTIL, **settings})


KINDS = {
    "client-side": lambda world: {},
    "server-side": lambda world: {"store": world.overflow},
    "overflow": lambda world: {"overflow": world.overflow},
    "revocations": lambda world: {"revocations": world.revocations},
    "both": lambda world: {"overflow": world.overflow, "revocations": world.revocations},
    "chunks": lambda world: {"cookie": CookiePolicy(max_bytes=MAX_BYTES, chunks=3)},
    "signed": lambda world: {"encrypt": False},
}


def visitor(world, data=DATA, **cookies):
    """A browser that brings what Flask has just written."""
    return Browser(world, {OLD: flask_cookie(world.now, data), **cookies})


def calls(world):
    return [call for probe in world.probes for call in probe.taken()]
