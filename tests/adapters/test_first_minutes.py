"""What somebody meets who has just begun, and is in a hurry: each error says what to write."""

import subprocess
from datetime import timedelta

import pytest
from flask import Flask
from pyramid.config import Configurator
from pyramid.request import Request

from adapters.django_project import Site, project
from cookiesess import (
    ConfigurationError,
    CookiePolicy,
    SessionError,
    SessionManager,
    SessionMiddleware,
    get_manager,
    get_session,
    open_store,
)
from cookiesess.adapters.flask import Cookiesess, session
from cookiesess.adapters.pyramid import session_factory
from cookiesess.stores.memory import MemoryStore
from kit.constants import KEY
from kit.serving import serving

# A cookie's policy


@pytest.mark.parametrize("policy", [CookiePolicy, CookiePolicy.development])
def test_a_policy_that_was_not_called_is_told_of_its_parentheses(policy):
    with pytest.raises(ConfigurationError, match=r"cookie=CookiePolicy\(…\), with its \(\)$"):
        SessionManager(KEY, cookie=policy)


def test_who_takes_secure_off_the_default_name_is_told_of_the_policy_for_development():
    with pytest.raises(ConfigurationError, match=r"take CookiePolicy\.development\(\)$"):
        CookiePolicy(secure=False)


def test_a_name_of_one_s_own_with_a_prefix_is_told_of_secure_alone():
    with pytest.raises(ConfigurationError, match=r"without the prefix$"):
        CookiePolicy("__Secure-shop", secure=False)


def test_a_store_s_kind_without_its_colon_is_told_of_it():
    with pytest.raises(ConfigurationError, match=r"write it as memory://$"):
        open_store("memory")


# Where there is no session


@pytest.mark.parametrize("ask", [get_session, get_manager])
def test_where_there_is_no_session_django_and_pyramid_are_told_of_theirs(ask):
    with pytest.raises(
        SessionError, match=r"Pyramid pass the request.*Django's engine has request\.session and session_m"
    ):
        ask({})


def test_pyramid_is_told_where_the_factory_itself_was_given():
    with Configurator(session_factory=session_factory) as config:
        config.add_route("home", "/")
        config.add_view(lambda request: request.session["cart"], route_name="home")
        app = config.make_wsgi_app()
    with pytest.raises(ConfigurationError, match=r"write session_factory\(keys\), with its \(\)$"):
        Request.blank("/").get_response(app)


# Flask's config


def flask_app(config, **settings):
    app = Flask(__name__)
    app.config.update(config, TESTING=True)
    Cookiesess(app, **settings)
    app.add_url_rule("/", view_func=lambda: session.login("user-42") or "in")
    return app.test_client()


@pytest.mark.parametrize(
    ("name", "value", "keys"),
    [("COOKIESESS_KEYS", KEY, {}), ("COOKIESESS_STORE", "sqlite:///sessions.db", {"keys": KEY})],
)
def test_what_django_reads_from_its_settings_is_not_overlooked_in_flask_s(name, value, keys, monkeypatch):
    monkeypatch.delenv("COOKIESESS_KEYS", raising=False)
    keyword = name.removeprefix("COOKIESESS_").lower()
    with pytest.raises(ConfigurationError) as caught:
        flask_app({name: value, "SECRET_KEY": KEY}, **keys).get("/")
    assert str(caught.value).endswith(f"write Cookiesess(app, {keyword}=app.config[{name!r}])")
    assert str(value) not in str(caught.value)


def test_a_config_may_hold_what_is_handed_on():
    config = {"COOKIESESS_KEYS": KEY, "COOKIESESS_STORE": "memory://"}
    assert flask_app(config, keys=KEY, store=MemoryStore()).get("/").text == "in"


# Django's request.session


@pytest.fixture(scope="module")
def django_session():
    with project(), Site(MemoryStore()).running():
        from cookiesess.adapters.django import SessionStore

        yield SessionStore()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("login", r"django\.contrib\.auth\.login\(request, user\)"),
        ("logout", r"django\.contrib\.auth\.logout\(request\)"),
        ("owner", r"request\.user"),
        ("remember", r"request\.session\.set_expiry\(timedelta\)"),
        ("renew", r"request\.session\.cycle_key\(\)"),
    ],
)
def test_django_s_session_says_how_django_calls_a_verb(django_session, name, told):
    with pytest.raises(AttributeError, match=told):
        getattr(django_session, name)


def test_a_life_that_django_would_undo_at_its_next_save_is_refused(django_session):
    with pytest.raises(SessionError, match=r"request\.session\.set_expiry\(datetime\.timedelta\(days=60\)\)"):
        django_session.native.remember(timedelta(days=60))


# A logout that somebody tries out with curl


def account(environ, start_response):
    own = get_session(environ)
    match environ["PATH_INFO"]:
        case "/login":
            own.login("user-42")
        case "/me/logout":
            own.invalidate()
    start_response("200 OK", [])
    return [str(own.owner).encode()]


@pytest.mark.process
def test_after_a_logout_curl_has_no_session_either(tmp_path):
    app = SessionMiddleware(account, KEY, cookie=CookiePolicy.development())
    with serving(app) as url:
        for path, user in (("login", "user-42"), ("", "user-42"), ("me/logout", "None"), ("", "None")):
            asked = ["curl", "-sS", "-c", "jar", "-b", "jar", f"{url}/{path}"]
            done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=30)
            assert done.stdout == user, path
