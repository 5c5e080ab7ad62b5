"""What the session's cookie is called and allowed to do. Wrong combinations cannot be built."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, Self

from cookiesess.cookies import CookieAttributes, SetCookie, check_name
from cookiesess.errors import ConfigurationError


class Transport(Enum):
    """How a request came, as far as it decides about ``Secure``."""

    HTTPS = "https"
    PLAIN = "plain HTTP"
    LOOPBACK = "plain HTTP from this machine to itself, with no proxy in between"

    __hash__ = object.__hash__  # members are looked up at each commit; Enum's own hash runs Python code


@dataclass(frozen=True, slots=True)
class CookiePolicy:
    """Name and attributes of the session cookie.

    Args:
        name: The default's prefix ``__Host-`` has browsers refuse a cookie of that name that a subdomain, or plain
            HTTP, tries to plant (RFC 6265bis section 4.1.3.2). A `domain` or another `path` needs another name.
        path: Begins with ``/``. Not a security boundary.
        domain: None: this host alone. A domain sends the session to every one of its subdomains, each of which can
            then read and plant it.
        secure: HTTPS only. ``"auto"`` leaves ``Secure`` out where host and client are both this machine and no proxy
            shows: for development. A proxy on the same machine that adds no header looks just like that.
        httponly: Keeps the cookie from scripts; without it one XSS takes the session.
        samesite: ``"Lax"`` stops most cross-site requests from carrying the session; ``"None"`` lets all of them.
        partitioned: For apps embedded in other sites (CHIPS); needs `secure`.
        persistent: The cookie outlives the browser window, with a Max-Age of what the session has left.

    Raises:
        ConfigurationError: A field or combination that browsers would refuse, or drop silently.
    """

    name: str = "__Host-session"
    path: str = field(default="/", kw_only=True)
    domain: str | None = field(default=None, kw_only=True)
    secure: bool | Literal["auto"] = field(default=True, kw_only=True)
    httponly: bool = field(default=True, kw_only=True)
    samesite: Literal["Strict", "Lax", "None"] | None = field(default="Lax", kw_only=True)
    partitioned: bool = field(default=False, kw_only=True)
    persistent: bool = field(default=False, kw_only=True)
    _usual: dict[Transport, CookieAttributes] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if type(self.persistent) is not bool:
            raise ConfigurationError(f"persistent {self.persistent!r} is not allowed; choose True or False")
        if self.secure != "auto" and type(self.secure) is not bool:
            raise ConfigurationError(f"secure {self.secure!r} is not allowed; choose True, False or 'auto'")
        try:
            usual = {transport: self._build(secure=self.secure_over(transport)) for transport in Transport}
        except ValueError as error:
            raise ConfigurationError(str(error)) from error
        object.__setattr__(self, "_usual", usual)

    @classmethod
    def development(cls) -> Self:
        """A policy for plain HTTP on one's own machine: name ``session``, ``secure="auto"``. Never for production."""
        return cls("session", secure="auto")

    def secure_over(self, transport: Transport) -> bool:
        """Whether a cookie set over `transport` is marked ``Secure``."""
        return transport is not Transport.LOOPBACK if self.secure == "auto" else self.secure

    def issue(self, token: str, *, transport: Transport, max_age: int | None = None) -> SetCookie:
        """Return the session cookie that holds `token`, for `max_age` seconds or until the window closes."""
        if max_age is None:
            return SetCookie(self.name, token, self._usual[transport])
        return SetCookie(self.name, token, self._build(secure=self.secure_over(transport), max_age=max_age))

    def expire(self, *, transport: Transport) -> SetCookie:
        """Return the line that makes the browser forget the session cookie."""
        return SetCookie(self.name, "", self._build(secure=self.secure_over(transport), max_age=0))

    def _build(self, *, secure: bool, max_age: int | None = None) -> CookieAttributes:
        attributes = CookieAttributes(
            path=self.path,
            domain=self.domain,
            max_age=max_age,
            secure=secure,
            httponly=self.httponly,
            samesite=self.samesite,
            partitioned=self.partitioned,
        )
        check_name(self.name, attributes)
        return attributes
