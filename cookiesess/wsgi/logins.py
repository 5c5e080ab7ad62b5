"""Logins through somebody else: what the app has to know when the visitor comes back."""

from typing import Any

from cookiesess.errors import without_locals
from cookiesess.http import logins
from cookiesess.wsgi.attachment import get_cookies


@without_locals
def begin_login(request: object, state: str, data: dict[str, Any]) -> None:
    """Keep what a login by OAuth, OpenID Connect or SAML needs when the visitor comes back from the provider.

    Each login has a sealed cookie of its own, named by a hash of its state and beside the session's, with
    ``SameSite=None; Secure``: it comes back by a link and by a form of the provider's page (``form_post``, SAML's POST
    binding), for ten minutes. Up to five logins go on side by side; the oldest of more is forgotten. Over plain HTTP,
    as under `CookiePolicy.development`, it is ``SameSite=Lax``, and comes back by a link alone.

    Args:
        request: As `get_session` takes it.
        state: What the provider hands back: OAuth's ``state``, SAML's ``RelayState``. 16 to 2,048 characters that
            nobody can guess, new for each login, such as ``secrets.token_urlsafe(32)``. Else another site could have
            the visitor finish a login that is not the visitor's own (RFC 9700 section 4.7).
        data: The PKCE verifier, the nonce, where to go afterwards: a dict of what a session may hold, about 2,500
            bytes of it. The visitor can neither read nor change it.

    Raises:
        ValueError: `state` or `data` is not as above.
        NotSerializable: `data` holds what a session cannot hold.
        CookieTooLarge: `data` is longer than a cookie may be.
        ResponseStarted: The headers have gone out.
        SessionError: The app is not wrapped in `SessionMiddleware`.
    """
    logins.begin(get_cookies(request), state, data)


@without_locals
def finish_login(request: object, state: object) -> dict[str, Any] | None:
    """Return what `begin_login` kept under a state, in this browser, and have the browser forget it.

    This is no "exactly once": a copy of the cookie can be shown again until its ten minutes are over. The provider
    takes a code once; what has no such thing (a SAML assertion) needs a store of what has been seen.

    Args:
        request: As `get_session` takes it.
        state: What came with the request; anything may.

    Returns:
        None where no such login began in this browser within the last ten minutes: refuse it, and offer to try again.

    Raises:
        ResponseStarted: The headers have gone out.
        SessionError: The app is not wrapped in `SessionMiddleware`.
    """
    return logins.finish(get_cookies(request), state)
