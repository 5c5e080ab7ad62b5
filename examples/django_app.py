"""The demo as a Django project in one file: ``python -m examples.django_app`` serves it.

The session is the middleware's. For ``request.session`` see the engine, `cookiesess.adapters.django`.
"""

import os

import django
import waitress
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpResponse
from django.urls import path

from cookiesess import CookiePolicy, Key, SessionMiddleware, get_session


def index(_: WSGIRequest) -> HttpResponse:
    return HttpResponse("cookie和session的设置!")


def set_cookie(_: WSGIRequest) -> HttpResponse:
    response = HttpResponse("cookie 设置")
    response.set_cookie("user_id", "settings cookie", samesite="Lax")
    return response


def get_cookie(request: WSGIRequest) -> HttpResponse:
    print("user_id: ", request.COOKIES.get("user_id"), flush=True)
    return HttpResponse("获取cookie")


def set_session(request: WSGIRequest) -> HttpResponse:
    get_session(request)["username"] = "萧兮"
    return HttpResponse("session设置成功!")


def show_session(request: WSGIRequest) -> HttpResponse:
    print("username", get_session(request).get("username"), flush=True)
    return HttpResponse("session 获取成功!")


urlpatterns = [
    path("", index),
    path("set_cookie", set_cookie),
    path("get_cookie", get_cookie),
    path("set_session", set_session),
    path("get_session", show_session),
]

settings.configure(ALLOWED_HOSTS=["localhost", "127.0.0.1"], ROOT_URLCONF=__name__, SECRET_KEY=Key.generate())
django.setup()

# Sessions end with the process where no key is set. The policy is for plain HTTP on one's own machine; in production
# leave cookie= out.
keys = os.environ.get("COOKIESESS_KEYS") or Key.generate()
app = SessionMiddleware(WSGIHandler(), keys, cookie=CookiePolicy.development())

if __name__ == "__main__":
    server = waitress.create_server(app, listen=os.environ.get("LISTEN", "127.0.0.1:8080"))
    print(f"cookiesess demo on http://{server.effective_host}:{server.effective_port} (Ctrl-C stops it)", flush=True)
    server.run()
