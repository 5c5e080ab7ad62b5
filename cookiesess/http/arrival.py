"""The facts about how a request came on which its answer depends."""

from typing import Final, Protocol

from cookiesess.http.policy import Transport


class Arrival(Protocol):
    """What a commit asks of the request; each is looked up only where it counts."""

    def transport(self) -> Transport:
        """Whether it came over HTTPS, plain HTTP, or from this machine to itself."""

    def https(self) -> bool:
        """Whether it came over HTTPS, as far as the server knows."""

    def forwarded_https(self) -> bool:
        """Whether a header, which anybody may send, says that it came to a proxy over HTTPS."""

    def host(self) -> str:
        """The host that the browser asked for, without a port; empty where it is not known."""

    def path(self) -> str:
        """The path that the browser asked for, as the text of its bytes; empty where it is not known."""

    def cross_site_post(self) -> bool:
        """Whether another site's page has the browser navigate here by a method that changes things."""

    def mount(self) -> str:
        """Where in the site the app is mounted, as the text of its bytes; empty at its root."""

    def skipped(self) -> str:
        """Why the browser did not prove its device: as it says, or ``"elsewhere"``; empty where nobody knows."""


class _Https:
    """A request of which nothing is known but that Secure cookies are right."""

    def transport(self) -> Transport:
        return Transport.HTTPS

    def https(self) -> bool:
        return True

    def forwarded_https(self) -> bool:
        return False

    def host(self) -> str:
        return ""

    def path(self) -> str:
        return ""

    def cross_site_post(self) -> bool:
        return False

    def mount(self) -> str:
        return ""

    def skipped(self) -> str:
        return ""


HTTPS_ARRIVAL: Final[Arrival] = _Https()
