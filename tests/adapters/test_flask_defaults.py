"""The one line that people copy: what Flask's defaults mean here, over HTTPS and plain HTTP, and who hears of it."""

from datetime import timedelta

import pytest

from cookiesess import CookiePolicy, Lifetime
from cookiesess.events import HttpsUnseen, InsecureCookieOverHttps, NoAbsoluteEnd
from cookiesess.stores.memory import MemoryStore
from kit.flask_site import Site, lines, nothing, put, show

VIEWS = {"put": put(a=1), "show": show, "nothing": nothing}
HTTPS = "https://shop.example"
HTTP = "http://shop.example"
FORWARDED = {"X-Forwarded-Proto": "https"}


def cookie(site, base_url, **options):
    """Return the attributes of the cookie that a session's begin sets."""
    (line,) = lines(site.get("/put", site.app.test_client(), base_url=base_url, **options))
    return line.partition("; ")[2]


def said(site, kind):
    return [event for event in site.events if isinstance(event, kind)]


@pytest.mark.parametrize("store", [None, MemoryStore], ids=["client-side", "server-side"])
def test_https_is_answered_by_a_secure_cookie_and_http_by_a_plain_one_both_lax(store):
    site = Site(VIEWS, store=store and store())
    assert cookie(site, HTTPS) == "Path=/; Secure; HttpOnly; SameSite=Lax"
    assert cookie(site, HTTP) == "Path=/; HttpOnly; SameSite=Lax"
    assert cookie(site, "http://localhost") == "Path=/; HttpOnly; SameSite=Lax"
    assert site.names() == ["session.created"] * 3


def test_a_permanent_sessions_cookie_is_secure_over_https_too():
    site = Site(VIEWS, cookie=CookiePolicy("session", secure="https", persistent=True))
    assert "; Secure;" in cookie(site, HTTPS)
    assert "Secure" not in cookie(site, HTTP)


def test_the_settings_say_otherwise_where_they_are_set():
    assert "SameSite=Strict" in cookie(Site(VIEWS, SESSION_COOKIE_SAMESITE="Strict"), HTTPS)
    assert "Secure" in cookie(Site(VIEWS, SESSION_COOKIE_SECURE=True), HTTP)


def test_a_policy_and_a_lifetime_of_ones_own_take_their_place():
    policy = CookiePolicy("session", secure=False, samesite=None)
    site = Site(VIEWS, cookie=policy, lifetime=Lifetime(idle=timedelta(hours=1)))
    assert cookie(site, HTTPS) == "Path=/; HttpOnly"
    assert said(site, NoAbsoluteEnd) == []


# Who hears of it


def test_a_proxys_word_is_not_trusted_and_an_event_names_the_remedy_once():
    site = Site(VIEWS)
    for _ in range(2):
        assert "Secure" not in cookie(site, HTTP, headers=FORWARDED)
    (event,) = said(site, HttpsUnseen)
    assert "ProxyFix" in str(event)
    assert "SESSION_COOKIE_SECURE" in str(event)


@pytest.mark.parametrize("word", ["http", "http, https", "", "httpsx"])
def test_a_proxy_that_got_plain_http_is_nothing_to_speak_of(word):
    site = Site(VIEWS)
    cookie(site, HTTP, headers={"X-Forwarded-Proto": word})
    assert said(site, HttpsUnseen) == []


def test_a_proxys_word_is_nothing_to_speak_of_where_the_cookie_does_not_depend_on_it():
    site = Site(VIEWS, SESSION_COOKIE_SECURE=True)
    cookie(site, HTTP, headers=FORWARDED)
    assert said(site, HttpsUnseen) == []


def test_an_insecure_cookie_that_was_asked_for_is_said_once_over_https_alone():
    site = Site(VIEWS, cookie=CookiePolicy("session", secure=False))
    cookie(site, HTTP)
    assert said(site, InsecureCookieOverHttps) == []
    cookie(site, HTTPS)
    cookie(site, HTTPS)
    assert said(site, InsecureCookieOverHttps) == [InsecureCookieOverHttps()]


@pytest.mark.parametrize("lifetime", [{}, {"lifetime": Lifetime(absolute=None)}], ids=["flasks", "asked for"])
def test_sessions_without_an_absolute_end_are_said_once_with_the_remedy(lifetime):
    site = Site(VIEWS, **lifetime)
    site.get("/put")
    site.get("/show")
    (event,) = said(site, NoAbsoluteEnd)
    assert "lifetime=Lifetime()" in str(event)
