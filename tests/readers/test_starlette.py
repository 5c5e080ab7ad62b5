"""StarletteCookie against cookies that Starlette has just made."""

import asyncio
from datetime import timedelta

from itsdangerous import TimestampSigner
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import Response

from cookiesess.readers import StarletteCookie
from kit.constants import SECRET, UNTIL
from readers.suite import RotationSuite, reason_of, value_of


def write(data, secret=SECRET, **settings):
    """Return the cookie of an ASGI app that puts `data` into the session."""

    async def app(scope, receive, send):
        Request(scope, receive).session.update(data)
        await Response("")(scope, receive, send)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    asyncio.run(SessionMiddleware(app, secret, **settings)(scope, receive, send))
    return value_of(dict(sent[0]["headers"])[b"set-cookie"].decode())


class TestStarletteCookie(RotationSuite):
    def write(self, data, secret=SECRET):
        return write(data, secret)

    def reader(self, secret=SECRET, **settings):
        return StarletteCookie(secret, **{"until": UNTIL, **settings})

    def test_the_default_age_is_starlettes(self, value, at):
        assert self.reader().open(value, now=at + 14 * 86400).created_at is None
        assert reason_of(self.reader(), value, now=at + 14 * 86400 + 1) == "expired"


def test_another_name_of_the_cookie_is_known():
    assert StarletteCookie(SECRET, until=UNTIL, cookie_name="shop").cookie_name == "shop"


def test_signed_text_that_is_not_base64_is_refused():
    reader = StarletteCookie(SECRET, until=UNTIL, max_age=timedelta(days=10000))
    value = TimestampSigner(SECRET).sign("no base64!").decode()
    assert reason_of(reader, value, now=4_000_000_000) == "plaintext"
