"""The middleware under real servers, and what it refuses when it is built."""

import io
import urllib.request
from wsgiref.util import FileWrapper

import pytest

from cookiesess import (
    ConfigurationError,
    CookiePolicy,
    Keyring,
    Lifetime,
    SessionManager,
    SessionMiddleware,
    get_session,
)
from cookiesess.stores.sqlite import SQLiteStore
from kit.browser import Browser
from kit.constants import KEY, NAME, PLAIN
from kit.serving import serving
from kit.wsgi import WebBrowser, answering, environ_of, handle, wrap


def test_a_session_survives_from_request_to_request():
    browser = WebBrowser(
        wrap(answering(lambda session: session.setdefault("visits", []).append(1) or len(session["visits"])))
    )
    assert [browser.get().text for _ in range(3)] == ["1", "2", "3"]


@pytest.mark.process
def test_the_whole_way_through_a_real_server():
    app = wrap(answering(lambda session: session.setdefault("name", "萧兮")))
    with serving(app) as url, urllib.request.urlopen(url) as response:
        assert response.read().decode() == "萧兮"
        assert response.headers["Set-Cookie"].startswith(f"{NAME}=")
        assert response.headers["Content-Length"] == str(len("萧兮".encode()))


def test_a_file_wrapper_goes_through_a_real_server_with_its_length():
    def app(environ, start_response):
        get_session(environ)["a"] = 1
        start_response("200 OK", [*PLAIN])
        return environ["wsgi.file_wrapper"](io.BytesIO(b"content"))

    response, log = handle(wrap(app), environ_of(**{"wsgi.file_wrapper": FileWrapper}))
    assert response.endswith("\r\n\r\ncontent")
    assert f"Set-Cookie: {NAME}=" in response
    assert log == ""


def test_the_server_can_count_the_length_of_a_list():
    def app(environ, start_response):
        get_session(environ)["a"] = 1
        start_response("200 OK", [*PLAIN])
        return [b"seven b"]

    assert "Content-Length: 7" in handle(wrap(app), environ_of())[0]


def test_the_app_must_be_callable():
    with pytest.raises(ConfigurationError, match="which cannot be called"):
        SessionMiddleware("app", "k" * 32)


def test_a_ready_manager_takes_no_further_settings():
    manager = SessionManager(Keyring(b"k" * 32))
    with pytest.raises(ConfigurationError, match="encrypt"):
        SessionMiddleware(answering(len), manager, encrypt=False)


def test_a_ready_manager_is_used():
    manager = SessionManager(Keyring(b"k" * 32))
    assert SessionMiddleware(answering(len), manager).manager is manager


@pytest.mark.parametrize("keys", [None, "", b"", "short", 5, " , "])
def test_a_missing_or_short_secret_is_refused_when_the_middleware_is_built(keys):
    with pytest.raises(ConfigurationError):
        SessionMiddleware(answering(len), keys)


@pytest.mark.parametrize("setting", [{"cookie": "sid"}, {"lifetime": 3600}, {"cookie": CookiePolicy}], ids=repr)
def test_a_setting_of_another_type_is_refused_with_the_type_that_it_has(setting):
    (name,) = setting
    kind = {"cookie": CookiePolicy, "lifetime": Lifetime}[name]
    with pytest.raises(ConfigurationError, match=f"^{name} must be a {kind.__name__}, not of type .*; write {name}="):
        SessionMiddleware(answering(len), KEY, **setting)


@pytest.mark.parametrize("value", [1, 0, None, "False", "yes"])
def test_encrypt_is_exactly_true_or_false(value):
    with pytest.raises(
        ConfigurationError, match=r"^encrypt must be True or False, not of type .*; write True or False"
    ):
        SessionManager(KEY, encrypt=value)


@pytest.mark.parametrize("name", ["on_event", "clock", "random_bytes"])
def test_a_setting_that_is_to_be_called_must_be_callable(name):
    with pytest.raises(ConfigurationError, match=f"^{name} must be a function, not of type int"):
        SessionManager(KEY, **{name: 5})


@pytest.mark.parametrize("store", [{}, 0, SQLiteStore], ids=repr)
def test_something_else_than_a_store_is_refused_with_what_to_write(store):
    with pytest.raises(ConfigurationError, match=r"write store=SQLiteStore\(path\), or a URL such as store='sqlite:"):
        SessionManager(KEY, store=store)


@pytest.mark.parametrize("setting", [{"max_sessions_per_owner": 3}, {"on_store_error": "anonymous"}], ids=repr)
def test_a_setting_for_stores_is_refused_without_one(setting):
    with pytest.raises(ConfigurationError, match="store="):
        SessionMiddleware(answering(len), KEY, **setting)


def test_client_side_sessions_cannot_be_listed_and_the_error_says_what_can():
    manager = SessionManager(KEY)
    for ask in (manager.sessions_of, manager.end_all, lambda owner: manager.end(owner, "handle")):
        with pytest.raises(ConfigurationError, match="store="):
            ask("user-1")


def test_a_client_side_session_has_no_handle():
    manager = SessionManager(KEY)
    assert manager.handle_of(manager.open("")) is None
    visitor = Browser(manager)
    visitor.visit(lambda session: session.login("user-1"))
    session = manager.open(visitor.header)
    assert session.owner == "user-1"
    assert manager.handle_of(session) is None


def test_the_managers_repr_names_its_cookie_and_no_key():
    assert repr(SessionManager(KEY)) == f"<SessionManager, cookie {NAME!r}>"
