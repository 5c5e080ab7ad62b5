"""Joins the session to a request and a response of a Flask app: Flask's two hooks around an attachment.

Flask saves the session last of all, but before the response is sent and before ``teardown_request``. What is changed
after that, in a stream or there, is saved as the response is closed where that needs no cookie, and is an error else.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Response

from cookiesess.adapters.flask.flask_session import FlaskSession
from cookiesess.errors import StoreUnavailable
from cookiesess.http.headers import Headers
from cookiesess.manager.manager import SessionManager
from cookiesess.wsgi.attachment import SESSION_KEY, Attachment

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


F = TypeVar("F", bound=FlaskSession)


class FlaskAttachment(Attachment[F]):
    """One request of a Flask app."""

    __slots__ = ("_failed", "_streaming", "unanswered")

    def __init__(self, manager: SessionManager, environ: "WSGIEnvironment", session_class: type[F]) -> None:
        # Flask opens a session twice for one environ in `session_transaction`; the second counts.
        before = environ.get(SESSION_KEY)
        again = before is not None and isinstance(before, FlaskSession)
        self._streaming = self._failed = self.unanswered = False
        super().__init__(
            manager, environ, session_class, whom="this Flask app with its CookiesessInterface", again=again
        )
        self.session.manager, self.session.attachment = manager, self

    def save(self, response: Response, *, refresh: bool) -> None:
        """Commit the session, and give `response` the headers that belong to it.

        Args:
            response: The one that is about to be sent. Where Flask comes again with an error page, because something
                failed after the first time, that gets the same headers.
            refresh: A permanent session's idle timeout counts from now, whether or not the app looked at it; but not
                where the request is passive.

        Raises:
            As `SessionManager.commit`. Nothing is saved then, and the error page goes without a session.
        """
        if not self.session.closed and refresh:
            self._refresh_permanent(response)
        if self.unanswered:
            self.close()  # what the handler has changed is saved, or refused; nobody gets this response
            return
        headers = list(response.headers)
        result = self.with_ours(headers) if self.session.closed else self._committed(headers)
        if result is not headers:
            _put(result, response, instead_of=headers)
        self._let_go_on(response)

    def _committed(self, headers: Headers) -> Headers:
        """Commit the session; return the response's headers with ours."""
        session = self.session
        try:
            if session.touched:
                ours = self.commit(headers)  # with Vary in any case
                if self.changed:
                    session.note_change()
                return ours
            self.commit([])
        finally:
            if session.accessed or self._failed:
                self.also_varies()  # the error page, too, may show what it found in the session
        return self.with_ours(headers)

    def _refresh_permanent(self, response: Response) -> None:
        """Mark a permanent session of an active user; an app that did not look at it must not notice that this does."""
        session = self.session
        untouched = not session.touched
        # What is declared to be for caches that all visitors share goes without anybody's cookie.
        if untouched and _is_for_shared_caches(response):
            return
        try:
            permanent = session.permanent and not session.is_new and not self.passive
        except StoreUnavailable:
            permanent = False  # the page is ready: all that is lost is some idle time
        if permanent:
            session.modified = True
        elif untouched:
            self.manager.forget(session)

    def abandon(self) -> None:
        """The commit or the body failed: nothing is saved."""
        self._failed = True
        super().abandon()

    def close(self) -> None:
        """The response is closed: save what was changed since the commit, and let go of the session."""
        try:
            super().close()
        finally:
            self.session.attachment = None  # without this cycle the request is freed as it ends

    def _let_go_on(self, response: Response) -> None:
        """Let what the body and ``teardown_request`` change be saved, or be refused, once the response is closed."""
        # Flask hands a passed-through body to the server, which then closes it without the response: changes are
        # refused.
        if response.direct_passthrough:
            return
        if not (self._streaming or self._failed):  # not for the error page after it: what that has changed is kept
            self.stream()
            self._streaming = True
        if response.is_streamed:
            body: Iterable[Any] = response.response
            response.response = self.watched(body, closes=False)
        response.call_on_close(self.close)


def _is_for_shared_caches(response: Response) -> bool:
    # Most responses have no such header, and looking for it by name costs Werkzeug an exception.
    if not any(name.lower() == "cache-control" for name, _ in response.headers):
        return False
    caching = response.cache_control
    return bool(caching.public or caching.s_maxage is not None)


def _put(result: Headers, response: Response, *, instead_of: Headers) -> None:
    """Give a response its headers, in place: the app, or its extensions, may hold them. Mostly some are added."""
    headers, unchanged = response.headers, len(instead_of)
    if result[:unchanged] != instead_of:
        headers.clear()
        unchanged = 0
    for name, value in result[unchanged:]:
        headers.add(name, value)
