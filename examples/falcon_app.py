"""The demo as a Falcon app: ``python -m examples.falcon_app`` serves it."""

import os

import falcon
import waitress
from falcon import Request, Response

from cookiesess import CookiePolicy, Key, SessionMiddleware, get_session


class Index:
    def on_get(self, _: Request, response: Response) -> None:
        response.text = "cookie和session的设置!"


class SetCookie:
    def on_get(self, _: Request, response: Response) -> None:
        # Falcon's cookies are for HTTPS alone unless told otherwise, and the demo runs on plain HTTP.
        response.set_cookie("user_id", "settings cookie", path="/", secure=False, same_site="Lax")
        response.text = "cookie 设置"


class GetCookie:
    def on_get(self, request: Request, response: Response) -> None:
        print("user_id: ", request.cookies.get("user_id"), flush=True)
        response.text = "获取cookie"


class SetSession:
    def on_get(self, request: Request, response: Response) -> None:
        get_session(request)["username"] = "萧兮"
        response.text = "session设置成功!"


class GetSession:
    def on_get(self, request: Request, response: Response) -> None:
        print("username", get_session(request).get("username"), flush=True)
        response.text = "session 获取成功!"


routes = falcon.App(media_type="text/html; charset=utf-8")
routes.add_route("/", Index())
routes.add_route("/set_cookie", SetCookie())
routes.add_route("/get_cookie", GetCookie())
routes.add_route("/set_session", SetSession())
routes.add_route("/get_session", GetSession())

# Sessions end with the process where no key is set. The policy is for plain HTTP on one's own machine; in production
# leave cookie= out.
keys = os.environ.get("COOKIESESS_KEYS") or Key.generate()
app = SessionMiddleware(routes, keys, cookie=CookiePolicy.development())

if __name__ == "__main__":
    server = waitress.create_server(app, listen=os.environ.get("LISTEN", "127.0.0.1:8080"))
    print(f"cookiesess demo on http://{server.effective_host}:{server.effective_port} (Ctrl-C stops it)", flush=True)
    server.run()
