"""Refuses requests from other sites' pages, by what the browser says of them: no token is needed."""

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from cookiesess.errors import ConfigurationError
from cookiesess.events import CrossOriginRefused, Event
from cookiesess.events.base import Emitter
from cookiesess.manager.settings import Configuration
from cookiesess.wsgi.attachment import MANAGER_KEY, PASSIVE_KEY

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""What changes nothing by HTTP's own rules (RFC 9110 section 9.2.1). TRACE does not either, and no page can send it."""

# Fetch Metadata: the page is of this very origin, or there is none, as for a bookmark or an address that was typed.
_OWN_SITES: Final = frozenset({"same-origin", "none"})
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
# As browsers serialise an origin (WHATWG HTML, "ascii serialisation of an origin").
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?")
_REFUSAL: Final = (
    b"403 Forbidden: this request was sent by a page of another site, and may not change anything here. Go to this"
    b" site's own page and try again there.\n"
)


class CrossOriginProtection:
    """Protects a WSGI app from cross-site request forgery, without tokens in forms.

    Browsers say with each request which site's page sent it. The rules are those of Go's standard library (net/http
    since 1.25):

    - GET, HEAD and OPTIONS pass.
    - If the request has ``Sec-Fetch-Site`` (all of today's browsers send it over HTTPS and to localhost),
      ``same-origin`` and ``none`` pass. Any other value is refused.
    - Else, if the request has ``Origin``, its host and port must be those of ``Host``; ``null`` is refused. The scheme
      is not compared, because behind a proxy WSGI sees http.
    - A request with neither header passes: no page in a browser of this decade has sent it.

    A refused request gets 403 in plain text, and emits `cookiesess.events.CrossOriginRefused`. It does not put off the
    idle timeout of the session whose cookie it brings.

    It does not protect

    - what a GET changes: let only other methods change things;
    - a WebSocket, which begins with a GET: compare its ``Origin`` yourself;
    - visitors with browsers from before 2020 over plain HTTP, which may send neither header;
    - from a page of a `trusted` origin, such as a sibling subdomain that somebody has taken over, nor from a script
      that an attacker has put into your own pages.

    A sibling subdomain is another origin: it is refused unless it is `trusted`. Behind a proxy, pass on the ``Host``
    that the browser sent (nginx: ``proxy_set_header Host $host``), for the few browsers that send no
    ``Sec-Fetch-Site``.

    Args:
        app: Any WSGI app: a Flask app's ``wsgi_app``, the app that Pyramid's or Django's set-up returns, a Bottle app.
            Put this outside of `SessionMiddleware` or inside, as you like.
        trusted: Other origins whose pages may send requests, exactly as browsers write them:
            ``"https://admin.example.com"``. None of them by default.
        exempt: Paths that must take other sites' posts, such as the one where an identity provider sends its answer.
            ``"/saml/acs"`` stands for itself and all paths below it, and is compared with PATH_INFO, which begins where
            the app is mounted. None of them by default. Danger: protect these paths yourself, such as by a signature
            and a ``state``.
        on_refuse: A WSGI app that answers refused requests, or None (the default): 403 in plain text.

    Raises:
        ConfigurationError: An origin has a path, a default port, or another spelling than browsers send; a path has no
            leading slash, or would exempt everything; `app` or `on_refuse` cannot be called.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        trusted: Iterable[str] = (),
        exempt: Iterable[str] = (),
        on_refuse: "WSGIApplication | None" = None,
    ) -> None:
        for name, each in (("app", app), ("on_refuse", on_refuse or app)):
            if not callable(each):
                raise ConfigurationError(f"{name} is a WSGI app, and {type(each).__name__} cannot be called")
        self.app = app
        self._trusted = frozenset(map(_checked_origin, _listed("trusted", trusted)))
        self._exempt = tuple(map(_checked_prefix, _listed("exempt", exempt)))
        self._on_refuse: WSGIApplication = on_refuse or _refuse
        self._emit: Callable[[Event], None] = Emitter(clock=Configuration().clock)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        reason = None if environ.get("REQUEST_METHOD") in SAFE_METHODS else self._objection(environ)
        if reason is not None:
            environ[PASSIVE_KEY] = True  # if `on_refuse` looks at the session, that is not its user's doing
            manager = environ.get(MANAGER_KEY)
            emit = self._emit if manager is None else manager.emit
            emit(CrossOriginRefused(reason))
        app = self.app if reason is None else self._on_refuse
        try:
            return app(environ, start_response)
        finally:
            del environ  # error collectors print local variables, and it has the Cookie header

    def _objection(self, environ: "WSGIEnvironment") -> str | None:
        """Return why a request that may change something is refused, or None."""
        site, origin = environ.get("HTTP_SEC_FETCH_SITE", ""), environ.get("HTTP_ORIGIN", "")
        if site in _OWN_SITES or origin in self._trusted or self._is_exempt(environ):
            return None
        if site:
            return site if site in {"same-site", "cross-site"} else "unknown"
        if not origin or _is_of_host(origin, _host(environ)):
            return None
        return "null" if origin == "null" else "origin"

    def _is_exempt(self, environ: "WSGIEnvironment") -> bool:
        path = environ.get("PATH_INFO", "")
        if not any(path == prefix or path.startswith(prefix.rstrip("/") + "/") for prefix in self._exempt):
            return False
        # A server or an app that resolves these would answer for a path that is not exempt.
        return {".", ".."}.isdisjoint(path.replace("\\", "/").split("/"))


def _refuse(_: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(_REFUSAL)))]
    start_response("403 Forbidden", [*headers, ("Cache-Control", "no-store")])
    return [_REFUSAL]


def _host(environ: "WSGIEnvironment") -> str:
    """Return host and port that were asked for; a client of HTTP/1.0 need not say them (PEP 3333)."""
    host: str = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    return host


def _is_of_host(origin: str, host: str) -> bool:
    """Whether an ``Origin`` is of that host and port; a port that is not written is the default of its scheme."""
    if _ORIGIN.fullmatch(origin.lower()) is None:
        return False
    try:
        there, here = urlsplit(origin), urlsplit(f"//{host}")
        ports = there.port, here.port
    except ValueError:  # a port beyond 65535, or an address that is none
        return False
    default = _DEFAULT_PORTS.get(there.scheme)
    return there.hostname == here.hostname and (ports[0] or default) == (ports[1] or default)


def _listed(name: str, texts: Iterable[str]) -> Iterable[str]:
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise ConfigurationError(f'{name} is a list of texts, not {type(texts).__name__}; write {name}=["…"]')
    return texts


def _checked_origin(origin: str) -> str:
    if type(origin) is not str or _ORIGIN.fullmatch(origin) is None:
        raise ConfigurationError(
            f"trusted holds origins as browsers send them, and {origin!r} is none: scheme, host and, if it is not the"
            ' default, port, in small letters and without a path or a slash at the end; write "https://example.com"'
        )
    scheme, _, host = origin.partition("://")
    if host.endswith(f":{_DEFAULT_PORTS.get(scheme)}"):
        raise ConfigurationError(f"browsers leave the default port out; write {origin.rpartition(':')[0]!r}")
    return origin


def _checked_prefix(prefix: str) -> str:
    if type(prefix) is not str or not prefix.startswith("/") or not prefix.strip("/"):
        raise ConfigurationError(
            f'exempt holds beginnings of paths, and {prefix!r} is none; write "/saml/acs", with the slash at the'
            ' beginning ("/" alone would exempt everything)'
        )
    return prefix.encode().decode("latin-1")  # as PEP 3333 has paths in the environ
