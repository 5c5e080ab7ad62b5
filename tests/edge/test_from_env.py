"""``SessionMiddleware.from_env``: settings from environment variables."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest

from cookiesess import (
    ConfigurationError,
    CookiePolicy,
    DeviceBinding,
    Keyring,
    Lifetime,
    SessionMiddleware,
)
from cookiesess.manager.flat_settings import read_environment
from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore
from kit.constants import KEY, OTHER_KEY
from kit.views import put
from kit.wsgi import WebBrowser, answering

APP, KEYS = answering(len), {"COOKIESESS_KEYS": KEY}


def read(**variables):
    return read_environment({f"COOKIESESS_{name}": text for name, text in variables.items()}, given={"keys"})


def refusal(**variables):
    with pytest.raises(ConfigurationError) as raised:
        read(**variables)
    return str(raised.value)


def from_env(app=APP, environ=KEYS, **settings):
    return SessionMiddleware.from_env(app, environ=environ, **settings)


# The whole way


def test_an_app_runs_on_variables_alone():
    variables = {**KEYS, "COOKIESESS_COOKIE_NAME": "__Host-shop", "COOKIESESS_STORE": "memory://"}
    browser = WebBrowser(
        from_env(answering(lambda session: session.setdefault("n", []).append(1) or session["n"]), variables)
    )
    assert [browser.get().text for _ in range(2)] == ["[1]", "[1, 1]"]
    assert list(browser.cookies) == ["__Host-shop"]


@pytest.mark.process
def test_by_default_the_variables_are_those_of_the_process():
    code = (
        "from cookiesess import SessionMiddleware\n"
        "print(SessionMiddleware.from_env(lambda environ, start_response: []).manager)"
    )
    environ = {name: text for name, text in os.environ.items() if not name.startswith("COOKIESESS_")}
    variables = {**environ, **KEYS, "COOKIESESS_COOKIE_NAME": "shop"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == "<SessionManager, cookie 'shop'>\n"


def test_other_variables_are_passed_over():
    assert from_env(environ={**KEYS, "PATH": "/bin", "cookiesess_store": "x", "COOKIESESS": "x"}).manager


def test_the_environ_key_is_a_setting_as_well():
    seen = {}

    def app(environ, start_response):
        seen.update(environ)
        return answering(len)(environ | {"cookiesess.session": environ["shop.session"]}, start_response)

    WebBrowser(from_env(app, {**KEYS, "COOKIESESS_ENVIRON_KEY": "shop.session"})).get()
    assert "shop.session" in seen


# Keys


def test_the_keys_are_a_ring():
    old = WebBrowser(from_env(answering(put("a", 1)), {"COOKIESESS_KEYS": OTHER_KEY}))
    old.get()
    old.app = from_env(answering(dict), {"COOKIESESS_KEYS": f"{KEY},{OTHER_KEY}"})
    assert old.get().text == "{'a': 1}"


@pytest.mark.parametrize(
    "text",
    [f"{KEY},{OTHER_KEY}", f"{KEY}\n{OTHER_KEY}\n", f"\n  {KEY}\r\n\n{OTHER_KEY}", f"\ufeff{KEY}\r\n{OTHER_KEY}"],
    ids=ascii,
)
def test_a_file_holds_keys_in_one_line_or_in_several(tmp_path, text):
    file = tmp_path / "keys.txt"
    file.write_bytes(text.encode())
    ring = read_environment({"COOKIESESS_KEYS_FILE": str(file)})["keys"]
    assert [key.kid for key in ring.keys] == [key.kid for key in Keyring(KEY, accepted=[OTHER_KEY]).keys]


@pytest.mark.parametrize("name", ["missing.txt", "binary", ""], ids=["missing", "no text", "a folder"])
def test_a_file_without_text_is_refused_by_the_variables_name(tmp_path, name):
    (tmp_path / "binary").write_bytes(b"\xff" * 40)
    with pytest.raises(ConfigurationError, match=r"^COOKIESESS_KEYS_FILE: there is no file that can be read as text"):
        read_environment({"COOKIESESS_KEYS_FILE": str(tmp_path / name)})


@pytest.mark.parametrize("text", ["", "\n\n", "short", f"{KEY},,"])
def test_a_file_without_good_keys_is_refused_by_the_variables_name(tmp_path, text):
    file = tmp_path / "keys.txt"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=r"^COOKIESESS_KEYS_FILE: a key .*keygen"):
        read_environment({"COOKIESESS_KEYS_FILE": str(file)})


def test_without_keys_the_error_says_where_they_go():
    with pytest.raises(ConfigurationError, match=r"^COOKIESESS_KEYS or COOKIESESS_KEYS_FILE is needed.*keygen"):
        from_env(environ={})


def test_both_places_for_keys_are_one_too_many(tmp_path):
    with pytest.raises(ConfigurationError, match="only one of them"):
        from_env(environ={**KEYS, "COOKIESESS_KEYS_FILE": str(tmp_path)})


def test_a_short_key_is_refused_by_the_variables_name():
    with pytest.raises(ConfigurationError, match=r"^COOKIESESS_KEYS: a key of 5 bytes is too short"):
        from_env(environ={"COOKIESESS_KEYS": "short"})


# What is given in code


def test_what_is_given_in_code_counts_instead_of_its_variable():
    variables = {"COOKIESESS_KEYS": "short", "COOKIESESS_COOKIE_NAME": "variable", "COOKIESESS_STORE": "unreadable"}
    middleware = from_env(environ=variables, keys=KEY, cookie=CookiePolicy("__Host-code"), store=None)
    assert middleware.manager.cookie.name == "__Host-code"


def test_what_is_no_text_is_given_in_code(events):
    browser = WebBrowser(from_env(answering(put("a", 1)), on_event=events.append))
    browser.get()
    assert [event.name for event in events] == ["session.created"]


@pytest.mark.parametrize(
    "name", ["accept", "login_label", "types", "on_event", "clock", "random_bytes", "session_class"]
)
def test_a_variable_for_what_is_no_text_is_refused(name):
    assert refusal(**{name.upper(): "x"}) == (
        f"COOKIESESS_{name.upper()}: {name} is no text; give it to SessionMiddleware in code"
    )


# Each setting


@pytest.mark.parametrize(
    ("name", "text", "setting", "value"),
    [
        ("ENVIRON_KEY", "shop.session", "environ_key", "shop.session"),
        ("ENCRYPT", "false", "encrypt", False),
        ("ENCRYPT", " True ", "encrypt", True),
        ("COMPRESS", "1", "compress", True),
        ("COMPRESS", "0", "compress", False),
        ("ON_STORE_ERROR", "anonymous", "on_store_error", "anonymous"),
        ("MAX_SESSIONS_PER_OWNER", "3", "max_sessions_per_owner", 3),
        ("MAX_SESSIONS_PER_OWNER", "none", "max_sessions_per_owner", None),
        ("MAX_RECORD_BYTES", "5000", "max_record_bytes", 5000),
        ("ON_OWNER_LIMIT", "refuse", "on_owner_limit", "refuse"),
        ("REVOCATION_CACHE_SECONDS", "5", "revocation_cache_seconds", 5),
        ("COOKIE_NAME", "shop", "cookie", CookiePolicy("shop")),
        ("COOKIE_HTTPONLY", "false", "cookie", CookiePolicy(httponly=False)),
        ("COOKIE_SAMESITE", "Strict", "cookie", CookiePolicy(samesite="Strict")),
        ("COOKIE_SAMESITE", "None", "cookie", CookiePolicy(samesite="None")),
        ("COOKIE_SAMESITE", "unset", "cookie", CookiePolicy(samesite=None)),
        ("COOKIE_PERSISTENT", "true", "cookie", CookiePolicy(persistent=True)),
        ("COOKIE_CLEAR_ON_LOGOUT", "cache, storage", "cookie", CookiePolicy(clear_on_logout=("cache", "storage"))),
        ("COOKIE_MAX_BYTES", "2000", "cookie", CookiePolicy(max_bytes=2000)),
        ("COOKIE_CHUNKS", "2", "cookie", CookiePolicy(chunks=2)),
        ("LIFETIME_IDLE", "90 minutes", "lifetime", Lifetime(idle=timedelta(minutes=90))),
        ("LIFETIME_IDLE", "1 hour", "lifetime", Lifetime(idle=timedelta(hours=1))),
        ("LIFETIME_ABSOLUTE", "20 days", "lifetime", Lifetime(absolute=timedelta(days=20))),
        ("LIFETIME_ABSOLUTE", "never", "lifetime", Lifetime(absolute=None)),
        ("LIFETIME_REFRESH_AFTER", "60 seconds", "lifetime", Lifetime(refresh_after=timedelta(seconds=60))),
        ("LIFETIME_RENEW_AFTER", "2 days", "lifetime", Lifetime(renew_after=timedelta(days=2))),
        ("LIFETIME_RENEW_AFTER", "never", "lifetime", Lifetime(renew_after=None)),
        ("BINDING", "true", "binding", DeviceBinding()),
        ("BINDING", "0", "binding", None),
        ("BINDING_BOUND_FOR", "10 minutes", "binding", DeviceBinding(bound_for=timedelta(minutes=10))),
        ("BINDING_REQUIRED", "1", "binding", DeviceBinding(required=True)),
    ],
)
def test_a_variable_becomes_a_setting(name, text, setting, value):
    assert read(**{name: text}) == {setting: value}


def test_several_variables_make_one_cookie_policy():
    found = read(COOKIE_NAME="shop", COOKIE_SECURE="auto", COOKIE_PATH="/shop", COOKIE_DOMAIN="shop.example")
    assert found == {"cookie": CookiePolicy("shop", secure="auto", path="/shop", domain="shop.example")}


def test_several_variables_make_one_lifetime():
    found = read(LIFETIME_RENEW_AFTER="2 days", LIFETIME_RENEW_GRACE="0 seconds")
    assert found == {"lifetime": Lifetime(renew_after=timedelta(days=2), renew_grace=timedelta(0))}


def test_several_variables_make_one_binding():
    found = read(BINDING="true", BINDING_REGISTRATION_WITHIN="2 minutes", BINDING_PATH="/device")
    assert found == {"binding": DeviceBinding(registration_within=timedelta(minutes=2), path="/device")}


def test_a_binding_of_variables_binds_sessions():
    variables = {**KEYS, "COOKIESESS_STORE": "memory://", "COOKIESESS_BINDING": "true"}
    browser = WebBrowser(from_env(answering(lambda session: session.login("ann")), variables))
    assert "Secure-Session-Registration" in browser.get().headers


def test_an_embedded_app_needs_two_variables():
    found = read(COOKIE_PARTITIONED="true", COOKIE_SAMESITE="None")
    assert found == {"cookie": CookiePolicy(partitioned=True, samesite="None")}
    assert "set samesite='None'" in refusal(COOKIE_PARTITIONED="true")


def test_a_grace_alone_is_refused_by_the_variables_name():
    message = refusal(LIFETIME_RENEW_GRACE="0 seconds")
    assert message.startswith("COOKIESESS_LIFETIME_RENEW_GRACE: renew_grace (0:00:00) is about renew_after")


@pytest.mark.parametrize("name", ["STORE", "OVERFLOW", "REVOCATIONS"])
def test_a_store_is_opened_by_its_url(tmp_path, name):
    assert isinstance(read(**{name: "memory://"})[name.lower()], MemoryStore)
    (store,) = read(**{name: f"sqlite:///{tmp_path}/sessions.db"}).values()
    assert isinstance(store, SQLiteStore)


def test_no_store_is_opened_where_something_else_is_wrong(tmp_path):
    refusal(STORE=f"sqlite:///{tmp_path}/sessions.db", LIFETIME_IDLE="long")
    assert list(tmp_path.iterdir()) == []
