"""The demo as a Pyramid app: ``python -m examples.pyramid_app`` serves it."""

import os

import waitress
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from cookiesess import CookiePolicy, Key
from cookiesess.adapters.pyramid import session_factory


def index(_: Request) -> Response:
    return Response("cookie和session的设置!")


def set_cookie(request: Request) -> Response:
    # Pyramid's own response.set_cookie takes no blanks.
    request.session.cookies.set("user_id", "settings cookie")
    return Response("cookie 设置")


def get_cookie(request: Request) -> Response:
    print("user_id: ", request.cookies.get("user_id"), flush=True)
    return Response("获取cookie")


def set_session(request: Request) -> Response:
    request.session["username"] = "萧兮"
    return Response("session设置成功!")


def get_session(request: Request) -> Response:
    print("username", request.session.get("username"), flush=True)
    return Response("session 获取成功!")


ROUTES = {
    "": index,
    "set_cookie": set_cookie,
    "get_cookie": get_cookie,
    "set_session": set_session,
    "get_session": get_session,
}

# Sessions end with the process where no key is set. The policy is for plain HTTP on one's own machine; in production
# leave cookie= out.
keys = os.environ.get("COOKIESESS_KEYS") or Key.generate()
sessions = session_factory(keys, cookie=CookiePolicy.development())
with Configurator(session_factory=sessions) as config:
    for name, view in ROUTES.items():
        config.add_route(name, f"/{name}")
        config.add_view(view, route_name=name)
    app = config.make_wsgi_app()

if __name__ == "__main__":
    server = waitress.create_server(app, listen=os.environ.get("LISTEN", "127.0.0.1:8080"))
    print(f"cookiesess demo on http://{server.effective_host}:{server.effective_port} (Ctrl-C stops it)", flush=True)
    server.run()
