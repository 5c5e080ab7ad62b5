"""What happened around a session: cookies that browsers drop, caches, stores."""

import logging
from dataclasses import dataclass
from typing import ClassVar, Final

from cookiesess.events.base import Event


@dataclass(frozen=True, slots=True)
class SecureCookieOverHttp(Event):
    """A ``Secure`` cookie is being sent over plain HTTP, so browsers drop it. Said once per manager.

    Attributes:
        auto: The policy has ``secure="auto"``, as `CookiePolicy.development` has it, which leaves ``Secure`` out only
            where browser and server are one machine.
    """

    auto: bool = False
    advice: ClassVar[str] = (
        "browsers drop it; serve HTTPS, or behind a proxy that does let the server set wsgi.url_scheme (waitress:"
        " trusted_proxy, gunicorn: forwarded_allow_ips); for development take cookie=CookiePolicy.development()"
    )
    name: ClassVar[str] = "cookie.secure_over_http"
    level: ClassVar[int] = logging.WARNING

    def remedy(self) -> str:
        """Return the `advice`, and another one to those who have followed it already."""
        return _ADVICE_WITH_AUTO if self.auto else self.advice


_ADVICE_WITH_AUTO: Final = (
    "browsers drop it; secure='auto' leaves Secure out only where the browser asks for localhost, and connects from"
    " there without a proxy, and this one came from another address, as a container or the local network has; while you"
    ' develop, write CookiePolicy("session", secure=False), and serve HTTPS to everybody else'
)


@dataclass(frozen=True, slots=True)
class InsecureCookieOverHttps(Event):
    """A request came over HTTPS, and the session's cookie goes out without ``Secure``, as asked. Said once per manager.

    The browser sends it over plain HTTP as well, where everybody on the way can read it.
    """

    advice: ClassVar[str] = (
        "one request over plain HTTP shows it to everybody on the way; write CookiePolicy(…, secure=True), or"
        " secure='https' for a site that also speaks plain HTTP"
    )
    name: ClassVar[str] = "cookie.insecure_over_https"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class HttpsUnseen(Event):
    """A request came over plain HTTP, and a header says that a proxy got it over HTTPS. Said once per manager.

    Anybody can send that header, so nothing follows from it: the cookie goes out without ``Secure``.
    """

    advice: ClassVar[str] = (
        "the header X-Forwarded-Proto is not trusted, and the cookie goes out without Secure; where a proxy of yours"
        " sets it, have the app believe it (app.wsgi_app = ProxyFix(app.wsgi_app), of werkzeug.middleware.proxy_fix),"
        " or set SESSION_COOKIE_SECURE = True (without Flask: CookiePolicy(…, secure=True))"
    )
    name: ClassVar[str] = "cookie.https_unseen"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class NoAbsoluteEnd(Event):
    """Sessions have no absolute timeout. Said once per manager, when the manager is built."""

    advice: ClassVar[str] = (
        "a session that is used lives for ever, a stolen one too; give lifetime=Lifetime(), which ends it 30 days after"
        ' its login (in Django: "lifetime" in COOKIESESS_OPTIONS)'
    )
    name: ClassVar[str] = "session.no_absolute_end"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class WeakKey(Event):
    """One of the keys can be guessed. Said once per manager and key, when the manager is built.

    Attributes:
        kid: The key's id, in hexadecimal, which is no secret.
        weakness: Why, in a few words that show nothing of the key.
    """

    kid: str
    weakness: str
    advice: ClassVar[str] = (
        "whoever holds one session cookie can try such keys at home, and then write sessions of their own;"
        " `python -m cookiesess keygen` prints a good key, and the old one may stay among the accepted ones for as long"
        " as its sessions last"
    )
    name: ClassVar[str] = "key.weak"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class CookieOutOfReach(Event):
    """The session's cookie does not cover the page that sets it. Said once per manager.

    Attributes:
        attribute: ``"Domain"``: the page's host is not within it, so browsers drop the cookie. ``"Path"``: the page is
            not below it, so they do not send the cookie back there.
    """

    attribute: str
    advice: ClassVar[str] = (
        "that page has no session at its next request; let path= and domain= of the CookiePolicy (in Flask"
        " SESSION_COOKIE_PATH, APPLICATION_ROOT and SESSION_COOKIE_DOMAIN) cover every page that uses the session, or"
        " leave them out; where a proxy changes host or path, have it tell the server (Host, SCRIPT_NAME)"
    )
    name: ClassVar[str] = "cookie.out_of_reach"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class CrossOriginRefused(Event):
    """`CrossOriginProtection` has refused a request that another site's page sent.

    Attributes:
        reason: What the browser said of that page: ``"cross-site"``, ``"same-site"`` (a sibling subdomain) or
            ``"unknown"`` by ``Sec-Fetch-Site``; ``"origin"`` (another one) or ``"null"`` by ``Origin``.
    """

    reason: str
    advice: ClassVar[str] = (
        "if the page is yours, name its origin in trusted=; if the path must take other sites' posts, such as an"
        " identity provider's answer, name the path in exempt=; behind a proxy, pass on the browser's Host"
    )
    name: ClassVar[str] = "request.cross_origin_refused"
    level: ClassVar[int] = logging.WARNING
    repeats: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class KeysChanged(Event):
    """A running process has found other keys in the file that holds them, and uses them from now on.

    Attributes:
        current: The id of the key that seals, 8 hex digits.
        added: How many keys open that did not before.
        removed: How many keys open no more.
        waiting: The first key of the file is new, and seals in about two minutes, when all processes can open it.
    """

    current: str
    added: int
    removed: int
    waiting: bool
    name: ClassVar[str] = "keys.changed"


@dataclass(frozen=True, slots=True)
class KeysFileRejected(Event):
    """A running process cannot use the file that holds its keys, and goes on with those that it has.

    Attributes:
        reason: What is wrong with the file; no part of it.
    """

    reason: str
    advice: ClassVar[str] = "write the whole file under a temporary name, and then rename it"
    name: ClassVar[str] = "keys.file_rejected"
    level: ClassVar[int] = logging.WARNING
    repeats: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class SharedCachingPrevented(Event):
    """A response that the app had declared shareable carries a Set-Cookie of ours and was made ``private``."""

    advice: ClassVar[str] = "do not read the session, and set no cookies, on pages that all visitors share"
    name: ClassVar[str] = "response.shared_caching_prevented"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class TouchedLate(Event):
    """The session or the cookies were first looked at after the headers had gone out without ``Vary: Cookie``."""

    advice: ClassVar[str] = "read the session before the first byte of the body, or mark the response private"
    name: ClassVar[str] = "session.touched_late"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class StoreFailed(Event):
    """The store did not answer when a session was read, or at a write that the request could do without.

    Such a write is a refresh, or ends sessions beyond a user's limit after a login. If a change cannot be written, the
    request fails with `StoreUnavailable`, and there is no event. So alert on the rate of 500s as well.

    Attributes:
        cause: What the store said.
    """

    cause: str
    repeats: ClassVar[bool] = True
    name: ClassVar[str] = "store.failed"
    level: ClassVar[int] = logging.ERROR


@dataclass(frozen=True, slots=True)
class StoreNotShared(Event):
    """The store keeps sessions in one process's memory, and the server runs several: each has sessions of its own.

    Each process says so once. Django's engine never does, because it does not see how the server runs.
    """

    advice: ClassVar[str] = "visitors lose their sessions at random; use a store that processes share, as SQLiteStore"
    name: ClassVar[str] = "store.not_shared"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class SessionsEvicted(Event):
    """A full store dropped `count` sessions that had not expired."""

    count: int
    name: ClassVar[str] = "store.evicted"


@dataclass(frozen=True, slots=True)
class CookieTwins(Event):
    """A request brought `count` session cookies of one name: `CookiePolicy` was changed, or somebody planted one.

    The session with the latest login counts. The next login or logout ends the others, and the browser forgets their
    cookies.
    """

    count: int
    advice: ClassVar[str] = (
        "if you have just changed domain, path or partitioned, wait; otherwise find the subdomain that sets the cookie,"
        " and choose a name with __Host-"
    )
    name: ClassVar[str] = "cookie.twins"
    repeats: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class TwinsOfOwners(CookieTwins):
    """The same, of sessions that belong to different users."""

    name: ClassVar[str] = "cookie.twins_of_owners"
    level: ClassVar[int] = logging.WARNING
