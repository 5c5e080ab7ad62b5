"""A Django project for the tests of its adapter: settings, URLs and views, and a clock that stands still.

Django's settings belong to the process, and other tests may have configured them; so they are overridden here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.db import connection, connections
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, override_settings
from django.urls import path

from cookiesess.stores.base import Store
from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import ManualClock
from kit.constants import KEY

ENGINE = "cookiesess.adapters.django"
AGE = 1_209_600

SETTINGS: dict[str, Any] = {
    "ALLOWED_HOSTS": ["testserver"],
    "INSTALLED_APPS": [
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
    ],
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    "ROOT_URLCONF": __name__,
    "SECRET_KEY": KEY,
    "SESSION_ENGINE": ENGINE,
    "USE_TZ": True,
}

if not settings.configured:
    settings.configure()
settings.SECRET_KEY = KEY  # Django looks at what it goes back to, and refuses to be without one


@contextmanager
def project(database: str = ":memory:") -> Iterator[None]:
    """Have the process be this project, with tables for users and two users in them.

    Several threads need a file for them, since each has the memory to itself.
    """
    use_databases({"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}})
    django.setup()
    with override_settings(**SETTINGS):
        from django.contrib.auth.models import Group, Permission, User
        from django.contrib.contenttypes.models import ContentType

        with connection.schema_editor() as editor:
            for model in (ContentType, Permission, Group, User):
                editor.create_model(model)
        User.objects.create_user("ann", password="correct")
        User.objects.create_user("bob", password="horse")
        yield
        kept = connection.connection
        connections.close_all()
        kept.close()  # which Django does not do where the database is in memory, and Python 3.13 warns
    del connections["default"]
    use_databases(None)


def use_databases(databases: dict[str, Any] | None) -> None:
    """Databases are the one thing that Django does not let a test override."""
    connections.__dict__.pop("settings", None)
    connections._settings = databases


class Site:
    """The project with one store and one clock."""

    def __init__(self, store: Store | None, **options: Any) -> None:
        self.store = store
        self.clock = ManualClock()
        self.events: list[Any] = []
        self.options = {"clock": self.clock, "on_event": self.events.append, **options}
        self.client = Client()

    @contextmanager
    def running(self, **others: Any) -> Iterator[Site]:
        with override_settings(COOKIESESS_STORE=self.store, COOKIESESS_OPTIONS=self.options, **others):
            yield self

    def names(self) -> list[str]:
        return [event.name for event in self.events]


def server_side(**options: Any) -> Site:
    return Site(MemoryStore(), **options)


# Sessions without a request


def store(session_key=None):
    from cookiesess.adapters.django import SessionStore

    return SessionStore(session_key)


def saved(**values):
    session = store()
    session.update(values)
    session.save()
    return session


def manager():
    from cookiesess.adapters.django import session_manager

    return session_manager()


# Views


def put(request: Any) -> HttpResponse:
    request.session.update(request.GET.dict())
    return HttpResponse("put")


def show(request: Any) -> HttpResponse:
    return HttpResponse(repr({key: request.session[key] for key in sorted(request.session.keys())}))


def append(request: Any) -> HttpResponse:
    request.session.setdefault("cart", [])
    request.session["cart"].append(request.GET["item"])
    return HttpResponse("appended")


def untouched(request: Any) -> HttpResponse:
    return HttpResponse("untouched")


def log_in(request: Any) -> HttpResponse:
    user = authenticate(request, username=request.GET["name"], password=request.GET["password"])
    login(request, user)
    return HttpResponse(request.session.session_key)


def log_out(request: Any) -> HttpResponse:
    logout(request)
    return HttpResponse("out")


def who(request: Any) -> HttpResponse:
    return HttpResponse(request.user.get_username())


def tell(request: Any) -> HttpResponse:
    messages.success(request, "saved <b>it</b>")
    return HttpResponse("told")


def told(request: Any) -> HttpResponse:
    return HttpResponse(", ".join(str(message) for message in messages.get_messages(request)))


def fails(request: Any) -> HttpResponse:
    request.session["seen"] = True
    return HttpResponse("failed", status=500)


def ended_meanwhile(request: Any) -> HttpResponse:
    """As if another request had logged out while this one ran."""
    request.session["late"] = True
    type(request.session)(request.session.session_key).flush()
    return HttpResponse("late")


async def put_async(request: Any) -> HttpResponse:
    await request.session.aset("by", "async")
    return HttpResponse(await request.session.aget("by"))


def streams(request: Any) -> StreamingHttpResponse:
    """Change the session in the body: a key, what is inside a value, or nothing."""

    def body() -> Iterator[str]:
        yield "first"
        if "late" in request.GET:
            request.session["late"] = request.GET["late"]
        if "item" in request.GET:
            request.session["cart"].append(request.GET["item"])
        if "end" in request.GET:
            type(request.session)(request.session.session_key).flush()
        yield "last"

    return StreamingHttpResponse(body(), status=int(request.GET.get("status", 200)))


def changes_and_streams(request: Any) -> StreamingHttpResponse:
    request.session["early"] = "1"
    return streams(request)


VIEWS = (put, show, append, untouched, log_in, log_out, who, tell, told, fails, ended_meanwhile, put_async)
STREAMS = (streams, changes_and_streams)
urlpatterns = [path(view.__name__, view) for view in (*VIEWS, *STREAMS)]
