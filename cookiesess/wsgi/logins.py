"""Logins through a provider (OAuth, OpenID Connect, SAML): keeps what the app needs when the visitor comes back."""

from typing import Any

from cookiesess.errors import without_locals
from cookiesess.http import logins
from cookiesess.wsgi.attachment import get_cookies


@without_locals
def begin_login(request: object, state: str, data: dict[str, Any]) -> None:
    """Keep what a login by OAuth, OpenID Connect or SAML needs when the visitor comes back from the provider.

    Each login gets a sealed cookie of its own, beside the session's cookie, for ten minutes. It has ``SameSite=None;
    Secure``, so the browser sends it when the provider leads the visitor back by a link or by a form (``form_post``,
    SAML's POST binding). A visitor may have five logins under way at once; a sixth replaces the oldest. Over plain
    HTTP, as with `CookiePolicy.development`, the cookie has ``SameSite=Lax``, and works with links only.

    Args:
        request: As in `get_session`.
        state: The text that the provider hands back: OAuth's ``state``, SAML's ``RelayState``. 16 to 2,048 characters
            that nobody can guess, new for each login, such as ``secrets.token_urlsafe(32)``. With a guessable one,
            another site could make the visitor finish somebody else's login (RFC 9700 section 4.7).
        data: A dict of values that sessions carry, about 2,500 bytes: the PKCE verifier, the nonce, the page to show
            afterwards. The visitor can neither read nor change it.

    Raises:
        ValueError: `state` or `data` is not as described above.
        NotSerializable: `data` holds what a session cannot hold.
        CookieTooLarge: `data` is longer than a cookie may be.
        ResponseStarted: The headers have gone out.
        SessionError: The app is not wrapped in `SessionMiddleware`.
    """
    logins.begin(get_cookies(request), state, data)


@without_locals
def finish_login(request: object, state: object) -> dict[str, Any] | None:
    """Return the data that `begin_login` kept under `state` in this browser, and delete its cookie.

    Danger: a copy of the cookie works again until its ten minutes are over. That is harmless with OAuth, because the
    provider accepts each code once. With SAML, keep the assertions that you have seen in a store of your own.

    Args:
        request: As in `get_session`.
        state: The state that came with the request. It may be any text.

    Returns:
        The data. None if no such login began in this browser within the last ten minutes. Then refuse the login, and
        offer to try again.

    Raises:
        ResponseStarted: The headers have gone out.
        SessionError: The app is not wrapped in `SessionMiddleware`.
    """
    return logins.finish(get_cookies(request), state)
