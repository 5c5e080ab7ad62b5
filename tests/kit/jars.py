"""A browser that tells cookies apart as browsers do: by name, domain, path and partition (RFC 6265bis section 5.7).

`kit.browser.Browser` knows them by name alone, which is enough until a deploy changes where they stand.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from typing import Any

from cookiesess import SessionManager, SetCookie, Transport
from cookiesess.http.places import CookieIdentity
from kit.arrival import Came
from kit.views import View

HOST = "www.shop.example"


@dataclass
class Kept:
    """A cookie that the browser has."""

    value: str
    born: int


class Wanderer:
    """A browser in front of managers that may set their cookies elsewhere than one another.

    Args:
        manager: What it visits, unless a visit names another.
        host: Where it is.
        transport: How its requests come.

    Attributes:
        kept: What it has, by what it tells cookies apart by. (A host-only one has the host for its domain, and no dot.)
    """

    def __init__(self, manager: SessionManager, *, host: str = HOST, transport: Transport = Transport.HTTPS) -> None:
        self.manager = manager
        self.host = host
        self.transport = transport
        self.kept: dict[CookieIdentity, Kept] = {}
        self._born = count()

    def header(self, path: str = "/") -> str:
        """The Cookie header of a request: longer paths first, then older cookies (RFC 6265bis section 5.8.3)."""
        sent = [each for each in self.kept if self._is_for(each, path)]
        sent.sort(key=lambda each: (-len(each.path), self.kept[each].born))
        return "; ".join(f"{each.name}={self.kept[each].value}" for each in sent)

    def visit(self, view: View = len, path: str = "/", *, manager: SessionManager | None = None) -> list[SetCookie]:
        """Make a request, and return the Set-Cookie lines of its answer, which are kept."""
        manager = manager or self.manager
        session = manager.open(self.header(path))
        view(session)
        arrival = Came(self.host, transport=self.transport, path=path)
        lines = list(manager.commit(session, arrival=arrival).cookies)
        self.keep(lines, path)
        return lines

    def read(self, view: View = dict, path: str = "/") -> Any:
        """What `view` would return in a request; nothing is committed."""
        return view(self.manager.open(self.header(path)))

    def owner(self, path: str = "/") -> str | None:
        """Whose session a request would see."""
        return self.manager.open(self.header(path)).owner

    def keep(self, lines: Iterable[SetCookie], path: str = "/") -> None:
        """Take over what a response sets, in order, as far as a browser takes it."""
        for line in lines:
            attributes = line.attributes
            each = CookieIdentity(line.name, attributes.path, attributes.domain, attributes.partitioned)
            if not self._takes(line):
                continue
            if attributes.max_age == 0:
                self.kept.pop(each, None)
            elif each in self.kept:
                self.kept[each].value = line.value  # it keeps its age
            else:
                self.kept[each] = Kept(line.value, next(self._born))

    def plant(self, name: str, value: str, *, path: str = "/", domain: str | None = None) -> None:
        """Have a subdomain, or a script, set a cookie."""
        self.kept[CookieIdentity(name, path, domain, False)] = Kept(value, next(self._born))

    def _is_for(self, each: CookieIdentity, path: str) -> bool:
        domain = each.domain or self.host
        inside = path == each.path or path.startswith(each.path.rstrip("/") + "/")
        return inside and (self.host == domain or self.host.endswith(f".{domain}"))

    def _takes(self, line: SetCookie) -> bool:
        attributes = line.attributes
        https = self.transport is Transport.HTTPS
        if attributes.domain is not None and not (
            self.host == attributes.domain or self.host.endswith(f".{attributes.domain}")
        ):
            return False
        if line.name.startswith("__Host-") and (attributes.domain or attributes.path != "/" or not attributes.secure):
            return False
        return https or not attributes.secure
