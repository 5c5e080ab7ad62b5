"""Vary and Cache-Control: merged, never doubled, and never shared with a Set-Cookie."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cookiesess import CookieAttributes, SetCookie
from cookiesess.events import SharedCachingPrevented
from cookiesess.http.headers import Commit, with_cookies, with_ours, with_vary

COOKIES = (SetCookie("a", "1", CookieAttributes()), SetCookie("b", "2", CookieAttributes()))
LINES = [("Set-Cookie", cookie.line) for cookie in COOKIES]
TYPE = ("Content-Type", "text/plain")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], [("Vary", "Cookie")]),
        ([TYPE], [TYPE, ("Vary", "Cookie")]),
        ([("Vary", "Accept")], [("Vary", "Accept, Cookie")]),
        ([("vary", "Accept"), TYPE], [("vary", "Accept, Cookie"), TYPE]),
        ([("Vary", "")], [("Vary", "Cookie")]),
        ([("Vary", "Cookie")], [("Vary", "Cookie")]),
        ([("VARY", "accept ,cOOkie")], [("VARY", "accept ,cOOkie")]),
        ([("Vary", "*")], [("Vary", "*")]),
        ([("Vary", "Accept, *")], [("Vary", "Accept, *")]),
        ([("Vary", "Accept"), ("Vary", "Cookie")], [("Vary", "Accept"), ("Vary", "Cookie")]),
        ([("Vary", "Accept"), ("Vary", "*")], [("Vary", "Accept"), ("Vary", "*")]),
        ([("Vary", "X-Cookie")], [("Vary", "X-Cookie, Cookie")]),
        ([("Cookie", "x")], [("Cookie", "x"), ("Vary", "Cookie")]),
    ],
)
def test_vary_names_cookie_once(before, after):
    assert with_vary(before) == after


def names_cookie(headers):
    fields = [field.strip().lower() for name, value in headers if name.lower() == "vary" for field in value.split(",")]
    return fields.count("cookie") + ("*" in fields)


@given(st.lists(st.tuples(st.sampled_from(["Vary", "vary", "X-Other"]), st.sampled_from(["", "Accept", "a, b"]))))
def test_vary_is_added_once_to_any_headers_without_it(headers):
    once = with_vary(headers)
    assert names_cookie(once) == 1
    assert with_vary(once) == once


def test_the_set_cookie_lines_come_last_and_in_order():
    headers, _ = with_cookies([TYPE, ("Set-Cookie", "app=1")], COOKIES)
    assert headers == [TYPE, ("Set-Cookie", "app=1"), ("Cache-Control", "private"), *LINES]


def controls(*headers):
    """Return the Cache-Control directives that come out, and whether the app had meant to share."""
    result, shared = with_cookies(list(headers), COOKIES)
    assert result[-2:] == LINES
    found = [value for name, value in result if name.lower() == "cache-control"]
    return found, shared


@pytest.mark.parametrize(
    ("before", "after", "shared"),
    [
        ("no-store", "no-store", False),
        ("private", "private", False),
        ("Private, Max-Age=60", "Private, Max-Age=60", False),
        ("NO-STORE", "NO-STORE", False),
        ("max-age=60", "max-age=60, private", False),
        ("no-cache", "no-cache, private", False),
        ("", "private", False),
        ("public", "private", True),
        ("PUBLIC, max-age=60", "max-age=60, private", True),
        ("s-maxage=600, max-age=60", "max-age=60, private", True),
        ("S-MaxAge = 600", "private", True),
        ("public, no-store", "no-store", True),
        ("private, s-maxage=60", "private", True),
        ('private="x-user, set-cookie"', 'private="x-user, set-cookie", private', False),
        ('ext="a, public, b", max-age=1', 'ext="a, public, b", max-age=1, private', False),
        (r'ext="a\", public", no-store', r'ext="a\", public", no-store', False),
        (",, max-age=1 ,", "max-age=1, private", False),
    ],
)
def test_a_set_cookie_is_kept_out_of_shared_caches(before, after, shared):
    assert controls(("Cache-Control", before)) == ([after], shared)


def test_several_cache_control_headers_count_as_one():
    assert controls(("Cache-Control", "public"), TYPE, ("cache-control", "max-age=1")) == (["max-age=1, private"], True)


def test_no_store_in_a_second_header_is_enough():
    headers = [("Cache-Control", "max-age=1"), ("Cache-Control", "no-store")]
    assert controls(*headers) == (["max-age=1", "no-store"], False)


@pytest.mark.parametrize(
    "name",
    [
        "CDN-Cache-Control",
        "cdn-cache-control",
        "Cloudflare-CDN-Cache-Control",
        "vercel-cdn-cache-control",
        "Surrogate-Control",
        "Edge-Control",
        "X-Accel-Expires",
        "x-accel-expires",
    ],
)
def test_what_speaks_to_cdns_alone_is_dropped(name):
    headers, shared = with_cookies([(name, "max-age=600"), ("Cache-Control", "no-store"), TYPE], COOKIES)
    assert headers == [("Cache-Control", "no-store"), TYPE, *LINES]
    assert shared


def ours(headers, cookies=COOKIES, **needs):
    """Return what a response with these headers becomes, and whether the app had meant to share it."""
    emitted = []
    result = with_ours(headers, Commit(cookies, **{"vary": True, **needs}), emit=emitted.append)
    assert emitted in ([], [SharedCachingPrevented()])
    return result, bool(emitted)


@pytest.mark.parametrize("name", ["Cloudflare-CDN-Cache-Control", "Edge-Control", "X-Accel-Expires"])
def test_what_speaks_to_cdns_alone_is_dropped_where_nothing_else_has_to_be_merged(name):
    headers, shared = ours([TYPE, (name, "600")])
    assert headers == [TYPE, ("Vary", "Cookie"), ("Cache-Control", "private"), *LINES]
    assert shared


def test_what_speaks_to_cdns_alone_stays_where_no_cookie_is_set():
    headers = [("Cloudflare-CDN-Cache-Control", "max-age=600"), ("Edge-Control", "x"), ("X-Accel-Expires", "600")]
    assert ours(headers, ()) == ([*headers, ("Vary", "Cookie")], False)


def test_what_speaks_to_cdns_alone_is_dropped_without_a_cache_control_too():
    headers, shared = with_cookies([("Surrogate-Control", "max-age=600")], COOKIES)
    assert headers == [("Cache-Control", "private"), *LINES]
    assert shared


@pytest.mark.parametrize(
    "headers", [[], [("Vary", "Accept"), TYPE], [("Cache-Control", "public"), ("Surrogate-Control", "x")]]
)
def test_the_apps_own_list_is_never_changed(headers):
    before = list(headers)
    with_vary(headers)
    with_cookies(headers, COOKIES)
    for cookies, vary, no_store, personal in itertools.product([COOKIES, ()], *[[True, False]] * 3):
        ours(headers, cookies, vary=vary, no_store=no_store, personal=personal, clears='"cache"')[0].append(TYPE)
        ours(headers, cookies, vary=vary, no_store=no_store, personal=personal)[0].append(TYPE)
    assert headers == before


PRIVATE = ("Cache-Control", "private")
VARY = ("Vary", "Cookie")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([TYPE], [TYPE, VARY, PRIVATE]),
        ([("Vary", "Accept"), TYPE], [("Vary", "Accept, Cookie"), TYPE, PRIVATE]),
        ([("ETag", '"1"')], [("ETag", '"1"'), VARY, PRIVATE]),
        ([("X-Cache-Control", "public")], [("X-Cache-Control", "public"), VARY, PRIVATE]),
    ],
)
def test_what_was_made_from_somebodys_session_is_private_where_the_app_says_nothing_of_caching(before, after):
    assert ours(before, (), personal=True) == (after, False)


@pytest.mark.parametrize(
    "said",
    [
        ("Cache-Control", "public, max-age=60"),
        ("cache-control", "no-store"),
        ("Cache-Control", ""),
        ("Expires", "Thu, 01 Jan 2099 00:00:00 GMT"),
        ("CDN-Cache-Control", "max-age=60"),
        ("Vercel-CDN-Cache-Control", "max-age=60"),
        ("Surrogate-Control", "max-age=60"),
        ("X-Accel-Expires", "60"),
    ],
)
def test_what_the_app_says_of_caching_stands(said):
    assert ours([TYPE, said], (), personal=True) == ([TYPE, said, VARY], False)


def test_what_sets_a_cookie_is_private_once():
    assert ours([TYPE], personal=True) == ([TYPE, VARY, PRIVATE, *LINES], False)
    assert ours([TYPE], (), personal=True, no_store=True)[0].count(("Cache-Control", "private, no-store")) == 1


@pytest.mark.parametrize("headers", [[], [TYPE], [("Clear-Site-Data", '"storage"')], [("Cache-Control", "no-store")]])
def test_what_a_browser_is_to_clear_is_a_header_beside_the_apps_own(headers):
    result, _ = ours(headers, clears='"cache"')
    assert result[-1] == ("Clear-Site-Data", '"cache"')
    assert [header for header in headers if header not in result] == []
    assert ours(headers)[0] == [header for header in result if header != ("Clear-Site-Data", '"cache"')]


ANY_HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "Vary",
                "vary",
                "Cache-Control",
                "Surrogate-Control",
                "Akamai-CDN-Cache-Control",
                "X-Accel-Expires",
                "X-Other",
            ]
        ),
        st.sampled_from(["", "public", "private", "no-store", "Accept", "Cookie", "*"]),
    ),
    max_size=4,
)


@given(ANY_HEADERS, st.sampled_from([(), COOKIES]), st.booleans())
def test_both_at_once_are_what_one_after_the_other_is(headers, cookies, vary):
    expected, shared = (with_vary(headers) if vary else headers), False
    if cookies:
        expected, shared = with_cookies(expected, cookies)
    assert ours(headers, cookies, vary=vary) == (expected, shared)


@given(ANY_HEADERS, st.booleans())
def test_an_answer_that_no_cache_may_keep_says_so_once_and_alone(headers, vary):
    result, _ = ours(headers, (), vary=vary, no_store=True)
    assert [value for name, value in result if name.lower() == "cache-control"] == ["private, no-store"]
    assert not any(name in {"Surrogate-Control", "Akamai-CDN-Cache-Control", "X-Accel-Expires"} for name, _ in result)


DIRECTIVES = st.sampled_from(["public", "s-maxage=1", "private", "no-store", "max-age=1", 'x="public, private"', ""])
CACHE_NAMES = st.sampled_from(["Cache-Control", "cache-control", "Surrogate-Control", "X-Other"])


@given(st.lists(st.tuples(CACHE_NAMES, st.lists(DIRECTIVES, max_size=3).map(", ".join)), max_size=4))
def test_no_combination_of_headers_leaves_a_response_shareable(headers):
    result, _ = with_cookies(headers, COOKIES)
    values = [value.replace('x="public, private"', "") for name, value in result if name.lower() == "cache-control"]
    directives = {part.strip() for value in values for part in value.split(",")}
    assert directives & {"private", "no-store"}
    assert not directives & {"public", "s-maxage=1"}
    assert not any(name == "Surrogate-Control" for name, _ in result)
    assert with_cookies(result, ())[0] == result
