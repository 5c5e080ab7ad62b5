"""The grammar of cookies: what is read out of any header, and what is written into one."""

import sys
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from email.utils import format_datetime
from http import cookiejar
from urllib.request import Request as UrllibRequest

import flask
import pytest
from django.conf import settings as django_settings
from django.core.handlers.wsgi import WSGIRequest
from hypothesis import given, settings
from hypothesis import strategies as st
from webob import Request

from cookiesess import CookieAttributes, CookieTooLarge, SetCookie
from cookiesess.http.cookies import EXPIRES_BYTES, MAX_LINE_BYTES, check_name, http_date, moment_after, seconds
from cookiesess.http.grammar import parse, quote, unquote, values_of
from cookiesess.http.headers import check_size
from kit.selection import examples

if not django_settings.configured:
    django_settings.configure()

LATIN1 = st.text(st.characters(max_codepoint=255))
HEADERS = LATIN1 | st.text('ab=;," \\\t\0é01237', max_size=40) | st.text()
# What a cookie may hold: any text but these three characters and halves of surrogate pairs.
VALUES = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]))
NAMES = st.text("abcXYZ019!#$%&'*+-.^_`|~", min_size=1, max_size=8)


def environ(header):
    return {**Request.blank("/").environ, "HTTP_COOKIE": header}


READERS = {
    "cookiesess": parse,
    "Flask": lambda header: dict(flask.Request(environ(header)).cookies),
    "webob": lambda header: dict(Request(environ(header)).cookies),
    "Django": lambda header: dict(WSGIRequest(environ(header)).COOKIES),
}


def as_read(reader, value):
    """What a reader makes of `value`: the same text, but that the standard library, on which Django relies, takes each
    escaped byte for a Latin-1 letter."""
    return value.encode().decode("latin-1") if reader == "Django" else value


# Reading


def test_pairs_are_parted_by_semicolons():
    assert parse("a=1; b=2;c=3") == {"a": "1", "b": "2", "c": "3"}


def test_blanks_around_names_and_values_do_not_count():
    assert parse(" \t a=1\t;  b = 2 3 ") == {"a": "1", "b": "2 3"}


def test_an_empty_header_holds_no_cookies():
    assert parse("") == {}


def test_a_value_may_hold_equals_signs():
    assert parse("a=b=c==") == {"a": "b=c=="}


def test_an_empty_value_is_a_value():
    assert parse("a=; b=1") == {"a": "", "b": "1"}


def test_of_two_cookies_with_one_name_the_first_counts():
    assert parse("a=first; b=1; a=second") == {"a": "first", "b": "1"}


def test_names_tell_upper_from_lower_case():
    assert parse("a=1; A=2") == {"a": "1", "A": "2"}


@pytest.mark.parametrize(
    "junk",
    [
        "foo",
        "",
        ";;;",
        "=",
        "=nameless",
        "x[1]=1",
        '{"json": [1, 2], "a": "b"}',
        'json={"a": 1, "b": "x, y"}',
        "caf\u00c3\u00a9=cr\u00c3\u00a8me",
        "\u00ff\u00fe=\u0080\u0081",
        'q="unfinished',
        'q="',
        'q="\\"',
        "expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "$Version=1",
        "a b=c d",
        "\x00=\x01",
        "q=\\073",
    ],
)
@pytest.mark.parametrize("order", ["{junk}; session=me; b=2", "session=me; {junk}; b=2", "session=me; b=2; {junk}"])
def test_junk_beside_them_never_hides_the_others(junk, order):
    header = order.replace("{junk}", junk)
    found = parse(header)
    assert (found["session"], found["b"]) == ("me", "2")
    assert values_of(header, "session", limit=4) == ["me"]


def test_junk_with_a_name_is_read_as_it_is():
    assert parse('x[1]=1; j={"a": "b"}') == {"x[1]": "1", "j": '{"a": "b"}'}


def test_bytes_beyond_ascii_are_utf8():
    wire = "名=萧兮".encode().decode("latin-1")
    assert parse(wire) == {"名": "萧兮"}


def test_bytes_that_are_no_utf8_become_replacement_characters():
    assert parse("a=\xff; b=1") == {"a": "\ufffd", "b": "1"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('"a b"', "a b"),
        ('"a\\054b"', "a,b"),
        (r'"a\"b"', 'a"b'),
        (r'"a\\b"', r"a\b"),
        (r'"\e\88"', "e88"),
        (r'"\400"', "400"),
        (r'"\350\220\247"', "萧"),
        ('"\xe8\x90\xa7"', "萧"),
        (r'"\377"', "\ufffd"),
        ('""', ""),
        ('"', '"'),
        ('"a', '"a'),
        ('a"', 'a"'),
        ("\\054", "\\054"),
        ('"a\\"', "a\\"),
        ('"萧\ud800"', "??"),
    ],
)
def test_quotes_and_their_escapes_are_undone(value, text):
    assert unquote(value) == text


@given(HEADERS)
def test_any_header_is_read_without_an_error(header):
    for name, value in parse(header).items():
        assert name
        (name + value).encode()


@given(HEADERS, st.text('ab="', min_size=1, max_size=2), st.integers(0, 3))
def test_looking_for_one_cookie_in_any_header_is_without_an_error_and_within_its_limit(header, name, limit):
    assert len(values_of(header, name, limit=limit)) <= limit


TOKENS = st.text(st.characters(max_codepoint=255, exclude_characters=';,"'))


@given(st.lists(st.tuples(NAMES, TOKENS), max_size=6), st.integers(0, 4))
def test_looking_for_one_cookie_finds_what_parsing_them_all_finds(pairs, blanks):
    header = f"{' ' * blanks};\t".join(f"{name}={value}" for name, value in pairs)
    for name in {name for name, _ in pairs}:
        expected = [value.strip(" \t") for other, value in pairs if other == name]
        assert values_of(header, name, limit=9) == expected
        assert parse(header)[name] == unquote(expected[0])


@pytest.mark.parametrize(
    "header",
    ["", "other=1", "xsession=1", "x session=1", "a=session=1", "a= session=1", 'a="; session', "session", "SESSION=1"],
)
def test_a_name_counts_only_at_the_beginning_of_a_pair(header):
    assert values_of(header, "session", limit=4) == []


def test_several_cookies_of_one_name_are_found_in_order_and_not_more_than_asked_for():
    header = "s=1; x=0; s=2;s=3 ;\ts=4; s=5"
    assert values_of(header, "s", limit=4) == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    "header", ['s="token"', '$Version="1"; s="token";$Path="/"', 's= "token" ; t=1', 's="token", t=1', 's="tok\\145n"']
)
def test_the_quotes_that_a_client_has_put_around_a_token_are_taken_off(header):
    assert values_of(header, "s", limit=4) == ["token"]


# Two Cookie fields that were joined by a comma

JOINS = pytest.mark.parametrize("comma", [",", ", ", " , ", ",\t"])


@JOINS
@pytest.mark.parametrize("first", ["s=token", "a=1; s=token", 's="token"'])
@pytest.mark.parametrize("second", ["theme=dark", "s=other", "__Host-s=other; b=2"])
def test_a_value_ends_where_a_second_field_was_joined_to_it(comma, first, second):
    header = f"{first}{comma}{second}"
    assert parse(header)["s"] == "token"
    assert values_of(header, "s", limit=4) == ["token"]


@JOINS
@pytest.mark.parametrize("value", ["", "x", '"x"', '"x', "a=b", "{"])
def test_a_comma_never_begins_a_pair(comma, value):
    """Any subdomain can set a cookie with a comma in it, and none a cookie called ``__Host-…``."""
    header = f"a={value}{comma}__Host-s=planted; b=2"
    assert parse(header) == {"a": value.strip('"') if value == '"x"' else value, "b": "2"}
    assert values_of(header, "__Host-s", limit=4) == []


@JOINS
def test_what_follows_the_next_semicolon_is_found_again(comma):
    header = f"a=1{comma}b=2; s=token"
    assert parse(header) == {"a": "1", "s": "token"}
    assert values_of(header, "s", limit=4) == ["token"]


@pytest.mark.parametrize("value", ["1,2,3", '{"a": 1,"b": "x, y"}', "a, b", ",", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_a_comma_that_no_pair_follows_is_part_of_a_plain_value(value):
    assert parse(f"a={value}; b=2") == {"a": value, "b": "2"}


@pytest.mark.parametrize(("quoted", "text"), [('"a, b=c"', "a, b=c"), (r'"\", b=c"', '", b=c'), ('"a,b"', "a,b")])
def test_a_comma_within_quotes_is_part_of_a_plain_value(quoted, text):
    assert parse(f"a={quoted}; b=2") == {"a": text, "b": "2"}
    assert parse(f"a={quoted}, c=3; b=2") == {"a": text, "b": "2"}


@given(st.text('ab,= "', max_size=8).map(lambda text: text + ", b=1"))
def test_a_text_with_commas_that_was_written_here_is_not_cut(value):
    assert parse(f"x={quote(value)}; after=2") == {"x": value, "after": "2"}
    assert parse(f"x={quote(value)}, after=2") == {"x": value}


def test_a_token_ends_at_any_comma():
    assert values_of("s=token,junk", "s", limit=4) == values_of("s=token,", "s", limit=4) == ["token"]


# Reading costs no more than the header is long


class CountingText(str):
    """Text that counts how many of its characters were looked at."""

    __slots__ = ()
    looked_at = 0

    def _count(self, characters):
        CountingText.looked_at += characters

    def find(self, needle, start=0):
        at = str.find(self, needle, start)
        self._count((at + len(needle) if at >= 0 else len(self)) - start)
        return at

    def __getitem__(self, index):
        part = CountingText(str.__getitem__(self, index))
        self._count(len(part))
        return part

    def partition(self, separator):
        self._count(len(self))
        return tuple(map(CountingText, str.partition(self, separator)))


def _counted(name):
    method = getattr(str, name)

    def counted(self, *arguments):
        self._count(len(self))
        result = method(self, *arguments)
        if isinstance(result, list):
            return [CountingText(part) for part in result]
        return CountingText(result) if isinstance(result, str) else result

    return counted


for _name in ("split", "strip", "encode", "isascii"):
    setattr(CountingText, _name, _counted(_name))


def work_of(function, header):
    """Count the characters looked at, and every call into Python or C."""
    CountingText.looked_at = calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event in {"call", "c_call"}

    text = CountingText(header)
    sys.setprofile(count)
    try:
        function(text)
    finally:
        sys.setprofile(None)
    return CountingText.looked_at + calls


FRAGMENTS = st.text('a=;"\\ \t,0é', min_size=1, max_size=6) | st.sampled_from(
    ["a=", " a=", ";a=", "a=;", '"', '\\"', " "]
)


@settings(max_examples=examples(60))
@given(FRAGMENTS, st.text('a=;" ', max_size=4), st.text('a=;" ', max_size=4))
@pytest.mark.parametrize("read", [parse, lambda header: values_of(header, "a", limit=4)], ids=["parse", "values_of"])
def test_the_work_grows_linearly_with_the_header(read, fragment, before, after):
    once, four_times = (work_of(read, before + fragment * count + after) for count in (64, 256))
    assert four_times <= 4 * once + 200


def test_the_count_of_work_sees_work_that_is_not_linear():
    def quadratic(header):
        at = 0
        while (at := header.find("a", at)) >= 0:
            header.find("!", at)
            at += 1

    assert work_of(quadratic, "a" * 256) > 10 * work_of(quadratic, "a" * 64)


# Writing


@given(VALUES)
@pytest.mark.parametrize("reader", READERS)
def test_any_text_is_read_back_the_same(reader, value):
    header = f"before=1; x={quote(value)}; after=2"
    assert READERS[reader](header) == {"before": "1", "x": as_read(reader, value), "after": "2"}


@pytest.mark.parametrize("reader", READERS)
def test_every_ascii_character_is_read_back_the_same_alone_and_between_others(reader):
    wrong = []
    for code in set(range(1, 128)) - {10, 13}:
        for value in (chr(code), f"a{chr(code)}b", f"{chr(code)}a{chr(code)}"):
            if READERS[reader](f"x={quote(value)}; after=2") != {"x": value, "after": "2"}:
                wrong.append(value)  # noqa: PERF401 (reads better)
    assert wrong == []


@pytest.mark.parametrize(
    "value",
    ["settings cookie", "萧兮", '"', '"quoted"', "a,b;c", "\\", "\\054", "\t", " edges ", "é", "\x85", "💡", ""],
)
@pytest.mark.parametrize("reader", READERS)
def test_the_hard_texts_are_read_back_the_same(reader, value):
    assert READERS[reader](f"x={quote(value)}") == {"x": as_read(reader, value)}


@given(VALUES)
def test_what_is_written_is_ascii_without_controls_and_without_what_ends_a_value(value):
    written = quote(value)
    assert written.isascii()
    assert not {*map(chr, range(32)), "\x7f", ";", ",", " "} & set(written)


def test_cookie_octets_are_written_as_they_are():
    assert quote("abc-XYZ_0.9~!/+=") == "abc-XYZ_0.9~!/+="


def test_other_text_is_written_quoted_as_octal_utf8():
    assert quote('a b;"萧') == '"a\\040b\\073\\042\\350\\220\\247"'


def test_bytes_beyond_ascii_that_others_have_written_as_they_are_are_read_as_utf8():
    assert parse('x=\xe8\x90\xa7; y="\xe8\x90\xa7"') == {"x": "萧", "y": "萧"}


def test_a_written_value_stays_within_the_browser_jar_of_the_standard_library():
    response = type("Response", (), {"info": lambda self: HEADERS_OF_A_RESPONSE})()
    jar = cookiejar.CookieJar()
    request = UrllibRequest("http://example.com/")
    jar.extract_cookies(response, request)
    jar.add_cookie_header(request)
    assert parse(request.get_header("Cookie")) == {"x": "a b;c"}


class _Headers:
    def get_all(self, name, default=()):
        line = SetCookie("x", quote("a b;c"), CookieAttributes(secure=False)).line
        return [line] if name == "Set-Cookie" else default


HEADERS_OF_A_RESPONSE = _Headers()


@pytest.mark.parametrize("character", ["\r", "\n", "\0"])
@pytest.mark.parametrize("place", ["{}", "a{}", "{}b", "a {}Set-Cookie: evil=1"])
def test_a_value_that_would_end_the_header_is_refused(character, place):
    with pytest.raises(ValueError, match="CR, LF or NUL"):
        quote(place.format(character))


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(ValueError, match="surrogate"):
        quote("\ud800")


# Set-Cookie lines


def line(**attributes):
    return SetCookie("a", "b", CookieAttributes(**attributes)).line


@pytest.mark.parametrize("character", ["\r", "\n", "\0"])
@pytest.mark.parametrize("place", ["{}", "a{}", "{}b", "a {}Set-Cookie: evil=1"])
def test_no_line_is_made_of_a_value_that_would_end_the_header(character, place):
    cookie = SetCookie("a", place.format(character), CookieAttributes())
    with pytest.raises(ValueError, match="holds CR, LF or NUL"):
        cookie.line  # noqa: B018 (a property that raises)


@pytest.mark.parametrize("character", ["\r", "\n", "\0"])
def test_no_line_is_made_of_a_name_that_would_end_the_header(character):
    cookie = SetCookie(f"a{character}b", "1", CookieAttributes())
    with pytest.raises(ValueError, match="holds CR, LF or NUL"):
        cookie.line  # noqa: B018 (a property that raises)


@pytest.mark.parametrize("flag", ["secure", "httponly", "partitioned"])
@pytest.mark.parametrize("value", [1, 0, None, "False", "auto"])
def test_a_flag_that_is_not_exactly_true_or_false_is_refused(flag, value):
    with pytest.raises(ValueError, match=f"^{flag} {value!r} is not allowed; choose True or False"):
        CookieAttributes(**{flag: value})


@pytest.mark.parametrize("expires", ["tomorrow", 1_900_000_000, timedelta(days=1), date(2030, 1, 1)])
def test_an_expires_that_is_no_datetime_is_refused(expires):
    with pytest.raises(ValueError, match=r"^expires .* pass an aware datetime"):
        CookieAttributes(expires=expires)


@pytest.mark.parametrize(
    ("name", "value"),
    [("path", None), ("path", b"/"), ("domain", 5), ("domain", b"example.com"), ("samesite", []), ("samesite", b"Lax")],
)
def test_an_attribute_of_another_type_is_refused_by_its_name(name, value):
    with pytest.raises(ValueError, match=f"^{name} .* is not allowed"):
        CookieAttributes(**{name: value})


@pytest.mark.parametrize("name", [None, b"a", 5])
def test_a_name_that_is_no_text_is_refused(name):
    with pytest.raises(ValueError, match=r"cookie name .* is not allowed"):
        check_name(name, CookieAttributes())


def test_the_default_line_is_the_safe_one():
    assert line() == "a=b; Path=/; Secure; HttpOnly; SameSite=Lax"


def test_a_line_holds_every_attribute_once_and_in_order():
    berlin = timezone(timedelta(hours=1))
    assert (
        line(
            path="/x",
            domain="cms.example.com",
            max_age=60,
            expires=datetime(2030, 1, 1, 12, 0, 0, tzinfo=berlin),
            samesite="None",
            partitioned=True,
        )
        == "a=b; Path=/x; Domain=cms.example.com; Max-Age=60; Expires=Tue, 01 Jan 2030 11:00:00 GMT; Secure;"
        " HttpOnly; SameSite=None; Partitioned"
    )


def test_a_line_can_do_without_the_optional_ones():
    assert line(secure=False, httponly=False, samesite=None) == "a=b; Path=/"


@pytest.mark.parametrize("max_age", [0, -1])
def test_a_max_age_of_zero_or_less_is_written_and_brings_an_expires_in_the_past_along(max_age):
    assert f"; Max-Age={max_age}; Expires=Thu, 01 Jan 1970 00:00:00 GMT;" in line(max_age=max_age)


def test_an_expires_of_ones_own_stays_beside_a_max_age_of_zero():
    assert "; Max-Age=0; Expires=Tue, 01 Jan 2030 00:00:00 GMT;" in line(
        max_age=0, expires=datetime(2030, 1, 1, tzinfo=UTC)
    )


@given(st.datetimes(datetime(1970, 1, 1), timezones=st.just(UTC)))
def test_a_date_is_written_as_the_standard_library_writes_it(moment):
    assert http_date(moment) == format_datetime(moment, usegmt=True)
    assert len(f"; Expires={http_date(moment)}") == EXPIRES_BYTES


@pytest.mark.parametrize("year", [1, 999, 1600, 1969])
def test_what_has_been_over_for_so_long_that_browsers_would_not_read_it_ended_in_1970(year):
    assert http_date(datetime(year, 6, 1, tzinfo=UTC)) == "Thu, 01 Jan 1970 00:00:00 GMT"


@given(
    st.fixed_dictionaries(
        {
            "path": st.sampled_from(["/", "/app"]),
            "domain": st.sampled_from([None, "example.com"]),
            "samesite": st.sampled_from(["Strict", "Lax", "None", None]),
            "httponly": st.booleans(),
        }
    ),
    st.integers(-1, 10**12),
    st.integers(0, 10**12),
)
def test_attributes_that_last_are_those_that_were_built_with_both_times(fields, max_age, now):
    lasting = CookieAttributes(**fields).lasting(max_age, now=now)
    built = CookieAttributes(**fields, max_age=max_age, expires=moment_after(max_age, now=now))
    assert lasting == built
    assert lasting.suffix == built.suffix


@pytest.mark.parametrize("times", [{"max_age": 5}, {"expires": datetime(2030, 1, 1, tzinfo=UTC)}])
def test_attributes_with_a_time_do_not_get_another_one(times):
    with pytest.raises(ValueError, match="begin with some without"):
        CookieAttributes(**times).lasting(60, now=0)


def test_how_long_a_cookie_lasts_needs_the_time():
    assert CookieAttributes().lasting(0).max_age == 0
    with pytest.raises(TypeError, match="pass now="):
        CookieAttributes().lasting(60)


@pytest.mark.parametrize("bad", ["\r", "\n", "\0", ";", "\x7f"])
@pytest.mark.parametrize("place", ["/{}", "/a{}b", "/a{}Domain=evil.example"])
def test_a_path_that_would_break_the_line_is_refused(bad, place):
    with pytest.raises(ValueError, match=r"path .* is not allowed"):
        CookieAttributes(path=place.format(bad))


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/", "/"),
        ("/my shop", "/my%20shop"),
        ("/café", "/caf%C3%A9"),
        ("/caf%C3%A9 au lait", "/caf%C3%A9%20au%20lait"),
        ("/萧", "/%E8%90%A7"),
        ("/100%", "/100%"),
        (r"/\"#<>?`{}^", "/%5C%22%23%3C%3E%3F%60%7B%7D%5E"),
        ("/a-b._~!$&'()*+,=:@[]/", "/a-b._~!$&'()*+,=:@[]/"),
        ("/\x80", "/%C2%80"),
    ],
)
def test_a_path_is_written_as_browsers_have_it_in_a_url(path, written):
    attributes = CookieAttributes(path=path)
    assert attributes.suffix.startswith(f"; Path={written};")
    assert attributes == CookieAttributes(path=written)


def test_a_path_that_browsers_compare_in_two_ways_is_refused():
    with pytest.raises(ValueError, match="some browsers write as %7C"):
        CookieAttributes(path="/a|b")


def test_a_path_with_half_a_surrogate_pair_is_refused():
    with pytest.raises(ValueError, match="surrogate"):
        CookieAttributes(path="/\ud800")


def test_a_path_that_browsers_would_pass_over_for_its_length_is_refused():
    assert CookieAttributes(path="/" + "x" * 1023).path
    for path in ("/" + "x" * 1024, "/" + "é" * 171):
        with pytest.raises(ValueError, match=r"^path '/.*'… has 10\d\d bytes, and browsers ignore"):
            CookieAttributes(path=path)


@pytest.mark.parametrize("path", ["", "relative", " /"])
def test_a_path_that_does_not_begin_with_a_slash_is_refused(path):
    with pytest.raises(ValueError, match="begins with '/'"):
        CookieAttributes(path=path)


@pytest.mark.parametrize(
    "domain",
    [
        "",
        ".example.com",
        "example.com.",
        "a b",
        "a;b",
        "a\rb",
        "a\nb",
        "a\0b",
        "example.com\n",
        "bücher.example",
        "a,b",
        "a" * 254,
    ],
)
def test_a_domain_that_is_no_host_name_is_refused(domain):
    with pytest.raises(ValueError, match=r"domain .* host name such as 'example\.com'"):
        CookieAttributes(domain=domain)


@pytest.mark.parametrize("samesite", ["lax", "none", "", "Lax; Domain=evil.example", "Lax\r\n", True, 5])
def test_another_samesite_is_refused_with_the_choices(samesite):
    with pytest.raises(ValueError, match="choose 'Strict', 'Lax', 'None' or None"):
        CookieAttributes(samesite=samesite)


@pytest.mark.parametrize("max_age", ["1", "1\r\nX: y", "1; Domain=evil.example", 1.5, True])
def test_a_max_age_that_is_no_whole_number_is_refused(max_age):
    with pytest.raises(ValueError, match="max_age"):
        CookieAttributes(max_age=max_age)


@pytest.mark.parametrize("samesite", ["Lax", "Strict", None])
def test_a_partitioned_cookie_without_samesite_none_is_refused(samesite):
    with pytest.raises(ValueError, match="set samesite='None', or leave out partitioned"):
        CookieAttributes(partitioned=True, samesite=samesite)


@pytest.mark.parametrize("attributes", [{"samesite": "None"}, {"partitioned": True}])
def test_what_browsers_drop_without_secure_is_refused(attributes):
    with pytest.raises(ValueError, match=r"browsers drop .* without Secure; set secure=True"):
        CookieAttributes(secure=False, **attributes)


class _Clueless(tzinfo):
    """A time zone that does not know its hours; so the datetime is naive all the same."""

    def utcoffset(self, moment):
        return None


@pytest.mark.parametrize("zone", [None, _Clueless()])
def test_a_naive_expires_is_refused(zone):
    with pytest.raises(ValueError, match="expires is naive"):
        CookieAttributes(expires=datetime(2030, 1, 1, tzinfo=zone))


@pytest.mark.parametrize(("moment", "hours"), [(datetime.max, -1), (datetime.min, 1)])
def test_an_expires_that_has_no_year_in_utc_is_refused(moment, hours):
    with pytest.raises(ValueError, match="is not in the years 1 to 9999 in UTC"):
        CookieAttributes(expires=moment.replace(tzinfo=timezone(timedelta(hours=hours))))


def test_attributes_cannot_be_changed_behind_their_checks():
    with pytest.raises(AttributeError):
        CookieAttributes().path = "/; Domain=evil.example"


@pytest.mark.parametrize("name", ["", "a b", "a;b", "a=b", "a,b", "a\rb", "a\n", "a\0", "名", 'a"b', "a/b", "[a]"])
def test_a_name_that_is_no_token_is_refused(name):
    with pytest.raises(ValueError, match=r"cookie name .* is not allowed"):
        check_name(name, CookieAttributes())


@given(NAMES)
def test_a_name_of_token_characters_is_taken(name):
    check_name(name, CookieAttributes())
    assert parse(f"{name}=1") == {name: "1"}


@pytest.mark.parametrize("name", ["__Http-a", "__HTTP-a", "__Host-Http-a", "__host-http-a"])
def test_a_name_that_says_that_no_script_set_it_needs_httponly(name):
    check_name(name, CookieAttributes())
    with pytest.raises(ValueError, match="needs HttpOnly; set httponly=True or choose a name without Http-"):
        check_name(name, CookieAttributes(httponly=False))


@pytest.mark.parametrize("attributes", [{"domain": "example.com"}, {"path": "/x"}])
def test_an_http_name_allows_a_domain_and_any_path(attributes):
    check_name("__Http-a", CookieAttributes(**attributes))


@pytest.mark.parametrize("name", ["__Host-a", "__Secure-a", "__host-a", "__SECURE-a", "__Http-a", "__Host-Http-a"])
def test_a_prefixed_name_needs_secure_whatever_its_case(name):
    check_name(name, CookieAttributes())
    with pytest.raises(ValueError, match="needs Secure"):
        check_name(name, CookieAttributes(secure=False))


@pytest.mark.parametrize("attributes", [{"domain": "example.com"}, {"path": "/x"}])
@pytest.mark.parametrize("name", ["__Host-a", "__HOST-a", "__Host-Http-a"])
def test_a_host_name_allows_no_domain_and_no_other_path(name, attributes):
    with pytest.raises(ValueError, match="without __Host-"):
        check_name(name, CookieAttributes(**attributes))


@pytest.mark.parametrize("attributes", [{"domain": "example.com"}, {"path": "/x"}])
def test_a_secure_name_allows_both(attributes):
    check_name("__Secure-a", CookieAttributes(**attributes))


def test_the_longest_line_passes_and_one_byte_more_does_not():
    attributes = CookieAttributes()
    room = MAX_LINE_BYTES - len(SetCookie("a", "", attributes).line)
    fits = SetCookie("a", "x" * room, attributes)
    assert check_size(fits) is fits
    with pytest.raises(CookieTooLarge) as caught:
        check_size(SetCookie("a", "x" * (room + 1), attributes))
    assert (caught.value.name, caught.value.size_bytes, caught.value.limit_bytes) == ("a", 4094, 4093)


def test_the_size_is_counted_in_bytes():
    cookie = SetCookie("a", quote("萧" * 1400), CookieAttributes())
    with pytest.raises(CookieTooLarge) as caught:
        check_size(cookie)
    assert caught.value.size_bytes == len(cookie.line.encode("latin-1"))


@pytest.mark.parametrize(
    ("max_age", "expected"),
    [(None, None), (0, 0), (90, 90), (timedelta(minutes=1), 60), (timedelta(seconds=1.9), 1), (timedelta(-1), -86400)],
)
def test_a_max_age_is_seconds_or_a_duration(max_age, expected):
    assert seconds(max_age) == expected


@pytest.mark.parametrize("max_age", ["60", 1.5, True, datetime(2030, 1, 1, tzinfo=UTC)])
def test_a_max_age_of_another_type_is_refused(max_age):
    with pytest.raises(ValueError, match="whole seconds or a timedelta"):
        seconds(max_age)
