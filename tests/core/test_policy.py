"""The session cookie's policy: wrong combinations cannot be built."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cookiesess import ConfigurationError, CookiePolicy, SetCookie, Transport

NOW = 1_700_000_000
HTTPS, PLAIN, LOOPBACK = Transport.HTTPS, Transport.PLAIN, Transport.LOOPBACK


def line(policy, value, transport, *, max_age=None):
    return SetCookie(policy.name, value, policy.attributes(transport, max_age, now=NOW)).line


def test_the_default_is_the_safe_one():
    text = line(CookiePolicy(), "token", HTTPS)
    assert text == "__Host-session=token; Path=/; Secure; HttpOnly; SameSite=Lax"


def test_every_field_but_the_name_is_keyword_only():
    with pytest.raises(TypeError):
        CookiePolicy("session", "/")


def test_a_policy_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        CookiePolicy().secure = False


def test_equal_policies_are_equal_and_hash_alike():
    assert len({CookiePolicy("a"), CookiePolicy("a"), CookiePolicy("b")}) == 2


def test_every_field_reaches_the_line():
    policy = CookiePolicy(
        "id", path="/app", domain="example.com", httponly=False, samesite="None", partitioned=True, persistent=True
    )
    assert line(policy, "t", HTTPS, max_age=60) == (
        "id=t; Path=/app; Domain=example.com; Max-Age=60; Expires=Tue, 14 Nov 2023 22:14:20 GMT; Secure;"
        " SameSite=None; Partitioned"
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"samesite": "lax"}, "choose 'Strict', 'Lax', 'None' or None"),
        ({"name": "a", "samesite": "None", "secure": False}, "SameSite=None without Secure"),
        ({"name": "a", "partitioned": True, "secure": False}, "Partitioned without Secure"),
        ({"partitioned": True}, "set samesite='None', or leave out partitioned"),
        ({"partitioned": True, "samesite": None}, "set samesite='None', or leave out partitioned"),
        ({"name": "__Http-s", "httponly": False}, "needs HttpOnly"),
        ({"name": "__Http-s", "secure": False}, "needs Secure"),
        ({"name": "__Host-Http-s", "httponly": False}, "needs HttpOnly"),
        ({"name": "__Host-Http-s", "path": "/app"}, "choose a name without __Host-"),
        ({"name": "a", "samesite": "None", "secure": "auto"}, "SameSite=None without Secure"),
        ({"domain": "example.com"}, "choose a name without __Host-"),
        ({"path": "/app"}, "choose a name without __Host-"),
        ({"secure": False}, "needs Secure"),
        ({"secure": "auto"}, "needs Secure"),
        ({"name": "__Secure-a", "secure": "auto"}, "needs Secure"),
        ({"name": "a b"}, "cookie name 'a b' is not allowed"),
        ({"name": ""}, "cookie name '' is not allowed"),
        ({"name": "a;b"}, "is not allowed"),
        ({"name": "a", "path": "app"}, "begins with '/'"),
        ({"name": "a", "path": "/;"}, "without ';'"),
        ({"name": "a", "path": "/shop/../cart"}, "holds '.' or '..', which browsers resolve in a page's path"),
        ({"name": "a", "path": "/shop/."}, "holds '.' or '..'"),
        ({"name": "a", "path": "/shop/%2E%2e/cart"}, "holds '.' or '..'"),
        ({"name": "a", "path": "/.%2e"}, "holds '.' or '..'"),
        ({"name": "a", "domain": ".example.com"}, "host name"),
        ({"secure": "yes"}, "choose True, False, 'auto' or 'https'"),
        ({"secure": None}, "choose True, False, 'auto' or 'https'"),
    ],
)
def test_what_browsers_would_refuse_cannot_be_built(fields, message):
    with pytest.raises(ConfigurationError, match=message):
        CookiePolicy(**fields)


@pytest.mark.parametrize("path", ["/.well-known", "/a.b/c..d", "/...", "/a."])
def test_dots_within_a_name_are_part_of_a_path(path):
    assert CookiePolicy("a", path=path).path == path


def test_a_path_is_one_whether_it_is_written_as_in_a_url_or_not():
    policy = CookiePolicy("session", path="/my café")
    assert policy.path == "/my%20caf%C3%A9"
    assert policy == CookiePolicy("session", path="/my%20caf%C3%A9")
    assert line(policy, "t", HTTPS).startswith("session=t; Path=/my%20caf%C3%A9; Secure")


@pytest.mark.parametrize(
    ("secure", "transport", "marked"),
    [
        (True, HTTPS, True),
        (True, PLAIN, True),
        (True, LOOPBACK, True),
        (False, HTTPS, False),
        (False, PLAIN, False),
        (False, LOOPBACK, False),
        ("auto", HTTPS, True),
        ("auto", PLAIN, True),
        ("auto", LOOPBACK, False),
        ("https", HTTPS, True),
        ("https", PLAIN, False),
        ("https", LOOPBACK, False),
    ],
)
def test_secure_depends_on_the_transport_only_where_it_is_auto_or_https(secure, transport, marked):
    policy = CookiePolicy("session", secure=secure)
    assert policy.secure_over(transport) is marked
    for max_age in (None, 1, 0):
        assert ("; Secure" in line(policy, "t", transport, max_age=max_age)) is marked


def test_development_is_for_plain_http_on_this_machine():
    policy = CookiePolicy.development()
    assert (policy.name, policy.secure) == ("session", "auto")
    assert line(policy, "t", LOOPBACK) == "session=t; Path=/; HttpOnly; SameSite=Lax"


def test_expiring_names_the_same_path_and_domain():
    policy = CookiePolicy("a", path="/app", domain="example.com")
    assert line(policy, "", HTTPS, max_age=0) == (
        "a=; Path=/app; Domain=example.com; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; HttpOnly;"
        " SameSite=Lax"
    )


def test_a_deletion_needs_no_time_and_everything_else_does():
    policy = CookiePolicy()
    assert policy.attributes(HTTPS, 0).max_age == 0
    with pytest.raises(TypeError, match="pass now="):
        policy.attributes(HTTPS, 1)


@given(st.integers(0, 10**11), st.sampled_from([None, 0, 9, 60, 10**9, 10**10 - 1]))
def test_a_line_is_as_much_longer_than_its_value_whatever_the_time(now, max_age):
    policy = CookiePolicy("a", path="/app", domain="example.com")
    cookie = SetCookie("a", "", policy.attributes(HTTPS, max_age, now=now))
    assert policy.overhead_bytes("a", max_age=max_age) == len(cookie.line) == cookie.size_bytes


def test_a_cookie_without_max_age_lives_until_the_window_closes():
    assert "Max-Age" not in line(CookiePolicy(), "t", HTTPS)


@pytest.mark.parametrize("field", ["secure", "httponly", "partitioned", "persistent"])
@pytest.mark.parametrize("value", [1, 0, None, "False", []])
def test_a_flag_that_is_not_exactly_true_or_false_is_refused(field, value):
    with pytest.raises(ConfigurationError, match=f"^{field} .* is not allowed; choose True"):
        CookiePolicy("a", **{field: value})
