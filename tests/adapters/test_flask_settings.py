"""Flask's settings of the cookie, as its documentation says; when they are read; and several apps."""

import gc
import threading
import weakref

import flask
import pytest

from cookiesess import ConfigurationError, CookiePolicy, DeviceBinding
from cookiesess.adapters.flask import Cookiesess, CookiesessInterface, PartitionedAlone
from cookiesess.stores.memory import MemoryStore
from kit.constants import OTHER_KEY
from kit.flask_site import Site, lines, make_app, nothing, put, show

PUT = {"put": put(a=1), "show": show, "nothing": nothing}


def line(**settings):
    """Return the one Set-Cookie line of a session that begins, without its value."""
    (found,) = lines(Site(PUT, **settings).get("/put", base_url="http://localhost"))
    name, _, rest = found.partition("=")
    return name + "=" + rest.partition(";")[1] + rest.partition(";")[2]


# The cookie


def test_the_cookie_is_flasks_by_default_and_lax():
    assert line() == "session=; Path=/; HttpOnly; SameSite=Lax"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"SESSION_COOKIE_NAME": "shop"}, "shop=; Path=/; HttpOnly; SameSite=Lax"),
        ({"SESSION_COOKIE_DOMAIN": "example.com"}, "session=; Path=/; Domain=example.com; HttpOnly; SameSite=Lax"),
        (
            {"SESSION_COOKIE_DOMAIN": ".example.com:8080"},
            "session=; Path=/; Domain=example.com; HttpOnly; SameSite=Lax",
        ),
        (
            {"SESSION_COOKIE_DOMAIN": "bücher.example"},
            "session=; Path=/; Domain=xn--bcher-kva.example; HttpOnly; SameSite=Lax",
        ),
        ({"SESSION_COOKIE_DOMAIN": False}, "session=; Path=/; HttpOnly; SameSite=Lax"),
        ({"SESSION_COOKIE_PATH": "/shop"}, "session=; Path=/shop; HttpOnly; SameSite=Lax"),
        ({"SESSION_COOKIE_PATH": "/büro;x"}, "session=; Path=/b%C3%BCro%3Bx; HttpOnly; SameSite=Lax"),
        ({"APPLICATION_ROOT": "/app"}, "session=; Path=/app; HttpOnly; SameSite=Lax"),
        ({"APPLICATION_ROOT": "/app", "SESSION_COOKIE_PATH": "/"}, "session=; Path=/; HttpOnly; SameSite=Lax"),
        ({"APPLICATION_ROOT": None}, "session=; Path=/; HttpOnly; SameSite=Lax"),
        ({"SESSION_COOKIE_HTTPONLY": False}, "session=; Path=/; SameSite=Lax"),
        ({"SESSION_COOKIE_SECURE": True}, "session=; Path=/; Secure; HttpOnly; SameSite=Lax"),
        ({"SESSION_COOKIE_SAMESITE": "Strict"}, "session=; Path=/; HttpOnly; SameSite=Strict"),
        ({"SESSION_COOKIE_SAMESITE": "lax"}, "session=; Path=/; HttpOnly; SameSite=Lax"),
        (
            {"SESSION_COOKIE_PARTITIONED": True, "SESSION_COOKIE_SAMESITE": "None"},
            "session=; Path=/; Secure; HttpOnly; SameSite=None; Partitioned",
        ),
        (
            {
                "SESSION_COOKIE_PARTITIONED": True,
                "SESSION_COOKIE_SAMESITE": "lax",
            },  # in so many words, as Flask's tests
            "session=; Path=/; Secure; HttpOnly; SameSite=Lax; Partitioned",
        ),
    ],
)
def test_the_cookie_is_what_the_config_says(config, expected):
    assert line(**config) == expected


@pytest.mark.parametrize(
    "config",
    [
        {"SESSION_COOKIE_SAMESITE": "Sometimes"},
        {"SESSION_COOKIE_SAMESITE": 1},
        {"SESSION_COOKIE_SAMESITE": "None"},  # without Secure, which browsers drop
        {"SESSION_COOKIE_PARTITIONED": True},  # without SameSite=None, which browsers drop in a frame
        {"SESSION_COOKIE_NAME": "two words"},
        {"SESSION_COOKIE_NAME": "__Host-session"},  # without Secure
        {"SESSION_COOKIE_DOMAIN": "a domain"},
        {"SESSION_COOKIE_PATH": "shop"},
    ],
)
def test_a_cookie_that_cannot_work_is_an_error_that_names_the_config(config):
    site = Site(PUT, TESTING=True, **config)
    with pytest.raises(ConfigurationError, match="SESSION_COOKIE_"):
        site.get("/put")


@pytest.mark.parametrize("samesite", ["Lax", "Strict"])
def test_partitioned_that_keeps_the_cookie_out_of_frames_is_said_once_with_the_remedy(samesite):
    site = Site(PUT, SESSION_COOKIE_PARTITIONED=True, SESSION_COOKIE_SAMESITE=samesite)
    site.get("/put")
    site.app.config["SESSION_COOKIE_NAME"] = "another"  # another manager
    site.get("/put")
    (event,) = [event for event in site.events if isinstance(event, PartitionedAlone)]
    assert str(event).startswith("flask.partitioned_alone: in frames of other sites browsers drop the session's cookie")
    assert "SESSION_COOKIE_SAMESITE to 'None'" in str(event)


@pytest.mark.parametrize(
    "settings",
    [
        {"SESSION_COOKIE_PARTITIONED": True, "SESSION_COOKIE_SAMESITE": "None"},
        {"SESSION_COOKIE_SAMESITE": "Lax"},
        {"SESSION_COOKIE_PARTITIONED": True, "SESSION_COOKIE_SAMESITE": "Lax", "cookie": CookiePolicy("mine")},
    ],
    ids=["in frames", "not partitioned", "a policy"],
)
def test_nothing_is_said_of_partitioned_where_there_is_nothing_to_say(settings):
    site = Site(PUT, **settings)
    site.get("/put")
    assert not any(isinstance(event, PartitionedAlone) for event in site.events)


def test_a_partitioned_cookie_is_forgotten_as_it_was_set():
    forget = PUT | {"clear": lambda: flask.session.clear() or ""}
    site = Site(forget, SESSION_COOKIE_PARTITIONED=True, SESSION_COOKIE_SAMESITE="Lax")
    site.get("/put", base_url="https://shop.example")
    line = lines(site.get("/clear", base_url="https://shop.example"))[-1]
    assert line.startswith("session=; ")
    assert line.endswith("; Secure; HttpOnly; SameSite=Lax; Partitioned")


def test_an_error_in_the_config_is_answered_and_logged_as_flask_does(caplog):
    site = Site(PUT, SESSION_COOKIE_NAME="two words")
    assert site.get("/nothing").status_code == 500
    assert [record.message for record in caplog.records] == ["Exception on /nothing [GET]"]


def test_a_policy_of_ones_own_outranks_the_config():
    policy = CookiePolicy("mine", secure=False)
    assert line(cookie=policy, SESSION_COOKIE_NAME="two words") == "mine=; Path=/; HttpOnly; SameSite=Lax"


def test_a_development_policy_leaves_secure_out_on_this_machine_alone():
    site = Site(PUT, cookie=CookiePolicy.development())
    assert "Secure" not in lines(site.get("/put"))[0]
    assert "Secure" in lines(site.get("/put", site.app.test_client(), base_url="https://shop.example"))[0]


def test_a_subclass_may_choose_the_cookie_itself():
    class Interface(CookiesessInterface):
        def get_cookie_name(self, app):
            return f"{app.name}-session"

    app = make_app(PUT)
    app.session_interface = Interface()
    assert lines(app.test_client().get("/put"))[0].startswith("shop-session=")


# When the config is read


def test_a_config_that_changes_before_the_first_request_counts():
    site = Site(PUT)
    site.app.config["SESSION_COOKIE_NAME"] = "later"
    assert lines(site.get("/put"))[0].startswith("later=")


def test_a_config_that_changes_between_two_requests_counts():
    site = Site(PUT)
    site.get("/put")
    site.app.config["SESSION_COOKIE_NAME"] = "later"
    assert lines(site.get("/put"))[0].startswith("later=")


def test_the_manager_is_kept_while_the_config_stays():
    site = Site(PUT)
    before = site.manager
    site.get("/put")
    site.app.config["UNRELATED"] = 1
    assert site.manager is before


def test_many_first_requests_at_once_build_one_manager():
    site = Site(PUT)
    barrier, found = threading.Barrier(8), []

    def ask():
        barrier.wait(30)
        found.append(site.manager)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_an_app_that_is_dropped_is_freed():
    interface = CookiesessInterface()
    app = make_app(PUT)
    app.session_interface = interface
    app.test_client().get("/put", buffered=True)
    dropped = weakref.ref(app)
    del app
    gc.collect()
    assert dropped() is None


# Several apps


def test_two_apps_with_different_settings_share_one_interface():
    interface = CookiesessInterface()
    apps = [
        make_app(PUT, SESSION_COOKIE_NAME="one"),
        make_app(PUT, SESSION_COOKIE_NAME="two", SECRET_KEY=OTHER_KEY),
        make_app(PUT, SECRET_KEY=None),
    ]
    for app in apps:
        app.session_interface = interface
    names = [lines(app.test_client().get("/put"))[0].partition("=")[0] for app in apps[:2]]
    assert names == ["one", "two"]
    assert apps[2].test_client().get("/put").status_code == 500
    assert interface.manager_of(apps[0]) is not interface.manager_of(apps[1])


def test_one_extension_may_be_put_into_apps_later():
    extension = Cookiesess(store=MemoryStore())
    apps = [make_app(PUT), make_app(PUT)]
    for app in apps:
        extension.init_app(app)
    client = apps[0].test_client()
    client.get("/put")
    assert client.get("/show").text == "{'a': 1}"
    assert all(app.extensions["cookiesess"] is extension for app in apps)


@pytest.mark.parametrize("again", [Cookiesess, lambda app: Cookiesess().init_app(app)], ids=["at once", "later"])
def test_a_second_extension_is_refused_and_the_first_stays(again):
    app = make_app(PUT)
    first = Cookiesess(app)
    with pytest.raises(ConfigurationError, match=r"a Cookiesess already, .* remove one .* = CookiesessInterface\(…\)$"):
        again(app)
    assert app.extensions["cookiesess"] is first
    assert app.session_interface is first.interface


@pytest.mark.parametrize("binding", [None, DeviceBinding()], ids=["unbound", "bound"])
def test_an_extension_that_is_put_into_an_app_twice_is_there_once(binding):
    app = make_app(PUT)
    extension = Cookiesess(app, store=MemoryStore(), binding=binding)
    answering = app.wsgi_app
    extension.init_app(app)
    assert app.wsgi_app == answering
    assert app.test_client().get("/put").text == "put"
