"""The settings that all readers share: what they refuse, at construction, and what they say."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest

from cookiesess.errors import ConfigurationError, InvalidToken
from cookiesess.readers import (
    BeakerCookie,
    DjangoSignedCookie,
    FlaskCookie,
    Foreign,
    PyramidSignedCookie,
    Reader,
    StarletteCookie,
)
from kit.constants import SECRET, UNTIL

READERS = [BeakerCookie, DjangoSignedCookie, FlaskCookie, PyramidSignedCookie, StarletteCookie]
ROTATING = [cls for cls in READERS if cls is not BeakerCookie]

every = pytest.mark.parametrize("cls", READERS)
every_rotating = pytest.mark.parametrize("cls", ROTATING)


@every
def test_until_is_required(cls):
    with pytest.raises(TypeError, match="until"):
        cls(SECRET)


@every
def test_a_naive_until_is_refused(cls):
    with pytest.raises(ConfigurationError, match=r"until is naive.*pass tzinfo=UTC"):
        cls(SECRET, until=datetime(2030, 1, 1))


@every
@pytest.mark.parametrize("until", [None, "2030-01-01", 1893456000, timedelta(days=30)], ids=repr)
def test_an_until_that_is_no_moment_is_refused(cls, until):
    with pytest.raises(ConfigurationError, match="until is an aware datetime, not a"):
        cls(SECRET, until=until)


@every
def test_an_until_that_has_passed_is_no_error_so_that_the_app_still_starts(cls):
    assert cls(SECRET, until=datetime(2001, 1, 1, tzinfo=UTC)).cookie_name


def test_a_reader_whose_time_is_over_says_once_that_it_can_be_deleted(caplog):
    reader = FlaskCookie(SECRET, until=datetime(2001, 1, 1, tzinfo=UTC), cookie_name="shop")
    for _ in range(2):
        with pytest.raises(InvalidToken, match="retired"):
            reader.open("x", now=int(datetime(2001, 1, 1, tzinfo=UTC).timestamp()))
    assert [(record.name, record.levelname, record.getMessage()) for record in caplog.records] == [
        (
            "cookiesess",
            "WARNING",
            "<FlaskCookie, cookie 'shop'> opens no cookies any more: until= has passed, so delete it from accept=",
        )
    ]


def test_until_counts_in_its_own_time_zone():
    until = datetime(2030, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    midnight = int(datetime(2030, 1, 1, tzinfo=UTC).timestamp())
    reader = FlaskCookie(SECRET, until=until)
    reasons = []
    for now in (midnight - 1, midnight):
        with pytest.raises(InvalidToken) as raised:
            reader.open("", now=now)
        reasons.append(raised.value.reason)
    assert reasons == ["malformed", "retired"]


@every
@pytest.mark.parametrize("secret", [None, 42, ["a secret in a list is no secret"]], ids=repr)
def test_a_secret_of_another_type_is_refused(cls, secret):
    with pytest.raises(ConfigurationError, match=r"_key is text or bytes, not \w+; is the variable set\?"):
        cls(secret, until=UNTIL)


@every
@pytest.mark.parametrize("secret", ["", "dev", b"fifteen bytes..", "x" * 15])
def test_a_short_secret_is_refused_and_not_repeated(cls, secret):
    with pytest.raises(ConfigurationError, match=r"_key has \d+ bytes and needs at least 16") as raised:
        cls(secret, until=UNTIL)
    assert not secret or str(secret) not in str(raised.value)


@every
def test_a_secret_of_sixteen_bytes_is_accepted(cls):
    assert cls("x" * 16, until=UNTIL).cookie_name


@every
def test_half_a_surrogate_pair_in_a_secret_is_refused(cls):
    with pytest.raises(ConfigurationError, match="surrogate"):
        cls(SECRET + "\ud800", until=UNTIL)


@every_rotating
def test_one_text_in_place_of_the_list_of_fallbacks_is_refused(cls):
    with pytest.raises(ConfigurationError, match=r"write fallbacks=\[secret\]"):
        cls(SECRET, until=UNTIL, fallbacks=SECRET)


@every_rotating
@pytest.mark.parametrize("fallback", [None, "dev"])
def test_a_wrong_fallback_is_named(cls, fallback):
    with pytest.raises(ConfigurationError, match=r"^fallbacks\[1\] "):
        cls(SECRET, until=UNTIL, fallbacks=[SECRET, fallback])


@every_rotating
def test_fallbacks_may_be_any_iterable(cls):
    assert cls(SECRET, until=UNTIL, fallbacks=iter([SECRET])).cookie_name


@every
@pytest.mark.parametrize("max_age", [1209600, timedelta(0), timedelta(seconds=-1), "1 day"], ids=repr)
def test_a_max_age_that_is_no_duration_is_refused(cls, max_age):
    with pytest.raises(ConfigurationError, match="max_age"):
        cls(SECRET, until=UNTIL, max_age=max_age)


@every
@pytest.mark.parametrize(
    "settings",
    [
        {"cookie_name": "no name"},
        {"cookie_name": ""},
        {"path": "shop"},
        {"domain": "shop;example"},
        {"partitioned": 1},
        {"cookie_name": "__Host-session", "domain": "shop.example"},
    ],
    ids=repr,
)
def test_a_cookie_that_no_browser_would_have_is_refused(cls, settings):
    with pytest.raises(ConfigurationError, match=r"not allowed|allows no domain"):
        cls(SECRET, until=UNTIL, **settings)


@every
def test_an_owner_that_is_no_function_is_refused(cls):
    with pytest.raises(ConfigurationError, match="owner must be a function of the data, not of type str"):
        cls(SECRET, until=UNTIL, owner="user_id")


@pytest.mark.parametrize("cls", [FlaskCookie, PyramidSignedCookie])
def test_an_unknown_digest_is_refused(cls):
    name = "digest" if cls is FlaskCookie else "hashalg"
    with pytest.raises(ConfigurationError, match=f"{name} is 'md5'; choose one of sha1, sha224, sha256, "):
        cls(SECRET, until=UNTIL, **{name: "md5"})


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (BeakerCookie, "beaker.session.id"),
        (DjangoSignedCookie, "sessionid"),
        (FlaskCookie, "session"),
        (PyramidSignedCookie, "session"),
        (StarletteCookie, "session"),
    ],
)
def test_the_cookie_is_the_librarys_by_default(cls, name):
    reader = cls(SECRET, until=UNTIL)
    assert (reader.cookie_name, reader.path, reader.domain, reader.partitioned) == (name, "/", None, False)


@every
def test_the_cookies_place_is_kept_for_whoever_expires_it(cls):
    reader = cls(SECRET, until=UNTIL, cookie_name="shop", path="/shop", domain="shop.example", partitioned=True)
    assert (reader.cookie_name, reader.path) == ("shop", "/shop")
    assert (reader.domain, reader.partitioned) == ("shop.example", True)


@every
def test_a_readers_repr_shows_no_secret(cls):
    assert repr(cls(SECRET, until=UNTIL, cookie_name="shop")) == f"<{cls.__name__}, cookie 'shop'>"


def test_a_foreign_sessions_repr_shows_no_values():
    assert repr(Foreign({"card": "4111"}, None, None, "ann")) == "<Foreign session of 1 keys>"


class Timeless(Reader):
    """A reader of somebody else's, whose format says no time."""

    def read(self, value):
        return Foreign({"user": 42}, None, None)


def test_a_format_without_a_time_opens_where_age_does_not_matter():
    assert Timeless(cookie_name="a", until=UNTIL).open("x", now=0) == Foreign({"user": 42}, None, None)


def test_a_format_without_a_time_cannot_keep_a_max_age():
    with pytest.raises(InvalidToken, match="expired"):
        Timeless(cookie_name="a", until=UNTIL, max_age=timedelta(days=1)).open("x", now=0)


def test_an_owner_that_is_not_text_is_an_error_of_the_apps():
    reader = Timeless(cookie_name="a", until=UNTIL, owner=lambda data: data["user"])
    with pytest.raises(ConfigurationError, match="owner= returned a value of type int; return text, or None"):
        reader.open("x", now=0)


def test_an_owner_may_be_nobody():
    assert Timeless(cookie_name="a", until=UNTIL, owner=lambda data: None).open("x", now=0).owner is None


def test_what_the_owner_function_raises_goes_through():
    with pytest.raises(KeyError):
        Timeless(cookie_name="a", until=UNTIL, owner=lambda data: data["name"]).open("x", now=0)


@pytest.mark.process
def test_no_framework_is_imported_for_reading():
    code = "import cookiesess.readers, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    frameworks = {"beaker", "django", "flask", "pyramid", "starlette", "webob", "werkzeug", "pickle", "Crypto"}
    assert not frameworks & set(done.stdout.split())
