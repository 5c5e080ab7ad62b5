"""A Django project whose sessions are bound to devices, with its own login, and what tests of it do again and again."""

import json
from datetime import timedelta

from django.contrib.auth import login, logout
from django.core.handlers.wsgi import WSGIHandler
from django.http import JsonResponse
from django.urls import path

from adapters.django_project import AGE, SETTINGS
from binding.conftest import LATE, KeptStore
from cookiesess import DeviceBinding, Lifetime
from cookiesess.testing import BoundBrowser, ManualClock

DJANGOS = "django.contrib.sessions.middleware.SessionMiddleware"
OURS = "cookiesess.adapters.django.middleware.SessionMiddleware"
NAME, BOUND = "sessionid", "sessionid.bound"
MIDDLEWARE = [OURS if each == DJANGOS else each for each in SETTINGS["MIDDLEWARE"]]


# Views


def log_in(request):
    from django.contrib.auth.models import User

    login(request, User.objects.get(username=request.GET.get("name", "ann")))
    return read(request)


def log_out(request):
    logout(request)
    return read(request)


def write(request):
    request.session.update(request.GET.dict())
    return JsonResponse({})


def read(request):
    cart, bound = request.session.get("cart"), request.session.native.bound
    return JsonResponse({"owner": request.user.get_username(), "data": cart, "bound": bound})


def end(request):
    request.session.flush()
    return JsonResponse({})


def cycle(request):
    request.session.cycle_key()
    return JsonResponse({})


def fail(request):
    return JsonResponse({"owner": request.user.get_username()}, status=500)


def sudo(request):
    within, passes = timedelta(minutes=10), request.session.native.authenticated_within
    return JsonResponse([passes(within), passes(within, bound=True)], safe=False)


def nothing(request):
    return JsonResponse({})


urlpatterns = [path(view.__name__, view) for view in (log_in, log_out, write, read, end, cycle, fail, sudo, nothing)]


class Site:
    """The project, with sessions in a store or in cookies with revocations."""

    def __init__(self, kind):
        self.clock = ManualClock()
        self.events = []
        self.kept = KeptStore()
        self.options = {"clock": self.clock, "on_event": self.events.append, "binding": DeviceBinding()}
        if kind == "client":
            lifetime = Lifetime(idle=timedelta(seconds=AGE), absolute=timedelta(days=30))
            self.options |= {"revocations": self.kept, "lifetime": lifetime}
        self.settings = {
            "ALLOWED_HOSTS": ["localhost"],
            "COOKIESESS_OPTIONS": self.options,
            "COOKIESESS_STORE": self.kept if kind == "server" else None,
            "MIDDLEWARE": MIDDLEWARE,
            "ROOT_URLCONF": __name__,
            "SESSION_COOKIE_SECURE": True,
        }

    def browser(self, **arguments):
        return BoundBrowser(WSGIHandler(), clock=self.clock, **arguments)

    def named(self, name):
        return [event for event in self.events if event.name == name]


def page(browser, name):
    answer = browser.get(f"/{name}")
    assert answer.status == 200
    return json.loads(answer.body)


def bound(site):
    """A browser that is logged in and bound, with the binding in effect for longer than the grace."""
    browser = site.browser()
    page(browser, "log_in")
    assert page(browser, "read")["bound"]
    page(browser, "write?cart=tea")
    site.clock.advance(11)
    assert page(browser, "read") == {"owner": "ann", "data": "tea", "bound": True}
    site.events.clear()
    return browser


def stolen(site):
    """The owner's browser, and a thief's with a copy of its cookies, after the bound one has ended."""
    browser = bound(site)
    thief = browser.copied()
    site.clock.advance(LATE)
    return browser, thief
