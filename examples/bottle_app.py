"""The demo as a Bottle app: ``python -m examples.bottle_app`` serves it."""

import os

import waitress
from bottle import Bottle, request, response

from cookiesess import CookiePolicy, Key, SessionMiddleware, get_session

routes = Bottle()


@routes.get("/")
def index() -> str:
    return "cookie和session的设置!"


@routes.get("/set_cookie")
def set_cookie() -> str:
    response.set_cookie("user_id", "settings cookie", path="/", samesite="lax")
    return "cookie 设置"


@routes.get("/get_cookie")
def get_cookie() -> str:
    print("user_id: ", request.get_cookie("user_id"), flush=True)
    return "获取cookie"


@routes.get("/set_session")
def set_session() -> str:
    get_session(request)["username"] = "萧兮"
    return "session设置成功!"


@routes.get("/get_session")
def show_session() -> str:
    print("username", get_session(request).get("username"), flush=True)
    return "session 获取成功!"


# Sessions end with the process where no key is set. The policy is for plain HTTP on one's own machine; in production
# leave cookie= out.
keys = os.environ.get("COOKIESESS_KEYS") or Key.generate()
app = SessionMiddleware(routes, keys, cookie=CookiePolicy.development())

if __name__ == "__main__":
    server = waitress.create_server(app, listen=os.environ.get("LISTEN", "127.0.0.1:8080"))
    print(f"cookiesess demo on http://{server.effective_host}:{server.effective_port} (Ctrl-C stops it)", flush=True)
    server.run()
