"""Apps that PasteDeploy puts together from an ini file, and the session on WebTest's responses."""

from textwrap import dedent

import pytest
from paste.deploy import loadapp
from webtest import TestApp

from cookiesess import ConfigurationError, CookiePolicy, DeviceBinding, SessionMiddleware, get_session
from cookiesess.adapters.paste import filter_app_factory
from docs.pages import ROOT, blocks
from kit.constants import KEY, OTHER_KEY
from kit.wsgi import WebBrowser, answering

PASTE = f"paste.app_factory = {__name__}:make_shop"


def make_shop(global_conf, **local_conf):
    """The app of the ini files: counts."""
    return answering(lambda session: session.setdefault("n", []).append(1) or len(session["n"]))


@pytest.fixture
def load(tmp_path):
    """Loads an ini file with this filter section."""

    def load(*settings, default=(), use="egg:cookiesess"):
        (tmp_path / "keys.txt").write_text(KEY)
        lines = ["[DEFAULT]", *default, "[pipeline:main]", "pipeline = session shop", "[app:shop]", PASTE]
        lines += ["[filter:session]", f"use = {use}", *settings]
        file = tmp_path / "site.ini"
        file.write_text("\n".join(lines))
        return loadapp(f"config:{file}")

    return load


HERE = "keys = %(here)s/keys.txt"


@pytest.mark.parametrize("use", ["egg:cookiesess", "egg:cookiesess#session", "egg:cookiesess#main"])
def test_an_ini_file_puts_the_session_around_an_app(load, use):
    browser = WebBrowser(load(HERE, use=use))
    assert [browser.get().text for _ in range(2)] == ["1", "2"]


def test_the_section_in_the_documentation_works(load):
    (section,) = [code for language, _, code in blocks(ROOT / "docs" / "settings.md") if language == "ini"]
    name, use, *settings = section.splitlines()
    assert (name, use) == ("[filter:session]", "use = egg:cookiesess")
    middleware = load(*settings)
    assert middleware.manager.cookie == CookiePolicy(samesite="Strict")
    assert [WebBrowser(middleware).get().text for _ in range(2)] == ["1", "1"]


def test_every_kind_of_setting_is_read(load, tmp_path):
    settings = """\
        cookiesess.keys_file = %(here)s/keys.txt
        cookiesess.store = sqlite:///%(here)s/sessions.db?durable=1
        cookiesess.lifetime.idle = 2 hours
        cookiesess.cookie.name = __Host-shop
        cookiesess.cookie.persistent = true
        cookiesess.binding = true
        binding.path = /device
        max_sessions_per_owner = 3"""
    middleware = load(*dedent(settings).splitlines())
    assert type(middleware) is SessionMiddleware
    assert middleware.manager.cookie == CookiePolicy("__Host-shop", persistent=True)
    assert middleware.manager.binding == DeviceBinding(path="/device")
    line = WebBrowser(middleware).get().headers["Set-Cookie"]
    assert "Max-Age=7200;" in line
    assert (tmp_path / "sessions.db").exists()


def test_the_default_section_counts_by_the_prefix_alone(load):
    default = ["cookiesess.keys = %(here)s/keys.txt", "cookiesess.cookie.name = shop", "store = of another part"]
    assert load(default=default).manager.cookie.name == "shop"


def test_the_filters_own_section_counts_first(load):
    default = ["cookiesess.keys = %(here)s/keys.txt", "cookiesess.cookie.name = shop"]
    assert load("cookie.name = own", default=default).manager.cookie.name == "own"


def test_beakers_habits_are_a_setting(load):
    middleware = load(HERE, "environ_key = beaker.session")
    assert "Beaker" in middleware.session_class.__name__


def make(global_conf=None, **settings):
    return filter_app_factory(answering(len), global_conf or {}, **settings)


def test_keys_may_stand_in_the_file_itself():
    assert make(keys=f"{KEY}, {OTHER_KEY}").manager


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lifetime.idel": "x"}, "there is no setting lifetime.idel; the nearest one is lifetime.idle"),
        (
            {"cookiesess.lifetime.idel": "x"},
            "there is no setting cookiesess.lifetime.idel; the nearest one is cookiesess.lifetime.idle",
        ),
        ({"secure": "x"}, "there is no setting secure; the nearest one is cookie.secure"),
        ({"on_event": "x"}, "on_event: on_event is no text; give it to SessionMiddleware in code"),
        ({"store": "memory://", "cookiesess.store": "memory://"}, "cookiesess.store is given twice, as store as well"),
        ({"cookiesess.cookie.chunks": "two"}, "cookiesess.cookie.chunks is not a whole number"),
        ({"cookie.name": " "}, "cookie.name is empty; remove it, or give it a value"),
        ({"lifetime.idle": "40 days", "lifetime.absolute": "1 day"}, "lifetime.idle, lifetime.absolute: idle (40 days"),
    ],
    ids=repr,
)
def test_a_wrong_setting_is_named_as_it_was_spelled(settings, message):
    with pytest.raises(ConfigurationError) as raised:
        make(keys=KEY, **settings)
    assert str(raised.value).startswith(message)


def test_an_unknown_setting_of_the_default_section_is_refused_too():
    with pytest.raises(
        ConfigurationError, match=r"^there is no setting cookiesess\.key; the nearest one is cookiesess"
    ):
        make({"cookiesess.key": KEY})


def test_without_keys_the_error_says_where_they_go():
    with pytest.raises(ConfigurationError, match=r"^keys or keys_file is needed"):
        make()


def test_a_path_and_a_file_of_keys_are_one_too_many():
    with pytest.raises(ConfigurationError, match="only one of them"):
        make(keys="/keys.txt", keys_file="/keys.txt")


def test_a_path_to_no_file_is_refused_and_not_taken_for_a_key(tmp_path):
    path = tmp_path / "a name that is long enough to be a key"
    with pytest.raises(ConfigurationError, match=r"^keys: there is no file that can be read as text") as raised:
        make(keys=str(path))
    assert str(path) not in str(raised.value)


# WebTest


def shows(environ, start_response):
    session = get_session(environ)
    session["user"] = "ann"
    return answering(len)(environ, start_response)


def test_webtest_shows_the_session_on_responses():
    response = TestApp(SessionMiddleware(shows, KEY)).get("/")
    assert response.session["user"] == "ann"


def test_webtest_shows_what_an_untouched_session_holds():
    client = TestApp(SessionMiddleware(shows, KEY), extra_environ={"wsgi.url_scheme": "https"})
    client.get("https://localhost/")

    def silent(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b""]

    client.app = SessionMiddleware(silent, KEY)
    assert client.get("https://localhost/").session["user"] == "ann"


def test_webtest_shows_beakers_session_under_the_same_name():
    def app(environ, start_response):
        environ["beaker.session"]["user"] = "ann"
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b""]

    assert TestApp(SessionMiddleware(app, KEY, environ_key="beaker.session")).get("/").session["user"] == "ann"


def test_webtest_shows_each_of_two_sessions_under_a_name_of_its_own():
    def app(environ, start_response):
        get_session(environ, "admin.session")["user"] = "root"
        return shows(environ, start_response)

    inner = SessionMiddleware(app, KEY, environ_key="admin.session", cookie=CookiePolicy("__Host-admin"))
    response = TestApp(SessionMiddleware(inner, KEY)).get("/")
    assert (response.session["user"], response.admin_session["user"]) == ("ann", "root")
