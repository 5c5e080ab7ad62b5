"""What server and browser exchange for sessions that are bound to devices: settings, bound cookies, challenges.

Bound cookies and challenges are sealed tokens, so the server keeps nothing of them:

- the *bound cookie* holds the binding ID, the browser's key, and its end (`cookiesess.session.binding.Binding`), for
  the purpose ``bound``. It has the key because a client-side session's own cookie may be the older one: two answers
  that cross each other leave the browser with the one that came last;
- a *challenge* holds what it is for (one byte), the binding ID, and when it was made (8 bytes), for the purpose
  ``bound-challenge``.

Hosts' clocks may differ by a minute: a challenge may be a minute older than it should be, or younger than now, and a
bound cookie counts for a minute longer than the browser keeps it.
"""

import json
import re
import struct
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum
from typing import Final
from urllib.parse import quote

from cookiesess.errors import ConfigurationError, InvalidToken
from cookiesess.http.arrival import Arrival
from cookiesess.http.grammar import each_value, values_of
from cookiesess.http.grammar import quote as quoted
from cookiesess.http.headers import SetCookie
from cookiesess.http.pieces import MAX_CANDIDATES
from cookiesess.http.policy import CookiePolicy
from cookiesess.session.binding import BINDING_ID_BYTES, Binding
from cookiesess.session.lifetime import whole_seconds
from cookiesess.tokens.encoding import encode, purpose
from cookiesess.tokens.sealing import Sealer

# By how much the clocks of two hosts may differ.
_SKEW_SECONDS: Final = 60
# Chromium signs about six times in nine minutes for a site, and two minutes ahead of the end: with less it runs out.
_LEAST_BOUND: Final = timedelta(minutes=5)
# A copy of all cookies works for as long.
_MOST_BOUND: Final = timedelta(hours=1)
_MOST_REGISTRATION: Final = timedelta(minutes=10)
_PATH: Final = re.compile(r"(?:/[0-9A-Za-z._~-]+)+")
_CHALLENGE: Final = struct.Struct(f">B{BINDING_ID_BYTES}sQ")
# Why a browser gave no proof, as it says (W3C Device Bound Session Credentials, Secure-Session-Skipped). The last one
# is ours: where a page of another origin has caused the request, the browser says nothing.
_SKIPPED: Final = re.compile(r"\b(quota_exceeded|unreachable|server_error|elsewhere)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceBinding:
    """Settings of device binding: stolen cookies are worth nothing after `bound_for`.

    After each ``login()`` the server asks the browser for a key that never leaves the device (W3C Device Bound Session
    Credentials). Every few minutes the browser then proves that it holds the key, and gets a short-lived cookie. If a
    request brings a bound session without that cookie, the session reads as empty. Nothing changes for browsers that do
    not know device binding.

    Args:
        bound_for: How long the short-lived cookie lasts. A copy of all cookies works for this long, and up to a minute
            more because clocks differ. 5 minutes (the default) to an hour. Browsers limit how often they sign, so
            shorter times do not work.
        registration_within: How long after a login the browser may bind the session; a minute by default, at most ten.
        path: The path, below where the app is mounted, at which the browser calls ``start`` and ``refresh``. Your app
            does not see these requests. Do not choose ``/.well-known``: proxies often keep it for certificates.
        required: True: log out every session that the browser has not bound within `registration_within` of the login.
            Only for fleets in which every browser can bind sessions; users of other browsers cannot stay logged in.
            False by default.
        testing: True: allow a `bound_for` from one second. Real browsers then exceed their limit of signatures.

    Raises:
        ConfigurationError: A duration is outside its limits, or `path` is not a path.
    """

    bound_for: timedelta = _LEAST_BOUND
    registration_within: timedelta = timedelta(minutes=1)
    path: str = "/_cookiesess/binding"
    required: bool = False
    testing: bool = False
    bound_seconds: int = field(init=False, repr=False)
    registration_seconds: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("required", "testing"):
            if type(getattr(self, name)) is not bool:
                raise ConfigurationError(f"{name} {getattr(self, name)!r} is not allowed; choose True or False")
        bound = whole_seconds("bound_for", self.bound_for, least=1)
        within = whole_seconds("registration_within", self.registration_within, least=1)
        least = timedelta(seconds=1) if self.testing else _LEAST_BOUND
        if not least <= self.bound_for <= _MOST_BOUND:
            raise ConfigurationError(
                f"bound_for ({self.bound_for}) must be from {least} to {_MOST_BOUND}: with less, browsers run out of"
                " the proofs that they give in some minutes (in tests, testing=True allows it); and a copy of all"
                " cookies works for as long"
            )
        if self.registration_within > _MOST_REGISTRATION:
            raise ConfigurationError(
                f"registration_within ({self.registration_within}) must be at most {_MOST_REGISTRATION}; browsers"
                " answer within seconds"
            )
        object.__setattr__(self, "path", _checked_path(self.path))
        object.__setattr__(self, "bound_seconds", bound)
        object.__setattr__(self, "registration_seconds", within)

    @property
    def start_path(self) -> str:
        """The path where the browser registers its key, as PATH_INFO has it."""
        return f"{self.path}/start"

    @property
    def refresh_path(self) -> str:
        """The path where the browser proves that it still holds the key, as PATH_INFO has it."""
        return f"{self.path}/refresh"

    @property
    def paths(self) -> tuple[str, str]:
        """Both."""
        return self.start_path, self.refresh_path


def _checked_path(path: object) -> str:
    if type(path) is not str or not _PATH.fullmatch(path) or not {".", ".."}.isdisjoint(path.split("/")):
        raise ConfigurationError(
            f"path {path!r} is not allowed; it begins with '/', ends without one, and has letters, digits and ._~-"
            " between: '/_cookiesess/binding'"
        )
    if path.startswith("/.well-known"):
        raise ConfigurationError(f"path {path!r} is one that proxies keep for certificates; choose another one")
    return path


class Challenge(IntEnum):
    """What a challenge is for; the numbers are in tokens."""

    START = 0
    REFRESH = 1


class BoundCookies:
    """Makes and reads what the browser is handed for one policy. Thread-safe.

    Args:
        binding: The settings.
        policy: That of the session's cookie, whose attributes the bound cookie has.
        sealer: Seals and opens.

    Attributes:
        binding: The same.
        name: The bound cookie's.
    """

    def __init__(self, binding: DeviceBinding, policy: CookiePolicy, sealer: Sealer) -> None:
        self.binding = binding
        self.name = policy.bound_name
        self._policy = policy
        self._sealer = sealer
        self._purpose = purpose("bound", policy.name)
        self._challenge_purpose = purpose("bound-challenge", policy.name)
        self._skew_seconds = min(_SKEW_SECONDS, binding.bound_seconds // 5)

    # The bound cookie

    def shown(self, header: str, binding: Binding, *, now: int) -> Binding | str:
        """Return `binding`, with its key, where a request's Cookie header proves it; else why it does not.

        The reasons: ``"missing"``, ``"expired"``, ``"invalid"`` (it did not open), ``"other"`` (another binding's).
        """
        reason, left = "missing", MAX_CANDIDATES
        for token in each_value(header, self.name):
            try:
                found = Binding.unpack(self._sealer.unseal(token, self._purpose)[0])
            except InvalidToken as error:
                found, left = None, left - (error.reason == "forged")  # the others cost nothing, and hide nothing
            else:
                left -= 1
            if found is None:
                reason = "invalid"
            elif found.binding_id != binding.binding_id or (binding.registered and found.key != binding.key):
                reason = "other"
            elif now >= found.at + self._skew_seconds:
                reason = "expired"
            else:
                return binding._replace(key=found.key)
            if not left:
                break
        return reason

    def in_header(self, header: str) -> str:
        """Return the bound cookies of a Cookie header, each after ``"; "``, to stand behind the session's own."""
        return "".join(f"; {self.name}={quoted(value)}" for value in each_value(header, self.name))

    def cookie(self, binding: Binding, arrival: Arrival, *, now: int) -> SetCookie:
        """Return a bound cookie for who has just proved that they hold the key of `binding`."""
        seconds = self.binding.bound_seconds
        token = self._sealer.seal(binding._replace(at=now + seconds).packed(), self._purpose)
        return SetCookie(self.name, token, self._policy.attributes(arrival.transport(), seconds, now=now))

    def expiry(self, header: str, arrival: Arrival) -> tuple[SetCookie, ...]:
        """Return the line that has the browser forget its bound cookie, if it has one."""
        if not values_of(header, self.name, limit=1):
            return ()
        return (SetCookie(self.name, "", self._policy.attributes(arrival.transport(), 0)),)

    # Challenges

    def challenge(self, kind: Challenge, binding_id: bytes, *, now: int) -> str:
        """Return what a browser is to sign."""
        return self._sealer.seal(_CHALLENGE.pack(kind, binding_id, now), self._challenge_purpose)

    def refusal(self, challenge: str, kind: Challenge, binding_id: bytes, *, now: int) -> str:
        """Return why a challenge does not count; empty where it was made here for that, and is still fresh.

        The reasons: ``"foreign"`` (made elsewhere, for something else, or for another binding), ``"stale"``, and
        ``"future"`` (this clock is behind that of the host that made it).
        """
        try:
            plaintext, _ = self._sealer.unseal(challenge, self._challenge_purpose)
        except InvalidToken:
            return "foreign"
        said, named, made_at = _CHALLENGE.unpack(plaintext)
        if (said, named) != (kind, binding_id):
            return "foreign"
        if now < made_at - _SKEW_SECONDS:
            return "future"
        seconds = self.binding.registration_seconds if kind is Challenge.START else _SKEW_SECONDS
        return "stale" if now > made_at + seconds + _SKEW_SECONDS else ""

    def registration(self, binding_id: bytes, arrival: Arrival, *, now: int) -> str:
        """Return the header by which a browser is asked for a key; empty where it could not send the session there."""
        path = _in_header(arrival.mount()) + self.binding.start_path
        if not _covers(self._policy.path, path):
            return ""
        return f'(ES256);path="{path}";challenge="{self.challenge(Challenge.START, binding_id, now=now)}"'

    # What the browser keeps

    def instructions(self, binding_id: bytes, arrival: Arrival) -> bytes:
        """Return what a browser is told about its binding, as JSON: what to show, where, and how to renew it.

        The scope is the origin that was asked, which is left out: behind a proxy the server need not know it.

        No other site may cause a proof (``allowed_refresh_initiators``), though the first page behind a link there then
        comes without one: a proof that is caused so comes without ``SameSite`` cookies (seen in Chromium 150).
        """
        attributes = self._policy.attributes(arrival.transport()).suffix.removeprefix("; ")
        told = {
            "session_identifier": encode(binding_id),
            "refresh_url": _in_header(arrival.mount()) + self.binding.refresh_path,
            "scope": {"include_site": False},
            "credentials": [{"type": "cookie", "name": self.name, "attributes": attributes}],
        }
        return json.dumps(told).encode()


def skipped_reason(said: str) -> str:
    """Return the reason in a browser's ``Secure-Session-Skipped``; empty for what is none."""
    match = _SKIPPED.search(said[:100])
    return match[1] if match else ""


def _in_header(mount: str) -> str:
    """Return a path of an environ as a browser has it in URLs: nothing in it ends a quoted text, or names another host.

    Two slashes in front would begin a host's name (RFC 3986 section 4.2); some servers have ``"/"`` for the root.
    """
    path = mount.strip("/")
    return quote(f"/{path}".encode("latin-1", "replace"), safe="/._~-!$&'()*+,;=:@") if path else ""


def _covers(cookie_path: str, path: str) -> bool:
    """Whether a cookie with that Path goes to `path` (RFC 6265 section 5.1.4)."""
    return f"{path}/".startswith(cookie_path.rstrip("/") + "/")
