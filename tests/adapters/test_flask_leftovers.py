"""Settings of Flask-Session that are still in the config of a Flask app."""

from datetime import UTC, datetime

import pytest

from cookiesess import ConfigurationError
from cookiesess.adapters.flask import UnreadSettings
from cookiesess.adapters.flask.leftovers import OPTIONS
from cookiesess.readers import FlaskCookie, FlaskSessionRedis
from cookiesess.stores.memory import MemoryStore
from kit.constants import SECRET
from kit.flask_site import Site, put

UNTIL = datetime(2030, 1, 1, tzinfo=UTC)


def said(**settings):
    """Return what a site says of its config, after two requests."""
    site = Site({"put": put(a=1)}, TESTING=True, **settings)
    for _ in range(2):
        assert site.get("/put").text == "put"
    return [str(event) for event in site.events if isinstance(event, UnreadSettings)]


def test_a_store_that_flask_session_was_told_of_is_asked_for():
    with pytest.raises(ConfigurationError, match=r'^in the config of the Flask app, SESSION_TYPE: .*store="redis://'):
        said(SESSION_TYPE="redis", SESSION_REDIS=object())


@pytest.mark.parametrize("place", ["store", "overflow"])
def test_with_a_store_the_settings_are_said_once_with_what_to_write(place):
    (warning,) = said(SESSION_TYPE="redis", SESSION_PERMANENT=True, SESSION_ID_LENGTH=32, **{place: MemoryStore()})
    assert warning.startswith(
        "flask.unread_settings settings=SESSION_TYPE, SESSION_ID_LENGTH, SESSION_PERMANENT: they are Flask-Session's"
    )
    assert 'for SESSION_TYPE store="redis://…", or another URL; for SESSION_ID_LENGTH nothing; for' in warning
    assert warning.endswith("for SESSION_PERMANENT session.permanent = True, or cookie=CookiePolicy(persistent=True)")


@pytest.mark.parametrize("name", [name for name in OPTIONS if name != "SESSION_TYPE"])
def test_each_of_the_others_is_harmless_and_said(name):
    (warning,) = said(**{name: "x"})
    assert f"for {name} {OPTIONS[name]}" in warning


def test_what_is_in_a_setting_is_not_said():
    (warning,) = said(SESSION_REDIS="redis://:hunter2@host")
    assert "hunter2" not in warning


@pytest.mark.parametrize(
    "config",
    [{}, {"SESSION_TYPE": None}, {"SESSION_TYPE": "null"}, {"SESSION_PERMANENT": False}, {"SESSION_OTHER": "ours"}],
)
def test_what_says_nothing_is_not_said(config):
    assert said(**config) == []


def test_an_app_that_takes_the_sessions_over_may_keep_the_settings():
    reader = FlaskSessionRedis("redis://localhost:1", until=UNTIL, cookie_name="old")
    assert said(SESSION_TYPE="redis", SESSION_REDIS="x", accept=[reader], store=MemoryStore()) == []


def test_a_reader_of_cookies_takes_no_store_over():
    assert len(said(SESSION_REDIS="x", accept=[FlaskCookie(SECRET, until=UNTIL, cookie_name="old")])) == 1
