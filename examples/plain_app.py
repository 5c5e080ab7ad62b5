"""The demo without any framework: ``python -m examples.plain_app`` serves it."""

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import waitress

from cookiesess import CookiePolicy, Key, SessionMiddleware, get_cookies, get_session

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def index(_: "WSGIEnvironment") -> str:
    return "cookie和session的设置!"


def set_cookie(environ: "WSGIEnvironment") -> str:
    get_cookies(environ).set("user_id", "settings cookie")
    return "cookie 设置"


def get_cookie(environ: "WSGIEnvironment") -> str:
    print("user_id: ", get_cookies(environ).get("user_id"), flush=True)
    return "获取cookie"


def set_session(environ: "WSGIEnvironment") -> str:
    get_session(environ)["username"] = "萧兮"
    return "session设置成功!"


def show_session(environ: "WSGIEnvironment") -> str:
    print("username", get_session(environ).get("username"), flush=True)
    return "session 获取成功!"


ROUTES: dict[str, Callable[["WSGIEnvironment"], str]] = {
    "/": index,
    "/set_cookie": set_cookie,
    "/get_cookie": get_cookie,
    "/set_session": set_session,
    "/get_session": show_session,
}


def routes(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    view = ROUTES.get(environ["PATH_INFO"] or "/")
    status, text = ("404 Not Found", "not found") if view is None else ("200 OK", view(environ))
    body = text.encode()
    start_response(status, [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]


# Sessions end with the process where no key is set. The policy is for plain HTTP on one's own machine; in production
# leave cookie= out.
keys = os.environ.get("COOKIESESS_KEYS") or Key.generate()
app = SessionMiddleware(routes, keys, cookie=CookiePolicy.development())

if __name__ == "__main__":
    server = waitress.create_server(app, listen=os.environ.get("LISTEN", "127.0.0.1:8080"))
    print(f"cookiesess demo on http://{server.effective_host}:{server.effective_port} (Ctrl-C stops it)", flush=True)
    server.run()
