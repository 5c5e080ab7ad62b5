"""The demo as a CherryPy app: ``python -m examples.cherrypy_app`` serves it."""

import os

import cherrypy
import waitress

from cookiesess import CookiePolicy, Key, Session, SessionMiddleware, get_session


def session() -> Session:
    return get_session(cherrypy.request.wsgi_environ)


class Demo:
    @cherrypy.expose
    def index(self) -> str:
        return "cookie和session的设置!"

    @cherrypy.expose
    def set_cookie(self) -> str:
        cookie = cherrypy.response.cookie
        cookie["user_id"] = "settings cookie"
        cookie["user_id"]["path"] = "/"
        return "cookie 设置"

    @cherrypy.expose
    def get_cookie(self) -> str:
        morsel = cherrypy.request.cookie.get("user_id")
        print("user_id: ", morsel and morsel.value, flush=True)
        return "获取cookie"

    @cherrypy.expose
    def set_session(self) -> str:
        session()["username"] = "萧兮"
        return "session设置成功!"

    @cherrypy.expose
    def get_session(self) -> str:
        print("username", session().get("username"), flush=True)
        return "session 获取成功!"


cherrypy.config.update({"environment": "production"})
routes = cherrypy.Application(Demo(), "")

# Sessions end with the process where no key is set. The policy is for plain HTTP on one's own machine; in production
# leave cookie= out.
keys = os.environ.get("COOKIESESS_KEYS") or Key.generate()
app = SessionMiddleware(routes, keys, cookie=CookiePolicy.development())

if __name__ == "__main__":
    server = waitress.create_server(app, listen=os.environ.get("LISTEN", "127.0.0.1:8080"))
    print(f"cookiesess demo on http://{server.effective_host}:{server.effective_port} (Ctrl-C stops it)", flush=True)
    server.run()
