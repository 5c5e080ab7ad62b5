"""The name and the attributes of the session's cookie. Wrong combinations cannot be built."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal, Self, TypeAlias, get_args

from cookiesess.errors import ConfigurationError
from cookiesess.http.cookies import MAX_LINE_BYTES, CookieAttributes, check_name
from cookiesess.http.headers import SetCookie
from cookiesess.session.member import Member

ClearDirective: TypeAlias = Literal[
    "cache", "cookies", "storage", "clientHints", "executionContexts", "prefetchCache", "prerenderCache", "*"
]
"""What ``Clear-Site-Data`` may name (W3C Clear Site Data, section 3.1, and what Chromium adds)."""

# Below this not even an empty session's token fits, with its attributes.
_LEAST_LINE_BYTES = 256
# Five lines of 4 KB are 20 KB of headers on every request; servers mostly allow 8 KB, the generous ones 32.
_DEFAULT_NAME = "__Host-session"
_MOST_CHUNKS = 5


class Transport(Member):
    """How a request came: this decides whether its cookies are ``Secure``."""

    HTTPS = "https"
    PLAIN = "plain HTTP"
    LOOPBACK = "plain HTTP from this machine to itself, with no proxy in between"


@dataclass(frozen=True, slots=True)
class CookiePolicy:
    """Name and attributes of the session cookie.

    Args:
        name: The cookie's name. With the prefix ``__Host-`` of the default, browsers refuse a cookie of that name that
            a subdomain, or plain HTTP, tries to plant (RFC 6265bis section 4.1.3.2). If you set `domain` or another
            `path`, choose a name without that prefix.
        path: A path that covers every page that uses the session. It begins with ``/``, and is written as in a URL:
            ``/caf%C3%A9`` for ``/café``. Not a security boundary.
        domain: None: the browser sends the cookie to this host alone. With a domain it sends the session to all
            subdomains as well, and each of them can read and plant it.
        secure: True (the default): browsers send the cookie over HTTPS only. ``"auto"``, for development: the same, but
            without ``Secure`` if a request comes from this machine to itself, without a proxy. Danger: a proxy on the
            same machine that adds no header looks just like that. ``"https"``, as the Flask adapter does by default:
            ``Secure`` in answers to HTTPS requests, for sites that also speak plain HTTP. A session that began over
            HTTPS is then not sent over plain HTTP, and plain HTTP cannot replace it. False: no ``Secure``.
        httponly: True (the default): scripts cannot read the cookie. Without it, one XSS can steal the session.
        samesite: ``"Lax"`` (the default): most requests that other sites' pages cause come without the session.
            ``"None"``: all of them come with it. ``"Strict"``: links from other sites come without it too. Danger of
            ``"Strict"``: a visitor who comes from a search, a mail or an identity provider comes without the session,
            and the first page that keeps something for new visitors replaces the login's cookie. The state of an OAuth
            login in the session is lost as well; `begin_login` keeps it.
        partitioned: For apps that other sites embed (CHIPS). Needs `secure`, and ``samesite="None"``.
        persistent: True: the cookie outlives the browser window, and its Max-Age is the time that the session has left.
            False by default.
        cross_site_posts: What happens when another site's page sends a POST, and the app begins an anonymous session.
            With `samesite` Lax or Strict such a POST comes without the session's cookie, but the browser stores the
            cookie of the answer, which would replace the visitor's login. ``"withhold"`` (the default): the answer sets
            no cookie, unless the app logs somebody in. ``"issue"``: it sets the cookie, for apps that must begin a
            session that way.
        clear_on_logout: What else the browser should delete at a logout. The answer that deletes the cookie after
            ``invalidate()`` then has a ``Clear-Site-Data`` header. ``"cache"``: the back button asks the server again
            for pages that the user has seen. (Chromium still shows the last one: give such pages ``Cache-Control:
            no-store``.) ``"storage"``: also what the app's scripts have kept. ``"cookies"``: all cookies of the site
            and its subdomains. ``"*"``: everything. ``"cookies"`` and ``"*"`` spare the cookies if the answer begins a
            new session, for a flash perhaps. Browsers obey over HTTPS only, and may take seconds. Default ``()``:
            nothing.
        max_bytes: The longest Set-Cookie line, attributes included; 256 to 4,093 bytes. Every browser keeps lines of
            the default, 4,093. Give less if a proxy or load balancer allows less.
        chunks: Over how many cookies (``name``, ``name.1``, …) a client-side session may be spread; 1 (the default: no
            spreading) to 5. Danger: the browser sends all of them with each request, for images and scripts too, and
            most servers refuse request headers of more than 8 KB in all (nginx ``large_client_header_buffers``,
            gunicorn ``limit_request_field_size``). Two chunks fit their defaults. A store has no such limit.

    Raises:
        ConfigurationError: Browsers would refuse the cookie, or drop it silently.
    """

    name: str = _DEFAULT_NAME
    path: str = field(default="/", kw_only=True)
    domain: str | None = field(default=None, kw_only=True)
    secure: bool | Literal["auto", "https"] = field(default=True, kw_only=True)
    httponly: bool = field(default=True, kw_only=True)
    samesite: Literal["Strict", "Lax", "None"] | None = field(default="Lax", kw_only=True)
    partitioned: bool = field(default=False, kw_only=True)
    persistent: bool = field(default=False, kw_only=True)
    cross_site_posts: Literal["withhold", "issue"] = field(default="withhold", kw_only=True)
    clear_on_logout: tuple[ClearDirective, ...] = field(default=(), kw_only=True)
    max_bytes: int = field(default=MAX_LINE_BYTES, kw_only=True)
    chunks: int = field(default=1, kw_only=True)
    _usual: dict[Transport, CookieAttributes] = field(init=False, repr=False, compare=False)
    # What checks the attributes; for subclasses.
    _checked_by: ClassVar[type[CookieAttributes]] = CookieAttributes

    def __post_init__(self) -> None:
        if type(self.persistent) is not bool:
            raise ConfigurationError(f"persistent {self.persistent!r} is not allowed; choose True or False")
        if self.secure not in ("auto", "https") and type(self.secure) is not bool:
            raise ConfigurationError(f"secure {self.secure!r} is not allowed; choose True, False, 'auto' or 'https'")
        if self.cross_site_posts not in ("withhold", "issue"):
            raise ConfigurationError(
                f"cross_site_posts {self.cross_site_posts!r} is not allowed; choose 'withhold' or 'issue'"
            )
        object.__setattr__(self, "clear_on_logout", _directives(self.clear_on_logout))
        _check_range("max_bytes", self.max_bytes, _LEAST_LINE_BYTES, MAX_LINE_BYTES)
        _check_range("chunks", self.chunks, 1, _MOST_CHUNKS)
        try:
            usual = {transport: self._build(secure=self.secure_over(transport)) for transport in Transport}
        except ValueError as error:
            raise ConfigurationError(f"{error}{self._way_out()}") from error
        object.__setattr__(self, "_usual", usual)
        object.__setattr__(self, "path", usual[Transport.HTTPS].path)

    def _way_out(self) -> str:
        """Return what somebody wants who has taken ``Secure`` off the default name, mostly to work on plain HTTP."""
        at_home = self.secure is False and self.name == _DEFAULT_NAME
        return "; while you develop on plain HTTP, take CookiePolicy.development()" if at_home else ""

    @classmethod
    def development(cls) -> Self:
        """Return a policy for plain HTTP on your own machine: ``session``, ``secure="auto"``. Not for production."""
        return cls("session", secure="auto")

    def secure_over(self, transport: Transport) -> bool:
        """Whether a cookie set over `transport` is marked ``Secure``."""
        if self.secure == "auto":
            return transport is not Transport.LOOPBACK
        return transport is Transport.HTTPS if self.secure == "https" else self.secure

    @property
    def withholds(self) -> bool:
        """Whether an anonymous session that begins with another site's POST is not issued."""
        return self.cross_site_posts == "withhold" and self.samesite in ("Lax", "Strict")

    def clear_site_data(self, *, begun: bool) -> str:
        """Return the value of ``Clear-Site-Data`` at a logout; empty: there is none.

        Args:
            begun: The answer sets a new session's cookie, for a flash perhaps, which must not go with the others.
        """
        directives: tuple[str, ...] = self.clear_on_logout
        if begun:
            every = get_args(ClearDirective) if "*" in directives else directives
            directives = tuple(each for each in every if each not in ("cookies", "*"))
        return ", ".join(f'"{each}"' for each in directives)

    @property
    def chunk_names(self) -> tuple[str, ...]:
        """The names of the cookies that a session may be spread over: ``name``, ``name.1``, and so on."""
        return (self.name, *(f"{self.name}.{index}" for index in range(1, self.chunks)))

    @property
    def reference_name(self) -> str:
        """The name of the cookie that refers to a session which has outgrown its cookie."""
        return f"{self.name}.ref"

    @property
    def bound_name(self) -> str:
        """The name of the cookie that proves that the browser holds the key that a session is bound to."""
        return f"{self.name}.bound"

    @property
    def family(self) -> frozenset[str]:
        """The names of all cookies that its sessions may use, whatever the settings: no two policies may share one."""
        return frozenset((*self.chunk_names, self.reference_name, self.bound_name))

    def overhead_bytes(self, name: str, *, max_age: int | None = None) -> int:
        """Return how much longer than its value a line of the cookie `name` is, over HTTPS."""
        # Every moment is written in as many bytes as any other.
        return SetCookie(name, "", self.attributes(Transport.HTTPS, max_age, now=0)).size_bytes

    def attributes(
        self, transport: Transport, max_age: int | None = None, *, now: int | None = None
    ) -> CookieAttributes:
        """Return the attributes of the session's cookies, as they are set over `transport`.

        Args:
            transport: How the request came.
            max_age: For how many seconds they are kept; 0: they are forgotten; None: until the window closes.
            now: Unix seconds; needed where `max_age` is above 0.
        """
        usual = self._usual[transport]
        return usual if max_age is None else usual.lasting(max_age, now=now)

    def _build(self, *, secure: bool) -> CookieAttributes:
        attributes = self._checked_by(
            path=self.path,
            domain=self.domain,
            secure=secure,
            httponly=self.httponly,
            samesite=self.samesite,
            partitioned=self.partitioned,
        )
        check_name(self.name, attributes)
        return attributes


def _directives(value: object) -> tuple[object, ...]:
    """Return the directives of ``clear_on_logout``, checked."""
    if not isinstance(value, tuple | list):
        raise ConfigurationError(
            f"clear_on_logout must be a tuple of directives, not {value!r}; write clear_on_logout=('cache',)"
        )
    for each in value:
        if each not in get_args(ClearDirective):
            allowed = ", ".join(map(repr, get_args(ClearDirective)))
            raise ConfigurationError(f"clear_on_logout holds {each!r}, which browsers ignore; choose among {allowed}")
    return tuple(value)


def _check_range(name: str, value: int, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise ConfigurationError(f"{name} is {value!r}; it is a whole number from {least} to {most}")
