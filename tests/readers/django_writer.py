"""A Django project in a process of its own, since Django's settings belong to a whole process.

Each line of the standard input is JSON, ``{"secret": …, "data": …}``; each line of the output the Set-Cookie line of
the response of a view that put the data into ``request.session``.
"""

import json
import sys

import django
from django.conf import settings
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import path


def view(request):
    request.session.update(json.loads(request.GET["data"]))
    return HttpResponse("")


urlpatterns = [path("", view)]


def main():
    settings.configure(
        ALLOWED_HOSTS=["testserver"],
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
        ROOT_URLCONF=__name__,
        SECRET_KEY="each order brings its own",
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    )
    django.setup()
    for line in sys.stdin:
        order = json.loads(line)
        with override_settings(SECRET_KEY=order["secret"]):
            response = Client().get("/", {"data": json.dumps(order["data"])})
        print(response.cookies["sessionid"].OutputString(), flush=True)


if __name__ == "__main__":
    main()
