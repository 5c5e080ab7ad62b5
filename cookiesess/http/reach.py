"""Which pages a cookie covers, and an event if the page that sets the cookie is none of them."""

from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from cookiesess.events import CookieOutOfReach, Event
from cookiesess.http.arrival import Arrival
from cookiesess.http.places import is_address
from cookiesess.http.policy import CookiePolicy


class Reach:
    """Tells, once, where the session's cookie does not cover the page that sets it.

    Args:
        policy: How the cookie is set.
        emit: Is told.

    Attributes:
        watched: Some page may not be covered, and nobody has been told of one yet.
    """

    def __init__(self, policy: CookiePolicy, *, emit: Callable[[Event], object]) -> None:
        self._domain = None if policy.domain is None else policy.domain.lower()
        self._path = unquote_to_bytes(policy.path)
        self._emit = emit
        self.watched = self._domain is not None or self._path != b"/"

    def look_at(self, arrival: Arrival) -> None:
        """Emit that the cookie does not cover the page which a request asked for, if that is so."""
        attribute = self.missing(arrival.host(), arrival.path())
        if attribute:
            self.watched = False
            self._emit(CookieOutOfReach(attribute))

    def missing(self, host: str, path: str) -> str:
        """Return by which attribute a page is not covered (RFC 6265bis sections 5.1.3 and 5.1.4); empty: it is.

        Args:
            host: The page's, in lower case; empty: nobody knows.
            path: The same, as the text of its bytes.
        """
        domain = self._domain
        if domain is not None and host not in ("", domain) and (is_address(host) or not host.endswith(f".{domain}")):
            return "Domain"
        page = path.encode("latin-1", "replace")
        covered = not page or page == self._path or page.startswith(self._path.rstrip(b"/") + b"/")
        return "" if covered else "Path"
