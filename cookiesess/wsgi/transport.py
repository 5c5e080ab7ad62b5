"""Finds out from a WSGI environ how a request came: over HTTPS, plain HTTP, or from this machine to itself."""

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from cookiesess.http.policy import Transport

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# RFC 9110 section 7.2: a name or an address, an IPv6 one in brackets, and perhaps a port.
_HOST = re.compile(r"(?:\[(?P<six>[^\]]*)\]|(?P<name>[^:]*))(?::\d+)?")
_PORT: Final = re.compile(r":[0-9]*$")
# Any of these says that somebody stands between the browser and this server; so does anything HTTP_X_FORWARDED_….
_PROXY_KEYS = ("HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP")

# Test clients that call the app themselves, as WebTest does, mark the request so, and have no address to give.
_TESTING_KEY = "paste.testing"


class Arrived:
    """How the request of a WSGI environ came, where a commit asks that (`cookiesess.http.arrival.Arrival`).

    `cookiesess.wsgi.attachment.Attachment` has what every request asks, so that those go through one file less.
    """

    __slots__ = ("_environ",)
    _environ: "WSGIEnvironment"

    def forwarded_https(self) -> bool:
        """Whether a header, which anybody may send, says that it came to a proxy over HTTPS."""
        said: str = self._environ.get("HTTP_X_FORWARDED_PROTO", "")
        return said.partition(",")[0].strip().lower() == "https"

    def host(self) -> str:
        """The host that the browser asked for, without its port."""
        name: str = self._environ.get("HTTP_HOST", "")
        return name.rpartition(":")[0].lower() if _PORT.search(name) else name.lower()

    def path(self) -> str:
        """The path that the browser asked for; empty where a proxy says that it has taken something off it."""
        environ = self._environ
        if "HTTP_X_FORWARDED_PREFIX" in environ:
            return ""
        path: str = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        return path or "/"

    def mount(self) -> str:
        """Where in the site the app is mounted, as the text of its bytes; empty at its root."""
        mount: str = self._environ.get("SCRIPT_NAME", "")
        return mount

    def skipped(self) -> str:
        """Why the browser did not prove its device: as it says, or ``"elsewhere"``; empty where nobody knows."""
        said: str = self._environ.get("HTTP_SECURE_SESSION_SKIPPED", "")
        return said or ("elsewhere" if self.from_elsewhere() else "")

    def from_elsewhere(self) -> bool:
        """Whether a page of another origin has caused it, as browsers say it (Fetch Metadata)."""
        return self._environ.get("HTTP_SEC_FETCH_SITE", "") in {"cross-site", "same-site"}

    def cross_site_post(self) -> bool:
        """Whether another site's page has the browser navigate here by a method that changes things.

        As browsers say it (Fetch Metadata); those that say nothing are taken to be where they were.
        """
        environ = self._environ
        return (
            environ.get("HTTP_SEC_FETCH_SITE") == "cross-site"
            and environ.get("HTTP_SEC_FETCH_MODE") == "navigate"
            and environ.get("REQUEST_METHOD") not in {"GET", "HEAD"}
        )


def transport_of(environ: "WSGIEnvironment") -> Transport:
    """Return how the request of `environ` came, which is not by HTTPS; see `Transport`."""
    if any(key in _PROXY_KEYS or key.startswith("HTTP_X_FORWARDED_") for key in environ):
        return Transport.PLAIN
    host = _HOST.fullmatch(environ.get("HTTP_HOST") or "")
    client = environ.get("REMOTE_ADDR") or ""
    if not client and environ.get(_TESTING_KEY):
        client = "localhost"
    ends = (client, (host["six"] or host["name"]) if host else "")
    return Transport.LOOPBACK if all(map(_is_loopback, ends)) else Transport.PLAIN


def _is_loopback(name: str) -> bool:
    # RFC 6761 section 6.3: these names mean this machine, whatever a DNS server says.
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)  # ::ffff:127.0.0.1, which not all Pythons call loopback
    return bool((mapped or address).is_loopback)
