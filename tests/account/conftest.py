"""The account page with Flask and with plain WSGI, each with the same tests."""

import pytest

from examples.account import flask_app, wsgi_app
from examples.account.shared import Users
from kit.account import PHONE, Device
from kit.constants import KEY

APPS = {"flask": flask_app.make_app, "wsgi": wsgi_app.make_app}


@pytest.fixture
def make(store, clock):
    """Make one of the apps, with passwords that are hashed fast."""
    return lambda name: APPS[name](KEY, store=store, users=Users(cost=2), clock=clock)


@pytest.fixture(params=APPS)
def app(make, request):
    return make(request.param)


@pytest.fixture
def laptop(app):
    return Device(app)


@pytest.fixture
def phone(app):
    return Device(app, PHONE)
