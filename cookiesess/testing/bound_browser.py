"""A browser for tests that binds sessions to its device, by Device Bound Session Credentials."""

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self
from urllib.parse import urlsplit
from wsgiref.util import setup_testing_defaults

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from cookiesess.tokens.encoding import encode

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_REGISTRATION: Final = re.compile(r'\(ES256\);path="([^"]*)";challenge="([^"]*)"')
_CHALLENGE: Final = re.compile(r'"([^"]*)";id="[^"]*"')
_COORDINATE_BYTES: Final = 32
# How often a browser answers one challenge after the other.
_MOST_CHALLENGES: Final = 3


class BrowserAnswer(NamedTuple):
    """The app's answer to one request.

    Attributes:
        status: The status code, such as 200.
        headers: The headers in the app's order.
        body: The whole body.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the first header of that name, whatever its case, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class _Kept(NamedTuple):
    """What a browser keeps of a binding: the key, what it is called, and where it is refreshed."""

    key: EllipticCurvePrivateKey
    identifier: str
    refresh_path: str
    cookie: str


class BoundBrowser:
    """A browser for tests. It keeps cookies, makes a key after a login, and proves in time that it has the key.

    ::

        browser = BoundBrowser(middleware, clock=clock)
        browser.get("/login")                       # it brings its key, in a second request
        thief = browser.copied()                    # all cookies, and no key
        clock.advance(timedelta(minutes=7))
        browser.get("/account")                     # it proves itself first
        thief.get("/account")                       # reads as empty

    Args:
        app: A WSGI app: a `SessionMiddleware`, a Flask app, or another app that answers the two paths of
            `DeviceBinding`.
        clock: Returns Unix seconds, and should be the app's clock; by default `time.time`.
        base_url: The URL of the site, with HTTPS.
        knows: False: the browser does not know device binding.

    Attributes:
        cookies: By name: the value, and when the browser deletes it, in Unix seconds or None.
        kept: The browser's keys and bindings, by their identifiers.
        offered: Path and challenge of a registration that the browser has not answered yet, or None.
        at_once: True (the default): answer a registration as soon as the server offers it, as browsers do. Settable.
        skips: The reason why the browser sends requests without a proof, as in ``Secure-Session-Skipped``, such as
            ``"quota_exceeded"``. Empty (the default): it sends proofs. Settable.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        *,
        clock: Callable[[], float] = time.time,
        base_url: str = "https://localhost",
        knows: bool = True,
    ) -> None:
        self.app = app
        self.cookies: dict[str, tuple[str, float | None]] = {}
        self.kept: dict[str, _Kept] = {}
        self.offered: tuple[str, str] | None = None
        self.at_once = True
        self.skips = ""
        self._clock = clock
        self._base_url = base_url
        self._knows = knows

    def copied(self) -> Self:
        """Return a thief's browser: another device, with a copy of all cookies."""
        thief = type(self)(self.app, clock=self._clock, base_url=self._base_url)
        thief.cookies = dict(self.cookies)
        return thief

    # Requests

    def get(self, path: str, **headers: Any) -> BrowserAnswer:
        """Get a page. Name `headers` as in the environ, such as ``HTTP_ACCEPT``."""
        return self.request(path, **headers)

    def post(self, path: str, body: bytes = b"", **headers: Any) -> BrowserAnswer:
        """Post a form."""
        return self.request(path, method="POST", body=body, **headers)

    def request(self, path: str, *, method: str = "GET", body: bytes = b"", **headers: Any) -> BrowserAnswer:
        """Send a request. Prove what it needs before, and answer an offered registration afterwards.

        A request that a page of another origin has caused is sent without a proof: one with ``HTTP_SEC_FETCH_SITE`` of
        ``"cross-site"`` or ``"same-site"``.
        """
        caused_elsewhere = headers.get("HTTP_SEC_FETCH_SITE") in {"cross-site", "same-site"}
        skipped = "" if caused_elsewhere else self._prove()
        if skipped:
            headers = {"HTTP_SECURE_SESSION_SKIPPED": skipped, **headers}
        answer = self.send(path, method=method, body=body, **headers)
        offered = _REGISTRATION.fullmatch(answer.header("Secure-Session-Registration") or "")
        if self._knows and offered:
            self.offered = (offered[1], offered[2])
            if self.at_once:
                self.register()
        return answer

    def send(self, path: str, *, method: str = "GET", body: bytes = b"", **headers: Any) -> BrowserAnswer:
        """Send only this request, with the present cookies, and keep the cookies of the answer."""
        said: list[tuple[str, list[tuple[str, str]]]] = []
        sent: list[bytes] = []

        def start_response(status: str, lines: list[tuple[str, str]], _: object = None) -> Callable[[bytes], None]:
            said.append((status, [*lines]))
            return sent.append

        chunks = self.app(self._environ(path, method, body, headers), start_response)
        try:
            sent.extend(chunks)
        finally:
            getattr(chunks, "close", lambda: None)()
        status, lines = said[-1]
        self._keep(value for name, value in lines if name.lower() == "set-cookie")
        return BrowserAnswer(int(status[:3]), lines, b"".join(sent))

    def _environ(self, path: str, method: str, body: bytes, headers: Mapping[str, Any]) -> dict[str, Any]:
        site, url = urlsplit(self._base_url), urlsplit(path)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": url.path,
            "QUERY_STRING": url.query,
            "HTTP_HOST": site.netloc,
            "wsgi.url_scheme": site.scheme,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body),
            **headers,
        }
        if cookies := self._header():
            environ["HTTP_COOKIE"] = cookies
        setup_testing_defaults(environ)
        return environ

    # Cookies

    def _header(self) -> str:
        now = self._clock()
        live = {name: value for name, (value, ends_at) in self.cookies.items() if ends_at is None or now < ends_at}
        return "; ".join(f"{name}={value}" for name, value in live.items())

    def _keep(self, lines: Iterable[str]) -> None:
        for line in lines:
            pair, *attributes = line.strip().split("; ")
            name, value = pair.split("=", 1)
            ages = [int(each[8:]) for each in attributes if each.startswith("Max-Age=")]
            self.cookies.pop(name, None)
            if ages != [0]:
                self.cookies[name] = value, self._clock() + ages[0] if ages else None

    def has(self, name: str) -> bool:
        """Whether the browser would send a cookie of that name now."""
        ends_at = self.cookies[name][1] if name in self.cookies else 0
        return ends_at is None or self._clock() < ends_at

    # Bindings

    def register(self) -> BrowserAnswer | None:
        """Make a key, and answer the offered registration with it. Return None if none was offered."""
        if self.offered is None:
            return None
        (path, challenge), self.offered = self.offered, None
        key = generate_private_key(SECP256R1())
        answer = self.send(path, method="POST", HTTP_SECURE_SESSION_RESPONSE=proof(key, challenge, brings_key=True))
        self._follow(answer, key)
        return answer

    def refresh(self, identifier: str, **headers: Any) -> BrowserAnswer:
        """Prove that the browser holds the key of a binding, for each challenge. Return the last answer."""
        kept = self.kept[identifier]
        named = {"HTTP_SEC_SECURE_SESSION_ID": f'"{identifier}"', **headers}
        answer = self.send(kept.refresh_path, method="POST", **named)
        for _ in range(_MOST_CHALLENGES):
            challenge = _CHALLENGE.fullmatch(answer.header("Secure-Session-Challenge") or "")
            if answer.status != 403 or challenge is None:
                break
            signed = proof(kept.key, challenge[1])
            answer = self.send(kept.refresh_path, method="POST", HTTP_SECURE_SESSION_RESPONSE=signed, **named)
        if answer.status == 200 or 400 <= answer.status < 500:
            del self.kept[identifier]
            self._follow(answer, kept.key)
        return answer

    def _prove(self) -> str:
        """Renew the bound cookies that are missing; return why the request goes without one, or nothing."""
        for identifier, kept in list(self.kept.items()):
            if not self.has(kept.cookie):
                if self.skips:
                    return self.skips
                if self.refresh(identifier).status >= 500:
                    return "server_error"
        return ""

    def _follow(self, answer: BrowserAnswer, key: EllipticCurvePrivateKey) -> None:
        """Keep the binding that an answer describes."""
        told = json.loads(answer.body) if answer.status == 200 else {}
        if told.get("continue", True) and "session_identifier" in told:
            identifier, cookie = told["session_identifier"], told["credentials"][0]["name"]
            self.kept[identifier] = _Kept(key, identifier, told["refresh_url"], cookie)


def proof(
    key: EllipticCurvePrivateKey,
    challenge: str,
    *,
    brings_key: bool = False,
    header: Mapping[str, Any] | None = None,
) -> str:
    """Return a proof as a browser sends it.

    Args:
        key: The key that signs the proof.
        challenge: The challenge that the server sent.
        brings_key: True: the first proof of a key, which also holds the public half.
        header: Fields to add to the JWT's header, or to replace in it; for hostile proofs.
    """
    said: dict[str, Any] = {"alg": "ES256", "typ": "dbsc+jwt"}
    if brings_key:
        numbers = key.public_key().public_numbers()
        said["jwk"] = {"kty": "EC", "crv": "P-256", "x": _coordinate(numbers.x), "y": _coordinate(numbers.y)}
    parts = [encode(json.dumps(each).encode()) for each in ({**said, **(header or {})}, {"jti": challenge})]
    numbers_signed = decode_dss_signature(key.sign(".".join(parts).encode(), ECDSA(SHA256())))
    signature = b"".join(number.to_bytes(_COORDINATE_BYTES) for number in numbers_signed)
    return ".".join((*parts, encode(signature)))


def _coordinate(number: int) -> str:
    return encode(number.to_bytes(_COORDINATE_BYTES))
