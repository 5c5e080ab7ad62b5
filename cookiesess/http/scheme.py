"""Whether a session's cookies are set over HTTPS, and an event if HTTPS and ``Secure`` do not go together."""

from collections.abc import Callable
from typing import Final

from cookiesess.events import Event, HttpsUnseen, InsecureCookieOverHttps, SecureCookieOverHttp
from cookiesess.http.arrival import HTTPS_ARRIVAL, Arrival
from cookiesess.http.policy import CookiePolicy, Transport

_HTTPS: Final = Transport.HTTPS
_PLAIN: Final = Transport.PLAIN


class Scheme:
    """Tells how a request came, as far as the attributes of the session's cookies depend on it.

    Args:
        policy: How the cookies are set.
        emit: Is told, once, of a cookie that browsers drop, or that plain HTTP would show to everybody on the way.
    """

    def __init__(self, policy: CookiePolicy, *, emit: Callable[[Event], object]) -> None:
        self._secure = policy.secure
        self._emit = emit
        # Whether there may be something to say. Then, and where the attributes depend on it, each write asks.
        self._watched = True
        self._asks = True

    def of(self, arrival: Arrival) -> Transport:
        """Return the transport whose attributes the cookies of an answer get.

        Not asked where the request came over HTTPS and the cookie is Secure then.
        """
        if not self._asks:
            return _HTTPS  # always the same ones
        if self._secure is False:
            # Of a manager without WSGI nothing is known, and in Django its own system check says so.
            if arrival.https() and arrival is not HTTPS_ARRIVAL:
                self._say(InsecureCookieOverHttps())
            return _HTTPS
        how = arrival.transport() if self._secure == "auto" else _PLAIN
        if self._watched:
            self._look(arrival, how)
        return how

    def _look(self, arrival: Arrival, how: Transport) -> None:
        """Emit what is wrong with a request that did not come over HTTPS."""
        if self._secure == "https":
            if arrival.forwarded_https():
                self._say(HttpsUnseen())
        elif self._secure is True or (self._secure == "auto" and how is _PLAIN):
            self._say(SecureCookieOverHttp(auto=self._secure == "auto"))

    def _say(self, event: Event) -> None:
        self._watched, self._asks = False, type(self._secure) is not bool
        self._emit(event)
