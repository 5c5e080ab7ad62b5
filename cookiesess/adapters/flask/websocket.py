"""Finds out whether a request of a Flask app has become a WebSocket, which gets no response of Flask's."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def is_websocket(environ: "WSGIEnvironment") -> bool:
    """Whether no response of Flask's reaches the browser.

    Werkzeug matches a rule with ``websocket=True``, as Flask-Sock's are, with the handshake of a WebSocket alone.
    Handlers that run beside Flask's rules are told by what their libraries leave: Flask-SocketIO ``request.sid``, and
    servers that have answered the handshake themselves ``wsgi.websocket``.
    """
    request = environ.get("werkzeug.request")
    rule = getattr(request, "url_rule", None)
    if rule is not None:
        return bool(rule.websocket)
    return "wsgi.websocket" in environ or hasattr(request, "sid")
