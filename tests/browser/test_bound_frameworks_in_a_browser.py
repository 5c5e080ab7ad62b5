"""Sessions that are bound to a device by Flask, Pyramid and Django, in a Chromium that binds them with a real key."""

import json
from contextlib import contextmanager

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings

from adapters.django_project import project
from binding import django_site
from binding.conftest import LATE, KeptStore
from binding.test_binding_in_frameworks import flask_app, pyramid_app
from browser.conftest import SHOP
from browser.tls import serving_tls
from cookiesess import DeviceBinding
from cookiesess.testing import ManualClock
from kit.constants import NAME


@contextmanager
def flask(folder):
    clock = ManualClock()
    yield flask_app(clock, store=KeptStore(), binding=DeviceBinding()), clock, "login", f"{NAME}.bound"


@contextmanager
def pyramid(folder):
    clock = ManualClock()
    yield pyramid_app(clock, store=KeptStore(), binding=DeviceBinding()), clock, "login", f"{NAME}.bound"


@contextmanager
def django(folder):
    site = django_site.Site("server")
    with project(str(folder / "users.db")), override_settings(**site.settings | {"ALLOWED_HOSTS": [SHOP]}):
        yield WSGIHandler(), site.clock, "log_in", django_site.BOUND


def seen(device, url):
    said = json.loads(device.pages[0].goto(url).text())
    return {"owner": said["owner"] or None, "bound": said["bound"]}


def wait_for_cookie(device, name):
    """The browser brings its key behind the page's back."""
    page = device.pages[0]
    for _ in range(300):
        if any(each["name"] == name for each in device.cookies()):
            return
        page.wait_for_timeout(100)
    raise AssertionError(device.cookies())


@pytest.mark.parametrize("framework", [flask, pyramid, django])
def test_the_owner_goes_on_and_a_copy_of_all_cookies_is_worth_nothing(launch, tmp_path, framework, monkeypatch):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # the browser's event loop runs in this thread
    with framework(tmp_path) as (app, clock, login, name), serving_tls(app, tmp_path) as port:
        url = f"https://{SHOP}:{port}"
        device, thief = launch(), launch()
        device.pages[0].goto(f"{url}/{login}")
        wait_for_cookie(device, name)
        assert seen(device, f"{url}/read") == {"owner": "ann", "bound": True}
        thief.add_cookies(device.cookies())
        clock.advance(LATE)
        assert seen(thief, f"{url}/read") == {"owner": None, "bound": False}
        device.clear_cookies(name=name)  # as it does by itself when the cookie's time is over
        assert seen(device, f"{url}/read") == {"owner": "ann", "bound": True}
