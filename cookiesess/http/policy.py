"""What the session's cookie is called and allowed to do. Wrong combinations cannot be built."""

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
    """How a request came, as far as it decides about ``Secure``."""

    HTTPS = "https"
    PLAIN = "plain HTTP"
    LOOPBACK = "plain HTTP from this machine to itself, with no proxy in between"


@dataclass(frozen=True, slots=True)
class CookiePolicy:
    """Name and attributes of the session cookie.

    Args:
        name: The default's prefix ``__Host-`` has browsers refuse a cookie of that name that a subdomain, or plain
            HTTP, tries to plant (RFC 6265bis section 4.1.3.2). A `domain` or another `path` needs another name.
        path: Begins with ``/``, and covers every page that uses the session. Written as a browser has it in a URL:
            ``/caf%C3%A9`` for ``/café``. Not a security boundary.
        domain: None: this host alone. A domain sends the session to every one of its subdomains, each of which can
            then read and plant it.
        secure: HTTPS only. ``"auto"`` leaves ``Secure`` out where host and client are both this machine and no proxy
            shows: for development. A proxy on the same machine that adds no header looks just like that. ``"https"``
            marks what answers an HTTPS request, as the Flask adapter does by default: for sites that speak both, where
            a session that began over HTTPS is not sent over plain HTTP, and plain HTTP cannot replace it.
        httponly: Keeps the cookie from scripts; without it one XSS takes the session.
        samesite: ``"Lax"`` stops most cross-site requests from carrying the session; ``"None"`` lets all of them.
            ``"Strict"`` stops links too, and is dangerous: a visitor who comes from elsewhere (a search, a mail, an
            identity provider) comes without the session, and the first page that keeps something for new visitors
            replaces the login's cookie. The state of an OAuth login in the session is lost; `begin_login` keeps it.
        partitioned: For apps embedded in other sites (CHIPS); needs `secure`, and ``samesite="None"``.
        persistent: The cookie outlives the browser window, with a Max-Age of what the session has left.
        cross_site_posts: What to do where another site's page sends a POST, and the app begins an anonymous session.
            With `samesite` Lax or Strict such a POST comes without the session's cookie, and yet the browser stores the
            cookie of the answer: it would take the place of the visitor's login. ``"withhold"`` (the default) sends no
            cookie, unless the app logs somebody in. ``"issue"`` sends it, for apps that must begin a session that way.
        clear_on_logout: What else the browser should forget at a logout, by ``Clear-Site-Data`` in the answer that
            deletes the cookie after ``invalidate()``. With ``("cache",)`` the back button asks for pages from before
            anew (in Chromium for all but the one that was left last: give such pages ``Cache-Control: no-store``).
            Browsers heed it over HTTPS alone, and may take seconds. ``"storage"`` is also what the app's scripts have
            kept, ``"cookies"`` all cookies of the site, its subdomains' too, ``"*"`` everything; both spare the cookies
            where the answer begins a new session, as with a flash. Default ``()``: nothing.
        max_bytes: The longest Set-Cookie line, attributes included; 256 to 4,093 bytes. The default is what every
            browser keeps; less suits a front end that allows less.
        chunks: Over how many cookies (``name``, ``name.1``, …) a client-side session may be spread; 1 (the default, no
            spreading) to 5. Each of them comes back with each request, images and scripts included, and most servers
            refuse request headers beyond 8 KB in all (nginx ``large_client_header_buffers``, gunicorn
            ``limit_request_field_size``): two chunks are about what they take unasked. A store has no such limits.

    Raises:
        ConfigurationError: A field or combination that browsers would refuse, or drop silently.
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
        """A policy for plain HTTP on one's own machine: name ``session``, ``secure="auto"``. Never for production."""
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
            f"clear_on_logout is a tuple of directives, and what came is {value!r}; write clear_on_logout=('cache',)"
        )
    for each in value:
        if each not in get_args(ClearDirective):
            allowed = ", ".join(map(repr, get_args(ClearDirective)))
            raise ConfigurationError(
                f"clear_on_logout holds {each!r}, which browsers pass over; choose among {allowed}"
            )
    return tuple(value)


def _check_range(name: str, value: int, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise ConfigurationError(f"{name} is {value!r}; it is a whole number from {least} to {most}")
