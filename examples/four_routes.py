"""The demo: a plain WSGI app that sets and reads a cookie and a session, written with webob.

``python -m examples`` serves it.
"""

from typing import TYPE_CHECKING

from webob import Request, Response

from cookiesess import CookiePolicy, Keyring, SessionMiddleware, get_cookies, get_session
from cookiesess.stores.base import Store

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def index(_: Request) -> str:
    return "cookie和session的设置!"


def set_cookie(request: Request) -> str:
    get_cookies(request).set("user_id", "settings cookie")
    return "cookie 设置"


def get_cookie(request: Request) -> str:
    print("user_id: ", get_cookies(request).get("user_id"), flush=True)
    return "获取cookie"


def set_session(request: Request) -> str:
    get_session(request)["username"] = "萧兮"
    return "session设置成功!"


def get_session_(request: Request) -> str:
    print("username", get_session(request).get("username"), flush=True)
    return "session 获取成功!"


ROUTES = {
    "/": index,
    "/set_cookie": set_cookie,
    "/get_cookie": get_cookie,
    "/set_session": set_session,
    "/get_session": get_session_,
}


def routes(environ, start_response):  # type: ignore[no-untyped-def]  # as an app is written in a hurry
    request = Request(environ)
    view = ROUTES.get(environ["PATH_INFO"])
    if view is None:
        response = Response("not found", status=404, content_type="text/plain", charset="utf-8")
    else:
        response = Response(view(request), content_type="text/html", charset="utf-8")
    return response(environ, start_response)


def make_app(keys: Keyring | str, *, store: Store | None = None) -> "WSGIApplication":
    """Return the demo, wrapped: with client-side sessions, or with server-side ones in `store`.

    The cookie is named ``session`` and goes without ``Secure`` on this machine, since the demo runs on plain HTTP on a
    loopback address, where not every browser keeps a ``Secure`` one. In production leave ``cookie=`` out.
    """
    return SessionMiddleware(routes, keys, store=store, cookie=CookiePolicy.development())
