"""PyramidSignedCookie against cookies that Pyramid has just made."""

import pickle

import pytest
from pyramid.config import Configurator
from pyramid.response import Response
from pyramid.session import JSONSerializer, SignedCookieSessionFactory
from webob import Request

from cookiesess.readers import PyramidSignedCookie
from kit.constants import SECRET, UNTIL
from readers.suite import RotationSuite, reason_of, value_of

NOW = 4_000_000_000


def write(data, secret=SECRET, *, view=None, **settings):
    """Return the cookie of a Pyramid app whose only view puts `data` into the session, or is `view`."""

    def put(request):
        request.session.update(data)
        return Response("")

    config = Configurator(session_factory=SignedCookieSessionFactory(secret, **settings))
    config.add_route("index", "/")
    config.add_view(view or put, route_name="index")
    return value_of(Request.blank("/").get_response(config.make_wsgi_app()).headers["Set-Cookie"])


def reader_of(secret=SECRET, **settings):
    return PyramidSignedCookie(secret, **{"until": UNTIL, "max_age": None, **settings})


class TestPyramidSignedCookie(RotationSuite):
    def write(self, data, secret=SECRET):
        return write(data, secret)

    def reader(self, secret=SECRET, **settings):
        return PyramidSignedCookie(secret, **{"until": UNTIL, **settings})

    def test_the_default_age_is_pyramids(self, value, at):
        assert self.reader().open(value, now=at + 1200).data == self.SESSION
        assert reason_of(self.reader(), value, now=at + 1201) == "expired"

    def test_the_time_of_creation_is_told(self, value, at):
        assert at - 1 <= self.reader().open(value, now=at).created_at <= at

    def test_secret_and_salt_beyond_latin_1_open(self):
        value = write({"a": 1}, "会话密钥会话密钥会话密钥", salt="盐.")
        assert reader_of("会话密钥会话密钥会话密钥", salt="盐.").open(value, now=NOW).data == {"a": 1}

    def test_a_secret_in_bytes_opens_what_it_wrote(self):
        value = write({"a": 1}, SECRET.encode())
        assert reader_of(SECRET.encode()).open(value, now=NOW).data == {"a": 1}


def test_flashes_and_the_csrf_token_stay_in_the_data():
    def view(request):
        request.session.flash("welcome")
        return Response(request.session.get_csrf_token())

    data = reader_of().open(write({}, view=view), now=NOW).data
    assert data["_f_"] == ["welcome"]
    assert len(data["_csrft_"]) == 40


@pytest.mark.parametrize("hashalg", ["sha1", "sha256", "sha384"])
def test_a_factory_with_another_salt_and_hash_is_read(hashalg):
    value = write({"a": 1}, salt="of the shop", hashalg=hashalg)
    assert reader_of(salt="of the shop", hashalg=hashalg).open(value, now=NOW).data == {"a": 1}
    assert reason_of(reader_of(hashalg=hashalg), value, now=NOW) == "forged"


class Pickled:
    def dumps(self, value):
        return pickle.dumps(value)


class Array:
    """Writes anything in place of the three items."""

    def __init__(self, text):
        self.text = text

    def dumps(self, value):
        return self.text.encode()


def test_a_pickled_session_is_refused_by_name():
    assert reason_of(reader_of(), write({"a": 1}, serializer=Pickled()), now=NOW) == "pickle"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1, 1]",
        "[1, 1, {}, 1]",
        '["abc", 0, 0]',
        "[1, 1, []]",
        '["1", 1, {}]',
        "[true, 1, {}]",
        "[null, 1, {}]",
        "[1, NaN, {}]",
        "[Infinity, 1, {}]",
        "[1, 1e999, {}]",
        "[1, 1, {}" + "]" * 2000,
    ],
    ids=lambda text: text[:20] or "nothing",
)
def test_signed_json_of_another_form_is_refused(text):
    assert reason_of(reader_of(), write({"a": 1}, serializer=Array(text)), now=NOW) == "plaintext"


def test_a_session_nested_too_deeply_is_refused():
    assert reason_of(reader_of(), write({"a": 1}, serializer=Array(deep(70))), now=NOW) == "foreign"


def test_a_session_nested_beyond_what_json_reads_is_refused():
    value = write({"a": 1}, serializer=Array(deep(1400)))
    # Whether the decoder gives up first depends on the version of Python.
    assert reason_of(reader_of(), value, now=NOW) in {"plaintext", "foreign"}


def test_a_session_as_deep_as_sessions_may_be_opens():
    assert reader_of().open(write({"a": 1}, serializer=Array(deep(60))), now=NOW).data


def deep(levels):
    return '[1, 1, {"a": ' + "[" * levels + "]" * levels + "}]"


def test_a_time_of_creation_in_the_future_is_refused():
    value = write({"a": 1}, serializer=Array('[1, 4000009999, {"a": 1}]'))
    assert reason_of(reader_of(), value, now=NOW) == "future"


def test_whole_numbers_beyond_all_clocks_are_refused():
    value = write({"a": 1}, serializer=Array("[" + "9" * 400 + ', 1, {"a": 1}]'))
    assert reason_of(reader_of(), value, now=NOW) == "future"


def test_the_tests_serializers_write_what_pyramids_own_would():
    value = write({"a": 1}, serializer=Array(JSONSerializer().dumps([1, 1.5, {"a": 1}]).decode()))
    assert reader_of().open(value, now=NOW)[:3] == ({"a": 1}, 1, 1)
