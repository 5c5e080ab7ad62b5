"""Flask's settings count as they stand at each request, though a request only glances at them."""

from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from cookiesess import ConfigurationError
from cookiesess.adapters.flask import CookiesessInterface
from cookiesess.adapters.flask.config import FlaskConfig
from kit.constants import KEY, OTHER_KEY

VALUES = {
    "SECRET_KEY": [KEY, OTHER_KEY, KEY.encode()],
    "SECRET_KEY_FALLBACKS": [None, [], [OTHER_KEY], (OTHER_KEY,), [KEY]],
    "SESSION_COOKIE_NAME": ["session", "other"],
    "SESSION_COOKIE_DOMAIN": [None, "shop.example"],
    "SESSION_COOKIE_PATH": [None, "/shop"],
    "APPLICATION_ROOT": ["/", "/root"],
    "SESSION_COOKIE_SECURE": [True, False, 1],
    "SESSION_COOKIE_HTTPONLY": [True, False],
    "SESSION_COOKIE_SAMESITE": [None, "Lax", "strict"],
    "SESSION_COOKIE_PARTITIONED": [True, False],
    "PERMANENT_SESSION_LIFETIME": [timedelta(days=31), 3600, timedelta(hours=1)],
}
CHANGES = st.lists(st.sampled_from([(name, value) for name, values in VALUES.items() for value in values]), max_size=12)


@pytest.fixture
def app():
    app = Flask("site")
    app.config["SECRET_KEY"] = KEY
    return app


@given(CHANGES)
def test_a_glance_sees_every_change_that_a_close_look_does(changes):
    app, interface = Flask("site"), CookiesessInterface()
    app.config["SECRET_KEY"] = KEY
    for name, value in changes:
        app.config[name] = value
        try:
            interface.manager_of(app)
        except ConfigurationError:
            with pytest.raises(ConfigurationError):
                CookiesessInterface().manager_of(app)
        else:
            assert interface._built[app].config == FlaskConfig.read(app, interface)


def test_a_manager_is_kept_as_long_as_the_settings_mean_the_same(app):
    interface = CookiesessInterface()
    manager = interface.manager_of(app)
    app.config["PERMANENT_SESSION_LIFETIME"] = 31 * 24 * 3600
    assert interface.manager_of(app) is manager


def test_a_key_that_is_added_to_the_very_list_of_fallbacks_is_seen(app):
    app.config["SECRET_KEY_FALLBACKS"] = fallbacks = []
    interface = CookiesessInterface()
    manager = interface.manager_of(app)
    fallbacks.append(OTHER_KEY)
    assert interface.manager_of(app) is not manager


def test_an_interface_that_reads_a_setting_in_its_own_way_is_asked_each_time(app):
    class Named(CookiesessInterface):
        def get_cookie_name(self, app):
            return app.config["COOKIE_OF_THE_DAY"]

    interface = Named()
    for name in ("monday", "tuesday"):
        app.config["COOKIE_OF_THE_DAY"] = name
        assert interface.manager_of(app).cookie.name == name


def test_an_app_that_reads_its_key_in_its_own_way_is_asked_each_time():
    class Keyed(Flask):
        secret_key = property(lambda self: self.config["KEY_OF_THE_DAY"], lambda self, value: None)

    app, interface = Keyed("site"), CookiesessInterface()
    for key in (KEY, OTHER_KEY):
        app.config["KEY_OF_THE_DAY"] = key
        interface.manager_of(app)
        assert interface._built[app].config.secret_key == key
