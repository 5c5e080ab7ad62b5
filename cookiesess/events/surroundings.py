"""What happened around a session: cookies that browsers drop, caches, stores."""

import logging
from dataclasses import dataclass
from typing import ClassVar, Final

from cookiesess.events.base import Event


@dataclass(frozen=True, slots=True)
class SecureCookieOverHttp(Event):
    """The session's cookie is ``Secure``, and was set over plain HTTP: browsers drop it. Said once per manager.

    Attributes:
        auto: True: the policy has ``secure="auto"``, as in `CookiePolicy.development`. This leaves ``Secure`` out only
            if browser and server are the same machine.
    """

    auto: bool = False
    advice: ClassVar[str] = (
        "browsers drop the session's cookie, because it is Secure and came over plain HTTP; serve HTTPS; if a proxy"
        " does so, have the server set wsgi.url_scheme (waitress: trusted_proxy, gunicorn: forwarded_allow_ips); for"
        " development write cookie=CookiePolicy.development()"
    )
    name: ClassVar[str] = "cookie.secure_over_http"
    level: ClassVar[int] = logging.WARNING

    def remedy(self) -> str:
        """Return the `advice`; another one if the policy is ``development()`` already."""
        return _ADVICE_WITH_AUTO if self.auto else self.advice


_ADVICE_WITH_AUTO: Final = (
    "browsers drop the session's cookie, because it is Secure and came over plain HTTP; secure='auto' leaves Secure out"
    " only for requests from this machine to localhost without a proxy, and this request came from another address,"
    ' such as a container or the local network; while you develop, write CookiePolicy("session", secure=False); in'
    " production serve HTTPS"
)


@dataclass(frozen=True, slots=True)
class InsecureCookieOverHttps(Event):
    """A request came over HTTPS, but the policy says that the cookie is not ``Secure``. Said once per manager.

    The browser sends the cookie over plain HTTP as well, where everybody on the way can read it.
    """

    advice: ClassVar[str] = (
        "one request over plain HTTP shows the session's cookie to everybody on the way; write CookiePolicy(…,"
        " secure=True), or secure='https' for a site that also speaks plain HTTP"
    )
    name: ClassVar[str] = "cookie.insecure_over_https"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class HttpsUnseen(Event):
    """A request came over plain HTTP, but a header says that a proxy got it over HTTPS. Said once per manager.

    Anybody can send that header, so the library does not believe it: the cookie is not ``Secure``.
    """

    advice: ClassVar[str] = (
        "the session's cookie is not Secure, because anybody can send the header X-Forwarded-Proto; if your proxy sets"
        " it, have the app believe it (app.wsgi_app = ProxyFix(app.wsgi_app), of werkzeug.middleware.proxy_fix), or set"
        " SESSION_COOKIE_SECURE = True (without Flask: CookiePolicy(…, secure=True))"
    )
    name: ClassVar[str] = "cookie.https_unseen"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class NoAbsoluteEnd(Event):
    """Sessions have no absolute timeout. Said once per manager, when the manager is built."""

    advice: ClassVar[str] = (
        "a session that is used never ends, and a stolen one does not either; give lifetime=Lifetime(), which ends each"
        ' session 30 days after its login (in Django: "lifetime" in COOKIESESS_OPTIONS)'
    )
    name: ClassVar[str] = "session.no_absolute_end"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class WeakKey(Event):
    """Others could guess one of the keys. Said once per manager and key, when the manager is built.

    Attributes:
        kid: The key's id in hexadecimal. It is no secret.
        weakness: Why others could guess it, in a few words that show nothing of the key.
    """

    kid: str
    weakness: str
    advice: ClassVar[str] = (
        "anybody who has one session cookie can guess such a key, and then forge sessions; run `python -m cookiesess"
        " keygen` for a good key, and keep the old key as an accepted one until its sessions have ended"
    )
    name: ClassVar[str] = "key.weak"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class CookieOutOfReach(Event):
    """The session's cookie does not cover the page that sets it. Said once per manager.

    Attributes:
        attribute: ``"Domain"``: the page's host is not within the cookie's domain, so browsers drop the cookie.
            ``"Path"``: the page is not below the cookie's path, so browsers do not send the cookie to that page.
    """

    attribute: str
    advice: ClassVar[str] = (
        "the page that set the session's cookie will not get it back; let path= and domain= of the CookiePolicy (in"
        " Flask SESSION_COOKIE_PATH, APPLICATION_ROOT and SESSION_COOKIE_DOMAIN) cover every page that uses the"
        " session, or leave them out; if a proxy changes host or path, have it tell the server (Host, SCRIPT_NAME)"
    )
    name: ClassVar[str] = "cookie.out_of_reach"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class CrossOriginRefused(Event):
    """`CrossOriginProtection` has refused a request that another site's page sent.

    Attributes:
        reason: What the browser said about that page. In ``Sec-Fetch-Site``: ``"cross-site"``, ``"same-site"`` (a
            sibling subdomain) or ``"unknown"``. In ``Origin``: ``"origin"`` (another origin) or ``"null"``.
    """

    reason: str
    advice: ClassVar[str] = (
        "if the page that sent the request is yours, name its origin in trusted=; if the path must take other sites'"
        " posts, such as an identity provider's answer, name the path in exempt=; behind a proxy, pass on the browser's"
        " Host"
    )
    name: ClassVar[str] = "request.cross_origin_refused"
    level: ClassVar[int] = logging.WARNING
    repeats: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class KeysChanged(Event):
    """A running process has found other keys in its file of keys, and uses them from now on.

    Attributes:
        current: The id of the key that seals, 8 hex digits.
        added: How many keys are new.
        removed: How many keys were removed, and open nothing any more.
        waiting: True: the first key of the file is new. It seals in about two minutes, when all processes can open it.
    """

    current: str
    added: int
    removed: int
    waiting: bool
    name: ClassVar[str] = "keys.changed"


@dataclass(frozen=True, slots=True)
class KeysFileRejected(Event):
    """A running process cannot use its file of keys, and goes on with the keys that it has.

    Attributes:
        reason: What is wrong with the file, without any of its text.
    """

    reason: str
    advice: ClassVar[str] = (
        "the process keeps its old keys; write the whole file under a temporary name, and then rename it"
    )
    name: ClassVar[str] = "keys.file_rejected"
    level: ClassVar[int] = logging.WARNING
    repeats: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class SharedCachingPrevented(Event):
    """The app allowed shared caching of a response that sets a cookie, and the response was made ``private``."""

    advice: ClassVar[str] = "on pages that all visitors share, do not use the session and set no cookies"
    name: ClassVar[str] = "response.shared_caching_prevented"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class TouchedLate(Event):
    """The app first used the session or the cookies after the headers had gone out without ``Vary: Cookie``."""

    advice: ClassVar[str] = (
        "a cache may show this page to other visitors; use the session before the first byte of the body, or mark the"
        " response private"
    )
    name: ClassVar[str] = "session.touched_late"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class StoreFailed(Event):
    """The store failed when a session was read, or at a write that the request could do without.

    Such a write is a refresh, or ends sessions beyond a user's limit after a login. If a change cannot be saved, the
    request fails with `StoreUnavailable`, and there is no event. So alert on the rate of 500s as well.

    Attributes:
        cause: The store's error.
    """

    cause: str
    repeats: ClassVar[bool] = True
    name: ClassVar[str] = "store.failed"
    level: ClassVar[int] = logging.ERROR


@dataclass(frozen=True, slots=True)
class StoreNotShared(Event):
    """The store keeps sessions in one process's memory, but the server runs several processes, which do not share it.

    Each process emits this once. Django's engine never does, because it does not see how the server runs.
    """

    advice: ClassVar[str] = (
        "visitors lose their sessions at random; use a store that processes share, such as SQLiteStore"
    )
    name: ClassVar[str] = "store.not_shared"
    level: ClassVar[int] = logging.WARNING


@dataclass(frozen=True, slots=True)
class SessionsEvicted(Event):
    """A full store has dropped `count` sessions that had not expired. Their users are logged out."""

    count: int
    name: ClassVar[str] = "store.evicted"


@dataclass(frozen=True, slots=True)
class CookieTwins(Event):
    """A request brought `count` session cookies of one name: you changed `CookiePolicy`, or somebody planted one.

    The session with the latest login counts. The next login or logout ends the others and deletes their cookies.
    """

    count: int
    advice: ClassVar[str] = (
        "if you have just changed domain, path or partitioned, this goes away with each user's next login or logout;"
        " otherwise find the subdomain that sets the cookie, and choose a cookie name that begins with __Host-"
    )
    name: ClassVar[str] = "cookie.twins"
    repeats: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class TwinsOfOwners(CookieTwins):
    """A request brought `count` session cookies of one name, and their sessions belong to different users."""

    name: ClassVar[str] = "cookie.twins_of_owners"
    level: ClassVar[int] = logging.WARNING
