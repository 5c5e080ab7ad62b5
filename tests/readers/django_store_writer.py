"""A Django project in a process of its own, with its sessions in a database or a cache.

Its one argument is JSON: settings of Django, ``DATABASES`` among them. Each line of the standard input is JSON too; the
answer is one line. ``{"verb": "write", "secret": …, "data": …}`` has a view put the data into ``request.session``, and
answers with the Set-Cookie line. ``{"verb": "run", "code": …}`` runs code in the project, and answers "done".
"""

import json
import sys

import django
from django.conf import settings
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import path


def view(request):
    request.session.update(json.loads(request.GET["data"]))
    return HttpResponse("")


urlpatterns = [path("", view)]


def answer(order):
    if order["verb"] == "run":
        exec(order["code"], {"__name__": "project"})
        return "done"
    with override_settings(SECRET_KEY=order["secret"]):
        response = Client().get("/", {"data": json.dumps(order["data"])})
    return response.cookies["sessionid"].OutputString()


def main():
    settings.configure(
        ALLOWED_HOSTS=["testserver"],
        INSTALLED_APPS=["django.contrib.sessions"],
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
        ROOT_URLCONF=__name__,
        SECRET_KEY="each order brings its own",
        **json.loads(sys.argv[1]),
    )
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    for line in sys.stdin:
        print(answer(json.loads(line)), flush=True)


if __name__ == "__main__":
    main()
