"""Signed and sealed cookies: what `Cookies.signed` and `Cookies.sealed` return."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Protocol, Unpack, overload

from cookiesess.errors import InvalidToken, without_locals
from cookiesess.events.base import Emitter
from cookiesess.http.cookies import Attributes, in_utc, seconds
from cookiesess.http.policy import CookiePolicy
from cookiesess.tokens.encoding import purpose
from cookiesess.tokens.sealing import Opened
from cookiesess.tokens.values import ValueCodec


class JarProtection(NamedTuple):
    """How one of the two views, `Cookies.signed` and `Cookies.sealed`, makes and opens its cookies."""

    purpose: str
    write: Callable[[bytes, bytes], str]
    read: Callable[[str, bytes], Opened]


class JarContext(NamedTuple):
    """What all jars of one manager share."""

    policy: CookiePolicy
    reserved: tuple[str, ...]
    codec: ValueCodec
    signed: JarProtection
    sealed: JarProtection
    now: Callable[[], int]
    emit: Emitter


class Jar(Protocol):
    """What the protected views need of the jar, `Cookies`."""

    _context: JarContext

    def delete(
        self,
        key: str,
        *,
        path: str,
        domain: str | None,
        samesite: Literal["Strict", "Lax", "None"] | None,
        partitioned: bool,
    ) -> None:
        """Have the browser forget a cookie, as `Cookies.delete` does."""

    def _add(self, key: str, value: str, attributes: Attributes) -> None: ...

    def _raw_values(self, name: str) -> list[str]: ...


class ProtectedCookies:
    """What `Cookies.signed` and `Cookies.sealed` return: cookies that you can read only if your app wrote them.

    A value comes back only if your app wrote it with a key that is still in the ring, under the same name, in the same
    view (`signed` or `sealed`), and not longer ago than its ``max_age``. Danger: the browser, or whoever copied the
    cookie, can send an old value again until ``max_age`` has passed. So the value proves that your app once wrote it,
    not that it is still true. Without ``max_age`` and ``expires``, it can be sent again while the key is in the ring.
    """

    def __init__(self, jar: Jar, protection: JarProtection) -> None:
        self._jar = jar
        self._protection = protection

    @overload
    def get(self, name: str, default: None = None) -> str | None: ...
    @overload
    def get(self, name: str, default: str) -> str: ...
    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the value of a cookie of the request. A cookie that you `set` on the response does not show here.

        If the browser sends several cookies of one name, the first that opens counts; at most four are tried.

        Args:
            name: The cookie's name.
            default: The value to return if there is no such cookie, if your app did not write it, or if it is too old.
        """
        found = self._find(name)
        return default if found is None else str(found[0])

    @overload
    def pop(
        self,
        name: str,
        default: None = None,
        *,
        path: str = "/",
        domain: str | None = None,
        samesite: Literal["Strict", "Lax", "None"] | None = None,
        partitioned: bool = False,
    ) -> str | None: ...
    @overload
    def pop(
        self,
        name: str,
        default: str,
        *,
        path: str = "/",
        domain: str | None = None,
        samesite: Literal["Strict", "Lax", "None"] | None = None,
        partitioned: bool = False,
    ) -> str: ...
    def pop(
        self,
        name: str,
        default: str | None = None,
        *,
        path: str = "/",
        domain: str | None = None,
        samesite: Literal["Strict", "Lax", "None"] | None = None,
        partitioned: bool = False,
    ) -> str | None:
        """Return the value of a cookie of the request, as `get` does, and delete the cookie in the browser.

        A cookie that does not open stays: another server may be able to read it. Danger: a copy of the cookie can be
        sent again until its ``max_age`` has passed. If a value may count only once, you need a store.

        Args:
            name: The cookie's name.
            default: As in `get`.
            path: The path with which the cookie was set.
            domain: The domain with which the cookie was set.
            samesite: As in `Cookies.delete`.
            partitioned: The ``partitioned`` with which the cookie was set.

        Raises:
            ValueError, ResponseStarted: As in `Cookies.delete`, if there is a cookie to delete.
        """
        found = self._find(name)
        if found is None:
            return default
        self._jar.delete(name, path=path, domain=domain, samesite=samesite, partitioned=partitioned)
        return str(found[0])

    @without_locals
    def set(self, key: str, value: str, **attributes: Unpack[Attributes]) -> None:
        """Set a cookie on the response, as `Cookies.set` does; but here ``httponly`` is True by default.

        Args:
            key: As in `Cookies.set`.
            value: Any text, also with CR, LF and NUL. In the cookie it takes a third more than its UTF-8 bytes, and
                another 50 characters (signed) or 70 characters (sealed).
            **attributes: As in `Cookies.set`. The server enforces the deadline of ``max_age`` or ``expires``: it is
                also stored inside the value.

        Raises:
            NotSerializable: The text holds half a surrogate pair.
            ValueError, CookieTooLarge, ResponseStarted: As in `Cookies.set`.
        """
        if type(value) is not str:
            raise ValueError(f"the value of cookie {key!r} is {type(value).__name__}; cookies hold text, use str(…)")
        self._write(key, value, attributes)

    def _write(self, key: str, value: object, attributes: Attributes) -> None:
        """Set a cookie that holds any value a session may. For `set`, and for logins."""
        context = self._jar._context
        plaintext = context.codec.dumps([value, _ends_at(attributes, now=context.now())], f"cookie {key!r}")
        token = self._protection.write(plaintext, purpose(self._protection.purpose, key))
        self._jar._add(key, token, {"httponly": True, **attributes})

    def _find(self, name: str) -> tuple[Any, int | None] | None:
        """Return a cookie's value and its deadline, in Unix seconds or None. For `get`, and for logins."""
        context = self._jar._context
        for token in self._jar._raw_values(name):
            try:
                plaintext, _ = self._protection.read(token, purpose(self._protection.purpose, name))
                value, ends_at = context.codec.loads(plaintext)
            except InvalidToken:
                continue
            if ends_at is None or context.now() < ends_at:
                return value, ends_at
        return None


def _ends_at(attributes: Attributes, *, now: int) -> int | None:
    max_age, expires = seconds(attributes.get("max_age")), attributes.get("expires")
    if max_age is not None:
        return now + max_age
    return None if expires is None else int(in_utc(expires).timestamp())
