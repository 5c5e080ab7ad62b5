"""The state of logins through somebody else, by OAuth, OpenID Connect or SAML: each in a sealed cookie of its own.

It is not in the session, since an identity provider may send the visitor back by a form of its own page (``form_post``,
SAML's POST binding). Browsers send no cookie with ``SameSite=Lax`` or ``Strict`` along with that, the session's
neither. So the state travels in a short-lived cookie with ``SameSite=None``, beside the session's, which stays as
strict as it is. One cookie for each login, since two tabs may log in at once.
"""

from hashlib import sha256
from itertools import islice
from typing import Any, Final

from cookiesess.http.cookies import Attributes
from cookiesess.http.jar import Cookies
from cookiesess.http.policy import Transport

_MAX_AGE: Final = 600
# Each of them comes back with every request for ten minutes, and servers mostly take 8 KB of headers.
_MOST_LOGINS: Final = 5
# Of 16 characters a guesser needs at least 2^64 tries (base64 has 2^96); what libraries make has 30 and more.
_LEAST_STATE: Final = 16
_MOST_STATE: Final = 2048
# A browser has fewer cookies than that of one site, and each costs a decryption.
_MOST_OPENED: Final = 200
# So many lines are no more than a kilobyte or two; what is left over goes with the next login.
_MOST_FORGOTTEN: Final = 10


def begin(jar: Cookies, state: str, data: dict[str, Any]) -> None:
    """Keep what a login needs on its way back, and forget the oldest of more than five. See `begin_login`."""
    if type(state) is not str or not _LEAST_STATE <= len(state) <= _MOST_STATE:
        came = f"{len(state)} characters" if type(state) is str else type(state).__name__
        raise ValueError(
            f"the state of a login is text of {_LEAST_STATE} to {_MOST_STATE} characters that nobody can guess, and"
            f" what came is {came}; pass secrets.token_urlsafe(32)"
        )
    if type(data) is not dict:
        raise ValueError(f"the data of a login is a dict, and what came is {type(data).__name__}; pass {{'next': …}}")
    place = _place(jar)
    jar.sealed._write(_name(jar, state), data, {**place, "max_age": _MAX_AGE})
    for name in _under_way(jar)[:-_MOST_LOGINS][:_MOST_FORGOTTEN]:
        _forget(jar, name, place)


def finish(jar: Cookies, state: object) -> dict[str, Any] | None:
    """Return what `begin` kept, and have the browser forget it. See `finish_login`."""
    if type(state) is not str or not _LEAST_STATE <= len(state) <= _MOST_STATE:
        return None
    name = _name(jar, state)
    found = jar.sealed._find(name)
    if found is None:
        return None
    _forget(jar, name, _place(jar))
    data: dict[str, Any] = found[0]
    return data


def _place(jar: Cookies) -> Attributes:
    """Return where the cookies stand: where the session's does, or a callback could not log in either."""
    policy, transport = jar._context.policy, jar._arrival.transport()
    # Flask's own default sets no Secure, but where HTTPS shows, these cookies can have it, and need it.
    secure = policy.secure_over(transport) or transport is Transport.HTTPS
    return {
        "path": policy.path,
        "domain": policy.domain,
        "secure": secure,
        "samesite": "None" if secure else "Lax",  # without Secure browsers drop None
        "partitioned": policy.partitioned,
    }


def _prefix(jar: Cookies) -> str:
    return f"{jar._context.policy.name}.login."


def _name(jar: Cookies, state: str) -> str:
    # A hash, since a state may hold what no name may; the sealed value is bound to the name, so to the state as well.
    return _prefix(jar) + sha256(state.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _under_way(jar: Cookies) -> list[str]:
    """Return the names of the logins that have begun, the oldest first, and before them those that do not open."""
    prefix = _prefix(jar)
    here = {cookie.name: bool(cookie.value) for cookie in (jar._set or {}).values() if cookie.name.startswith(prefix)}
    sent = (name for name in jar if name.startswith(prefix) and name not in here)
    found = {name: jar.sealed._find(name) for name in islice(sent, _MOST_OPENED)}
    ages = {name: (each and each[1]) or 0 for name, each in found.items()}
    return [*sorted(ages, key=ages.__getitem__), *(name for name, begun in here.items() if begun)]


def _forget(jar: Cookies, name: str, place: Attributes) -> None:
    jar.delete(
        name,
        path=place["path"],
        domain=place["domain"],
        samesite=place["samesite"],
        partitioned=place["partitioned"],
    )
