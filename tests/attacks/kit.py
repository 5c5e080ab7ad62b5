"""What the attackers share."""

import base64

from edge.kit import KEY, Visitor

from cookiesess import SessionManager
from cookiesess.events import SessionRejected


def logged_in(session):
    session.login("victim")
    session["balance"] = 100


def token_of(view=logged_in, keys=KEY, **settings):
    visitor = Visitor(SessionManager(keys, **settings))
    visitor.visit(view)
    return visitor.token


def seen_by(header, keys=KEY, **settings):
    """Return what a manager makes of a Cookie header: the owner, the data, and the reasons of its rejections."""
    events = []
    session = SessionManager(keys, on_event=events.append, **settings).open(header)
    return session.owner, dict(session), [event.reason for event in events if isinstance(event, SessionRejected)]


def raw(token):
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


def text(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
