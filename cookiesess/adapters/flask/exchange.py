"""A request of a Flask app and its response, as far as the session goes: Flask's two hooks around a manager.

Flask saves the session last of all, but before the response is sent and before ``teardown_request``. What is changed
after that, in a stream or there, is saved as the response is closed where that needs no cookie, and is an error else.
"""

from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from flask import Response

from cookiesess.adapters.flask.session import FlaskSession
from cookiesess.errors import SessionError, StoreUnavailable
from cookiesess.events import SharedCachingPrevented
from cookiesess.http import headers
from cookiesess.manager.manager import Commit, SessionManager
from cookiesess.session.context import Stage
from cookiesess.session.session import Session
from cookiesess.wsgi.body import Body
from cookiesess.wsgi.exchange import warn_if_unshared
from cookiesess.wsgi.middleware import COOKIES_KEY, MANAGER_KEY, SESSION_KEY
from cookiesess.wsgi.transport import transport_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_VARY: Final = Commit((), vary=True)


def open_session(manager: SessionManager, environ: "WSGIEnvironment") -> FlaskSession:
    """Return the session of a request, and leave in its environ what the middleware leaves there.

    Raises:
        SessionError: A `SessionMiddleware` around the app keeps its session in the same place, or under the same name.
    """
    present, jar = environ.get(SESSION_KEY), environ.get(COOKIES_KEY)
    # Flask opens a session twice for one environ in `session_transaction`; the second counts.
    again = isinstance(present, FlaskSession)
    if isinstance(present, Session) and not again and not present.closed:
        raise SessionError(
            f"environ[{SESSION_KEY!r}] holds the open session of a SessionMiddleware around this Flask app, which has"
            f" sessions by CookiesessInterface itself ({manager.cookie.name!r} would be the second cookie); remove one,"
            " or give the middleware its own environ_key= and cookie name"
        )
    if manager._unshared:
        warn_if_unshared(manager, environ)
    cookie_header = environ.get("HTTP_COOKIE", "")
    session = manager.open(cookie_header, session_class=FlaskSession)
    session._manager = manager
    if again or jar is None or not jar.open:
        session._jar = environ[COOKIES_KEY] = manager.jar(cookie_header, transport=partial(transport_of, environ))
    else:
        for name in manager.cookie.family:
            jar.reserve(session, name)
    environ[SESSION_KEY], environ[MANAGER_KEY] = session, manager
    return session


def save_session(session: FlaskSession, response: Response, *, environ: "WSGIEnvironment", refresh: bool) -> None:
    """Commit the session, and give `response` the headers that belong to it.

    Args:
        session: What `open_session` returned.
        response: The one that is about to be sent. Where Flask comes again with an error page, because something failed
            after the first time, that gets the same headers.
        environ: The request's.
        refresh: A permanent session's idle timeout counts from now, whether or not the app looked at it.

    Raises:
        As `SessionManager.commit`. Nothing is saved then, and the error page goes without a session.
    """
    manager = session._manager
    if not session.closed:
        if refresh:
            _refresh_permanent(session, response)
        commit = None
        try:
            commit = manager.commit(session, session._jar, transport=partial(transport_of, environ))
        finally:
            if commit is None:  # it raised
                manager.abandon(session, session._jar)
                session._needs = _VARY  # the error page may show what it found in the session
        session._needs = Commit(commit.cookies, vary=True) if session.accessed else commit
    _add_headers(response, session._needs, manager)
    _let_go_on(session, response)


def _refresh_permanent(session: FlaskSession, response: Response) -> None:
    """Mark a permanent session; an app that did not look at it must not notice that this does."""
    untouched, caching = session._draft is None, response.cache_control
    # What is declared to be for caches that all visitors share goes without anybody's cookie.
    if untouched and (caching.public or caching.s_maxage is not None):
        return
    with suppress(StoreUnavailable):  # the page is ready: all that is lost is some idle time
        if session.permanent and not session.is_new:
            session.modified = True
            return
    if untouched:
        session._draft = None


def _add_headers(response: Response, needs: Commit, manager: SessionManager) -> None:
    if not needs.vary and not needs.cookies:
        return
    result, prevented = headers.with_ours(list(response.headers), needs.cookies, vary=needs.vary)
    # In place: the app, or its extensions, may hold the headers.
    response.headers.clear()
    response.headers.extend(result)
    if prevented:
        manager.emit(SharedCachingPrevented())


def _let_go_on(session: FlaskSession, response: Response) -> None:
    """Let what the body and ``teardown_request`` change be saved, or be refused, once the response is closed."""
    # Flask hands a passed-through body to the server, which then closes it without the response: changes are refused.
    if response.direct_passthrough:
        return
    if session._stage is Stage.OVER:  # not for the error page after it: what that has changed is still to be saved
        session._manager.settle(session)
    if response.is_streamed:
        body: Iterable[Any] = response.response
        response.response = Body(body, failed=partial(session._manager.abandon, session))
    response.call_on_close(partial(session._manager.close, session))
