"""The jar for plain cookies: reads the request's cookies, and makes Set-Cookie lines for the response."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Literal, Unpack

from cookiesess.errors import ResponseStarted, SessionError, without_locals
from cookiesess.events import TouchedLate
from cookiesess.http.arrival import HTTPS_ARRIVAL, Arrival
from cookiesess.http.cookies import Attributes, CookieAttributes, check_name, moment_after, needs_secure, seconds
from cookiesess.http.grammar import parse, quote, values_of
from cookiesess.http.headers import SetCookie, check_size
from cookiesess.http.pieces import MAX_CANDIDATES
from cookiesess.http.places import CookieIdentity
from cookiesess.http.protected import JarContext, ProtectedCookies
from cookiesess.session.session import Session


class Cookies(Mapping[str, str]):
    """The request's cookies, as a mapping, and methods to set and delete cookies on the response.

    An app gets its jar with `get_cookies`. Reading always shows what the browser sent, as text, even after `set` and
    `delete`. A visitor can read and change these cookies. Use `signed` for cookies that the visitor cannot change, and
    `sealed` for cookies that the visitor cannot read either.
    """

    # Defaults of the class, for what is not even looked at unless the app looks into its jar, as few do.
    _parsed: dict[str, str] | None = None
    _committed = False
    _also_reserved: Mapping[str, Session] = MappingProxyType({})

    def __init__(self, context: JarContext, header: str, arrival: Arrival) -> None:
        self._context = context
        self._header = header
        self._arrival = arrival
        self._set: dict[CookieIdentity, SetCookie] | None = None
        self.touched: bool = False

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        # Names only: values may be somebody else's session.
        return f"<Cookies {sorted(self._parsed)}>" if self._parsed is not None else "<Cookies, not touched yet>"

    @property
    def _values(self) -> dict[str, str]:
        if self._parsed is None:
            self._touch()
            self._parsed = parse(self._header)
        return self._parsed

    @property
    def signed(self) -> ProtectedCookies:
        """Cookies that the visitor can read, but not change."""
        return ProtectedCookies(self, self._context.signed)

    @property
    def sealed(self) -> ProtectedCookies:
        """Cookies that the visitor can neither read nor change."""
        return ProtectedCookies(self, self._context.sealed)

    @without_locals
    def set(self, key: str, value: str, **attributes: Unpack[Attributes]) -> None:
        """Set a cookie on the response. A second call with the same name, domain, path and partition replaces it.

        Args:
            key: The cookie's name: ASCII letters, digits and ``!#$%&'*+-.^_`|~``. Browsers have rules for names that
                begin with ``__Host-``, ``__Secure-`` or ``__Http-``.
            value: Any text without CR, LF and NUL. Characters that would break a header are written quoted.
            **attributes: ``max_age`` (seconds or timedelta) and ``expires`` (aware datetime), both None by default: the
                cookie lives until the window closes. ``domain``, by default None: this host alone. ``path``, by default
                ``"/"``. ``secure``, by default as in the session's policy. ``httponly``, by default False.
                ``samesite``, by default ``"Lax"``. ``partitioned``, by default False; it needs ``samesite="None"``.

        Raises:
            ValueError: Browsers would refuse an attribute, the name or the value would break the header, or the name is
                that of the session's cookie.
            CookieTooLarge: The line is longer than browsers keep.
            ResponseStarted: The headers have gone out.
        """
        if type(value) is not str:
            raise ValueError(f"the value of cookie {key!r} is {type(value).__name__}; cookies hold text, use str(…)")
        self._add(key, quote(value), attributes)

    def delete(
        self,
        key: str,
        *,
        path: str = "/",
        domain: str | None = None,
        samesite: Literal["Strict", "Lax", "None"] | None = None,
        partitioned: bool = False,
    ) -> None:
        """Delete a cookie in the browser.

        Args:
            key: The cookie's name.
            path: The path with which the cookie was set.
            domain: The domain with which the cookie was set.
            samesite: Write ``"None"`` for a page that another site shows in a frame: there, browsers ignore deletions
                with any other value. None (the default): ``"None"`` if `partitioned` is True, else ``"Lax"``.
            partitioned: The ``partitioned`` with which the cookie was set.

        Raises:
            ValueError, ResponseStarted: As in `set`.
        """
        samesite = samesite or ("None" if partitioned else "Lax")
        attributes: Attributes = {"max_age": 0, "path": path, "domain": domain, "partitioned": partitioned}
        if partitioned or samesite == "None" or needs_secure(str(key)):
            # Without these a browser passes over a deletion, as it would pass over such a cookie.
            attributes |= {"secure": True, "httponly": True}
        self._add(key, "", {**attributes, "samesite": samesite})

    def _add(self, key: str, value: str, attributes: Attributes) -> None:
        if self._committed:
            raise ResponseStarted(f"cookie {key!r} was set after the headers had gone out; set it before the body")
        policy = self._context.policy
        if key in self._context.reserved or key in self._also_reserved:
            raise ValueError(f"{key!r} is the session's cookie; use the session, or another name")
        fields = {"secure": None, "httponly": False, **attributes}
        if fields["secure"] is None:
            fields["secure"] = policy.secure_over(self._arrival.transport())
        fields["max_age"] = max_age = seconds(attributes.get("max_age"))
        if max_age is not None and attributes.get("expires") is None:
            fields["expires"] = moment_after(max_age, now=self._context.now())
        checked = CookieAttributes(**fields)  # type: ignore[arg-type]  # the TypedDict has its fields and types
        check_name(key, checked)
        cookie = check_size(SetCookie(key, value, checked))
        if self._set is None:
            self._set = {}
        self._set[CookieIdentity(key, checked.path, checked.domain, checked.partitioned)] = cookie

    def _touch(self) -> None:
        if self._committed and not self.touched:
            self._context.emit(TouchedLate())
        self.touched = True

    @property
    def closed(self) -> bool:
        """True once the response's headers have gone out."""
        return self._committed

    @property
    def untouched(self) -> bool:
        """Whether nobody has read or set a cookie."""
        return not self.touched and self._set is None

    def reserve(self, session: Session, name: str) -> None:
        """Refuse `name` as well: it is the cookie of a second middleware's `session`.

        Raises:
            SessionError: It is the session cookie of another middleware in the same stack.
        """
        other = self._also_reserved.get(name)
        if name in self._context.reserved or (other is not None and not other.closed):
            raise SessionError(
                f"two middlewares in one stack use the cookie {name!r}; give one CookiePolicy another name"
            )
        self._also_reserved = {**self._also_reserved, name: session}

    def _raw_values(self, name: str) -> list[str]:
        self._touch()
        return values_of(self._header, name, limit=MAX_CANDIDATES)

    def commit(self) -> tuple[SetCookie, ...]:
        """Close the jar and return what was set, in order. For the manager."""
        self._committed = True
        # The middleware's arrival leads to the environ, which holds this jar. Without that cycle a request is freed
        # as it ends, and not by the garbage collector, which takes a seventh of a request's time (measured).
        self._arrival = HTTPS_ARRIVAL
        return tuple(self._set.values()) if self._set else ()
