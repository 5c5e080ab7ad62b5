"""How a request came, for a manager without WSGI."""

from __future__ import annotations

from cookiesess import Transport


class Came:
    """An arrival that says what it is told to say.

    Args:
        transport: As `cookiesess.http.arrival.Arrival` has it, and the others too.
        host: What the browser asked for.
        posted: Another site's page has sent it, by a method that changes things.
        path: What the browser asked for.
    """

    def __init__(
        self, host: str = "", *, transport: Transport = Transport.HTTPS, posted: bool = False, path: str = ""
    ) -> None:
        self._host, self._transport, self._posted, self._path = host, transport, posted, path

    def transport(self) -> Transport:
        return self._transport

    def https(self) -> bool:
        return self._transport is Transport.HTTPS

    def forwarded_https(self) -> bool:
        return False

    def host(self) -> str:
        return self._host

    def path(self) -> str:
        return self._path

    def cross_site_post(self) -> bool:
        return self._posted

    def mount(self) -> str:
        return ""

    def skipped(self) -> str:
        return ""
