"""Sessions that are bound to a device, and what a thief would have of them."""

import re

import pytest

from cookiesess import CookiePolicy, DeviceBinding
from cookiesess.testing import BoundBrowser, ManualClock
from examples.inspector.app import make_inspector
from kit.constants import KEY
from kit.inspector import Person

THEFT = "Copy all cookies as a thief would"


class Device(BoundBrowser):
    """A browser that can bind a session, in front of the page."""

    def page(self, path="/inspect"):
        return self.get(path).body.decode()

    def press(self, action, **fields):
        token = re.search('name="csrf_token" value="([^"]+)"', self.page())[1]
        form = "&".join(f"{name}={value}" for name, value in {"csrf_token": token, **fields}.items())
        self.post(f"/inspect/{action}", form.encode(), CONTENT_TYPE="application/x-www-form-urlencoded")
        return self.page()


@pytest.fixture(params=["store", "revocations"])
def device(request, store):
    clock = ManualClock()
    app = make_inspector(KEY, binding=DeviceBinding(), cookie=CookiePolicy(), clock=clock, **{request.param: store})
    device = Device(app, clock=clock)
    device.clock = clock
    return device


def test_a_copy_of_an_unbound_session_is_worth_as_much_later(person):
    person.press("Log in as ann")
    person.press(THEFT)
    assert "is ann on another device now, and ann in seven minutes" in person.outcome


def test_a_copy_of_a_bound_session_is_worth_nothing_later(device):
    device.press("login", owner="ann")
    device.page()
    assert "is ann on another device now, and nobody in seven minutes" in device.press("theft")


def test_the_page_shows_how_far_a_session_is_bound(device):
    device.at_once = False
    assert "offered: the browser has brought no key" in device.press("login", owner="ann")
    thief = device.copied()
    device.offered, offered = None, device.offered
    device.offered = offered
    device.register()
    assert "in effect: a copy needs the bound cookie as well" in (device.page() and device.page())
    assert "the proof of this device" in device.page()
    device.clock.advance(11)
    assert "no proof came that this is the one" in thief.page()


def test_the_page_says_that_it_binds(device):
    assert "<li>binding</li>" in device.page()


def test_without_binding_nothing_of_it_is_shown(client_side):
    person = Person(client_side)
    person.press("Log in as ann")
    assert "Bound to a device" not in person.part("server")
