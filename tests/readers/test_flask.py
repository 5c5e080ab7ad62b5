"""FlaskCookie against cookies that Flask has just made."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask, flash, session
from flask.json.tag import JSONTag, TaggedJSONSerializer
from flask.sessions import SecureCookieSessionInterface
from hypothesis import given, settings
from hypothesis import strategies as st
from itsdangerous import URLSafeTimedSerializer
from markupsafe import Markup

from cookiesess.errors import InvalidToken
from cookiesess.readers import FlaskCookie
from kit.constants import SECRET, UNTIL
from kit.selection import examples
from kit.strategies import exact
from readers.suite import JSON_VALUES, RotationSuite, reason_of, value_of

NOW = int(datetime(2030, 1, 1, tzinfo=UTC).timestamp())


def write(data, *, interface=None, view=None, **config):
    """Return the cookie of a Flask app whose only view puts `data` into the session, or is `view`."""
    app = Flask("shop")
    app.config.update({"SECRET_KEY": SECRET, **config})
    app.session_interface = interface or app.session_interface
    app.add_url_rule("/", "index", view or (lambda: session.update(data) or ""))
    return value_of(app.test_client().get("/").headers["Set-Cookie"])


def read(value, **settings):
    """Return the data in a cookie of any age."""
    return FlaskCookie(SECRET, until=UNTIL, max_age=None, **settings).open(value, now=NOW).data


class TestFlaskCookie(RotationSuite):
    SESSION = JSON_VALUES | {
        "z 1": (1, ("two", b"three")),
        "z 2": bytes(range(256)),
        "z 3": UUID(int=42),
        "z 4": datetime(2026, 11, 23, 8, 47, 22, tzinfo=UTC),
        "z 5": [{" t": 1}, {" di": {" b": (b"x",)}}, {" u": None, "more": 1}],
    }

    def write(self, data, secret=SECRET):
        return write(data, SECRET_KEY=secret)

    def reader(self, secret=SECRET, **settings):
        return FlaskCookie(secret, **{"until": UNTIL, **settings})


def test_the_default_age_is_flasks():
    value = write({"a": 1})
    written_at = FlaskCookie(SECRET, until=UNTIL, max_age=None).open(value, now=NOW).refreshed_at
    seconds = int(Flask("shop").permanent_session_lifetime.total_seconds())
    reader = FlaskCookie(SECRET, until=UNTIL)
    assert reader.open(value, now=written_at + seconds).created_at is None
    assert reason_of(reader, value, now=written_at + seconds + 1) == "expired"


def test_markup_comes_back_as_text():
    assert exact(read(write({"html": Markup("<b>")}))) == exact({"html": "<b>"})


def test_a_naive_datetime_comes_back_in_utc_as_in_flask():
    assert read(write({"moment": datetime(2026, 1, 2, 3)})) == {"moment": datetime(2026, 1, 2, 3, tzinfo=UTC)}


def test_flashes_and_permanence_stay_in_the_data():
    def view():
        session.permanent = True
        flash("welcome", "info")
        return ""

    assert read(write({}, view=view)) == {"_permanent": True, "_flashes": [("info", "welcome")]}


def test_flasks_own_fallbacks_are_read():
    value = write({"a": 1}, SECRET_KEY="a new secret of the app", SECRET_KEY_FALLBACKS=[SECRET])
    reader = FlaskCookie("a new secret of the app", until=UNTIL, fallbacks=[SECRET], max_age=None)
    assert reader.open(value, now=NOW).data == {"a": 1}


class Changed(SecureCookieSessionInterface):
    salt = "of the shop"
    digest_method = staticmethod(hashlib.sha256)


def test_an_interface_with_another_salt_and_digest_is_read():
    value = write({"a": 1}, interface=Changed())
    assert read(value, salt="of the shop", digest="sha256") == {"a": 1}


@pytest.mark.parametrize("settings", [{"salt": "of the shop"}, {"digest": "sha256"}])
def test_half_of_the_interfaces_settings_open_nothing(settings):
    reader = FlaskCookie(SECRET, until=UNTIL, max_age=None, **settings)
    assert reason_of(reader, write({"a": 1}, interface=Changed()), now=NOW) == "forged"


class TagSet(JSONTag):
    key = " s"

    def check(self, value):
        return isinstance(value, set)

    def to_json(self, value):
        return sorted(value)


def test_a_tag_of_the_apps_own_stays_as_it_was_written():
    interface = SecureCookieSessionInterface()
    interface.serializer = TaggedJSONSerializer()
    interface.serializer.register(TagSet)
    assert read(write({"set": {1, 2}}, interface=interface)) == {"set": {" s": [1, 2]}}


def signed(payload, serializer=None):
    """Return a cookie with anything in it, as somebody makes it who knows the secret."""
    options = {"key_derivation": "hmac", "digest_method": hashlib.sha1}
    return URLSafeTimedSerializer(SECRET, salt="cookie-session", serializer=serializer, signer_kwargs=options).dumps(
        payload
    )


@pytest.mark.parametrize(
    "tagged",
    [
        {" t": 5},
        {" b": "A"},
        {" b": 5},
        {" m": 5},
        {" u": "x"},
        {" u": 5},
        {" d": "once"},
        {" d": 5},
        {" di": 5},
        {" di": {}},
    ],
    ids=repr,
)
def test_a_tag_around_what_it_never_stands_for_is_refused(tagged):
    reader = FlaskCookie(SECRET, until=UNTIL, max_age=None)
    assert reason_of(reader, signed({"a": tagged}), now=NOW) == "plaintext"


TAGS = st.sampled_from([" di", " t", " b", " m", " u", " d", " x", " t__", "a", ""])
TAGGED = st.recursive(
    st.none()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["YQ==", "0" * 32, "Fri, 02 Jan 2026 03:04:05 GMT"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TAGS, inner, min_size=1, max_size=2),
    max_leaves=8,
)


def plain(value):
    """Return `value` with str for Markup."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(plain, value))
    return str(value) if isinstance(value, Markup) else value


@settings(max_examples=examples(200))
@given(TAGGED)
def test_what_opens_is_what_flask_itself_reads(payload):
    data = {"a": payload, "b": 0}
    try:
        found = read(signed(data))
    except InvalidToken:
        return
    assert exact(found) == exact(plain(TaggedJSONSerializer().loads(json.dumps(data))))


def test_the_age_is_counted_from_the_last_write():
    value = write({"a": 1})
    reader = FlaskCookie(SECRET, until=UNTIL, max_age=timedelta(seconds=1))
    assert reason_of(reader, value, now=NOW) == "expired"
