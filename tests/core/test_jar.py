"""The jar: the request's cookies in, Set-Cookie lines out."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cookiesess import (
    CookiePolicy,
    CookieTooLarge,
    NotSerializable,
    ResponseStarted,
    SessionError,
    SessionManager,
    Transport,
)
from cookiesess.http.grammar import parse
from cookiesess.testing import ManualClock
from cookiesess.tokens.encoding import decode
from kit.arrival import Came
from kit.strategies import TEXTS

KEY, OTHER = "k" * 32, "o" * 32
PAST = "Expires=Thu, 01 Jan 1970 00:00:00 GMT"
PROTECTED = pytest.mark.parametrize("view", ["signed", "sealed"])


def manager(keys=KEY, **settings):
    return SessionManager(keys, **{"clock": ManualClock(), **settings})


def open_session():
    return manager().open("")


def jar(header="", **settings):
    return manager(**settings).jar(header)


def lines(cookies):
    return [cookie.line for cookie in cookies.commit()]


def sent_back(cookies):
    """Return the Cookie header a browser sends after a response with these cookies."""
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in cookies.commit())


# Reading


def test_the_jar_is_a_mapping_of_the_requests_cookies():
    cookies = jar("a=1; b=2")
    assert dict(cookies) == {"a": "1", "b": "2"}
    assert (len(cookies), "a" in cookies, "c" in cookies, cookies.get("c")) == (2, True, False, None)


def test_a_cookie_that_is_not_there_is_a_key_error():
    with pytest.raises(KeyError, match="c"):
        jar("a=1")["c"]


@given(st.text(st.characters(max_codepoint=255)) | st.text())
def test_any_header_is_read_without_an_error(header):
    cookies = jar(header)
    assert dict(cookies) == parse(header)
    for name in cookies:
        assert cookies.signed.get(name) is None
        assert cookies.sealed.get(name) is None


def test_reading_shows_what_the_browser_sent_and_not_what_is_set():
    cookies = jar("a=1")
    cookies.set("a", "2")
    cookies.set("b", "3")
    assert dict(cookies) == {"a": "1"}


def test_a_jar_that_nobody_used_is_untouched():
    assert jar("a=1").untouched


@pytest.mark.parametrize("look", [len, list, lambda cookies: cookies.get("x"), lambda cookies: "x" in cookies])
def test_looking_at_any_cookie_touches_the_jar(look):
    cookies = jar("a=1")
    look(cookies)
    assert cookies.touched
    assert not cookies.untouched


@PROTECTED
def test_looking_at_a_protected_cookie_touches_the_jar(view):
    cookies = jar("a=1")
    getattr(cookies, view).get("a")
    assert cookies.touched


def test_setting_a_cookie_is_no_look_at_the_requests():
    cookies = jar("a=1")
    cookies.set("b", "2")
    assert not cookies.touched
    assert not cookies.untouched


def test_a_repr_shows_no_values():
    cookies = jar("b=hidden; a=hidden")
    assert repr(cookies) == "<Cookies, not touched yet>"
    len(cookies)
    assert repr(cookies) == "<Cookies ['a', 'b']>"


# Writing


def test_a_plain_cookie_has_plain_defaults():
    cookies = jar()
    cookies.set("user_id", "1")
    assert lines(cookies) == ["user_id=1; Path=/; Secure; SameSite=Lax"]


def test_every_attribute_reaches_the_line():
    cookies = jar()
    cookies.set(
        "user_id",
        "settings cookie",
        max_age=timedelta(hours=1),
        expires=datetime(2030, 1, 1, tzinfo=UTC),
        domain="cms.example.com",
        path="/app",
        httponly=True,
        samesite="None",
        partitioned=True,
    )
    (line,) = lines(cookies)
    assert line == (
        'user_id="settings\\040cookie"; Path=/app; Domain=cms.example.com; Max-Age=3600;'
        " Expires=Tue, 01 Jan 2030 00:00:00 GMT; Secure; HttpOnly; SameSite=None; Partitioned"
    )


SETTERS = {
    "plain": lambda jar: jar,
    "signed": lambda jar: jar.signed,
    "sealed": lambda jar: jar.sealed,
}


@pytest.mark.parametrize("view", SETTERS.values(), ids=SETTERS)
@pytest.mark.parametrize("max_age", [90, timedelta(seconds=90)])
def test_a_max_age_comes_with_the_expires_that_says_the_same(view, max_age):
    cookies = jar(clock=ManualClock(1_700_000_000))
    view(cookies).set("a", "1", max_age=max_age)
    assert "; Max-Age=90; Expires=Tue, 14 Nov 2023 22:14:50 GMT;" in lines(cookies)[0]


@pytest.mark.parametrize("max_age", [0, -1, timedelta(days=-1)])
def test_a_max_age_of_nothing_comes_with_an_expires_in_the_past(max_age):
    cookies = jar()
    cookies.set("a", "", max_age=max_age)
    assert f"; {PAST};" in lines(cookies)[0]


def test_an_expires_of_ones_own_is_kept_beside_a_max_age():
    cookies = jar()
    cookies.set("a", "1", max_age=60, expires=datetime(2030, 1, 1, tzinfo=UTC))
    assert "; Max-Age=60; Expires=Tue, 01 Jan 2030 00:00:00 GMT;" in lines(cookies)[0]


def test_a_max_age_beyond_what_a_date_can_say_ends_with_the_year_9999():
    cookies = jar()
    cookies.set("a", "1", max_age=timedelta.max)
    assert "; Expires=Fri, 31 Dec 9999 23:59:59 GMT;" in lines(cookies)[0]


def test_a_cookie_of_the_window_has_neither():
    cookies = jar()
    cookies.set("a", "1", max_age=None, expires=None)
    assert lines(cookies) == ["a=1; Path=/; Secure; SameSite=Lax"]


NOT_AWARE = {
    "naive": datetime(2030, 1, 1),
    "naive and last of all": datetime.max,
    "naive and first of all": datetime.min,
    "after the year 9999 in UTC": datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
    "before the year 1 in UTC": datetime.min.replace(tzinfo=timezone(timedelta(hours=1))),
    "text": "tomorrow",
    "a number": 1_900_000_000,
}


@pytest.mark.parametrize("view", SETTERS.values(), ids=SETTERS)
@pytest.mark.parametrize("expires", NOT_AWARE.values(), ids=NOT_AWARE)
def test_an_expires_that_is_no_moment_that_a_date_can_say_is_a_value_error(view, expires):
    cookies = jar()
    with pytest.raises(ValueError, match=r"^expires "):
        view(cookies).set("a", "1", expires=expires)
    assert cookies.commit() == ()


@pytest.mark.parametrize(
    ("transport", "secure"), [(Transport.HTTPS, True), (Transport.PLAIN, True), (Transport.LOOPBACK, False)]
)
def test_secure_is_as_the_sessions_policy_has_it(transport, secure):
    cookies = manager(cookie=CookiePolicy.development()).jar("", arrival=Came(transport=transport))
    cookies.set("a", "1")
    assert lines(cookies) == [f"a=1; Path=/{'; Secure' if secure else ''}; SameSite=Lax"]


@pytest.mark.parametrize("secure", [True, False])
def test_secure_can_be_said(secure):
    cookies = jar()
    cookies.set("a", "1", secure=secure)
    assert ("; Secure" in lines(cookies)[0]) is secure


def test_the_last_one_set_under_one_name_domain_and_path_counts():
    cookies = jar()
    cookies.set("a", "1")
    cookies.set("a", "2", path="/x")
    cookies.set("a", "3", domain="example.com")
    cookies.set("a", "4")
    assert [(cookie.value, cookie.attributes.path, cookie.attributes.domain) for cookie in cookies.commit()] == [
        ("4", "/", None),
        ("2", "/x", None),
        ("3", "/", "example.com"),
    ]


def test_deleting_expires_the_cookie_where_it_was_set():
    cookies = jar("a=1")
    cookies.delete("a", path="/x", domain="example.com")
    assert lines(cookies) == [f"a=; Path=/x; Domain=example.com; Max-Age=0; {PAST}; Secure; SameSite=Lax"]


def test_deleting_takes_back_what_was_set():
    cookies = jar()
    cookies.set("a", "1")
    cookies.delete("a")
    assert lines(cookies) == [f"a=; Path=/; Max-Age=0; {PAST}; Secure; SameSite=Lax"]


def test_a_path_is_one_however_it_is_written():
    cookies = jar()
    cookies.set("a", "1", path="/my café")
    cookies.delete("a", path="/my%20caf%C3%A9")
    assert lines(cookies) == [f"a=; Path=/my%20caf%C3%A9; Max-Age=0; {PAST}; Secure; SameSite=Lax"]


def test_a_cookie_moves_into_its_partition():
    cookies = jar("a=1")
    cookies.delete("a")
    cookies.set("a", "1", samesite="None", partitioned=True)
    assert [(cookie.value, cookie.attributes.partitioned) for cookie in cookies.commit()] == [("", False), ("1", True)]


@pytest.mark.parametrize(
    ("how", "samesite"),
    [
        ({}, "Lax"),
        ({"samesite": "None"}, "None"),
        ({"samesite": "Strict"}, "Strict"),
        ({"partitioned": True}, "None"),
        ({"partitioned": True, "samesite": "None"}, "None"),
    ],
)
@pytest.mark.parametrize("transport", Transport)
def test_a_deletion_is_such_that_a_browser_takes_it_where_the_cookie_was_set(transport, how, samesite):
    cookies = manager(cookie=CookiePolicy.development()).jar("", arrival=Came(transport=transport))
    cookies.delete("a", **how)
    (attributes,) = [cookie.attributes for cookie in cookies.commit()]
    assert (attributes.samesite, attributes.partitioned) == (samesite, how.get("partitioned", False))
    assert attributes.secure is (samesite == "None" or transport is not Transport.LOOPBACK)


def test_a_deletion_cannot_be_partitioned_without_samesite_none():
    with pytest.raises(ValueError, match="set samesite='None'"):
        jar().delete("a", partitioned=True, samesite="Lax")


@pytest.mark.parametrize("name", ["__utma", "__hostess", "__secure"])
def test_a_name_that_only_looks_like_a_prefix_is_deleted_over_plain_http_as_it_was_set(name):
    """A browser passes over a Secure line over plain HTTP, and the cookie would stay."""
    cookies = manager(cookie=CookiePolicy("session", secure=False)).jar("", arrival=Came(transport=Transport.PLAIN))
    cookies.delete(name)
    assert lines(cookies) == [f"{name}=; Path=/; Max-Age=0; {PAST}; SameSite=Lax"]


@pytest.mark.parametrize("name", ["__Host-a", "__host-a", "__Secure-a", "__Http-a", "__Host-Http-a"])
def test_a_deletion_keeps_the_rules_of_the_names_prefix(name):
    cookies = manager(cookie=CookiePolicy.development()).jar("", arrival=Came(transport=Transport.LOOPBACK))
    cookies.delete(name)
    assert lines(cookies) == [f"{name}=; Path=/; Max-Age=0; {PAST}; Secure; HttpOnly; SameSite=Lax"]


@given(TEXTS.filter(lambda text: not {"\r", "\n", "\0"} & set(text)))
def test_any_text_comes_back_with_the_next_request(value):
    cookies = jar()
    cookies.set("a", value)
    assert jar(sent_back(cookies))["a"] == value


BREAKERS = ["\r", "\n", "\0"]


@pytest.mark.parametrize("character", BREAKERS)
@pytest.mark.parametrize("field", ["key", "value", "path", "domain", "samesite", "max_age"])
def test_what_would_break_the_header_is_refused_in_every_field(character, field):
    cookies = jar()
    bad = f"/{character}x" if field == "path" else f"a{character}x"
    with pytest.raises(ValueError, match=r"not allowed|CR, LF or NUL"):
        cookies.set(**{"key": "a", "value": "1", field: bad})
    assert cookies.commit() == ()


@pytest.mark.parametrize("character", [*BREAKERS, ";"])
@pytest.mark.parametrize("field", ["key", "path", "domain"])
def test_what_would_break_the_header_is_refused_where_a_cookie_is_deleted(character, field):
    cookies = jar()
    bad = f"/{character}x" if field == "path" else f"a{character}x"
    with pytest.raises(ValueError, match="not allowed"):
        cookies.delete(**{"key": "a", field: bad})
    assert cookies.commit() == ()


@pytest.mark.parametrize("field", ["key", "path", "domain"])
def test_a_semicolon_is_refused_where_it_would_begin_another_attribute(field):
    with pytest.raises(ValueError, match="not allowed"):
        jar().set(**{"key": "a", "value": "1", field: "/; Domain=evil.example"})


def test_a_semicolon_in_a_value_is_written_escaped():
    cookies = jar()
    cookies.set("a", "1; Domain=evil.example")
    assert lines(cookies) == ['a="1\\073\\040Domain=evil.example"; Path=/; Secure; SameSite=Lax']


@PROTECTED
@pytest.mark.parametrize("character", [*BREAKERS, ";"])
def test_the_protected_views_refuse_such_names_too(view, character):
    with pytest.raises(ValueError, match=r"cookie name .* is not allowed"):
        getattr(jar(), view).set(f"a{character}b", "1")


@pytest.mark.parametrize("value", [None, 5, b"1", ["1"]])
@pytest.mark.parametrize("view", [None, "signed", "sealed"])
def test_a_value_that_is_no_text_is_refused_with_its_type(view, value):
    cookies = jar()
    with pytest.raises(ValueError, match=f"value of cookie 'a' is {type(value).__name__}; cookies hold text"):
        (getattr(cookies, view) if view else cookies).set("a", value)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"samesite": "lax"}, "samesite 'lax' is not allowed"),
        ({"samesite": "None", "secure": False}, "without Secure"),
        ({"partitioned": True, "secure": False}, "without Secure"),
        ({"partitioned": True}, "set samesite='None'"),
        ({"path": "/" + "x" * 2000}, "browsers ignore"),
        ({"expires": datetime(2030, 1, 1)}, "expires is naive"),
        ({"max_age": 1.5}, "max_age 1.5 is not allowed"),
        ({"max_age": "60"}, "max_age '60' is not allowed"),
    ],
)
def test_attributes_that_browsers_would_refuse_are_refused(attributes, message):
    with pytest.raises(ValueError, match=message):
        jar().set("a", "1", **attributes)


@pytest.mark.parametrize("name", ["__Http-theme", "__Host-Http-theme"])
def test_a_name_that_says_that_no_script_set_it_needs_httponly_or_a_protected_view(name):
    cookies = jar()
    with pytest.raises(ValueError, match="set httponly=True"):
        cookies.set(name, "dark")
    cookies.set(name, "dark", httponly=True)
    cookies.sealed.set(name, "dark")
    assert "; Secure; HttpOnly;" in lines(cookies)[0]


def test_a_prefixed_name_keeps_its_rules():
    with pytest.raises(ValueError, match="without __Host-"):
        jar().set("__Host-a", "1", path="/x")


def test_an_attribute_that_does_not_exist_is_a_type_error():
    with pytest.raises(TypeError, match="http_only"):
        jar().set("a", "1", http_only=True)


@pytest.mark.parametrize("write", [lambda jar: jar.set("id", "1"), lambda jar: jar.delete("id")])
@pytest.mark.parametrize("reserve", [False, True])
def test_a_sessions_own_name_is_refused(write, reserve):
    cookies = jar(cookie=CookiePolicy("other" if reserve else "id"))
    if reserve:
        cookies.reserve(open_session(), "id")
    with pytest.raises(ValueError, match="'id' is the session's cookie"):
        write(cookies)


@PROTECTED
def test_a_sessions_own_name_is_refused_by_the_protected_views(view):
    with pytest.raises(ValueError, match="'__Host-session' is the session's cookie"):
        getattr(jar(), view).set("__Host-session", "1")


@pytest.mark.parametrize("names", [["__Host-session"], ["b", "b"]])
def test_two_middlewares_cannot_use_one_name(names):
    cookies = jar()
    *before, name = names
    for other in before:
        cookies.reserve(open_session(), other)
    with pytest.raises(SessionError, match=f"two middlewares .* {name!r}.*another name"):
        cookies.reserve(open_session(), name)


def test_a_cookie_that_browsers_would_drop_is_refused_at_the_line_that_sets_it():
    cookies = jar()
    with pytest.raises(CookieTooLarge) as caught:
        cookies.set("a", "x" * 5000)
    assert (caught.value.name, caught.value.limit_bytes, caught.value.largest_keys) == ("a", 4093, ())
    assert cookies.commit() == ()


@PROTECTED
def test_a_protected_cookie_that_browsers_would_drop_is_refused(view):
    with pytest.raises(CookieTooLarge):
        getattr(jar(), view).set("a", "x" * 4000)


@pytest.mark.parametrize(
    "write",
    [
        lambda jar: jar.set("a", "1"),
        lambda jar: jar.delete("a"),
        lambda jar: jar.signed.set("a", "1"),
        lambda jar: jar.sealed.set("a", "1"),
    ],
)
def test_after_the_headers_a_cookie_is_refused(write):
    cookies = jar()
    assert not cookies.closed
    cookies.commit()
    assert cookies.closed
    with pytest.raises(ResponseStarted, match="cookie 'a' was set after the headers had gone out"):
        write(cookies)


# Signed and sealed


@PROTECTED
@given(TEXTS)
def test_a_protected_value_comes_back_with_the_next_request(view, value):
    cookies = jar()
    getattr(cookies, view).set("a", value)
    assert getattr(jar(sent_back(cookies)), view).get("a") == value


@PROTECTED
def test_a_protected_cookie_is_hidden_from_scripts(view):
    cookies = jar()
    getattr(cookies, view).set("a", "1")
    (cookie,) = cookies.commit()
    assert cookie.attributes.suffix == "; Path=/; Secure; HttpOnly; SameSite=Lax"


@PROTECTED
def test_a_protected_cookie_can_be_shown_to_scripts(view):
    cookies = jar()
    getattr(cookies, view).set("a", "1", httponly=False)
    assert "HttpOnly" not in lines(cookies)[0]


def test_a_signed_value_can_be_read_and_a_sealed_one_cannot():
    cookies = jar()
    cookies.signed.set("a", "some words")
    cookies.sealed.set("b", "some words")
    signed, sealed = (cookie.value for cookie in cookies.commit())
    assert b"some words" in decode(signed.partition(".")[0])
    assert b"some words" not in decode(sealed)


@PROTECTED
@pytest.mark.parametrize("header", ["", "a=1", "a=", "a=AAAA.AAAA", "b=x"])
def test_what_the_app_did_not_write_is_not_there(view, header):
    values = getattr(jar(header), view)
    assert values.get("a") is None
    assert values.get("a", "default") == "default"


def written(view, **attributes):
    cookies = jar()
    getattr(cookies, view).set("a", "1", **attributes)
    return cookies.commit()[0].value


@PROTECTED
def test_a_protected_value_counts_under_its_own_name_only(view):
    header = f"b={written(view)}"
    assert getattr(jar(header), view).get("b") is None


@pytest.mark.parametrize(("one", "other"), [("signed", "sealed"), ("sealed", "signed")])
def test_a_value_of_one_view_is_nothing_in_the_other(one, other):
    assert getattr(jar(f"a={written(one)}"), other).get("a") is None


@PROTECTED
def test_a_session_token_is_no_cookie_value(view):
    house = manager(cookie=CookiePolicy("a"), encrypt=view == "sealed")
    session = house.open("")
    session["x"] = 1
    (cookie,) = house.commit(session).cookies
    assert getattr(jar(f"a={cookie.value}"), view).get("a") is None


@PROTECTED
def test_another_key_opens_nothing(view):
    assert getattr(jar(f"a={written(view)}", keys=OTHER), view).get("a") is None


@PROTECTED
def test_an_accepted_key_still_opens(view):
    assert getattr(jar(f"a={written(view)}", keys=f"{OTHER},{KEY}"), view).get("a") == "1"


@PROTECTED
def test_a_changed_value_is_nothing(view):
    token = written(view)
    for index in range(0, len(token), 7):
        changed = "A" if token[index] != "A" else "B"
        assert getattr(jar(f"a={token[:index]}{changed}{token[index + 1 :]}"), view).get("a") is None


@PROTECTED
def test_of_several_the_first_that_opens_counts(view):
    assert getattr(jar(f"a=planted; a=AAAA.AAAA; a={written(view)}"), view).get("a") == "1"


@PROTECTED
@pytest.mark.parametrize(
    "attributes",
    [
        {"max_age": 60},
        {"max_age": timedelta(minutes=1)},
        {"expires": datetime.fromtimestamp(1_700_000_060, UTC)},
        {"max_age": 60, "expires": datetime(2099, 1, 1, tzinfo=UTC)},
    ],
)
def test_the_server_enforces_the_deadline_whatever_the_browser_keeps(view, attributes):
    clock = ManualClock(1_700_000_000)
    house = manager(clock=clock)
    cookies = house.jar("")
    getattr(cookies, view).set("a", "1", **attributes)
    values = getattr(house.jar(sent_back(cookies)), view)
    clock.advance(59)
    assert values.get("a") == "1"
    clock.advance(1)
    assert values.get("a") is None


@PROTECTED
def test_without_a_deadline_a_value_lasts(view):
    clock = ManualClock()
    header = f"a={written(view)}"
    clock.advance(timedelta(days=10_000))
    assert getattr(jar(header, clock=clock), view).get("a") == "1"


@PROTECTED
def test_an_old_value_that_ran_out_does_not_hide_a_newer_one(view):
    clock = ManualClock()
    header = f"a={written(view, max_age=1)}; a={written(view)}"
    clock.advance(1)
    assert getattr(jar(header, clock=clock), view).get("a") == "1"


@PROTECTED
def test_half_a_surrogate_pair_is_refused(view):
    with pytest.raises(NotSerializable, match="surrogate"):
        getattr(jar(), view).set("a", "\ud800")


@PROTECTED
def test_a_protected_cookie_is_deleted_like_any_other(view):
    cookies = jar(f"a={written(view)}")
    cookies.delete("a")
    assert lines(cookies) == [f"a=; Path=/; Max-Age=0; {PAST}; Secure; SameSite=Lax"]
